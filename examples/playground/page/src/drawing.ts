// What is drawn of a flow: boxes with their sizes and places, lines with their ways, and what a
// session or many talks did there.

import { MarkerType, type Edge, type Node } from "@xyflow/react";
import { engine, type Issue } from "./engine";
import { kindInfo } from "./kinds";
import * as model from "./model";
import * as store from "./store";
import type { NodeDoc } from "./model";

/** The width of a box that has few branches. */
export const WIDTH = 236;

let ruler: HTMLElement | null = null;
const heights = new Map<string, number>();

/** How high a text is in a box, as the browser breaks its lines. */
function heightOf(text: string, width: number): number {
  const key = `${width} ${text}`;
  let height = heights.get(key);
  if (height === undefined) {
    if (!ruler) {
      ruler = document.body.appendChild(document.createElement("p"));
      ruler.className = "ruler";
      ruler.ariaHidden = "true";
    }
    ruler.style.width = `${width}px`;
    ruler.textContent = text;
    height = ruler.offsetHeight;
    ruler.textContent = "";
    if (heights.size > 5000) heights.clear();
    heights.set(key, height);
  }
  return height;
}

/** The size of a box: what is in it says how high it is, so that it can be laid out before it is drawn. */
export function sizeOf(node: NodeDoc, branches: string[]): { width: number; height: number } {
  const text = model.excerpt(node);
  const options = model.choices(node).length;
  const chips = branches.reduce((sum, branch) => sum + Math.min(150, branch.length * 6.600 + 30), 20);
  const width = Math.max(WIDTH, Math.min(chips, 720));
  return {
    width,
    height: 50 + (text ? heightOf(text, width - 26) + 8 : 0) + (options ? 30 : 0) + (branches.length > 1 ? 38 : 12),
  };
}

export interface Trace {
  visited: Set<string>;
  taken: Map<string, string>;
  current: string | null;
  ended: boolean;
}

/** Where a session went, as its journal tells it. */
export function traceOf(journal: any[] | null, session: any, flow: string): Trace {
  const trace: Trace = { visited: new Set(), taken: new Map(), current: null, ended: false };
  for (const entry of journal ?? []) {
    for (const step of entry.steps ?? []) {
      if (step.called && step.called[0] !== flow) continue;
      trace.visited.add(step.node);
      if (step.branch) trace.taken.set(JSON.stringify([step.node, step.branch]), step.why ?? "");
      if (step.event === "jumped") trace.taken.set(JSON.stringify([step.node, "\u0000jump"]), step.why ?? "");
      trace.current = step.node;
    }
  }
  trace.ended = ["completed", "failed", "expired", "cancelled"].includes(session?.status);
  return trace;
}

export interface BoxData extends Record<string, unknown> {
  node: NodeDoc;
  branches: string[];
  edges: Record<string, string>;
  width: number;
  height: number;
  faults: { errors: number; warnings: number; first: string };
  visited: boolean;
  current: boolean;
  ended: boolean;
  aside: boolean;
  heat: { visits: number; share: number } | null;
}

export interface LineData extends Record<string, unknown> {
  taken: boolean;
  why: string;
  count: number | null;
  jump: boolean;
  /** The way that the layout found, while nothing was moved by hand. */
  route: [number, number][] | null;
}

/** Where everything lies: by hand where it was put, else by the crate's own layout. */
export function placesOf(doc: model.Doc, ports: (node: NodeDoc) => model.Ports): { places: Record<string, Place>; routes: Record<string, [number, number][]> } {
  const nodes = model.nodesOf(doc);
  const ways = model.edgesOf(doc).map((edge) => {
    const from = model.nodeOf(doc, edge.from);
    return [edge.from, (from && model.branchOf(edge, ports(from))) ?? "", edge.to];
  });
  const jumps = nodes.filter((node) => node.kind === "jump" && node.target && typeof node.target === "string").map((node) => [node.id, "", node.target]);
  const sized = nodes.map((node) => {
    const { width, height } = sizeOf(node, ports(node).branches);
    return [node.id, width + 8, height + 14];
  });
  const arranged = arrangedAs(JSON.stringify({ nodes: sized, ways: [...ways, ...jumps.filter(([, , to]) => !before(doc, to))] }));
  const places: Record<string, Place> = {};
  for (const place of arranged.nodes) places[place.node] = { x: place.x, y: place.y };
  let isByHand = false;
  for (const node of nodes) {
    const place = model.placeOf(node);
    if (!place) continue;
    places[node.id] = place;
    isByHand = true;
  }
  const routes: Record<string, [number, number][]> = {};
  for (const way of arranged.ways) if (!isByHand) routes[JSON.stringify([way.from, way.branch || "\u0000jump"])] = way.points;
  return { places, routes };
}

