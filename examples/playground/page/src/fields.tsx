// Fields of a form, made from the JSON Schema of the flow file.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button, glyph } from "./icons";
import * as store from "./store";
import { use } from "./store";
import * as model from "./model";
import type { Json } from "./model";

type Schema = any;
type Path = (string | number)[];

export const pathText = (path: Path): string =>
  path.reduce<string>((text, step) => (typeof step === "number" ? `${text}[${step}]` : text ? `${text}.${step}` : step), "");

export function resolve(schema: Schema): Schema {
  const defs = store.get().schema.$defs ?? {};
  let found = schema;
  for (let depth = 0; depth < 8 && found && typeof found === "object"; depth++) {
    if (found.$ref) {
      const { $ref, ...own } = found;
      found = { ...defs[$ref.split("/").pop()], ...own };
    } else if (Array.isArray(found.allOf) && found.allOf[0]?.$ref) {
      const { allOf, ...own } = found;
      found = { ...resolve(allOf[0]), ...own };
    } else break;
  }
  return found;
}

/** Forms of an object as one: every field that some form has; required is what all require. */
export function merged(schema: Schema): { properties: Record<string, Schema>; required: string[] } {
  const found = resolve(schema);
  if (!Array.isArray(found?.anyOf)) return { properties: found?.properties ?? {}, required: found?.required ?? [] };
  const forms = found.anyOf.map(merged);
  return {
    properties: Object.assign({}, ...forms.map((form: any) => form.properties)),
    required: forms[0]?.required.filter((key: string) => forms.every((form: any) => form.required.includes(key))) ?? [],
  };
}

const words = (key: string) => key.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());

function isText(found: Schema): boolean {
  return Array.isArray(found?.anyOf) && found.anyOf.some((form: Schema) => form.type === "string") && found.anyOf.some((form: Schema) => form.type === "object" && form.additionalProperties);
}

/** The words that are offered where any other will do, too: channels are such. */
const offered = (found: Schema): string[] | null =>
  Array.isArray(found?.anyOf) && found.anyOf.length === 2 && found.anyOf[0].enum && found.anyOf[1].pattern ? found.anyOf[0].enum : null;

export interface FieldProps {
  name: string;
  schema: Schema;
  value: Json;
  path: Path;
  onChange: (value: Json, merge?: string) => void;
  required?: boolean;
  onRemove?: () => void;
  bare?: boolean;
}

export function Field({ name, schema, value, path, onChange, required, onRemove, bare }: FieldProps) {
  const found = resolve(schema) ?? {};
  const place = pathText(path);
  const issues = use((state) => state.checked.issues).filter((issue) => issue.path === place);
  const id = `f-${place.replaceAll(/[^\w]/g, "-")}`;
  const group = isGroup(found, value);
  const label = found.title ?? words(name);
  const help = found.description;
  const control = <Control {...{ name, schema: found, value, path, onChange, id, label, bare }} />;
  const notes = issues.map((issue) => (
    <p class={`field-issue ${issue.severity}`}>{issue.message}. <span>{issue.fix}</span></p>
  ));
  if (bare) return <div class="field bare">{control}{notes}</div>;
  return (
    <div class={`field ${issues.some((issue) => issue.severity === "error") ? "wrong" : ""}`} role={group ? "group" : undefined} aria-labelledby={group ? `${id}-label` : undefined}>
      <div class="field-head">
        {group ? <span class="label" id={`${id}-label`}>{label}</span> : <label class="label" for={id}>{label}</label>}
        {required && <span class="need">required</span>}
        {help && <Help text={help} of={label} />}
        {onRemove && <Button icon={glyph.close} label={`Remove ${label}`} class="tiny quiet" onClick={onRemove} />}
      </div>
      {control}
      {notes}
    </div>
  );
}

function Help({ text, of }: { text: string; of: string }) {
  const [open, setOpen] = useState(false);
  return (
    <span class="help">
      <button type="button" class="help-mark" aria-expanded={open} aria-label={`What ${of} is`} title={clean(text)} onClick={() => setOpen(!open)}>?</button>
      {open && <span class="help-text" role="note">{clean(text)}</span>}
    </span>
  );
}

const clean = (text: string) => text.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, "$1").replaceAll("`", "");

const isGroup = (found: Schema, value: Json): boolean =>
  found === true || found.type === "array" || found.type === "object" || found.properties || found.additionalProperties || (Array.isArray(found.anyOf) && !offered(found) && !(isText(found) && typeof value !== "object"));

