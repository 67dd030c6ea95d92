// Typing in a browser: numbers letter by letter, keys of all layouts, texts in both directions.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { becomes, box, doc, end, flowOf, fromTemplate, imported, messages, open, opened, panel, saved, say, settled, shows, state } from "./kit.mjs";

after(end);

const S = { id: "start", kind: "start" };
const E = { id: "end", kind: "end" };
const hi = (text, more = {}) => ({ id: "hi", kind: "send_message", text, ...more });
const chosen = (page, id) => page.locator(`.react-flow__node[data-id="${id}"] header`).click();
const nodeOf = async (page, id) => (await doc(page)).nodes.find((node) => node.id === id);

test("a_field_that_is_emptied_stays_until_it_is_removed", async () => {
  const { page, close } = await open();
  await imported(page, flowOf([S, { id: "ask", kind: "ask", text: "How many?", save_to: "count", retries: 2 }, { id: "back", kind: "jump", target: "ask", max_jumps: 3 }, { id: "split", kind: "llm", prompt: "x", save_to: "a", temperature: 0.5 }], [{ from: "start", to: "ask" }, { from: "ask", to: "back" }]));
  await chosen(page, "back");
  const jumps = page.locator("#f-nodes-2--max_jumps");
  await jumps.click();
  for (let press = 0; press < 4; press += 1) await page.keyboard.press("Backspace");
  assert.equal((await doc(page)).nodes.length, 4, "no node is deleted");
  await becomes(page, (doc) => !("max_jumps" in doc.nodes[2]));
  await page.keyboard.type("12");
  await becomes(page, (doc) => doc.nodes[2].max_jumps === 12);
  await chosen(page, "split");
  await page.locator("#f-nodes-3--temperature").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("0.05");
  await becomes(page, (doc) => doc.nodes[3].temperature === 0.05);
  await page.getByRole("button", { name: "Remove Temperature" }).click();
  await becomes(page, (doc) => !("temperature" in doc.nodes[3]));
  assert.equal(await page.locator("#f-nodes-3--temperature").count(), 0);
  await close();
});

test("a_key_that_deletes_acts_on_the_canvas_alone", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await box(page, "wait_reply").click();
  for (const focused of [page.getByRole("tab", { name: "Configure" }), page.getByRole("button", { name: "Duplicate" }), page.getByRole("button", { name: "Zoom in" })]) {
    await focused.focus();
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Delete");
  }
  assert.ok(await nodeOf(page, "wait"));
  await box(page, "wait_reply").click();
  await page.keyboard.press("Backspace");
  await becomes(page, (doc) => !doc.nodes.some((node) => node.id === "wait"));
  await close();
});

test("a_comparison_with_a_number_is_saved_as_it_is_typed", async () => {
  const { page, close } = await open();
  const when = { value: "{{ reply.text }}", op: "number_between", to: 1, and: 2 };
  await imported(page, flowOf([S, { id: "pick", kind: "branch", branches: [{ label: "1", when }] }], [{ from: "start", to: "pick" }]));
  await chosen(page, "pick");
  for (const [typed, wanted] of [["10.5", 10.5], ["0.05", 0.05], ["-7.25", -7.25], ["10.50", 10.5], ["{{ vars.most }}", "{{ vars.most }}"], ["12", 12]]) {
    for (const [label, field] of [["Compared with", "to"], ["And", "and"]]) {
      const input = page.getByLabel(label, { exact: true });
      await input.click();
      await page.keyboard.press("Control+a");
      await page.keyboard.press("Backspace");
      // Letter by letter, and never through a completion.
      await page.keyboard.type(typed);
      await shows(() => input.inputValue(), typed);
      await page.keyboard.press("Escape");
      await page.getByLabel("Title of the node").focus();
      await shows(async () => (await nodeOf(page, "pick")).branches[0].when[field], wanted, typed);
    }
  }
  await close();
});

