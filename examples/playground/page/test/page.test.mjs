// The page in a browser, step by step as people use it. docs/products.md names these tests.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readFileSync, statSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { accessible, becomes, doc, end, fromTemplate, imported, messages, open, opened, panel, saved, say, settled, shows, state, template } from "./kit.mjs";

after(end);

test("a_template_is_edited_saved_and_published_and_the_cart_is_talked_with_to_its_end", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await page.locator(".box.kind-send_message").first().click();
  await page.locator("#f-nodes-1--text").fill("Hello {{context.first_name}}, {{context.cart_total}} is waiting. 1 or 2?");
  await shows(() => page.locator(".preview").first().innerText(), /Hello Ada, 129\.00 is waiting/);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await saved(page);
  await page.getByRole("button", { name: "Save and publish" }).click();
  await page.locator(".top .pill.published").waitFor();
  await panel(page, "Talk");
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.locator(".bubble.in").first().waitFor();
  await shows(() => messages(page), ["Hello Ada, 129.00 is waiting. 1 or 2?"]);
  await say(page, "hello");
  await say(page, "1");
  await page.locator(".note.completed").waitFor();
  await shows(async () => (await messages(page)).at(-1), /Checkout: https:\/\/shop\.example\/c\/987654321/);
  // The diagram followed: the end is where the session stands, by the ways that it took.
  await page.locator(".box.kind-end.current").waitFor();
  await shows(() => page.locator(".line.taken").count(), 7);
  await shows(() => page.locator(".journal").innerText(), /1 or 2\?/);
  await close();
});

test("a_flow_is_created_on_a_blank_canvas_by_each_trigger_type", async () => {
  const { page, close } = await open();
  for (const [word, title] of [["manual", "Manual"], ["whatsapp", "WhatsApp"], ["instagram", "Instagram"], ["viber", "Viber"], ["messenger", "Messenger"]]) {
    await page.getByRole("button", { name: "New flow" }).click();
    await page.locator(`input[name=trigger][value=${word}]`).check();
    await page.getByLabel("Flow name").fill(`By ${title}`);
    await page.getByLabel("Remark").fill("for the shop");
    await page.getByRole("button", { name: "Create" }).click();
    await opened(page);
    const { trigger } = await doc(page);
    assert.deepEqual(trigger, word === "manual" ? { kind: "manual" } : { kind: "inbound", channel: word });
    await page.getByRole("button", { name: "All flows" }).click();
    await page.locator(".table-row", { hasText: `By ${title}` }).waitFor();
  }
  await shows(() => page.locator(".table-row").count(), 5);
  await page.reload();
  await shows(() => page.locator(".table-row").count(), 5, "they are kept in the browser");
  await close();
});

test("a_flow_is_drafted_from_a_description_by_a_model_of_the_author", async () => {
  const { page, close } = await open();
  await page.getByRole("button", { name: "From a description" }).click();
  await page.getByLabel("What the flow shall do").fill("Greet everybody.");
  await page.getByRole("button", { name: "Write the prompt" }).click();
  await shows(() => page.getByLabel("Give this to a model of yours").inputValue(), /Greet everybody\./);
  await page.getByLabel("What it answered").fill("It is a nice day.");
  await page.getByRole("button", { name: "Load it to the canvas" }).click();
  await page.getByRole("alert").waitFor();
  const flow = { spec: 1, code: "greet", name: "Greet", trigger: { kind: "manual" }, nodes: [{ id: "start", kind: "start" }, { id: "hi", kind: "send_message", text: "Hi!" }], edges: [{ from: "start", to: "hi" }], settings: { sender: { channel: "sms", account: "+15550100" } } };
  await page.getByLabel("What it answered").fill("Here it is:\n```json\n" + JSON.stringify(flow) + "\n```");
  await page.getByRole("button", { name: "Load it to the canvas" }).click();
  await opened(page);
  assert.equal((await doc(page)).nodes.length, 2);
  await close();
});

