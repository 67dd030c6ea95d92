//! Whole talks with flows, as people would read them. `tests/golden/NAME.flow.json` is a flow, each
//! `NAME.talk` and `NAME.WHAT.talk` a talk with it, each `NAME.WHAT.subflow.json` a flow that it
//! may call; `UPDATE=1` writes down what is said now.
//!
//! What a talk is made of: `! context {…}` what the flow is started with, `! language TAG` what the
//! contact reads, `! now VALUE`, `! branch NAME`, `! later` and `! failed REASON` how the host
//! answers its next calls, `! calls` that what it is asked is shown, `! refuse REASON`, `! window`
//! how the channel answers its next messages, `! report CODE` that the last message did not arrive
//! (`window_closed`: since the window was closed) or, with `read`, that it was read,
//! `> text` what the contact says, `> [Label]` what it chooses, `> {"media": …}`,
//! `> {"location": …}`, `> {"choice": …}`, `> {"form": …}` and the like what else it sends, `! id ID` and `! age SPAN` the id
//! of its next message and how long that was on its way, `! result VALUE` how the host completes
//! the last call, `! back VARS` and `! touch` what the person does who has the contact,
//! `! publish OLD -> NEW` that the flow is published with another text in it,
//! `! unpublish HOW FLOW` that one is taken offline, `@ +31m` time that passes, `! asleep SPAN` the
//! same while nothing ticks. What comes of it: `< text [Label]` what the flow says, `~ {…}` what it
//! asks the host, `= status at node` how the session stands, `* verdict` what became of a message
//! that no session took, `? …` what is wrong with the flow or the request; `. text` goes on with
//! the line above. The first line, `# RULES: …`, says what the talk shows.

#![allow(clippy::unwrap_used, reason = "a test may fail, and says why")]

mod build_kit;
#[cfg(all(feature = "phone-numbers", feature = "time-zones"))]
mod coverage;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{env, fs};

use chatflow::calls::{Answer, Call};
use chatflow::flow::Span;
use chatflow::id::FlowVersion;
use chatflow::kernel::{JournalEntry, replay};
use chatflow::limits::Limits;
use chatflow::ops::{Reported, SessionFilter, Unpublish};
use chatflow::session::DeliveryReport;
use chatflow::session::{Header, Opt, Profile};
use chatflow::testkit::{CountingIds, ManualClock, Recorder};
use chatflow::{
    Account, CallError, CallResult, Channel, Clock, ContactId, Content, Engine, Flow, FlowId, Inbound,
    MemoryStore, Outbound, Received, SendError, TriggerRequest, call_fn,
};
use chrono::TimeDelta;
use pollster::block_on;
use serde_json::Value;

use build_kit::is_for_this_build;

const SHOP: &str = "+15550100";
const ADA: &str = "+14155550123";

/// A talk that goes on.
struct Talk {
    bot: Engine<MemoryStore>,
    clock: ManualClock,
    channel: Recorder,
    host: Arc<Mutex<Host>>,
    offered: Vec<Opt>,
    /// The token of the last form that was sent.
    token: String,
    language: Option<String>,
    /// The id and the age of the next message.
    next: (Option<String>, Option<TimeDelta>),
    /// The flow that is talked with, in each version that was published.
    versions: Vec<String>,
    state: String,
    text: String,
}

#[derive(Default)]
struct Host {
    /// How many of the calls were shown, if they are.
    shown: Option<usize>,
    answers: VecDeque<Result<Answer, CallError>>,
    calls: Vec<Call>,
}

impl Host {
    /// The calls since, if they are to be shown.
    fn take_new(&mut self) -> Vec<Call> {
        let Some(shown) = &mut self.shown else { return Vec::new() };
        let place = std::mem::replace(shown, self.calls.len());
        self.calls[place..].to_vec()
    }
}

