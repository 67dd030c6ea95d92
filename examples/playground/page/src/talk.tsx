// The talk: a phone for each contact, a clock, the host's calls, and what happens inside.

import { useEffect, useRef, useState } from "preact/hooks";
import { Button, Icon, glyph } from "./icons";
import * as model from "./model";
import * as store from "./store";
import { use } from "./store";

const CHANNELS: Record<string, string> = { whatsapp: "WhatsApp", instagram: "Instagram", messenger: "Messenger", viber: "Viber", sms: "SMS", web: "Web chat", telegram: "Telegram", line: "LINE", rcs: "RCS", email: "E-mail" };

export const channelName = (channel: string): string => CHANNELS[channel] ?? channel;

export const span = (millis: number): string => {
  const seconds = Math.max(0, Math.round(millis / 1000));
  const parts: [number, string][] = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "m"], [seconds % 60, "s"]];
  const shown = parts.filter(([count]) => count > 0).slice(0, 2).map(([count, unit]) => `${count}${unit}`).join(" ");
  return shown || "0s";
};

export function Talk() {
  const talk = use((state) => state.talk);
  const error = use((state) => state.talkError);
  const checked = use((state) => state.checked);
  const doc = use((state) => state.doc)!;
  const person = use((state) => state.person);
  const stale = use((state) => state.talkStale);
  const channel = use((state) => state.talkChannel);
  const own = ownChannel(doc);
  const errors = checked.issues.filter((issue) => issue.severity === "error" && issue.code !== "unbound_account").length;
  if (!talk) {
    return (
      <div class="talk">
        {!errors && <Channels shown={null} />}
        {errors ? (
          <div class="empty">
            <span class="empty-art bad"><Icon d={glyph.error} size={30} /></span>
            <h2>It does not run yet</h2>
            <p>{errors === 1 ? "One error keeps" : `${errors} errors keep`} the flow from talking.</p>
            <Button tone="primary" onClick={() => store.set({ panel: "issues" })}>Show what is wrong</Button>
          </div>
        ) : channel && error ? (
          <div class="empty">
            <span class="empty-art bad"><Icon d={glyph.warn} size={30} /></span>
            <h2>{CHANNELS[channel] ?? channel} does not carry it</h2>
            <ul class="plain reasons" role="alert">{error.split("\n").slice(1).map((line) => <li>{line}</li>)}</ul>
            <Button tone="primary" onClick={() => store.talkOn(own)}>Back to {CHANNELS[own] ?? own}</Button>
          </div>
        ) : (
          <div class="empty">
            <span class="empty-art talk-art"><Icon d={glyph.talk} size={30} /></span>
            <h2>Talk to it</h2>
            <p>The production engine runs in this page. {doc.trigger?.kind === "inbound" ? "Write a message, as a contact would." : "Start the flow, as your system would by an API call."}</p>
            {doc.trigger?.kind !== "inbound" && <Context />}
            <Button tone="primary" class="wide" onClick={() => (doc.trigger?.kind === "inbound" ? store.openTalk() : store.trigger())}>
              {doc.trigger?.kind === "inbound" ? "Open the phone" : "Start the flow"}
            </Button>
            {error && <p class="field-issue error" role="alert">{error}</p>}
          </div>
        )}
      </div>
    );
  }
  const shown = talk.people[person] ?? { lines: [], session: null, journal: null, outbox: [], dead: [], script: [], lost: null };
  return (
    <>
      <div class="talk stage">
        {stale && (
          <div class="banner" role="status">
            <span>The flow was edited. This talk runs on the version before.</span>
            <Button class="small" tone="soft" icon={glyph.restart} onClick={() => store.openTalk()}>Talk to the new one</Button>
          </div>
        )}
        {talk.unfit.map((why: string) => <p class="field-issue error" role="status">{why}</p>)}
        <Channels shown={talk.channel} />
        <People talk={talk} />
        <Clock talk={talk} shown={shown} />
        <Phone talk={talk} shown={shown} />
      </div>
      <Inside talk={talk} shown={shown} />
    </>
  );
}

const { ownChannel } = store;