test("an_import_is_exported_byte_for_byte", async () => {
  const { page, close } = await open();
  const text = template("order_picker").replace("{", "{\n\n").replaceAll('"order_picker"', '"mine"');
  await imported(page, text);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export JSON" }).click()]);
  assert.equal(readFileSync(await download.path(), "utf8"), text);
  // Undone edits leave it as it was, too.
  await page.locator(".box").nth(1).click();
  await page.keyboard.press("Delete");
  await page.getByRole("button", { name: "Undo" }).click();
  await saved(page);
  const [again] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export JSON" }).click()]);
  assert.equal(readFileSync(await again.path(), "utf8"), text);
  await close();
});

test("a_session_expires_by_the_clock_and_a_second_trigger_reports_already_running", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.locator(".bubble.in").first().waitFor();
  await page.getByRole("button", { name: "Trigger again" }).click();
  await page.locator(".note.already_running").waitFor();
  assert.equal(await page.locator(".bubble.in").count(), 1, "nothing is sent twice");
  await page.getByRole("button", { name: "+1 m" }).click();
  await shows(() => page.locator(".expiry").innerText(), /29m/);
  await page.getByRole("button", { name: "+31 m" }).click();
  await page.locator(".note.ends").waitFor();
  await shows(() => page.locator(".note.ends").innerText(), /expired/);
  await page.getByRole("button", { name: "Trigger again" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".bubble.in").length === 2);
  await close();
});

test("a_broken_flow_shows_its_issue_at_its_node_and_is_not_published_until_it_is_repaired", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await page.locator(".box.kind-branch").click();
  await page.getByLabel("else leads to").selectOption("");
  await page.locator(".box.kind-branch .fault.bad").waitFor();
  await page.getByRole("button", { name: "Save and publish" }).click();
  await page.locator(".toast.bad").waitFor();
  assert.equal(await page.locator(".top .pill.published").count(), 0);
  await shows(() => page.locator(".issues li.error").first().innerText(), /missing_else/);
  await page.getByRole("button", { name: "End at “else”" }).click();
  await page.waitForFunction(() => window.chatflow.get().checked.runs);
  await shows(() => page.locator(".box .fault.bad").count(), 0);
  await page.getByRole("button", { name: "Save and publish" }).click();
  await page.locator(".top .pill.published").waitFor();
  await close();
});

