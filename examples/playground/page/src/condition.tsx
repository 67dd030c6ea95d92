// A condition, built by rows: what is compared, how, and with what.

import { useEffect, useState } from "preact/hooks";
import { Button, glyph } from "./icons";
import { Field, Note, pathText, words, type Path, type Schema } from "./fields";
import { TemplateBox } from "./template";
import * as model from "./model";
import * as store from "./store";
import { use } from "./store";
import type { Json } from "./model";

function operators(): { word: string; does: string }[] {
  const found = store.get().schema.$defs?.Operator;
  return (found?.oneOf ?? (found?.enum ?? []).map((word: string) => ({ const: word }))).map((one: Schema) => ({ word: one.const, does: one.description ?? "" }));
}

/** The operands that each comparison takes beside its value. */
function operandsOf(op: string | undefined): string[] {
  switch (op) {
    case "exists": case "not_exists": case "string_is_blank": case "string_is_not_blank": return ["value"];
    case "option_payload": return ["to"];
    case "number_between": return ["value", "to", "and"];
    case "in_list": return ["value", "list", "ignore_case", "fold"];
    case "has_word": return ["value", "to", "list", "fold"];
    case "string_matches": case "string_contains_match": return ["value", "to", "ignore_case"];
    default: return op?.startsWith("string_") ? ["value", "to", "ignore_case", "fold"] : ["value", "to"];
  }
}

/** A condition with another comparison: with the operands that it takes, and no others. */
function compared(when: Json, op: string): Json {
  const takes = operandsOf(op);
  const one = when.to ?? model.list(when.list)[0] ?? "1";
  const path = op.endsWith("exists");
  const bare = (text: Json) => String(text ?? "").replace(/^\s*\{\{\s*|\s*\}\}\s*$/g, "");
  const value = takes.includes("value") && (path ? bare(when.value) || "reply.text" : when.op?.endsWith("exists") && when.value ? `{{ ${bare(when.value)} }}` : when.value ?? "{{ reply.text }}");
  const isList = takes.includes("list") && (op === "in_list" || "list" in when);
  return {
    ...(value ? { value } : {}), op,
    ...(takes.includes("to") && !isList ? { to: one } : {}),
    ...(takes.includes("and") ? { and: when.and ?? one } : {}),
    ...(isList ? { list: when.list ?? [one] } : {}),
    ...(takes.includes("ignore_case") && when.ignore_case ? { ignore_case: true } : {}),
    ...(takes.includes("fold") && when.fold ? { fold: when.fold } : {}),
  };
}

/** A number that is written as numbers are; the text of anything else, such as `10.`, which may become `10.5`. */
const numberOf = (text: string): Json => (String(Number(text)) === text && Number.isFinite(Number(text)) ? Number(text) : text);

/** A number that is typed to its end, such as `10.50`; a text where a number would lose digits. */
const numberAtLast = (text: string): Json => {
  const digits = text.replace(/\D/g, "").replace(/^0+/, "");
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)\s*$/.test(text) && digits.length <= 15 ? Number(text) : text;
};

