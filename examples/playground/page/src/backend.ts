// Where flows are kept: in this page, or on a service that is named by `?api=`. One interface.

import { engine, Failure } from "./engine";

export interface Account { channel: string; account: string }

export interface FlowSummary {
  flow: string;
  name: string;
  remark: string | null;
  state: "published" | "unpublished";
  online: number | null;
  versions: { version: number; state: unknown; published_at: string; published_by?: string }[];
  logging: boolean;
  accounts: Account[];
  /** The names that accounts go by with people. */
  account_names: { account: Account; name: string }[];
  revision: number;
  trigger: any;
  nodes: number;
  changed: boolean;
}

export interface Creation {
  code: string;
  name?: string;
  remark?: string;
  trigger?: string;
  /** The code of a template, with its text in `json`. */
  template?: string;
  json?: string;
  as?: "written";
}

export interface Backend {
  readonly isService: boolean;
  list(): Promise<FlowSummary[]>;
  create(what: Creation): Promise<FlowSummary>;
  read(code: string, version?: number): Promise<{ json: string; flow: FlowSummary }>;
  save(code: string, json: string, revision: number): Promise<FlowSummary>;
  /** Puts the draft online that was saved at this revision; whichever there is, if none is given. */
  publish(code: string, revision?: number): Promise<FlowSummary>;
  unpublish(code: string): Promise<FlowSummary>;
  rollBack(code: string, version: number): Promise<FlowSummary>;
  change(code: string, what: Partial<Pick<FlowSummary, "name" | "remark" | "logging" | "accounts" | "account_names">>): Promise<FlowSummary>;
  delete(code: string): Promise<void>;
  sessions?(code: string): Promise<any[]>;
  journal?(session: string): Promise<any>;
  counts?(code: string): Promise<any[]>;
  inbox?(): Promise<any[]>;
  handBack?(contact: string, vars: unknown): Promise<void>;
  /** True if it has a model that drafts flows. */
  drafts?(): Promise<boolean>;
  /** Has its model draft a flow, and tells each event of that, round by round. */
  draft?(requirement: string, tell: (event: string, what: any) => void): Promise<void>;
  /** Flows that are kept and cannot be read, as they are kept. */
  unread?(): { code: string; text: string }[];
  /** Calls back whenever another page has changed flows. */
  watch?(changed: () => void): void;
  /** Calls back whenever something happens; what it answers ends that. */
  listen?(happened: () => void): () => void;
}

/** One key for each flow, so that two pages do not overwrite each other's. */
const FLOW = "chatflow.flow.";
/** All flows in one list, as they were kept before. */
const SHELF = "chatflow.flows";

interface KeptVersion { json: string; published_at: string }

/** A flow as it is kept between visits. */
interface Kept {
  code: string;
  json: string;
  /** All versions, the first one first. */
  versions: KeptVersion[];
  online: number | null;
  accounts: Account[];
  account_names?: FlowSummary["account_names"];
  logging: boolean;
  name: string | null;
  remark: string | null;
  /** Counts the drafts that were saved, by whichever page. */
  revision: number;
}

/** Flows in this page: on the engine's own flow store, and in the browser's storage between visits. */
export class LocalBackend implements Backend {
  readonly isService = false;
  private desk = engine.desk();
  /** What is kept of each flow, and its text as this page read or wrote it last. */
  private kept = new Map<string, { text: string; flow: Kept }>();
  /** Texts that cannot be read: they stay as they are. */
  private broken = new Map<string, string>();

  constructor() {
    this.moveShelf();
    this.sync();
  }

  /** Gives each flow of the old list a key of its own. */
  private moveShelf() {
    const text = localStorage.getItem(SHELF);
    if (text == null) return;
    try {
      for (const { online, ...old } of JSON.parse(text)) {
        const versions = online == null ? [] : [{ json: online, published_at: new Date().toISOString() }];
        const flow: Kept = { name: null, ...old, versions, online: online == null ? null : 1, revision: 1 };
        if (localStorage.getItem(FLOW + flow.code) == null) localStorage.setItem(FLOW + flow.code, JSON.stringify(flow));
      }
      localStorage.removeItem(SHELF);
    } catch {
      this.broken.set(SHELF, text);
    }
  }

