// Windows above the page: to create, to import, to settle, to delete.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { engine, guide } from "./engine";
import { Button, Icon, glyph } from "./icons";
import { GROUPS, KINDS } from "./kinds";
import * as model from "./model";
import { merged } from "./fields";
import * as store from "./store";
import { use } from "./store";
import { download, encode } from "./share";
import type { Creation } from "./backend";

export function Dialogs() {
  const dialog = use((state) => state.dialog);
  if (!dialog) return null;
  switch (dialog.kind) {
    case "blank": return <Create title="New flow" what={{}} triggers />;
    case "template": return <Create title={`From “${dialog.name}”`} what={{ template: dialog.template, json: store.get().templates.find(({ code }) => code === dialog.template)?.json }} name={dialog.name} />;
    case "import": return <Import text={dialog.text} name={dialog.name} shared={dialog.shared} wasMarked={dialog.wasMarked} />;
    case "draft": return <DraftDialog />;
    case "settings": return <Settings flow={dialog.flow} />;
    case "delete": return <Delete flow={dialog.flow} />;
    case "share": return <Share />;
    case "more": return <More />;
    case "keys": return <Keys />;
    case "token": return <Token />;
    case "conflict": return <Conflict />;
    default: return null;
  }
}

const close = () => store.set({ dialog: null });

