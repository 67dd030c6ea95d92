// The state of the page, and everything that changes it.

import { useSyncExternalStore } from "preact/compat";
import { engine, Failure, type Checked, type Template } from "./engine";
import { LocalBackend, type Backend, type FlowSummary } from "./backend";
import { ServiceBackend } from "./service";
import * as model from "./model";
import { decode } from "./share";
import type { Doc, NodeDoc, EdgeDoc, Way } from "./model";

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
  past: [], future: [], checked: { issues: [], branches: {}, runs: false }, selected: [], edge: null, panel: "talk",
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

export async function boot(schema: any) {
  const api = new URLSearchParams(location.search).get("api");
  backend = api == null ? new LocalBackend() : new ServiceBackend(api);
  set({ templates: engine.templates(), schema, filters: engine.filters() });
  await attempt(refresh);
  set({ ready: true });
  await follow();
  addEventListener("hashchange", follow);
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
  location.hash = `flow=${encodeURIComponent(code)}`;
  recheck();
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
  const before = current.past.at(-1);
  if (!before || !current.doc) return;
  lastMerge = "";
  set({ doc: before, past: current.past.slice(0, -1), future: [current.doc, ...current.future], saved: "unsaved" });
  keepSelection();
  after();
}

export function redo() {
  const [next, ...future] = current.future;
  if (!next || !current.doc) return;
  lastMerge = "";
  set({ doc: next, past: [...current.past, current.doc], future, saved: "unsaved" });
  keepSelection();
  after();
}

const keepSelection = () => set({ selected: current.selected.filter((id) => model.nodeOf(current.doc!, id)) });

let checking = 0;
let saving = 0;

function after() {
  if (current.talk) set({ talkStale: true });
  cancelAnimationFrame(checking);
  checking = requestAnimationFrame(recheck);
  clearTimeout(saving);
  saving = setTimeout(() => attempt(save), 600) as unknown as number;
}

export function recheck() {
  if (current.doc) set({ checked: engine.check(model.write(current.doc)) });
}

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
      if (!(error instanceof Failure) || (error.status !== 412 && error.code !== "stale")) throw error;
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

export const branchesOf = (node: NodeDoc): string[] => {
  const known = current.checked.branches[node.id];
  if (known) return known;
  const probe = engine.check(JSON.stringify({ spec: 1, code: "x", trigger: { kind: "manual" }, nodes: [node], edges: [] })).branches[node.id];
  if (probe) return probe;
  // A node that cannot be read keeps the branches that its edges name.
  const named = current.doc?.edges.filter((edge) => edge.from === node.id).map((edge) => edge.branch ?? "next") ?? [];
  return [...new Set(named.length ? named : ["next"])];
};

export function addNode(kind: string, at: Way | null, place?: { x: number; y: number }) {
  const doc = current.doc;
  if (!doc) return;
  const node = model.freshNode(doc, kind);
  edit((doc) => model.withNode(doc, node, at, branchesOf, place));
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
  edit((doc) => model.connected(doc, from, branch, null, node ? branchesOf(node) : []));
  set({ edge: null });
}

export function connect(from: string, branch: string, to: string | null) {
  const node = model.nodeOf(current.doc!, from);
  if (node) edit((doc) => model.connected(doc, from, branch, to, branchesOf(node)));
}

let clipboard: { nodes: NodeDoc[]; edges: EdgeDoc[] } | null = null;

export function copy(): boolean {
  const { doc, selected } = current;
  if (!doc || !selected.length) return false;
  clipboard = {
    nodes: doc.nodes.filter((node) => selected.includes(node.id)),
    edges: doc.edges.filter((edge) => selected.includes(edge.from) && selected.includes(edge.to)),
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
  await save();
  // The check after an edit waits for the next frame: judged is what is published.
  recheck();
  const errors = current.checked.issues.filter((issue) => issue.severity === "error" && issue.code !== "unbound_account");
  if (errors.length) {
    set({ panel: "issues", sheet: "panel" });
    say(`Not published: ${errors.length === 1 ? "1 error keeps" : `${errors.length} errors keep`} the flow from running`, "bad");
    return;
  }
  const done = await attempt(() => backend.publish(current.code));
  if (done) {
    set({ summary: done });
    say(`Published as version ${done.online}`, "good");
  }
}

export async function change(code: string, what: Parameters<Backend["change"]>[1]) {
  const done = await backend.change(code, what);
  if (current.summary?.flow === code) set({ summary: done });
  await refresh();
  return done;
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
const isPhone = (channel: string) => ["whatsapp", "sms", "viber"].includes(channel);
export const addressOf = (index: number, channel: string) => PEOPLE[index][isPhone(channel) ? "phone" : "id"];
export const people = (channel: string) => PEOPLE.map((person, index) => ({ name: person.name, address: addressOf(index, channel) }));

const others = async (): Promise<string[]> => {
  const calls = current.doc?.nodes.filter((node) => node.kind === "call_flow").map((node) => node.flow) ?? [];
  const known = current.flows.filter((flow) => calls.includes(flow.flow));
  return Promise.all(known.map(async (flow) => (await backend.read(flow.flow)).json));
};

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
    const known = people(talk.channel).some((person) => person.address === current.person);
    set({ talk, talkStale: false, talkError: null, person: known ? current.person : addressOf(0, talk.channel) });
    return true;
  } catch (error) {
    act = null;
    set({ talk: null, talkError: told(error) });
    return false;
  }
}