  /** Takes over what another page has kept since. */
  private sync() {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(FLOW));
    const codes = new Set(keys.map((key) => key.slice(FLOW.length)));
    for (const code of [...this.kept.keys()]) if (!codes.has(code)) this.drop(code);
    for (const code of [...this.broken.keys()]) if (code !== SHELF && !codes.has(code)) this.broken.delete(code);
    for (const code of codes) {
      const text = localStorage.getItem(FLOW + code)!;
      if (this.kept.get(code)?.text === text || this.broken.get(code) === text) continue;
      this.drop(code);
      try {
        this.restore(JSON.parse(text));
        this.kept.set(code, { text, flow: JSON.parse(text) });
        this.broken.delete(code);
      } catch (error) {
        console.info(`the flow ${code} cannot be read, and stays as it is kept`, error);
        this.broken.set(code, text);
        this.erase(code);
      }
    }
  }

  private drop(code: string) {
    if (this.kept.delete(code)) this.erase(code);
  }

  /** Out of the engine, whatever its state there. */
  private erase(code: string) {
    const found = this.desk({ do: "list" }).find((flow: FlowSummary) => flow.flow === code);
    if (!found) return;
    if (found.online != null) this.desk({ do: "unpublish", code });
    this.desk({ do: "delete", code });
  }

  private restore(kept: Kept) {
    const { code } = kept;
    const [first = { json: kept.json }] = kept.versions;
    this.desk({ do: "create", code, json: first.json, as: "written" });
    if (kept.accounts.length) this.desk({ do: "change", code, accounts: kept.accounts });
    for (const { json } of kept.versions) {
      this.desk({ do: "create", code, json, as: "written" });
      this.desk({ do: "publish", code });
    }
    const last = kept.versions.length || null;
    if (kept.online == null && last) this.desk({ do: "unpublish", code });
    else if (kept.online != null && kept.online !== last) this.desk({ do: "roll_back", code, version: kept.online });
    this.desk({ do: "create", code, json: kept.json, as: "written" });
    this.desk({ do: "change", code, logging: kept.logging, account_names: kept.account_names ?? [], ...(kept.name ? { name: kept.name } : {}), ...(kept.remark ? { remark: kept.remark } : {}) });
  }

  /** Keeps a flow as the engine has it now. */
  private keep(code: string) {
    const { json, flow } = this.desk({ do: "read", code });
    const before = this.kept.get(code)?.flow;
    const versions = flow.versions.map(({ version, published_at }: FlowSummary["versions"][number]): KeptVersion =>
      before?.versions[version - 1] ?? { json: this.desk({ do: "read", code, version }).json, published_at });
    const next: Kept = {
      code, json, versions, online: flow.online, accounts: flow.accounts, account_names: flow.account_names, logging: flow.logging, name: flow.name, remark: flow.remark,
      revision: (before?.revision ?? 0) + (before?.json === json ? 0 : 1),
    };
    const text = JSON.stringify(next);
    localStorage.setItem(FLOW + code, text);
    this.kept.set(code, { text, flow: next });
  }

  /** A flow as the engine has it, with what is counted here. */
  private summary(flow: FlowSummary): FlowSummary {
    const kept = this.kept.get(flow.flow)?.flow;
    if (!kept) return flow;
    const versions = flow.versions.map((version) => ({ ...version, published_at: kept.versions[version.version - 1]?.published_at ?? version.published_at }));
    return { ...flow, versions, revision: kept.revision };
  }

  private did(code: string, request: object, of: (answer: any) => FlowSummary = (answer) => answer): FlowSummary {
    const answer = of(this.desk(request));
    this.keep(code);
    return this.summary(answer);
  }

  /** Refuses what was made of another draft than the one that is kept. */
  private fresh(code: string, revision: number) {
    if (this.kept.get(code)?.flow.revision !== revision) throw new Failure("stale", `${code} was changed in another window`, [], 412);
  }

  async list() {
    this.sync();
    return this.desk({ do: "list" }).map((flow: FlowSummary) => this.summary(flow));
  }
  async create({ remark, template: _, ...what }: Creation) {
    this.sync();
    if (this.broken.has(what.code)) throw new Failure("code", `A flow with the code ${what.code} is kept that cannot be read`);
    const made = this.did(what.code, { do: "create", ...what }, (answer) => answer.flow);
    const rest = { ...(what.name && !what.trigger ? { name: what.name } : {}), ...(remark ? { remark } : {}) };
    return Object.keys(rest).length ? this.change(made.flow, rest) : made;
  }
  async read(code: string, version?: number) {
    this.sync();
    const { json, flow } = this.desk({ do: "read", code, version: version ?? null });
    return { json, flow: this.summary(flow) };
  }
  async save(code: string, json: string, revision: number) {
    this.sync();
    this.fresh(code, revision);
    const { flow } = this.desk({ do: "read", code });
    return this.did(code, { do: "save", code, json, revision: flow.revision }, (answer) => answer.flow);
  }
  async publish(code: string, revision?: number) {
    this.sync();
    if (revision !== undefined) this.fresh(code, revision);
    return this.did(code, { do: "publish", code });
  }
  async unpublish(code: string) {
    this.sync();
    return this.did(code, { do: "unpublish", code });
  }
  async rollBack(code: string, version: number) {
    this.sync();
    return this.did(code, { do: "roll_back", code, version });
  }
  async change(code: string, what: object) {
    this.sync();
    return this.did(code, { do: "change", code, ...what });
  }
  async delete(code: string) {
    this.sync();
    this.desk({ do: "delete", code });
    localStorage.removeItem(FLOW + code);
    this.kept.delete(code);
  }
  unread() {
    return [...this.broken].map(([code, text]) => ({ code, text }));
  }
  watch(changed: () => void) {
    addEventListener("storage", ({ key }) => (key == null || key.startsWith(FLOW)) && changed());
  }
}
