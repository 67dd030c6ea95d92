// The flow as it is written, and what an edit makes of it. Nothing here changes what it is given.

import { kindInfo } from "./kinds";

export type Json = any;
export interface NodeDoc { id: string; kind: string; name?: string; ui?: Json; [field: string]: Json }
export interface EdgeDoc { from: string; branch?: string; to: string; ui?: Json }
export interface Doc { code: string; name?: string; remark?: string; trigger: Json; settings?: Json; nodes: NodeDoc[]; edges: EdgeDoc[]; [field: string]: Json }

/** The text that a document was read from, so that what was not edited is written as it was. */
const texts = new WeakMap<object, string>();

/**
 * Reads JSON. A number that would be written otherwise than it was, such as 1.0 or one of more than 16
 * digits, is kept as it is written, where the browser can.
 */
const parsed = (text: string): Json =>
  (JSON as Json).rawJSON
    ? JSON.parse(text, ((_: string, value: Json, { source }: { source?: string }) => (typeof value === "number" && String(value) !== source ? (JSON as Json).rawJSON(source) : value)) as Json)
    : JSON.parse(text);

/** A number that is kept as it is written, as the number that it is; anything else as it is. */
export const shown = (value: Json): Json => ((JSON as Json).isRawJSON?.(value) ? Number(value.rawJSON) : value);

/** The text of a value as an author reads it: a number as it is written, an object or a list as JSON. */
export const textOf = (value: Json): string =>
  (JSON as Json).isRawJSON?.(value) ? value.rawJSON : value && typeof value === "object" ? JSON.stringify(value) : String(value ?? "");

// A flow is shown whatever is in it: a field may hold anything where a list, an object or a text belongs.

/** A list; an empty one for anything else. */
export const list = (value: Json): Json[] => (Array.isArray(value) ? value : []);

/** An object with fields; an empty one for anything else. */
export const fieldsOf = (value: Json): Record<string, Json> => (isObject(value) ? value : {});

export const isObject = (value: Json): boolean => Boolean(value) && typeof value === "object" && !Array.isArray(value) && shown(value) === value;

/** A text; an empty one for anything that is not written in one word. */
const word = (value: Json): string => (value && typeof value === "object" && shown(value) === value ? "" : textOf(value));

/** What can be drawn as a node. */
const isNode = (value: Json): value is NodeDoc => isObject(value) && typeof value.id === "string" && value.id !== "";

/** What can be drawn as a way. */
const isEdge = (value: Json): value is EdgeDoc =>
  isObject(value) && typeof value.from === "string" && typeof value.to === "string" && (value.branch === undefined || typeof value.branch === "string");

const drawable = new WeakMap<Json[], Map<string, NodeDoc>>();

/** The nodes by their ids: the first one of each id. */
function byId(doc: Doc): Map<string, NodeDoc> {
  let found = drawable.get(doc.nodes);
  if (!found) {
    found = new Map();
    for (const node of doc.nodes) if (isNode(node) && !found.has(node.id)) found.set(node.id, node);
    drawable.set(doc.nodes, found);
  }
  return found;
}

/** The nodes that are drawn; the rest of what is written under `nodes` stays as it is. */
export const nodesOf = (doc: Doc): NodeDoc[] => [...byId(doc).values()];

/** The edges that are drawn; the rest of what is written under `edges` stays as it is. */
export const edgesOf = (doc: Doc): EdgeDoc[] => doc.edges.filter(isEdge);

/** With a change of each node, and all else as it is. */
const withEach = (doc: Doc, change: (node: NodeDoc) => NodeDoc): NodeDoc[] => doc.nodes.map((node) => (isNode(node) ? change(node) : node));

/** With a change of each edge, and all else as it is. */
const withEachEdge = (edges: EdgeDoc[], change: (edge: EdgeDoc) => EdgeDoc): EdgeDoc[] => edges.map((edge) => (isEdge(edge) ? change(edge) : edge));

/** The name that people know a node by. */
export const titleOf = (node: NodeDoc): string => word(node.name) || node.id;

/** Where a node was put by hand. */
export function placeOf(node: NodeDoc): { x: number; y: number } | null {
  const { x, y } = fieldsOf(fieldsOf(node.ui).place);
  const [left, top] = [shown(x), shown(y)];
  return Number.isFinite(left) && Number.isFinite(top) ? { x: left, y: top } : null;
}

