// Edits in a browser: what each of them writes, and what it leaves alone.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readFileSync } from "node:fs";
import { becomes, box, doc, end, flowOf, fromTemplate, imported, open, opened, panel, saved, say, shows, state } from "./kit.mjs";

after(end);

const codes = (page) => state(page, (state) => state.checked.issues.map((issue) => issue.code));
const checked = (page, holds) => page.waitForFunction(`(${holds})(window.chatflow.get().checked)`);
const chosen = (page, id) => page.locator(`.react-flow__node[data-id="${id}"] header`).click();
const lines = (flow) => flow.edges.map((edge) => [edge.from, edge.branch, edge.to].filter(Boolean).join(" "));

test("every_branch_of_each_component_is_connected_on_the_canvas", async () => {
  const { page, close } = await open();
  const start = { id: "start", kind: "start" };
  await imported(page, flowOf([start, { id: "end", kind: "end" }, { id: "other", kind: "end" }], [{ from: "start", to: "end" }]));
  const library = page.getByRole("navigation", { name: "Component library" });
  const titles = (await library.getByRole("button").allInnerTexts()).filter((title) => title !== "End");
  const seen = {};
  for (const title of titles) {
    await page.getByRole("button", { name: /Add a component between start/ }).first().click();
    await page.getByRole("dialog", { name: "Add a component" }).getByRole("button").filter({ has: page.locator("b").getByText(title, { exact: true }) }).click();
    const { kind } = (await becomes(page, (doc) => doc.nodes.length === 4)).nodes[3];
    const selects = page.locator(".ways select");
    await shows(() => selects.count().then((count) => count > 0), true, title);
    for (const select of await selects.all()) await select.selectOption("other");
    const flow = await becomes(page, (doc) => doc.edges.filter((edge) => edge.to === "other").length === document.querySelectorAll(".ways select").length, title);
    seen[kind] = lines(flow).length - 1;
    await checked(page, (checked) => checked.issues !== undefined);
    await shows(async () => (await codes(page)).filter((code) => ["unknown_branch", "duplicate_edge"].includes(code)), [], title);
    while ((await doc(page)).nodes.length > 3) await page.getByRole("button", { name: "Undo" }).click();
  }
  assert.ok(Object.keys(seen).length >= 22, JSON.stringify(seen));
  assert.deepEqual([seen.branch, seen.open_hours, seen.for_each, seen.classify], [2, 2, 2, 4]);
  await close();
});

test("a_branch_is_left_unnamed_only_where_its_kind_allows_it", async () => {
  const kinds = [
    [{ kind: "call_flow", flow: "other", terminal: true }, ["failed"]],
    [{ kind: "recognize_language", languages: ["en", "es"] }, ["en", "es", "else"]],
    [{ kind: "random_split", branches: [{ label: "next" }, { label: "B" }] }, ["next", "B"]],
    [{ kind: "branch", branches: [{ label: "replied", when: { value: "{{ reply.text }}", op: "string_equals", to: "1" } }] }, ["replied", "else"]],
  ];
  for (const [node, branches] of kinds) {
    const { page, close } = await open();
    await imported(page, flowOf([{ id: "start", kind: "start" }, { id: "it", ...node }, { id: "end", kind: "end" }], [{ from: "start", to: "it" }]));
    await chosen(page, "it");
    for (const branch of branches) {
      await page.getByLabel(`${branch} leads to`, { exact: true }).selectOption("end");
      await becomes(page, `(doc) => doc.edges.some((edge) => edge.from === "it" && edge.branch === "${branch}" && edge.to === "end")`, node.kind);
    }
    await shows(async () => (await codes(page)).filter((code) => code === "unknown_branch"), [], node.kind);
    await close();
  }
});

const S = { id: "start", kind: "start" };
const wait = { id: "wait", kind: "wait_reply" };
const hi = (text, more = {}) => ({ id: "hi", kind: "send_message", text, ...more });
const E = { id: "end", kind: "end" };

