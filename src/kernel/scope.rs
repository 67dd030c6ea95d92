//! Values that a flow can read, name by name (SEMANTICS T3). Nothing is built until it is asked
//! for; a text that lies in the session is borrowed.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal as Amount;
use serde_json::Value;

use crate::address::Account;
use crate::flow::answer::Speech;
use crate::flow::content::Local;
use crate::flow::expr::{EvalError, Expr, LazyFields, Remark, Scope, Val};
use crate::flow::template::Template;
use crate::flow::{Condition, Flow, JsonTemplate, Marks, Render, Zone, ZoneTemplate, fields_of};
use crate::kernel::turn::{ItemNames, Move, Run};
use crate::kernel::{Effect, TurnEnvironment};
use crate::limits::Limits;
use crate::observer::EventKind;
use crate::session::{Contact, FailureCode, Message, MessageKind, Session};
use crate::value::PackError;

/// Cheap to make, since one is made per rendering: the objects below are the session's own.
struct ScopeNames<'a> {
    flow: &'a Flow,
    flow_name: &'a str,
    session: &'a Session,
    env: &'a TurnEnvironment<'a>,
    contact: &'a Contact,
    person: ContactNames<'a>,
    outcome: Option<&'a str>,
    reply: ReplyNames<'a>,
    trigger: TriggerNames<'a>,
    item: Option<&'a ItemNames>,
}

impl Scope for ScopeNames<'_> {
    #[inline]
    fn get(&self, root: &str) -> Option<Val<'_>> {
        Some(match root {
            "context" => Val::Node(self.session.context.as_node()),
            "vars" => Val::Node(self.session.vars.as_node()),
            "reply" => Val::Map(&self.reply),
            "contact" => Val::Map(&self.person),
            "trigger" => Val::Map(&self.trigger),
            "flow" => Val::Map(self),
            "session" => Val::Map(self.session),
            // The clock's, whatever a caller's context holds.
            "now" => return None,
            bare if self.item.is_some_and(|names| names.has(bare)) => self.item?.get(bare)?,
            bare if !self.session.rounds().is_empty() && names_item(self.session, bare) => {
                item_value(self.session, bare)?
            }
            bare => self.session.vars.get(bare).or_else(|| self.session.context.get(bare)).map(Val::from)?,
        })
    }

    #[inline]
    fn text(&self, root: &str, key: &str) -> Option<&str> {
        match root {
            "context" => self.session.context.text(key),
            "vars" => self.session.vars.text(key),
            "reply" if key == "text" => Some(&self.session.reply.as_deref()?.message.as_ref()?.text),
            _ => None,
        }
    }

    fn marks(&self) -> Marks {
        speech(self.contact, self.flow, self.env.now).marks()
    }

    fn language(&self) -> Option<&str> {
        speech(self.contact, self.flow, self.env.now).languages.into_iter().flatten().next()
    }

    fn zone(&self) -> Option<Zone> {
        Some(zone(self.contact, self.flow).1)
    }

    fn now(&self) -> DateTime<Utc> {
        self.env.now
    }
}

/// True if a name is that of an item of a list that the session is going through.
fn names_item(session: &Session, name: &str) -> bool {
    name == "index" || session.rounds().iter().any(|rounds| *rounds.name == *name)
}

/// Its value: of the innermost list that has an item of this name (SEMANTICS N12).
fn item_value<'a>(session: &'a Session, name: &str) -> Option<Val<'a>> {
    let mut inward = session.rounds().iter().rev();
    if name == "index" {
        return i64::try_from(inward.next()?.at).ok().map(Val::Int);
    }
    inward.find(|rounds| *rounds.name == *name)?.item().map(Val::from)
}

impl ItemNames {
    fn has(&self, name: &str) -> bool {
        matches!(name, "item" | "index") || (name == "section" && self.section.is_some())
    }

    fn get(&self, name: &str) -> Option<Val<'_>> {
        match name {
            "item" => Some(Val::from(self.item.as_node())),
            "index" => i64::try_from(self.index).ok().map(Val::Int),
            _ => Some(Val::from(self.section.as_ref()?.as_node())),
        }
    }
}

/// The contact's time zone with its name, else the flow's, else UTC (SEMANTICS U16).
pub(super) fn zone<'a>(contact: &'a Contact, flow: &'a Flow) -> (&'a str, Zone) {
    let profile = contact.profile.as_deref().and_then(|profile| profile.timezone.as_deref());
    let named = [profile, flow.settings().timezone.as_deref()].into_iter().flatten();
    named.filter_map(|name| Some((name, Zone::known(name.trim())?))).next().unwrap_or(("UTC", Zone::UTC))
}

