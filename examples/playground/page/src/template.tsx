// A text with a template in it, or an expression: names are completed, and its value is shown.

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { clean, pathText, type Path } from "./fields";
import * as model from "./model";
import * as store from "./store";
import { use } from "./store";
import type { Json } from "./model";

const ROOTS: Record<string, string[]> = {
  reply: ["text", "kind", "payload", "media", "location", "form", "order", "id", "at", "channel", "timed_out", "item", "parts"],
  contact: ["name", "email", "phone", "language", "tags", "groups", "fields", "timezone", "opted_in_at", "id"],
  trigger: ["kind", "uuid", "out_id", "campaign", "channel", "account", "text"],
  flow: ["id", "name", "version"],
  session: ["id", "started_at", "turns"],
};

/** Names that a text of this flow may read. */
function names(): string[] {
  const { doc, context } = store.get();
  const found = new Set<string>();
  try {
    for (const key of Object.keys(JSON.parse(context || "{}"))) found.add(`context.${key}`);
  } catch { /* being typed */ }
  for (const node of doc ? model.nodesOf(doc) : []) {
    if (typeof node.save_to === "string") found.add(`vars.${node.save_to}`);
    for (const input of model.list(node.inputs)) if (input?.name) found.add(`context.${input.name}`);
    for (const variable of model.list(node.variables)) if (variable?.name) found.add(`vars.${variable.name}`);
    if (node.kind === "for_each") found.add(typeof node.as === "string" ? node.as : "item");
  }
  for (const [root, fields] of Object.entries(ROOTS)) for (const field of fields) found.add(`${root}.${field}`);
  found.add("now");
  return [...found];
}

interface TemplateProps {
  id: string;
  value: Json;
  path: Path;
  onChange: (value: string, merge?: string) => void;
  /** Called with what is there when the focus goes elsewhere. */
  onLeave?: (value: string) => void;
  label: string;
  expression?: boolean;
  lines?: number;
  placeholder?: string;
}

export function TemplateBox({ id, value, path, onChange, onLeave, label, expression, lines = 1, placeholder }: TemplateProps) {
  const box = useRef<HTMLTextAreaElement>(null);
  const caret = useRef<number | null>(null);
  const [offers, setOffers] = useState<{ word: string; list: { text: string; note: string }[]; pick: number } | null>(null);
  const filters = use((state) => state.filters);
  const text = model.textOf(value);
  const shown = useMemo(() => previewOf(text, Boolean(expression)), [text, use((state) => state.context)]);

  const look = (element: HTMLTextAreaElement) => {
    const before = element.value.slice(0, element.selectionStart);
    const open = expression ? 0 : before.lastIndexOf("{{");
    if (open < 0 || before.slice(open).includes("}}")) return setOffers(null);
    const inside = before.slice(open + (expression ? 0 : 2));
    const word = /([\w.]*)$/.exec(inside)![1];
    const isFilter = /\|\s*[\w]*$/.test(inside);
    const list = isFilter
      ? filters.map(([name, does]) => ({ text: name.replaceAll("`", "").split("(")[0].trim(), note: clean(does ?? "") }))
      : names().map((name) => ({ text: name, note: "" }));
    const fits = list.filter((one) => one.text.startsWith(word) && one.text !== word).slice(0, 8);
    setOffers(fits.length && (word || !expression || isFilter) ? { word, list: fits, pick: 0 } : null);
  };

  const take = (chosen: string) => {
    const element = box.current!;
    const cursor = element.selectionStart;
    const [before, after] = [text.slice(0, cursor - (offers?.word.length ?? 0)), text.slice(cursor)];
    const close = !expression && !after.includes("}}") && !chosen.includes("|") ? " }}" : "";
    const next = before + (before.endsWith("{{") || before.endsWith("|") ? " " : "") + chosen + close + after;
    caret.current = next.length - after.length - close.length;
    onChange(next, pathText(path));
    setOffers(null);
  };
  // With the text that was taken, and not a frame later, when the focus may be elsewhere.
  useLayoutEffect(() => {
    if (caret.current == null) return;
    box.current!.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });

  return (
    <div class="template">
      <textarea ref={box} id={id} dir={expression ? "ltr" : "auto"} aria-label={label} rows={Math.max(lines, Math.min(9, text.split("\n").length + Math.floor(text.length / 46)))} class={expression ? "code" : ""} value={text} placeholder={placeholder}
        spellcheck={!expression} aria-autocomplete="list" aria-expanded={offers != null} role="combobox" aria-controls={`${id}-offers`}
        onInput={(event) => { onChange(event.currentTarget.value, pathText(path)); look(event.currentTarget); }}
        onBlur={(event) => { onLeave?.(event.currentTarget.value); setTimeout(() => setOffers(null), 150); }}
        onKeyDown={(event) => {
          if (!offers) return;
          if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            setOffers({ ...offers, pick: (offers.pick + (event.key === "ArrowDown" ? 1 : offers.list.length - 1)) % offers.list.length });
          } else if (event.key === "Enter" || event.key === "Tab") {
            event.preventDefault();
            take(offers.list[offers.pick].text);
          } else if (event.key === "Escape") {
            event.stopPropagation();
            setOffers(null);
          }
        }} />
      {offers && (
        <ul class="offers" id={`${id}-offers`} role="listbox" aria-label="Completions">
          {offers.list.map((one, place) => (
            <li role="option" aria-selected={place === offers.pick} onMouseDown={(event) => { event.preventDefault(); take(one.text); }}>
              <b>{one.text}</b><small>{one.note}</small>
            </li>
          ))}
        </ul>
      )}
      {shown && <p class={`preview ${shown.failure ? "failed" : ""}`} aria-live="polite"><span>{shown.failure ? "Cannot be read" : "Reads"}</span> <bdi>{shown.failure ?? (shown.text || "(nothing)")}</bdi></p>}
    </div>
  );
}

/** A text as it is rendered with the context of the talk. */
function previewOf(text: string, expression: boolean): { text: string; failure: string | null } | null {
  if (!text.trim() || (!expression && !text.includes("{{"))) return null;
  return store.previewOf({ [expression ? "expr" : "text"]: text });
}