interface ControlProps extends FieldProps {
  id: string;
  label: string;
}

function Control(given: ControlProps) {
  // A number that is kept as it is written is shown as the number that it is.
  const props = { ...given, value: given.schema === true ? given.value : model.shown(given.value) };
  const { name, schema, value, path, onChange, id } = props;
  const options = schema?.oneOf?.every?.((one: Schema) => "const" in one) ? schema.oneOf.map((one: Schema) => one.const) : schema?.enum;
  if (schema === true || schema == null || (typeof schema === "object" && !("type" in schema) && !schema.anyOf && !options && !schema.properties)) {
    return <JsonBox {...props} />;
  }
  if (isText(schema)) return <LocalText {...props} />;
  if (options) {
    return (
      <select id={id} aria-label={props.bare ? props.label : undefined} value={value ?? ""} onChange={(event) => onChange(event.currentTarget.value || undefined)}>
        <option value="">{value == null ? "As usual" : "Not set"}</option>
        {options.map((word: string) => <option value={word}>{words(word)}</option>)}
      </select>
    );
  }
  const known = offered(schema);
  if (known) {
    return (
      <>
        <input id={id} type="text" aria-label={props.bare ? props.label : undefined} list={`${id}-known`} spellcheck={false} autocomplete="off" value={value ?? ""} placeholder={known[0]}
          onInput={(event) => onChange(event.currentTarget.value || undefined, pathText(path))} />
        <datalist id={`${id}-known`}>{known.map((word) => <option value={word} />)}</datalist>
      </>
    );
  }
  if (name === "when" || schema["x-condition"]) return <Condition value={value} path={path} onChange={onChange} />;
  if (Array.isArray(schema.anyOf)) return <Variants {...props} />;
  if (schema.type === "boolean") {
    return (
      <label class="switch">
        <input id={id} type="checkbox" role="switch" checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />
        <span />
        <em>{value ? "Yes" : "No"}</em>
      </label>
    );
  }
  if (schema.type === "integer" || schema.type === "number") {
    return (
      <input id={id} type="number" aria-label={props.bare ? props.label : undefined} value={value ?? ""} min={schema.minimum} step={schema.type === "integer" ? 1 : "any"}
        onInput={(event) => onChange(event.currentTarget.value === "" ? undefined : Number(event.currentTarget.value), pathText(path))} />
    );
  }
  if (schema.type === "array") return <Rows {...props} items={schema.items} />;
  if (schema.properties) return <Parts {...props} />;
  if (schema.type === "object") return <Pairs {...props} />;
  if (schema["x-node"]) return <NodeSelect id={id} value={value} onChange={onChange} />;
  if (schema["x-template"]) return <TemplateBox {...{ id, value: value ?? "", path, onChange, label: props.label, placeholder: schema.examples?.[0] }} />;
  if (schema["x-expression"]) return <TemplateBox expression {...{ id, value: value ?? "", path, onChange, label: props.label, placeholder: schema.examples?.[0] }} />;
  return (
    <input id={id} type="text" aria-label={props.bare ? props.label : undefined} spellcheck={false} value={value ?? ""} placeholder={schema.examples?.[0] != null ? String(schema.examples[0]) : ""}
      onInput={(event) => onChange(event.currentTarget.value, pathText(path))} />
  );
}

export function NodeSelect({ id, value, onChange, none = "Nowhere", label }: { id?: string; value: string | undefined; onChange: (value: string | undefined) => void; none?: string; label?: string }) {
  const nodes = use((state) => state.doc!.nodes);
  return (
    <select id={id} aria-label={label} value={value ?? ""} onChange={(event) => onChange(event.currentTarget.value || undefined)}>
      <option value="">{none}</option>
      {value && !nodes.some((node) => node.id === value) && <option value={value}>{value} (is not a node)</option>}
      {nodes.filter((node) => node.kind !== "start").map((node) => <option value={node.id}>{node.name || node.id}</option>)}
    </select>
  );
}