test("the_value_of_a_variable_is_a_text_with_completion_until_it_is_written_as_json", async () => {
  const { page, close } = await open();
  await imported(page, flowOf([S, { id: "set", kind: "set_variables", variables: [{ name: "said", value: "" }] }], [{ from: "start", to: "set" }]));
  await chosen(page, "set");
  const value = () => page.getByLabel("Value", { exact: true });
  await value().click();
  await page.keyboard.type("hello {{ contact.na");
  await page.getByRole("listbox").waitFor();
  await page.keyboard.press("Enter");
  await shows(async () => (await nodeOf(page, "set")).variables[0].value, "hello {{ contact.name }}");
  await value().fill("[1, 2]");
  await page.getByRole("button", { name: "as JSON" }).click();
  await shows(async () => JSON.stringify((await nodeOf(page, "set")).variables[0].value), "[1,2]");
  await value().fill('{"a": ');
  await page.getByText("This is not JSON yet.").waitFor();
  await value().fill("plain words");
  await shows(async () => (await nodeOf(page, "set")).variables[0].value, "plain words");
  await value().fill("12");
  await shows(async () => (await nodeOf(page, "set")).variables[0].value, 12);
  await page.getByRole("button", { name: "as a text" }).click();
  await shows(async () => (await nodeOf(page, "set")).variables[0].value, "12");
  await close();
});

test("keys_of_the_canvas_leave_what_is_written_elsewhere_alone", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await box(page, "wait_reply").click();
  await page.getByLabel("Title of the node").fill("Patience");
  await becomes(page, (doc) => doc.nodes.some((node) => node.name === "Patience"));
  await page.locator("#node-id").click();
  await page.keyboard.type("x");
  await page.keyboard.press("Control+z");
  await panel(page, "Talk");
  await page.getByLabel("Context of the trigger, as JSON").first().click();
  await page.keyboard.type(" ");
  await page.keyboard.press("Control+z");
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.locator(".bubble.in").first().waitFor();
  await page.locator(".composer input").fill("hello");
  await page.keyboard.press("Control+z");
  assert.ok((await nodeOf(page, "wait")).name === "Patience", "the last edit of the flow stays");
  await page.locator(".composer input").fill("hello");
  await page.keyboard.press("Control+Enter");
  await page.locator(".bubble.out", { hasText: "hello" }).waitFor();
  assert.equal(await state(page, (state) => state.summary.online), null, "nothing is published");
  await close();
});

test("keys_are_read_on_any_layout_and_with_caps_lock", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  const press = (key, code, more = {}) => page.evaluate(({ key, code, more }) => {
    const event = new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, ...more });
    document.body.dispatchEvent(event);
    return event.defaultPrevented;
  }, { key, code, more });
  await box(page, "wait_reply").click();
  await page.getByLabel("Title of the node").fill("Patience");
  await becomes(page, (doc) => doc.nodes.some((node) => node.name === "Patience"));
  assert.equal(await press("я", "KeyZ", { ctrlKey: true }), true);
  await becomes(page, (doc) => !doc.nodes.some((node) => node.name === "Patience"));
  assert.equal(await press("Ζ", "KeyZ", { ctrlKey: true, shiftKey: true }), true);
  await becomes(page, (doc) => doc.nodes.some((node) => node.name === "Patience"));
  for (const [key, code] of [["ы", "KeyS"], ["س", "KeyS"], ["ד", "KeyS"], ["S", "KeyS"]]) assert.equal(await press(key, code, { ctrlKey: true }), true, key);
  await press("с", "KeyC", { ctrlKey: true });
  await press("м", "KeyV", { ctrlKey: true });
  await becomes(page, (doc) => doc.nodes.some((node) => node.id === "wait_2"));
  // A Latin layout says itself which letter it is.
  assert.equal(await press("q", "KeyA"), false);
  for (const [key, code] of [["A", "KeyA"], ["ф", "KeyA"], ["a", "KeyQ"]]) {
    await press(key, code);
    await page.getByRole("dialog", { name: "Add a component" }).waitFor();
    await page.keyboard.press("Escape");
  }
  await press("T", "KeyT");
  await page.waitForFunction(() => window.chatflow.get().panel === "talk");
  await close();
});