export function Condition({ value, path, onChange }: { value: Json; path: Path; onChange: (value: Json, merge?: string) => void }) {
  const when = model.fieldsOf(value);
  const group = Array.isArray(when.all) ? "all" : Array.isArray(when.any) ? "any" : null;
  if (group) {
    const rows: Json[] = when[group];
    return (
      <div class="condition group">
        <select aria-label="How the rows are joined" value={group} onChange={(event) => onChange({ [event.currentTarget.value]: rows })}>
          <option value="all">All of these hold</option>
          <option value="any">One of these holds</option>
        </select>
        {rows.map((row, place) => (
          <div class="row" key={place}>
            <div class="row-body"><Condition value={row} path={[...path, group, place]} onChange={(to, merge) => onChange({ [group]: rows.map((old, at) => (at === place ? to : old)) }, merge)} /></div>
            <Button icon={glyph.close} label={`Remove row ${place + 1}`} class="tiny quiet" onClick={() => { const left = rows.filter((_, at) => at !== place); onChange(left.length === 1 ? left[0] : { [group]: left }); }} />
          </div>
        ))}
        <Button class="small" icon={glyph.plus} onClick={() => onChange({ [group]: [...rows, FRESH] })}>Add row</Button>
      </div>
    );
  }
  if (when.not) {
    return (
      <div class="condition group">
        <label class="check"><input type="checkbox" checked onChange={() => onChange(when.not)} /> Not</label>
        <Condition value={when.not} path={[...path, "not"]} onChange={(to, merge) => onChange({ not: to }, merge)} />
      </div>
    );
  }
  const part = (key: string, to: Json, merge = true) => onChange(model.put(when, [key], to), merge ? pathText([...path, key]) : "");
  const place = pathText(path);
  const isExpr = "expr" in when;
  const takes = operandsOf(when.op);
  const isNumeric = String(when.op).startsWith("number_") || typeof model.shown(when.to) === "number";
  const side = (key: "to" | "and", label: string) => {
    if (!takes.includes(key) || (key === "to" && takes.includes("list") && "list" in when)) return null;
    const written = (to: string, read: (text: string) => Json) => part(key, isNumeric ? read(to) : to);
    return (
      <TemplateBox id={`${place}-${key}`} label={label} value={when[key]} path={[...path, key]}
        onChange={(to) => written(to, numberOf)} onLeave={(to) => isNumeric && typeof when[key] === "string" && numberAtLast(to) !== to && written(to, numberAtLast)} />
    );
  };
  return (
    <div class="condition">
      {isExpr ? (
        <Field bare name="expr" schema={{ type: "string", "x-expression": true }} value={when.expr} path={[...path, "expr"]} onChange={(to, merge) => onChange({ expr: to ?? "" }, merge)} />
      ) : (
        <>
          {takes.includes("value") && <TemplateBox id={`${place}-value`} label="Value" value={when.value ?? ""} path={[...path, "value"]} placeholder="{{ reply.text }}" onChange={(to) => part("value", to)} />}
          <select aria-label="Comparison" value={when.op ?? ""} onChange={(event) => onChange(compared(when, event.currentTarget.value))}>
            {!when.op && <option value="">Choose…</option>}
            {operators().map(({ word, does }) => <option value={word} title={does}>{words(word)}</option>)}
          </select>
          {side("to", "Compared with")}
          {side("and", "And")}
          {takes.includes("list") && (when.op === "in_list" || "list" in when) && <WordList list={model.list(when.list)} onChange={(list) => part("list", list)} />}
          {takes.includes("list") && takes.includes("to") && (
            <button type="button" class="link" onClick={() => onChange("list" in when ? { ...model.put(when, ["list"], undefined), to: model.textOf(model.list(when.list)[0]) } : { ...model.put(when, ["to"], undefined), list: "to" in when ? [when.to] : [] })}>
              {"list" in when ? "One word" : "Several words"}
            </button>
          )}
          {takes.includes("ignore_case") && <label class="check"><input type="checkbox" checked={when.ignore_case === true} onChange={(event) => part("ignore_case", event.currentTarget.checked || undefined, false)} /> Ignore case</label>}
          {takes.includes("fold") && <label class="check"><input type="checkbox" checked={when.fold === "accents"} onChange={(event) => part("fold", event.currentTarget.checked ? "accents" : undefined, false)} /> Ignore accents</label>}
        </>
      )}
      <ConditionIssues place={place} />
      <div class="row-links">
        <button type="button" class="link" onClick={() => onChange({ all: [when, FRESH] })}>and…</button>
        <button type="button" class="link" onClick={() => onChange({ any: [when, FRESH] })}>or…</button>
        <button type="button" class="link" onClick={() => onChange({ not: when })}>not</button>
        <button type="button" class="link" onClick={() => onChange(isExpr ? FRESH : { expr: "vars.score > 3" })}>{isExpr ? "as a comparison" : "as an expression"}</button>
      </div>
    </div>
  );
}

/** Commas and semicolons of all scripts. */
const SEPARATORS = /[,;\u060c\u061b\u3001\u055d\ufe10\ufe50\uff0c\uff1b\uff64]/;

/** Words with commas between them, as they are typed: a comma at the end separates nothing yet. */
function WordList({ list, onChange }: { list: Json[]; onChange: (list: Json[]) => void }) {
  const words = list.map(model.textOf);
  const [text, setText] = useState(words.join(", "));
  const read = (text: string) => text.split(SEPARATORS).map((word) => word.trim()).filter(Boolean);
  useEffect(() => {
    if (read(text).join() !== words.join()) setText(words.join(", "));
  }, [list]);
  // A number that is still in the list stays one.
  const kept = (word: string) => list.find((item) => typeof item !== "string" && model.textOf(item) === word) ?? word;
  return <input type="text" aria-label="List, separated by commas" dir="auto" value={text} onInput={(event) => { setText(event.currentTarget.value); onChange(read(event.currentTarget.value).map(kept)); }} />;
}

const FRESH = { value: "{{ reply.text }}", op: "string_equals", to: "1" };

function ConditionIssues({ place }: { place: string }) {
  const issues = use((state) => state.checked.issues).filter((issue) => issue.path === place || [".op", ".to", ".value", ".list", ".and", ".ignore_case", ".fold"].some((end) => issue.path === place + end));
  return <>{issues.map((issue) => <Note issue={issue} />)}</>;
}
