// The same page on a running service: SERVICE names its program.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { end, open, opened, panel, saved, shows } from "./kit.mjs";

after(end);

const TOKEN = "cf_playground_0123456789abcdef0123456789abcdef";

async function service(folder) {
  const web = fileURLToPath(new URL("../../dist", import.meta.url));
  const program = spawn(process.env.SERVICE, {
    env: { ...process.env, DATABASE_URL: `sqlite:${folder}/flows.db`, LISTEN: "127.0.0.1:0", SERVICE_TOKEN: TOKEN, RATE_PER_MINUTE: "0", WEB_DIR: web, RUST_LOG: "warn" },
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
    await page.goto(`${address}/?api=`);
    await page.getByLabel("Access token").fill(TOKEN);
    await page.getByRole("button", { name: "Go on" }).click();
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
    await inbox.getByRole("button", { name: "Give back" }).click();
    await inbox.waitFor({ state: "detached" });
    assert.deepEqual((await call("GET", "inbox")).waiting, []);
    // Somebody else saves the draft: a choice, and nothing is lost.
    const draft = await call("GET", `flows/${code}/draft`);
    const { revision } = await call("GET", `flows/${code}`);
    const other = await fetch(`${address}/api/v1/flows/${code}/draft`, { method: "PUT", headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json", "If-Match": `"${revision}"` }, body: JSON.stringify({ ...draft, name: "Of somebody else" }) });
    assert.equal(other.status, 200);
    await page.getByLabel("Name of the flow").fill("Cart of mine");
    await page.getByRole("dialog", { name: "Somebody else saved this flow" }).getByRole("button", { name: "Keep mine" }).click();
    await saved(page);
    assert.equal((await call("GET", `flows/${code}/draft`)).name, "Cart of mine");
    await page.getByRole("button", { name: "Undo" }).click();
    await shows(() => page.evaluate(() => window.chatflow.get().doc.name), "Of somebody else");
    await page.getByRole("button", { name: "Redo" }).click();
    await saved(page);
    said.splice(0, said.length, ...said.filter((text) => !text.includes("412")));
    await panel(page, "Heat map");
    await page.getByRole("button", { name: "From live sessions" }).click();
    await page.locator("table.heat").waitFor();
    await page.getByRole("button", { name: "All flows" }).click();
    await page.locator(".table-row", { hasText: "Cart of mine" }).locator(".pill.published").waitFor();
    said.splice(0, said.length, ...said.filter((text) => !text.includes("401")));
    await close();
  } finally {
    program.removeAllListeners("exit");
    program.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
});