test("components_are_put_between_nodes_dragged_in_connected_moved_copied_and_deleted_and_each_edit_is_undone", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await settled(page);
  const texts = [JSON.stringify(await doc(page))];
  const undone = async (what) => {
    const now = JSON.stringify(await doc(page));
    assert.notEqual(now, texts[0], what);
    await page.getByRole("button", { name: "Undo" }).click();
    await shows(async () => JSON.stringify(await doc(page)), texts[0], `${what} is undone`);
    await page.getByRole("button", { name: "Redo" }).click();
    await shows(async () => JSON.stringify(await doc(page)), now, `${what} is done again`);
    await page.getByRole("button", { name: "Undo" }).click();
    await shows(async () => JSON.stringify(await doc(page)), texts[0], `${what} is undone again`);
  };
  const drag = async (from, to, steps) => {
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps });
    await page.mouse.up();
  };
  // The + between two nodes.
  await page.getByRole("button", { name: /Add a component between start/ }).click();
  await page.getByRole("dialog", { name: "Add a component" }).getByRole("button", { name: /^Typing/ }).click();
  const between = await becomes(page, (doc) => doc.nodes.some((node) => node.kind === "typing"));
  assert.equal(between.edges.find((edge) => edge.from === "start").to, "typing");
  assert.equal(between.edges.find((edge) => edge.from === "typing").to, "remind");
  await undone("a component between two");
  // From the library.
  await page.dragAndDrop('.library .item:has-text("Log")', ".canvas", { targetPosition: { x: 120, y: 120 } });
  await becomes(page, (doc) => doc.nodes.some((node) => node.id === "log" && node.ui.place));
  await undone("a component that was dragged in");
  // By a handle.
  await settled(page);
  const from = await page.locator('.box.kind-wait_reply .react-flow__handle[data-handleid="timeout"]').boundingBox();
  const to = await page.locator('.box.kind-end .react-flow__handle-top').first().boundingBox();
  await page.mouse.move(from.x + 5, from.y + 5);
  await page.mouse.down();
  await page.mouse.move(to.x + 30, to.y + 30, { steps: 4 });
  await page.mouse.move(to.x + 5, to.y + 5, { steps: 4 });
  await page.mouse.up();
  await becomes(page, (doc) => doc.edges.find((edge) => edge.branch === "timeout")?.to === "bought");
  await undone("a branch that was connected");
  // Moved by hand.
  await settled(page);
  const box = await page.locator(".box.kind-branch").boundingBox();
  await drag({ x: box.x + 60, y: box.y + 14 }, { x: box.x + 180, y: box.y + 60 }, 6);
  await becomes(page, (doc) => doc.nodes.some((node) => node.ui?.place));
  await undone("a node that was moved");
  // So quickly that the browser tells of one move only: the box lies under the mouse all the same.
  await settled(page);
  const [zoom, began] = await page.evaluate(() => [new DOMMatrix(document.querySelector(".react-flow__viewport").style.transform).a, window.chatflow.places().pick]);
  const before = await page.locator(".box.kind-branch").boundingBox();
  await drag({ x: before.x + 60, y: before.y + 14 }, { x: before.x + 150, y: before.y + 34 }, 1);
  const { place } = (await becomes(page, (doc) => doc.nodes.some((node) => node.ui?.place))).nodes.find((node) => node.id === "pick").ui;
  assert.ok(Math.abs(place.x - began.x - 90 / zoom) < 2 && Math.abs(place.y - began.y - 20 / zoom) < 2, JSON.stringify({ place, began, zoom }));
  await undone("a quick move");
  // A press that shakes is a click.
  await settled(page);
  const still = await page.locator(".box.kind-branch").boundingBox();
  await drag({ x: still.x + 60, y: still.y + 14 }, { x: still.x + 62, y: still.y + 15 }, 2);
  await page.locator('.form[data-kind="branch"]').waitFor();
  assert.equal(JSON.stringify(await doc(page)), texts[0], "a click moves nothing");
  // A field.
  await page.locator(".box.kind-wait_reply").click();
  await page.getByLabel("Title of the node").fill("Wait a while");
  await becomes(page, (doc) => doc.nodes.some((node) => node.name === "Wait a while"));
  await undone("a field");
  // Copied and deleted.
  await page.locator(".box.kind-wait_reply").click();
  await page.keyboard.press("Control+c");
  await page.keyboard.press("Control+v");
  await becomes(page, (doc) => doc.nodes.some((node) => node.id === "wait_2"));
  await undone("a copy");
  await page.locator(".box.kind-wait_reply").first().click();
  await page.keyboard.press("Delete");
  await becomes(page, (doc) => !doc.nodes.some((node) => node.id === "wait"));
  await undone("a deletion");
  await page.getByRole("tab", { name: "Flow", exact: true }).click();
  await page.getByRole("spinbutton", { name: "Session ttl minutes" }).fill("45");
  await becomes(page, (doc) => doc.settings.session_ttl_minutes === 45);
  await undone("a setting");
  await close();
});