function Dialog({ title, children, wide }: { title: string; children: ComponentChildren; wide?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  // Before the page is painted: a key that is pressed at once belongs to the dialog.
  useLayoutEffect(() => {
    box.current?.showModal();
  }, []);
  return (
    <dialog ref={box} class={wide ? "wide" : ""} aria-labelledby="dialog-title" onCancel={close} onClose={close} onClick={(event) => event.target === box.current && close()}>
      <header><h2 id="dialog-title">{title}</h2><Button icon={glyph.close} class="quiet" label="Close" onClick={close} /></header>
      {children}
    </dialog>
  );
}

/** Somebody else saved the draft meanwhile: both are kept, one on the canvas and one behind undo. */
function Conflict() {
  const { doc, code } = store.get();
  const [theirs, setTheirs] = useState<model.Doc | null>(null);
  useEffect(() => { store.attempt(async () => setTheirs(model.read((await store.backend.read(code)).json))); }, []);
  const changed = theirs && doc ? model.differences(doc, theirs) : [];
  return (
    <Dialog title="Somebody else saved this flow">
      <p>While you edited, another version of the draft was saved. Nothing is lost: the one that you do not take is behind <b>Undo</b>.</p>
      {changed.length > 0 && <ul class="plain changes">{changed.map((line) => <li>{line}</li>)}</ul>}
      <footer class="actions">
        <Button icon={glyph.down} onClick={() => download(`${code}.mine.json`, model.write(store.get().doc!), "application/json")}>Download mine</Button>
        <Button onClick={() => store.attempt(() => store.settle("theirs"))}>Take theirs</Button>
        <Button tone="primary" onClick={() => store.attempt(() => store.settle("mine"))}>Keep mine</Button>
      </footer>
    </Dialog>
  );
}

/** Latin letters that are no others with a mark. */
const LATIN: Record<string, string> = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", ł: "l", þ: "th", ı: "i" };

/** A code for a flow of this name: Latin letters without their marks, those of other scripts as they are. */
const codeOf = (name: string) => {
  const plain = name.normalize("NFKD").toLowerCase().replaceAll(/(\p{Script=Latin})\p{M}+/gu, "$1").replaceAll(/[ßæœøđðłþı]/g, (letter) => LATIN[letter]);
  const joined = plain.normalize("NFC").replaceAll(/[^\p{L}\p{N}\p{M}]+/gu, "-").replaceAll(/^-|-$/g, "");
  const stem = [...joined].slice(0, 60).join("") || "flow";
  const taken = new Set([...store.get().flows.map((flow) => flow.flow), ...(store.backend.unread?.() ?? []).map(({ code }) => code)]);
  if (!taken.has(stem)) return stem;
  for (let number = 2; ; number++) if (!taken.has(`${stem}-${number}`)) return `${stem}-${number}`;
};

async function create(what: Creation) {
  const made = await store.backend.create(what);
  if (what.name && what.as !== "written") {
    // The text says the name, too: a draft that is saved later would take it back.
    const { json, flow } = await store.backend.read(made.flow);
    const doc = model.read(json);
    if (doc.name !== what.name) await store.backend.save(made.flow, model.write({ ...doc, name: what.name }), flow.revision);
  }
  await store.refresh();
  close();
  await store.open(made.flow);
}

const TRIGGERS = [
  { word: "manual", title: "Manual", when: "By an API call or a campaign" },
  { word: "whatsapp", title: "WhatsApp", when: "By a WhatsApp message" },
  { word: "instagram", title: "Instagram", when: "By an Instagram message" },
  { word: "viber", title: "Viber", when: "By a Viber message" },
  { word: "messenger", title: "Messenger", when: "By a Messenger message" },
];

function Create({ title, what, name: begun = "", triggers }: { title: string; what: Partial<Creation>; name?: string; triggers?: boolean }) {
  const [name, setName] = useState(begun);
  const [remark, setRemark] = useState("");
  const [trigger, setTrigger] = useState("manual");
  const [wrong, setWrong] = useState("");
  return (
    <Dialog title={title}>
      <form onSubmit={async (event) => {
        event.preventDefault();
        if (!name.trim()) return setWrong("Give the flow a name.");
        try {
          await create({ ...what, code: codeOf(name), name: name.trim(), remark: remark.trim() || undefined, ...(triggers ? { trigger } : {}) });
        } catch (error) {
          setWrong(store.told(error));
        }
      }}>
        {triggers && (
          <fieldset class="triggers">
            <legend class="label">What starts it</legend>
            {TRIGGERS.map(({ word, title, when }) => (
              <label class="choice">
                <input type="radio" name="trigger" value={word} checked={trigger === word} onChange={() => setTrigger(word)} />
                <span><b>{title}</b><small>{when}</small></span>
              </label>
            ))}
          </fieldset>
        )}
        <label class="field"><span class="label">Flow name</span><input type="text" dir="auto" autofocus value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
        <label class="field"><span class="label">Remark</span><input type="text" dir="auto" value={remark} placeholder="Whom it is for" onInput={(event) => setRemark(event.currentTarget.value)} /></label>
        {wrong && <p class="field-issue error" role="alert">{wrong}</p>}
        <div class="actions"><Button tone="primary" type="submit">Create</Button><Button onClick={close}>Cancel</Button></div>
      </form>
    </Dialog>
  );
}

function Import({ text, name: begun, shared, wasMarked }: { text: string; name: string; shared?: boolean; wasMarked?: boolean }) {
  let read: model.Doc | null = null;
  let wrong = "";
  try {
    read = model.read(text);
  } catch (error) {
    wrong = store.told(error);
  }
  const code = typeof read?.code === "string" ? read.code : "";
  const taken = store.get().flows.some((flow) => flow.flow === code);
  const [copy, setCopy] = useState(taken);
  const [name, setName] = useState(typeof read?.name === "string" ? read.name : begun);
  const [remark, setRemark] = useState("");
  const [failed, setFailed] = useState(wrong);
  const issues = read ? engine.check(text).issues.filter((issue) => issue.severity === "error").length : 0;
  return (
    <Dialog title={shared ? "Somebody shared a flow" : "Import a flow"}>
      {read ? (
        <form onSubmit={async (event) => {
          event.preventDefault();
          try {
            await create(copy ? { code: codeOf(name || code || begun), json: text, name: name || undefined, remark: remark || undefined } : { code, json: text, as: "written" });
          } catch (error) {
            setFailed(store.told(error));
          }
        }}>
          <p><b dir="auto">{model.textOf(read.name ?? read.code)}</b>: {read.nodes.length} nodes{issues ? `, ${issues} ${issues === 1 ? "error" : "errors"} to repair` : ", nothing wrong"}.</p>
          <label class="choice"><input type="radio" name="as" checked={!copy} disabled={!code || taken} onChange={() => setCopy(false)} /><span><b>As it is</b><small>{taken ? `You have a flow with the code ${code}` : wasMarked ? "A copy under its own code, without the byte order mark that the file begins with" : "An identical copy, under its own code"}</small></span></label>
          <label class="choice"><input type="radio" name="as" checked={copy} onChange={() => setCopy(true)} /><span><b>Under another name</b><small>The same flow, with a code of its own</small></span></label>
          {copy && <label class="field"><span class="label">Flow name</span><input type="text" dir="auto" value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>}
          {copy && <label class="field"><span class="label">Remark</span><input type="text" dir="auto" value={remark} onInput={(event) => setRemark(event.currentTarget.value)} /></label>}
          {failed && <p class="field-issue error" role="alert">{failed}</p>}
          <div class="actions"><Button tone="primary" type="submit">Import</Button><Button onClick={close}>Cancel</Button></div>
        </form>
      ) : (
        <>
          <p class="field-issue error" role="alert">That is not a flow: {failed}</p>
          <div class="actions"><Button onClick={close}>Close</Button></div>
        </>
      )}
    </Dialog>
  );
}

/** A flow from a description: any model writes it, and the page judges what it wrote. */
function DraftDialog() {
  const [requirement, setRequirement] = useState("");
  const [prompt, setPrompt] = useState("");
  const [answer, setAnswer] = useState("");
  const [wrong, setWrong] = useState("");
  const [able, setAble] = useState(false);
  const [rounds, setRounds] = useState<any[]>([]);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    store.backend.drafts?.().then(setAble, () => setAble(false));
  }, []);
  const ask = () => store.attempt(async () => setPrompt((await guide()) + engine.draft({ requirement }).prompt));
  const have = async () => {
    const told: [string, any][] = [];
    setRounds([]);
    setWrong("");
    setBusy(true);
    try {
      await store.backend.draft!(requirement, (event, what) => {
        told.push([event, what]);
        if (event === "round") setRounds((rounds) => [...rounds, what]);
      });
    } finally {
      setBusy(false);
    }
    const [event, what] = told.at(-1) ?? ["failed", { error: "The service said nothing." }];
    if (event === "flow") {
      const name = what.definition.name ?? requirement.slice(0, 40);
      return create({ code: codeOf(name), json: JSON.stringify(what.definition, null, 2), name });
    }
    setWrong(event === "failed" ? what.error : "The model wrote no flow that runs. Say more, or less, of what it is to do.");
  };
  const judge = async () => {
    const judged = engine.draft({ requirement, answer });
    if (judged.flow) {
      const name = model.read(judged.flow).name ?? requirement.slice(0, 40);
      return create({ code: codeOf(name), json: judged.flow, name });
    }
    if (judged.prompt) setPrompt(judged.prompt);
    setAnswer("");
    setWrong("The answer is not a flow that runs yet. Give the model the text above: it says what is wrong.");
  };
  return (
    <Dialog title="From a description" wide>
      <label class="field"><span class="label">What the flow is to do, in your words</span>
        <textarea rows={3} autofocus value={requirement} placeholder="Remind people who left a cart, and offer the checkout or an agent." onInput={(event) => setRequirement(event.currentTarget.value)} />
      </label>
      <div class="actions">
        {able && <Button tone="primary" disabled={busy || !requirement.trim()} onClick={() => store.attempt(have)}>Have it drafted</Button>}
        <Button tone={prompt || able ? "" : "primary"} disabled={busy || !requirement.trim()} onClick={ask}>Write the prompt</Button>
      </div>
      {(busy || rounds.length > 0) && (
        <ol class="plain rounds" role="status" aria-label="Rounds of the draft">
          {rounds.map((round) => <li><b>Round {round.round} of {round.of}</b> <small>{round.issues.length === 1 ? "one thing" : `${round.issues.length} things`} to fix: {round.issues[0]}</small></li>)}
          {busy && <li class="hint">The model writes …</li>}
        </ol>
      )}
      {!prompt && wrong && <p class="field-issue error" role="alert">{wrong}</p>}
      {prompt && (
        <>
          <label class="field"><span class="label">Give this to a model of yours</span><textarea class="code" readOnly rows={6} value={prompt} /></label>
          <div class="actions"><Button icon={glyph.copy} onClick={() => navigator.clipboard?.writeText(prompt).then(() => store.say("Copied"))}>Copy</Button></div>
          <label class="field"><span class="label">What it answered</span><textarea class="code" rows={6} value={answer} onInput={(event) => setAnswer(event.currentTarget.value)} /></label>
          {wrong && <p class="field-issue error" role="alert">{wrong}</p>}
          <div class="actions"><Button tone="primary" disabled={!answer.trim()} onClick={() => store.attempt(judge)}>Load it to the canvas</Button></div>
        </>
      )}
    </Dialog>
  );
}