/** A flow, the code of its issue, the button of its repair, and what the repair changes. */
const REPAIRS = {
  "an edge to a node that is misspelt": [[[S, hi("Hi")], [{ from: "start", to: "hii" }]], "edge_to_nowhere", "Write “hi”", (flow) => { flow.edges[0].to = "hi"; }],
  "an edge from a node that is misspelt": [[[S, hi("Hi"), E], [{ from: "start", to: "hi" }, { from: "hii", to: "end" }]], "edge_from_nowhere", "Write “hi”", (flow) => { flow.edges[1].from = "hi"; }],
  "a branch that is misspelt": [[[S, wait, hi("Hi")], [{ from: "start", to: "wait" }, { from: "wait", branch: "replyed", to: "hi" }]], "unknown_branch", "Write “replied”", (flow) => { flow.edges[1].branch = "replied"; }],
  "an edge to nowhere that nothing is like": [[[S, hi("Hi")], [{ from: "start", to: "hi" }, { from: "hi", branch: "failed", to: "elsewhere" }]], "edge_to_nowhere", "Remove the way", (flow) => { flow.edges.pop(); }],
  "a second edge": [[[S, hi("Hi")], [{ from: "start", to: "hi" }, { from: "start", to: "hi" }]], "duplicate_edge", "Remove the way", (flow) => { flow.edges.pop(); }],
  "an input that is misspelt in a text": [[[{ ...S, inputs: [{ name: "first_name" }] }, hi("Hi {{context.frist_name}}, dear {{ context.frist_name }}: frist_name!")], [{ from: "start", to: "hi" }]], "undeclared_variable", "Read “context.first_name”", (flow) => { flow.nodes[1].text = "Hi {{context.first_name}}, dear {{ context.first_name }}: frist_name!"; }],
  "an input that nothing declares": [[[{ ...S, inputs: [{ name: "cart" }] }, hi("Hi {{context.nickname}} {{context.cart}}")], [{ from: "start", to: "hi" }]], "undeclared_variable", "Declare nickname as an input", (flow) => { flow.nodes[0].inputs.push({ name: "nickname", type: "any" }); }],
  "a field of reply that is misspelt": [[[S, wait, hi("You said {{ reply.txt }} to us.")], [{ from: "start", to: "wait" }, { from: "wait", to: "hi" }]], "unknown_name", "Read “reply.text”", (flow) => { flow.nodes[2].text = "You said {{ reply.text }} to us."; }],
  "a field that is misspelt": [[[S, { id: "hi", kind: "send_message", texxt: "Hi there" }], [{ from: "start", to: "hi" }]], "missing_field", "Rename it to “text”", (flow) => { flow.nodes[1] = { id: "hi", kind: "send_message", text: "Hi there" }; }],
  "a field of another product beside ours": [[[S, { ...wait, save_to: "a", store_in: "mood" }], [{ from: "start", to: "wait" }]], "unknown_field", "Remove store_in", (flow) => { delete flow.nodes[1].store_in; }],
  "a word that is misspelt": [[[{ ...S, input_policy: "declard" }, hi("Hi")], [{ from: "start", to: "hi" }]], "bad_value", /^Write “/, (flow) => { flow.nodes[0].input_policy = "declared"; }],
  "a kind that is misspelt": [[[S, { id: "hi", kind: "send_mesage", text: "Hi" }], [{ from: "start", to: "hi" }]], "unknown_kind", "Write “send_message”", (flow) => { flow.nodes[1].kind = "send_message"; }],
  "a time zone that is misspelt": [[[S, { id: "hours", kind: "open_hours", timezone: "Europe/Berln", hours: { mon: ["09:00-18:00"] } }, E], [{ from: "start", to: "hours" }, { from: "hours", branch: "open", to: "end" }, { from: "hours", branch: "closed", to: "end" }]], "bad_value", "Write “Europe/Berlin”", (flow) => { flow.nodes[1].timezone = "Europe/Berlin"; }],
  "a jump to a node that is misspelt": [[[S, wait, { id: "back", kind: "jump", target: "waitt" }, E], [{ from: "start", to: "wait" }, { from: "wait", to: "back" }, { from: "back", to: "end" }]], "edge_to_nowhere", "Write “wait”", (flow) => { flow.nodes[2].target = "wait"; }],
  "an else without an edge": [[[S, { id: "pick", kind: "branch", branches: [{ label: "1", when: { value: "{{ reply.text }}", op: "string_equals", to: "1" } }] }, E], [{ from: "start", to: "pick" }, { from: "pick", branch: "1", to: "end" }]], "missing_else", "End at “else”", (flow) => { flow.edges.push({ from: "pick", branch: "else", to: "end" }); }],
  "a first branch without an edge": [[[S, { id: "hours", kind: "open_hours", timezone: "UTC", hours: { mon: ["09:00-18:00"] } }, E], [{ from: "start", to: "hours" }, { from: "hours", branch: "closed", to: "end" }]], "dead_end", "End at “open”", (flow) => { flow.edges.push({ from: "hours", branch: "open", to: "end" }); }],
  "a node that nothing leads to": [[[S, hi("Hi"), E], [{ from: "start", to: "hi" }]], "unreachable", "Remove the node", (flow) => { flow.nodes.pop(); }],
  "a format that is not known": [[[S, hi("Hi")], [{ from: "start", to: "hi" }], { spec: 2 }], "bad_spec", "Write 1", (flow) => { flow.spec = 1; }],
  "no sender": [[[S, hi("Hi")], [{ from: "start", to: "hi" }], { settings: undefined }], "no_sender", "Send from WhatsApp +15550100", (flow) => { flow.settings = { sender: { channel: "whatsapp", account: "+15550100" } }; }],
  "no start": [[[hi("Hi")], []], "no_entry", "Add a start", (flow) => { flow.nodes.unshift({ id: "start", kind: "start" }); flow.edges.unshift({ from: "start", to: "hi" }); }],
};

