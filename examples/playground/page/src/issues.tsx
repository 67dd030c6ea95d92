// The issues of the flow, and the repairs that are certain.

import type { Issue, Repair } from "./engine";
import { Button, Icon, glyph } from "./icons";
import * as model from "./model";
import * as store from "./store";
import { use } from "./store";
import { said, sentence } from "./words";

interface Fix { label: string; apply: (doc: model.Doc) => model.Doc }

/** Texts with another name where they read it: in a template between its braces, in an expression anywhere. */
function reworded(value: model.Json, name: string, to: string): model.Json {
  if (typeof value === "string") {
    const whole = new RegExp(`(?<![\\w.])${name.replaceAll(".", "\\s*\\.\\s*")}(?!\\w)`, "g");
    const isTemplate = /\{\{|\{%/.test(value);
    return isTemplate ? value.replaceAll(/\{\{[^]*?\}\}|\{%[^]*?%\}/g, (part) => part.replaceAll(whole, to)) : value.replaceAll(whole, to);
  }
  if (Array.isArray(value)) return value.map((part) => reworded(part, name, to));
  if (!value || typeof value !== "object" || model.shown(value) !== value) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, reworded(part, name, to)]));
}

/** What the engine tells of a repair, as a press of a button; none if it would change nothing. */
function told(repair: Repair, issue: Issue, doc: model.Doc): Fix | null {
  const fix = pressed(repair, issue, doc);
  return fix && JSON.stringify(fix.apply(doc)) !== JSON.stringify(doc) ? fix : null;
}

function pressed(repair: Repair, issue: Issue, doc: model.Doc): Fix | null {
  switch (repair.do) {
    case "replace":
      return { label: `Write “${repair.with}”`, apply: (doc) => model.put(doc, model.steps(repair.path), repair.with) };
    case "rename":
      return { label: `Rename it to “${repair.to}”`, apply: (doc) => model.rekeyed(doc, model.steps(repair.path), repair.to) };
    case "remove":
      return { label: `Remove ${model.steps(repair.path).at(-1)}`, apply: (doc) => model.put(doc, model.steps(repair.path), undefined) };
    case "reword": {
      const path = model.steps(repair.path);
      return { label: `Read “${repair.to}”`, apply: (doc) => model.put(doc, path, reworded(model.at(doc, path), repair.name, repair.to)) };
    }
    case "declare": {
      const start = model.nodesOf(doc).find((node) => node.kind === "start");
      const declared = (node: model.NodeDoc) => ({ ...node, inputs: [...model.list(node.inputs), { name: repair.input, type: "any" }] });
      return start ? { label: `Declare ${repair.input} as an input`, apply: (doc) => model.withFields(doc, start.id, declared) } : null;
    }
    case "lead": {
      const node = issue.node && model.nodeOf(doc, issue.node);
      if (!node) return null;
      const { branch } = repair;
      return {
        label: `End at “${branch}”`,
        apply: (doc) => {
          const end = model.nodesOf(doc).find((node) => node.kind === "end");
          return end ? model.connected(doc, node.id, branch, end.id, store.portsOf(node)) : model.withNode(doc, model.freshNode(doc, "end"), { from: node.id, branch }, store.portsOf);
        },
      };
    }
  }
}