function Settings({ flow }: { flow: any }) {
  const [tab, setTab] = useState("basic");
  const [name, setName] = useState(flow.name);
  const [remark, setRemark] = useState(flow.remark ?? "");
  const [logging, setLogging] = useState(flow.logging);
  const inbound = flow.trigger?.kind === "inbound";
  const published = flow.state === "published";
  const bound = flow.accounts[0]?.account ?? "";
  const named = flow.account_names?.find((named: any) => named.account.account === bound)?.name ?? "";
  const [account, setAccount] = useState(bound);
  const [accountName, setAccountName] = useState(named);
  const [wrong, setWrong] = useState("");
  const tabs = [["basic", "Basic information"], ...(inbound ? [["account", "Bind account"]] : []), ["log", "Log"]];
  const keep = async () => {
    const what = {
      ...(name !== flow.name ? { name } : {}),
      ...(remark !== (flow.remark ?? "") ? { remark } : {}),
      ...(logging !== flow.logging ? { logging } : {}),
      ...(inbound && account !== bound ? { accounts: account ? [{ channel: flow.trigger.channel, account }] : [] } : {}),
      ...(inbound && account && (accountName !== named || account !== bound) ? { account_names: [{ account: { channel: flow.trigger.channel, account }, name: accountName.trim() }] } : {}),
    };
    try {
      if (Object.keys(what).length) await store.change(flow.flow, what);
      await store.rename(flow.flow, { ...(name !== flow.name ? { name } : {}), ...(remark !== (flow.remark ?? "") ? { remark } : {}) });
      close();
      store.say("Settings kept", "good");
    } catch (error) {
      setWrong(store.told(error));
    }
  };
  return (
    <Dialog title={`Settings of ${flow.name}`}>
      <div class="tabs" role="tablist">{tabs.map(([word, title]) => <button type="button" role="tab" aria-selected={tab === word} onClick={() => setTab(word)}>{title}</button>)}</div>
      {tab === "basic" && <>
        <label class="field"><span class="label">Flow name</span><input type="text" dir="auto" value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
        <label class="field"><span class="label">Remark</span><input type="text" dir="auto" value={remark} onInput={(event) => setRemark(event.currentTarget.value)} /></label>
        <p class="hint">Code <code>{flow.flow}</code>: what callers know it by.</p>
      </>}
      {tab === "account" && <>
        <label class="field"><span class="label">Account on {flow.trigger.channel}</span><input type="text" value={account} disabled={published} placeholder="+15550100" onInput={(event) => setAccount(event.currentTarget.value)} /></label>
        <label class="field"><span class="label">Account name</span><input type="text" value={accountName} disabled={!account} placeholder="Shop Berlin" onInput={(event) => setAccountName(event.currentTarget.value)} /></label>
        <p class="hint">{store.isPhone(flow.trigger?.channel) ? "The account is a mobile number" : "The account is the id of a page or a profile"}; its name is what people know it by.</p>
        {published && <p class="hint">A published flow cannot be bound to another account. Unpublish it first.</p>}
      </>}
      {tab === "log" && <>
        <label class="switch"><input type="checkbox" role="switch" checked={logging} onChange={(event) => setLogging(event.currentTarget.checked)} /><span /><em>Log what its sessions do</em></label>
        <p class="hint">The journal says which way each session took, and why.</p>
      </>}
      {wrong && <p class="field-issue error" role="alert">{wrong}</p>}
      <div class="actions"><Button tone="primary" onClick={keep}>OK</Button><Button onClick={close}>Cancel</Button></div>
    </Dialog>
  );
}