test("each_kind_of_edit_is_undone_and_done_again", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await saved(page);
  const undone = async (what, before) => {
    const now = JSON.stringify(await doc(page));
    assert.notEqual(now, before, what);
    await page.getByRole("button", { name: "Undo" }).click();
    await shows(async () => JSON.stringify(await doc(page)), before, `${what} is undone`);
    await page.getByRole("button", { name: "Redo" }).click();
    await shows(async () => JSON.stringify(await doc(page)), now, `${what} is done again`);
    await page.getByRole("button", { name: "Undo" }).click();
    await shows(async () => JSON.stringify(await doc(page)), before, `${what} is undone again`);
  };
  const box = (kind) => page.locator(`.box.kind-${kind}`).first();
  const flowTab = () => page.getByRole("tab", { name: "Flow", exact: true }).click();
  const wait = () => box("wait_reply").click();
  // Every place of the page that edits, beside those of the test above: drag, handle, move, paste.
  const edits = {
    "a component behind the one that is chosen": async () => { await wait(); await page.keyboard.press("a"); await page.keyboard.type("Log"); await page.keyboard.press("Enter"); },
    "a branch that was led to a node": async () => { await wait(); await page.getByLabel("timeout leads to").selectOption("handed_over"); },
    "a branch that was led nowhere": async () => { await box("branch").click(); await page.getByLabel("else leads to").selectOption(""); },
    "a deleted line": async () => { await page.locator(".react-flow__edge").nth(1).focus(); await page.keyboard.press("Enter"); await page.keyboard.press("Delete"); },
    "a deleted node": async () => { await wait(); await page.keyboard.press("Delete"); },
    "the title of a node": async () => { await wait(); await page.getByLabel("Title of the node").fill("Patience"); },
    "a field of a node": async () => { await box("send_message").click(); await page.locator("#f-nodes-1--text").fill("Hello"); },
    "the id of a node": async () => { await wait(); await page.getByLabel("Id", { exact: true }).fill("patience"); await page.keyboard.press("Tab"); },
    "the name in the head of the page": async () => { await page.getByLabel("Name of the flow").fill("The cart"); },
    "the name in the flow's form": async () => { await flowTab(); await page.locator("#f-name").fill("Cart"); },
    "a setting": async () => { await flowTab(); await page.getByRole("spinbutton", { name: "Session ttl minutes" }).fill("45"); },
    "the trigger": async () => { await flowTab(); await page.locator("#trigger-kind").selectOption("inbound"); },
  };
  for (const [what, edit] of Object.entries(edits)) {
    const before = JSON.stringify(await doc(page));
    await edit();
    await page.waitForFunction((before) => JSON.stringify(window.chatflow.get().doc) !== before, before).catch(() => assert.fail(`${what} changes nothing`));
    await undone(what, before);
  }
  // A layout by hand is tidied.
  await page.dragAndDrop('.library .item:has-text("Log")', ".canvas", { targetPosition: { x: 120, y: 120 } });
  const placed = JSON.stringify(await doc(page));
  await page.getByRole("button", { name: "Lay out anew" }).click();
  await undone("a tidied layout", placed);
  await page.getByRole("button", { name: "Undo" }).click();
  // A repair that is certain.
  await box("branch").click();
  await page.getByLabel("else leads to").selectOption("");
  const broken = JSON.stringify(await doc(page));
  await panel(page, "Issues");
  await page.getByRole("button", { name: "End at “else”" }).click();
  await undone("a repair", broken);
  await close();
});

test("a_talk_is_held_to_what_each_channel_carries", async () => {
  const { page, close } = await open();
  const choices = ["Small", "Medium", "Large", "Extra large"].map((label, place) => ({ id: `s${place}`, label }));
  const flow = { spec: 1, code: "sizes", name: "Sizes", trigger: { kind: "inbound", channel: "whatsapp" }, nodes: [{ id: "start", kind: "start" }, { id: "size", kind: "ask", text: "Which size?", choices }, { id: "thanks", kind: "send_message", text: "{{ reply.text }} it is." }], edges: [{ from: "start", to: "size" }, { from: "size", to: "thanks" }] };
  await imported(page, JSON.stringify(flow));
  const channels = page.getByRole("group", { name: "Channel of the talk" });
  const on = async (name) => {
    await channels.getByRole("button", { name, exact: true }).click();
    await page.locator(`.phone.${name.toLowerCase().split(" ")[0]}`).waitFor();
    await say(page, "hello");
    await page.locator(".bubble.in").first().waitFor();
  };
  await page.getByRole("button", { name: "Open the phone" }).click();
  await say(page, "hello");
  await page.locator(".option.opener").click();
  await shows(() => page.locator(".list-row").count(), 4, "WhatsApp has three buttons at most, and a list for more");
  await on("Messenger");
  assert.equal(await page.locator(".option.opener").count(), 0);
  await shows(() => page.locator(".phone .option").allInnerTexts(), ["Small", "Medium", "Large", "Extra large"]);
  await on("SMS");
  assert.equal(await page.locator(".phone .option").count(), 0, "a text message has no buttons");
  await shows(async () => (await messages(page)).at(-1), /1.*Small[^]*4.*Extra large/);
  await say(page, "4");
  await page.locator(".bubble.in", { hasText: "it is." }).waitFor();
  await on("WhatsApp");
  await page.locator(".option.opener").waitFor();
  assert.equal((await doc(page)).trigger.channel, "whatsapp", "the flow itself is as it was");
  // A channel that cannot carry it at all says so, with the node.
  await page.getByRole("button", { name: "All flows" }).click();
  await fromTemplate(page, "Main menu");
  await channels.getByRole("button", { name: "Viber", exact: true }).click();
  await page.getByRole("heading", { name: "Viber does not carry it" }).waitFor();
  await shows(() => page.locator(".reasons").innerText(), /node "menu": list: cannot be sent on viber/);
  await page.getByRole("button", { name: "Back to WhatsApp" }).click();
  await page.locator(".phone.whatsapp").waitFor();
  await close();
});