export function read(text: string): Doc {
  const doc = parsed(text);
  if (!doc || typeof doc !== "object" || Array.isArray(doc)) throw new SyntaxError("a flow is one JSON object");
  doc.nodes = Array.isArray(doc.nodes) ? doc.nodes : [];
  doc.edges = Array.isArray(doc.edges) ? doc.edges : [];
  texts.set(doc, text);
  return doc;
}

export const write = (doc: Doc): string => texts.get(doc) ?? JSON.stringify(doc, null, 2) + "\n";

export const nodeOf = (doc: Doc, id: string): NodeDoc | undefined => byId(doc).get(id);

/** The branches of a node, and the one that an edge leaves by which names none, if the kind has such a one. */
export interface Ports { branches: string[]; plain: string | null }

/** The branch that an edge leaves by; none if it has to name one and does not. */
export const branchOf = (edge: EdgeDoc, { plain }: Ports): string | null => edge.branch ?? plain;

export const targetOf = (doc: Doc, from: string, branch: string, ports: Ports): string | undefined =>
  edgesOf(doc).find((edge) => edge.from === from && branchOf(edge, ports) === branch)?.to;

export function freeId(doc: Doc, kind: string): string {
  const stem = { send_message: "message", wait_reply: "wait", set_variables: "set", http_request: "request", update_contact: "contact" }[kind] ?? kind;
  const taken = byId(doc);
  if (!taken.has(stem)) return stem;
  for (let number = 2; ; number++) if (!taken.has(`${stem}_${number}`)) return `${stem}_${number}`;
}

export function freshNode(doc: Doc, kind: string): NodeDoc {
  const fresh = kindInfo(kind).fresh();
  if (kind === "jump") fresh.target = nodesOf(doc).find((node) => node.kind !== "start" && node.kind !== "end")?.id ?? "";
  return { id: freeId(doc, kind), kind, ...fresh };
}

const without = (object: Json, key: string): Json => {
  const { [key]: _, ...rest } = object;
  return rest;
};

export interface Way { from: string; branch: string }

/** With one more node: at a way (and what was there comes behind it), or on its own. */
export function withNode(doc: Doc, node: NodeDoc, at: Way | null, ports: (node: NodeDoc) => Ports, place?: { x: number; y: number }): Doc {
  const added = place ? placed(node, place) : node;
  let edges = doc.edges;
  const from = at && nodeOf(doc, at.from);
  if (at && from) {
    const ways = ports(from);
    const before = edges.find((edge) => isEdge(edge) && edge.from === at.from && branchOf(edge, ways) === at.branch);
    edges = before ? edges.map((edge) => (edge === before ? { ...edge, to: node.id } : edge)) : [...edges, edgeOf(at.from, at.branch, node.id, ways)];
    const outs = ports(node);
    if (before && outs.branches.length) edges = [...edges, edgeOf(node.id, outs.branches[0], before.to, outs)];
  }
  return { ...doc, nodes: [...doc.nodes, added], edges };
}

const edgeOf = (from: string, branch: string, to: string, { plain }: Ports): EdgeDoc => (branch === plain ? { from, to } : { from, branch, to });

/** Leads a branch to a node, or nowhere. */
export function connected(doc: Doc, from: string, branch: string, to: string | null, ports: Ports): Doc {
  const before = edgesOf(doc).find((edge) => edge.from === from && branchOf(edge, ports) === branch);
  if (!to) return { ...doc, edges: doc.edges.filter((edge) => edge !== before) };
  if (before) return { ...doc, edges: doc.edges.map((edge) => (edge === before ? { ...edge, to } : edge)) };
  return { ...doc, edges: [...doc.edges, edgeOf(from, branch, to, ports)] };
}

/** Names of branches that an edge waits for: the author is typing one that another branch has for the moment. */
export type Held = Map<number, string>;

/**
 * The edges of a node after an edit of its fields: those of a branch that has another name follow it,
 * and those of a branch that is gone go with it.
 */