function Delete({ flow }: { flow: any }) {
  return (
    <Dialog title={`Delete ${flow.name}?`}>
      <p>A deleted flow cannot be recovered.</p>
      <div class="actions">
        <Button tone="bad solid" onClick={() => store.attempt(async () => { await store.remove(flow.flow); close(); store.say(`${flow.name} is deleted`); })}>Delete</Button>
        <Button onClick={close}>Cancel</Button>
      </div>
    </Dialog>
  );
}

export const SAVED = { saved: "Saved", saving: "Saving…", unsaved: "Edited", failed: "Not saved" };

/** What the head of the page has no room for on a narrow screen. */
function More() {
  const { doc, summary } = store.get();
  const saved = use((state) => state.saved);
  if (!doc || !summary) return null;
  const published = summary.state === "published";
  return (
    <Dialog title={doc.name ?? doc.code}>
      <p><span class={`pill ${summary.state}`}>{published ? `Published · v${summary.online}` : "Unpublished"}</span> <span role="status">{SAVED[saved]}</span></p>
      <div class="actions stacked">
        <Button onClick={() => store.attempt(async () => { await store.save(); close(); store.say("Saved", "good"); })}>Save</Button>
        <Button icon={glyph.gear} onClick={() => store.set({ dialog: { kind: "settings", flow: summary } })}>Settings</Button>
        <Button icon={glyph.share} onClick={() => store.set({ dialog: { kind: "share" } })}>Share by link</Button>
        <Button icon={glyph.down} onClick={() => download(`${doc.code}.json`, model.write(doc))}>Export JSON</Button>
        <Button icon={glyph.sun} onClick={() => store.theme(store.get().theme === "dark" ? "light" : "dark")}>Light or dark</Button>
      </div>
    </Dialog>
  );
}