interface Place { x: number; y: number }

let lastArranged: { request: string; answer: any } | null = null;

/** The layout; most edits leave it as it was. */
function arrangedAs(request: string): any {
  if (lastArranged?.request !== request) lastArranged = { request, answer: engine.arrange(JSON.parse(request)) };
  return lastArranged.answer;
}

/** A jump back would push what it jumps to down: only those to what nothing else leads to count. */
const before = (doc: model.Doc, id: string) => model.edgesOf(doc).some((edge) => edge.to === id);

/** What the drawing is made of. */
export interface Seen {
  doc: model.Doc;
  issues: Issue[];
  places: Record<string, Place>;
  routes: Record<string, [number, number][]>;
  selected: string[];
  edge: string | null;
  trace: Trace | null;
  hot: any;
}

/** What was drawn, and of what: React Flow draws only that anew which is another object. */
export interface Drawn<T> { of: unknown[]; it: T }

function redrawn<T extends { id: string }>(kept: Map<string, Drawn<T>>, id: string, of: unknown[], make: () => T): T {
  const last = kept.get(id);
  if (last && last.of.every((part, at) => Object.is(part, of[at]))) return last.it;
  const it = make();
  kept.set(id, { of, it });
  return it;
}

function faultsOf(issues: Issue[]): Map<string, BoxData["faults"]> {
  const faults = new Map<string, BoxData["faults"]>();
  for (const { node, severity, message } of issues) {
    if (!node) continue;
    const own = faults.get(node) ?? { errors: 0, warnings: 0, first: message };
    severity === "error" ? own.errors++ : own.warnings++;
    faults.set(node, own);
  }
  return faults;
}

const NO_FAULTS: BoxData["faults"] = { errors: 0, warnings: 0, first: "" };

/** Which branches of each node lead somewhere. */
function ledOf({ doc, trace }: Seen): Map<string, Record<string, string>> {
  const led = new Map<string, Record<string, string>>();
  for (const edge of model.edgesOf(doc)) {
    const from = model.nodeOf(doc, edge.from);
    const branch = from && model.branchOf(edge, store.portsOf(from));
    if (branch == null) continue;
    const own = led.get(edge.from) ?? {};
    own[branch] = trace?.taken.has(JSON.stringify([edge.from, branch])) ? "taken" : "led";
    led.set(edge.from, own);
  }
  return led;
}

export function boxesOf(seen: Seen, kept: Map<string, Drawn<Node<BoxData>>>): Node<BoxData>[] {
  const { doc, issues, places, selected, trace, hot } = seen;
  const counts = new Map<string, any>((hot?.nodes ?? []).map((count: any) => [count.node, count]));
  const most = Math.max(1, ...[...counts.values()].map((count) => count.visits));
  const [faults, led] = [faultsOf(issues), ledOf(seen)];
  return model.nodesOf(doc).map((node) => {
    const { branches } = store.portsOf(node);
    const own = faults.get(node.id) ?? NO_FAULTS;
    const edges = led.get(node.id) ?? {};
    const { x, y } = places[node.id] ?? { x: 0, y: 0 };
    const isSelected = selected.includes(node.id);
    const isCurrent = trace?.current === node.id;
    const visits = counts.get(node.id)?.visits ?? 0;
    const state = [trace?.visited.has(node.id) ?? false, isCurrent, trace?.ended ?? false, trace?.current != null && !trace.visited.has(node.id)] as const;
    const of = [node, branches.join("\n"), x, y, isSelected, ...state, hot && visits, most, own.errors, own.warnings, own.first, JSON.stringify(edges)];
    return redrawn(kept, node.id, of, () => {
      const info = kindInfo(node.kind);
      const size = sizeOf(node, branches);
      const [visited, current, ended, aside] = state;
      const found = own.errors + own.warnings;
      return {
        id: node.id,
        type: "box",
        position: { x, y },
        selected: isSelected,
        ariaLabel: `${model.titleOf(node)}, ${info.title}${found ? `, ${found} issues` : ""}${isCurrent ? ", the session is here" : ""}`,
        ...size,
        measured: size,
        data: { node, branches, edges, ...size, faults: own, visited, current, ended, aside, heat: hot ? { visits, share: Math.sqrt(visits / most) } : null },
      };
    });
  });
}