function JsonBox({ id, value, onChange, path, label }: ControlProps) {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value, null, 1));
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    try {
      if (JSON.stringify(JSON.parse(text || "null")) !== JSON.stringify(value ?? null)) setText(value === undefined ? "" : JSON.stringify(value, null, 1));
    } catch { /* being typed */ }
  }, [value]);
  return (
    <>
      <textarea id={id} aria-label={label} class="code" rows={Math.min(8, text.split("\n").length + 1)} spellcheck={false} value={text} placeholder="JSON, such as &quot;text&quot;, 12 or {&quot;a&quot;: 1}"
        onInput={(event) => {
          const text = event.currentTarget.value;
          setText(text);
          try {
            onChange(text.trim() ? JSON.parse(text) : undefined, pathText(path));
            setWrong("");
          } catch (error) {
            setWrong(store.told(error));
          }
        }} />
      {wrong && <p class="field-issue error">{wrong}</p>}
    </>
  );
}

function LocalText(props: ControlProps) {
  const { value, path, onChange, id, label } = props;
  if (value && typeof value === "object") {
    const tags = Object.keys(value);
    return (
      <div class="pairs">
        {tags.map((tag, place) => (
          <div class="pair" key={place}>
            <KeyInput name={tag} keys={tags} label="Language" onRename={(to) => onChange(withKey(value, tag, to), `${pathText(path)}#${place}`)} />
            <TemplateBox id={`${id}-${tag}`} label={`${label} in ${tag}`} value={value[tag] ?? ""} path={[...path, tag]} onChange={(text, merge) => onChange({ ...value, [tag]: text }, merge)} />
            <Button icon={glyph.close} label={`Remove ${tag}`} class="tiny quiet" onClick={() => { const { [tag]: _, ...rest } = value; onChange(Object.keys(rest).length ? rest : value[tag]); }} />
          </div>
        ))}
        <Button class="small" icon={glyph.plus} onClick={() => onChange({ ...value, [["es", "de", "fr", "pt-BR", "ar", "hi"].find((tag) => !(tag in value)) ?? "xx"]: "" })}>Language</Button>
      </div>
    );
  }
  return (
    <>
      <TemplateBox id={id} label={label} value={value ?? ""} path={path} onChange={onChange} lines={props.name === "text" || props.name === "error_text" ? 3 : 1} />
      {props.name === "text" && <button type="button" class="link" onClick={() => onChange({ [store.get().doc?.settings?.language ?? "en"]: value ?? "", es: "" })}>Say it in several languages</button>}
    </>
  );
}

/** One of several forms: chosen by hand, told by what is there. */
function Variants(props: ControlProps) {
  const { schema, value, onChange, name } = props;
  const forms: Schema[] = schema.anyOf.map(resolve);
  const isRows = forms[0]?.type === "array" && forms.length === 2;
  if (isRows) {
    const fromData = value && !Array.isArray(value);
    return (
      <>
        {fromData ? <Parts {...props} schema={forms[1]} /> : <Rows {...props} items={forms[0].items} />}
        <button type="button" class="link" onClick={() => onChange(fromData ? [] : { from: "context.items", id: "{{ item.id }}", label: "{{ item.name }}" })}>
          {fromData ? "Write them down instead" : "Make them from data"}
        </button>
      </>
    );
  }
  if (forms.every((form) => form.properties)) {
    return <Parts {...props} schema={{ ...merged(schema), type: "object" }} />;
  }
  const fits = (form: Schema) =>
    Array.isArray(value) ? form.type === "array" : value && typeof value === "object" ? Boolean(form.properties || form.anyOf) : form.type === typeof value || form.type === "integer" || Boolean(form.oneOf || form.enum) || form.const === value;
  const at = Math.max(0, forms.findIndex(fits));
  const title = (form: Schema, place: number) =>
    form.const ?? form.title ?? (form.type === "string" ? (form.pattern ? "A duration" : "A text") : form.type === "array" ? "A list" : form.properties ? Object.keys(form.properties).join(", ").replaceAll("_", " ") : form.oneOf ? "A word" : `Form ${place + 1}`);
  const fresh = (form: Schema): Json =>
    form.const ?? (form.type === "array" ? [] : form.type === "object" || form.properties || form.anyOf ? {} : form.oneOf ? form.oneOf[0].const : form.type === "boolean" ? false : "");
  return (
    <div class="variants">
      <select aria-label={`Form of ${name.replaceAll("_", " ")}`} value={String(at)} onChange={(event) => onChange(fresh(forms[Number(event.currentTarget.value)]))}>
        {forms.map((form, place) => <option value={String(place)}>{title(form, place)}</option>)}
      </select>
      {forms[at] && !("const" in forms[at]) && <Control {...props} bare schema={forms[at]} />}
    </div>
  );
}

