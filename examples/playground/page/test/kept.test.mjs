// What is kept between visits, and what is written down of a talk.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readFileSync } from "node:fs";
import { box, doc, end, flowOf, fromTemplate, imported, messages, open, opened, panel, saved, say, settled, shows, state } from "./kit.mjs";

after(end);

const S = { id: "start", kind: "start" };
const hi = (id, text) => ({ id, kind: "send_message", text });
const chained = (nodes, more) => flowOf(nodes, nodes.slice(1).map((node, place) => ({ from: nodes[place].id, to: node.id })), more);
const gallery = (page) => page.getByRole("button", { name: "All flows" }).click();
const row = (page, name) => page.locator(".table-row", { hasText: name });
const name = (page) => page.getByLabel("Name of the flow");

test("a_draft_of_somebody_else_is_not_published_in_place_of_mine", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await saved(page);
  await page.evaluate(async () => {
    const { summary, doc } = window.chatflow.get();
    await window.chatflow.backend().save(summary.flow, JSON.stringify({ ...doc, name: "Of somebody else" }), summary.revision);
  });
  await name(page).fill("Mine");
  await page.getByRole("button", { name: "Save and publish" }).click();
  const dialog = page.getByRole("dialog", { name: "Somebody else saved this flow" });
  await dialog.waitFor();
  const online = () => page.evaluate(async () => (await window.chatflow.backend().list())[0].online);
  assert.equal(await online(), null, "nothing went online");
  await dialog.getByRole("button", { name: "Keep mine" }).click();
  await saved(page);
  // The same without an edit of mine: what is published is what is seen.
  await page.evaluate(async () => {
    const { summary, doc } = window.chatflow.get();
    await window.chatflow.backend().save(summary.flow, JSON.stringify({ ...doc, name: "Again somebody else" }), summary.revision);
  });
  await page.getByRole("button", { name: "Save and publish" }).click();
  await dialog.waitFor();
  assert.equal(await online(), null);
  await dialog.getByRole("button", { name: "Take theirs" }).click();
  await saved(page);
  await page.getByRole("button", { name: "Save and publish" }).click();
  await page.locator(".top .pill.published").waitFor();
  await shows(() => name(page).inputValue(), "Again somebody else");
  await close();
});

test("two_windows_keep_each_other_s_flows", async () => {
  const { page, close, address } = await open();
  const other = await page.context().newPage();
  await other.goto(address);
  await other.waitForSelector(".gallery");
  await imported(page, chained([S, hi("hi", "One")], { code: "one", name: "One" }));
  await row(other, "One").waitFor();
  await imported(other, chained([S, hi("hi", "Two")], { code: "two", name: "Two" }));
  await gallery(page);
  await row(page, "Two").waitFor();
  // The same flow in both: what one saves is seen in the other.
  await row(page, "Two").getByText("Two", { exact: true }).first().click();
  await opened(page);
  await name(page).fill("Two and a half");
  await saved(page);
  await shows(() => name(other).inputValue(), "Two and a half");
  await name(other).fill("Three");
  await other.waitForFunction(() => window.chatflow.get().saved === "saved");
  await shows(() => name(page).inputValue(), "Three");
  await page.getByRole("button", { name: "Undo" }).click();
  await shows(() => name(page).inputValue(), "Two and a half", "the one before is behind undo");
  await saved(page);
  await page.reload();
  await opened(page);
  await gallery(page);
  await shows(async () => (await page.locator(".table-name b").allInnerTexts()).sort(), ["One", "Two and a half"]);
  await close();
});

test("what_was_just_typed_is_saved_when_the_page_goes", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await saved(page);
  await page.evaluate(() => {
    const input = document.querySelector(".flow-name");
    input.value = "Just typed";
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
    location.reload();
  });
  await opened(page);
  await shows(() => name(page).inputValue(), "Just typed");
  await close();
});

test("what_cannot_be_read_of_the_browser_s_flows_stays_and_can_be_taken_away", async () => {
  const { page, close } = await open();
  await imported(page, chained([S, hi("hi", "One")], { code: "one", name: "One" }));
  await saved(page);
  const broken = '{"code": "old", "json": "no flow", "versions": [], "accounts": []}';
  await page.evaluate((broken) => {
    localStorage.setItem("chatflow.flow.old", broken);
    localStorage.setItem("chatflow.flows", "[{");
    localStorage.setItem("chatflow.talks.one", "{");
  }, broken);
  await page.reload();
  await opened(page);
  await gallery(page);
  await row(page, "One").waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download old" }).click()]);
  assert.equal(readFileSync(await download.path(), "utf8"), broken);
  await imported(page, chained([S, hi("hi", "Old")], { code: "new", name: "New" }));
  await saved(page);
  assert.deepEqual(await page.evaluate(() => ["chatflow.flow.old", "chatflow.flows"].map((key) => localStorage.getItem(key))), [broken, "[{"]);
  await close();
});