/// `contact`, in a flow that knows a time zone for it.
struct ContactNames<'a> {
    contact: &'a Contact,
    flow: &'a Flow,
}

impl LazyFields for ContactNames<'_> {
    fn field(&self, name: &str) -> Option<Val<'_>> {
        match name {
            "timezone" => Some(Val::from(zone(self.contact, self.flow).0)),
            _ => self.contact.field(name),
        }
    }

    fn names(&self) -> &[&str] {
        self.contact.names()
    }
}

fn speech<'a>(contact: &'a Contact, flow: &'a Flow, now: DateTime<Utc>) -> Speech<'a> {
    let profile = contact.profile.as_deref();
    Speech {
        languages: [
            profile.and_then(|profile| profile.language.as_deref()),
            flow.settings().language.as_deref(),
        ],
        decimal: flow.settings().decimal,
        today: zone(contact, flow).1.wall(now).date(),
    }
}

fn owned<'a>(text: impl ToString) -> Val<'a> {
    Val::Str(Cow::Owned(text.to_string()))
}

fn instant<'a>(at: DateTime<Utc>) -> Val<'a> {
    Val::Str(Cow::Owned(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
}

/// Returns a field of a contact's message, as `reply` and `trigger` have it.
fn of_message<'m>(message: &'m Message, name: &str) -> Option<Val<'m>> {
    let details = message.details.as_deref();
    let body = |kind| details.filter(|_| message.kind == kind)?.body.as_ref();
    Some(match name {
        "text" => Val::from(message.text.as_ref()),
        "kind" => Val::from(message.kind.as_str()),
        "payload" => Val::from(message.payload.as_deref()?),
        "media" => Val::from(message.media.as_ref()?.as_node()),
        "media_list" => {
            let album = details.map_or(&[][..], |details| &details.album);
            let alone = message.media.as_ref().filter(|_| album.is_empty());
            Val::List(album.iter().chain(alone).map(|medium| Val::from(medium.as_node())).collect())
        }
        "location" => Val::from(message.location.as_ref()?.as_node()),
        "id" => Val::from(message.id.as_deref()?),
        "at" => instant(details?.at?),
        "meta" => Val::from(details?.meta.as_ref()?.as_node()),
        "form" => Val::from(body(MessageKind::Form)?.as_node()),
        "order" => Val::from(body(MessageKind::Order)?.as_node()),
        "contacts" => Val::from(body(MessageKind::Contacts)?.as_node()),
        "body" => Val::from(details?.body.as_ref()?.as_node()),
        _ => return None,
    })
}

/// `reply`: the last answer, without a field before the first.
struct ReplyNames<'a>(&'a Session);

impl ReplyNames<'_> {
    /// Where it came from.
    fn account(&self) -> Option<&Account> {
        self.0.reply.as_deref()?.message.as_ref()?;
        self.0.route.as_ref().map(|route| &route.account)
    }
}

impl LazyFields for ReplyNames<'_> {
    fn field(&self, name: &str) -> Option<Val<'_>> {
        let reply = self.0.reply.as_deref()?;
        Some(match name {
            "channel" => Val::from(self.account()?.channel.as_str()),
            "account" => Val::from(self.account()?.account.as_ref()),
            "timed_out" => Val::Bool(reply.timed_out),
            "missed" => Val::List(reply.missed.iter().map(|text| Val::from(text.as_ref())).collect()),
            "parts" => Val::List(reply.parts.iter().map(|text| Val::from(text.as_ref())).collect()),
            "item" => Val::from(reply.item.as_ref()?.as_node()),
            _ => return of_message(reply.message.as_ref()?, name),
        })
    }

    fn names(&self) -> &[&str] {
        fields_of("reply")
    }
}

/// `contact`.
impl LazyFields for Contact {
    fn field(&self, name: &str) -> Option<Val<'_>> {
        let profile = self.profile.as_deref();
        Some(match name {
            "id" => owned(&self.id),
            "name" => Val::from(profile?.name.as_deref()?),
            "email" => Val::from(profile?.email.as_deref()?),
            "phone" => owned(self.addresses.iter().find_map(|address| address.phone())?),
            "language" => Val::from(profile?.language.as_deref()?),
            "tags" => Val::List(profile?.tags.iter().map(|tag| Val::from(tag.as_str())).collect()),
            "groups" => Val::List(profile?.groups.iter().map(|group| Val::from(group.as_str())).collect()),
            "fields" => Val::Node(profile?.fields.as_node()),
            "opted_in_at" => instant(self.opted_in_at?),
            _ => return None,
        })
    }

    fn names(&self) -> &[&str] {
        fields_of("contact")
    }
}