impl Talk {
    fn new() -> Self {
        let (clock, channel, host) = (ManualClock::default(), Recorder::new(), Arc::<Mutex<Host>>::default());
        let calls = Arc::clone(&host);
        let bot = Engine::builder(MemoryStore::new())
            .transport(channel.clone())
            .calls(call_fn(move |call: Call| {
                let mut host = calls.lock().unwrap();
                host.calls.push(call);
                let answer = host.answers.pop_front().unwrap_or(Ok(Answer::Later));
                async move { answer }
            }))
            .clock(clock.clone())
            .ids(CountingIds::new())
            .build();
        Self {
            bot,
            clock,
            channel,
            host,
            offered: Vec::new(),
            token: String::new(),
            language: None,
            next: (None, None),
            versions: Vec::new(),
            state: String::new(),
            text: String::new(),
        }
    }

    fn note(&mut self, mark: &str, text: &str) {
        for (place, line) in text.lines().enumerate() {
            let mark = if place == 0 { mark } else { "." };
            writeln!(self.text, "{}", format!("{mark} {line}").trim_end()).unwrap();
        }
    }

    /// Publishes a flow, bound if messages start it. Answers whether they do; none if it cannot be
    /// published.
    fn put_online(&self, flow: &FlowId) -> Option<bool> {
        let shop = Account::new(Channel::WhatsApp, SHOP).unwrap();
        let is_inbound = block_on(self.bot.flows().bind(flow, [shop])).is_ok();
        block_on(self.bot.flows().set_logging(flow, true)).unwrap();
        block_on(self.bot.flows().publish(flow)).ok().map(|_| is_inbound)
    }

    /// Imports, binds, publishes; and starts it, unless messages do. Answers whether the flow is
    /// fit to run.
    fn begin(&mut self, json: &str, context: Option<Value>) -> bool {
        self.versions.push(json.to_owned());
        let imported = match block_on(self.bot.flows().import(json)) {
            Ok(imported) => imported,
            Err(error) => {
                self.note("?", &format!("{error:#}"));
                return false;
            }
        };
        // These talks are on WhatsApp for their brevity; one window is not told of at every one.
        let about_window = "(window_may_be_closed)";
        let issues = imported.issues.iter().map(|issue| format!("{issue:#}"));
        let issues: Vec<String> = issues.filter(|issue| !issue.contains(about_window)).collect();
        if !issues.is_empty() {
            self.note("?", &issues.join("\n"));
        }
        let flow: FlowId = imported.status.flow;
        let Some(is_inbound) = self.put_online(&flow) else { return false };
        if !is_inbound {
            let request = TriggerRequest::new(flow.as_str()).phone(ADA);
            let request = context.into_iter().fold(request, TriggerRequest::context);
            let profile = self.language.take().map(|language| Profile::new().language(language));
            let request = profile.into_iter().fold(request, TriggerRequest::profile);
            if let Err(error) = block_on(self.bot.trigger(request)) {
                self.note("?", &error.to_string());
            }
        }
        true
    }

    /// What was said and done since, and how the session stands.
    fn look(&mut self) {
        while block_on(self.bot.tick(10)).unwrap().worked > 0 {}
        let calls = self.host.lock().unwrap().take_new();
        for call in calls {
            self.note("~", &serde_json::to_string(&call.request).unwrap());
        }
        for message in self.channel.take_new() {
            self.note("<", &shown(&message));
            self.offered.extend_from_slice(message.options());
            if let Content::Form(form) = &message.content {
                self.token.clone_from(&form.token);
            }
        }
        let newest = block_on(self.bot.sessions(SessionFilter::all())).unwrap().into_iter().next();
        let Some(record) = newest else { return };
        let session = record.session();
        let mut state = format!("{} at {}", session.status(), session.node());
        let (flow, _) = session.active();
        if flow != session.flow() {
            write!(state, " of {flow}").unwrap();
        }
        if let Some(failure) = session.failure() {
            write!(state, ": {}: {}", failure.code.as_str(), failure.message).unwrap();
        }
        if let Some(outcome) = session.outcome() {
            write!(state, ", {outcome}").unwrap();
        }
        let turn = format!("{state} {} {}", session.id(), session.turns());
        if turn != self.state {
            self.note("=", &state);
            self.state = turn;
        }
    }