test("flows_of_the_list_that_was_kept_before_are_taken_over", async () => {
  const { page, close } = await open();
  const json = chained([S, hi("hi", "Before")], { code: "before", name: "Before" });
  await page.evaluate((json) => localStorage.setItem("chatflow.flows", JSON.stringify([{ code: "before", json, online: json, accounts: [], logging: true, remark: "of old" }])), json);
  await page.reload();
  await row(page, "Before").locator(".pill.published").waitFor();
  await row(page, "Before").getByText("of old").waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem("chatflow.flows")), null);
  await close();
});

test("versions_survive_a_load_of_the_page", async () => {
  const { page, close } = await open();
  await imported(page, chained([S, hi("hi", "One")], { code: "one", name: "One" }));
  const publish = async (text, number) => {
    await box(page, "send_message").click();
    await page.locator("#f-nodes-1--text").fill(text);
    await page.getByRole("button", { name: "Save and publish" }).click();
    await page.locator(".top .pill.published", { hasText: `v${number}` }).waitFor();
  };
  await publish("One", 1);
  await publish("Two", 2);
  await publish("Three", 3);
  await panel(page, "Versions");
  await page.locator(".versions li", { hasText: "Version 2" }).getByRole("button", { name: "Put online" }).click();
  await page.locator(".top .pill.published", { hasText: "v2" }).waitFor();
  await box(page, "send_message").click();
  await page.locator("#f-nodes-1--text").fill("Four");
  await saved(page);
  const told = await state(page, (state) => state.summary.versions.map(({ version, published_at }) => ({ version, published_at })));
  await page.reload();
  await opened(page);
  await page.locator(".top .pill.published", { hasText: "v2" }).waitFor();
  assert.deepEqual(await state(page, (state) => state.summary.versions.map(({ version, published_at }) => ({ version, published_at }))), told);
  assert.equal((await doc(page)).nodes[1].text, "Four");
  await panel(page, "Versions");
  await page.locator(".versions li", { hasText: "Version 1" }).getByRole("button", { name: "Show" }).click();
  await shows(() => page.locator("pre.script").innerText(), /"One"/);
  await gallery(page);
  await row(page, "One").getByRole("button", { name: "Unpublish" }).click();
  await row(page, "One").locator(".pill.unpublished").waitFor();
  await page.reload();
  await row(page, "One").locator(".pill.unpublished").waitFor();
  assert.equal(await page.evaluate(async () => (await window.chatflow.backend().list())[0].versions.length), 3);
  await close();
});

/** Talks of a flow, recorded: the text, or what is said instead. */
async function recorded(page) {
  const before = (await state(page, (state) => state.records)).length;
  const summary = page.locator(".inside summary", { hasText: "Record" });
  if (!(await page.getByRole("button", { name: "Record this talk" }).isVisible())) await summary.click();
  await page.getByRole("button", { name: "Record this talk" }).click();
  await page.locator(".toast").last().waitFor();
  const records = await state(page, (state) => state.records.map(({ name, talk }) => ({ name, talk })));
  return records.length > before ? records.at(-1) : (await page.locator(".toast").last().innerText());
}

const asks = { id: "ask", kind: "function", function: "stock", save_to: "stock", branches: ["sold_out"] };
const withHost = flowOf(
  [S, hi("hi", "One moment"), asks, { id: "wait", kind: "wait_reply" }, hi("yes", "There are {{ vars.stock }}"), hi("no", "Sold out"), hi("sorry", "Sorry")],
  [{ from: "start", to: "hi" }, { from: "hi", to: "ask" }, { from: "ask", to: "yes" }, { from: "ask", branch: "sold_out", to: "no" }, { from: "ask", branch: "failed", to: "sorry" }, { from: "yes", to: "wait" }],
);

