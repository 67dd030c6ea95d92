// The state of the page, and everything that changes it.

import { useSyncExternalStore } from "preact/compat";
import { engine, guide, Failure, type Checked, type Template, type Texts } from "./engine";
import { LocalBackend, type Backend, type FlowSummary } from "./backend";
import { ServiceBackend } from "./service";
import * as model from "./model";
import { decode } from "./share";
import { sampleContext } from "./samples";
import type { Doc, NodeDoc, EdgeDoc, Ports, Way } from "./model";

export type Panel = "configure" | "talk" | "issues" | "records" | "heat" | "flow" | "versions" | "live";
export type Sheet = "canvas" | "library" | "panel";

export interface Toast { text: string; tone: "good" | "bad" | "plain"; key: number }

export interface Record { name: string; talk: string; result?: any }

export interface State {
  ready: boolean;
  route: "gallery" | "editor";
  templates: Template[];
  flows: FlowSummary[];
  schema: any;
  filters: string[][];
  code: string;
  summary: FlowSummary | null;
  doc: Doc | null;
  past: Doc[];
  future: Doc[];
  checked: Checked;
  selected: string[];
  edge: string | null;
  panel: Panel;
  sheet: Sheet;
  saved: "saved" | "saving" | "unsaved" | "failed";
  /** Where a component is to be put; the picker is open. */
  adding: { at: Way | null; x: number; y: number; place?: { x: number; y: number } } | null;
  dialog: { kind: string; [field: string]: any } | null;
  toast: Toast | null;
  theme: "light" | "dark";
  talk: any;
  talkStale: boolean;
  talkError: string | null;
  /** The channel to try the flow out on; its own if null. */
  talkChannel: string | null;
  person: string;
  context: string;
  rules: { [name: string]: any };
  records: Record[];
  heat: any;
  fit: number;
}

const state: State = {
  ready: false, route: "gallery", templates: [], flows: [], schema: {}, filters: [], code: "", summary: null, doc: null,
  past: [], future: [], checked: { issues: [], runs: false }, selected: [], edge: null, panel: "talk",
  sheet: "canvas", saved: "saved", adding: null, dialog: null, toast: null,
  theme: document.documentElement.dataset.theme === "dark" ? "dark" : "light",
  talk: null, talkStale: false, talkError: null, talkChannel: null, person: "", context: "{}", rules: {}, records: [], heat: null, fit: 0,
};

let current = state;
const listeners = new Set<() => void>();

export const get = (): State => current;
export function set(change: Partial<State>) {
  current = { ...current, ...change };
  listeners.forEach((listener) => listener());
}
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const use = <T,>(select: (state: State) => T): T => useSyncExternalStore(subscribe, () => select(current));

export let backend: Backend;

let toasts = 0;
export function say(text: string, tone: Toast["tone"] = "plain") {
  const key = ++toasts;
  set({ toast: { text, tone, key } });
  setTimeout(() => current.toast?.key === key && set({ toast: null }), tone === "bad" ? 8000 : 3500);
}

export const told = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Reads JSON that somebody has typed. */
export function readJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure("bad_json", `${what} is not JSON${placeIn(text, told(error))}. Names and texts have double quotes around them`);
  }
}

/** Where reading JSON has ended, as browsers tell it. */
function placeIn(text: string, told: string): string {
  const position = /position (\d+)/.exec(told)?.[1];
  if (position === undefined) return "";
  const before = text.slice(0, Number(position)).split("\n");
  return before.length === 1 ? `, from character ${before[0].length + 1} on` : `, from line ${before.length} on`;
}

/** Runs what may fail, and says so. */
export async function attempt<T>(work: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure && error.status === 401 && backend?.isService) set({ dialog: { kind: "token" } });
    else say(told(error), "bad");
    if (!(error instanceof Failure)) console.warn(error);
    return undefined;
  }
}

