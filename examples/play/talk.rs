//! A talk: lines go to the engine, what it does goes to the screen, and time passes when it is told
//! to.

use std::io::{BufRead, Write};
use std::ops::ControlFlow;

use chatflow::calls::CallRef;
use chatflow::flow::Span;
use chatflow::ops::{FlowSource, HandedBack};
use chatflow::session::ReplyOption;
use chatflow::talk::Act;
use chatflow::testkit::{CountingIds, ManualClock};
use chatflow::{
    Account, Address, CallResult, Channel, Clock, Completed, Engine, Error, Flow, Inbound, MemoryStore,
    Outbound, Received, Refusal, Session, SessionId, Status, TriggerRequest, Triggered,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::args::{COMMANDS, Script};
use super::host::{Functions, Log, Seen, act, result};
use super::lines::next_line;
use super::record::Recording;
use super::screen::Screen;
use super::{Fault, place};

/// Reaches the contact, for flows that answer only those whom a campaign has reached.
const CAMPAIGN: &str = r#"{"spec": 1, "code": "play-campaign", "trigger": {"kind": "manual"},
    "nodes": [{"id": "start", "kind": "start"}], "edges": []}"#;

/// One contact, talking to one flow.
pub(crate) struct Talk<'s, O, E> {
    bot: Engine<MemoryStore>,
    clock: ManualClock,
    log: Log,
    screen: &'s mut Screen<O, E>,
    flow: Flow,
    account: Account,
    from: String,
    context: Option<Map<String, Value>>,
    /// The session that was started or found last.
    session: Option<SessionId>,
    offer: Option<Offer>,
    /// The call that the player is to answer.
    asked: Option<CallRef>,
    recording: Recording,
}

/// The options that were offered last, and have not been answered.
struct Offer {
    session: SessionId,
    turn: u32,
    options: Vec<ReplyOption>,
}

impl<'s, O: Write, E: Write> Talk<'s, O, E> {
    /// Plays a script until its input ends.
    pub(crate) async fn run(
        script: Script,
        mut input: impl BufRead,
        screen: &'s mut Screen<O, E>,
    ) -> Result<(), Fault> {
        let (json, record) = (script.flow.clone(), script.record.clone());
        let mut talk = Self::open(script, screen).await?;
        let played = talk.play(&mut input).await;
        match record {
            Some(path) => talk.recording.write(&json, &path).map_err(Fault::Run).and(played),
            None => played,
        }
    }

