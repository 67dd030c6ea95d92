// The flow as it is drawn: boxes with their branches, ways between them, what a session did.

import { useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { memo } from "preact/compat";
import {
  Background, BackgroundVariant, BaseEdge, EdgeLabelRenderer, Handle, MiniMap, Position, ReactFlow, ReactFlowProvider,
  getSmoothStepPath, getViewportForBounds, useReactFlow, useUpdateNodeInternals, useNodesInitialized, type Edge, type EdgeProps, type Node, type NodeChange, type NodeProps,
} from "@xyflow/react";
import { Button, Icon, glyph } from "./icons";
import { kindInfo } from "./kinds";
import * as model from "./model";
import * as store from "./store";
import { use } from "./store";
import { WIDTH, boundsOf, boxesOf, linesOf, placesOf, sizeOf, traceOf, type BoxData, type Drawn, type LineData, type Seen } from "./drawing";

/** The flow in sight, above the tools. */
const PADDING = { top: 0.06, left: 0.06, right: 0.06, bottom: "84px" } as const;

/** How small the whole of a flow may be drawn; below, its letters are no more than dots. */
const SMALLEST = 0.1;
/** A flow that would be smaller than this is opened at its start, as large as it is read. */
const READABLE = 0.3;
const AT_START = 0.8;
/** Where a session is has to be read when the diagram follows it. */
const FOLLOWED = 0.6;

/**
 * How many pixels a press may shake and still be a click. The threshold of React Flow would swallow the
 * first move beyond it, which on a busy machine is the whole of a quick drag.
 */
const SHAKE = 4;
const far = (from: { x: number; y: number } | undefined, to: { x: number; y: number }, zoom: number) => !from || Math.hypot(to.x - from.x, to.y - from.y) * zoom > SHAKE;

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
          <b dir="auto">{model.titleOf(node)}</b>
          <small>{info.title}</small>
        </span>
        {data.faults.errors + data.faults.warnings > 0 && (
          <span class={`fault ${data.faults.errors ? "bad" : "warn"}`} title={data.faults.first}>
            <Icon d={data.faults.errors ? glyph.error : glyph.warn} size={15} />
          </span>
        )}
        {data.heat && <span class="count">{data.heat.visits}×</span>}
      </header>
      {text && <p dir="auto">{text}</p>}
      {options.length > 0 && (
        <div class="chips" aria-hidden="true">
          {options.slice(0, 3).map((option) => <span dir="auto">{option}</span>)}
          {options.length > 3 && <span>+{options.length - 3}</span>}
        </div>
      )}
      {branches.length > 0 && (
        <footer class={branches.length > 1 ? "many" : ""}>
          {branches.map((branch) => (
            <span class="way" data-taken={data.edges[branch] === "taken"} data-open={!(branch in data.edges)}>
              {branches.length > 1 && <em dir="auto">{branch}</em>}
              <Handle type="source" position={Position.Bottom} id={branch} />
            </span>
          ))}
        </footer>
      )}
    </div>
  );
});

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
      {jump && count != null && (
        <EdgeLabelRenderer>
          <span class="on-line" style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}><b class="count">{count}×</b></span>
        </EdgeLabelRenderer>
      )}
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

const MAP = { width: 150, height: 104 };
const groupColor = (node: Node) => `var(--${kindInfo((node.data as BoxData).node.kind).group})`;

/** As wide a stroke as makes each node at least two pixels high on the map. */
function mapStroke(nodes: Node<BoxData>[], routes: Record<string, [number, number][]>): number {
  const { width, height } = boundsOf(nodes, routes);
  return Math.max(2, 2 * Math.max(width / MAP.width, height / MAP.height) - 60);
}

const nodeTypes = { box: Box };
const edgeTypes = { line: Line };

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

  const seen: Seen = { doc, issues: checked.issues, places, routes, selected, edge, trace, hot };
  const boxes = useRef(new Map<string, Drawn<Node<BoxData>>>());
  const nodes = useMemo(() => boxesOf(seen, boxes.current), [doc, checked, places, selected, trace, hot]);
  const lines = useRef(new Map<string, Drawn<Edge<LineData>>>());
  const edges = useMemo(() => linesOf(seen, lines.current), [doc, places, edge, trace, hot]);

  /** Brings the flow into sight: the whole of it, or where it begins if the whole could not be read. */
  const frame = (least: number, duration = 0) => {
    if (!wrap.current?.clientWidth) return;
    const { clientWidth: width, clientHeight: height } = wrap.current;
    const bounds = boundsOf(nodes, routes);
    const view = getViewportForBounds(bounds, width, height, SMALLEST, 1, PADDING);
    const begin = nodes.find((node) => node.data.node.kind === "start") ?? nodes[0];
    if (view.zoom >= least || !begin) return void flow.setViewport(view, { duration });
    const { x, y } = begin.position;
    flow.setViewport({ x: width / 2 - (x + begin.data.width / 2) * AT_START, y: 40 - y * AT_START, zoom: AT_START }, { duration });
  };

  useEffect(() => {
    // A canvas that is not shown has no size to fit into.
    if (!wrap.current?.clientWidth) return;
    const later = setTimeout(() => frame(READABLE), 30);
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
    const near = Math.max(zoom, FOLLOWED);
    const [left, top] = [place.x * zoom + x, place.y * zoom + y];
    const { clientWidth, clientHeight } = wrap.current;
    const inside = left > 0 && top > 0 && left + size.width * zoom < clientWidth && top + size.height * zoom < clientHeight;
    if (!inside || zoom < READABLE) flow.setCenter(place.x + size.width / 2, place.y + size.height / 2, { zoom: near, duration: 450 });
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
        minZoom={SMALLEST}
        maxZoom={1.8}
        onlyRenderVisibleElements={nodes.length > store.MANY_NODES}
        proOptions={{ hideAttribution: true }}
        nodeDragThreshold={0}
        nodeClickDistance={SHAKE}
        zoomOnDoubleClick={false}
        aria-label="The flow"
      >
        <Background variant={BackgroundVariant.Dots} gap={22} size={1.400} color="var(--dots)" />
        <MiniMap style={{ width: MAP.width, height: MAP.height }} pannable zoomable ariaLabel="Map of the flow" nodeColor={groupColor} nodeStrokeColor={groupColor} nodeStrokeWidth={mapStroke(nodes, routes)} nodeBorderRadius={14} />
      </ReactFlow>
      <div class="tools" role="toolbar" aria-label="Canvas">
        <Button icon={glyph.plus} label="Zoom in" onClick={() => flow.zoomIn({ duration: 150 })} />
        <Button icon={glyph.minus} label="Zoom out" onClick={() => flow.zoomOut({ duration: 150 })} />
        <Button icon={glyph.fit} label="Fit the whole flow" onClick={() => frame(SMALLEST, 250)} />
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