export async function boot(texts: Texts) {
  const api = new URLSearchParams(location.search).get("api");
  backend = api == null ? new LocalBackend() : new ServiceBackend(api);
  set(texts);
  await attempt(refresh);
  set({ ready: true });
  // So that it is here when there is no network any more.
  guide().catch(() => {});
  if (location.hash) await follow();
  addEventListener("hashchange", follow);
  // What is being typed is saved before the page goes, or is put to sleep.
  const last = () => { if (current.route === "editor" && current.saved !== "saved") void attempt(save); };
  addEventListener("pagehide", last);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && last());
  backend.watch?.(() => attempt(meanwhile));
}

/** Another page has changed flows: shows them, unless there is something of ours to lose. */
async function meanwhile() {
  await refresh();
  const { route, summary, saved } = current;
  if (route !== "editor" || !summary) return;
  const now = current.flows.find((flow) => flow.flow === summary.flow);
  if (!now) return say(`${summary.name} was deleted in another window`, "bad");
  if (now.revision === summary.revision || saved !== "saved") return;
  const { json, flow } = await backend.read(summary.flow);
  const theirs = model.read(json);
  set({ summary: flow, doc: theirs, past: [...current.past.slice(-199), current.doc!], future: [], heat: null });
  keepSelection();
  ageTalk();
  recheck();
  replaySoon();
}

export const refresh = async () => set({ flows: await backend.list() });

/** Opens the flow that the address names: one of ours, or one that somebody shared. */
async function follow() {
  const hash = location.hash.slice(1);
  if (hash.startsWith("share=")) {
    const text = await attempt(() => decode(hash.slice("share=".length)));
    if (text) {
      const shared = await attempt(() => model.read(text));
      history.replaceState(null, "", location.pathname + location.search);
      if (shared) set({ dialog: { kind: "import", text, name: shared.name ?? shared.code, shared: true } });
    }
    return;
  }
  if (hash.startsWith("flow=")) {
    const code = decodeURIComponent(hash.slice("flow=".length));
    if (code !== current.code || current.route !== "editor") await attempt(() => open(code));
  } else {
    if (current.route === "editor") await flush();
    set({ route: "gallery", dialog: null, adding: null });
    await attempt(refresh);
  }
}

export const leave = () => {
  location.hash = "";
};

export async function open(code: string) {
  const { json, flow } = await backend.read(code);
  const doc = model.read(json);
  closeTalk();
  set({
    route: "editor", code, summary: flow, doc, past: [], future: [], selected: [], edge: null, saved: "saved", panel: "talk",
    sheet: "canvas", dialog: null, adding: null, heat: null, talkStale: false, fit: current.fit + 1, context: sampleContext(doc), records: shelvedRecords(code),
    rules: {}, talkChannel: null,
  });
  held.clear();
  location.hash = `flow=${encodeURIComponent(code)}`;
  recheck();
  replaySoon();
}

// ---- edits ----

let lastMerge = "";
let lastEdit = 0;

/** One edit: it can be undone; edits with one key that follow closely are one. */
export function edit(change: (doc: Doc) => Doc, merge = "") {
  const before = current.doc;
  if (!before) return;
  const doc = change(before);
  if (doc === before) return;
  const now = Date.now();
  const joins = merge !== "" && merge === lastMerge && now - lastEdit < 1500;
  (lastMerge = merge), (lastEdit = now);
  set({ doc, past: joins ? current.past : [...current.past.slice(-199), before], future: [], saved: "unsaved", heat: null });
  after();
}

export function undo() {
  held.clear();
  const before = current.past.at(-1);
  if (!before || !current.doc) return;
  lastMerge = "";
  set({ doc: before, past: current.past.slice(0, -1), future: [current.doc, ...current.future], saved: "unsaved" });
  keepSelection();
  after();
}

export function redo() {
  held.clear();
  const [next, ...future] = current.future;
  if (!next || !current.doc) return;
  lastMerge = "";
  set({ doc: next, past: [...current.past, current.doc], future, saved: "unsaved" });
  keepSelection();
  after();
}

const keepSelection = () => set({ selected: current.selected.filter((id) => model.nodeOf(current.doc!, id)) });

