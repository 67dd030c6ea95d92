// Fields of a form, made from the JSON Schema of the flow file.

import { useEffect, useRef, useState } from "preact/hooks";
import { Button, glyph } from "./icons";
import * as store from "./store";
import { use } from "./store";
import { Condition } from "./condition";
import { TemplateBox } from "./template";
import { sentence, said } from "./words";
import * as model from "./model";
import type { Issue } from "./engine";
import type { Json } from "./model";

export type Schema = any;
export type Path = (string | number)[];

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

export const words = (key: string) => key.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());

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
  const notes = issues.map((issue) => <Note issue={issue} />);
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

/** An issue below its field. */
export const Note = ({ issue }: { issue: Issue }) => <p class={`field-issue ${issue.severity}`}>{said(sentence(issue.message))} <span>{said(sentence(issue.fix))}</span></p>;

function Help({ text, of }: { text: string; of: string }) {
  const [open, setOpen] = useState(false);
  return (
    <span class="help">
      <button type="button" class="help-mark" aria-expanded={open} aria-label={`What ${of} is`} title={clean(text)} onClick={() => setOpen(!open)}>?</button>
      {open && <span class="help-text" role="note">{clean(text)}</span>}
    </span>
  );
}

export const clean = (text: string) => text.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, "$1").replaceAll("`", "");

const isGroup = (found: Schema, value: Json): boolean =>
  found === true || found.type === "array" || found.type === "object" || found.properties || found.additionalProperties || (Array.isArray(found.anyOf) && !offered(found) && !(isText(found) && typeof value !== "object"));

/** The forms that values of a schema have: a word or number, a list, an object. */
function shapesOf(schema: Schema): string[] {
  const found = resolve(schema);
  const forms = found?.anyOf ?? (found?.oneOf?.some((one: Schema) => !("const" in one)) ? found.oneOf : null);
  if (forms) return forms.flatMap(shapesOf);
  if (found?.properties || found?.additionalProperties) return ["object"];
  const types: string[] = found?.type ? [found.type].flat() : found?.enum || found?.oneOf || found?.const !== undefined ? ["string"] : ["object", "array", "string"];
  return types.map((type) => (type === "object" || type === "array" ? type : "string"));
}

/** True for a value that the control of a schema could not show: it is shown as JSON. */
function isMisshapen(schema: Schema, value: Json): boolean {
  if (value === undefined || value === null) return false;
  if (["integer", "number"].includes(schema.type)) return typeof value !== "number";
  const shape = Array.isArray(value) ? "array" : model.isObject(value) ? "object" : "string";
  return !shapesOf(schema).includes(shape);
}

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
    return schema?.["x-template"] ? <AnyBox {...props} /> : <JsonBox {...props} />;
  }
  if (isMisshapen(schema, value)) return <JsonBox {...props} />;
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
    return <NumberBox {...props} />;
  }
  if (schema.type === "array") return <Rows {...props} items={schema.items} />;
  if (schema.properties) return <Parts {...props} />;
  if (schema.type === "object") return <Pairs {...props} />;
  if (schema["x-node"]) return <NodeSelect id={id} value={value} onChange={onChange} />;
  if (schema["x-template"]) return <TemplateBox {...{ id, value, path, onChange, label: props.label, placeholder: schema.examples?.[0] }} />;
  if (schema["x-expression"]) return <TemplateBox expression {...{ id, value, path, onChange, label: props.label, placeholder: schema.examples?.[0] }} />;
  return (
    <input id={id} type="text" dir="auto" aria-label={props.bare ? props.label : undefined} spellcheck={false} value={model.textOf(value)} placeholder={schema.examples?.[0] != null ? String(schema.examples[0]) : ""}
      onInput={(event) => onChange(event.currentTarget.value, pathText(path))} />
  );
}

/** A number as it is typed: what is not one yet, such as `0.0`, is left alone. */
function NumberBox({ id, value, onChange, path, label, bare, schema }: ControlProps) {
  const [text, setText] = useState(model.textOf(value));
  useEffect(() => {
    if (text === "" ? value !== undefined : Number(text) !== value) setText(model.textOf(value));
  }, [value]);
  return (
    <input id={id} type="number" aria-label={bare ? label : undefined} value={text} min={schema.minimum} step={schema.type === "integer" ? 1 : "any"}
      onInput={(event) => {
        const { value: text, validity } = event.currentTarget;
        setText(text);
        if (!validity.badInput) onChange(text === "" ? undefined : Number(text), pathText(path));
      }} />
  );
}