/** Tries the flow out on another channel, from the beginning. */
export async function talkOn(channel: string) {
  const { doc, talk } = current;
  const own = doc?.trigger?.channel ?? doc?.settings?.sender?.channel ?? "whatsapp";
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
  const context = await attempt(() => JSON.parse(current.context || "{}"));
  if (context === undefined) return;
  if (!act && !(await openTalk())) return;
  await doTalk({ do: "trigger", contact: current.person, context });
}

export function setRules(rules: State["rules"]) {
  set({ rules });
  if (act) attempt(() => set({ talk: act!({ do: "rules", rules }) }));
}

/** Inputs of the start node, to begin with. */
const SAMPLES: { [name: string]: unknown } = {
  first_name: "Ada", name: "Ada", cart_id: "987654321", cart_total: "129.00", order_id: "A-1042", order: "A-1042", amount: "59.90",
  date: "2026-12-24", time: "09:30", status: "shipped", tracking: "https://track.example/A-1042", email: "ada@shop.example",
};

function sampleContext(doc: Doc): string {
  const inputs = doc.nodes.find((node) => node.kind === "start")?.inputs ?? [];
  const context: any = {};
  for (const input of Array.isArray(inputs) ? inputs : []) {
    if (!input?.name) continue;
    context[input.name] = sample(input);
  }
  for (const [, name] of JSON.stringify(doc).matchAll(/context\.([a-z_][a-z0-9_]*)/gi)) {
    if (!(name in context) && !inputs.length) context[name] = SAMPLES[name] ?? name.replaceAll("_", " ");
  }
  return JSON.stringify(context, null, 2);
}

function sample(input: any): unknown {
  const isText = !input.type || input.type === "string" || input.type === "any";
  if (input.default !== undefined && !(isText && input.name in SAMPLES)) return input.default;
  if (/(_at|date|starts|appointment|when)/.test(input.name)) return new Date(Date.now() + 3 * 86400_000).toISOString().replace(/\.\d+Z$/, "Z");
  if (input.name in SAMPLES && (!input.type || input.type === "string" || input.type === "any")) return SAMPLES[input.name];
  return { number: 42, integer: 3, boolean: true, object: {}, array: [] }[input.type as string] ?? input.name.replaceAll("_", " ");
}

// ---- recorded talks ----

const shelf = (code: string) => `chatflow.talks.${code}`;
const shelvedRecords = (code: string): Record[] => JSON.parse(localStorage.getItem(shelf(code)) ?? "[]");

function keepRecords(records: Record[]) {
  set({ records });
  localStorage.setItem(shelf(current.code), JSON.stringify(records.map(({ result: _, ...record }) => record)));
}

export async function record(name: string) {
  const { talk, person, doc } = current;
  const script: string[] = talk?.people?.[person]?.script ?? [];
  if (!script.length || !doc) return say("There is nothing to record yet: talk first", "bad");
  await attempt(async () => {
    const made = engine.replay({ flow: model.write(doc), others: await others(), talk: [`@ ${new Date(talk.began).toISOString()}`, ...script].join("\n") + "\n" });
    const kept: Record = { name, talk: made.now };
    keepRecords([...current.records.filter((record) => record.name !== name), { ...kept, result: { ok: true, lines: [] } }]);
    say(`Recorded as ${name}.talk`, "good");
  });
}

export async function replayAll() {
  const { doc, records } = current;
  if (!doc) return;
  const beside = await others();
  const played = records.map((record) => {
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
    const rules = doc.trigger?.rules ?? [];
    const openings = rules.flatMap((rule: any) => (rule.text ? [rule.text] : rule.list ?? []));
    const begun = performance.now();
    const heat = engine.rehearse({
      flow: model.write(doc), others: await others(), now: Date.now(), context: JSON.parse(current.context || "{}"), talks, seed: 7,
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

// The state, for tests that look at it from outside.
(window as any).chatflow = { get, engine, backend: () => backend };
