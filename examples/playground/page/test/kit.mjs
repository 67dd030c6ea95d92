// The browser, the page, and what tests do with them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { serve } from "../serve.mjs";

export const flows = new URL("../../../flows/", import.meta.url);
export const template = (code) => readFileSync(new URL(`${code}.json`, flows), "utf8");

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** `SLOW=6` makes the page calculate 6 times slower than this machine can. */
const SLOW = Number(process.env.SLOW ?? 1);
/** `LATE=300` makes each frame, and each short timer, come 300 ms later: what a busy machine does now and then. */
const LATE = Number(process.env.LATE ?? 0);
/** What a step takes at the longest. Only a step that fails takes so long. */
const LIMIT = Number(process.env.LIMIT ?? 60) * 1000;

let shared;
export async function browser() {
  shared ??= (async () => {
    const [server, started] = await Promise.all([serve(), chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] })]);
    return { ...server, browser: started };
  })();
  return shared;
}

export async function end() {
  const { browser, server } = await shared;
  await browser.close();
  server.close();
}

function late(by) {
  const { requestAnimationFrame: frame, cancelAnimationFrame: cancel, setTimeout: timer, clearTimeout: clear } = window;
  const frames = new Map();
  window.requestAnimationFrame = (then) => {
    const waits = timer(() => frames.set(waits, frame((now) => (frames.delete(waits), then(now)))), by);
    return waits;
  };
  window.cancelAnimationFrame = (waits) => (clear(waits), frames.has(waits) && cancel(frames.get(waits)));
  window.setTimeout = (then, after = 0, ...given) => timer(then, after > 0 && after < 200 ? after + by : after, ...given);
}

/** A page of its own, with an empty shelf; what it says on the console fails the test at the end. */
export async function open(options = {}, path = "") {
  const { browser: started, address } = await browser();
  const context = await started.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", acceptDownloads: true, ...options });
  if (LATE) await context.addInitScript(late, LATE);
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT);
  if (SLOW > 1) await (await context.newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: SLOW });
  const said = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && said.push(message.text()));
  page.on("pageerror", (error) => said.push(error.message));
  await page.goto(address + path);
  await page.waitForSelector(".gallery, .editor");
  const close = async () => {
    assert.deepEqual(said, [], "the console is silent");
    await context.close();
  };
  return { page, close, address, said };
}

/** Asserts what comes on screen: looks until it is as it is wanted, and fails with what it was at last. */
export async function shows(look, wanted, what) {
  for (const end = Date.now() + LIMIT; ; await new Promise((done) => setTimeout(done, 50))) {
    const seen = await look();
    try {
      return wanted instanceof RegExp ? assert.match(seen, wanted, what) : assert.deepEqual(seen, wanted, what);
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** Waits until the flow is as it is wanted. */
export async function becomes(page, holds, what) {
  await page.waitForFunction(`(${holds})(window.chatflow.get().doc)`).catch((error) => assert.fail(`${what ?? holds}: ${error.message}`));
  return doc(page);
}

export const state = (page, select) => page.evaluate(`(${select})(window.chatflow.get())`);
export const doc = (page) => state(page, (state) => state.doc);

/** A flow from a template, on the canvas. */
export async function fromTemplate(page, name) {
  await page.locator(".card", { has: page.locator("b", { hasText: new RegExp(`^${name.replace(/[?]/g, "\\?")}$`) }) }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await opened(page);
}

/** Waits for a flow on the canvas, every node of it. */
export async function opened(page) {
  await page.waitForSelector(".box");
  await shows(() => page.locator(".box").count(), (await doc(page)).nodes.length);
}

/**
 * Waits until the canvas moves no more: each box lies where the flow as it is now puts it, which the
 * page draws a frame or two after the edit, and the view is that of four looks before.
 */
export async function settled(page) {
  await page.evaluate(() => { window.still = { view: "", looks: 0 }; });
  await page.waitForFunction(() => {
    const places = Object.entries(window.chatflow.places());
    const boxes = new Map([...document.querySelectorAll(".react-flow__node")].map((box) => [box.dataset.id, new DOMMatrix(box.style.transform)]));
    const lies = ([id, { x, y }]) => boxes.has(id) && Math.hypot(boxes.get(id).e - x, boxes.get(id).f - y) < 0.1;
    const drawn = boxes.size === places.length && places.every(lies);
    const view = document.querySelector(".react-flow__viewport")?.style.transform ?? "";
    const fitted = !["", "translate(0px, 0px) scale(1)"].includes(view);
    window.still = { view, looks: drawn && fitted && view === window.still.view ? window.still.looks + 1 : 0 };
    return window.still.looks >= 4;
  }, undefined, { polling: 100 });
}

/** A flow from a text, as it is written. */
export async function imported(page, text, name = "flow.json") {
  await page.locator('input[type="file"]').setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
  await page.getByRole("dialog").getByRole("button", { name: "Import" }).click();
  await opened(page);
}

/** A flow as a text, sent from an account unless `more` says otherwise. */
export const flowOf = (nodes, edges, more = {}) => JSON.stringify({ spec: 1, code: "flow", name: "Flow", trigger: { kind: "manual" }, settings: { sender: { channel: "sms", account: "+15550100" } }, nodes, edges, ...more }, null, 1);

export const box = (page, kind) => page.locator(`.box.kind-${kind}`).first();
export const panel = (page, name) => page.getByRole("tab", { name: new RegExp(`^${name}`) }).first().click();
export const say = async (page, text) => {
  await page.locator(".composer input").fill(text);
  await page.keyboard.press("Enter");
};
export const messages = (page) => page.locator(".bubble.in").allInnerTexts();
export const saved = (page) => page.waitForFunction(() => window.chatflow.get().saved === "saved");

/** Nothing that keeps people out, by axe-core. */
export async function accessible(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const grave = found.violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  assert.deepEqual(grave.map((violation) => `${where}: ${violation.id}: ${violation.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`).join(" | ")}`), []);
}