test("what_somebody_else_saved_meanwhile_is_a_choice_that_loses_nothing", async () => {
  for (const choice of ["Keep mine", "Take theirs"]) {
    const { page, close } = await open();
    await fromTemplate(page, "Abandoned cart 30min");
    await saved(page);
    const theirs = await page.evaluate(async () => {
      const { summary, doc } = window.chatflow.get();
      const theirs = { ...doc, name: "The cart of somebody else" };
      await window.chatflow.backend().save(summary.flow, JSON.stringify(theirs), summary.revision);
      return theirs.name;
    });
    await page.getByLabel("Name of the flow").fill("My cart");
    const dialog = page.getByRole("dialog", { name: "Somebody else saved this flow" });
    await dialog.getByText("Settings of the flow differ").waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "Download mine" }).click()]);
    assert.equal(JSON.parse(readFileSync(await download.path(), "utf8")).name, "My cart");
    await dialog.getByRole("button", { name: choice }).click();
    await saved(page);
    const [kept, other] = choice === "Keep mine" ? ["My cart", theirs] : [theirs, "My cart"];
    await shows(async () => (await doc(page)).name, kept);
    await page.getByRole("button", { name: "Undo" }).click();
    await shows(async () => (await doc(page)).name, other, "the other is behind undo");
    await page.getByRole("button", { name: "Redo" }).click();
    await saved(page);
    await page.reload();
    await opened(page);
    assert.equal((await doc(page)).name, kept, "it is what was saved");
    await close();
  }
});

test("the_states_of_a_flow_allow_what_the_product_says", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Main menu");
  // A flow that messages start is bound before it is published.
  await page.getByRole("button", { name: "Save and publish" }).click();
  await page.locator(".toast.bad").waitFor();
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("tab", { name: "Bind account" }).click();
  await page.getByLabel("Account on whatsapp").fill("+15550100");
  await page.getByRole("tab", { name: "Log" }).click();
  await page.getByRole("switch").check();
  await page.getByRole("tab", { name: "Basic information" }).click();
  await page.getByLabel("Remark").fill("for everybody");
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await page.waitForFunction(() => !window.chatflow.get().dialog);
  await page.getByRole("button", { name: "Save and publish" }).click();
  await page.locator(".top .pill.published").waitFor();
  await page.getByRole("button", { name: "All flows" }).click();
  const row = page.locator(".table-row", { hasText: "Main menu" });
  await row.getByText("for everybody").waitFor();
  // Published: neither deleted nor bound to another account; renamed, logged and tested it may be.
  await shows(() => row.getByRole("button", { name: "Delete Main menu" }).isDisabled(), true);
  await row.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("tab", { name: "Bind account" }).click();
  await shows(() => page.getByLabel("Account on whatsapp").isDisabled(), true);
  await page.getByRole("tab", { name: "Basic information" }).click();
  await page.getByLabel("Flow name").fill("The menu");
  await page.getByRole("tab", { name: "Log" }).click();
  await page.getByRole("switch").uncheck();
  await page.getByRole("button", { name: "OK", exact: true }).click();
  const renamed = page.locator(".table-row", { hasText: "The menu" });
  await renamed.getByRole("button", { name: "Test The menu" }).click();
  await opened(page);
  await page.getByRole("button", { name: "All flows" }).click();
  // Unpublished: deleted, with confirmation.
  await renamed.getByRole("button", { name: "Unpublish" }).click();
  await renamed.locator(".pill.unpublished").waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), renamed.getByRole("button", { name: "Export The menu" }).click()]);
  assert.equal(JSON.parse(readFileSync(await download.path(), "utf8")).trigger.kind, "inbound");
  await renamed.getByRole("button", { name: "Delete The menu" }).click();
  await page.getByText("cannot be recovered").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.waitForFunction(() => !window.chatflow.get().dialog);
  assert.equal(await renamed.count(), 1);
  await renamed.getByRole("button", { name: "Delete The menu" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await renamed.waitFor({ state: "detached" });
  await close();
});