test("each_repair_removes_its_issue_and_changes_nothing_else", async () => {
  for (const [what, [[nodes, edges, more], code, button, change]] of Object.entries(REPAIRS)) {
    const { page, close } = await open();
    await imported(page, flowOf(nodes, edges, more));
    await panel(page, "Issues");
    await shows(async () => (await codes(page)).includes(code), true, what);
    const wanted = structuredClone(await doc(page));
    change(wanted);
    const repair = page.locator(".issues li", { has: page.getByText(code, { exact: true }) }).getByRole("button", { name: button });
    await repair.first().click().catch((error) => assert.fail(`${what}: ${error.message}`));
    await shows(async () => JSON.stringify(await doc(page)), JSON.stringify(wanted), what);
    await shows(async () => (await codes(page)).includes(code), false, what);
    await page.getByRole("button", { name: "Undo" }).click();
    await shows(async () => (await codes(page)).includes(code), true, `${what}: undone`);
    await close();
  }
});

test("a_condition_has_the_operands_that_its_comparison_takes_and_no_others", async () => {
  const { page, close } = await open();
  const when = { value: "{{ reply.text }}", op: "number_between", to: 1, and: 5 };
  await imported(page, flowOf([S, wait, { id: "pick", kind: "branch", branches: [{ label: "a", when }] }, E], [{ from: "start", to: "wait" }, { from: "wait", to: "pick" }, { from: "pick", branch: "a", to: "end" }, { from: "pick", branch: "else", to: "end" }]));
  await chosen(page, "pick");
  const comparison = page.getByLabel("Comparison");
  const words = await comparison.locator("option").evaluateAll((options) => options.map((option) => option.value).filter(Boolean));
  assert.ok(words.length >= 25, words.join());
  const fields = { "Compared with": "to", And: "and", "List, separated by commas": "list", "Ignore case": "ignore_case", "Ignore accents": "fold" };
  for (const [place, word] of [...words, ...words.toReversed()].entries()) {
    await comparison.selectOption(word);
    await becomes(page, `(doc) => doc.nodes[2].branches[0].when.op === "${word}"`);
    // What is offered is taken: each box is pressed, and nothing is wrong then.
    for (const label of ["Ignore case", "Ignore accents"]) {
      const mark = page.getByLabel(label);
      if (place % 2 && (await mark.count())) await mark.check();
    }
    await page.waitForFunction(() => window.chatflow.get().checked.runs).catch(async () => assert.fail(`${word}: ${JSON.stringify(await state(page, (state) => [state.checked.issues, state.doc.nodes[2].branches[0].when]))}`));
    const now = (await doc(page)).nodes[2].branches[0].when;
    const offered = {};
    for (const [label, key] of Object.entries(fields)) offered[key] = (await page.locator(".condition").getByLabel(label, { exact: true }).count()) > 0;
    for (const key of Object.values(fields)) assert.ok(offered[key] || !(key in now), `${word} has ${key}, which is not shown: ${JSON.stringify(now)}`);
  }
  // A word of several, and back.
  await comparison.selectOption("has_word");
  await page.getByRole("button", { name: "Several words" }).click();
  await page.getByLabel("List, separated by commas").fill("yes, ok");
  await becomes(page, (doc) => doc.nodes[2].branches[0].when.list?.join() === "yes,ok" && !("to" in doc.nodes[2].branches[0].when));
  await page.getByRole("button", { name: "One word" }).click();
  await becomes(page, (doc) => doc.nodes[2].branches[0].when.to === "yes");
  await close();
});

