// The flow as it is drawn: boxes with their branches, ways between them, what a session did.

import { useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { memo } from "preact/compat";
import {
  Background, BackgroundVariant, BaseEdge, EdgeLabelRenderer, Handle, MarkerType, MiniMap, Position, ReactFlow, ReactFlowProvider,
  getSmoothStepPath, useReactFlow, useUpdateNodeInternals, useNodesInitialized, type Edge, type EdgeProps, type Node, type NodeChange, type NodeProps,
} from "@xyflow/react";
import { engine } from "./engine";
import { Button, Icon, glyph } from "./icons";
import { kindInfo } from "./kinds";
import * as model from "./model";
import * as store from "./store";
import { use } from "./store";
import type { NodeDoc } from "./model";

const WIDTH = 236;

/** The whole flow in sight, above the tools. */
const FIT = { padding: { top: 0.06, left: 0.06, right: 0.06, bottom: "84px" }, maxZoom: 1, minZoom: 0.2 } as const;

/**
 * How many pixels a press may shake and still be a click. The threshold of React Flow would swallow the
 * first move beyond it, which on a busy machine is the whole of a quick drag.
 */
const SHAKE = 4;
const far = (from: { x: number; y: number } | undefined, to: { x: number; y: number }, zoom: number) => !from || Math.hypot(to.x - from.x, to.y - from.y) * zoom > SHAKE;

/** The size of a box: what is in it says how high it is, so that it can be laid out before it is drawn. */
export function sizeOf(node: NodeDoc, branches: string[]): { width: number; height: number } {
  const text = model.excerpt(node);
  const options = model.choices(node).length;
  const lines = text ? Math.min(3, Math.ceil(text.length / 31)) : 0;
  const chips = branches.reduce((sum, branch) => sum + Math.min(150, branch.length * 6.600 + 30), 20);
  return {
    width: Math.max(WIDTH, Math.min(chips, 720)),
    height: 50 + (lines ? lines * 18 + 8 : 0) + (options ? 30 : 0) + (branches.length > 1 ? 38 : 12),
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

interface BoxData extends Record<string, unknown> {
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
  heat: { visits: number; share: number; drop: number } | null;
}

const Box = memo(({ id, data, selected }: NodeProps<Node<BoxData>>) => {
  const { node, branches } = data;
  const info = kindInfo(node.kind);
  const text = model.excerpt(node);
  const options = model.choices(node);
  const update = useUpdateNodeInternals();
  useEffect(() => update(id), [branches.join("\n"), data.width, data.height]);
  const state = [data.visited && "visited", data.current && "current", data.ended && "ended", data.aside && "aside", data.faults.errors && "faulty"];
  const shares = data.heat ? { "--heat": String(data.heat.share) } : {};
  return (
    <div class={`box ${info.group} kind-${node.kind} ${state.filter(Boolean).join(" ")} ${data.heat ? "hot" : ""}`} data-selected={selected} style={{ width: data.width, height: data.height, ...shares }}>
      {node.kind !== "start" && <Handle type="target" position={Position.Top} id="in" aria-hidden="true" />}
      <header>
        <span class="tile"><Icon d={info.icon} size={17} /></span>
        <span class="names">
          <b>{node.name || node.id}</b>
          <small>{info.title}</small>
        </span>
        {data.faults.errors + data.faults.warnings > 0 && (
          <span class={`fault ${data.faults.errors ? "bad" : "warn"}`} title={data.faults.first}>
            <Icon d={data.faults.errors ? glyph.error : glyph.warn} size={15} />
          </span>
        )}
        {data.heat && <span class="count">{data.heat.visits}×</span>}
      </header>
      {text && <p>{text}</p>}
      {options.length > 0 && (
        <div class="chips" aria-hidden="true">
          {options.slice(0, 3).map((option) => <span>{option}</span>)}
          {options.length > 3 && <span>+{options.length - 3}</span>}
        </div>
      )}
      {branches.length > 0 && (
        <footer class={branches.length > 1 ? "many" : ""}>
          {branches.map((branch) => (
            <span class="way" data-taken={data.edges[branch] === "taken"} data-open={!(branch in data.edges)}>
              {branches.length > 1 && <em>{branch}</em>}
              <Handle type="source" position={Position.Bottom} id={branch} />
            </span>
          ))}
        </footer>
      )}
    </div>
  );
});

interface LineData extends Record<string, unknown> {
  taken: boolean;
  why: string;
  count: number | null;
  jump: boolean;
  /** The way that the layout found, while nothing was moved by hand. */
  route: [number, number][] | null;
}

/** The layout's way between the handles, with round corners, and the middle of its longest piece. */
function routed(route: [number, number][], sourceX: number, sourceY: number, targetX: number, targetY: number): [string, number, number] {
  const points = route.map(([x, y]) => [x, y] as [number, number]);
  points[0] = [sourceX, sourceY];
  points[points.length - 1] = [targetX, targetY];
  if (points.length > 2) {
    points[1] = [sourceX, points[1][1]];
    points[points.length - 2] = [targetX, points[points.length - 2][1]];
  } else if (sourceX !== targetX) {
    const middle = (sourceY + targetY) / 2;
    points.splice(1, 0, [sourceX, middle], [targetX, middle]);
  }
  let path = `M${points[0][0]} ${points[0][1]}`;
  let [longest, x, y] = [-1, sourceX, sourceY];
  for (let at = 1; at < points.length; at++) {
    const [before, here, next] = [points[at - 1], points[at], points[at + 1]];
    const length = Math.abs(here[0] - before[0]) + Math.abs(here[1] - before[1]);
    if (length > longest) [longest, x, y] = [length, (here[0] + before[0]) / 2, (here[1] + before[1]) / 2];
    if (!next) {
      path += `L${here[0]} ${here[1]}`;
      continue;
    }
    const round = Math.min(14, length / 2, (Math.abs(next[0] - here[0]) + Math.abs(next[1] - here[1])) / 2);
    const towards = (to: [number, number]) => [here[0] + round * Math.sign(to[0] - here[0]), here[1] + round * Math.sign(to[1] - here[1])];
    const [from, on] = [towards(before), towards(next)];
    path += `L${from[0]} ${from[1]}Q${here[0]} ${here[1]} ${on[0]} ${on[1]}`;
  }
  return [path, x, y];
}

function Line({ id, sourceX, sourceY, targetX, targetY, data, selected, markerEnd, source, sourceHandleId }: EdgeProps<Edge<LineData>>) {
  const { taken, jump, count, why, route } = data!;
  const [path, x, y] = route && !jump
    ? routed(route, sourceX, sourceY, targetX, targetY)
    : getSmoothStepPath({ sourceX, sourceY, targetX, targetY, sourcePosition: Position.Bottom, targetPosition: Position.Top, borderRadius: 14, offset: 22 });
  return (
    <>
      <BaseEdge id={id} path={path} markerEnd={markerEnd} className={`line ${taken ? "taken" : ""} ${jump ? "jump" : ""} ${selected ? "picked" : ""}`} interactionWidth={22} />
      {!jump && (
        <EdgeLabelRenderer>
          <span class={`on-line nodrag nopan ${selected ? "picked" : ""}`} style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}>
            {count != null && <b class="count">{count}×</b>}
            {selected ? (
              <button type="button" class="line-button bad" aria-label="Remove this way" onClick={() => store.removeEdge(id)}><Icon d={glyph.trash} size={13} /></button>
            ) : (
              <button
                type="button"
                class="line-button"
                aria-label={`Add a component between ${source} and what follows`}
                title={why || "Add a component here"}
                onClick={(event: any) => {
                  event.stopPropagation();
                  store.set({ adding: { at: { from: source, branch: sourceHandleId ?? "next" }, x: event.clientX, y: event.clientY } });
                }}
              >
                <Icon d={glyph.plus} size={13} />
              </button>
            )}
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

const nodeTypes = { box: Box };
const edgeTypes = { line: Line };

/** Where everything lies: by hand where it was put, else by the crate's own layout. */
export function placesOf(doc: model.Doc, ports: (node: NodeDoc) => model.Ports): { places: Record<string, { x: number; y: number }>; routes: Record<string, [number, number][]> } {
  const sizes = doc.nodes.map((node) => sizeOf(node, ports(node).branches));
  const ways = doc.edges.map((edge) => {
    const from = model.nodeOf(doc, edge.from);
    return [edge.from, (from && model.branchOf(edge, ports(from))) ?? "", edge.to];
  });
  const jumps = doc.nodes.filter((node) => node.kind === "jump" && node.target).map((node) => [node.id, "", node.target]);
  const arranged = engine.arrange({ nodes: doc.nodes.map((node, place) => [node.id, sizes[place].width + 8, sizes[place].height + 14]), ways: [...ways, ...jumps.filter(([, , to]) => !before(doc, to))] });
  const places: Record<string, { x: number; y: number }> = {};
  for (const place of arranged.nodes) places[place.node] = { x: place.x, y: place.y };
  const byHand = new Set<string>();
  for (const node of doc.nodes) {
    if (typeof node.ui?.place?.x !== "number") continue;
    places[node.id] = node.ui.place;
    byHand.add(node.id);
  }
  const routes: Record<string, [number, number][]> = {};
  for (const way of arranged.ways) if (!byHand.size) routes[JSON.stringify([way.from, way.branch || "\u0000jump"])] = way.points;
  return { places, routes };
}

/** A jump back would push what it jumps to down: only those to what nothing else leads to count. */
const before = (doc: model.Doc, id: string) => doc.edges.some((edge) => edge.to === id);

// Where the boxes have to lie, for tests that wait until they do.
(window as any).chatflow.places = () => placesOf(store.get().doc!, store.portsOf).places;

function Canvas() {
  const doc = use((state) => state.doc)!;
  const checked = use((state) => state.checked);
  const selected = use((state) => state.selected);
  const edge = use((state) => state.edge);
  const talk = use((state) => state.talk);
  const person = use((state) => state.person);
  const heat = use((state) => state.heat);
  const panel = use((state) => state.panel);
  const fit = use((state) => state.fit);
  const theme = use((state) => state.theme);
  const sheet = use((state) => state.sheet);
  const flow = useReactFlow();
  const ready = useNodesInitialized();
  const wrap = useRef<HTMLDivElement>(null);

  const { places, routes } = useMemo(() => placesOf(doc, store.portsOf), [doc]);
  const shown = talk && panel !== "heat" ? talk.people[person] : null;
  const trace = useMemo(() => (shown?.journal ? traceOf(shown.journal, shown.session, talk.flow) : null), [talk, person, panel]);
  const hot = panel === "heat" ? heat : null;

  const nodes: Node<BoxData>[] = useMemo(() => {
    const most = Math.max(1, ...(hot?.nodes ?? []).map((count: any) => count.visits));
    return doc.nodes.map((node) => {
      const ports = store.portsOf(node);
      const { branches } = ports;
      const size = sizeOf(node, branches);
      const own = checked.issues.filter((issue) => issue.node === node.id);
      const led: Record<string, string> = {};
      for (const branch of branches) {
        if (model.targetOf(doc, node.id, branch, ports)) led[branch] = trace?.taken.has(JSON.stringify([node.id, branch])) ? "taken" : "led";
      }
      const count = hot?.nodes.find((count: any) => count.node === node.id);
      const left = count ? Object.values(count.branches as Record<string, number>).reduce((sum, times) => sum + times, 0) : 0;
      const info = kindInfo(node.kind);
      return {
        id: node.id,
        type: "box",
        position: places[node.id] ?? { x: 0, y: 0 },
        selected: selected.includes(node.id),
        ariaLabel: `${node.name || node.id}, ${info.title}${own.length ? `, ${own.length} issues` : ""}${trace?.current === node.id ? ", the session is here" : ""}`,
        width: size.width,
        height: size.height,
        measured: size,
        data: {
          node, branches, edges: led, ...size,
          faults: {
            errors: own.filter((issue) => issue.severity === "error").length,
            warnings: own.filter((issue) => issue.severity === "warning").length,
            first: own[0]?.message ?? "",
          },
          visited: trace?.visited.has(node.id) ?? false,
          current: trace?.current === node.id,
          ended: trace?.ended ?? false,
          aside: (trace != null && trace.current != null && !trace.visited.has(node.id)),
          heat: hot ? { visits: count?.visits ?? 0, share: Math.sqrt((count?.visits ?? 0) / most), drop: Math.max(0, (count?.visits ?? 0) - left) } : null,
        },
      };
    });
  }, [doc, checked, places, selected, trace, hot]);

  const edges: Edge<LineData>[] = useMemo(() => {
    const lines = doc.edges.flatMap((way): Edge<LineData>[] => {
      const from = model.nodeOf(doc, way.from);
      if (!from || !model.nodeOf(doc, way.to)) return [];
      const ports = store.portsOf(from);
      const branch = model.branchOf(way, ports);
      if (branch == null || !ports.branches.includes(branch)) return [];
      const id = JSON.stringify([way.from, branch]);
      const taken = trace?.taken.has(id) ?? false;
      const count = hot?.nodes.find((count: any) => count.node === way.from)?.branches[branch];
      return [{
        id, source: way.from, target: way.to, sourceHandle: branch, targetHandle: "in", type: "line", selected: edge === id,
        ariaLabel: `${branch} from ${way.from} to ${way.to}`,
        // React's name for it is not an attribute of SVG: without this one, keys do not reach the line.
        domAttributes: { tabindex: 0 } as any,
        markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: taken ? "var(--accent)" : "var(--line)" },
        zIndex: taken ? 1 : 0,
        data: { taken, why: trace?.taken.get(id) ?? "", count: hot ? count ?? 0 : null, jump: false, route: routes[id] ?? null },
      }];
    });
    const jumps = doc.nodes.flatMap((node): Edge<LineData>[] => {
      if (node.kind !== "jump" || !node.target || !model.nodeOf(doc, node.target)) return [];
      const id = JSON.stringify([node.id, "\u0000jump"]);
      const taken = trace?.taken.has(id) ?? false;
      return [{
        id, source: node.id, target: node.target, sourceHandle: store.branchesOf(node)[0], targetHandle: "in", type: "line", selectable: false,
        ariaLabel: `jump from ${node.id} to ${node.target}`,
        markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: taken ? "var(--accent)" : "var(--line)" },
        data: { taken, why: "", count: null, jump: true, route: routes[id] ?? null },
      }];
    });
    return [...lines, ...jumps];
  }, [doc, checked, edge, trace, hot]);

  useEffect(() => {
    // A canvas that is not shown has no size to fit into.
    if (!wrap.current?.clientWidth) return;
    const later = setTimeout(() => flow.fitView(FIT), 30);
    return () => clearTimeout(later);
  }, [fit, ready, sheet]);

  // The diagram follows the talk: where the session is, is brought into sight.
  useEffect(() => {
    if (!trace?.current || panel !== "talk") return;
    const place = places[trace.current];
    const node = model.nodeOf(doc, trace.current);
    if (!place || !node || !wrap.current?.clientWidth) return;
    const size = sizeOf(node, store.branchesOf(node));
    const { zoom, x, y } = flow.getViewport();
    const [left, top] = [place.x * zoom + x, place.y * zoom + y];
    const { clientWidth, clientHeight } = wrap.current;
    const inside = left > 0 && top > 0 && left + size.width * zoom < clientWidth && top + size.height * zoom < clientHeight;
    if (!inside) flow.setCenter(place.x + size.width / 2, place.y + size.height / 2, { zoom, duration: 450 });
  }, [trace?.current]);

  const live = useRef<Record<string, { x: number; y: number }>>({});
  const held = useRef(false);
  const pressed = useRef<string[]>([]);
  const drawn = useRef(nodes);
  drawn.current = nodes.map((node) => (live.current[node.id] ? { ...node, position: live.current[node.id] } : node));

  const onNodesChange = (changes: NodeChange<Node<BoxData>>[]) => {
    const picks = changes.filter((change) => change.type === "select");
    if (picks.length) {
      const next = new Set(store.get().selected);
      for (const pick of picks) pick.selected ? next.add(pick.id) : next.delete(pick.id);
      store.set({ selected: [...next], ...(next.size ? { edge: null } : {}) });
    }
    const moves = changes.filter((change) => change.type === "position");
    if (!moves.length) return;
    if (moves.some((move) => move.dragging)) held.current = true;
    const begun = !held.current || Object.keys(live.current).length > 0 || moves.some((move) => move.position && far(places[move.id], move.position, flow.getZoom()));
    if (begun) for (const move of moves) if (move.position) live.current[move.id] = move.position;
    if (moves.some((move) => move.dragging === false)) {
      const places = { ...live.current };
      live.current = {};
      held.current = false;
      if (Object.keys(places).length) store.edit((doc) => model.moved(doc, places));
    } else if (begun) {
      store.set({});
      force();
    }
  };
  const [, force] = useForce();

  return (
    <div
      class="canvas"
      ref={wrap}
      onPointerDownCapture={() => { pressed.current = store.get().selected; }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const kind = event.dataTransfer?.getData("application/x-chatflow");
        if (!kind) return;
        const line = (document.elementsFromPoint(event.clientX, event.clientY).find((element) => element.closest(".react-flow__edge")) as Element | undefined)?.closest(".react-flow__edge");
        const id = line?.getAttribute("data-id");
        const at = id && !id.includes("\\u0000") ? JSON.parse(id) : null;
        const place = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
        store.addNode(kind, at ? { from: at[0], branch: at[1] } : null, at ? undefined : { x: place.x - WIDTH / 2, y: place.y - 24 });
      }}
    >
      <ReactFlow
        nodes={drawn.current}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        colorMode={theme}
        onNodesChange={onNodesChange}
        onNodeClick={(event, node) => {
          // With a key held it is one more, or one less: by the click itself, as React Flow sees the key a frame later.
          if (!event.shiftKey && !event.ctrlKey && !event.metaKey) return store.set({ selected: [node.id], edge: null, panel: "configure" });
          const others = pressed.current.filter((id) => id !== node.id);
          store.set({ selected: others.length < pressed.current.length ? others : [...others, node.id], edge: null });
        }}
        onEdgesChange={(changes) => {
          for (const change of changes) {
            if (change.type !== "select") continue;
            if (change.selected) store.set({ edge: change.id, selected: [] });
            else if (store.get().edge === change.id) store.set({ edge: null });
          }
        }}
        onEdgeClick={(_, line) => line.selectable !== false && store.set({ edge: line.id, selected: [] })}
        onPaneClick={() => store.set({ selected: [], edge: null, adding: null })}
        onConnect={({ source, sourceHandle, target }) => store.connect(source, sourceHandle ?? "next", target)}
        onConnectEnd={(event, state) => {
          if (state.toNode || !state.fromNode || state.fromHandle?.type !== "source") return;
          const point = "changedTouches" in event ? event.changedTouches[0] : event;
          store.set({ adding: { at: { from: state.fromNode.id, branch: state.fromHandle.id ?? "next" }, x: point.clientX, y: point.clientY } });
        }}
        isValidConnection={({ target }) => model.nodeOf(doc, target ?? "")?.kind !== "start"}
        deleteKeyCode={null}
        multiSelectionKeyCode={["Shift", "Meta", "Control"]}
        selectionKeyCode="Shift"
        minZoom={0.15}
        maxZoom={1.8}
        fitView
        fitViewOptions={FIT}
        proOptions={{ hideAttribution: true }}
        nodeDragThreshold={0}
        nodeClickDistance={SHAKE}
        zoomOnDoubleClick={false}
        aria-label="The flow"
      >
        <Background variant={BackgroundVariant.Dots} gap={22} size={1.400} color="var(--dots)" />
        <MiniMap style={{ width: 150, height: 104 }} pannable zoomable ariaLabel="Map of the flow" nodeColor={(node: any) => `var(--${kindInfo(node.data.node.kind).group})`} nodeBorderRadius={14} />
      </ReactFlow>
      <div class="tools" role="toolbar" aria-label="Canvas">
        <Button icon={glyph.plus} label="Zoom in" onClick={() => flow.zoomIn({ duration: 150 })} />
        <Button icon={glyph.minus} label="Zoom out" onClick={() => flow.zoomOut({ duration: 150 })} />
        <Button icon={glyph.fit} label="Fit the whole flow" onClick={() => flow.fitView({ ...FIT, duration: 250 })} />
        <Button icon={glyph.tidy} label="Lay out anew" onClick={() => { store.edit(model.tidied); store.set({ fit: store.get().fit + 1 }); }} />
      </div>
    </div>
  );
}

const useForce = () => useReducer<number, void>((count) => count + 1, 0);

export const CanvasView = () => (
  <ReactFlowProvider>
    <Canvas />
  </ReactFlowProvider>
);
