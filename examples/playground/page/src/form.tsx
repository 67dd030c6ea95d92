// The chosen node, field by field, with the nodes that its branches lead to.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Button, Icon, glyph } from "./icons";
import { Field, More, NodeSelect, freshOf, merged, useEmptied } from "./fields";
import { KINDS, kindInfo } from "./kinds";
import * as model from "./model";
import * as store from "./store";
import { use } from "./store";
import { IssueList } from "./issues";
import { ContentView, channelName } from "./talk";

/** Fields that have a place of their own, or that an editor keeps. */
const APART = new Set(["id", "kind", "name", "ui"]);

/** The fields that people reach for first. */
const FIRST = ["text", "expect", "choices", "buttons", "options", "list", "quick_replies", "media", "template", "card", "save_to", "timeout", "retries", "error_text"];

export function Configure() {
  const doc = use((state) => state.doc)!;
  const selected = use((state) => state.selected);
  const edge = use((state) => state.edge);
  if (selected.length === 1) {
    const node = model.nodeOf(doc, selected[0]);
    if (node) return <NodeForm key={node.id} node={node} />;
  }
  if (selected.length > 1) {
    return (
      <div class="empty">
        <h2>{selected.length} nodes</h2>
        <p>Move them together, copy them, or delete them.</p>
        <div class="actions">
          <Button icon={glyph.copy} onClick={() => store.copy() && store.paste()}>Duplicate</Button>
          <Button icon={glyph.trash} tone="bad" onClick={store.removeSelected}>Delete</Button>
        </div>
      </div>
    );
  }
  if (edge) return <WayForm id={edge} />;
  return (
    <div class="empty">
      <span class="empty-art"><Icon d={glyph.sliders} size={30} /></span>
      <h2>Choose a node</h2>
      <p>Its fields are here, with what each of them means. Or press <b>+</b> on a line to put a component there.</p>
      <label class="field">
        <span class="label">Nodes of this flow</span>
        <select value="" onChange={(event) => store.set({ selected: [event.currentTarget.value] })}>
          <option value="">Choose…</option>
          {model.nodesOf(doc).map((node) => <option value={node.id}>{model.titleOf(node)}</option>)}
        </select>
      </label>
    </div>
  );
}

function WayForm({ id }: { id: string }) {
  const doc = use((state) => state.doc)!;
  const [from, branch] = JSON.parse(id);
  const node = model.nodeOf(doc, from);
  if (!node) return null;
  return (
    <div class="form">
      <h2>Way by “{branch}” from {model.titleOf(node)}</h2>
      <div class="field"><label class="label" for="way-to">Leads to</label>
        <NodeSelect id="way-to" value={model.targetOf(doc, from, branch, store.portsOf(node))} onChange={(to) => store.connect(from, branch, to ?? null)} />
      </div>
      <div class="actions">
        <Button icon={glyph.plus} onClick={(event: any) => store.set({ adding: { at: { from, branch }, x: event.clientX, y: event.clientY } })}>Add a component here</Button>
        <Button icon={glyph.trash} tone="bad" onClick={() => store.removeEdge(id)}>Remove</Button>
      </div>
    </div>
  );
}