    fn say(&mut self, text: &str) {
        let label = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let inbound = match label {
            Some(label) => {
                let option = self
                    .offered
                    .iter()
                    .rev()
                    .find(|option| option.label == label)
                    .expect("an offered option");
                Inbound::choice(Channel::WhatsApp, SHOP, ADA, &option.payload, label)
            }
            None => {
                thing(text, &self.token).unwrap_or_else(|| Inbound::text(Channel::WhatsApp, SHOP, ADA, text))
            }
        };
        let (id, age) = std::mem::take(&mut self.next);
        let inbound = id.into_iter().fold(inbound, Inbound::id);
        let inbound = age.into_iter().fold(inbound, |inbound, age| inbound.timestamp(self.clock.now() - age));
        match block_on(self.bot.receive(inbound)).unwrap() {
            Received::Consumed { .. } | Received::Started { .. } => {}
            Received::Keyword { action } => self.note("*", &format!("keyword {}", action.as_str())),
            Received::Handoff { .. } => self.note("*", "for the person"),
            Received::Queued { .. } => self.note("*", "queued"),
            Received::Duplicate { .. } => self.note("*", "duplicate"),
            other => self.note("*", &format!("{other:?}")),
        }
    }

    /// Publishes the flow with another text in it.
    fn publish(&mut self, change: &str) {
        let (old, new) = change.split_once(" -> ").expect("what, and what instead");
        let next = self.versions.last().expect("a flow").replace(old, new);
        let flow = block_on(self.bot.flows().import(&next)).unwrap().status.flow;
        let _ = block_on(self.bot.flows().publish(&flow)).unwrap();
        self.versions.push(next);
    }

    /// The contact, if the order is one of the person who has it.
    fn of_person(&self, word: &str) -> Option<ContactId> {
        let sessions = || block_on(self.bot.sessions(SessionFilter::all())).unwrap();
        matches!(word, "back" | "touch").then(|| sessions()[0].contact().clone())
    }

    fn tell(&mut self, order: &str) {
        let (word, rest) = order.split_once(' ').unwrap_or((order, ""));
        let value = || serde_json::from_str::<Value>(rest).unwrap();
        if let Some(contact) = self.of_person(word) {
            match word {
                "back" => _ = block_on(self.bot.resume_from_handoff(&contact, value())).unwrap(),
                _ => assert!(block_on(self.bot.touch(&contact)).unwrap(), "not in handoff"),
            }
            return;
        }
        let answer = match word {
            "now" => Ok(Answer::now(value())),
            "branch" => Ok(Answer::Now(CallResult::branch(Value::Null, rest))),
            "later" => Ok(Answer::Later),
            "failed" => Err(CallError::failed(rest)),
            "refuse" => return self.channel.answer([Err(SendError::rejected(rest))]),
            "window" => return self.channel.answer([Err(SendError::WindowClosed)]),
            "report" => {
                let last = self.channel.sent().pop().expect("a message").id;
                let report = match rest {
                    "read" => DeliveryReport::Read,
                    "window_closed" => DeliveryReport::WindowClosed,
                    code => DeliveryReport::Failed { code: code.to_owned() },
                };
                assert_eq!(block_on(self.bot.report(last, report)).unwrap(), Reported::Noted);
                return;
            }
            "calls" => return self.host.lock().unwrap().shown = Some(0),
            "id" => return self.next.0 = Some(rest.to_owned()),
            "age" => return self.next.1 = Some(span(rest)),
            "asleep" => return self.clock.advance(span(rest)),
            "publish" => return self.publish(rest),
            "unpublish" => {
                let (how, flow) = rest.split_once(' ').expect("how, and what");
                let how = if how == "drain" { Unpublish::Drain } else { Unpublish::Terminate };
                let _ = block_on(self.bot.flows().unpublish(&FlowId::new(flow).unwrap(), how)).unwrap();
                return;
            }
            "language" => return self.language = Some(rest.to_owned()),
            "result" => {
                let call = self.host.lock().unwrap().calls.last().expect("a call").reference.clone();
                let _ = block_on(self.bot.complete(call, CallResult::value(value()))).unwrap();
                return;
            }
            other => panic!("unknown order `{other}`"),
        };
        self.host.lock().unwrap().answers.push_back(answer);
    }
}

