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

/** The text of a number or a text, as it is written. */
export const textOf = (value: Json): string => String((JSON as Json).isRawJSON?.(value) ? value.rawJSON : value ?? "");

export function read(text: string): Doc {
  const doc = parsed(text);
  if (!doc || typeof doc !== "object" || Array.isArray(doc)) throw new SyntaxError("a flow is one JSON object");
  doc.nodes = Array.isArray(doc.nodes) ? doc.nodes : [];
  doc.edges = Array.isArray(doc.edges) ? doc.edges : [];
  texts.set(doc, text);
  return doc;
}

export const write = (doc: Doc): string => texts.get(doc) ?? JSON.stringify(doc, null, 2) + "\n";

export const nodeOf = (doc: Doc, id: string): NodeDoc | undefined => doc.nodes.find((node) => node.id === id);

/** The branches of a node, and the one that an edge leaves by which names none, if the kind has such a one. */
export interface Ports { branches: string[]; plain: string | null }

/** The branch that an edge leaves by; none if it has to name one and does not. */
export const branchOf = (edge: EdgeDoc, { plain }: Ports): string | null => edge.branch ?? plain;

export const targetOf = (doc: Doc, from: string, branch: string, ports: Ports): string | undefined =>
  doc.edges.find((edge) => edge.from === from && branchOf(edge, ports) === branch)?.to;

export function freeId(doc: Doc, kind: string): string {
  const stem = { send_message: "message", wait_reply: "wait", set_variables: "set", http_request: "request", update_contact: "contact" }[kind] ?? kind;
  const taken = new Set(doc.nodes.map((node) => node.id));
  if (!taken.has(stem)) return stem;
  for (let number = 2; ; number++) if (!taken.has(`${stem}_${number}`)) return `${stem}_${number}`;
}

export function freshNode(doc: Doc, kind: string): NodeDoc {
  const fresh = kindInfo(kind).fresh();
  if (kind === "jump") fresh.target = doc.nodes.find((node) => node.kind !== "start" && node.kind !== "end")?.id ?? "";
  return { id: freeId(doc, kind), kind, ...fresh };
}

const without = (object: Json, key: string): Json => {
  const { [key]: _, ...rest } = object;
  return rest;
};

export interface Way { from: string; branch: string }

/** With one more node: at a way (and what was there comes behind it), or on its own. */
export function withNode(doc: Doc, node: NodeDoc, at: Way | null, ports: (node: NodeDoc) => Ports, place?: { x: number; y: number }): Doc {
  const added = place ? { ...node, ui: { ...node.ui, place: { x: Math.round(place.x), y: Math.round(place.y) } } } : node;
  let edges = doc.edges;
  const from = at && nodeOf(doc, at.from);
  if (at && from) {
    const ways = ports(from);
    const before = edges.find((edge) => edge.from === at.from && branchOf(edge, ways) === at.branch);
    edges = before ? edges.map((edge) => (edge === before ? { ...edge, to: node.id } : edge)) : [...edges, edgeOf(at.from, at.branch, node.id, ways)];
    const outs = ports(node);
    if (before && outs.branches.length) edges = [...edges, edgeOf(node.id, outs.branches[0], before.to, outs)];
  }
  return { ...doc, nodes: [...doc.nodes, added], edges };
}

const edgeOf = (from: string, branch: string, to: string, { plain }: Ports): EdgeDoc => (branch === plain ? { from, to } : { from, branch, to });

/** Leads a branch to a node, or nowhere. */
export function connected(doc: Doc, from: string, branch: string, to: string | null, ports: Ports): Doc {
  const is = (edge: EdgeDoc) => edge.from === from && branchOf(edge, ports) === branch;
  const before = doc.edges.find(is);
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
    if (edge.from !== id) return [edge];
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
    const outs = edges.filter((edge) => edge.from === id);
    const on = outs.length === 1 && outs[0].to !== id ? outs[0].to : null;
    edges = edges
      .filter((edge) => edge.from !== id && (edge.to !== id || on))
      .map((edge) => (edge.to === id && on ? { ...edge, to: on } : edge));
  }
  return { ...doc, nodes: doc.nodes.filter((node) => !ids.includes(node.id)), edges };
}