/** The channels that the flow is tried out on; the engine holds its messages to the limits of each. */
function Channels({ shown }: { shown: string | null }) {
  const doc = use((state) => state.doc)!;
  const chosen = use((state) => state.talkChannel);
  const own = ownChannel(doc);
  const at = shown ?? chosen ?? own;
  const words = [...new Set(["whatsapp", "messenger", "instagram", "viber", "sms", "web", own])];
  const row = useRef<HTMLDivElement>(null);
  // Where they are one row, the chosen one may be beyond its end.
  useEffect(() => row.current?.querySelector("[aria-pressed=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [at]);
  return (
    <div ref={row} class="channels" role="group" aria-label="Channel of the talk">
      {words.map((word) => (
        <button type="button" class={`channel ${word}`} aria-pressed={word === at} onClick={() => store.talkOn(word)}>
          <i />{CHANNELS[word] ?? word}
        </button>
      ))}
    </div>
  );
}

function Context() {
  const context = use((state) => state.context);
  return (
    <label class="field context" data-own-keys>
      <span class="label">Context of the trigger, as JSON</span>
      <textarea class="code" rows={Math.min(9, context.split("\n").length)} spellcheck={false} value={context} onInput={(event) => store.set({ context: event.currentTarget.value })} />
    </label>
  );
}

function People({ talk }: { talk: any }) {
  const person = use((state) => state.person);
  return (
    <div class="people">
      <div role="tablist" aria-label="Contacts">
      {store.people(talk.channel).map(({ name, address }) => {
        const status = talk.people[address]?.session?.status;
        return (
          <button type="button" role="tab" aria-selected={person === address} class="person" onClick={() => store.set({ person: address })}>
            <span class="avatar" data-who={name}>{name[0]}</span>
            <span>{name}</span>
            {status && <i class={`dot ${status}`} title={status} />}
          </button>
        );
      })}
      </div>
      <Button icon={glyph.restart} class="quiet" label="Begin anew, with nobody" onClick={() => store.openTalk()} />
    </div>
  );
}

function Clock({ talk, shown }: { talk: any; shown: any }) {
  const due = talk.due == null ? null : talk.due - talk.now;
  const expires = shown.session?.expires_at && !ENDED.includes(shown.session.status) ? Date.parse(shown.session.expires_at) - talk.now : null;
  const at = new Date(talk.now);
  return (
    <div class="clock" aria-label="Clock">
      <div class="clock-face">
        <Icon d="M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12z M10 7v3.200l2 1.400" size={16} />
        <time>{at.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" })} {at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" })}</time>
        {expires != null && <span class="expiry" title="The session expires then, unless somebody says something">expires in {span(expires)}</span>}
      </div>
      <div class="clock-keys">
        <Button class="small" onClick={() => store.doTalk({ do: "pass", seconds: 60 })}>+1 m</Button>
        <Button class="small" onClick={() => store.doTalk({ do: "pass", seconds: 31 * 60 })}>+31 m</Button>
        <Button class="small" onClick={() => store.doTalk({ do: "pass", seconds: 86400 })}>+1 d</Button>
        <Button class="small" tone="soft" disabled={due == null} onClick={() => store.doTalk({ do: "due" })}>{due == null ? "Nothing is due" : `Next deadline (${span(due)})`}</Button>
      </div>
    </div>
  );
}

const ENDED = ["completed", "failed", "expired", "cancelled"];