test("edges_follow_the_branches_that_are_renamed_and_go_with_those_that_are_removed", async () => {
  const { page, close } = await open();
  const arm = (label) => ({ label, when: { value: "{{ reply.text }}", op: "string_equals", to: label } });
  await imported(page, flowOf([S, wait, { id: "pick", kind: "branch", branches: [arm("1"), arm("12")] }, { id: "split", kind: "random_split", branches: [{ label: "A" }, { label: "B" }] }, hi("Hi"), E],
    [{ from: "start", to: "wait" }, { from: "wait", to: "pick" }, { from: "pick", branch: "1", to: "split" }, { from: "pick", branch: "12", to: "hi" }, { from: "pick", branch: "else", to: "end" }, { from: "split", branch: "A", to: "end" }, { from: "split", branch: "B", to: "end" }]));
  const pick = async () => lines(await doc(page)).filter((line) => line.startsWith("pick")).join("; ");
  await chosen(page, "pick");
  const label = (place) => page.locator("[aria-labelledby=f-nodes-2--branches-label] > .rows > .row").nth(place).getByLabel("Label", { exact: true });
  await label(0).fill("one");
  await shows(pick, "pick one split; pick 12 hi; pick else end");
  await page.getByRole("button", { name: "Undo" }).click();
  await shows(pick, "pick 1 split; pick 12 hi; pick else end", "one press undoes both");
  // While it is typed the name may be that of another branch, or none.
  await label(1).fill("1");
  await label(1).fill("");
  await label(1).fill("1");
  await label(1).fill("13");
  await shows(pick, "pick 1 split; pick 13 hi; pick else end");
  await page.getByRole("button", { name: "Move branch 2 up" }).click();
  await shows(pick, "pick 1 split; pick 13 hi; pick else end", "another order changes no edge");
  await page.getByRole("button", { name: "Remove branch 1" }).click();
  await shows(pick, "pick 1 split; pick else end", "an edge goes with its branch");
  // Another kind keeps the way on.
  await chosen(page, "wait");
  await page.getByLabel("Kind", { exact: true }).selectOption("open_hours");
  await becomes(page, (doc) => doc.edges.some((edge) => edge.from === "wait" && edge.branch === "open" && edge.to === "pick"));
  await page.getByLabel("Kind", { exact: true }).selectOption("ask");
  await becomes(page, (doc) => doc.edges.filter((edge) => edge.from === "wait").length === 1);
  await shows(async () => (await codes(page)).filter((code) => code === "unknown_branch"), []);
  await close();
});

test("new_rows_and_pairs_have_names_of_their_own", async () => {
  const { page, close } = await open();
  const choices = [{ id: "1", label: "Choice 1" }, { id: "3", label: "Choice 3" }];
  await imported(page, flowOf([S, { id: "ask", kind: "ask", text: "Which?", choices, save_to: "size" }, { id: "call", kind: "http_request", url: "https://api.example/", headers: { name_2: "a", other: "b" } }], [{ from: "start", to: "ask" }, { from: "ask", to: "call" }]));
  await chosen(page, "ask");
  await page.getByRole("button", { name: "Add choice" }).click();
  const { nodes } = await becomes(page, (doc) => doc.nodes[1].choices.length === 3);
  assert.equal(new Set(nodes[1].choices.map((choice) => choice.id)).size, 3, JSON.stringify(nodes[1].choices));
  assert.equal(new Set(nodes[1].choices.map((choice) => choice.label)).size, 3);
  await chosen(page, "call");
  const headers = page.getByRole("group", { name: "Headers" });
  await headers.getByRole("button", { name: "Add", exact: true }).click();
  await becomes(page, (doc) => Object.keys(doc.nodes[2].headers).length === 3 && doc.nodes[2].headers.name_2 === "a");
  await headers.getByLabel("Name 2 of Headers").fill("name_2");
  await headers.getByRole("alert").waitFor();
  await headers.getByLabel("Name 2 of Headers").blur();
  assert.deepEqual((await doc(page)).nodes[2].headers, { name_2: "a", other: "b", name_3: "" }, "no value is lost");
  await close();
});

