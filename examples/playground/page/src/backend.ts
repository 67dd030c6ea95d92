// Where flows are kept: in this page, or on a service that is named by `?api=`. One interface.

import { engine } from "./engine";

export interface FlowSummary {
  flow: string;
  name: string;
  remark: string | null;
  state: "published" | "unpublished";
  online: number | null;
  versions: { version: number; state: unknown; published_at: string; published_by?: string }[];
  logging: boolean;
  accounts: { channel: string; account: string }[];
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
  publish(code: string): Promise<FlowSummary>;
  unpublish(code: string): Promise<FlowSummary>;
  rollBack(code: string, version: number): Promise<FlowSummary>;
  change(code: string, what: Partial<Pick<FlowSummary, "name" | "remark" | "logging" | "accounts">>): Promise<FlowSummary>;
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
  /** Calls back whenever something happens; what it answers ends that. */
  listen?(happened: () => void): () => void;
}

const SHELF = "chatflow.flows";

interface Kept {
  code: string;
  json: string;
  online: string | null;
  accounts: FlowSummary["accounts"];
  logging: boolean;
  remark: string | null;
}

/** Flows in this page: on the engine's own flow store, and on the browser's shelf between visits. */
export class LocalBackend implements Backend {
  readonly isService = false;
  private desk = engine.desk();

  constructor() {
    let shelf: Kept[] = [];
    try {
      shelf = JSON.parse(localStorage.getItem(SHELF) ?? "[]");
    } catch {
      // A shelf that cannot be read is an empty one.
    }
    for (const kept of shelf) this.restore(kept);
  }

  private restore(kept: Kept) {
    try {
      if (kept.online != null) {
        this.desk({ do: "create", code: kept.code, json: kept.online, as: "written" });
        if (kept.accounts.length) this.desk({ do: "change", code: kept.code, accounts: kept.accounts });
        this.desk({ do: "publish", code: kept.code });
      }
      this.desk({ do: "create", code: kept.code, json: kept.json, as: "written" });
      if (kept.online == null && kept.accounts.length) {
        this.desk({ do: "change", code: kept.code, accounts: kept.accounts });
      }
      this.desk({ do: "change", code: kept.code, logging: kept.logging, ...(kept.remark ? { remark: kept.remark } : {}) });
    } catch (error) {
      console.warn(`the flow ${kept.code} could not be taken from the shelf`, error);
    }
  }

  private keep() {
    const shelf = this.desk({ do: "list" }).map((flow: FlowSummary): Kept => ({
      code: flow.flow,
      json: this.desk({ do: "read", code: flow.flow }).json,
      online: flow.online == null ? null : this.desk({ do: "read", code: flow.flow, version: flow.online }).json,
      accounts: flow.accounts,
      logging: flow.logging,
      remark: flow.remark,
    }));
    localStorage.setItem(SHELF, JSON.stringify(shelf));
  }

  private async did(request: unknown, of: (answer: any) => FlowSummary = (answer) => answer): Promise<FlowSummary> {
    const answer = this.desk(request);
    this.keep();
    return of(answer);
  }

  async list() {
    return this.desk({ do: "list" });
  }
  async create({ remark, ...what }: Creation) {
    const made = await this.did({ do: "create", ...what }, (answer) => answer.flow);
    const rest = { ...(what.name && !what.trigger ? { name: what.name } : {}), ...(remark ? { remark } : {}) };
    return Object.keys(rest).length ? this.change(made.flow, rest) : made;
  }
  async read(code: string, version?: number) {
    return this.desk({ do: "read", code, version: version ?? null });
  }
  save(code: string, json: string, revision: number) {
    return this.did({ do: "save", code, json, revision }, (answer) => answer.flow);
  }
  publish(code: string) {
    return this.did({ do: "publish", code });
  }
  unpublish(code: string) {
    return this.did({ do: "unpublish", code });
  }
  rollBack(code: string, version: number) {
    return this.did({ do: "roll_back", code, version });
  }
  change(code: string, what: object) {
    return this.did({ do: "change", code, ...what });
  }
  async delete(code: string) {
    this.desk({ do: "delete", code });
    this.keep();
  }
}