/** Settings name nodes under one key. */
const pointed = (value: Json, from: string, to: string): Json =>
  Array.isArray(value) ? value.map((item) => pointed(item, from, to))
  : value && typeof value === "object" && shown(value) === value
    ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, key === "node" && part === from ? to : pointed(part, from, to)]))
    : value;

/** With another id for a node, wherever it is named. */
export function renamed(doc: Doc, from: string, to: string): Doc {
  if (!to || from === to || doc.nodes.some((node) => node.id === to)) return doc;
  const settings = doc.settings && pointed(doc.settings, from, to);
  return {
    ...doc,
    ...(settings ? { settings } : {}),
    nodes: doc.nodes.map((node) => ({
      ...node,
      id: node.id === from ? to : node.id,
      ...(node.kind === "jump" && node.target === from ? { target: to } : {}),
    })),
    edges: doc.edges.map((edge) => ({ ...edge, from: edge.from === from ? to : edge.from, to: edge.to === from ? to : edge.to })),
  };
}

export const withFields = (doc: Doc, id: string, change: (node: NodeDoc) => NodeDoc): Doc => ({
  ...doc,
  nodes: doc.nodes.map((node) => (node.id === id ? change(node) : node)),
});

/** Where nodes lie, as they were put by hand; other editors keep their places under other names. */
export function moved(doc: Doc, places: Record<string, { x: number; y: number }>): Doc {
  return {
    ...doc,
    nodes: doc.nodes.map((node) => {
      const place = places[node.id];
      return place ? { ...node, ui: { ...(node.ui && typeof node.ui === "object" ? node.ui : {}), place: { x: Math.round(place.x), y: Math.round(place.y) } } } : node;
    }),
  };
}

