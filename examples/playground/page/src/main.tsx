// The page: the gallery, or the canvas with what is around it.

import { Component, render, type ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import "@xyflow/react/dist/base.css";
import "./style.css";
import { start } from "./engine";
import { CanvasView } from "./canvas";
import { Configure, FlowForm, RawForm } from "./form";
import { Dialogs, Picker, SAVED } from "./dialogs";
import { Gallery } from "./gallery";
import { Heat, Live, Records, Versions } from "./panels";
import { Issues, useIssueCount } from "./issues";
import { Talk } from "./talk";
import { Button, Icon, glyph } from "./icons";
import { GROUPS, KINDS } from "./kinds";
import * as model from "./model";
import * as store from "./store";
import { use, type Panel } from "./store";
import { download } from "./share";

function Theme() {
  const theme = use((state) => state.theme);
  return <Button class="quiet" icon={theme === "dark" ? glyph.sun : glyph.moon} label={theme === "dark" ? "Light colours" : "Dark colours"} onClick={() => store.theme(theme === "dark" ? "light" : "dark")} />;
}

const Mark = () => <svg class="mark-logo" width="26" height="26" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="9" fill="var(--accent)" /><path d="M9 9h14a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2h-6l-5 5v-5H9a2 2 0 0 1-2-2v-6a2 2 0 0 1 2-2z" fill="#fff" /></svg>;

function TopBar() {
  const route = use((state) => state.route);
  const summary = use((state) => state.summary);
  const doc = use((state) => state.doc);
  const past = use((state) => state.past);
  const future = use((state) => state.future);
  const saved = use((state) => state.saved);
  if (route === "gallery" || !doc || !summary) {
    return (
      <header class="top">
        <span class="brand"><Mark /> chatflow <small>playground</small></span>
        <span class="spring" />
        <Theme />
      </header>
    );
  }
  const published = summary.state === "published";
  return (
    <header class="top">
      <Button icon={glyph.back} class="quiet" label="All flows" onClick={store.leave} />
      <input class="flow-name" aria-label="Name of the flow" dir="auto" value={model.textOf(doc.name ?? doc.code)} onInput={(event) => store.edit((doc) => ({ ...doc, name: event.currentTarget.value }), "name")} />
      <span class={`pill ${summary.state}`}>{published ? `Published · v${summary.online}` : "Unpublished"}</span>
      <span class="saved" role="status">{SAVED[saved]}</span>
      <span class="spring" />
      <span class="top-group">
        <Button icon={glyph.undo} class="quiet" label="Undo" disabled={!past.length} onClick={store.undo} />
        <Button icon={glyph.redo} class="quiet" label="Redo" disabled={!future.length} onClick={store.redo} />
      </span>
      <span class="top-group wide-only">
        <Button icon={glyph.gear} class="quiet" label="Settings" onClick={() => store.set({ dialog: { kind: "settings", flow: summary } })} />
        <Button icon={glyph.share} class="quiet" label="Share by link" onClick={() => store.set({ dialog: { kind: "share" } })} />
        <Button icon={glyph.down} class="quiet" label="Export JSON" onClick={() => download(`${doc.code}.json`, model.write(doc))} />
        <Theme />
      </span>
      <Button class="wide-only" onClick={() => store.attempt(async () => { await store.save(); store.say("Saved", "good"); })}>Save</Button>
      <Button icon={glyph.more} class="quiet narrow-only" label="More of this flow" onClick={() => store.set({ dialog: { kind: "more" } })} />
      <Button tone="primary" onClick={() => store.publish()}><span class="long">Save and publish</span><span class="short">Publish</span></Button>
    </header>
  );
}

function Library() {
  return (
    <nav class="library" aria-label="Component library">
      {GROUPS.map(({ group, title }) => (
        <section aria-label={title}>
          <h2>{title}</h2>
          {KINDS.filter((info) => info.group === group && info.kind !== "start").map((info) => (
            <button type="button" class={`item ${group}`} draggable title={info.does}
              onDragStart={(event) => { event.dataTransfer?.setData("application/x-chatflow", info.kind); event.dataTransfer!.effectAllowed = "copy"; }}
              onClick={() => {
                const { selected, edge, doc } = store.get();
                const at = edge ? wayOf(edge) : selected.length === 1 ? afterNode(selected[0]) : afterNode(lastNode(doc!));
                store.addNode(info.kind, at);
                store.set({ sheet: "canvas" });
              }}>
              <span class="tile"><Icon d={info.icon} size={16} /></span><span>{info.title}</span>
            </button>
          ))}
        </section>
      ))}
    </nav>
  );
}

const wayOf = (edge: string) => {
  const [from, branch] = JSON.parse(edge);
  return { from, branch };
};

function afterNode(id: string | undefined) {
  const node = id && model.nodeOf(store.get().doc!, id);
  const branch = node && store.branchesOf(node)[0];
  return node && branch ? { from: node.id, branch } : null;
}

/** The last step before an end on the way that begins at the start. */
function lastNode(doc: model.Doc): string | undefined {
  let at = model.nodesOf(doc).find((node) => node.kind === "start")?.id;
  const seen = new Set<string>();
  while (at && !seen.has(at)) {
    seen.add(at);
    const node = model.nodeOf(doc, at)!;
    const ports = store.portsOf(node);
    const next: string | undefined = ports.branches.map((branch) => model.targetOf(doc, at!, branch, ports)).find(Boolean);
    if (!next || model.nodeOf(doc, next)?.kind === "end" || !model.nodeOf(doc, next)) return at;
    at = next;
  }
  return at;
}

const Badge = ({ count, isWarning }: { count?: number; isWarning: boolean }) => (count ? <b class={`badge ${isWarning ? "warn" : ""}`}>{count}</b> : null);

function Side() {
  const panel = use((state) => state.panel);
  const { count, errors } = useIssueCount();
  const records = use((state) => state.records);
  const red = records.filter((record) => record.result && !record.result.ok).length;
  const tabs: [Panel, string, string, number?][] = [
    ["talk", "Talk", glyph.talk], ["configure", "Configure", glyph.sliders], ["issues", "Issues", glyph.warn, count],
    ["records", "Recorded", glyph.record, red], ["heat", "Heat map", glyph.flame], ["flow", "Flow", glyph.gear], ["versions", "Versions", glyph.versions],
    ...(store.backend.isService ? ([["live", "Live", glyph.live]] as [Panel, string, string][]) : []),
  ];
  return (
    <aside class="side" aria-label="Panel">
      <div class="tabs main-tabs" role="tablist" aria-label="Panels">
        {tabs.map(([word, title, icon, badge]) => (
          <button type="button" role="tab" id={`tab-${word}`} aria-selected={panel === word} aria-controls="panel" title={title} onClick={() => store.set({ panel: word })}>
            <Icon d={icon} size={18} /><span>{title}</span>{" "}
            <Badge count={badge} isWarning={word === "issues" && !errors} />
          </button>
        ))}
      </div>
      <div class="panel" id="panel" role="tabpanel" aria-labelledby={`tab-${panel}`} tabIndex={-1}>
        {{ talk: <Talk />, configure: <Configure />, issues: <Issues />, records: <Records />, heat: <Heat />, flow: <FlowForm />, versions: <Versions />, live: <Live /> }[panel]}
      </div>
    </aside>
  );
}

function Sheets() {
  const sheet = use((state) => state.sheet);
  const panel = use((state) => state.panel);
  const { count, errors } = useIssueCount();
  const go = (sheet: store.Sheet, panel?: Panel) => store.set({ sheet, ...(panel ? { panel } : {}) });
  const items: [string, string, boolean, () => void][] = [
    ["Flow", glyph.tidy, sheet === "canvas", () => go("canvas")],
    ["Add", glyph.plus, sheet === "library", () => go("library")],
    ["Configure", glyph.sliders, sheet === "panel" && panel === "configure", () => go("panel", "configure")],
    ["Talk", glyph.talk, sheet === "panel" && panel === "talk", () => go("panel", "talk")],
    ["Issues", glyph.warn, sheet === "panel" && panel === "issues", () => go("panel", "issues")],
  ];
  return <nav class="sheets" aria-label="Parts of the page">{items.map(([title, icon, on, act]) => <button type="button" aria-current={on ? "page" : undefined} onClick={act}><Icon d={icon} size={20} /><span>{title}</span>{title === "Issues" && <Badge count={count} isWarning={!errors} />}</button>)}</nav>;
}

/** What is around the canvas when something of a flow cannot be drawn: the flow can still be repaired. */
class Shelter extends Component<{ doc: model.Doc | null; children: ComponentChildren }, { broken: model.Doc | null }> {
  state = { broken: null };
  componentDidCatch(error: unknown) {
    console.error(error);
    this.setState({ broken: this.props.doc });
  }
  render() {
    const { doc, children } = this.props;
    if (!doc || this.state.broken !== doc) return children;
    return (
      <main class="shelter">
        <p class="field-issue error" role="alert">This flow cannot be drawn. Repair it here, or undo.</p>
        <RawForm key={store.get().past.length} />
        <ul class="plain">{store.get().checked.issues.map((issue) => <li><code>{issue.path}</code> {issue.message}. {issue.fix}</li>)}</ul>
      </main>
    );
  }
}

function Editor() {
  const sheet = use((state) => state.sheet);
  const doc = use((state) => state.doc);
  return (
    <Shelter doc={doc}>
      <main class="editor" data-sheet={sheet}>
        <Library />
        <CanvasView />
        <Side />
        <Sheets />
      </main>
    </Shelter>
  );
}

/** The letter of a key: where the layout has others, such as Greek ones, the one that is printed there on a Latin keyboard. */
const letterOf = (event: KeyboardEvent): string =>
  /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.key.length === 1 ? /^Key([A-Z])$/.exec(event.code)?.[1].toLowerCase() ?? "" : "";

/** True where a key deletes what is chosen on the canvas: not on a button or a tab that has the focus. */
const isOnCanvas = (target: HTMLElement): boolean => target === document.body || Boolean(target.closest(".canvas") && !target.closest("button"));

function onKey(event: KeyboardEvent) {
  const { route, dialog, adding } = store.get();
  if (route !== "editor" || dialog || adding) return;
  // With Alt a key is a letter of its own on many layouts, or the browser's.
  if (event.altKey || event.getModifierState("AltGraph")) return;
  const target = event.target as HTMLElement;
  const isTyping = target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
  // A field whose text is not the flow's has an undo of its own.
  const isOwn = isTyping && target.closest("[data-own-keys]") !== null;
  const isDone = event.ctrlKey || event.metaKey ? withControl(event, isTyping, isOwn) : !isTyping && alone(event, target);
  if (isDone) event.preventDefault();
}

/** Does what a key does with Ctrl or Cmd; true if it did something. */
function withControl(event: KeyboardEvent, isTyping: boolean, isOwn: boolean): boolean {
  const letter = letterOf(event);
  if (letter === "s") return void store.attempt(async () => { await store.save(); store.say("Saved", "good"); }), true;
  if (isOwn) return false;
  if (event.key === "Enter") return void store.publish(), true;
  if (letter === "z") return event.shiftKey ? store.redo() : store.undo(), true;
  if (letter === "y") return store.redo(), true;
  if (isTyping) return false;
  // Marked text is what is copied.
  if (letter === "c") return getSelection()?.isCollapsed !== false && store.copy();
  if (letter === "v") return store.paste(), true;
  return false;
}

const PANELS: { [letter: string]: Panel } = { t: "talk", c: "configure", i: "issues" };

/** Does what a key does by itself; true if nothing else shall come of it. */
function alone(event: KeyboardEvent, target: HTMLElement): boolean {
  const { selected, edge, doc } = store.get();
  const letter = letterOf(event);
  if (event.key === "Delete" || event.key === "Backspace") return isOnCanvas(target) && (store.removeSelected(), true);
  if (event.key === "Escape") return store.set({ selected: [], edge: null }), false;
  if (letter === "a") {
    const box = document.querySelector<HTMLElement>(".box[data-selected=true]")?.getBoundingClientRect();
    const at = edge ? wayOf(edge) : afterNode(selected[0] ?? lastNode(doc!));
    return store.set({ adding: { at, x: box?.left ?? innerWidth / 2 - 150, y: box?.bottom ?? 120 } }), true;
  }
  if (PANELS[letter]) return store.set({ panel: PANELS[letter], sheet: "panel" }), false;
  if (event.key === "?") return store.set({ dialog: { kind: "keys" } }), false;
  return false;
}

function Page() {
  const ready = use((state) => state.ready);
  const route = use((state) => state.route);
  const toast = use((state) => state.toast);
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  if (!ready) return <p class="boot" role="status">Starting the engine…</p>;
  return (
    <>
      <TopBar />
      {route === "gallery" ? <Gallery /> : <Editor />}
      <Picker />
      <Dialogs />
      <div class="toasts" role="status" aria-live="polite">{toast && <p class={`toast ${toast.tone}`} key={toast.key}>{toast.text}</p>}</div>
    </>
  );
}

const root = document.getElementById("app")!;
start()
  .then(async (texts) => {
    root.textContent = "";
    render(<Page />, root);
    await store.boot(texts);
  })
  .catch((error) => {
    root.innerHTML = '<p class="boot">The engine did not start.</p>';
    root.firstElementChild!.textContent += ` ${error}`;
    console.error(error);
  });
