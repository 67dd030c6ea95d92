// The panels beside the canvas that are not the form: records, heat, versions, live sessions.

import { useEffect, useState } from "preact/hooks";
import { Button, Icon, glyph } from "./icons";
import * as model from "./model";
import * as store from "./store";
import { use } from "./store";
import { jumpsOf, leftBy } from "./drawing";
import { download } from "./share";
import { RecordButton, saidText } from "./talk";

export function Records() {
  const records = use((state) => state.records);
  const talk = use((state) => state.talk);
  if (!records.length) {
    return (
      <div class="empty">
        <span class="empty-art"><Icon d={glyph.record} size={30} /></span>
        <h2>No talk is recorded</h2>
        <p>Talk to the flow, then record it with one click. After each edit it is played again, and shows what changed.</p>
        {talk && <RecordButton />}
      </div>
    );
  }
  return (
    <div class="form">
      <h2>Recorded talks</h2>
      <div class="actions"><Button icon={glyph.restart} tone="soft" onClick={() => store.replayAll()}>Play all again</Button>{talk && <RecordButton />}</div>
      {records.map((record) => (
        <details class={`record ${record.result ? (record.result.ok ? "green" : "red") : ""}`} open={record.result && !record.result.ok}>
          <summary><i class="lamp" /> {record.name}.talk <small>{record.result ? (record.result.ok ? "as it was" : record.result.error ? "does not run" : "goes otherwise") : "not played yet"}</small></summary>
          {record.result?.error && <p class="field-issue error">{record.result.error}</p>}
          <pre class="script" tabIndex={0} aria-label={`Lines of ${record.name}`}>
            {(record.result?.lines?.length ? record.result.lines : record.talk.trimEnd().split("\n").map((text: string) => ({ is: "same", text }))).map((line: any) => <span class={line.is}>{line.is === "gone" ? "− " : line.is === "new" ? "+ " : "  "}{line.text}</span>)}
          </pre>
          <div class="actions">
            <Button class="small" icon={glyph.down} onClick={() => download(`${store.get().code}.${record.name.replaceAll(" ", "_")}.talk`, record.talk, "text/plain")}>Download</Button>
            {record.result && !record.result.ok && record.result.now && <Button class="small" onClick={() => store.acceptRecord(record.name)}>Take it as it goes now</Button>}
            <Button class="small" tone="bad" icon={glyph.trash} label={`Delete ${record.name}`} onClick={() => store.forgetRecord(record.name)} />
          </div>
        </details>
      ))}
    </div>
  );
}

export function Heat() {
  const heat = use((state) => state.heat);
  const doc = use((state) => state.doc)!;
  const runs = use((state) => state.checked.runs);
  const [talks, setTalks] = useState(300);
  const service = store.backend.counts;
  return (
    <div class="form">
      <h2>Where contacts go</h2>
      <p class="lead">Made-up contacts talk to the draft at random: they choose, write, wait and let deadlines pass. The diagram warms where many go.</p>
      <div class="two">
        <label class="field"><span class="label">Talks</span>
          <select value={talks} onChange={(event) => setTalks(Number(event.currentTarget.value))}>{[100, 300, 1000, 2000].map((count) => <option value={count}>{count.toLocaleString("en")}</option>)}</select>
        </label>
        <div class="field end"><Button tone="primary" icon={glyph.flame} disabled={!runs && !store.get().summary?.accounts.length} onClick={() => store.rehearse(talks)}>Rehearse</Button></div>
      </div>
      {service && <Button onClick={() => store.attempt(async () => store.set({ heat: { nodes: await service.call(store.backend, store.get().code), ends: {}, talks: 0 } }))}>From live sessions</Button>}
      {heat && <HeatTable heat={heat} doc={doc} />}
    </div>
  );
}