    async fn play(&mut self, input: &mut impl BufRead) -> Result<(), Fault> {
        let talk = self;
        talk.screen.greet(talk.flow.name())?;
        if talk.flow.trigger().is_manual() {
            talk.trigger().await?;
        }
        loop {
            talk.screen.prompt()?;
            let Some(line) = next_line(input)? else { break talk.screen.end()? };
            match talk.line(&line).await {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break,
                Err(Fault::Run(why)) => talk.screen.note(&why),
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Builds an engine with the flow online on it.
    async fn open(script: Script, screen: &'s mut Screen<O, E>) -> Result<Self, Fault> {
        let Script { flow: json, context, from, functions, record: _ } = script;
        let flow = Flow::from_json(&json).map_err(Error::Issues)?;
        for warning in flow.warnings().iter() {
            screen.note(&format_args!("{}{warning:#}", place(warning)));
        }
        let account = account_of(&flow);
        Address::new(&account, &from)
            .map_err(|rule| Fault::Usage(format!("--from: an address on {} {rule}", account.channel)))?;
        let (clock, log) = (ManualClock::default(), Log::default());
        let recording = Recording::default();
        let person = screen.has_a_person().then(|| log.clone());
        let bot = Engine::builder(MemoryStore::new())
            .transport(log.clone())
            .observer(log.clone())
            .calls(Functions { answers: functions, person, recording: recording.clone() })
            .clock(clock.clone())
            .ids(CountingIds::new())
            .build();
        let mut source = FlowSource::new(json);
        if !flow.trigger().is_manual() {
            source = source.on([account.clone()]);
            if context.is_some() {
                screen.note(&"--context: is not used, since a message starts this flow");
            }
        }
        let is_manual = flow.trigger().is_manual();
        let context = context.or_else(|| Some(flow.def().example_context()).filter(|_| is_manual));
        let needs_campaign = flow.trigger().needs_campaign();
        let campaign = needs_campaign.then(|| CAMPAIGN.into());
        bot.flows().ensure_all([source].into_iter().chain(campaign)).await?;
        if needs_campaign {
            let Account { channel, account } = account.clone();
            let reached = TriggerRequest::new("play-campaign").address(channel, account.as_ref(), &from);
            let _ = bot.trigger(reached.campaign("play")).await?;
            log.take();
        }
        Ok(Self {
            bot,
            clock,
            log,
            screen,
            flow,
            account,
            from,
            context,
            session: None,
            offer: None,
            asked: None,
            recording,
        })
    }

    async fn line(&mut self, line: &str) -> Result<ControlFlow<()>, Fault> {
        match line.strip_prefix('/') {
            Some(command) if !command.starts_with('/') => return self.command(command).await,
            Some(reply) => self.say(reply).await?,
            None if line.trim().is_empty() => {}
            None => self.say(line).await?,
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn command(&mut self, command: &str) -> Result<ControlFlow<()>, Fault> {
        let (word, rest) = command.trim().split_once(char::is_whitespace).unwrap_or((command.trim(), ""));
        let rest = rest.trim();
        match word {
            "wait" if rest.is_empty() => self.screen.note(&"/wait: give a time span, such as 31m or 1h30m"),
            "wait" => match Span::parse(rest) {
                Ok(span) => {
                    self.recording.act(Act::Pass(span.as_delta()));
                    self.pass(span.as_delta()).await?;
                }
                Err(rule) => self.screen.note(&format_args!("/wait: `{rest}` {rule}, such as 31m or 1h30m")),
            },
            "answer" => match serde_json::from_str::<Value>(rest) {
                Ok(answer) => self.answer(result(&answer)).await?,
                Err(error) => self.screen.note(&format_args!("/answer: is no JSON: {error}")),
            },
            "fail" => self.answer(CallResult::failed(rest)).await?,
            "back" => match serde_json::from_str::<Value>(if rest.is_empty() { "{}" } else { rest }) {
                Ok(vars) => self.hand_back(vars).await?,
                Err(error) => self.screen.note(&format_args!("/back: is no JSON: {error}")),
            },
            "image" if !rest.is_empty() => {
                let Account { channel, account } = self.account.clone();
                let image = json!({"url": rest, "mime": "image/jpeg"});
                self.recording.act(Act::Send(json!({"media": image})));
                self.hear(Inbound::media(channel, &*account, &self.from, image)).await?;
            }
            "place" => match rest
                .split_once(' ')
                .map(|(north, east)| (north.parse::<f64>(), east.trim().parse::<f64>()))
            {
                Some((Ok(north), Ok(east))) => {
                    let Account { channel, account } = self.account.clone();
                    let place = json!({"latitude": north, "longitude": east});
                    self.recording.act(Act::Send(json!({"location": place})));
                    self.hear(Inbound::location(channel, &*account, &self.from, place)).await?;
                }
                _ => self.screen.note(&"/place: give latitude and longitude, such as 52.52 13.41"),
            },
            "state" if rest.is_empty() => {
                let session = self.session().await?;
                self.screen.session(session.as_ref())?;
            }
            "again" if rest.is_empty() && self.flow.trigger().is_manual() => self.trigger().await?,
            "again" if rest.is_empty() => self.screen.note(&"/again: a message starts this flow, write one"),
            "quit" if rest.is_empty() => return Ok(ControlFlow::Break(())),
            _ => self
                .screen
                .note(&format_args!("`/{command}` is no command: {COMMANDS}; //{command} says /{command}")),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Answers the call that waits for the player.
    async fn answer(&mut self, result: CallResult) -> Result<(), Fault> {
        match self.asked.take() {
            None => self.screen.note(&"the flow asks nothing"),
            Some(reference) => {
                self.recording.act(act(&result));
                if self.bot.complete(reference, result).await? == Completed::Stale {
                    self.screen.note(&"that comes too late");
                }
            }
        }
        self.pass(TimeDelta::zero()).await
    }

    /// A person gives the contact back.
    async fn hand_back(&mut self, vars: Value) -> Result<(), Fault> {
        let record = match self.session {
            Some(id) => self.bot.session(id).await?,
            None => None,
        };
        let back = match record {
            Some(record) => self.bot.resume_from_handoff(record.contact(), vars.clone()).await?,
            None => HandedBack::NotInHandoff,
        };
        if back != HandedBack::NotInHandoff {
            self.recording.act(Act::Back(vars));
        } else {
            self.screen.note(&"the contact is with nobody");
        }
        self.pass(TimeDelta::zero()).await
    }

    /// Starts the flow by call.
    async fn trigger(&mut self) -> Result<(), Fault> {
        let Account { channel, account } = self.account.clone();
        let mut request =
            TriggerRequest::new(self.flow.id().as_str()).address(channel, account.as_ref(), &self.from);
        if let Some(context) = &self.context {
            request = request.context(context.clone());
        }
        let context = self.context.clone().unwrap_or_default();
        self.recording.act(Act::Context(context.into()));
        let triggered = self.bot.trigger(request).await?;
        self.session = triggered.session().map(|session| session.session_id).or(self.session);
        match triggered {
            Triggered::Started(_) => self.pass(TimeDelta::zero()).await?,
            Triggered::AlreadyRunning(_) => self.screen.outcome("already_running")?,
            Triggered::Discarded => self.screen.outcome("discarded")?,
            Triggered::Refused(why) => {
                self.screen.outcome("refused")?;
                self.screen.note(&refusal(&why));
            }
        }
        Ok(())
    }

    /// Sends a line to the flow, as text or as the option that it chooses.
    async fn say(&mut self, line: &str) -> Result<(), Fault> {
        let Account { channel, account } = self.account.clone();
        let (account, from) = (account.as_ref(), self.from.as_str());
        let inbound = match self.offer.as_ref().and_then(|offer| offer.chosen(line)) {
            Some(option) => {
                self.recording.act(Act::Choose(option.label.clone()));
                Inbound::choice(channel, account, from, &option.payload, &option.label)
            }
            None => {
                self.recording.act(Act::Say(line.to_owned()));
                Inbound::text(channel, account, from, line)
            }
        };
        self.hear(inbound).await
    }

    async fn hear(&mut self, inbound: Inbound) -> Result<(), Fault> {
        match self.bot.receive(inbound).await? {
            Received::Consumed { session } => {
                self.offer.take_if(|offer| offer.session == session);
                self.session = Some(session);
            }
            Received::Started { session } => self.session = Some(session),
            Received::Queued { .. } => self.screen.note(&"kept for the next question"),
            Received::Handoff { .. } => {
                self.screen.note(&"that is for the person who has the contact; /back gives it back")
            }
            Received::Keyword { action } => self.screen.note(&format_args!("keyword: {}", action.as_str())),
            Received::StaleChoice => self.screen.note(&"that was an option of an earlier question"),
            Received::Unmatched if self.session.is_none() => {
                self.screen.note(&"the flow does not start with that")
            }
            Received::Unmatched => self.screen.note(&"nothing waits for that"),
            other => self.screen.note(&format_args!("not taken: {other:?}")),
        }
        self.pass(TimeDelta::zero()).await
    }

    /// Lets time pass, from one due time to the next, and shows what comes of it.
    async fn pass(&mut self, time: TimeDelta) -> Result<(), Fault> {
        const SMALLEST: TimeDelta = TimeDelta::milliseconds(1);
        let until = self.clock.now().checked_add_signed(time).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.show().await?;
        loop {
            let ticked = self.bot.tick(100).await?;
            self.show().await?;
            let now = self.clock.now();
            let earliest = if ticked.worked > 0 { now } else { now + SMALLEST };
            match ticked.next_due.map(|due| due.max(earliest)) {
                Some(due) if due <= until => self.clock.set(due),
                _ => break,
            }
        }
        self.clock.set(until);
        Ok(())
    }

    /// Prints what happened.
    async fn show(&mut self) -> Result<(), Fault> {
        for seen in self.log.take() {
            match seen {
                Seen::Sent(message) => {
                    self.screen.message(&message)?;
                    self.note_offer(&message);
                }
                Seen::Noticed(notice) => self.screen.note(&format_args!("? {notice}")),
                Seen::Asked(call) => {
                    self.screen.call(&call)?;
                    self.asked = Some(call.reference);
                }
                Seen::Turn(turn) => {
                    if turn.number == 1 {
                        self.session = Some(turn.session);
                    }
                    self.screen.status(turn.session, turn.status)?;
                    if turn.status == Status::Failed
                        && let Some(failed) = self.bot.session(turn.session).await?
                        && let Some(why) = failed.session().failure()
                    {
                        let (node, code) = (&why.node, why.code.as_str());
                        self.screen.note(&format_args!("node \"{node}\": {} ({code})", why.message));
                    }
                }
            }
        }
        Ok(())
    }

    /// Options are valid until they are answered, or the session says something else.
    fn note_offer(&mut self, message: &Outbound) {
        let (session, turn) = (message.session(), message.turn);
        if !message.options().is_empty() {
            self.offer = Some(Offer { session, turn, options: message.options().to_vec() });
        } else {
            self.offer.take_if(|offer| offer.session == session && offer.turn != turn);
        }
    }

    async fn session(&self) -> Result<Option<Session>, Error> {
        let Some(id) = self.session else { return Ok(None) };
        Ok(self.bot.session(id).await?.map(|record| record.session().clone()))
    }
}

impl Offer {
    /// The option that a line names, by its label or its number.
    fn chosen(&self, line: &str) -> Option<&ReplyOption> {
        let wanted = line.trim().to_lowercase();
        let by_label = self.options.iter().find(|option| option.label.trim().to_lowercase() == wanted);
        let by_number = || self.options.get(wanted.parse::<usize>().ok()?.checked_sub(1)?);
        by_label.or_else(by_number)
    }
}

/// The account that the flow talks on: its sender, else one on its trigger's channel.
fn account_of(flow: &Flow) -> Account {
    let trigger = flow.trigger().channel();
    let sender = flow.settings().sender.as_ref();
    if let Some(sender) = sender.filter(|sender| trigger.is_none_or(|channel| sender.channel == *channel)) {
        return sender.clone();
    }
    let channel = trigger.cloned().unwrap_or(Channel::WhatsApp);
    let account = if channel.is_phone() { "+15550100" } else { "play" };
    Account { channel, account: account.into() }
}

fn refusal(why: &Refusal) -> String {
    match why {
        Refusal::Busy => "the contact is in another session".to_owned(),
        Refusal::OnceEver => "the flow runs once with each contact".to_owned(),
        Refusal::Cooldown { until } => format!("the flow may run again from {until}"),
        Refusal::OptedOut => "the contact has opted out".to_owned(),
        Refusal::InHandoff => "the contact is with a person".to_owned(),
        other => format!("{other:?}"),
    }
}