/** A flow with more nodes is checked when typing rests, and draws what is in sight. */
export const MANY_NODES = 80;

let checking = 0;
let saving = 0;
let replaying = 0;

function after() {
  ageTalk();
  checkSoon();
  replaySoon();
  clearTimeout(saving);
  saving = setTimeout(() => attempt(save), 600) as unknown as number;
}

function checkSoon() {
  cancelAnimationFrame(checking);
  clearTimeout(checking);
  const isLong = current.doc!.nodes.length > MANY_NODES;
  checking = isLong ? (setTimeout(recheck, 150) as unknown as number) : requestAnimationFrame(recheck);
}

/** What decided on the talk that runs. */
let talkOf = "";

/** A talk runs on the flow that it began with: it is old once an edit changes what may be said. */
function ageTalk() {
  if (current.talk) set({ talkStale: model.spoken(current.doc!) !== talkOf });
}

/** Plays the recorded talks again once typing rests. */
function replaySoon() {
  clearTimeout(replaying);
  if (current.records.length) replaying = setTimeout(replayAll, 400) as unknown as number;
}

export function recheck() {
  if (current.doc) set({ checked: engine.check(model.write(current.doc)) });
}

/** True if somebody else has saved the draft meanwhile. */
const isStale = (error: unknown) => error instanceof Failure && (error.status === 412 || error.code === "stale");

let inFlight: Promise<void> = Promise.resolve();

/** Saves the draft; saves go one after another, each on the revision of the one before. */
export function save(): Promise<void> {
  clearTimeout(saving);
  inFlight = inFlight.catch(() => {}).then(async () => {
    const { doc, summary, saved } = current;
    if (!doc || !summary || saved === "saved") return;
    set({ saved: "saving" });
    try {
      const next = await backend.save(summary.flow, model.write(doc), summary.revision);
      set({ summary: next, saved: current.doc === doc ? "saved" : "unsaved" });
    } catch (error) {
      set({ saved: "failed" });
      if (!isStale(error)) throw error;
      set({ dialog: { kind: "conflict" } });
    }
  });
  return inFlight;
}

/** Ends a conflict with a draft that somebody else saved: on top of it, or by it; undo brings the other back. */
export async function settle(keep: "mine" | "theirs") {
  const { summary, doc } = current;
  if (!summary || !doc) return;
  const { json, flow } = await backend.read(summary.flow);
  const theirs = model.read(json);
  set({ summary: flow, dialog: null });
  if (keep === "theirs") edit(() => theirs);
  else {
    // Theirs is one step behind mine, so that undo shows it.
    set({ past: [...current.past, theirs], future: [], saved: "unsaved" });
    recheck();
  }
  await save();
}

const flush = () => (current.saved === "saved" ? Promise.resolve() : attempt(save));

/** By node: no edit changes one. */
const ports = new WeakMap<NodeDoc, Ports | null>();

/** The branches of a node; one that cannot be read keeps those that its edges name. */
export function portsOf(node: NodeDoc): Ports {
  if (!ports.has(node)) ports.set(node, engine.ports(node));
  const known = ports.get(node);
  if (known) return known;
  const named = (current.doc ? model.edgesOf(current.doc) : []).filter((edge) => edge.from === node.id).map((edge) => edge.branch ?? "next");
  return { branches: [...new Set(named.length ? named : ["next"])], plain: "next" };
}
export const branchesOf = (node: NodeDoc): string[] => portsOf(node).branches;

/** Per node, the branches whose edges wait for a name of their own. */
const held = new Map<string, model.Held>();

/** Changes fields of a node; its edges follow their branches. */
export function editNode(id: string, change: (node: NodeDoc) => NodeDoc, merge = "") {
  edit((doc) => {
    const node = model.nodeOf(doc, id);
    if (!node) return doc;
    const next = change(node);
    const [before, after] = [engine.ports(node), engine.ports(next)];
    const changed = model.withFields(doc, id, () => next);
    if (!before || !after) return changed;
    if (!held.has(id)) held.set(id, new Map());
    return { ...changed, edges: model.rerouted(doc.edges, id, before, after, held.get(id)!, node.kind === next.kind) };
  }, merge);
}