/// `trigger`: a session without an origin has a kind and a time all the same.
struct TriggerNames<'a>(&'a Session);

impl TriggerNames<'_> {
    /// Where the message came that started it; of a call the account that it sends from.
    fn account(&self) -> Option<&Account> {
        let opened = self.0.opened().map(|opening| &opening.route);
        opened.or(self.0.route.as_ref()).map(|route| &route.account)
    }
}

impl LazyFields for TriggerNames<'_> {
    fn field(&self, name: &str) -> Option<Val<'_>> {
        let origin = self.0.origin.as_deref();
        Some(match name {
            "kind" => {
                Val::from(if origin.is_some_and(|origin| origin.inbound) { "inbound" } else { "manual" })
            }
            "uuid" => owned(origin?.uuid.as_ref()?),
            "out_id" => Val::from(origin?.out_id.as_deref()?),
            "claim_time" => instant(origin.and_then(|origin| origin.claim_time).unwrap_or(self.0.started_at)),
            "campaign" => Val::from(origin?.campaign.as_deref()?),
            "channel" => Val::from(self.account()?.channel.as_str()),
            "account" => Val::from(self.account()?.account.as_ref()),
            _ => return of_message(&self.0.opened()?.message, name),
        })
    }

    fn names(&self) -> &[&str] {
        fields_of("trigger")
    }
}

/// `flow`.
impl LazyFields for ScopeNames<'_> {
    fn field(&self, name: &str) -> Option<Val<'_>> {
        Some(match name {
            "id" => Val::from(self.flow.id().as_str()),
            "name" => Val::from(self.flow_name),
            "version" => Val::Int(i64::from(self.session.active().1.0)),
            "outcome" => Val::from(self.outcome?),
            _ => return None,
        })
    }

    fn names(&self) -> &[&str] {
        fields_of("flow")
    }
}

/// `session`.
impl LazyFields for Session {
    fn field(&self, name: &str) -> Option<Val<'_>> {
        Some(match name {
            "id" => owned(self.id),
            "started_at" => instant(self.started_at),
            "turns" => Val::Int(i64::from(self.turns) + 1),
            "failure" => Val::from(self.failure()?.code.as_str()),
            "failed_at" => Val::from(self.failure()?.node.as_str()),
            _ => return None,
        })
    }

    fn names(&self) -> &[&str] {
        fields_of("session")
    }
}