test("messages_are_tapped_calls_are_answered_by_hand_and_by_rules_and_other_contacts_have_talks_of_their_own", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Order");
  await page.getByRole("button", { name: "Open the phone" }).click();
  await say(page, "I want to order");
  const call = page.getByRole("group", { name: "Call of http_request" });
  await call.getByLabel("Answer, as JSON").fill(JSON.stringify({ status: 200, body: { items: [{ id: "tea", name: "Tea", price: 4.5, left: 9 }, { id: "mug", name: "Mug", price: 12, left: 1 }] } }));
  await call.getByLabel("Answer so from now on").check();
  await call.getByRole("button", { name: "Answer", exact: true }).click();
  await page.locator(".sent").last().waitFor();
  await page.locator(".option:text('Tea')").last().click();
  await page.getByText("How many of Tea?").waitFor();
  await page.getByRole("tab", { name: "Ben" }).click();
  await say(page, "I want to order");
  await page.locator(".bubble.in", { hasText: "What shall it be?" }).waitFor();
  assert.equal(await page.getByText("How many of Tea?").count(), 0);
  await page.getByRole("tab", { name: "Ada" }).click();
  await page.getByText("How many of Tea?").waitFor();
  await close();
});

test("deliveries_fail_and_windows_close_by_hand", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.locator(".bubble.in").first().waitFor();
  await page.locator("summary", { hasText: "Channel" }).click();
  await page.getByLabel("The channel").selectOption("retried");
  await say(page, "hello");
  await page.getByText("not taken, is tried again").waitFor();
  await shows(() => page.locator(".inside").innerText(), /Sorry, please answer 1 or 2/);
  await page.getByLabel("The channel").selectOption("taken");
  await page.getByRole("button", { name: /Next deadline/ }).click();
  await page.getByText("Nothing waits to be sent.").waitFor();
  await page.getByLabel("The channel").selectOption("window_closed");
  await say(page, "1");
  await page.getByText("the messaging window is closed", { exact: false }).first().waitFor();
  await shows(() => page.locator(".inside").innerText(), /window_closed/);
  await close();
});

test("a_recorded_talk_is_green_and_turns_red_when_an_edit_changes_what_is_said", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.locator(".bubble.in").first().waitFor();
  await say(page, "hello");
  await say(page, "1");
  await page.locator(".note.completed").waitFor();
  await page.locator("summary", { hasText: "Record" }).click();
  await page.getByRole("button", { name: "Record this talk" }).click();
  await panel(page, "Recorded");
  await page.locator(".record.green").waitFor();
  await page.locator(".record summary").click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
  const talk = readFileSync(await download.path(), "utf8");
  assert.match(talk, /^@ \d{4}-.*\n! context \{/);
  assert.match(talk, /\n> hello\n< Sorry, please answer 1 or 2\.\n= waiting at wait\n> 1\n/);
  assert.match(talk, /= completed at bought, checkout\n$/);
  await page.locator(".box", { hasText: "Ask again" }).click();
  await page.locator("#f-nodes-4--text, textarea[aria-label=Text]").first().fill("Please say 1 or 2.");
  await panel(page, "Recorded");
  await page.locator(".record.red").waitFor();
  await shows(() => page.locator(".script").innerText(), /− < Sorry, please answer 1 or 2\.\n\+ < Please say 1 or 2\./);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.locator(".record.green").waitFor();
  await close();
});