function Parts({ schema, value, path, onChange }: ControlProps) {
  const { properties, required } = merged(schema);
  const given = value && typeof value === "object" ? value : {};
  const keys = Object.keys(properties);
  const shown = keys.filter((key) => required.includes(key) || key in given);
  const rest = keys.filter((key) => !shown.includes(key));
  return (
    <div class="parts">
      {shown.map((key) => (
        <Field key={key} name={key} schema={properties[key]} value={given[key]} path={[...path, key]} required={required.includes(key)}
          onChange={(to, merge) => {
            if (to === undefined) { const { [key]: _, ...left } = given; onChange(left, merge); } else onChange({ ...given, [key]: to }, merge);
          }}
          onRemove={required.includes(key) ? undefined : () => { const { [key]: _, ...left } = given; onChange(left); }} />
      ))}
      <More keys={rest} properties={properties} onAdd={(key) => onChange({ ...given, [key]: freshOf(properties[key]) })} />
    </div>
  );
}

export function More({ keys, properties, onAdd }: { keys: string[]; properties: Record<string, Schema>; onAdd: (key: string) => void }) {
  if (!keys.length) return null;
  return (
    <div class="more">
      {keys.map((key) => {
        const found = resolve(properties[key]);
        return <button type="button" class="chip add" title={clean(found?.description ?? "")} onClick={() => onAdd(key)}>+ {found?.title ?? words(key)}</button>;
      })}
    </div>
  );
}

export function freshOf(schema: Schema): Json {
  const found = resolve(schema);
  if (found === true || found == null) return "";
  // A switch that is added is turned from where it was.
  if (found.type === "boolean") return !found.default;
  if (found.default !== undefined && typeof found.default !== "string") return found.default;
  if (isText(found)) return "";
  if (found.oneOf?.[0]?.const !== undefined) return found.oneOf[0].const;
  if (found.enum) return found.enum[0];
  if (Array.isArray(found.anyOf)) return freshOf(found.anyOf[0]);
  switch (Array.isArray(found.type) ? found.type[0] : found.type) {
    case "integer":
    case "number": return found.minimum ?? 1;
    case "array": return [freshOf(found.items)];
    case "object": {
      const { properties, required } = merged(found);
      return Object.fromEntries(required.map((key) => [key, freshOf(properties[key])]));
    }
    default: return found.pattern ? found.examples?.[0] ?? "10m" : "";
  }
}

function Rows({ items, value, path, onChange, label }: ControlProps & { items: Schema }) {
  const rows: Json[] = Array.isArray(value) ? value : [];
  const found = resolve(items);
  const simple = found && !found.properties && !found.anyOf && found.type === "string" || Boolean(found?.oneOf);
  const swap = (from: number, to: number) => {
    const next = [...rows];
    [next[from], next[to]] = [next[to], next[from]];
    onChange(next);
  };
  const one = label.replace(/ies$/, "y").replace(/(ch|sh|x|ss)es$/, "$1").replace(/s$/, "").toLowerCase();
  return (
    <div class={`rows ${simple ? "simple" : ""}`}>
      {rows.map((row, place) => (
        <div class="row" key={place}>
          <div class="row-body">
            {simple ? (
              <Field bare name={`${label} ${place + 1}`} schema={items} value={row} path={[...path, place]} onChange={(to, merge) => onChange(rows.map((old, at) => (at === place ? to ?? "" : old)), merge)} />
            ) : (
              <Control name={label} id={`${pathText([...path, place])}`} label={`${label} ${place + 1}`} schema={found} value={row} path={[...path, place]}
                onChange={(to, merge) => onChange(rows.map((old, at) => (at === place ? to : old)), merge)} />
            )}
          </div>
          <div class="row-tools">
            {place > 0 && <Button icon="M10 5v10M6 9l4-4 4 4" label={`Move ${one} ${place + 1} up`} class="tiny quiet" onClick={() => swap(place, place - 1)} />}
            <Button icon={glyph.close} label={`Remove ${one} ${place + 1}`} class="tiny quiet" onClick={() => onChange(rows.filter((_, at) => at !== place))} />
          </div>
        </div>
      ))}
      <Button class="small" icon={glyph.plus} onClick={() => onChange([...rows, nextRow(rows, found)])}>Add {one}</Button>
    </div>
  );
}