/** Any value: a text that is a template, until it is written as JSON. */
function AnyBox(props: ControlProps) {
  const { id, value, path, onChange, label, schema } = props;
  const isText = value === undefined || typeof value === "string";
  const [asJson, setAsJson] = useState(!isText);
  if (asJson || !isText) {
    return (
      <>
        <JsonBox {...props} />
        <button type="button" class="link" onClick={() => { setAsJson(false); if (!isText) onChange(JSON.stringify(value)); }}>as a text</button>
      </>
    );
  }
  const read = () => {
    setAsJson(true);
    try {
      onChange(value ? JSON.parse(value) : value);
    } catch { /* it stays a text, in quotes */ }
  };
  const example = model.list(schema.examples).find((one) => typeof one === "string");
  return (
    <>
      <TemplateBox {...{ id, value: value ?? "", path, onChange, label, placeholder: example }} />
      <button type="button" class="link" onClick={read}>as JSON</button>
    </>
  );
}

export function NodeSelect({ id, value, onChange, none = "Nowhere", label }: { id?: string; value: string | undefined; onChange: (value: string | undefined) => void; none?: string; label?: string }) {
  const doc = use((state) => state.doc)!;
  const nodes = model.nodesOf(doc);
  return (
    <select id={id} aria-label={label} value={value ?? ""} onChange={(event) => onChange(event.currentTarget.value || undefined)}>
      <option value="">{none}</option>
      {value && !model.nodeOf(doc, value) && <option value={value}>{value} (is not a node)</option>}
      {nodes.filter((node) => node.kind !== "start").map((node) => <option value={node.id}>{model.titleOf(node)}</option>)}
    </select>
  );
}

function JsonBox({ id, value, onChange, path, label }: ControlProps) {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value, null, 1));
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    try {
      if (JSON.stringify(JSON.parse(text || "null")) !== JSON.stringify(value ?? null)) setText(value === undefined ? "" : JSON.stringify(value, null, 1));
    } catch {
      if (value !== text) setText(JSON.stringify(value, null, 1) ?? "");
    }
  }, [value]);
  return (
    <>
      <textarea id={id} aria-label={label} class="code" data-own-keys rows={Math.min(8, text.split("\n").length + 1)} spellcheck={false} value={text} placeholder="JSON, such as &quot;text&quot;, 12 or {&quot;a&quot;: 1}"
        onInput={(event) => {
          const text = event.currentTarget.value;
          setText(text);
          try {
            onChange(text.trim() ? JSON.parse(text) : undefined, pathText(path));
            setWrong("");
          } catch {
            // What does not begin as JSON is a text without its quotes.
            const isText = !/^\s*["{[]/.test(text);
            if (isText) onChange(text, pathText(path));
            setWrong(isText ? "" : "This is not JSON yet. Names and texts have double quotes around them.");
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
            <TemplateBox id={`${id}-${tag}`} label={`${label} in ${tag}`} value={value[tag]} path={[...path, tag]} onChange={(text, merge) => onChange({ ...value, [tag]: text }, merge)} />
            <Button icon={glyph.close} label={`Remove ${tag}`} class="tiny quiet" onClick={() => { const { [tag]: _, ...rest } = value; onChange(Object.keys(rest).length ? rest : value[tag]); }} />
          </div>
        ))}
        <Button class="small" icon={glyph.plus} onClick={() => onChange({ ...value, [["es", "de", "fr", "pt-BR", "ar", "hi"].find((tag) => !(tag in value)) ?? "xx"]: "" })}>Language</Button>
      </div>
    );
  }
  return (
    <>
      <TemplateBox id={id} label={label} value={value} path={path} onChange={onChange} lines={props.name === "text" || props.name === "error_text" ? 3 : 1} />
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

/** Fields that were emptied: they are shown until they are removed, so that another value can be typed. */
export function useEmptied() {
  const emptied = useRef(new Set<string>());
  return {
    has: (key: string) => emptied.current.has(key),
    /** Notes what a field is now. */
    note: (key: string, value: Json) => void (value === undefined && emptied.current.add(key)),
    forget: (key: string) => void emptied.current.delete(key),
  };
}

function Parts({ schema, value, path, onChange }: ControlProps) {
  const { properties, required } = merged(schema);
  const given = model.fieldsOf(value);
  const emptied = useEmptied();
  const keys = Object.keys(properties);
  const shown = keys.filter((key) => required.includes(key) || key in given || emptied.has(key));
  const without = (key: string) => { const { [key]: _, ...left } = given; return left; };
  const rest = keys.filter((key) => !shown.includes(key));
  return (
    <div class="parts">
      {shown.map((key) => (
        <Field key={key} name={key} schema={properties[key]} value={given[key]} path={[...path, key]} required={required.includes(key)}
          onChange={(to, merge) => { emptied.note(key, to); onChange(to === undefined ? without(key) : { ...given, [key]: to }, merge); }}
          onRemove={required.includes(key) ? undefined : () => { emptied.forget(key); onChange(without(key)); }} />
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