test("a_flow_is_shared_by_a_link_that_holds_it_whole", async () => {
  const { page, close, address } = await open();
  await fromTemplate(page, "Where is my order?");
  const text = await page.evaluate(() => JSON.stringify(window.chatflow.get().doc));
  await page.getByRole("button", { name: "Share by link" }).click();
  await page.waitForFunction(() => document.querySelector("dialog textarea")?.value.includes("#share="));
  const link = await page.locator("dialog textarea").inputValue();
  assert.ok(link.startsWith(address), link);
  const other = await open({}, link.slice(address.length));
  await other.page.getByRole("dialog").getByRole("button", { name: "Import" }).click();
  await other.page.waitForSelector(".box");
  assert.equal(await other.page.evaluate(() => JSON.stringify(window.chatflow.get().doc)), text);
  await other.close();
  const broken = await open({}, "#share=AAAA");
  await broken.page.getByText("the link holds no flow").waitFor();
  await broken.close();
  await close();
});

test("a_heat_map_shows_where_many_go_and_where_they_stay", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await panel(page, "Heat map");
  await page.getByLabel("Talks").selectOption("300");
  await page.getByRole("button", { name: "Rehearse" }).click();
  await page.locator("table.heat").waitFor();
  const heat = await state(page, (state) => state.heat);
  assert.equal(heat.nodes.find((count) => count.node === "start").visits, 300);
  assert.equal(Object.values(heat.ends).reduce((sum, times) => sum + times, 0), 300);
  assert.ok(heat.ends.completed > 0 && heat.ends.expired > 0, JSON.stringify(heat.ends));
  await shows(() => page.locator(".box.hot .count").first().innerText(), "300×");
  await close();
});

test("a_flow_is_drawn_with_the_keyboard_alone", async () => {
  const { page, close } = await open();
  await page.getByRole("button", { name: "New flow" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Flow name").fill("By keys");
  await page.keyboard.press("Enter");
  await opened(page);
  // The component after the start, searched for by its name.
  await page.locator(".react-flow__node").first().focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("a");
  await page.keyboard.type("Message");
  await page.keyboard.press("Enter");
  await page.getByLabel("Text", { exact: true }).focus();
  await page.keyboard.type("Hello {{ con");
  await page.getByRole("listbox").waitFor();
  await page.keyboard.press("Enter");
  // A branch is led to a node without a mouse.
  await page.getByLabel("failed leads to").focus();
  await page.keyboard.press("ArrowDown");
  const drawn = await becomes(page, (doc) => doc.edges.length === 3);
  assert.match(drawn.nodes.find((node) => node.kind === "send_message").text, /^Hello \{\{ contact?\.\w+ \}\}|^Hello \{\{ context\.\w+ \}\}/);
  assert.deepEqual(drawn.edges.map((edge) => `${edge.from} ${edge.branch ?? ""}> ${edge.to}`), ["start > message", "message > end", `message failed> ${drawn.edges[2].to}`]);
  await page.keyboard.press("Control+s");
  await saved(page);
  await page.keyboard.press("Control+Enter");
  await page.locator(".top .pill.published").waitFor();
  await close();
});

test("it_is_used_by_touch_on_a_screen_of_375_pixels", async () => {
  const { page, close } = await open({ viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true });
  await page.locator(".card").first().tap();
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).tap();
  await opened(page);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 375, `${wide} pixels are scrolled`);
  const sheets = page.getByRole("navigation", { name: "Parts of the page" });
  await sheets.getByRole("button", { name: "Talk" }).tap();
  await page.getByRole("button", { name: "Start the flow" }).tap();
  await page.locator(".bubble.in").first().waitFor();
  await say(page, "2");
  await page.locator(".note.completed").waitFor();
  await sheets.getByRole("button", { name: "Flow" }).tap();
  await settled(page);
  await page.locator(".box.kind-wait_reply").tap();
  await sheets.getByRole("button", { name: "Configure" }).tap();
  await page.getByLabel("Title of the node").fill("Patience");
  await sheets.getByRole("button", { name: "Add" }).tap();
  await page.locator(".library .item", { hasText: "Typing" }).tap();
  await becomes(page, (doc) => doc.nodes.some((node) => node.kind === "typing"));
  await close();
});