export function addNode(kind: string, at: Way | null, place?: { x: number; y: number }) {
  const doc = current.doc;
  if (!doc) return;
  const node = model.freshNode(doc, kind);
  edit((doc) => model.withNode(doc, node, at, portsOf, place));
  recheck();
  set({ selected: [node.id], edge: null, panel: "configure", adding: null });
}

export function removeSelected() {
  const { selected, edge, doc } = current;
  if (!doc) return;
  const ids = selected.filter((id) => model.nodeOf(doc, id)?.kind !== "start");
  if (ids.length) {
    edit((doc) => model.withoutNodes(doc, ids));
    set({ selected: [] });
  } else if (edge != null) {
    removeEdge(edge);
  }
}

export function removeEdge(id: string) {
  const [from, branch] = JSON.parse(id);
  const node = model.nodeOf(current.doc!, from);
  edit((doc) => model.connected(doc, from, branch, null, node ? portsOf(node) : { branches: [], plain: null }));
  set({ edge: null });
}

export function connect(from: string, branch: string, to: string | null) {
  const node = model.nodeOf(current.doc!, from);
  if (node) edit((doc) => model.connected(doc, from, branch, to, portsOf(node)));
}

let clipboard: { nodes: NodeDoc[]; edges: EdgeDoc[] } | null = null;

export function copy(): boolean {
  const { doc, selected } = current;
  if (!doc || !selected.length) return false;
  clipboard = {
    nodes: model.nodesOf(doc).filter((node) => selected.includes(node.id)),
    edges: model.edgesOf(doc).filter((edge) => selected.includes(edge.from) && selected.includes(edge.to)),
  };
  say(`${selected.length === 1 ? "1 node" : `${selected.length} nodes`} copied`);
  return true;
}

export function paste() {
  if (!clipboard || !current.doc) return;
  const { doc, ids } = model.pasted(current.doc, clipboard.nodes, clipboard.edges);
  edit(() => doc);
  recheck();
  set({ selected: ids, edge: null });
}

// ---- publishing ----

export async function publish() {
  const isSaved = await attempt(async () => (await save(), current.saved === "saved"));
  // What is not saved is not what would go online: a draft of somebody else would.
  if (!isSaved || !current.summary) return;
  // The check after an edit waits for the next frame: judged is what is published.
  recheck();
  const errors = current.checked.issues.filter((issue) => issue.severity === "error" && issue.code !== "unbound_account");
  if (errors.length) {
    set({ panel: "issues", sheet: "panel" });
    say(`Not published: ${errors.length === 1 ? "1 error keeps" : `${errors.length} errors keep`} the flow from running`, "bad");
    return;
  }
  const { flow, revision } = current.summary;
  try {
    const done = await backend.publish(flow, revision);
    set({ summary: done });
    say(`Published as version ${done.online}`, "good");
  } catch (error) {
    if (isStale(error)) set({ dialog: { kind: "conflict" } });
    else await attempt(() => { throw error; });
  }
}

export async function change(code: string, what: Parameters<Backend["change"]>[1]) {
  const done = await backend.change(code, what);
  if (current.summary?.flow === code) set({ summary: done });
  await refresh();
  return done;
}

/** Writes a flow's name and remark into its draft, too: the text says them, and is exported. */
export async function rename(code: string, names: { name?: string; remark?: string }) {
  if (!Object.keys(names).length) return;
  const written = (doc: Doc): Doc => Object.entries(names).reduce((doc, [key, text]) => model.put(doc, [key], text || undefined), doc);
  if (current.route === "editor" && current.code === code) {
    edit(written);
    return save();
  }
  const { json, flow } = await backend.read(code);
  await backend.save(code, model.write(written(model.read(json))), flow.revision);
  await refresh();
}

// ---- talking ----