/** The fields of a flow that hold secrets, by what the schema says of them. */
function secretsOf(doc: model.Doc): { node: model.NodeDoc; field: string; title: string }[] {
  const { schema } = store.get();
  return model.nodesOf(doc).flatMap((node) => {
    const { properties } = merged(schema.$defs?.[node.kind] ?? {});
    const secret = (field: string) => properties[field]?.["x-secret"] && node[field] !== undefined && Object.values(node[field] ?? {}).some(Boolean);
    return Object.keys(properties).filter(secret).map((field) => ({ node, field, title: properties[field].title ?? field }));
  });
}

/** The flow with its secrets left blank. */
const withoutSecrets = (doc: model.Doc, secrets: ReturnType<typeof secretsOf>): model.Doc =>
  secrets.reduce((doc, { node, field }) => model.withFields(doc, node.id, (node) => ({ ...node, [field]: model.isObject(node[field]) ? Object.fromEntries(Object.keys(node[field]).map((key) => [key, ""])) : "" })), doc);

function Share() {
  const [link, setLink] = useState("");
  const [blank, setBlank] = useState(true);
  const { doc } = store.get();
  const secrets = useMemo(() => (doc ? secretsOf(doc) : []), [doc]);
  useEffect(() => {
    if (!doc) return;
    const shared = secrets.length && blank ? withoutSecrets(doc, secrets) : doc;
    encode(model.write(shared)).then((code) => setLink(`${location.origin}${location.pathname}#share=${code}`));
  }, [blank]);
  return (
    <Dialog title="Share by link">
      <p>The whole flow is in the link, behind the #: no server sees it.</p>
      {secrets.length > 0 && (
        <div class="field-issue warning" role="note">
          <p>Secrets may be in it: {secrets.map(({ node, title }) => `${title} of “${model.titleOf(node)}”`).join(", ")}. Everybody who has the link can read them.</p>
          <label class="check"><input type="checkbox" checked={blank} onChange={(event) => setBlank(event.currentTarget.checked)} /> Leave their values out</label>
        </div>
      )}
      <label class="field"><span class="label">Link, {link.length.toLocaleString("en")} characters</span><textarea class="code" readOnly rows={4} value={link} onFocus={(event) => event.currentTarget.select()} /></label>
      <div class="actions"><Button tone="primary" icon={glyph.copy} onClick={() => store.attempt(async () => { await navigator.clipboard.writeText(link); store.say("Link copied", "good"); })}>Copy</Button></div>
    </Dialog>
  );
}