test("a_recorded_talk_is_the_talk_that_was_seen", async () => {
  const { page, close } = await open();
  await imported(page, withHost);
  // Answers by a rule: a value, a failure, a branch.
  for (const [button, line, heard] of [["Answer", '! now {"status":"packed"}', "There are"], ["Fail", "! failed the host is down", "Sorry"], ["by “sold_out”", '! branch sold_out {"status":"packed"}', "Sold out"]]) {
    await page.getByRole("button", { name: "Begin anew, with nobody" }).or(page.getByRole("button", { name: "Start the flow" })).first().click();
    if (await page.getByRole("button", { name: "Start the flow" }).count()) await page.getByRole("button", { name: "Start the flow" }).click();
    const call = page.getByRole("group", { name: "Call of stock" });
    await call.getByLabel("Answer so from now on").check();
    await call.getByRole("button", { name: button, exact: true }).click();
    await page.locator(".bubble.in", { hasText: heard }).waitFor();
    await page.getByRole("button", { name: "Begin anew, with nobody" }).click();
    await page.getByRole("button", { name: "Start the flow" }).click();
    await page.locator(".bubble.in", { hasText: heard }).waitFor();
    const { talk } = await recorded(page);
    assert.ok(talk.includes(`${line}\n`), `${line}: ${talk}`);
    assert.ok(talk.includes(`< ${heard}`), talk);
    await page.locator(".inside summary", { hasText: "Rules of the host" }).click();
    await page.getByRole("button", { name: "Forget the rule of ask" }).click();
    await page.locator(".inside summary", { hasText: "Rules of the host" }).click();
  }
  await close();
});