/// A time span, forwards or back.
fn span(text: &str) -> TimeDelta {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text.trim_start_matches('+')),
    };
    TimeDelta::seconds(i64::from(Span::parse(text).unwrap().seconds()) * sign)
}

/// A medium, a place or a choice of another's that the contact sends.
fn thing(text: &str, offered: &str) -> Option<Inbound> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    if let Some(media) = value.get_mut("media") {
        let media = Inbound::media(Channel::WhatsApp, SHOP, ADA, media.take());
        let caption = value.get("caption").and_then(Value::as_str);
        return Some(caption.into_iter().fold(media, Inbound::caption));
    }
    if let Some(payload) = value.get("choice").and_then(Value::as_str) {
        return Some(Inbound::choice(Channel::WhatsApp, SHOP, ADA, payload, payload));
    }
    let mut part = |name: &str| value.get_mut(name).map(Value::take);
    let meta = part("meta");
    let inbound = if let Some(location) = part("location") {
        Inbound::location(Channel::WhatsApp, SHOP, ADA, location)
    } else if let Some(answers) = part("form") {
        let token = part("token").and_then(|token| token.as_str().map(str::to_owned));
        let token = token.map(|token| token.replace("offered", offered));
        Inbound::form(Channel::WhatsApp, SHOP, ADA, token.unwrap_or_default(), answers)
    } else if let Some(order) = part("order") {
        Inbound::order(Channel::WhatsApp, SHOP, ADA, order)
    } else if let Some(contacts) = part("contacts") {
        Inbound::contacts(Channel::WhatsApp, SHOP, ADA, contacts)
    } else if let Some(reaction) = part("reaction") {
        Inbound::reaction(Channel::WhatsApp, SHOP, ADA, reaction)
    } else if let Some(body) = part("other") {
        Inbound::other(Channel::WhatsApp, SHOP, ADA, body)
    } else {
        let text = part("text")?;
        Inbound::text(Channel::WhatsApp, SHOP, ADA, text.as_str()?)
    };
    Some(meta.into_iter().fold(inbound, Inbound::meta))
}

/// SEMANTICS L6: the journal of each session leads to the session that is stored. Answers the
/// journals.
fn replays(talk: &Talk, others: &[String]) -> Vec<JournalEntry> {
    let compile = |json: &String| Flow::from_json(json).unwrap();
    let (bot, mut journals) = (&talk.bot, Vec::new());
    let versions: Vec<Flow> = talk.versions.iter().map(compile).collect();
    let others: Vec<Flow> = others.iter().map(compile).collect();
    let find = |id: &FlowId, version: FlowVersion| {
        let mine = versions.get(version.0 as usize - 1).filter(|flow| flow.id() == id);
        mine.or_else(|| others.iter().find(|flow| flow.id() == id))
    };
    for record in block_on(bot.sessions(SessionFilter::all())).unwrap() {
        let journal = block_on(bot.journal(record.session().id())).unwrap();
        let kept = serde_json::to_string(&journal).unwrap();
        assert_eq!(serde_json::from_str::<Vec<JournalEntry>>(&kept).unwrap(), journal);
        let replayed = replay(find, &journal, &Limits::default());
        assert_eq!(replayed.as_ref(), Ok(record.session()), "{journal:#?}");
        journals.extend(journal);
    }
    journals
}