test("marked_text_is_copied_and_not_the_node", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.locator(".bubble.in").first().waitFor();
  await page.evaluate(() => window.chatflow.show("wait"));
  await panel(page, "Talk");
  const copied = () => page.evaluate(() => {
    const event = new KeyboardEvent("keydown", { key: "c", code: "KeyC", ctrlKey: true, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
    return event.defaultPrevented;
  });
  await page.evaluate(() => getSelection().selectAllChildren(document.querySelector(".bubble.in p")));
  assert.equal(await copied(), false, "the browser copies the text");
  await page.evaluate(() => getSelection().removeAllRanges());
  assert.equal(await copied(), true, "the node is copied");
  await close();
});

test("texts_are_shown_in_their_own_direction", async () => {
  const { page, close } = await open();
  const arabic = "مرحبا {{ context.name }}، طلبك رقم A-1042 جاهز!";
  await imported(page, flowOf([{ ...S, inputs: [{ name: "name", example: "علي" }] }, hi(arabic, { name: "رسالة", buttons: [{ id: "yes", label: "نعم، اليوم!" }] })], [{ from: "start", to: "hi" }], { name: "متجر", settings: { sender: { channel: "whatsapp", account: "+15550100" } } }));
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.locator(".bubble.in").first().waitFor();
  const direction = (selector) => page.locator(selector).first().evaluate((element) => getComputedStyle(element).direction);
  for (const selector of [".bubble.in", ".option", ".box.kind-send_message b", ".box.kind-send_message p", ".box .chips span", ".flow-name"]) assert.equal(await direction(selector), "rtl", selector);
  await page.locator(".composer input").fill("شكرا!");
  assert.equal(await direction(".composer input"), "rtl");
  await page.keyboard.press("Enter");
  await page.locator(".bubble.out").waitFor();
  assert.equal(await direction(".bubble.out"), "rtl");
  await chosen(page, "hi");
  for (const selector of ["#f-nodes-1--text", ".preview bdi", ".title-input"]) assert.equal(await direction(selector), "rtl", selector);
  await page.locator("#f-nodes-1--text").fill("Hello!");
  await shows(() => direction(".box.kind-send_message p"), "ltr");
  await close();
});

test("codes_and_lists_are_made_of_the_words_of_any_language", async () => {
  const { page, close } = await open();
  for (const [name, code] of [["Crème brûlée", "creme-brulee"], ["Prüfung Größe", "prufung-grosse"], ["Año Nuevo", "ano-nuevo"], ["Łódź & Ærø", "lodz-aero"], ["Корзина №5", "корзина-no5"], ["Заказ мой", "заказ-мой"], ["注文", "注文"], ["हिन्दी कार्ट", "हिन्दी-कार्ट"], ["سلة", "سلة"], ["Καλάθι", "καλάθι"], ["🎉", "flow"]]) {
    await page.getByRole("button", { name: "New flow" }).click();
    await page.getByLabel("Flow name").fill(name);
    await page.getByRole("button", { name: "Create" }).click();
    await opened(page);
    assert.equal((await doc(page)).code, code);
    await page.getByRole("button", { name: "All flows" }).click();
    await page.waitForSelector(".gallery");
  }
  await imported(page, flowOf([S, { id: "pick", kind: "branch", branches: [{ label: "1", when: { value: "{{ reply.text }}", op: "in_list", list: ["a"] } }] }], [{ from: "start", to: "pick" }]));
  await chosen(page, "pick");
  for (const [typed, list] of [["yes, no", ["yes", "no"]], ["是，好，嗯", ["是", "好", "嗯"]], ["نعم، أجل", ["نعم", "أجل"]], ["はい、うん", ["はい", "うん"]], ["да; ага", ["да", "ага"]]]) {
    await page.getByLabel("List, separated by commas").fill(typed);
    await shows(async () => (await nodeOf(page, "pick")).branches[0].when.list, list);
  }
  await close();
});

test("a_recorded_talk_is_played_again_after_an_edit_whichever_panel_is_open", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  await page.getByRole("button", { name: "Start the flow" }).click();
  await page.locator(".bubble.in").first().waitFor();
  await say(page, "2");
  await page.locator(".note.completed").waitFor();
  // What moves a box or names it anew changes nothing that is said.
  await settled(page);
  const place = await box(page, "wait_reply").boundingBox();
  await page.mouse.move(place.x + 60, place.y + 14);
  await page.mouse.down();
  await page.mouse.move(place.x + 140, place.y + 40, { steps: 4 });
  await page.mouse.up();
  await becomes(page, (doc) => doc.nodes.some((node) => node.ui?.place));
  await box(page, "wait_reply").click();
  await page.getByLabel("Title of the node").fill("Patience");
  await becomes(page, (doc) => doc.nodes.some((node) => node.name === "Patience"));
  await panel(page, "Talk");
  assert.equal(await page.locator(".banner").count(), 0);
  await page.locator("summary", { hasText: "Record" }).click();
  await page.getByRole("button", { name: "Record this talk" }).click();
  await shows(() => state(page, (state) => state.records.map((record) => record.result.ok)), [true]);
  await box(page, "send_message").click();
  await page.locator("#f-nodes-1--text").fill("Anything else. 1 or 2?");
  await shows(() => state(page, (state) => state.records.map((record) => record.result.ok)), [false]);
  await page.getByRole("tab", { name: "Recorded 1" }).waitFor();
  await panel(page, "Talk");
  await page.locator(".banner", { hasText: "The flow was edited" }).waitFor();
  // A flow that is opened again has played its talks.
  await saved(page);
  await page.reload();
  await page.getByRole("tab", { name: "Recorded 1" }).waitFor();
  await close();
});