function NodeForm({ node }: { node: model.NodeDoc }) {
  const schema = use((state) => state.schema);
  const doc = use((state) => state.doc)!;
  const checked = use((state) => state.checked);
  const emptied = useEmptied();
  const info = kindInfo(node.kind);
  const place = doc.nodes.indexOf(node);
  const { properties, required } = merged(schema.$defs?.[node.kind] ?? {});
  const keys = Object.keys(properties).filter((key) => !APART.has(key));
  const unknown = Object.keys(node).filter((key) => !APART.has(key) && !(key in properties));
  const order = (key: string) => (required.includes(key) ? -20 : 0) + (FIRST.includes(key) ? FIRST.indexOf(key) - 15 : 0);
  const shown = keys.filter((key) => required.includes(key) || key in node || emptied.has(key) || (key === "text" && keys.includes("text") && !node.media && !node.template && !node.card && !node.location && !node.native)).sort((one, other) => order(one) - order(other));
  const rest = keys.filter((key) => !shown.includes(key)).sort((one, other) => order(one) - order(other));
  const ports = store.portsOf(node);
  const { branches } = ports;
  const edit = (key: string, value: unknown, merge?: string) => {
    emptied.note(key, value);
    store.editNode(node.id, (node) => model.put(node, [key], value), merge);
  };
  const remove = (key: string) => {
    edit(key, undefined);
    emptied.forget(key);
  };
  const own = checked.issues.filter((issue) => issue.node === node.id);

  return (
    <div class="form" data-kind={node.kind}>
      <header class={`form-head ${info.group}`}>
        <span class="tile big"><Icon d={info.icon} size={22} /></span>
        <div>
          <input class="title-input" aria-label="Title of the node" dir="auto" value={model.textOf(node.name)} placeholder={node.id} onInput={(event) => edit("name", event.currentTarget.value || undefined, `${node.id}.name`)} />
          <p>{schema.$defs?.[node.kind]?.description?.split("\n")[0] ?? info.does}</p>
        </div>
      </header>
      <div class="two">
        <IdInput node={node} />
        <div class="field">
          <label class="label" for="node-kind">Kind</label>
          <select id="node-kind" value={node.kind} disabled={node.kind === "start"} onChange={(event) => {
            const kind = event.currentTarget.value;
            store.editNode(node.id, (node) => ({ id: node.id, kind, ...(node.name ? { name: node.name } : {}), ...kindInfo(kind).fresh(), ...("text" in kindInfo(kind).fresh() && node.text ? { text: node.text } : {}), ...(node.ui ? { ui: node.ui } : {}) }));
          }}>
            {!KINDS.some((known) => known.kind === node.kind) && <option value={node.kind}>{node.kind}</option>}
            {KINDS.filter((known) => known.kind !== "start" || node.kind === "start").map((known) => <option value={known.kind}>{known.title}</option>)}
          </select>
        </div>
      </div>
      {own.length > 0 && <IssueList issues={own} short />}
      {shown.map((key) => (
        <Field key={key} name={key} schema={properties[key]} value={node[key]} path={["nodes", place, key]} required={required.includes(key)}
          onChange={(value, merge) => edit(key, value, merge)}
          onRemove={required.includes(key) || (key === "text" && !("text" in node)) ? undefined : () => remove(key)} />
      ))}
      {["send_message", "ask"].includes(node.kind) && <OnChannel node={node} />}
      {unknown.map((key) => (
        <Field key={key} name={key} schema={true} value={node[key]} path={["nodes", place, key]} onChange={(value, merge) => edit(key, value, merge)} onRemove={() => remove(key)} />
      ))}
      <More keys={rest} properties={properties} onAdd={(key) => edit(key, freshOf(properties[key]))} />

      {branches.length > 0 && (
        <section class="ways" aria-label="Where its branches lead">
          <h3>Then</h3>
          {branches.map((branch) => (
            <div class="way-row">
              <label for={`to-${branch}`}><span class="chip">{branch}</span></label>
              <NodeSelect id={`to-${branch}`} label={`${branch} leads to`} value={model.targetOf(doc, node.id, branch, ports)} onChange={(to) => store.connect(node.id, branch, to ?? null)} />
              <Button icon={glyph.plus} class="tiny" label={`Add a component after ${branch}`} onClick={(event: any) => {
                const box = event.currentTarget.getBoundingClientRect();
                store.set({ adding: { at: { from: node.id, branch }, x: box.left, y: box.bottom } });
              }} />
            </div>
          ))}
        </section>
      )}
      {node.kind !== "start" && (
        <div class="actions">
          <Button icon={glyph.copy} onClick={() => { store.copy(); store.paste(); }}>Duplicate</Button>
          <Button icon={glyph.trash} tone="bad" onClick={store.removeSelected}>Delete</Button>
        </div>
      )}
    </div>
  );
}

/** The node's messages as they will look on the channel. */
function OnChannel({ node }: { node: model.NodeDoc }) {
  const doc = use((state) => state.doc)!;
  const context = use((state) => state.context);
  const own = store.ownChannel(doc);
  const chosen = use((state) => state.talkChannel);
  const channel = chosen ?? own;
  const shown = useMemo(() => store.previewOf({ node: model.plainNode(node), channel }), [node, context, channel]);
  if (!shown?.contents.length) return null;
  return (
    <section class={`on-channel phone ${channel}`} aria-label="As the contact sees it">
      <h3>On {channelName(channel)}</h3>
      <div class="messages">{shown.contents.filter((content) => content.type !== "typing").map((content) => <div class="sent"><ContentView content={content} channel={channel} live={false} say={null} /></div>)}</div>
    </section>
  );
}

function IdInput({ node }: { node: model.NodeDoc }) {
  const [id, setId] = useState(node.id);
  useEffect(() => setId(node.id), [node.id]);
  const doc = use((state) => state.doc)!;
  const taken = id !== node.id && model.nodeOf(doc, id) !== undefined;
  const commit = () => {
    if (!id || taken) return setId(node.id);
    if (id === node.id) return;
    store.edit((doc) => model.renamed(doc, node.id, id));
    store.set({ selected: [id] });
  };
  return (
    <div class="field">
      <label class="label" for="node-id">Id</label>
      <input id="node-id" type="text" data-own-keys spellcheck={false} class="code" value={id} onInput={(event) => setId(event.currentTarget.value)}
        onBlur={commit} onKeyDown={(event) => event.key === "Enter" && commit()} />
      {taken && <p class="field-issue error">Another node has this id.</p>}
    </div>
  );
}