/** The number of times that a node was left by its jump, and so by none of its branches. */
export const jumpsOf = (count: any): number => Math.max(0, count.visits - leftBy(count) - (count.failures ?? 0));

/** The number of times that a node was left by one of its branches. */
export const leftBy = (count: any): number => Object.values(count.branches as Record<string, number>).reduce((sum, times) => sum + times, 0);

export function linesOf(seen: Seen, kept: Map<string, Drawn<Edge<LineData>>>): Edge<LineData>[] {
  const { doc, routes, edge, trace, hot } = seen;
  const counts = new Map<string, any>((hot?.nodes ?? []).map((count: any) => [count.node, count]));
  const line = (from: string, branch: string, to: string, handle: string, jump: boolean): Edge<LineData> => {
    const id = JSON.stringify([from, branch]);
    const taken = trace?.taken.has(id) ?? false;
    const why = trace?.taken.get(id) ?? "";
    const own = counts.get(from);
    const count = !hot ? null : !own ? 0 : jump ? jumpsOf(own) : own.branches[branch] ?? 0;
    const route = routes[id] ?? null;
    return redrawn(kept, id, [to, handle, edge === id, taken, why, count, route], () => ({
      id, source: from, target: to, sourceHandle: handle, targetHandle: "in", type: "line",
      ...(jump ? { selectable: false, ariaLabel: `jump from ${from} to ${to}` } : { selected: edge === id, ariaLabel: `${branch} from ${from} to ${to}` }),
      // React's name for it is not an attribute of SVG: without this one, keys do not reach the line.
      ...(jump ? {} : { domAttributes: { tabindex: 0 } as any }),
      markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: taken ? "var(--accent)" : "var(--line)" },
      zIndex: taken && !jump ? 1 : 0,
      data: { taken, why, count, jump, route },
    }));
  };
  const drawn = new Map<string, Edge<LineData>>();
  for (const way of model.edgesOf(doc)) {
    const from = model.nodeOf(doc, way.from);
    if (!from || !model.nodeOf(doc, way.to)) continue;
    const ports = store.portsOf(from);
    const branch = model.branchOf(way, ports);
    if (branch == null || !ports.branches.includes(branch)) continue;
    const one = line(way.from, branch, way.to, branch, false);
    if (!drawn.has(one.id)) drawn.set(one.id, one);
  }
  for (const node of model.nodesOf(doc)) {
    if (node.kind !== "jump" || !model.nodeOf(doc, node.target)) continue;
    const one = line(node.id, "\u0000jump", node.target, store.branchesOf(node)[0], true);
    drawn.set(one.id, one);
  }
  return [...drawn.values()];
}

/** The ground that boxes and lines cover. */
export function boundsOf(nodes: Node<BoxData>[], routes: Record<string, [number, number][]>): { x: number; y: number; width: number; height: number } {
  const points = Object.values(routes).flat();
  const ends = nodes.flatMap(({ position: { x, y }, data }) => [[x, y], [x + data.width, y + data.height]]);
  const [left, top, right, bottom] = [...points, ...ends].reduce(
    ([left, top, right, bottom], [x, y]) => [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)],
    [Infinity, Infinity, -Infinity, -Infinity],
  );
  return nodes.length ? { x: left, y: top, width: right - left, height: bottom - top } : { x: 0, y: 0, width: 1, height: 1 };
}
