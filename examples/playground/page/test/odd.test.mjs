// Flows that are not as they should be: whatever is in a file, the page shows it and lets it be repaired.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readFileSync } from "node:fs";
import { becomes, doc, end, flowOf, imported, open, panel, saved, shows, state } from "./kit.mjs";

after(end);

const S = { id: "start", kind: "start" };
const E = { id: "end", kind: "end" };
const hi = (id, text) => ({ id, kind: "send_message", text });
const schema = JSON.parse(readFileSync(new URL("../../../../flow.schema.json", import.meta.url), "utf8"));

/** A file as it is, whatever is in it. */
async function taken(page, text) {
  await page.locator('input[type="file"]').setInputFiles({ name: "flow.json", mimeType: "application/json", buffer: Buffer.from(text) });
  await page.getByRole("dialog").getByRole("button", { name: "Import" }).click();
  await page.waitForSelector(".canvas");
}

/** Takes another text over, as JSON. */
async function rewritten(page, text) {
  await page.getByRole("tab", { name: "Flow", exact: true }).click();
  await page.getByRole("button", { name: "Edit as JSON" }).click();
  // A browser writes thousands of lines into a field letter by letter: at once is enough here.
  await page.getByLabel("The flow as JSON").evaluate((box, text) => {
    box.value = text;
    box.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }, text);
  await page.getByRole("button", { name: "Take it over" }).click();
}

/** Shows the form of each node, and returns the ids of those that have none. */
const formless = (page, nodes) => page.evaluate(async (ids) => {
  const missing = [];
  for (const id of ids) {
    window.chatflow.show(id);
    const isShown = () => document.querySelector("#node-id")?.value === id;
    for (let look = 0; look < 200 && !isShown(); look += 1) await new Promise((done) => setTimeout(done, 10));
    if (!isShown()) missing.push(id);
  }
  return missing;
}, nodes.map((node) => node.id));

/** Every kind, with each of its fields wrong: once with all of them, once without the text that hides others. */
function misshapen(value) {
  const nodes = Object.entries(schema.$defs).flatMap(([kind, def]) => {
    if (def["x-group"] === undefined) return [];
    const fields = Object.keys(def.properties ?? Object.assign({}, ...def.anyOf.map((form) => form.properties))).filter((field) => !["id", "kind"].includes(field));
    const wrong = Object.fromEntries(fields.map((field) => [field, value]));
    const { text: _, ...mute } = wrong;
    return [{ id: kind, kind, ...wrong }, { id: `${kind}_mute`, kind, ...mute }];
  });
  return { spec: 1, code: "flow", name: "Odd", trigger: { kind: "manual" }, nodes: [S, ...nodes], edges: [{ from: "start", to: "send_message" }] };
}

test("a_field_of_any_wrong_type_is_told_at_its_node_and_can_be_repaired", async () => {
  const { page, close } = await open();
  await taken(page, flowOf([S, hi("hi", "Hi"), E], [{ from: "start", to: "hi" }]));
  for (const value of [{ a: 1 }, "x", 5, null, [null, "x", {}]]) {
    const flow = misshapen(value);
    await rewritten(page, JSON.stringify(flow, null, 1));
    await becomes(page, `(doc) => doc.nodes.length === ${flow.nodes.length}`);
    assert.deepEqual(await formless(page, flow.nodes), [], JSON.stringify(value));
    await shows(() => state(page, (state) => state.checked.issues.length > 5), true, JSON.stringify(value));
    assert.equal(await page.locator(".canvas .box").count() > 5, true, JSON.stringify(value));
  }
  await close();
});

/** Parts of a flow that are not what they should be. */
const ODD = {
  "variables that are an object": { nodes: [S, { id: "s", kind: "set_variables", variables: { a: 1 } }] },
  "inputs that are an object": { nodes: [{ ...S, inputs: { first_name: "string" } }] },
  "inputs that are words": { nodes: [{ ...S, inputs: ["first_name"] }] },
  "branches that are an object": { nodes: [S, { id: "b", kind: "branch", branches: { yes: {} } }] },
  "a list that is a text": { nodes: [S, { id: "b", kind: "branch", branches: [{ label: "x", when: { value: "{{ reply.text }}", op: "in_list", list: "a, b" } }] }] },
  "conditions of nothing": { nodes: [S, { id: "b", kind: "branch", branches: [{ label: "x", when: { all: [null, 5, "x"] } }, { label: "y", when: { not: "z" } }, null, "z"] }] },
  "tags that are a number": { nodes: [S, { id: "c", kind: "update_contact", add_tags: 5, set: "x" }] },
  "rows that are a text": { nodes: [S, { id: "m", kind: "send_message", text: "x", list: { button: "b", sections: [{ rows: "x" }] } }] },
  "a text that is a number": { nodes: [S, { id: "m", kind: "send_message", text: 5, name: 7 }] },
  "a kind that is a number": { nodes: [S, { id: "d", kind: 5 }] },
  "a node that is null": { nodes: [S, null, hi("hi", "Hi")] },
  "a node that is a text": { nodes: [S, "m"] },
  "a node without an id": { nodes: [S, { kind: "end" }] },
  "an edge that is null": { nodes: [S, hi("hi", "Hi")], edges: [null, "x", { from: "start" }, { from: "start", to: "hi", branch: 5 }, { from: "start", to: "hi" }] },
  "a place without y": { nodes: [S, { ...hi("hi", "Hi"), ui: { place: { x: 1 } } }] },
  "a place of words": { nodes: [S, { ...hi("hi", "Hi"), ui: { place: { x: "a", y: "b" } } }, { ...E, ui: "here" }] },
  "a jump to a number": { nodes: [S, { id: "j", kind: "jump", target: { a: 1 } }] },
  "settings that are a text": { nodes: [S], settings: "x" },
  "a trigger that is a text": { nodes: [S], trigger: "manual" },
  "a trigger with odd rules": { nodes: [S], trigger: { kind: "inbound", channel: 5, rules: [null, "x"] } },
  "a name that is an object": { nodes: [S], name: { en: "Flow" }, remark: [1] },
};