/** A repair that follows from the issue alone; none where the author has to decide. */
export function fixOf(issue: Issue, doc: model.Doc): Fix | null {
  const path = model.steps(issue.path);
  if (issue.repair) return told(issue.repair, issue, doc);
  switch (issue.code) {
    case "missing_field":
      return issue.path === "spec" ? { label: "Write 1", apply: (doc) => ({ ...doc, spec: 1 }) } : null;
    case "bad_spec":
      return { label: "Write 1", apply: (doc) => ({ ...doc, spec: 1 }) };
    case "duplicate_edge":
    case "unknown_branch":
    case "edge_from_nowhere":
    case "timeout_branch":
      return typeof path[1] === "number" && path[0] === "edges" ? { label: "Remove the way", apply: (doc) => ({ ...doc, edges: doc.edges.filter((_, at) => at !== path[1]) }) } : null;
    case "edge_to_nowhere":
      return path[0] === "edges" && typeof path[1] === "number" ? { label: "Remove the way", apply: (doc) => ({ ...doc, edges: doc.edges.filter((_, at) => at !== path[1]) }) } : null;
    case "duplicate_node": {
      if (path[0] !== "nodes" || typeof path[1] !== "number") return null;
      const id = model.freeId(doc, model.at(doc, path.slice(0, 2))?.kind);
      return { label: `Call the second one “${id}”`, apply: (doc) => model.put(doc, path, id) };
    }
    case "unreachable":
      return issue.node ? { label: "Remove the node", apply: (doc) => model.withoutNodes(doc, [issue.node!]) } : null;
    case "no_entry":
      return {
        label: "Add a start",
        apply: (doc) => {
          const led = new Set(model.edgesOf(doc).map((edge) => edge.to));
          const first = model.nodesOf(doc).find((node) => !led.has(node.id));
          const id = model.freeId(doc, "start");
          return { ...doc, nodes: [{ id, kind: "start" }, ...doc.nodes], edges: first ? [{ from: id, to: first.id }, ...doc.edges] : doc.edges };
        },
      };
    case "no_sender":
      return { label: "Send from WhatsApp +15550100", apply: (doc) => ({ ...doc, settings: { ...doc.settings, sender: { channel: "whatsapp", account: "+15550100" } } }) };
    default:
      return null;
  }
}

export function IssueList({ issues, short }: { issues: Issue[]; short?: boolean }) {
  const doc = use((state) => state.doc)!;
  return (
    <ul class="issues">
      {issues.map((issue) => {
        const fix = fixOf(issue, doc);
        const node = issue.node && model.nodeOf(doc, issue.node);
        return (
          <li class={issue.severity}>
            <Icon d={issue.severity === "error" ? glyph.error : glyph.warn} size={17} />
            <div>
              {!short && (
                <button type="button" class="link where" onClick={() => node ? store.set({ selected: [node.id], edge: null, panel: "configure" }) : store.set({ panel: "flow" })}>
                  {node ? model.titleOf(node) : issue.path || "The flow"}
                </button>
              )}
              <p>{said(sentence(issue.message))}</p>
              <p class="fix">{said(sentence(issue.fix))}</p>
              <div class="issue-foot">
                {fix && <Button class="small" tone="soft" icon={glyph.check} onClick={() => store.edit(fix.apply)}>{fix.label}</Button>}
                <code>{issue.code}</code>
                {!short && issue.line != null && <small>line {issue.line}</small>}
              </div>
            </div>
          </li>
        );
      })}
    </ul>
  );
}

/** The issues of the flow as it is: an account that is bound is none. */
function useIssues(): Issue[] {
  const { issues } = use((state) => state.checked);
  const summary = use((state) => state.summary);
  return issues.filter((issue) => issue.code !== "unbound_account" || !summary?.accounts.length);
}

export function useIssueCount(): { count: number; errors: boolean } {
  const issues = useIssues();
  return { count: issues.length, errors: issues.some((issue) => issue.severity === "error" && issue.code !== "unbound_account") };
}

export function Issues() {
  const shown = useIssues();
  const errors = shown.filter((issue) => issue.severity === "error");
  if (!shown.length) {
    return (
      <div class="empty">
        <span class="empty-art good"><Icon d={glyph.check} size={30} /></span>
        <h2>Nothing is wrong</h2>
        <p>The flow can be published. Whatever an edit breaks shows here at once, with how to repair it.</p>
      </div>
    );
  }
  return (
    <div class="form">
      <h2>{errors.length ? `${errors.length} ${errors.length === 1 ? "error keeps" : "errors keep"} it from running` : `${shown.length} ${shown.length === 1 ? "warning" : "warnings"}`}</h2>
      <IssueList issues={[...errors, ...shown.filter((issue) => issue.severity !== "error")]} />
    </div>
  );
}