export function rerouted(edges: EdgeDoc[], id: string, before: Ports, after: Ports, held: Held, sameKind = true): EdgeDoc[] {
  const names = before.branches.map((name, at) => held.get(at) ?? name);
  const same = names.length === after.branches.length;
  const next = new Map<string, string | null>();
  held.clear();
  names.forEach((name, at) => {
    const to = after.branches[at];
    const isFree = to !== undefined && !names.includes(to) && after.branches.indexOf(to) === at;
    if (after.branches.includes(name)) return;
    if (isFree && (same || !sameKind || after.branches.length > names.length)) next.set(name, to);
    else if (same && sameKind) held.set(at, name);
    else if (after.branches.length < names.length) next.set(name, null);
  });
  return edges.flatMap((edge) => {
    if (!isEdge(edge) || edge.from !== id) return [edge];
    const branch = branchOf(edge, before);
    const to = branch == null || !next.has(branch) ? branch : next.get(branch)!;
    if (to === null && branch !== null) return [];
    if (to === branch && (edge.branch !== undefined || to === after.plain)) return [edge];
    const { from, branch: _, ...rest } = edge;
    return [to == null || (to === after.plain && edge.branch === undefined) ? { from, ...rest } : { from, branch: to, ...rest }];
  });
}

/** Without some nodes; where one had a single way on, what led to it leads there. */
export function withoutNodes(doc: Doc, ids: string[]): Doc {
  let edges = doc.edges;
  for (const id of ids) {
    const outs = edges.filter((edge) => isEdge(edge) && edge.from === id);
    const on = outs.length === 1 && outs[0].to !== id ? outs[0].to : null;
    const left = edges.filter((edge) => !isEdge(edge) || (edge.from !== id && (edge.to !== id || on)));
    edges = withEachEdge(left, (edge) => (edge.to === id && on ? { ...edge, to: on } : edge));
  }
  const gone = new Set(ids.map((id) => nodeOf(doc, id)));
  return { ...doc, nodes: doc.nodes.filter((node) => !gone.has(node)), edges };
}

/** Settings name nodes under one key. */
const pointed = (value: Json, from: string, to: string): Json =>
  Array.isArray(value) ? value.map((item) => pointed(item, from, to))
  : value && typeof value === "object" && shown(value) === value
    ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, key === "node" && part === from ? to : pointed(part, from, to)]))
    : value;

/** With another id for a node, wherever it is named. */
export function renamed(doc: Doc, from: string, to: string): Doc {
  if (!to || from === to || nodeOf(doc, to)) return doc;
  const before = nodeOf(doc, from);
  const settings = doc.settings && pointed(doc.settings, from, to);
  return {
    ...doc,
    ...(settings ? { settings } : {}),
    nodes: withEach(doc, (node) => {
      const isTarget = node.kind === "jump" && node.target === from;
      return node === before || isTarget ? { ...node, ...(node === before ? { id: to } : {}), ...(isTarget ? { target: to } : {}) } : node;
    }),
    edges: withEachEdge(doc.edges, (edge) => (edge.from === from || edge.to === from ? { ...edge, from: edge.from === from ? to : edge.from, to: edge.to === from ? to : edge.to } : edge)),
  };
}

export function withFields(doc: Doc, id: string, change: (node: NodeDoc) => NodeDoc): Doc {
  const before = nodeOf(doc, id);
  return { ...doc, nodes: withEach(doc, (node) => (node === before ? change(node) : node)) };
}

const placed = (node: NodeDoc, { x, y }: { x: number; y: number }): NodeDoc => ({ ...node, ui: { ...fieldsOf(node.ui), place: { x: Math.round(x), y: Math.round(y) } } });

/** Where nodes lie, as they were put by hand; other editors keep their places under other names. */
export function moved(doc: Doc, places: Record<string, { x: number; y: number }>): Doc {
  const isAt = (node: NodeDoc, { x, y }: { x: number; y: number }) => placeOf(node)?.x === Math.round(x) && placeOf(node)?.y === Math.round(y);
  const nodes = withEach(doc, (node) => (places[node.id] && !isAt(node, places[node.id]) ? placed(node, places[node.id]) : node));
  return nodes.every((node, at) => node === doc.nodes[at]) ? doc : { ...doc, nodes };
}