test("a_flow_with_odd_parts_is_drawn_edited_and_opened_again", async () => {
  const { page, close } = await open();
  for (const [what, parts] of Object.entries(ODD)) {
    const code = what.replaceAll(" ", "_");
    await taken(page, JSON.stringify({ spec: 1, code, name: "Odd", trigger: { kind: "manual" }, edges: [], ...parts }));
    await page.locator(".box.kind-start").waitFor();
    for (const name of ["Configure", "Issues", "Flow", "Talk", "Heat map"]) await panel(page, name);
    assert.deepEqual(await formless(page, parts.nodes.filter((node) => node?.id)), [], what);
    await shows(() => state(page, (state) => state.checked.issues.length > 0), true, what);
    // A node is added and taken away again: what was odd is as it was.
    const before = JSON.stringify(await doc(page));
    await page.locator(".library .item", { hasText: "Log" }).click();
    await becomes(page, (doc) => doc.nodes.some((node) => node?.id === "log"), what);
    await page.getByRole("button", { name: "Undo" }).click();
    await shows(async () => JSON.stringify(await doc(page)), before, what);
    await saved(page);
    await page.reload();
    await page.locator(".box.kind-start").waitFor();
    await page.getByRole("button", { name: "All flows" }).click();
    await page.waitForSelector(".gallery");
  }
  await close();
});

test("a_flow_that_cannot_be_drawn_is_repaired_as_json", async () => {
  const { page, said } = await open();
  await imported(page, flowOf([S, hi("hi", "Hi")], [{ from: "start", to: "hi" }]));
  await page.evaluate(() => {
    const { arrange } = window.chatflow.engine;
    window.chatflow.engine.arrange = (request) => {
      if (request.nodes.some(([id]) => id === "boom")) throw new Error("boom");
      return arrange(request);
    };
  });
  await rewritten(page, flowOf([S, hi("boom", "Hi")], [{ from: "start", to: "boom" }]));
  await page.getByText("This flow cannot be drawn").waitFor();
  await page.getByLabel("The flow as JSON").fill(flowOf([S, hi("well", "Hi")], [{ from: "start", to: "well" }]));
  await page.getByRole("button", { name: "Take it over" }).click();
  await page.locator('.react-flow__node[data-id="well"]').waitFor();
  assert.ok(said.every((line) => line.includes("boom")), said.join("\n"));
  await page.context().close();
});

test("of_two_nodes_with_one_id_both_are_seen_after_a_press", async () => {
  const { page, close } = await open();
  await taken(page, flowOf([S, hi("hi", "One"), hi("hi", "Two")], [{ from: "start", to: "hi" }]));
  await page.locator(".box", { hasText: "One" }).waitFor();
  await panel(page, "Issues");
  await page.getByRole("button", { name: "Call the second one “message”" }).click();
  await page.locator(".box", { hasText: "Two" }).waitFor();
  assert.deepEqual((await doc(page)).nodes.map((node) => node.id), ["start", "hi", "message"]);
  await close();
});

test("a_file_that_is_not_plain_utf_8_is_said_to_be_so", async () => {
  const { page, close } = await open();
  const text = flowOf([S, hi("hi", "Olé")], [{ from: "start", to: "hi" }]);
  const file = (buffer) => page.locator('input[type="file"]').setInputFiles({ name: "flow.json", mimeType: "application/json", buffer });
  for (const wrong of [Buffer.from(text, "latin1"), Buffer.from(`\ufeff${text}`, "utf16le")]) {
    await file(wrong);
    await page.locator(".toast.bad", { hasText: "The file is not UTF-8" }).waitFor();
    assert.equal(await page.getByRole("dialog").count(), 0);
  }
  await file(Buffer.from(`\ufeff${text}`));
  await page.getByText("without the byte order mark that the file begins with").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Import" }).click();
  await page.waitForSelector(".box");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export JSON" }).click()]);
  assert.equal(readFileSync(await download.path(), "utf8"), text);
  await close();
});