impl Run<'_> {
    pub(super) fn render(&mut self, template: &Template) -> Result<String, EvalError> {
        self.with_render(|render| render.text(template).map(Into::into))
    }

    /// The same, of up to so many characters, where names without a value are reported already.
    pub(super) fn render_up_to(&mut self, template: &Template, most: usize) -> Result<String, EvalError> {
        let limits = Limits { template_chars: most, ..self.env.limits.clone() };
        self.with_render(|render| {
            let (scope, undefined) = (render.scope, render.undefined);
            let mut quiet = Render { scope, limits: &limits, undefined, report: &mut |_| {} };
            quiet.text(template).map(Into::into)
        })
    }

    /// The text that the contact reads, of those in several languages.
    pub(super) fn pick<'t, T>(&self, texts: &'t Local<T>) -> &'t T {
        texts.pick(self.contact_language(), self.flow.settings().language.as_deref())
    }

    pub(super) fn contact_language(&self) -> Option<&str> {
        self.contact.profile.as_deref()?.language.as_deref()
    }

    /// A template as text, or how the turn ends because it has none.
    pub(super) fn text(&mut self, template: &Template) -> Result<String, Move> {
        self.render(template).map_err(|error| Move::fail(FailureCode::Expression, error))
    }

    pub(super) fn local(&mut self, texts: &Local<Template>) -> Result<String, Move> {
        let template = self.pick(texts);
        self.text(template)
    }

    /// Does something while templates read an item.
    pub(super) fn with_item<T>(
        &mut self,
        names: ItemNames,
        act: impl FnOnce(&mut Self) -> Result<T, Move>,
    ) -> Result<T, Move> {
        let before = self.item.replace(Box::new(names));
        let done = act(self);
        self.item = before;
        done
    }

    /// The number that a template is or gives.
    pub(super) fn number(&mut self, template: &Template) -> Result<Option<Amount>, EvalError> {
        self.with_render(|render| render.number(template))
    }

    /// Returns what those who understand an answer know of the conversation.
    pub(super) fn speech(&self) -> Speech<'_> {
        speech(&self.contact, self.flow, self.env.now)
    }

    /// Returns the contact's time zone.
    pub(super) fn own_zone(&self) -> Zone {
        zone(&self.contact, self.flow).1
    }

    /// The time zone that a node names; the contact's if it names none, or one that is none, which
    /// is told.
    pub(super) fn named_zone(&mut self, named: Option<&ZoneTemplate>) -> Result<Zone, EvalError> {
        let own = self.own_zone();
        let name = match named {
            None => return Ok(own),
            Some(ZoneTemplate::Known(zone)) => return Ok(*zone),
            Some(ZoneTemplate::Named(template)) => self.render(template)?,
        };
        Ok(Zone::known(name.trim()).unwrap_or_else(|| {
            self.note_nothing("timezone");
            own
        }))
    }

    /// Tells that something at this node could not be understood (SEMANTICS U12).
    pub(super) fn note_nothing(&mut self, operator: &str) {
        let (session, node) = (self.session.id, self.session.at.clone());
        self.note(EventKind::NoResult { session, node, operator: operator.into() });
    }

    pub(super) fn render_json(&mut self, template: &JsonTemplate) -> Result<Value, EvalError> {
        self.with_render(|render| template.render(render))
    }

    pub(super) fn evaluate(&mut self, expr: &Expr) -> Result<Value, EvalError> {
        self.with_render(|render| render.value(expr))
    }

    /// The items of a list; what is none, also before a filter of lists, has no item, which is told
    /// (SEMANTICS N10, N12).
    pub(super) fn evaluate_list(&mut self, expr: &Expr) -> Result<Vec<Value>, Move> {
        match self.evaluate(expr) {
            Ok(Value::Array(items)) => return Ok(items),
            Ok(Value::Null) => {}
            Ok(_) | Err(EvalError::NoList { .. }) => self.note_nothing("from"),
            Err(error) => return Err(Move::fail(FailureCode::Expression, error)),
        }
        Ok(Vec::new())
    }

    pub(super) fn test(&mut self, condition: &Condition) -> Result<bool, EvalError> {
        self.with_render(|render| condition.eval(render))
    }

    /// Evaluates in what the session knows, and reports each name that has no value (SEMANTICS N7).
    fn with_render<T>(
        &mut self,
        evaluate: impl FnOnce(&mut Render<'_>) -> Result<T, EvalError>,
    ) -> Result<T, EvalError> {
        let (session, effects) = (&*self.session, &mut self.effects);
        let mut report = |remark: Remark<'_>| {
            let (session, node) = (session.id, session.at.clone());
            effects.push(Effect::Note(match remark {
                Remark::Undefined(name) => EventKind::UndefinedVariable { session, node, name: name.into() },
                Remark::NoResult(operator) => {
                    EventKind::NoResult { session, node, operator: operator.into() }
                }
            }));
        };
        let names = ScopeNames {
            flow: self.flow,
            flow_name: self.flow_name,
            session,
            env: self.env,
            contact: &self.contact,
            person: ContactNames { contact: &self.contact, flow: self.flow },
            outcome: self.outcome.as_deref(),
            reply: ReplyNames(session),
            trigger: TriggerNames(session),
            item: self.item.as_deref(),
        };
        let undefined = self.flow.settings().undefined;
        evaluate(&mut Render { scope: &names, limits: self.env.limits, undefined, report: &mut report })
    }

    /// Writes a variable, within the limits on variables.
    pub(super) fn set_var(&mut self, name: &str, value: &Value) -> Result<(), PackError> {
        let waiting = self.session.frames().iter().map(|frame| frame.vars.byte_len()).sum::<usize>();
        let waiting = waiting + self.session.rounds_len();
        self.session.vars = self.session.vars.with(name, value, &self.limits_beside(waiting))?;
        Ok(())
    }

    /// The outbox number of the message that was last sent.
    pub(super) fn last_sent(&self) -> u64 {
        self.env.last_seq.saturating_add(u64::from(self.sends))
    }
}