/** A name that is not taken: `stem1` or the next number. */
function freeName(taken: string[], from: number, name: (number: number) => string): [string, string] {
  for (let number = from; ; number++) if (!taken.includes(name(number))) return [String(number), name(number)];
}

/** One more row: with an id, a label or a name that no other has. */
function nextRow(rows: Json[], schema: Schema): Json {
  const fresh = freshOf(schema);
  if (!fresh || typeof fresh !== "object" || Array.isArray(fresh)) return fresh;
  const { properties } = merged(schema);
  const free = (key: string, name: (number: number) => string) => freeName(rows.map((row) => row?.[key]), rows.length + 1, name);
  if ("id" in fresh || ("id" in properties && "label" in fresh)) return { ...fresh, id: free("id", String)[1], ...("label" in fresh ? { label: free("label", (number) => `Choice ${number}`)[1] } : {}) };
  if ("label" in fresh && "when" in properties) {
    const [number, label] = free("label", String);
    return { label, when: { value: "{{ reply.text }}", op: "string_equals", to: number } };
  }
  if ("label" in fresh) return { ...fresh, label: free("label", String)[1] };
  if ("name" in fresh) return { ...fresh, name: free("name", (number) => `value_${number}`)[1], ...("expr" in fresh ? { expr: "1" } : "value" in properties ? { value: "" } : {}) };
  return fresh;
}

/** The name of a pair. One that another pair has is not taken: the other would be lost. */
function KeyInput({ name, keys, label, onRename }: { name: string; keys: string[]; label: string; onRename: (to: string) => void }) {
  const [text, setText] = useState(name);
  useEffect(() => setText(name), [name]);
  const isTaken = text !== name && keys.includes(text);
  return (
    <>
      <input type="text" class="tag" aria-label={label} aria-invalid={isTaken} value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onChange={(event) => {
          const to = event.currentTarget.value;
          if (to !== name && !keys.includes(to)) onRename(to);
        }} />
      {isTaken && <p class="field-issue error" role="alert">Another one is called {text}.</p>}
    </>
  );
}

const withKey = (object: Record<string, Json>, from: string, to: string): Record<string, Json> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key === from ? to : key, value]));

function Pairs({ value, path, onChange, label, schema }: ControlProps) {
  const given: Record<string, Json> = value && typeof value === "object" && !Array.isArray(value) ? value : {};
  const keys = Object.keys(given);
  const items = schema.additionalProperties && typeof schema.additionalProperties === "object" ? schema.additionalProperties : null;
  return (
    <div class="pairs">
      {keys.map((key, place) => (
        <div class="pair" key={place}>
          <KeyInput name={key} keys={keys} label={`Name ${place + 1} of ${label}`} onRename={(to) => onChange(withKey(given, key, to), `${pathText(path)}#${place}`)} />
          {typeof given[key] === "string" && !items ? (
            <TemplateBox id={`${pathText([...path, key])}`} label={key} value={given[key]} path={[...path, key]} onChange={(to, merge) => onChange({ ...given, [key]: to }, merge)} />
          ) : (
            <Control name={key} id={pathText([...path, key])} label={key} schema={items ? resolve(items) : true} value={given[key]} path={[...path, key]} onChange={(to, merge) => onChange({ ...given, [key]: to }, merge)} />
          )}
          <Button icon={glyph.close} label={`Remove ${key}`} class="tiny quiet" onClick={() => { const { [key]: _, ...rest } = given; onChange(rest); }} />
        </div>
      ))}
      <Button class="small" icon={glyph.plus} onClick={() => onChange({ ...given, [freeName(keys, keys.length + 1, (number) => `name_${number}`)[1]]: items ? freshOf(items) : "" })}>Add</Button>
    </div>
  );
}

// ---- templates and expressions ----

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
  for (const node of doc?.nodes ?? []) {
    if (typeof node.save_to === "string") found.add(`vars.${node.save_to}`);
    for (const input of Array.isArray(node.inputs) ? node.inputs : []) if (input?.name) found.add(`context.${input.name}`);
    for (const variable of Array.isArray(node.variables) ? node.variables : []) if (variable?.name) found.add(`vars.${variable.name}`);
    if (node.kind === "for_each") found.add(node.as ?? "item");
  }
  for (const [root, fields] of Object.entries(ROOTS)) for (const field of fields) found.add(`${root}.${field}`);
  found.add("now");
  return [...found];
}