test("a_copy_of_a_jump_leads_to_the_copy_of_its_target", async () => {
  const { page, close } = await open();
  await imported(page, flowOf([S, wait, { id: "back", kind: "jump", target: "wait" }, E], [{ from: "start", to: "wait" }, { from: "wait", to: "back" }, { from: "back", to: "end" }]));
  await chosen(page, "wait");
  await page.locator('.react-flow__node[data-id="back"] header').click({ modifiers: ["Control"] });
  await page.waitForFunction(() => window.chatflow.get().selected.length === 2);
  await page.keyboard.press("Control+c");
  await page.keyboard.press("Control+v");
  const flow = await becomes(page, (doc) => doc.nodes.length === 6);
  assert.equal(flow.nodes.find((node) => node.id === "jump").target, "wait_2");
  assert.equal(flow.nodes[2].target, "wait", "the original is as it was");
  await close();
});

test("a_number_is_kept_as_it_is_written_when_something_else_is_edited", async () => {
  const { page, close } = await open();
  const text = flowOf([S, { id: "set", kind: "set_variables", variables: [{ name: "big", value: 12345 }, { name: "small", value: 54321 }] }, hi("Hi")], [{ from: "start", to: "set" }, { from: "set", to: "hi" }]).replace("12345", "9007199254740993").replace("54321", "1.50");
  await imported(page, text);
  await chosen(page, "hi");
  await page.locator("#f-nodes-2--text").fill("Hello");
  await becomes(page, (doc) => doc.nodes[2].text === "Hello");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export JSON" }).click()]);
  const now = readFileSync(await download.path(), "utf8");
  assert.match(now, /"value": 9007199254740993\n/);
  assert.match(now, /"value": 1\.50\n/);
  await close();
});

test("contents_are_shown_in_their_form_as_the_channel_shows_them", async () => {
  const { page, close } = await open();
  const choices = ["Small", "Medium", "Large", "Extra large"].map((label, place) => ({ id: `s${place}`, label }));
  await imported(page, flowOf([{ ...S, inputs: [{ name: "first_name", example: "Bea" }] }, { id: "size", kind: "ask", text: "{{ context.first_name }}, which size?", choices, save_to: "size" }, { id: "card", kind: "send_message", card: { title: "Tea", subtitle: "Green", buttons: [{ id: "buy", label: "Buy" }] } }], [{ from: "start", to: "size" }, { from: "size", to: "card" }], { settings: undefined, trigger: { kind: "inbound", channel: "whatsapp" } }));
  await chosen(page, "size");
  const shown = page.getByRole("region", { name: "As the contact sees it" });
  await shows(() => shown.innerText(), /On WhatsApp\s+Bea, which size\?/);
  await shown.locator(".option.opener").click();
  await shows(() => shown.locator(".list-row").allInnerTexts(), ["Small", "Medium", "Large", "Extra large"]);
  await page.getByRole("button", { name: "Remove choice 4" }).click();
  await shows(() => shown.locator(".options .option").allInnerTexts(), ["Small", "Medium", "Large"]);
  await flowTab(page);
  await page.locator("#f-trigger-channel").fill("messenger");
  await chosen(page, "card");
  await shows(() => shown.innerText(), /On Messenger\s+Tea\s+Green\s+Buy/);
  await close();
});

const flowTab = (page) => page.getByRole("tab", { name: "Flow", exact: true }).click();