function HeatTable({ heat, doc }: { heat: any; doc: model.Doc }) {
  const rows = heat.nodes.map((count: any) => {
    const node = model.nodeOf(doc, count.node);
    const gone = leftBy(count) + (node?.kind === "jump" ? jumpsOf(count) : 0);
    return { node: count.node, name: node ? model.titleOf(node) : count.node, visits: count.visits, drop: node?.kind === "end" ? 0 : Math.max(0, count.visits - gone), failures: count.failures };
  }).sort((one: any, other: any) => other.drop - one.drop || other.visits - one.visits);
  const most = Math.max(1, ...rows.map((row: any) => row.visits));
  return (
    <>
      {heat.talks > 0 && <p class="hint">{heat.talks.toLocaleString("en")} talks in {Math.round(heat.took)} ms</p>}
      <div class="ends">{Object.entries(heat.ends as Record<string, number>).map(([end, times]) => <span class={`pill ${end}`}>{end.replaceAll("_", " ")} {times}</span>)}</div>
      <table class="heat">
        <thead><tr><th scope="col">Node</th><th scope="col">Came</th><th scope="col">Stayed</th></tr></thead>
        <tbody>
          {rows.map((row: any) => (
            <tr>
              <td><button type="button" class="link" onClick={() => store.set({ selected: [row.node] })}>{row.name}</button><span class="bar" style={{ width: `${(100 * row.visits) / most}%` }} /></td>
              <td>{row.visits}</td>
              <td class={row.drop ? "drop" : ""}>{row.drop || ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

export function Versions() {
  const summary = use((state) => state.summary)!;
  const [text, setText] = useState<{ version: number; json: string } | null>(null);
  if (!summary.versions.length) {
    return <div class="empty"><span class="empty-art"><Icon d={glyph.versions} size={30} /></span><h2>Never published</h2><p>Each publishing of another content makes a version. Sessions stay on the version that they started on.</p></div>;
  }
  return (
    <div class="form">
      <h2>Versions</h2>
      <ul class="plain versions">
        {[...summary.versions].reverse().map((version) => (
          <li>
            <b>Version {version.version}</b>
            <span class={`pill ${summary.online === version.version ? "published" : ""}`}>{summary.online === version.version ? "online" : typeof version.state === "string" ? version.state : "terminated"}</span>
            <small>{new Date(version.published_at).toLocaleString("en-GB")}</small>
            <span class="row-actions">
              <Button class="small" onClick={() => store.attempt(async () => setText({ version: version.version, json: (await store.backend.read(summary.flow, version.version)).json }))}>Show</Button>
              <Button class="small" onClick={() => store.attempt(async () => { const { json } = await store.backend.read(summary.flow, version.version); const doc = model.read(json); store.edit(() => doc); store.say(`The draft is version ${version.version} again`); })}>Edit this one</Button>
              {summary.online !== version.version && <Button class="small" onClick={() => store.attempt(async () => { store.set({ summary: await store.backend.rollBack(summary.flow, version.version) }); store.say(`Version ${version.version} is online`, "good"); })}>Put online</Button>}
            </span>
          </li>
        ))}
      </ul>
      {text && <><h3>Version {text.version}</h3><pre class="script" tabIndex={0}>{text.json}</pre></>}
    </div>
  );
}

/** Life at a service: sessions of this flow, and contacts that wait for a person. */
export function Live() {
  const code = use((state) => state.code);
  const [sessions, setSessions] = useState<any[]>([]);
  const [waiting, setWaiting] = useState<any[]>([]);
  const [shown, setShown] = useState<any>(null);
  const look = () => store.attempt(async () => {
    setSessions(await store.backend.sessions!(code));
    setWaiting(await store.backend.inbox!());
  });
  useEffect(() => {
    look();
    let soon = 0;
    // Many events of one turn are one look.
    const stop = store.backend.listen!(() => {
      clearTimeout(soon);
      soon = setTimeout(look, 120) as unknown as number;
    });
    return () => {
      clearTimeout(soon);
      stop();
    };
  }, [code]);
  return (
    <div class="form">
      <h2>Sessions</h2>
      {sessions.length ? (
        <ul class="plain live">
          {sessions.map((session) => (
            <li>
              <button type="button" class="link" onClick={() => store.attempt(async () => setShown({ session, entries: await store.backend.journal!(session.id) }))}>{session.contact_name ?? session.phone ?? session.contact}</button>
              <span class={`pill ${session.status}`}>{session.status}</span><small>at {session.node}</small>
            </li>
          ))}
        </ul>
      ) : <p class="hint">No session yet.</p>}
      {shown && <><h3>Journal</h3><ol class="journal">{shown.entries.flatMap((entry: any) => entry.steps ?? []).map((step: any) => <li><b>{step.node}</b>{step.branch && <span class="chip">{step.branch}</span>}{step.why && <small>{step.why}</small>}</li>)}</ol></>}
      <h2>Hand-over inbox</h2>
      {waiting.length ? (
        <ul class="plain live inbox">
          {waiting.map((one) => (
            <li><b>{one.session.contact_name ?? one.session.phone ?? one.contact}</b><small>{one.note ?? one.queue ?? ""}</small>
              {one.messages?.length > 0 && <ol class="plain heard" aria-label="Written to the person">{one.messages.map(({ at, message }: any) => <li><time>{new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}</time> {saidText(message)}</li>)}</ol>}
              <Button class="small" onClick={() => store.attempt(async () => { await store.backend.handBack!(one.contact, {}); await look(); })}>Give back</Button>
            </li>
          ))}
        </ul>
      ) : <p class="hint">Nobody waits for a person.</p>}
    </div>
  );
}