test("every_template_of_the_gallery_is_opened_drawn_and_begun", async () => {
  const { page, close } = await open();
  const names = await page.locator(".card b").allInnerTexts();
  assert.ok(names.length >= 13, names.join());
  for (const name of names) {
    await fromTemplate(page, name);
    assert.equal(await state(page, (state) => state.checked.runs || state.checked.issues.every((issue) => issue.severity === "warning")), true, name);
    const start = page.getByRole("button", { name: "Start the flow" });
    await start.or(page.getByRole("button", { name: "Open the phone" })).waitFor();
    if (await start.count()) await start.click();
    else {
      await page.getByRole("button", { name: "Open the phone" }).click();
      const word = await state(page, (state) => {
        const rule = state.doc.trigger.rules?.find((rule) => ["exact", "starts_with", "contains", "has_word"].includes(rule.match));
        return rule?.text ?? rule?.list?.[0] ?? "hello";
      });
      await say(page, word);
    }
    await page.waitForFunction(() => {
      const { talk, person } = window.chatflow.get();
      return talk?.people[person]?.session != null;
    }).catch(() => assert.fail(`${name} does not begin`));
    const status = await state(page, (state) => state.talk.people[state.person].session.status);
    assert.notEqual(status, "failed", name);
    await page.getByRole("button", { name: "All flows" }).click();
    await page.waitForSelector(".gallery");
  }
  await close();
});

test("nothing_keeps_people_out_in_light_and_in_dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, close } = await open({ colorScheme });
    await accessible(page, `gallery, ${colorScheme}`);
    await fromTemplate(page, "Main menu");
    await page.getByRole("button", { name: "Open the phone" }).click();
    await say(page, "menu");
    await page.locator(".bubble.in").first().waitFor();
    await accessible(page, `talk, ${colorScheme}`);
    await page.locator(".box.kind-ask").first().click();
    await accessible(page, `form, ${colorScheme}`);
    for (const name of ["Issues", "Heat map", "Flow", "Versions", "Recorded"]) {
      await page.getByRole("tab", { name: new RegExp(`^${name}(,|$)`) }).first().click();
      await accessible(page, `${name}, ${colorScheme}`);
    }
    await page.getByRole("button", { name: "Settings" }).click();
    await accessible(page, `dialog, ${colorScheme}`);
    await close();
  }
});

test("ids_do_not_repeat_from_one_load_of_the_page_to_the_next_and_its_clock_is_that_of_the_page", async () => {
  const { page, close } = await open();
  const ids = new Set();
  for (let load = 0; load < 4; load++) {
    const { id, now, elapsed } = await page.evaluate(() => window.chatflow.engine.mint());
    ids.add(id.slice(-12));
    assert.ok(Math.abs(now - Date.now()) < 60_000 && elapsed >= 0);
    await page.reload();
    await page.waitForSelector(".gallery");
  }
  assert.equal(ids.size, 4);
  await close();
});

test("the_first_message_is_on_screen_without_a_server", async () => {
  const { page, close } = await open();
  await page.context().setOffline(true);
  await fromTemplate(page, "Abandoned cart 30min");
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.locator(".bubble.in").first().waitFor();
  await page.context().setOffline(false);
  await close();
});

test("the_page_is_small", () => {
  const dist = new URL("../../dist/", import.meta.url);
  const packed = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
  const script = packed("app.js") + packed("chatflow_web.js");
  assert.ok(script <= 130 * 1024, `JavaScript: ${script} bytes`);
  const module = packed("chatflow_web_bg.wasm");
  assert.ok(module <= 1_400_000, `the engine: ${module} bytes of ${statSync(new URL("chatflow_web_bg.wasm", dist)).size}`);
});
