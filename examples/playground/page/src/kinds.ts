// The components: their groups, their names for people, and what a new one begins with.

export type Group = "core" | "messaging" | "intelligence" | "contact";

export interface KindInfo {
  kind: string;
  title: string;
  group: Group;
  does: string;
  icon: string;
  fresh: () => Record<string, unknown>;
}

const kind = (kind: string, title: string, group: Group, does: string, icon: string, fresh: () => Record<string, unknown> = () => ({})): KindInfo => ({
  kind, title, group, does, icon, fresh,
});

/** Paths of icons, drawn with a stroke on a ground of 20 by 20. */
const I = {
  play: "M7 5l8 5-8 5z",
  stop: "M6 6h8v8H6z",
  message: "M4 5h12v8H9l-3 3v-3H4z",
  ask: "M4 4h12v9H9l-3 3v-3H4z M8.4 7.3a1.7 1.7 0 1 1 2.3 1.6c-.5.2-.7.5-.7 1 M10 11.2v.1",
  wait: "M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12z M10 7v3.2l2 1.4",
  typing: "M3.5 6h13v8h-13z M7 10h.01M10 10h.01M13 10h.01",
  branch: "M6 4v4c0 3 8 1 8 5v3 M6 4v12 M4 14l2 2 2-2 M12 14l2 2 2-2",
  jump: "M15 15V9a3 3 0 0 0-3-3H5 M8 3L5 6l3 3",
  loop: "M5 8a5 5 0 0 1 9-1 M15 4v3.5h-3.5 M15 12a5 5 0 0 1-9 1 M5 16v-3.5h3.5",
  vars: "M7 4c-2 0-2 1-2 3s0 3-1.5 3C5 10 5 11 5 13s0 3 2 3 M13 4c2 0 2 1 2 3s0 3 1.5 3C15 10 15 11 15 13s0 3-2 3 M8.5 8.5l3 3M11.5 8.5l-3 3",
  clock: "M6 3h8M6 17h8M7 3c0 4 6 5 6 7s-6 3-6 7M13 3c0 4-6 5-6 7s6 3 6 7",
  fn: "M8 16c1.5 0 2-1 2.3-3l1-6c.3-2 .8-3 2.2-3M7.5 9h6",
  http: "M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12z M4 10h12 M10 4c2 2 2.5 4 2.5 6S12 14 10 16C8 14 7.500 12 7.500 10S8 6 10 4z",
  llm: "M10 3l1.6 4.4L16 9l-4.400 1.600L10 15l-1.600-4.400L4 9l4.400-1.600z M15.500 13.500v3M14 15h3",
  classify: "M4 5h7l5 5-5 5H4z M7.500 10h.01",
  language: "M4 6h7M7.500 4v2M9.500 6c-.6 3-2.500 5-5 6M5.500 8c.8 2 2.300 3.400 4.500 4M10 16l3-7 3 7M11 14h4",
  phone: "M6 3h8v14H6z M9 15h2",
  entities: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4z M13 13l3.500 3.500",
  contact: "M10 4a3 3 0 1 0 0 6 3 3 0 0 0 0-6z M4.500 16c.6-3 2.700-4.500 5.500-4.500s4.900 1.500 5.500 4.500",
  split: "M4 6h3l6 8h3 M4 14h3l1.500-2 M11.500 8L13 6h3 M14 4l2 2-2 2 M14 12l2 2-2 2",
  hours: "M4 6h12v10H4z M4 9h12 M7 4v3M13 4v3",
  log: "M5 4h10v12H5z M7.500 8h5M7.500 11h5",
  flow: "M4 4h5v4H4z M11 12h5v4h-5z M6.500 8v6H11",
  handoff: "M7 4.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z M2.500 15c.4-2.500 2-4 4.500-4 M12 11h5M14.500 8.500L17 11l-2.500 2.500",
};

export const KINDS: KindInfo[] = [
  kind("start", "Start", "core", "Begins every session", I.play),
  kind("end", "End", "core", "Completes the session", I.stop),
  kind("branch", "Conditional branch", "core", "Takes the first way whose condition holds", I.branch, () => ({
    branches: [{ label: "1", when: { value: "{{ reply.text }}", op: "string_equals", to: "1" } }],
  })),
  kind("jump", "Jump", "core", "Goes back or elsewhere, so many times", I.jump, () => ({ target: "" })),
  kind("for_each", "For each", "core", "Once for each item of a list", I.loop, () => ({ from: "context.items" })),
  kind("set_variables", "Set variables", "core", "Writes variables, in order", I.vars, () => ({ variables: [{ name: "name", value: "" }] })),
  kind("delay", "Wait a while", "core", "A duration, or until a time", I.clock, () => ({ for: "5m" })),
  kind("random_split", "Random split", "core", "Goes one way by chance", I.split, () => ({ branches: [{ label: "A" }, { label: "B" }] })),
  kind("open_hours", "Open hours", "core", "Asks the clock", I.hours, () => ({ timezone: "UTC", hours: { mon: ["09:00-18:00"] } })),
  kind("http_request", "HTTP request", "core", "Has the host send a request", I.http, () => ({ url: "https://api.example/orders", save_to: "answer" })),
  kind("function", "Function", "core", "Asks the host", I.fn, () => ({ function: "look_up", save_to: "found" })),
  kind("call_flow", "Call a flow", "core", "Runs another flow as a part", I.flow, () => ({ flow: "" })),
  kind("log", "Log", "core", "Tells those who run the flow", I.log, () => ({ text: "" })),
  kind("send_message", "Message", "messaging", "Text, buttons, lists, media, templates", I.message, () => ({ text: "" })),
  kind("ask", "Question", "messaging", "Asks until the answer is valid", I.ask, () => ({ text: "", save_to: "answer" })),
  kind("wait_reply", "Wait for a reply", "messaging", "Whatever the contact says", I.wait, () => ({ timeout: "10m" })),
  kind("typing", "Typing", "messaging", "Shows that somebody is writing", I.typing, () => ({ for: "3s" })),
  kind("llm", "Language model", "intelligence", "Has a model write", I.llm, () => ({ prompt: "", save_to: "text" })),
  kind("classify", "Classify", "intelligence", "Finds the class of a text", I.classify, () => ({ classes: [{ id: "order" }, { id: "complaint" }] })),
  kind("recognize_language", "Language", "intelligence", "Tells the language of a text", I.language, () => ({ save_to: "language" })),
  kind("recognize_phone", "Phone number", "intelligence", "Finds a number in a text", I.phone, () => ({ save_to: "phone" })),
  kind("recognize_entities", "Entities", "intelligence", "E-mails, dates, numbers, addresses", I.entities, () => ({ save_to: "found" })),
  kind("update_contact", "Contact", "contact", "Name, tags, groups, consent", I.contact, () => ({ add_tags: ["new"] })),
  kind("handoff", "Hand over", "contact", "Passes on to a person", I.handoff, () => ({ queue: "agents" })),
];

export const GROUPS: { group: Group; title: string }[] = [
  { group: "core", title: "Core" },
  { group: "messaging", title: "Messaging" },
  { group: "intelligence", title: "Intelligence" },
  { group: "contact", title: "Contact" },
];

const BY_KIND = new Map(KINDS.map((info) => [info.kind, info]));

export const kindInfo = (kind: string): KindInfo =>
  BY_KIND.get(kind) ?? { kind, title: kind || "Unknown", group: "core", does: "No such kind", icon: I.entities, fresh: () => ({}) };
