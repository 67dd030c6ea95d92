// The same page on a running service: SERVICE names its program.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { end, imported, open, opened, panel, saved, shows, template } from "./kit.mjs";

after(end);

const TOKEN = "cf_playground_0123456789abcdef0123456789abcdef";

async function service(folder, more = {}) {
  const program = spawn(process.env.SERVICE, {
    env: { ...process.env, DATABASE_URL: `sqlite:${folder}/flows.db`, LISTEN: "127.0.0.1:0", SERVICE_TOKEN: TOKEN, RUST_LOG: "warn", ...more },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const address = await new Promise((resolve, reject) => {
    let said = "";
    program.on("exit", (code) => reject(new Error(`the service ended with ${code}`)));
    program.stdout.on("data", (data) => {
      said += data;
      const found = /listening on (\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
  });
  return { program, address };
}

test("a_flow_is_edited_published_and_followed_on_a_service_with_sqlite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "playground-"));
  const { program, address } = await service(folder);
  try {
    const call = async (method, path, body) => {
      const response = await fetch(`${address}/api/v1/${path}`, { method, headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
      assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
      return response.json();
    };
    const { page, said, close } = await open({}, "");
    await page.goto(address);
    assert.equal(page.url(), `${address}/?api=`, "it shows the flows of the service");
    await page.getByLabel("Access token").fill(TOKEN);
    await page.getByRole("button", { name: "Continue" }).click();
    // A list of many flows is one request.
    for (let number = 0; number < 40; number += 1) await call("POST", "flows", { code: `flow-${number}`, name: `Flow ${number}` });
    const requests = [];
    page.on("request", (request) => request.url().includes("/api/v1/") && requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
    await page.reload();
    await page.locator(".table-row", { hasText: "Flow 39" }).waitFor();
    assert.deepEqual(requests.filter((request) => !request.endsWith("/events")), ["GET /api/v1/flows"]);
    // An import is exported byte for byte.
    const text = template("order_picker").replace("{", "{\n\n").replaceAll('"order_picker"', '"mine"').replace(/\n$/, " \n");
    await imported(page, text, "mine.json");
    const [whole] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export JSON" }).click()]);
    assert.equal(readFileSync(await whole.path(), "utf8"), text);
    await page.getByRole("button", { name: "All flows" }).click();
    await page.reload();
    // A draft is made from a template, edited, and put online.
    await page.locator(".card", { has: page.locator("b", { hasText: /^Abandoned cart 30min$/ }) }).click();
    await page.getByLabel("Flow name").fill("Cart of the page");
    await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
    await opened(page);
    await page.locator(".box.kind-send_message").first().click();
    await page.locator("#f-nodes-1--text").fill("Still {{context.cart_total}}? 1 or 2.");
    await saved(page);
    await page.getByRole("button", { name: "Save and publish" }).click();
    await page.locator(".top .pill.published").waitFor();
    await panel(page, "Versions");
    await page.getByText("Version 1", { exact: true }).waitFor();
    // A session of the service is followed.
    const code = await page.evaluate(() => window.chatflow.get().code);
    await call("PATCH", `flows/${code}`, { logging: "on" });
    await call("POST", "actions/trigger-flow", { flow_id: code, phone: "+14155550123", context: { cart_id: "7", cart_total: "12.00" } });
    await panel(page, "Live");
    await page.locator(".live .pill.waiting").waitFor();
    await page.locator(".live .link").first().click();
    await page.locator(".journal .chip", { hasText: "next" }).first().waitFor();
    // News of the service comes by its events: nothing is asked for in between.
    let asked = 0;
    page.on("request", (request) => request.url().includes("/sessions?flow=") && asked++);
    await call("POST", "actions/trigger-flow", { flow_id: code, phone: "+14155550199", context: { cart_id: "8", cart_total: "15.00" } });
    await page.waitForFunction(() => document.querySelectorAll(".live .pill.waiting").length === 2);
    // What else that one turn told of is looked at first.
    const pause = (time) => new Promise((done) => setTimeout(done, time));
    for (let last = -1; last !== asked; await pause(1500)) last = asked;
    const before = asked;
    await pause(3500);
    assert.equal(asked, before, "nothing happened, and nothing was asked");
    // Somebody is handed over to a person, and given back.
    const desk = { spec: 1, code: "desk", name: "Desk", trigger: { kind: "manual" }, settings: { sender: { channel: "sms", account: "+15550100" } }, nodes: [{ id: "start", kind: "start" }, { id: "agent", kind: "handoff", note: "asks for a person" }, { id: "thanks", kind: "send_message", text: "Welcome back" }], edges: [{ from: "start", to: "agent" }, { from: "agent", to: "thanks" }] };
    await call("POST", "flows", { definition: desk });
    await call("POST", "flows/desk/publish", {});
    await call("POST", "actions/trigger-flow", { flow_id: "desk", phone: "+14155550177", context: {} });
    const inbox = page.locator(".inbox li", { hasText: "asks for a person" });
    await inbox.waitFor();
    // What the contact writes meanwhile is the person's to read.
    await call("POST", "messages", { channel: "sms", account: "+15550100", from: "+14155550177", text: "Is anybody there?" });
    await inbox.locator(".heard li", { hasText: "Is anybody there?" }).waitFor();
    await inbox.getByRole("button", { name: "Give back" }).click();
    await inbox.waitFor({ state: "detached" });
    assert.deepEqual((await call("GET", "inbox")).waiting, []);
    // Somebody else saves the draft: a choice, and nothing is lost.
    const draft = await call("GET", `flows/${code}/draft`);
    const { revision } = await call("GET", `flows/${code}`);
    const other = await fetch(`${address}/api/v1/flows/${code}/draft`, { method: "PUT", headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json", "If-Match": `"${revision}"` }, body: JSON.stringify({ ...draft, name: "Of somebody else" }) });
    assert.equal(other.status, 200);
    await page.getByLabel("Name of the flow").fill("Cart of mine");
    await page.getByRole("button", { name: "Save and publish" }).click();
    await page.getByRole("dialog", { name: "Somebody else saved this flow" }).getByRole("button", { name: "Keep mine" }).click();
    await saved(page);
    assert.equal((await call("GET", `flows/${code}`)).online, 1, "theirs did not go online");
    assert.equal((await call("GET", `flows/${code}/draft`)).name, "Cart of mine");
    await page.getByRole("button", { name: "Undo" }).click();
    await shows(() => page.evaluate(() => window.chatflow.get().doc.name), "Of somebody else");
    await page.getByRole("button", { name: "Redo" }).click();
    await saved(page);
    said.splice(0, said.length, ...said.filter((text) => !text.includes("412")));
    await panel(page, "Heat map");
    await page.getByRole("button", { name: "From live sessions" }).click();
    await page.locator("table.heat").waitFor();
    // Another version is put online, and the first one again.
    await page.locator(".box.kind-send_message").first().click();
    await page.locator("#f-nodes-1--text").fill("Again {{context.cart_total}}? 1 or 2.");
    await saved(page);
    await page.getByRole("button", { name: "Save and publish" }).click();
    await panel(page, "Versions");
    const version = (number) => page.locator(".versions li", { hasText: `Version ${number}` });
    await version(2).locator(".pill.published").waitFor();
    await version(1).getByRole("button", { name: "Put online" }).click();
    await version(1).locator(".pill.published").waitFor();
    assert.equal((await call("GET", `flows/${code}`)).online, 1);
    await page.getByRole("button", { name: "All flows" }).click();
    const row = page.locator(".table-row", { hasText: "Cart of mine" });
    await row.locator(".pill.published").waitFor();
    // It is copied by its JSON, its log is switched off, and the copy is deleted, with confirmation.
    const [download] = await Promise.all([page.waitForEvent("download"), row.getByRole("button", { name: "Export Cart of mine" }).click()]);
    const copy = { ...JSON.parse(readFileSync(await download.path(), "utf8")), code: "copy", name: "The copy" };
    await imported(page, JSON.stringify(copy), "copy.json");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("tab", { name: "Log" }).click();
    await page.getByRole("switch").check();
    await page.getByRole("button", { name: "OK", exact: true }).click();
    await page.waitForFunction(() => !window.chatflow.get().dialog);
    await page.getByRole("button", { name: "Save and publish" }).click();
    await page.locator(".top .pill.published").waitFor();
    const { flows } = await call("GET", "flows");
    const copied = flows.find((flow) => flow.name === "The copy");
    assert.deepEqual([copied.logging, copied.online], ["on", 1]);
    await page.getByRole("button", { name: "All flows" }).click();
    const copies = page.locator(".table-row", { hasText: "The copy" });
    await copies.getByRole("button", { name: "Unpublish" }).click();
    await copies.locator(".pill.unpublished").waitFor();
    await copies.getByRole("button", { name: "Delete The copy" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await copies.waitFor({ state: "detached" });
    said.splice(0, said.length, ...said.filter((text) => !text.includes("401")));
    await close();
  } finally {
    program.removeAllListeners("exit");
    program.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A model that answers these texts, one after the other. */
async function model(texts) {
  const server = createServer(async (request, response) => {
    for await (const _ of request);
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ choices: [{ message: { role: "assistant", content: texts.shift() } }] }));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

test("a_flow_is_drafted_by_the_model_of_a_service_and_its_rounds_are_shown", async () => {
  const folder = mkdtempSync(join(tmpdir(), "playground-"));
  const right = { spec: 1, code: "greet", name: "Greet", trigger: { kind: "manual" }, nodes: [{ id: "start", kind: "start" }, { id: "hi", kind: "send_message", text: "Hi!" }], edges: [{ from: "start", to: "hi" }], settings: { sender: { channel: "sms", account: "+15550100" } } };
  const wrong = { ...right, edges: [{ from: "start", to: "hii" }] };
  const told = await model(["It is a nice day.", JSON.stringify(wrong), "It is a nice day.", JSON.stringify(wrong), JSON.stringify(right)]);
  const { program, address } = await service(folder, { LLM_URL: `http://127.0.0.1:${told.address().port}/v1` });
  try {
    const { page, said, close } = await open({}, "");
    await page.goto(address);
    assert.equal(page.url(), `${address}/?api=`, "it shows the flows of the service");
    await page.getByLabel("Access token").fill(TOKEN);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("button", { name: "From a description" }).click();
    await page.getByLabel("What the flow is to do").fill("Greet everybody.");
    const rounds = page.getByRole("status", { name: "Rounds of the draft" }).locator("li b");
    await page.getByRole("button", { name: "Have it drafted" }).click();
    await page.getByRole("alert").waitFor();
    await shows(() => rounds.allInnerTexts(), ["Round 1 of 3", "Round 2 of 3"], "each round is shown, and the last one gave up");
    await page.getByRole("button", { name: "Have it drafted" }).click();
    await opened(page);
    assert.equal(await page.evaluate(() => window.chatflow.get().doc.nodes.length), 2);
    said.splice(0, said.length, ...said.filter((text) => !text.includes("401")));
    await close();
  } finally {
    told.close();
    program.removeAllListeners("exit");
    program.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
});