export const tidied = (doc: Doc): Doc => ({
  ...doc,
  nodes: doc.nodes.map((node) => {
    if (!node.ui || typeof node.ui !== "object") return node;
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
    const put = node.ui?.place;
    const ui = put ? { ...node.ui, place: { x: put.x + 48, y: put.y + 48 } } : node.ui;
    next = { ...next, nodes: [...next.nodes, { ...node, id, ...(ui ? { ui } : {}) }] };
  }
  // A jump to a node that is copied, too, is one to its copy.
  const copied = new Set(names.values());
  next = { ...next, nodes: next.nodes.map((node) => (copied.has(node.id) && node.kind === "jump" && names.has(node.target) ? { ...node, target: names.get(node.target) } : node)) };
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

/** A node without what only an editor reads, for a preview. */
export const plainNode = ({ ui: _, ...node }: NodeDoc): Json => node;

// ---- what a node says, in a line or two ----

export const plain = (text: Json): string =>
  typeof text === "string" ? text : text && typeof text === "object" ? plain(Object.values(text)[0]) : "";

/** What a message has that says nothing in words. */
const alone = (node: NodeDoc) => (node.location ? "A place" : node.products ? "Goods" : node.contacts ? "Contact cards" : node.reaction ? "A sign" : "");

export function excerpt(node: NodeDoc): string {
  const text = plain(node.text);
  if (text) return text;
  switch (node.kind) {
    case "send_message":
      return node.media?.url || node.template?.name || plain(node.card?.title) || alone(node);
    case "wait_reply":
      return typeof node.timeout === "string" ? `up to ${node.timeout}` : "as long as the session lives";
    case "delay":
      return node.for ?? node.until ?? "";
    case "typing":
      return `for ${node.for}`;
    case "jump":
      return `to ${node.target || "nowhere"}, at most ${node.max_jumps ?? 1}×`;
    case "for_each":
      return `${node.from} as ${node.as ?? "item"}`;
    case "set_variables":
      return (node.variables ?? []).map((variable: Json) => variable?.name).join(", ");
    case "http_request":
      return `${node.method ?? "GET"} ${node.url ?? ""}`;
    case "function":
      return `${node.function ?? ""}()`;
    case "llm":
      return plain(node.prompt);
    case "call_flow":
      return node.flow ?? "";
    case "handoff":
      return [node.queue, node.note].filter(Boolean).join(": ");
    case "branch":
      return (node.branches ?? []).map((arm: Json) => condition(arm?.when)).filter(Boolean).join(" · ");
    case "update_contact":
      return [...(node.add_tags ?? []), ...(node.add_groups ?? []), ...Object.keys(node.set ?? {})].join(", ");
    case "open_hours":
      return node.timezone ?? "";
    case "end":
      return node.outcome ?? "";
    case "start":
      return (node.inputs ?? []).map((input: Json) => input?.name).join(", ");
    default:
      return "";
  }
}

export function condition(when: Json): string {
  if (!when || typeof when !== "object") return "";
  if (when.expr) return String(when.expr);
  if (when.not) return `not ${condition(when.not)}`;
  for (const [key, word] of [["all", " and "], ["any", " or "]] as const) {
    if (Array.isArray(when[key])) return when[key].map(condition).join(word);
  }
  const value = String(when.value ?? "").replace(/^\{\{\s*|\s*\}\}$/g, "");
  const to = textOf(when.to ?? when.list?.map(textOf).join(", "));
  return [value === "reply.text" ? "" : value, SIGNS[when.op] ?? String(when.op ?? "").replaceAll("_", " "), to].filter(Boolean).join(" ");
}

const SIGNS: Record<string, string> = {
  string_equals: "=", string_not_equals: "≠", number_equals: "=", number_not_equals: "≠", number_greater: ">", number_less: "<",
  number_at_least: "≥", number_at_most: "≤", string_contains: "contains", in_list: "in",
};

/** The differences between two drafts, in a line each. */
export function differences(mine: Doc, theirs: Doc): string[] {
  const same = (one: Json, other: Json) => JSON.stringify(one) === JSON.stringify(other);
  const lines = theirs.nodes.flatMap((node) => {
    const own = nodeOf(mine, node.id);
    if (!own) return [`“${node.name || node.id}” is only in theirs`];
    return same(own, node) ? [] : [`“${node.name || node.id}” differs`];
  });
  const gone = mine.nodes.filter((node) => !nodeOf(theirs, node.id)).map((node) => `“${node.name || node.id}” is only in mine`);
  const rest = [...(same(mine.edges, theirs.edges) ? [] : ["Lines differ"]), ...(same({ ...mine, nodes: 0, edges: 0 }, { ...theirs, nodes: 0, edges: 0 }) ? [] : ["Settings of the flow differ"])];
  return [...lines, ...gone, ...rest].slice(0, 12);
}

/** The flow as it would be on another channel: started by it, and sent on it. */
export function onChannel(doc: Doc, channel: string): Doc {
  const sender = doc.settings?.sender;
  const moved = sender && sender.channel !== channel ? { ...doc.settings, sender: undefined } : doc.settings;
  return { ...doc, trigger: doc.trigger?.kind === "inbound" ? { ...doc.trigger, channel } : doc.trigger, ...(moved ? { settings: moved } : {}) };
}

/** Choices that a message offers, as the contact reads them. */
export function choices(node: NodeDoc): string[] {
  const rows = node.options ?? node.buttons ?? node.quick_replies ?? node.choices ?? node.list?.sections?.flatMap?.((section: Json) => section?.rows ?? []);
  return Array.isArray(rows) ? rows.map((row: Json) => plain(row?.label) || row?.id || "…") : [];
}

export { kindInfo };
