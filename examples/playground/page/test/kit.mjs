// The browser, the page, and what tests do with them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { serve } from "../serve.mjs";

export const flows = new URL("../../../flows/", import.meta.url);
export const template = (code) => readFileSync(new URL(`${code}.json`, flows), "utf8");

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

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

/** A page of its own, with an empty shelf; what it says on the console fails the test at the end. */
export async function open(options = {}, path = "") {
  const { browser: started, address } = await browser();
  const context = await started.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
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

export const state = (page, select) => page.evaluate(`(${select})(window.chatflow.get())`);
export const doc = (page) => state(page, (state) => state.doc);

/** A flow from a template, on the canvas. */
export async function fromTemplate(page, name) {
  await page.locator(".card", { has: page.locator("b", { hasText: new RegExp(`^${name.replace(/[?]/g, "\\?")}$`) }) }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await page.waitForSelector(".box");
}

/** Waits until the canvas moves no more. */
export async function settled(page) {
  await page.waitForFunction(() => {
    const view = document.querySelector(".react-flow__viewport")?.style.transform;
    const before = window.before;
    window.before = view;
    return view && view === before && !/scale\(1\)/.test(view);
  }, undefined, { polling: 150 });
}

/** A flow from a text, as it is written. */
export async function imported(page, text, name = "flow.json") {
  await page.locator('input[type="file"]').setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
  await page.getByRole("dialog").getByRole("button", { name: "Import" }).click();
  await page.waitForSelector(".box");
}

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