type Act = (request: unknown) => any;
let act: Act | null = null;

const PEOPLE = [
  { name: "Ada", phone: "+14155550123", id: "ada" },
  { name: "Ben", phone: "+447700900123", id: "ben" },
  { name: "Chidi", phone: "+2348031234567", id: "chidi" },
  { name: "Dora", phone: "+4915112345678", id: "dora" },
];
export const isPhone = (channel: string) => ["whatsapp", "sms", "viber"].includes(channel);
export const addressOf = (index: number, channel: string) => PEOPLE[index][isPhone(channel) ? "phone" : "id"];
export const people = (channel: string) => PEOPLE.map((person, index) => ({ name: person.name, address: addressOf(index, channel) }));

/** The drafts of the flows that this one calls, and of those that they call. */
async function others(): Promise<string[]> {
  const texts = new Map<string, string>();
  const calls = (doc: Doc): string[] => model.nodesOf(doc).filter((node) => node.kind === "call_flow" && typeof node.flow === "string").map((node) => node.flow);
  const open = current.doc ? calls(current.doc) : [];
  const known = new Set((open.length ? await backend.list() : []).map((flow) => flow.flow));
  for (let code = open.pop(); code !== undefined; code = open.pop()) {
    if (!known.has(code) || code === current.code || texts.has(code)) continue;
    const { json } = await backend.read(code);
    texts.set(code, json);
    open.push(...calls(model.read(json)));
  }
  return [...texts.values()];
}

export function closeTalk() {
  act = null;
  set({ talk: null, talkStale: false, talkError: null });
}

/** Begins a talk with the draft as it is. */
export async function openTalk(): Promise<boolean> {
  const { doc, talkChannel: channel } = current;
  if (!doc) return false;
  try {
    act = engine.talk({ flow: model.write(channel ? model.onChannel(doc, channel) : doc), others: await others(), now: Date.now(), channel });
    const talk = act({ do: "rules", rules: current.rules });
    talkOf = model.spoken(doc);
    const known = people(talk.channel).some((person) => person.address === current.person);
    set({ talk, talkStale: model.spoken(current.doc ?? doc) !== talkOf, talkError: null, person: known ? current.person : addressOf(0, talk.channel) });
    return true;
  } catch (error) {
    act = null;
    set({ talk: null, talkError: told(error) });
    return false;
  }
}

export const ownChannel = (doc: Doc | null): string =>
  [doc?.trigger?.channel, doc?.settings?.sender?.channel].find((channel) => typeof channel === "string") ?? "whatsapp";

/** Tries the flow out on another channel, from the beginning. */
export async function talkOn(channel: string) {
  const { doc, talk } = current;
  const own = ownChannel(doc);
  if (channel === (talk?.channel ?? current.talkChannel ?? own)) return;
  set({ talkChannel: channel === own ? null : channel });
  await openTalk();
}

export async function doTalk(request: { do: string; [field: string]: unknown }) {
  if (!act && !(await openTalk())) return;
  await attempt(() => {
    set({ talk: act!(request) });
  });
}

export async function trigger() {
  const context = await attempt(() => readJson(current.context || "{}", "The context of the trigger"));
  if (context === undefined) return;
  if (!act && !(await openTalk())) return;
  await doTalk({ do: "trigger", contact: current.person, context });
}

export function setRules(rules: State["rules"]) {
  set({ rules });
  if (act) attempt(() => set({ talk: act!({ do: "rules", rules }) }));
}

/** What the engine renders with the context and the variables of the talk; nothing if it cannot. */
export function previewOf(what: object): ReturnType<typeof engine.preview> | null {
  try {
    const { context, talk, person } = current;
    const vars = talk?.people?.[person]?.session?.vars ?? {};
    return engine.preview({ ...what, context: JSON.parse(context || "{}"), vars });
  } catch {
    return null;
  }
}

// ---- recorded talks ----

const shelf = (code: string) => `chatflow.talks.${code}`;