/** The flow itself: its settings, its trigger. */
export function FlowForm() {
  const schema = use((state) => state.schema);
  const doc = use((state) => state.doc)!;
  const [raw, setRaw] = useState(false);
  const top = (key: string) => schema.properties?.[key] ?? true;
  const edit = (key: string, value: unknown, merge?: string) => store.edit((doc) => model.put(doc, [key], value), merge);
  const { properties } = merged(schema.$defs?.Settings ?? {});
  const settings = model.fieldsOf(doc.settings);
  const emptied = useEmptied();
  const shown = Object.keys(properties).filter((key) => key in settings || emptied.has(key) || key === "session_ttl_minutes" || key === "sender");
  const set = (key: string, value: unknown, merge?: string) => {
    emptied.note(key, value);
    store.edit((doc) => {
      const next = model.put(model.fieldsOf(doc.settings), [key], value);
      return Object.keys(next).length ? { ...doc, settings: next } : model.put(doc, ["settings"], undefined);
    }, merge);
  };
  const remove = (key: string) => {
    set(key, undefined);
    emptied.forget(key);
  };
  if (raw) return <RawForm onDone={() => setRaw(false)} />;
  const begins = model.fieldsOf(doc.trigger);
  const trigger = merged(schema.$defs?.[begins.kind] ?? {});
  const isOdd = (key: string) => doc[key] !== undefined && !model.isObject(doc[key]);
  return (
    <div class="form">
      <h2>This flow</h2>
      <Field name="name" schema={top("name")} value={doc.name} path={["name"]} onChange={(value, merge) => edit("name", value || undefined, merge)} />
      <Field name="remark" schema={top("remark")} value={doc.remark} path={["remark"]} onChange={(value, merge) => edit("remark", value || undefined, merge)} />
      <h3>What starts it</h3>
      <div class="field">
        <label class="label" for="trigger-kind">Trigger</label>
        <select id="trigger-kind" value={begins.kind ?? ""} onChange={(event) => edit("trigger", event.currentTarget.value === "manual" ? { kind: "manual" } : { kind: "inbound", channel: "whatsapp", rules: [{ match: "any" }] })}>
          <option value="manual">By call, or by a campaign</option>
          <option value="inbound">A message</option>
        </select>
      </div>
      {isOdd("trigger") && <Field name="trigger" schema={true} value={doc.trigger} path={["trigger"]} onChange={(value, merge) => edit("trigger", value, merge)} />}
      {Object.keys(trigger.properties).filter((key) => key !== "kind" && (trigger.required.includes(key) || key in begins)).map((key) => (
        <Field key={key} name={key} schema={trigger.properties[key]} value={begins[key]} path={["trigger", key]} required={trigger.required.includes(key)}
          onChange={(value, merge) => edit("trigger", model.put(doc.trigger, [key], value), merge)}
          onRemove={trigger.required.includes(key) ? undefined : () => edit("trigger", model.put(doc.trigger, [key], undefined))} />
      ))}
      <More keys={Object.keys(trigger.properties).filter((key) => key !== "kind" && !trigger.required.includes(key) && !(key in begins))} properties={trigger.properties} onAdd={(key) => edit("trigger", { ...doc.trigger, [key]: freshOf(trigger.properties[key]) })} />
      <h3>How its sessions live</h3>
      {isOdd("settings") && <Field name="settings" schema={true} value={doc.settings} path={["settings"]} onChange={(value, merge) => edit("settings", value, merge)} onRemove={() => edit("settings", undefined)} />}
      {shown.map((key) => (
        <Field key={key} name={key} schema={properties[key]} value={settings[key]} path={["settings", key]} onChange={(value, merge) => set(key, value, merge)} onRemove={key in settings || emptied.has(key) ? () => remove(key) : undefined} />
      ))}
      <More keys={Object.keys(properties).filter((key) => !shown.includes(key))} properties={properties} onAdd={(key) => set(key, freshOf(properties[key]))} />
      <div class="actions"><Button icon={glyph.code} onClick={() => setRaw(true)}>Edit as JSON</Button></div>
    </div>
  );
}

export function RawForm({ onDone }: { onDone?: () => void }) {
  const [text, setText] = useState(model.write(store.get().doc!));
  const [wrong, setWrong] = useState("");
  return (
    <div class="form">
      <h2>The flow as JSON</h2>
      <textarea class="code raw" data-own-keys aria-label="The flow as JSON" spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      {wrong && <p class="field-issue error">{wrong}</p>}
      <div class="actions">
        <Button tone="primary" onClick={() => {
          try {
            const doc = model.read(text);
            store.edit(() => doc);
            onDone?.();
          } catch (error) {
            setWrong(store.told(error));
          }
        }}>Take it over</Button>
        {onDone && <Button onClick={onDone}>Back</Button>}
      </div>
    </div>
  );
}