export const tidied = (doc: Doc): Doc => ({
  ...doc,
  nodes: withEach(doc, (node) => {
    if (!isObject(node.ui)) return node;
    const ui = without(node.ui, "place");
    return Object.keys(ui).length ? { ...node, ui } : (without(node, "ui") as NodeDoc);
  }),
});

/** A copy of some nodes with the ways between them, under ids of their own. */
export function pasted(doc: Doc, nodes: NodeDoc[], edges: EdgeDoc[]): { doc: Doc; ids: string[] } {
  let next = doc;
  const names = new Map<string, string>();
  for (const node of nodes.filter((node) => node.kind !== "start")) {
    const id = freeId(next, node.kind);
    names.set(node.id, id);
    const put = placeOf(node);
    const copy = { ...node, id };
    next = { ...next, nodes: [...next.nodes, put ? placed(copy, { x: put.x + 48, y: put.y + 48 }) : copy] };
  }
  // A jump to a node that is copied, too, is one to its copy.
  const copied = new Set(names.values());
  next = { ...next, nodes: withEach(next, (node) => (copied.has(node.id) && node.kind === "jump" && names.has(node.target) ? { ...node, target: names.get(node.target) } : node)) };
  const copies = edges
    .filter((edge) => names.has(edge.from) && names.has(edge.to))
    .map((edge) => ({ ...edge, from: names.get(edge.from)!, to: names.get(edge.to)! }));
  return { doc: { ...next, edges: [...next.edges, ...copies] }, ids: [...names.values()] };
}

// ---- places in a document, such as `nodes[3].branches[0].when` ----