function shelvedRecords(code: string): Record[] {
  try {
    return JSON.parse(localStorage.getItem(shelf(code)) ?? "[]");
  } catch {
    return [];
  }
}

function keepRecords(records: Record[]) {
  set({ records });
  localStorage.setItem(shelf(current.code), JSON.stringify(records.map(({ result: _, ...record }) => record)));
}

/** Deletes a flow, with the talks that were recorded of it. */
export async function remove(code: string) {
  await backend.delete(code);
  localStorage.removeItem(shelf(code));
  await refresh();
}

export async function record() {
  const { talk, person, doc, records } = current;
  const seen = talk?.people?.[person];
  if (!seen?.script.length || !doc) return say("There is nothing to record yet: talk first", "bad");
  if (seen.lost) return say(`Not recorded: ${seen.lost}, and a talk has no line for that`, "bad");
  if (current.talkStale || talk.channel !== ownChannel(doc)) return say("Not recorded: this talk is not with the flow as it is now. Begin a new one", "bad");
  await attempt(async () => {
    const talked = [`@ ${new Date(seen.began).toISOString()}`, ...seen.script].join("\n") + "\n";
    const made = engine.replay({ flow: model.write(doc), others: await others(), talk: talked });
    const [was, is] = [endOf(seen.lines), made.now.split("\n").findLast((line: string) => line.startsWith("= "))?.slice(2) ?? ""];
    if (was && is !== was && !is.startsWith(`${was},`) && !is.startsWith(`${was}:`) && !is.startsWith(`${was} of `)) return say(`Not recorded: played again, the talk ends otherwise (${is || "nowhere"})`, "bad");
    const taken = new Set(records.map((record) => record.name));
    let number = 1;
    while (taken.has(`talk ${number}`)) number++;
    const name = `talk ${number}`;
    keepRecords([...current.records, { name, talk: made.now, result: { ok: true, lines: [] } }]);
    say(`Recorded as ${name}.talk`, "good");
  });
}

/** Where the session was last, as a talk writes it. */
function endOf(lines: any[]): string | null {
  const last = lines.findLast((line) => line.kind === "stands");
  return last ? `${last.status} at ${last.node}` : null;
}

export async function replayAll() {
  const { doc } = current;
  if (!doc) return;
  const beside = await attempt(others);
  // What is played against an edit before the last one would be told of the last one.
  if (!beside || current.doc !== doc || !current.records.length) return;
  const played = current.records.map((record) => {
    try {
      return { ...record, result: engine.replay({ flow: model.write(doc), others: beside, talk: record.talk }) };
    } catch (error) {
      return { ...record, result: { ok: false, error: told(error), lines: [] } };
    }
  });
  keepRecords(played);
}

export const forgetRecord = (name: string) => keepRecords(current.records.filter((record) => record.name !== name));
export const acceptRecord = (name: string) =>
  keepRecords(current.records.map((record) => (record.name === name && record.result?.now ? { ...record, talk: record.result.now, result: { ok: true, lines: [] } } : record)));

// ---- heat ----

export async function rehearse(talks: number) {
  const { doc } = current;
  if (!doc) return;
  await attempt(async () => {
    const openings = model.list(doc.trigger?.rules).flatMap((rule: any) => (rule?.text ? [rule.text] : model.list(rule?.list)));
    const begun = performance.now();
    const heat = engine.rehearse({
      flow: model.write(doc), others: await others(), now: Date.now(), context: readJson(current.context || "{}", "The context of the trigger"), talks, seed: 7,
      openings: openings.length ? openings : ["hello"],
    });
    set({ heat: { ...heat, took: performance.now() - begun }, panel: "heat" });
  });
}

export function theme(next: "light" | "dark") {
  document.documentElement.dataset.theme = next;
  localStorage.setItem("chatflow.theme", next);
  set({ theme: next });
}

// The state, for tests that look at it from outside, and choose a node that may be out of sight.
(window as any).chatflow = { get, engine, backend: () => backend, show: (id: string) => set({ selected: [id], edge: null, panel: "configure" }) };