/// A message as the contact sees it.
fn shown(message: &Outbound) -> String {
    let mut shown = match &message.content {
        Content::Media(media) => {
            let extras = media.filename.iter().chain(&media.mime).map(|extra| format!(" {extra}"));
            let caption = media.caption.iter().map(|caption| format!(" {caption:?}"));
            format!("({} {}{})", media.kind.as_str(), media.url, extras.chain(caption).collect::<String>())
        }
        Content::Location(place) => {
            let texts = place.name.iter().chain(&place.address).map(|text| format!(" {text:?}"));
            format!("(place {} {}{})", place.latitude(), place.longitude(), texts.collect::<String>())
        }
        Content::List(list) => {
            let text = framed(list.header.as_ref(), &list.text, list.footer.as_deref());
            format!("{text} ({})", list.button)
        }
        Content::Buttons(buttons) => {
            framed(buttons.header.as_ref(), &buttons.text, buttons.footer.as_deref())
        }
        Content::Template(template) => {
            let values = serde_json::to_string(&template.parameters).unwrap();
            let header = template.header.iter().map(shown_header).collect::<String>();
            format!("{header}(template {} {} {values})", template.name, template.language)
        }
        Content::Card(card) => {
            let parts = card.subtitle.iter().chain(&card.image).map(|part| format!(", {part}"));
            format!("(card {}{})", card.title, parts.collect::<String>())
        }
        Content::Typing { seconds } => format!("(typing {seconds} s)"),
        Content::Form(form) => {
            let text = framed(form.header.as_ref(), &form.text, form.footer.as_deref());
            let data = form.data.iter().map(|data| format!(" {data}")).collect::<String>();
            let screen = form.screen.as_deref().unwrap_or_default();
            format!("{text} (form {} {screen}{data}) [{}]", form.form, form.button)
        }
        Content::LocationRequest { .. } | Content::Native(_) => message.content.to_string(),
        other => other.text().to_owned(),
    };
    if let Content::List(list) = &message.content {
        for (title, rows) in list.sections() {
            title.into_iter().for_each(|title| write!(shown, " {title}:").unwrap());
            rows.iter().for_each(|row| shown += &label(row));
        }
        return shown;
    }
    message.options().iter().for_each(|option| shown += &label(option));
    let links = message.content.links().iter().map(|link| format!(" [{} -> {}]", link.label, link.url));
    shown.extend(links);
    shown
}

fn framed(header: Option<&Header>, text: &str, footer: Option<&str>) -> String {
    let footer = footer.map(|footer| format!(" _{footer}_")).unwrap_or_default();
    header.map(shown_header).unwrap_or_default() + text + &footer
}

fn shown_header(header: &Header) -> String {
    match header {
        Header::Text(text) => format!("*{text}* "),
        Header::Media(media) => format!("({} {}) ", media.kind.as_str(), media.url),
        _ => unreachable!("no other header"),
    }
}

fn label(option: &Opt) -> String {
    match &option.description {
        Some(description) => format!(" [{}] {description}", option.label),
        None => format!(" [{}]", option.label),
    }
}

/// What the host does while the talk goes on.
const HOST_ACTS: [&str; 7] =
    ["! result", "! report", "! back", "! touch", "! publish", "! unpublish", "! asleep"];

/// The transcript that the inputs of a talk lead to, in a world where these flows are online; and
/// the journals of its sessions.
fn have(json: &str, others: &[String], talk: &str) -> (String, Vec<JournalEntry>) {
    let mut run = Talk::new();
    for other in others {
        let flow = block_on(run.bot.flows().import(other)).unwrap().status.flow;
        assert!(run.put_online(&flow).is_some(), "{flow} has issues");
    }
    let is_input = |line: &&str| line.starts_with(['!', '>', '@', '#']);
    let mut lines = talk.lines().filter(is_input).peekable();
    let mut context = None;
    while let Some(line) = lines
        .next_if(|line| !line.starts_with(['>', '@']) && !HOST_ACTS.iter().any(|act| line.starts_with(act)))
    {
        run.text.push_str(line);
        run.text.push('\n');
        match line.strip_prefix("! context ") {
            Some(value) => context = Some(serde_json::from_str(value).unwrap()),
            None => line.strip_prefix("! ").into_iter().for_each(|order| run.tell(order)),
        }
    }
    if !run.begin(json, context) {
        return (run.text, Vec::new());
    }
    run.look();
    for line in lines {
        run.text.push_str(line);
        run.text.push('\n');
        match line.split_once(' ') {
            Some((">", text)) => run.say(text),
            Some(("@", time)) => run.clock.advance(span(time)),
            Some(("!", order)) if order.starts_with("asleep") => {
                run.tell(order);
                continue;
            }
            Some(("!", order)) => run.tell(order),
            _ => {}
        }
        run.look();
    }
    let journals = replays(&run, others);
    (run.text, journals)
}