/** A key that is not a plain word is between brackets and quotes, with escapes as Rust writes them. */
const unquoted = (text: string): string => JSON.parse(text.replaceAll(/\\u\{([0-9a-f]+)\}|\\'|\\0/g, (found, code) => (code ? JSON.stringify(String.fromCodePoint(parseInt(code, 16))).slice(1, -1) : found === "\\'" ? "'" : "\\u0000")));

export const steps = (path: string): (string | number)[] =>
  [...path.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(([, index, quoted, key]) => (index != null ? Number(index) : quoted != null ? unquoted(quoted) : key));

export function at(value: Json, path: (string | number)[]): Json {
  return path.reduce((value, step) => value?.[step], value);
}

export function put(value: Json, path: (string | number)[], to: Json): Json {
  if (!path.length) return to;
  const [step, ...rest] = path;
  if (Array.isArray(value) || (value == null && typeof step === "number")) {
    const copy = [...(value ?? [])];
    if (to === undefined && !rest.length) copy.splice(step as number, 1);
    else copy[step as number] = put(copy[step as number], rest, to);
    return copy;
  }
  if (to === undefined && !rest.length) return without(value ?? {}, String(step));
  return { ...value, [step]: put(value?.[step], rest, to) };
}

/** With another key for a field, which stays where it is. */
export function rekeyed(doc: Doc, path: (string | number)[], to: string): Doc {
  const key = path.at(-1);
  const within = path.slice(0, -1);
  const fields = Object.entries(at(doc, within) ?? {});
  return put(doc, within, Object.fromEntries(fields.map(([name, value]) => [name === key ? to : name, value])));
}

/** The flow as far as it decides on a talk: without places and titles, and without names that no text reads. */
export function spoken(doc: Doc): string {
  const { name, remark: _, ...rest } = doc;
  const text = JSON.stringify({ ...rest, nodes: withEach(doc, ({ name: _, ...node }) => plainNode(node as NodeDoc)) });
  return /flow\s*\.\s*name/.test(text) ? `${text} ${textOf(name)}` : text;
}

/** A node without what only an editor reads, for a preview. */
export const plainNode = ({ ui: _, ...node }: NodeDoc): Json => node;

// ---- what a node says, in a line or two ----

export const plain = (text: Json): string =>
  typeof text === "string" ? text : text && typeof text === "object" ? plain(Object.values(text)[0]) : "";

/** What a message has that says nothing in words. */
const alone = (node: NodeDoc) => (node.location ? "A place" : node.products ? "Goods" : node.contacts ? "Contact cards" : node.reaction ? "A sign" : "");

export const excerpt = (node: NodeDoc): string => plain(node.text) || word(summed(node));

const names = (rows: Json): string => list(rows).map((row) => word(row?.name)).filter(Boolean).join(", ");

function summed(node: NodeDoc): Json {
  switch (node.kind) {
    case "send_message":
      return word(node.media?.url) || word(node.template?.name) || plain(node.card?.title) || alone(node);
    case "wait_reply":
      return typeof node.timeout === "string" ? `up to ${node.timeout}` : "as long as the session lives";
    case "delay":
      return word(node.for) || node.until;
    case "typing":
      return `for ${word(node.for)}`;
    case "jump":
      return `to ${word(node.target) || "nowhere"}, at most ${word(node.max_jumps ?? 1)}×`;
    case "for_each":
      return `${word(node.from)} as ${word(node.as) || "item"}`;
    case "set_variables":
      return names(node.variables);
    case "http_request":
      return `${word(node.method) || "GET"} ${word(node.url)}`;
    case "function":
      return `${word(node.function)}()`;
    case "llm":
      return plain(node.prompt);
    case "call_flow":
      return node.flow;
    case "handoff":
      return [word(node.queue), word(node.note)].filter(Boolean).join(": ");
    case "branch":
      return list(node.branches).map((arm) => condition(arm?.when)).filter(Boolean).join(" · ");
    case "update_contact":
      return [...list(node.add_tags).map(word), ...list(node.add_groups).map(word), ...Object.keys(fieldsOf(node.set))].filter(Boolean).join(", ");
    case "open_hours":
      return node.timezone;
    case "end":
      return node.outcome;
    case "start":
      return names(node.inputs);
    default:
      return "";
  }
}

export function condition(when: Json): string {
  if (!isObject(when)) return "";
  if (when.expr) return textOf(when.expr);
  if (when.not) return `not ${condition(when.not)}`;
  for (const [key, joint] of [["all", " and "], ["any", " or "]] as const) {
    if (Array.isArray(when[key])) return when[key].map(condition).join(joint);
  }
  const value = word(when.value).replace(/^\{\{\s*|\s*\}\}$/g, "");
  const to = textOf(when.to ?? list(when.list).map(textOf).join(", "));
  return [value === "reply.text" ? "" : value, SIGNS[when.op] ?? word(when.op).replaceAll("_", " "), to].filter(Boolean).join(" ");
}

const SIGNS: Record<string, string> = {
  string_equals: "=", string_not_equals: "≠", number_equals: "=", number_not_equals: "≠", number_greater: ">", number_less: "<",
  number_at_least: "≥", number_at_most: "≤", string_contains: "contains", in_list: "in",
};

/** The differences between two drafts, in a line each. */
export function differences(mine: Doc, theirs: Doc): string[] {
  const same = (one: Json, other: Json) => JSON.stringify(one) === JSON.stringify(other);
  const lines = nodesOf(theirs).flatMap((node) => {
    const own = nodeOf(mine, node.id);
    if (!own) return [`“${titleOf(node)}” is only in theirs`];
    return same(own, node) ? [] : [`“${titleOf(node)}” differs`];
  });
  const gone = nodesOf(mine).filter((node) => !nodeOf(theirs, node.id)).map((node) => `“${titleOf(node)}” is only in mine`);
  const rest = [...(same(mine.edges, theirs.edges) ? [] : ["Lines differ"]), ...(same({ ...mine, nodes: 0, edges: 0 }, { ...theirs, nodes: 0, edges: 0 }) ? [] : ["Settings of the flow differ"])];
  return [...lines, ...gone, ...rest].slice(0, 12);
}

/** The flow as it would be on another channel: started by it, and sent on it. */
export function onChannel(doc: Doc, channel: string): Doc {
  const sender = fieldsOf(doc.settings).sender;
  const moved = sender && sender.channel !== channel ? { ...doc.settings, sender: undefined } : doc.settings;
  return { ...doc, trigger: doc.trigger?.kind === "inbound" ? { ...doc.trigger, channel } : doc.trigger, ...(moved ? { settings: moved } : {}) };
}

/** Choices that a message offers, as the contact reads them. */
export function choices(node: NodeDoc): string[] {
  const rows = node.options ?? node.buttons ?? node.quick_replies ?? node.choices ?? list(node.list?.sections).flatMap((section) => list(section?.rows));
  return list(rows).map((row) => plain(row?.label) || word(row?.id) || "…");
}

export { kindInfo };
