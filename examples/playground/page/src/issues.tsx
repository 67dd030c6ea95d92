// The issues of the flow, and the repairs that are certain.

import type { Issue } from "./engine";
import { Button, Icon, glyph } from "./icons";
import * as model from "./model";
import * as store from "./store";
import { use } from "./store";

interface Fix { label: string; apply: (doc: model.Doc) => model.Doc }

/** A repair that follows from the issue alone; none where the author has to decide. */
export function fixOf(issue: Issue, doc: model.Doc): Fix | null {
  const path = model.steps(issue.path);
  const meant = /did you mean "([^"]+)"\?/.exec(issue.message)?.[1];
  if (meant) return { label: `Write “${meant}”`, apply: (doc) => model.put(doc, path, meant) };
  switch (issue.code) {
    case "unknown_field":
      return { label: `Remove ${path.at(-1)}`, apply: (doc) => model.put(doc, path, undefined) };
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
    case "unreachable":
      return issue.node ? { label: "Remove the node", apply: (doc) => model.withoutNodes(doc, [issue.node!]) } : null;
    case "missing_else":
    case "dead_end": {
      const branch = issue.code === "missing_else" ? "else" : /branch "([^"]+)"/.exec(issue.message)?.[1];
      const node = issue.node && model.nodeOf(doc, issue.node);
      if (!branch || !node) return null;
      return {
        label: `End at “${branch}”`,
        apply: (doc) => {
          const end = doc.nodes.find((node) => node.kind === "end");
          const branches = store.branchesOf(node);
          return end ? model.connected(doc, node.id, branch, end.id, branches) : model.withNode(doc, model.freshNode(doc, "end"), { from: node.id, branch }, store.branchesOf);
        },
      };
    }
    case "no_entry":
      return {
        label: "Add a start",
        apply: (doc) => {
          const led = new Set(doc.edges.map((edge) => edge.to));
          const first = doc.nodes.find((node) => !led.has(node.id));
          const id = model.freeId(doc, "start");
          return { ...doc, nodes: [{ id, kind: "start" }, ...doc.nodes], edges: first ? [{ from: id, to: first.id }, ...doc.edges] : doc.edges };
        },
      };
    case "undeclared_variable": {
      const name = /`(\w+)`/.exec(issue.message)?.[1];
      const at = doc.nodes.findIndex((node) => node.kind === "start");
      if (!name || at < 0) return null;
      return { label: `Declare ${name} as an input`, apply: (doc) => model.withFields(doc, doc.nodes[at].id, (start) => ({ ...start, inputs: [...(start.inputs ?? []), { name, type: "any" }] })) };
    }
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
                <button type="button" class="link place" onClick={() => node ? store.set({ selected: [node.id], edge: null, panel: "configure" }) : store.set({ panel: "flow" })}>
                  {node ? node.name || node.id : issue.path || "The flow"}
                </button>
              )}
              <p>{sentence(issue.message)}</p>
              <p class="fix">{sentence(issue.fix)}</p>
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

const sentence = (text: string) => text.replace(/^./, (first) => first.toUpperCase()).replace(/[^.?!]$/, "$&.");

export function Issues() {
  const { issues } = use((state) => state.checked);
  const summary = use((state) => state.summary);
  const shown = issues.filter((issue) => issue.code !== "unbound_account" || !summary?.accounts.length);
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
