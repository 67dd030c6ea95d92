// The engine in this page: everything crosses as JSON.

export interface Issue {
  severity: "error" | "warning";
  code: string;
  node?: string;
  path: string;
  message: string;
  fix: string;
  line?: number;
  column?: number;
}

export interface Checked {
  issues: Issue[];
  branches: Record<string, string[] | null>;
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

/** Loads the engine, and answers with the JSON Schema of flow files. */
export async function start(): Promise<Json> {
  // @ts-ignore: built beside this bundle
  const [glue, schema] = await Promise.all([import("./chatflow_web.js"), fetch("./flow.schema.json").then((file) => file.json())]);
  module = glue;
  await module.default({ module_or_path: new URL("./chatflow_web_bg.wasm", import.meta.url) });
  return schema;
}

function taken(answer: string): Json {
  const { ok, error } = JSON.parse(answer);
  if (error) throw new Failure(error.code, error.message, error.issues, error.status);
  return ok;
}

export const engine = {
  templates: (): Template[] => JSON.parse(module.templates()),
  filters: (): string[][] => JSON.parse(module.filters()),
  check: (text: string): Checked => JSON.parse(module.check(text)),
  arrange: (request: Json): Json => taken(module.arrange(JSON.stringify(request))),
  preview: (request: Json): { text: string; failure: string | null } => taken(module.preview(JSON.stringify(request))),
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