interface TemplateProps {
  id: string;
  value: string;
  path: Path;
  onChange: (value: string, merge?: string) => void;
  label: string;
  expression?: boolean;
  lines?: number;
  placeholder?: string;
}

export function TemplateBox({ id, value, path, onChange, label, expression, lines = 1, placeholder }: TemplateProps) {
  const box = useRef<HTMLTextAreaElement>(null);
  const caret = useRef<number | null>(null);
  const [offers, setOffers] = useState<{ word: string; list: { text: string; note: string }[]; pick: number } | null>(null);
  const filters = use((state) => state.filters);
  const shown = useMemo(() => previewOf(value, Boolean(expression)), [value, use((state) => state.context)]);
  const text = String(value ?? "");

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
      <textarea ref={box} id={id} aria-label={label} rows={Math.max(lines, Math.min(9, text.split("\n").length + Math.floor(text.length / 46)))} class={expression ? "code" : ""} value={text} placeholder={placeholder}
        spellcheck={!expression} aria-autocomplete="list" aria-expanded={offers != null} role="combobox" aria-controls={`${id}-offers`}
        onInput={(event) => { onChange(event.currentTarget.value, pathText(path)); look(event.currentTarget); }}
        onBlur={() => setTimeout(() => setOffers(null), 150)}
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
      {shown && <p class={`preview ${shown.failure ? "failed" : ""}`} aria-live="polite"><span>{shown.failure ? "Cannot be read" : "Reads"}</span> {shown.failure ?? (shown.text || "(nothing)")}</p>}
    </div>
  );
}

/** A text as it is rendered with the context of the talk. */
function previewOf(value: string, expression: boolean): { text: string; failure: string | null } | null {
  const text = String(value ?? "");
  if (!text.trim() || (!expression && !text.includes("{{"))) return null;
  return store.previewOf({ [expression ? "expr" : "text"]: text });
}

// ---- conditions, by rows ----

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
  const one = when.to ?? when.list?.[0] ?? "1";
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

export function Condition({ value, path, onChange }: { value: Json; path: Path; onChange: (value: Json, merge?: string) => void }) {
  const when = value && typeof value === "object" ? value : {};
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
  const number = (to: string): Json => (to !== "" && !Number.isNaN(Number(to)) ? Number(to) : to);
  const side = (key: "to" | "and", label: string) =>
    takes.includes(key) && !(key === "to" && takes.includes("list") && "list" in when) && (
      <TemplateBox id={`${place}-${key}`} label={label} value={model.textOf(when[key])} path={[...path, key]}
        onChange={(to) => part(key, key === "and" || typeof model.shown(when.to) === "number" ? number(to) : to)} />
    );
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
          {takes.includes("list") && (when.op === "in_list" || "list" in when) && <WordList list={when.list ?? []} onChange={(list) => part("list", list)} />}
          {takes.includes("list") && takes.includes("to") && (
            <button type="button" class="link" onClick={() => onChange("list" in when ? { ...model.put(when, ["list"], undefined), to: model.textOf(when.list?.[0]) } : { ...model.put(when, ["to"], undefined), list: "to" in when ? [when.to] : [] })}>
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

/** Words with commas between them, as they are typed: a comma at the end separates nothing yet. */
function WordList({ list, onChange }: { list: Json[]; onChange: (list: Json[]) => void }) {
  const words = list.map(model.textOf);
  const [text, setText] = useState(words.join(", "));
  const read = (text: string) => text.split(",").map((word) => word.trim()).filter(Boolean);
  useEffect(() => {
    if (read(text).join() !== words.join()) setText(words.join(", "));
  }, [list]);
  // A number that is still in the list stays one.
  const kept = (word: string) => list.find((item) => typeof item !== "string" && model.textOf(item) === word) ?? word;
  return <input type="text" aria-label="List, separated by commas" value={text} onInput={(event) => { setText(event.currentTarget.value); onChange(read(event.currentTarget.value).map(kept)); }} />;
}

const FRESH = { value: "{{ reply.text }}", op: "string_equals", to: "1" };

function ConditionIssues({ place }: { place: string }) {
  const issues = use((state) => state.checked.issues).filter((issue) => issue.path === place || [".op", ".to", ".value", ".list", ".and", ".ignore_case", ".fold"].some((end) => issue.path === place + end));
  return <>{issues.map((issue) => <p class={`field-issue ${issue.severity}`}>{issue.message}. <span>{issue.fix}</span></p>)}</>;
}
