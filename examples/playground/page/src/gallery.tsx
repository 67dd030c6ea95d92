// Where one begins: templates as pictures, and the flows that are kept.

import { useRef } from "preact/hooks";
import { Button, Icon, glyph } from "./icons";
import * as store from "./store";
import { use } from "./store";
import type { FlowSummary } from "./backend";
import { Failure } from "./engine";
import { download } from "./share";

const CHANNELS: Record<string, string> = { whatsapp: "WhatsApp", instagram: "Instagram", messenger: "Messenger", viber: "Viber", sms: "SMS", web: "Web chat" };

export function Gallery() {
  const templates = use((state) => state.templates);
  const flows = use((state) => state.flows);
  const file = useRef<HTMLInputElement>(null);
  return (
    <main class="gallery">
      <section class="hero">
        <h1>Draw a conversation. Then talk to it.</h1>
        <p>{store.backend.isService
          ? "The flows of a running service: edit drafts, publish them, and watch what their sessions do."
          : "The engine that runs in production runs in this page, too: no server, no account. Move its clock, play its host, read its journal."}</p>
        <div class="actions">
          <Button tone="primary" icon={glyph.plus} onClick={() => store.set({ dialog: { kind: "blank" } })}>New flow</Button>
          <Button icon={glyph.up} onClick={() => file.current?.click()}>Import JSON</Button>
          <Button icon={kindStar} onClick={() => store.set({ dialog: { kind: "draft" } })}>From a description</Button>
          <input ref={file} type="file" accept=".json,application/json" hidden aria-label="A flow file" onChange={async (event) => {
            const chosen = event.currentTarget.files?.[0];
            event.currentTarget.value = "";
            if (chosen) await store.attempt(async () => store.set({ dialog: { kind: "import", ...textIn(await chosen.arrayBuffer()), name: chosen.name.replace(/(\.flow)?\.json$/, "") } }));
          }} />
        </div>
      </section>

      <section aria-labelledby="own">
        <h2 id="own">Your flows</h2>
        {flows.length ? (
          <div class="table" role="list">{flows.map((flow) => <FlowRow key={flow.flow} flow={flow} />)}</div>
        ) : (
          <div class="empty wide">
            <span class="empty-art"><Icon d={glyph.library} size={30} /></span>
            <p>Nothing here yet. Take a template below: it is yours to change, and stays in this browser.</p>
          </div>
        )}
      </section>

      <Unread />

      <section aria-labelledby="templates">
        <h2 id="templates">Templates</h2>
        <div class="cards">
          {templates.map((template) => (
            <button type="button" class="card" onClick={() => store.set({ dialog: { kind: "template", template: template.code, name: template.name } })}>
              <span class="picture" aria-hidden="true" dangerouslySetInnerHTML={{ __html: template.picture ?? "" }} />
              <span class="card-text">
                <b>{template.name}</b>
                <span>{template.description}</span>
                <span class="chip">{template.manual ? "Started by call" : "Started by a message"}</span>
              </span>
            </button>
          ))}
        </div>
      </section>
    </main>
  );
}

/** The text of a file. A byte order mark at its beginning is no part of it. */
function textIn(bytes: ArrayBuffer): { text: string; wasMarked: boolean } {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const wasMarked = text.startsWith("\uFEFF");
    return { text: wasMarked ? text.slice(1) : text, wasMarked };
  } catch {
    throw new Failure("bad_encoding", "The file is not UTF-8. Save it with that encoding, then import it again");
  }
}

/** Flows that this release cannot read: they are kept, and can be downloaded. */
function Unread() {
  const unread = store.backend.unread?.() ?? [];
  if (!unread.length) return null;
  return (
    <section aria-labelledby="unread">
      <h2 id="unread">Cannot be read</h2>
      <p>They stay in this browser as they are.</p>
      <ul class="plain">
        {unread.map(({ code, text }) => (
          <li><code>{code}</code> <Button class="small" icon={glyph.down} label={`Download ${code}`} onClick={() => download(`${code}.kept.json`, text)} /></li>
        ))}
      </ul>
    </section>
  );
}

const kindStar = "M10 3l1.600 4.400L16 9l-4.400 1.600L10 15l-1.600-4.400L4 9l4.400-1.600z";

function FlowRow({ flow }: { flow: FlowSummary }) {
  const published = flow.state === "published";
  const act = (work: () => Promise<unknown>, done: string) => store.attempt(async () => {
    await work();
    await store.refresh();
    store.say(done, "good");
  });
  return (
    <div class="table-row" role="listitem">
      <button type="button" class="table-name" onClick={() => store.attempt(() => store.open(flow.flow))}>
        <b dir="auto">{flow.name}</b>
        <small dir="auto">{flow.remark || flow.flow}</small>
      </button>
      <span class="chip">{flow.trigger?.kind === "inbound" ? CHANNELS[flow.trigger.channel] ?? flow.trigger.channel : "Manual"}</span>
      <span class={`pill ${flow.state}`}>{published ? `Published · v${flow.online}` : "Unpublished"}{published && flow.changed ? " · draft" : ""}</span>
      <span class="row-actions">
        <Button class="small" icon={glyph.gear} onClick={() => store.set({ dialog: { kind: "settings", flow } })}>Settings</Button>
        {published ? (
          <Button class="small" onClick={() => act(() => store.backend.unpublish(flow.flow), `${flow.name} is unpublished`)}>Unpublish</Button>
        ) : (
          <Button class="small" onClick={() => act(() => store.backend.publish(flow.flow, flow.revision), `${flow.name} is published`)}>Publish</Button>
        )}
        <Button class="small" icon={glyph.talk} label={`Test ${flow.name}`} onClick={() => store.attempt(() => store.open(flow.flow))} />
        <Button class="small" icon={glyph.down} label={`Export ${flow.name}`} onClick={() => store.attempt(async () => download(`${flow.flow}.json`, (await store.backend.read(flow.flow)).json))} />
        <Button class="small" tone="bad" icon={glyph.trash} label={`Delete ${flow.name}`} disabled={published} title={published ? "Only unpublished flows can be deleted" : undefined} onClick={() => store.set({ dialog: { kind: "delete", flow } })} />
      </span>
    </div>
  );
}