test("a_name_that_is_given_in_the_settings_is_the_name_of_the_flow", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Abandoned cart 30min");
  const renamed = async (name, remark) => {
    await page.getByRole("button", { name: "Settings" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Flow name").fill(name);
    await dialog.getByLabel("Remark").fill(remark);
    await dialog.getByRole("button", { name: "OK", exact: true }).click();
    await page.waitForFunction(() => !window.chatflow.get().dialog);
  };
  await renamed("Named on the canvas", "One");
  await shows(() => page.getByLabel("Name of the flow").inputValue(), "Named on the canvas");
  await saved(page);
  assert.equal((await doc(page)).remark, "One");
  await page.getByRole("button", { name: "All flows" }).click();
  await page.locator(".table-row", { hasText: "Named on the canvas" }).waitFor();
  await renamed("Named in the list", "Two");
  await page.locator(".table-row", { hasText: "Named in the list" }).getByText("Named in the list").click();
  await opened(page);
  const { name, remark } = await doc(page);
  assert.deepEqual([name, remark], ["Named in the list", "Two"]);
  await close();
});

test("a_jump_is_no_place_where_contacts_drop_off", async () => {
  const { page, close } = await open();
  await fromTemplate(page, "Main menu");
  await panel(page, "Heat map");
  await page.getByRole("button", { name: "Rehearse" }).click();
  await page.locator("table.heat").waitFor();
  const { nodes } = await state(page, (state) => state.heat);
  const jumps = (await doc(page)).nodes.filter((node) => node.kind === "jump");
  for (const { id, name } of jumps) {
    const { visits, branches } = nodes.find((count) => count.node === id);
    assert.ok(visits > 0);
    const row = page.locator("table.heat tr", { has: page.getByRole("button", { name: name ?? id, exact: true }) });
    assert.equal(await row.locator("td").nth(2).innerText(), "", id);
    const gone = visits - Object.values(branches).reduce((sum, times) => sum + times, 0);
    await page.locator(".on-line .count", { hasText: `${gone}×` }).first().waitFor();
  }
  await close();
});

/** A flow of many messages in a row. */
const long = (count) => flowOf(
  [S, ...Array.from({ length: count }, (_, at) => ({ id: `m${at}`, kind: "send_message", text: `Message ${at} of many`, ui: {} }))],
  Array.from({ length: count }, (_, at) => ({ from: at ? `m${at - 1}` : "start", to: `m${at}` })),
);

test("a_long_flow_is_opened_at_its_start_and_typed_in_without_drawing_all_of_it", async () => {
  const { page, close } = await open();
  await page.locator('input[type="file"]').setInputFiles({ name: "flow.json", mimeType: "application/json", buffer: Buffer.from(long(300)) });
  await page.getByRole("dialog").getByRole("button", { name: "Import" }).click();
  await page.locator(".box.kind-start").waitFor();
  const zoom = () => page.evaluate(() => new DOMMatrix(document.querySelector(".react-flow__viewport").style.transform).a);
  await shows(async () => (await zoom()) >= 0.6, true, "it can be read");
  const [canvas, start] = [await page.locator(".canvas").boundingBox(), await page.locator(".box.kind-start").boundingBox()];
  assert.ok(start.y >= canvas.y && start.y < canvas.y + 200, JSON.stringify(start));
  assert.ok((await page.locator(".box").count()) < 80, "what is out of sight is not drawn");
  await chosen(page, "m1");
  await page.locator("#f-nodes-2--text").click();
  const drawn = await page.evaluate(async () => {
    let changes = 0;
    const watch = new MutationObserver((found) => { changes += found.length; });
    watch.observe(document.querySelector(".react-flow__nodes"), { subtree: true, childList: true, attributes: true, characterData: true });
    const field = document.querySelector("#f-nodes-2--text");
    field.value += "!";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await new Promise((done) => setTimeout(done, 800));
    watch.disconnect();
    return changes;
  });
  assert.ok(drawn > 0 && drawn < 20, `${drawn} changes for one letter`);
  await page.getByRole("button", { name: "Fit the whole flow" }).click();
  await page.locator(".box.kind-start").waitFor();
  await close();
});

test("the_talk_fits_its_panel_on_every_screen", async () => {
  for (const viewport of [{ width: 375, height: 667 }, { width: 1024, height: 640 }, { width: 1440, height: 900 }]) {
    const { page, close } = await open({ viewport, hasTouch: viewport.width < 400, isMobile: viewport.width < 400 });
    await fromTemplate(page, "Main menu");
    if (viewport.width < 400) await page.getByRole("navigation", { name: "Parts of the page" }).getByRole("button", { name: "Talk" }).click();
    await page.getByRole("button", { name: "Open the phone" }).click();
    await page.locator(".composer input").waitFor();
    const top = (selector) => page.locator(selector).first().evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      return element.contains(document.elementFromPoint(left + width / 2, top + height / 2));
    });
    for (const selector of [".composer .primary", ".composer input", ".phone > header", ".channel[aria-pressed=true]"]) assert.equal(await top(selector), true, `${selector} at ${viewport.width}`);
    for (const button of await page.locator(".clock-keys .button").all()) {
      const [inner, outer] = await button.evaluate((element) => [element.scrollWidth, element.clientWidth]);
      assert.ok(inner <= outer, `${await button.innerText()} at ${viewport.width}`);
    }
    await close();
  }
});

test("each_box_is_as_high_as_what_is_in_it", async () => {
  const { page, close } = await open();
  for (const name of ["Abandoned cart 30min", "Main menu"]) {
    await fromTemplate(page, name);
    const over = await page.locator(".box").evaluateAll((boxes) => boxes.flatMap((box) => {
      const [text, foot] = [box.querySelector("p"), box.querySelector("footer")];
      const isOver = text && foot && (text.offsetTop + text.offsetHeight > foot.offsetTop || foot.offsetHeight < (foot.classList.contains("many") ? 33 : 12));
      return isOver ? [box.innerText] : [];
    }));
    assert.deepEqual(over, []);
    await page.getByRole("button", { name: "All flows" }).click();
    await page.waitForSelector(".gallery");
  }
  await close();
});
