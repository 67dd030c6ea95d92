// What a talk begins with: made-up values for the inputs of a flow.

import * as model from "./model";
import type { Doc } from "./model";

/** Values of inputs that go by a usual name. */
const SAMPLES: { [name: string]: unknown } = {
  first_name: "Ada", name: "Ada", cart_id: "987654321", cart_total: "129.00", order_id: "A-1042", order: "A-1042", amount: "59.90",
  date: "2026-12-24", time: "09:30", status: "shipped", tracking: "https://track.example/A-1042", email: "ada@shop.example",
};

/** A context for the inputs that a flow declares, or else for those that its texts read, as JSON. */
export function sampleContext(doc: Doc): string {
  const inputs = model.list(model.nodesOf(doc).find((node) => node.kind === "start")?.inputs);
  const context: any = {};
  for (const input of inputs) {
    if (typeof input?.name !== "string") continue;
    context[input.name] = sample(input);
  }
  for (const [, name] of JSON.stringify(doc).matchAll(/context\.([a-z_][a-z0-9_]*)/gi)) {
    if (!(name in context) && !inputs.length) context[name] = sampleNamed(name) ?? name.replaceAll("_", " ");
  }
  return JSON.stringify(context, null, 2);
}

const sampleNamed = (name: string): unknown => (Object.hasOwn(SAMPLES, name) ? SAMPLES[name] : undefined);

function sample(input: any): unknown {
  if (input.example !== undefined) return input.example;
  const isText = !input.type || input.type === "string" || input.type === "any";
  const known = isText ? sampleNamed(input.name) : undefined;
  if (input.default !== undefined && known === undefined) return input.default;
  if (/(_at|date|starts|appointment|when)/.test(input.name)) return new Date(Date.now() + 3 * 86400_000).toISOString().replace(/\.\d+Z$/, "Z");
  if (known !== undefined) return known;
  return { number: 42, integer: 3, boolean: true, object: {}, array: [] }[input.type as string] ?? input.name.replaceAll("_", " ");
}