function Phone({ talk, shown }: { talk: any; shown: any }) {
  const person = use((state) => state.person);
  const end = useRef<HTMLDivElement>(null);
  const [text, setText] = useState("");
  const [tray, setTray] = useState(false);
  useEffect(() => {
    const box = end.current?.parentElement;
    box?.scrollTo({ top: box.scrollHeight, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }, [shown.lines.length, person]);
  const say = (message: object) => store.doTalk({ do: "say", contact: person, message });
  const who = store.people(talk.channel).find((one) => one.address === person);
  const asked = talk.asked.filter((call: any) => call.contact === person);
  const status = shown.session?.status;
  const last = lastOffer(shown.lines);
  const signs = signsOn(shown.lines);
  return (
    <section class={`phone ${talk.channel}`} aria-label={`${CHANNELS[talk.channel] ?? talk.channel} of ${who?.name ?? person}`}>
      <header>
        <span class="avatar shop"><Icon d={glyph.talk} size={16} /></span>
        <div><b dir="auto">{model.textOf(store.get().doc?.name ?? store.get().code)}</b><small>{CHANNELS[talk.channel] ?? talk.channel} · {talk.account}</small></div>
        {status && <span class={`pill ${status}`}>{status}</span>}
      </header>
      <div class="messages" role="log" aria-live="polite" aria-label="Messages" tabIndex={0}>
        {!shown.lines.length && <p class="hint">{talk.manual ? `Start the flow for ${who?.name}.` : `Write the first message as ${who?.name}.`}</p>}
        {shown.lines.map((line: any, place: number) => <LineView key={place} line={line} live={line === last} say={say} contact={person} signs={signs} />)}
        {asked.map((call: any) => <CallCard key={call.id} call={call} />)}
        {status === "handoff" && <HandBack contact={person} />}
        <div ref={end} />
      </div>
      {tray && <Tray say={(message) => { setTray(false); say(message); }} />}
      <form class="composer" data-own-keys onKeyDown={(event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.currentTarget.requestSubmit()} onSubmit={(event) => {
        event.preventDefault();
        if (!text.trim()) return;
        say({ text });
        setText("");
      }}>
        <Button icon={glyph.clip} class="quiet" label="Send something else than text" aria-expanded={tray} onClick={() => setTray(!tray)} />
        <input type="text" dir="auto" aria-label={`Message of ${who?.name ?? person}`} placeholder="Message" value={text} onInput={(event) => setText(event.currentTarget.value)} autocomplete="off" />
        <Button icon={glyph.send} tone="primary" type="submit" label="Send" disabled={!text.trim()} />
      </form>
      {talk.manual && (
        <div class="start-row">
          <Button icon={glyph.restart} class="wide" onClick={() => store.trigger()}>{shown.session ? "Trigger again" : "Start the flow"}</Button>
        </div>
      )}
    </section>
  );
}

/** The last message that offers something: earlier choices can still be pressed, and are stale. */
const lastOffer = (lines: any[]) => lines.findLast((line) => line.kind === "sent" && line.message.content.type !== "typing");

/** The signs that the flow has put on messages of the contact, by their ids: the last one that was taken counts. */
function signsOn(lines: any[]): Record<string, string> {
  const put = lines.filter((line) => line.kind === "sent" && line.delivery === "taken" && line.message.content.type === "reaction");
  return Object.fromEntries(put.map((line) => [line.message.content.message, line.message.content.emoji]));
}

function LineView({ line, live, say, contact, signs }: { line: any; live: boolean; say: (message: object) => void; contact: string; signs: Record<string, string> }) {
  switch (line.kind) {
    case "said":
      return (
        <div dir="auto" class={`bubble out ${signs[line.id] ? "signed" : ""}`}>
          {saidText(line.message)}
          {signs[line.id] && <span class="sign" role="img" aria-label={`${signs[line.id]}, put on this message`}>{signs[line.id]}</span>}
        </div>
      );
    case "sent":
      // It is drawn on the message that it is on.
      if (line.message.content.type === "reaction" && line.delivery === "taken" && line.message.content.message.startsWith("said-")) {
        return line.message.content.emoji ? null : <p class="note">Took the sign off your message</p>;
      }
      return <Sent line={line} live={live} say={say} contact={contact} />;
    case "passed":
      return <p class="mark"><span>{span(line.seconds * 1000)} later</span></p>;
    case "note":
      return <p class={`note ${line.word}`}>{line.text}</p>;
    case "stands":
      return ENDED.includes(line.status) || line.status === "handoff" ? (
        <p class={`note ends ${line.status}`}>{line.status}{line.outcome ? ` · ${line.outcome}` : ""} at {nodeName(line.node)}{line.failure ? `: ${line.failure.message}` : ""}</p>
      ) : null;
    case "called":
      return <p class="note call"><Icon d="M8 16c1.500 0 2-1 2.300-3l1-6c.3-2 .8-3 2.200-3M7.500 9h6" size={14} /> {nodeName(line.node)} asks the host: <code>{line.shown.slice(0, 120)}</code></p>;
    case "answered":
      return <p class="note call">The host answered: <code>{JSON.stringify(line.result.value?.value ?? line.result).slice(0, 120)}</code></p>;
    case "back":
      return <p class="note">A person gave the contact back</p>;
    case "hint":
      return <p class="note hint">{line.text}</p>;
    default:
      return null;
  }
}

const nodeName = (id: string) => {
  const node = store.get().doc && model.nodeOf(store.get().doc!, id);
  return node ? model.titleOf(node) : id;
};

export function saidText(message: any): string {
  if (message.label) return message.label;
  if (message.media) return `📎 ${message.media.mime ?? "file"}${message.text ? ` · ${message.text}` : ""}`;
  if (message.location) return `📍 ${message.location.latitude}, ${message.location.longitude}`;
  if (message.form) return `Form: ${JSON.stringify(message.form)}`;
  if (message.order) return `An order: ${(message.order.items ?? []).map((item: any) => `${item.quantity} × ${item.id}`).join(", ")}`;
  if (message.contacts) return "A contact card";
  return message.text ?? "";
}

function Sent({ line, live, say, contact }: { line: any; live: boolean; say: (message: object) => void; contact: string }) {
  const { content } = line.message;
  const failed = line.delivery !== "taken";
  const channel = use((state) => state.talk?.channel);
  if (content.type === "typing") return <div class="bubble in typing" aria-label="Typing"><i /><i /><i /></div>;
  const why = failed && <small class="undelivered"><Icon d={glyph.warn} size={13} /> {{ retried: "not taken, is tried again", rejected: "refused", window_closed: "the messaging window is closed" }[line.delivery as string]}</small>;
  return (
    <div class={`sent ${failed ? "failed" : ""}`}>
      <ContentView content={content} channel={channel} live={live} say={say} note={why} />
      <Report line={line} contact={contact} />
    </div>
  );
}

/** A message as the channel shows it. Nothing can be pressed where nobody hears it. */
export function ContentView({ content, channel, live, say, note }: { content: any; channel: string; live: boolean; say: ((message: object) => void) | null; note?: any }) {
  const choose = (option: any) => say?.({ payload: option.payload, label: option.label });
  const [open, setOpen] = useState(false);
  const options: any[] = content.options ?? [];
  const shown = shownAs(content, channel);
  const asList = shown === "list";
  return (
    <>
      <div class="bubble in" dir="auto">
        <Header header={content.header} />
        {content.type === "media" && <MediaView media={content} />}
        {content.type === "location" && <Away url={`https://www.openstreetmap.org/?mlat=${content.latitude}&mlon=${content.longitude}`} class="place"><Icon d={glyph.pin} size={22} /><span>{content.name ?? `${content.latitude}, ${content.longitude}`}<small>{content.address}</small></span></Away>}
        {content.type === "card" && content.image && <Away url={content.image} class="media image"><Icon d={glyph.image} size={22} /><small>{content.image}</small></Away>}
        {content.type === "template" && <p class="template-name"><b>{content.name}</b> <small>approved template, {content.language}</small></p>}
        {content.type === "template" && <p>{(Array.isArray(content.parameters) ? content.parameters : Object.values(content.parameters ?? {})).join(" · ")}</p>}
        {(content.cards ?? []).map((card: any) => (content.type === "contacts" ? <ContactCard card={card} /> : <TemplateCard card={card} />))}
        {content.type === "reaction" && <p>{content.emoji ? `${content.emoji} on your message` : "Took the sign off your message"}</p>}
        {content.type === "native" && <pre>{JSON.stringify(content.body, null, 1)}</pre>}
        {(content.title || content.text || content.caption) && <p>{content.title ?? content.text ?? content.caption}</p>}
        {content.subtitle && <small>{content.subtitle}</small>}
        {shown === "numbers" && <p class="numbers">{options.map((option, place) => `${place + 1}. ${option.label}`).join("\n")}</p>}
        {content.footer && <small class="footer">{content.footer}</small>}
        {note}
      </div>
      {asList && <button type="button" class="option opener" aria-expanded={open} onClick={() => setOpen(!open)}>☰ {content.button ?? "Choose"}</button>}
      {asList && open && <ListSheet content={content} choose={say && ((option) => { setOpen(false); choose(option); })} />}
      {shown === "buttons" && options.length > 0 && (
        <div class={`options ${content.type}`} data-live={live}>
          {options.map((option) => <button type="button" class="option" disabled={!say} dir="auto" onClick={() => choose(option)}>{option.label}</button>)}
        </div>
      )}
      {(content.links ?? []).map((link: any) => <Away url={link.url} class="option link-out">{link.label} ↗</Away>)}
      {content.type === "products" && <Goods content={content} say={say} />}
      {content.type === "form" && <FormView content={content} say={say} />}
      {content.type === "location_request" && <button type="button" class="option" disabled={!say} onClick={() => say?.({ location: { latitude: 52.52, longitude: 13.405 } })}>📍 Send a place</button>}
    </>
  );
}

/** What leads out of the talk, in a window of its own; only what an address book or the web opens. */
function Away({ url, children, class: extra }: { url: string | undefined; children: any; class: string }) {
  if (!url || !/^(https?|tel|mailto):/i.test(url)) return <span class={extra}>{children}</span>;
  return <a class={extra} href={url} target="_blank" rel="noopener noreferrer" title={url}>{children}</a>;
}

/** Returns the form that a channel gives to choices below a plain text, as in docs/channels.md. */
function shownAs(content: any, channel: string): "list" | "buttons" | "numbers" {
  const options = content.options ?? [];
  if (content.type !== "text" || !options.length) return content.type === "list" ? "list" : "buttons";
  if (["sms", "email"].includes(channel)) return "numbers";
  return channel === "whatsapp" && options.length > 3 ? "list" : "buttons";
}

function Report({ line, contact }: { line: any; contact: string }) {
  const [open, setOpen] = useState(false);
  return (
    <span class="report">
      <button type="button" class="report-mark" aria-label="Say what became of this message" aria-expanded={open} onClick={() => setOpen(!open)}>{line.delivery === "taken" ? "✓" : "!"}</button>
      {open && (
        <span class="report-menu">
          {["delivered", "read", "failed", "window_closed"].map((report) => (
            <button type="button" onClick={() => { setOpen(false); store.doTalk({ do: "report", message: line.id, report }); }}>{report.replace("_", " ")}</button>
          ))}
          {line.delivery !== "taken" && <button type="button" onClick={() => { setOpen(false); store.doTalk({ do: "send_again", message: line.id, contact }); }}>send again</button>}
        </span>
      )}
    </span>
  );
}

function Header({ header }: { header: any }) {
  if (!header) return null;
  if (header.text) return <b class="header">{header.text}</b>;
  return header.media ? <MediaView media={header.media} /> : null;
}

function MediaView({ media }: { media: any }) {
  return <Away url={media.url} class={`media ${media.media}`}><Icon d={media.media === "image" || media.media === "sticker" ? glyph.image : glyph.clip} size={22} /><small>{media.filename ?? media.url}</small></Away>;
}

function ContactCard({ card }: { card: any }) {
  const reached = [...(card.phones ?? []), ...(card.emails ?? []), ...(card.urls ?? [])];
  return (
    <div class="place">
      <Icon d={glyph.person} size={22} />
      <span>
        {card.name}
        <small>{[card.title, card.company].filter(Boolean).join(", ")}</small>
        <small>{reached.join(" · ")}</small>
      </span>
    </div>
  );
}

function TemplateCard({ card }: { card: any }) {
  return (
    <div class="leaf">
      <Header header={card.header} />
      <small>{Object.values(card.parameters ?? {}).join(" · ")}</small>
    </div>
  );
}

/** Goods of a catalogue; a press orders one of them. The page knows no catalogue, so that a whole one has one article. */
function Goods({ content, say }: { content: any; say: ((message: object) => void) | null }) {
  const whole = { title: "The catalogue", items: ["article-1"] };
  const sections: any[] = content.product ? [{ items: [content.product] }] : content.sections?.length ? content.sections : [whole];
  const order = (id: string) => say?.({ order: { catalog_id: content.catalog ?? "catalogue", items: [{ id, quantity: 1 }] } });
  return (
    <div class="list-sheet" role="group" aria-label="Goods">
      {sections.map((section) => (
        <>
          {section.title && <b>{section.title}</b>}
          {section.items.map((id: string) => <button type="button" class="list-row" disabled={!say} onClick={() => order(id)}>{id}<small>Order one</small></button>)}
        </>
      ))}
    </div>
  );
}

function ListSheet({ content, choose }: { content: any; choose: ((option: any) => void) | null }) {
  let at = 0;
  return (
    <div class="list-sheet" role="group" aria-label={content.button ?? "Choose"}>
      {(content.sections ?? [[null, content.options.length]]).map(([title, rows]: [string | null, number]) => {
        const options = content.options.slice(at, (at += rows));
        return (
          <>
            {title && <b>{title}</b>}
            {options.map((option: any) => <button type="button" class="list-row" dir="auto" disabled={!choose} onClick={() => choose?.(option)}>{option.label}{option.description && <small>{option.description}</small>}</button>)}
          </>
        );
      })}
    </div>
  );
}

function FormView({ content, say }: { content: any; say: ((message: object) => void) | null }) {
  const [open, setOpen] = useState(false);
  const [answers, setAnswers] = useState(JSON.stringify(content.data ?? { name: "Ada", day: "2026-05-07" }, null, 1));
  return (
    <>
      <button type="button" class="option" aria-expanded={open} onClick={() => setOpen(!open)}>📝 {content.button}</button>
      {open && (
        <div class="list-sheet" data-own-keys>
          <textarea class="code" aria-label="Answers to the form, as JSON" rows={4} value={answers} onInput={(event) => setAnswers(event.currentTarget.value)} />
          <Button tone="primary" class="small" disabled={!say} onClick={() => store.attempt(() => { say?.({ form: store.readJson(answers, "The answer to the form"), token: content.token }); setOpen(false); })}>Send the form</Button>
        </div>
      )}
    </>
  );
}

function Tray({ say }: { say: (message: object) => void }) {
  return (
    <div class="tray" role="group" aria-label="Something else than text">
      <Button icon={glyph.image} onClick={() => say({ media: { url: "https://shop.example/photo.jpg", mime: "image/jpeg" } })}>Photo</Button>
      <Button icon={glyph.pin} onClick={() => say({ location: { latitude: 52.52, longitude: 13.405, name: "Berlin" } })}>Place</Button>
      <Button icon={glyph.clip} onClick={() => say({ media: { url: "https://shop.example/invoice.pdf", mime: "application/pdf" } })}>Document</Button>
      <Button icon={glyph.talk} onClick={() => say({ media: { url: "https://shop.example/voice.ogg", mime: "audio/ogg" } })}>Voice</Button>
      <Button icon={glyph.copy} onClick={() => say({ contacts: [{ name: "Ben", phone: "+447700900123" }] })}>Contact card</Button>
    </div>
  );
}

const ANSWERS: Record<string, unknown> = {
  http_request: { status: 200, headers: {}, body: { ok: true } },
  llm: "Thank you for asking: it is on its way.",
  classify: "order",
  recognize_language: "en",
};

function CallCard({ call }: { call: any }) {
  const node = model.nodeOf(store.get().doc!, call.node);
  const usual = call.request.kind === "classify" ? call.request.classes?.[0]?.id : ANSWERS[call.request.kind] ?? { status: "packed" };
  const [text, setText] = useState(JSON.stringify(usual, null, 1));
  const [always, setAlways] = useState(false);
  const rules = use((state) => state.rules);
  const answer = (result: object) => {
    if (always) store.setRules({ ...rules, [call.node]: result });
    store.doTalk({ do: "answer", call: call.id, result });
  };
  return (
    <div class="call-card" data-own-keys role="group" aria-label={`Call of ${call.name}`}>
      <h4><Icon d="M8 16c1.500 0 2-1 2.300-3l1-6c.3-2 .8-3 2.200-3M7.500 9h6" size={16} /> You are the host: {call.name}</h4>
      <pre tabIndex={0}>{JSON.stringify(call.request, null, 1)}</pre>
      <label class="field"><span class="label">Answer, as JSON</span>
        <textarea class="code" rows={Math.min(6, text.split("\n").length)} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <label class="check"><input type="checkbox" checked={always} onChange={(event) => setAlways(event.currentTarget.checked)} /> Answer so from now on</label>
      <div class="actions">
        <Button tone="primary" class="small" onClick={() => store.attempt(() => answer({ value: { value: store.readJson(text, "The answer") } }))}>Answer</Button>
        {(Array.isArray(node?.branches) ? node!.branches : []).map((branch: any) => typeof branch === "string" && (
          <Button class="small" onClick={() => store.attempt(() => answer({ value: { value: store.readJson(text, "The answer"), branch } }))}>by “{branch}”</Button>
        ))}
        <Button class="small" tone="bad" onClick={() => answer({ failed: { reason: "the host is down" } })}>Fail</Button>
      </div>
    </div>
  );
}

function HandBack({ contact }: { contact: string }) {
  const [vars, setVars] = useState("{}");
  return (
    <div class="call-card" data-own-keys role="group" aria-label="Handed over to a person">
      <h4><Icon d={glyph.talk} size={16} /> You are the agent</h4>
      <label class="field"><span class="label">What you found out, as JSON</span><textarea class="code" rows={2} value={vars} onInput={(event) => setVars(event.currentTarget.value)} /></label>
      <Button tone="primary" class="small" onClick={() => store.attempt(() => store.doTalk({ do: "back", contact, vars: store.readJson(vars || "{}", "What you found out") }))}>Give back</Button>
    </div>
  );
}

function Inside({ talk, shown }: { talk: any; shown: any }) {
  const rules = use((state) => state.rules);
  const session = shown.session;
  const steps = (shown.journal ?? []).flatMap((entry: any) => (entry.steps ?? []).map((step: any) => ({ ...step, at: entry.at })));
  return (
    <div class="talk inside">
      <details open>
        <summary>Why it went there <small>{steps.length || ""}</small></summary>
        {steps.length ? (
          <ol class="journal">
            {steps.map((step: any) => (
              <li>
                <button type="button" class="link" onClick={() => store.set({ selected: [step.node], panel: "configure" })}>{nodeName(step.node)}</button>
                {step.branch && <span class="chip">{step.branch}</span>}
                {step.why && <small>{step.why}</small>}
              </li>
            ))}
          </ol>
        ) : <p class="hint">The journal fills as the session moves.</p>}
      </details>
      <details>
        <summary>Variables <small>{session ? Object.keys({ ...session.context, ...session.vars }).length : ""}</small></summary>
        {session ? <Values values={{ vars: session.vars, context: session.context }} /> : <p class="hint">A session has variables once it runs.</p>}
      </details>
      <details>
        <summary>Channel <small>{talk.delivery === "taken" ? "" : talk.delivery.replace("_", " ")}</small></summary>
        <label class="field"><span class="label">The channel</span>
          <select value={talk.delivery} onChange={(event) => store.doTalk({ do: "delivery", mode: event.currentTarget.value })}>
            <option value="taken">takes messages</option>
            <option value="retried">does not answer: messages are tried again</option>
            <option value="rejected">refuses messages</option>
            <option value="window_closed">has its messaging window closed</option>
          </select>
        </label>
        <p class="label">Outbox</p>
        {shown.outbox.length ? <ul class="plain">{shown.outbox.map((unsent: any) => <li>{unsent.message.content.text ?? unsent.message.content.type}</li>)}</ul> : <p class="hint">Nothing waits to be sent.</p>}
        <p class="label">Dead letters</p>
        {shown.dead.length ? <ul class="plain">{shown.dead.map((letter: any) => <li>{letter.message?.content?.text ?? "a message"} <small>{JSON.stringify(letter.reason)}</small></li>)}</ul> : <p class="hint">None.</p>}
      </details>
      <details>
        <summary>Rules of the host <small>{Object.keys(rules).length || ""}</small></summary>
        {Object.entries(rules).map(([node, result]) => (
          <div class="pair"><code>{node}</code><small>{JSON.stringify(result).slice(0, 80)}</small>
            <Button icon={glyph.close} class="tiny quiet" label={`Forget the rule of ${node}`} onClick={() => { const { [node]: _, ...rest } = rules; store.setRules(rest); }} />
          </div>
        ))}
        {!Object.keys(rules).length && <p class="hint">Calls are answered by hand. Tick “Answer so from now on” to make a rule.</p>}
      </details>
      <details>
        <summary>Record <small>{shown.script.length || ""}</small></summary>
        <p class="hint">Keeps this talk as a .talk file, to be played again after each edit.</p>
        {shown.lost && <p class="field-issue warning">This talk cannot be recorded: {shown.lost}.</p>}
        <RecordButton />
      </details>
      {talk.manual && <details><summary>Context of the trigger</summary><Context /></details>}
    </div>
  );
}

export function RecordButton() {
  return <Button icon={glyph.record} tone="soft" onClick={() => store.record()}>Record this talk</Button>;
}

function Values({ values }: { values: Record<string, any> }) {
  const rows = Object.entries(values).flatMap(([root, bag]) => Object.entries(bag ?? {}).map(([key, value]) => [`${root}.${key}`, value] as const));
  if (!rows.length) return <p class="hint">None yet.</p>;
  return <dl class="values">{rows.map(([name, value]) => <><dt>{name}</dt><dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd></>)}</dl>;
}
