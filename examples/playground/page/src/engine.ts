// The engine in this page: everything crosses as JSON.

import type { Ports } from "./model";

export interface Issue {
  severity: "error" | "warning";
  code: string;
  node?: string;
  path: string;
  message: string;
  fix: string;
  repair?: Repair;
  line?: number;
  column?: number;
}

/** A repair that follows from an issue alone, as the engine tells it. */
export type Repair =
  | { do: "replace"; path: string; with: string }
  | { do: "rename"; path: string; to: string }
  | { do: "remove"; path: string }
  | { do: "reword"; path: string; name: string; to: string }
  | { do: "declare"; input: string }
  | { do: "lead"; branch: string };

export interface Checked {
  issues: Issue[];
  runs: boolean;
}

export interface Template {
  code: string;
  name: string;
  description: string;
  manual: boolean;
  json: string;
  picture: string | null;
}

export class Failure extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly issues: Issue[] = [],
    readonly status = 400,
  ) {
    super(message);
  }
}

type Json = any;

let module: Json;

/** What the page reads from files beside the engine. */
export interface Texts { schema: Json; templates: Template[]; filters: string[][] }

/** Loads the engine, and what is read beside it. */
export async function start(): Promise<Texts> {
  const json = (name: string) => fetch(`./${name}.json`).then((file) => file.json());
  // @ts-ignore: built beside this bundle
  const [glue, schema, templates, filters] = await Promise.all([import("./chatflow_web.js"), json("flow.schema"), json("templates"), json("filters")]);
  module = glue;
  await module.default({ module_or_path: new URL("./chatflow_web_bg.wasm", import.meta.url) });
  return { schema, filters, templates: templates.map((template: Template) => ({ ...template, picture: pictured(template.json) })) };
}

function pictured(json: string): string | null {
  try {
    return engine.picture(json);
  } catch {
    return null;
  }
}

let read: Promise<string> | null = null;

/** The part of the prompts for models that is the same for all. It is asked for once. */
export function guide(): Promise<string> {
  read ??= fetch("./guide.txt").then((file) => (file.ok ? file.text() : Promise.reject(new Error(`guide.txt: ${file.status}`))));
  read.catch(() => (read = null));
  return read;
}

function taken(answer: string): Json {
  const { ok, error } = JSON.parse(answer);
  if (error) throw new Failure(error.code, error.message, error.issues, error.status);
  return ok;
}

export const engine = {
  check: (text: string): Checked => JSON.parse(module.check(text)),
  ports: (node: Json): Ports | null => JSON.parse(module.ports(JSON.stringify(node))),
  arrange: (request: Json): Json => taken(module.arrange(JSON.stringify(request))),
  preview: (request: Json): { text: string; contents: Json[]; failure: string | null } => taken(module.preview(JSON.stringify(request))),
  picture: (text: string): string => taken(module.picture(text)),
  replay: (request: Json): Json => taken(module.replay(JSON.stringify(request))),
  rehearse: (request: Json): Json => taken(module.rehearse(JSON.stringify(request))),
  draft: (request: Json): Json => taken(module.draft(JSON.stringify(request))),
  mint: (): Json => JSON.parse(module.mint()),
  desk: (): ((request: Json) => Json) => {
    const desk = new module.Desk();
    return (request) => taken(desk.act(JSON.stringify(request)));
  },
  talk: (request: Json): ((request: Json) => Json) => {
    let talk: Json;
    try {
      talk = new module.Talk(JSON.stringify(request));
    } catch (thrown) {
      const error = JSON.parse(String(thrown));
      throw new Failure(error.code, error.message, error.issues, error.status);
    }
    return (request) => taken(talk.act(JSON.stringify(request)));
  },
};