fn transcript(json: &str, others: &[String], talk: &str) -> String {
    have(json, others, talk).0
}

/// Talks and flows of the folder, by the name of the flow.
fn folder() -> BTreeMap<String, Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut all: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (flow, _) = name.split_once('.').unwrap();
        all.entry(flow.to_owned()).or_default().push(path);
    }
    all
}

/// A talk of the folder.
struct Written {
    path: PathBuf,
    text: String,
    /// Its flow.
    flow: String,
    /// The flows beside it.
    others: Vec<String>,
}

/// All talks of the folder with flows that this build can read.
fn written() -> Vec<Written> {
    let mut all = Vec::new();
    for (name, mut paths) in folder() {
        paths.sort();
        let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
        let is_flow = |path: &&PathBuf| path.to_str().unwrap().ends_with(".flow.json");
        let flow = paths.iter().find(is_flow).unwrap_or_else(|| panic!("`{name}` has talks and no flow"));
        let flow = read(flow);
        if !is_for_this_build(&flow) {
            continue;
        }
        let is_other = |path: &&PathBuf| path.to_str().unwrap().ends_with(".subflow.json");
        let others: Vec<_> = paths.iter().filter(is_other).map(read).collect();
        let talks: Vec<_> = paths.iter().filter(|path| !is_flow(path) && !is_other(path)).collect();
        assert!(!talks.is_empty(), "`{name}` has a flow and no talk");
        for path in talks {
            assert!(path.extension().is_some_and(|end| end == "talk"), "{} is no talk", path.display());
            let (flow, others) = (flow.clone(), others.clone());
            all.push(Written { path: path.clone(), text: read(path), flow, others });
        }
    }
    all
}

/// Every talk goes as it is written down, line by line and to its end.
#[test]
fn talks_go_as_they_are_written_down() {
    let update = env::var_os("UPDATE").is_some();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for Written { path, text, flow, others } in written() {
        let now = transcript(&flow, &others, &text);
        assert!(!now.trim().is_empty(), "{} is empty", path.display());
        count += 1;
        if update {
            fs::write(path, &now).unwrap();
        } else if text != now {
            wrong.push(format!("--- {} is\n{text}--- but goes\n{now}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 12, "only {count} talks");
}

/// An input of a talk that is changed changes what is compared.
#[test]
fn a_talk_that_goes_otherwise_is_seen() {
    let json = r#"{"spec": 1, "code": "f", "trigger": {"kind": "manual"},
        "settings": {"sender": {"channel": "whatsapp", "account": "+15550100"}},
        "nodes": [{"id": "start", "kind": "start"}, {"id": "w", "kind": "wait_reply"},
                  {"id": "s", "kind": "send_message", "text": "{{reply.text}}"}],
        "edges": [{"from": "start", "to": "w"}, {"from": "w", "to": "s"}]}"#;
    assert_eq!(transcript(json, &[], "> a\n"), "= waiting at w\n> a\n< a\n= completed at s\n");
    assert_eq!(transcript(json, &[], "> a\n< b\n"), "= waiting at w\n> a\n< a\n= completed at s\n");
    assert_eq!(transcript(json, &[], ""), "= waiting at w\n");
}