function Token() {
  const [token, setToken] = useState("");
  return (
    <Dialog title="The service asks for a token">
      <form onSubmit={async (event) => {
        event.preventDefault();
        (store.backend as any).token = token;
        close();
        await store.attempt(store.refresh);
      }}>
        <label class="field"><span class="label">Access token</span><input type="password" autofocus value={token} onInput={(event) => setToken(event.currentTarget.value)} /></label>
        <div class="actions"><Button tone="primary" type="submit">Continue</Button></div>
      </form>
    </Dialog>
  );
}

const KEYS = [["A", "Add a component"], ["Delete", "Delete what is chosen"], ["Ctrl Z / Ctrl Shift Z", "Undo, redo"], ["Ctrl C / Ctrl V", "Copy, paste"], ["Ctrl S", "Save"], ["Ctrl Enter", "Save and publish"], ["T / C / I", "Talk, configure, issues"], ["Tab, Enter", "Go to a node, choose it"], ["Arrow keys", "Move the chosen node"], ["?", "This list"]];

function Keys() {
  return (
    <Dialog title="Keys">
      <dl class="keys">{KEYS.map(([keys, does]) => <><dt>{keys.split(" / ").map((key) => <kbd>{key}</kbd>)}</dt><dd>{does}</dd></>)}</dl>
    </Dialog>
  );
}

/** The components, to be put at a way. */
export function Picker() {
  const adding = use((state) => state.adding);
  const box = useRef<HTMLDivElement>(null);
  const [word, setWord] = useState("");
  // Before the page is painted: what is typed at once is searched for, and is not a key of the canvas.
  useLayoutEffect(() => {
    setWord("");
    box.current?.querySelector("input")?.focus();
  }, [adding]);
  if (!adding) return null;
  const found = KINDS.filter((info) => info.kind !== "start" && `${info.title} ${info.kind} ${info.does}`.toLowerCase().includes(word.toLowerCase()));
  const left = Math.max(8, Math.min(adding.x - 20, innerWidth - 316));
  const top = Math.max(8, Math.min(adding.y + 8, innerHeight - 430));
  return (
    <div class="picker-ground" onClick={() => store.set({ adding: null })}>
      <div ref={box} class="picker" role="dialog" aria-label="Add a component" style={{ left, top }} onClick={(event) => event.stopPropagation()}
        onKeyDown={(event) => {
          if (event.key === "Escape") store.set({ adding: null });
          if (!box.current) return;
          const items = [...box.current.querySelectorAll<HTMLElement>("input, button.item")];
          const at = items.indexOf(document.activeElement as HTMLElement);
          if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            items[(at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length]?.focus();
          }
        }}>
        <input type="search" aria-label="Search components" placeholder="Search components" value={word} onInput={(event) => setWord(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && found[0] && (event.preventDefault(), store.addNode(found[0].kind, adding.at, adding.place))} />
        <div class="picker-list">
          {GROUPS.map(({ group, title }) => {
            const own = found.filter((info) => info.group === group);
            return own.length > 0 && (
              <div role="group" aria-label={title}>
                <h3>{title}</h3>
                {own.map((info) => (
                  <button type="button" class={`item ${info.group}`} onClick={() => store.addNode(info.kind, adding.at, adding.place)}>
                    <span class="tile"><Icon d={info.icon} size={16} /></span><span><b>{info.title}</b><small>{info.does}</small></span>
                  </button>
                ))}
              </div>
            );
          })}
          {!found.length && <p class="hint">No component is called so.</p>}
        </div>
      </div>
    </div>
  );
}