test("a_link_warns_of_secrets_and_leaves_them_out", async () => {
  const { page, close } = await open();
  await imported(page, flowOf([S, { id: "call", kind: "http_request", name: "Look up", url: "https://api.example/", headers: { Authorization: "Bearer s3cr3t" } }], [{ from: "start", to: "call" }]));
  const linked = async () => {
    await page.waitForFunction(() => document.querySelector("dialog textarea")?.value.includes("#share="));
    const link = await page.locator("dialog textarea").inputValue();
    return page.evaluate(async (code) => {
      const bytes = Uint8Array.from(atob(code.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
      return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
    }, link.split("#share=")[1]);
  };
  await page.getByRole("button", { name: "Share by link" }).click();
  await page.getByText("Headers of “Look up”").waitFor();
  await shows(linked, /"Authorization": ""/);
  await page.getByLabel("Leave their values out").uncheck();
  await shows(linked, /s3cr3t/);
  await close();
});

test("an_input_is_tried_out_with_its_example", async () => {
  const { page, close } = await open();
  await imported(page, flowOf([{ ...S, inputs: [{ name: "first_name", default: "there", example: "Grace" }] }, hi("Hi {{ context.first_name }}")], [{ from: "start", to: "hi" }]));
  await page.getByRole("button", { name: "Start the flow" }).click();
  await shows(() => page.locator(".bubble.in").allInnerTexts(), ["Hi Grace"]);
  await close();
});

/** What is said where nothing is offered, one after the other. */
const WORDS = ["1", "ada@shop.example", "5", "Nothing else", "A-1042", "2026-12-24", "3"];

/** Talks on until the session has ended: presses what is offered, answers what is asked, lets time pass. */
async function ended(page, name) {
  const session = () => state(page, (state) => state.talk?.people[state.person]?.session);
  for (let step = 0; step < 90; step += 1) {
    const { status } = (await session()) ?? {};
    if (["completed", "failed", "expired", "cancelled"].includes(status)) return status;
    const card = page.locator(".call-card").last();
    const offer = page.locator(".sent").last().locator(".option:not(.link-out)");
    if (await card.count()) {
      await card.getByRole("button", { name: /^(Answer|Give back)$/ }).click();
    } else if (step % 7 === 6 && (await page.getByRole("button", { name: /Next deadline/ }).count())) {
      await page.getByRole("button", { name: /Next deadline/ }).click();
    } else if (await offer.count()) {
      const first = offer.nth(step % (await offer.count()));
      await first.click();
      const row = page.locator(".sent").last().locator(".list-row");
      if (await row.count()) await row.nth(step % (await row.count())).click();
    } else if (status === "waiting") await say(page, WORDS[step % WORDS.length]);
    else await page.getByRole("button", { name: /Next deadline/ }).click();
    await page.waitForFunction(() => window.chatflow.get().talk);
  }
  return assert.fail(`${name} does not end: ${JSON.stringify(await session())}`);
}

test("every_template_is_edited_and_talked_with_to_its_end_offline", async () => {
  const { page, close } = await open();
  await page.context().setOffline(true);
  for (const name of await page.locator(".card b").allInnerTexts()) {
    await fromTemplate(page, name);
    const start = page.getByRole("button", { name: "Start the flow" });
    await start.or(page.getByRole("button", { name: "Open the phone" })).first().waitFor();
    if (await start.count()) await start.click();
    else {
      await page.getByRole("button", { name: "Open the phone" }).click();
      const word = await state(page, (state) => {
        const rule = state.doc.trigger.rules?.find((rule) => ["exact", "starts_with", "contains", "has_word"].includes(rule.match));
        return rule?.text ?? rule?.list?.[0] ?? "hello";
      });
      await say(page, word);
    }
    await page.waitForFunction(() => window.chatflow.get().talk?.people[window.chatflow.get().person]?.session);
    assert.notEqual(await ended(page, name), "failed", name);
    // An edit is checked and saved, too.
    const { nodes } = await doc(page);
    const place = nodes.findIndex((node) => node.kind === "send_message" || node.kind === "ask");
    const { id, text } = nodes[place];
    await page.getByRole("tab", { name: "Configure" }).click();
    await page.locator(".react-flow__pane").click({ position: { x: 8, y: 8 } });
    await page.getByLabel("Nodes of this flow").selectOption(id);
    await (typeof text === "string" ? page.locator(`#f-nodes-${place}--text`) : page.getByLabel("Title of the node")).fill("Edited offline");
    await becomes(page, `(doc) => [doc.nodes[${place}].text, doc.nodes[${place}].name].includes("Edited offline")`, name);
    await saved(page);
    await checked(page, (checked) => checked.issues.every((issue) => issue.severity === "warning" || issue.code === "unbound_account"));
    await page.getByRole("button", { name: "All flows" }).click();
    await page.waitForSelector(".gallery");
  }
  // The prompt for models is here as well.
  await page.getByRole("button", { name: "From a description" }).click();
  await page.getByLabel("What the flow is to do").fill("Greet everybody.");
  await page.getByRole("button", { name: "Write the prompt" }).click();
  await shows(() => page.getByLabel("Give this to a model of yours").inputValue(), /# Filters[^]*Greet everybody\./);
  await page.context().setOffline(false);
  await close();
});