test("what_a_talk_has_no_line_for_is_said_instead_of_recording_another_one", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  const begin = async () => {
    await page.getByRole("button", { name: "Start the flow" }).click();
    await page.locator(".bubble.in").first().waitFor();
  };
  const report = async (place, word) => {
    await page.getByRole("button", { name: "Say what became of this message" }).nth(place).click();
    await page.locator(".report-menu").getByRole("button", { name: word, exact: true }).click();
  };
  await begin();
  await report(0, "read");
  const first = await recorded(page);
  assert.match(first.talk, /\n! report read\n/);
  await say(page, "hello");
  await page.locator(".bubble.in").nth(1).waitFor();
  await report(0, "delivered");
  assert.match(await recorded(page), /Not recorded: the channel reported on a message that is not the last one/);
  await page.getByText("This talk cannot be recorded").waitFor();
  await page.getByRole("button", { name: "Begin anew, with nobody" }).click();
  await begin();
  await page.locator("summary", { hasText: "Channel" }).click();
  await page.getByLabel("The channel").selectOption("retried");
  await say(page, "hello");
  await page.getByText("not taken, is tried again").waitFor();
  assert.match(await recorded(page), /Not recorded: the channel did not answer for a while/);
  await page.getByRole("button", { name: "Begin anew, with nobody" }).click();
  // A contact who writes later begins later.
  await begin();
  await page.getByRole("button", { name: "+1 d" }).click();
  await page.locator(".note.ends").waitFor();
  await page.getByRole("tab", { name: "Ben" }).click();
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.locator(".bubble.in").first().waitFor();
  const [early, late] = await state(page, (state) => Object.values(state.talk.people).map((person) => person.began));
  assert.ok(late - early >= 86_400_000);
  const second = await recorded(page);
  assert.equal(second.talk.split("\n")[0], `@ ${new Date(late).toISOString().replace(".000", "")}`.replace(/\.\d+Z/, (part) => part));
  // Deleting one does not make the next overwrite another.
  await panel(page, "Recorded");
  await page.locator(".record", { hasText: "talk 1" }).locator("summary").click();
  await page.getByRole("button", { name: "Delete talk 1" }).click();
  await panel(page, "Talk");
  await recorded(page);
  assert.deepEqual(await state(page, (state) => state.records.map((record) => record.name)), ["talk 2", "talk 1"]);
  // A flow that is deleted takes its talks along.
  const key = await state(page, (state) => `chatflow.talks.${state.code}`);
  assert.ok(await page.evaluate((key) => localStorage.getItem(key), key));
  await gallery(page);
  await row(page, "Abandoned cart").getByRole("button", { name: /^Delete/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await row(page, "Abandoned cart").waitFor({ state: "detached" });
  assert.equal(await page.evaluate((key) => localStorage.getItem(key), key), null);
  await close();
});

test("flows_that_are_called_by_called_flows_are_talked_with_rehearsed_and_replayed", async () => {
  const { page, close } = await open();
  await imported(page, chained([S, hi("hi", "From the third")], { code: "ccc", name: "Third" }));
  await gallery(page);
  await imported(page, chained([S, { id: "call", kind: "call_flow", flow: "ccc" }, hi("hi", "From the second")], { code: "bbb", name: "Second" }));
  await gallery(page);
  await imported(page, chained([S, { id: "call", kind: "call_flow", flow: "bbb" }, hi("hi", "From the first")], { code: "aaa", name: "First" }));
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.locator(".note.completed").waitFor();
  await shows(() => messages(page), ["From the third", "From the second", "From the first"]);
  const { talk } = await recorded(page);
  assert.match(talk, /< From the third\n[^]*< From the second\n[^]*< From the first\n/);
  await panel(page, "Recorded");
  await page.locator(".record.green").waitFor();
  await panel(page, "Heat map");
  await page.getByRole("button", { name: "Rehearse" }).click();
  await page.locator("table.heat").waitFor();
  assert.deepEqual(await state(page, (state) => state.heat.ends), { completed: 300 });
  // One that does not run is named.
  await gallery(page);
  await row(page, "Third").getByText("Third", { exact: true }).first().click();
  await opened(page);
  await box(page, "send_message").click();
  await page.locator("#f-nodes-1--text").fill("{{ broken");
  await saved(page);
  await gallery(page);
  await row(page, "First").getByText("First", { exact: true }).first().click();
  await opened(page);
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.getByText("The flow `ccc` does not run").waitFor();
  await close();
});

test("links_and_media_of_a_talk_are_opened_by_a_tap", async () => {
  const { page, close } = await open();
  await imported(page, chained([S, { id: "pic", kind: "send_message", media: { type: "image", url: "https://shop.example/tea.jpg" } }, { id: "card", kind: "send_message", text: "Look", buttons: [{ label: "Shop", url: "https://shop.example/" }] }], { trigger: { kind: "inbound", channel: "whatsapp" }, settings: undefined }));
  await page.context().route("https://shop.example/**", (route) => route.fulfill({ body: "tea" }));
  await page.getByRole("button", { name: "Open the phone" }).click();
  await say(page, "hello");
  for (const link of [page.locator("a.media"), page.locator("a.link-out")]) {
    const [opened] = await Promise.all([page.context().waitForEvent("page"), link.first().click()]);
    assert.match(opened.url(), /^https:\/\/shop\.example\//);
    await opened.close();
  }
  await close();
});

test("an_account_is_bound_by_its_number_and_its_name", async () => {
  const { page, close } = await open();
  await imported(page, chained([S, hi("hi", "Hi")], { code: "shop", name: "Shop", trigger: { kind: "inbound", channel: "whatsapp" }, settings: undefined }));
  await gallery(page);
  const settings = async () => {
    await row(page, "Shop").getByRole("button", { name: "Settings" }).click();
    await page.getByRole("tab", { name: "Bind account" }).click();
  };
  await settings();
  await page.getByLabel("Account on whatsapp").fill("+15550100");
  await page.getByLabel("Account name").fill("Shop Berlin");
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await row(page, "Shop").getByRole("button", { name: "Publish", exact: true }).click();
  await row(page, "Shop").locator(".pill.published").waitFor();
  await settings();
  await shows(() => page.getByLabel("Account name").inputValue(), "Shop Berlin");
  // In either state it may have another name.
  await page.getByLabel("Account name").fill("Shop Potsdam");
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await page.waitForFunction(() => !window.chatflow.get().dialog);
  await page.reload();
  await settings();
  await shows(() => page.getByLabel("Account name").inputValue(), "Shop Potsdam");
  await close();
});

test("on_a_narrow_screen_a_flow_is_saved_and_shared_and_its_state_is_seen", async () => {
  const { page, close } = await open({ viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true });
  await fromTemplate(page, "Abandoned cart 30min");
  const more = () => page.getByRole("button", { name: "More of this flow" }).tap();
  await more();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Unpublished").waitFor();
  await dialog.getByRole("status").getByText("Saved").waitFor();
  await dialog.getByRole("button", { name: "Save", exact: true }).tap();
  await page.waitForFunction(() => !window.chatflow.get().dialog);
  await page.getByRole("button", { name: "Save and publish" }).or(page.getByRole("button", { name: "Publish", exact: true })).first().tap();
  await page.waitForFunction(() => window.chatflow.get().summary.online === 1);
  await more();
  await dialog.getByText("Published · v1").waitFor();
  await dialog.getByRole("button", { name: "Share by link" }).tap();
  await page.waitForFunction(() => document.querySelector("dialog textarea")?.value.includes("#share="));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 375, `${wide} pixels are scrolled`);
  await close();
});
