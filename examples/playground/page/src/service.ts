// Flows on a running service (`?api=ADDRESS`): the operator's API of examples/service.

import { Failure } from "./engine";
import { read as readDoc, write } from "./model";
import type { Backend, Creation, FlowSummary } from "./backend";

const TOKEN = "chatflow.token";

export class ServiceBackend implements Backend {
  readonly isService = true;
  private base: string;

  constructor(api: string) {
    this.base = new URL(api || ".", location.href).href.replace(/\/$/, "");
  }

  get token() {
    return sessionStorage.getItem(TOKEN) ?? "";
  }
  set token(token: string) {
    sessionStorage.setItem(TOKEN, token);
  }

  private async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${this.base}/api/v1/${path}`, {
        method,
        headers: { Authorization: `Bearer ${this.token}`, ...(body !== undefined ? { "Content-Type": "application/json" } : {}), ...headers },
        body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
        // The last save of a page that goes; a browser takes 64 KiB of such.
        keepalive: document.visibilityState === "hidden" && typeof body === "string" && new TextEncoder().encode(body).length < 60_000,
      });
    } catch {
      throw new Failure("unreachable", `The service at ${this.base} does not answer`);
    }
    if (response.ok) return response;
    const told = await response.json().catch(() => ({}));
    throw new Failure(told.code ?? String(response.status), told.error ?? `${response.status} ${response.statusText}`, told.issues ?? [], response.status);
  }

  private json = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    (await this.call(method, path, body, headers)).json();

  private summary(flow: any): FlowSummary {
    return { ...flow, flow: flow.code, logging: flow.logging !== "off" && flow.logging !== false, trigger: flow.trigger ?? { kind: "manual" } };
  }

  async list() {
    const { flows } = await this.json("GET", "flows");
    return flows.map((flow: any) => this.summary(flow));
  }
  async create(what: Creation) {
    const { code, name, remark, template, json } = what;
    // The text is saved as it is written: a definition that crosses as JSON has its keys in another order.
    const text = !template && json && (what.as === "written" ? json : write({ ...readDoc(json), code }));
    const body = template
      ? { template, code }
      : text
        ? { definition: JSON.parse(text) }
        : { code, name, trigger: what.trigger === "manual" || !what.trigger ? { kind: "manual" } : { kind: "inbound", channel: what.trigger } };
    let { flow } = await this.json("POST", "flows", body);
    if (text) ({ flow } = await this.json("PUT", `flows/${encodeURIComponent(flow.code)}/draft`, text, { "If-Match": `"${flow.revision}"` }));
    const rest = { ...(name && !what.trigger ? { name } : {}), ...(remark ? { remark } : {}) };
    return Object.keys(rest).length ? this.change(flow.code, rest) : this.summary(flow);
  }
  async read(code: string, version?: number) {
    const path = `flows/${encodeURIComponent(code)}`;
    const flow = await this.json("GET", path);
    const json = await (await this.call("GET", version == null ? `${path}/draft` : `${path}/versions/${version}`)).text();
    return { json, flow: this.summary(flow) };
  }
  async save(code: string, json: string, revision: number) {
    const { flow } = await this.json("PUT", `flows/${encodeURIComponent(code)}/draft`, json, { "If-Match": `"${revision}"` });
    return this.summary(flow);
  }
  private act = async (code: string, word: string, body: unknown = {}, headers?: Record<string, string>) =>
    this.summary(await this.json("POST", `flows/${encodeURIComponent(code)}/${word}`, body, headers));
  publish(code: string, revision?: number) {
    return this.act(code, "publish", {}, revision === undefined ? undefined : { "If-Match": `"${revision}"` });
  }
  unpublish(code: string) {
    return this.act(code, "unpublish", { mode: "drain" });
  }
  rollBack(code: string, version: number) {
    return this.act(code, "roll-back", { version });
  }
  async change(code: string, what: any) {
    const path = `flows/${encodeURIComponent(code)}`;
    const { accounts, account_names, logging, ...rest } = what;
    let flow: any;
    if (accounts || account_names) {
      const bound = accounts ?? (await this.json("GET", path)).accounts;
      flow = await this.json("PUT", `${path}/accounts`, { accounts: bound, names: account_names ?? [] });
    }
    const body = { ...rest, ...(logging === undefined ? {} : { logging: logging ? "on" : "off" }) };
    if (Object.keys(body).length || !flow) flow = await this.json("PATCH", path, body);
    return this.summary(flow);
  }
  async delete(code: string) {
    await this.call("DELETE", `flows/${encodeURIComponent(code)}`);
  }
  async sessions(code: string) {
    return (await this.json("GET", `sessions?flow=${encodeURIComponent(code)}`)).sessions;
  }
  async journal(session: string) {
    return (await this.json("GET", `sessions/${session}/journal`)).entries;
  }
  async counts(code: string) {
    return (await this.json("GET", `flows/${encodeURIComponent(code)}/metrics`)).nodes;
  }
  async inbox() {
    return (await this.json("GET", "inbox")).waiting;
  }
  async handBack(contact: string, vars: unknown) {
    await this.call("POST", `contacts/${encodeURIComponent(contact)}/hand-back`, { vars });
  }
  async drafts() {
    return (await this.json("GET", "workspace")).drafting;
  }
  async draft(requirement: string, tell: (event: string, what: any) => void) {
    const { body } = await this.call("POST", "drafts", { requirement });
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
      const parts = (rest + value).split("\n\n");
      rest = parts.pop()!;
      for (const part of parts) {
        const found = /^event: (\w+)\ndata: (.*)$/m.exec(part);
        if (found) tell(found[1], JSON.parse(found[2]));
      }
    }
  }
  listen(happened: () => void) {
    const source = new EventSource(`${this.base}/api/v1/events?access_token=${encodeURIComponent(this.token)}`);
    // A connection that was lost comes back by itself; what happened meanwhile is looked at then.
    for (const word of ["open", "event", "missed"]) source.addEventListener(word, happened);
    return () => source.close();
  }
}
