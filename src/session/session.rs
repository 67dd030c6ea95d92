//! One run of a flow with a contact: what it knows, until when it lives. What belongs to its node
//! alone is in `standing`.
//! The kernel alone changes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::channel::Channel;
use crate::gather::Gather;
use crate::id::{FlowId, FlowVersion, MessageId, NodeId, SessionId};
use crate::session::{
    Frame, Message, Offered, OfferedChoice, Opening, Origin, PartialReply, Queued, Reply, Rounds, Route,
    Standing,
};
use crate::value::{PackLimits, Packed, PackedMap};

/// One run of a flow with a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub(crate) id: SessionId,
    pub(crate) flow: FlowId,
    pub(crate) version: FlowVersion,
    /// A hash of that version's content (SEMANTICS S13). None: an older release wrote it.
    pub(crate) digest: Option<u128>,
    pub(crate) standing: Standing,
    /// The node that it is at, or ended at.
    pub(crate) at: NodeId,
    /// Where that node was in the compiled flow; only a hint.
    pub(crate) hint: u32,
    /// Grows when a wait, a delay or a call is entered; fences deadlines, calls and choices
    /// (SEMANTICS S4).
    pub(crate) wait: u32,
    /// The wait number of the question that was last answered or timed out: choices up to here are
    /// stale (SEMANTICS I9).
    pub(crate) answered: u32,
    pub(crate) turns: u32,
    /// Messages that it sent.
    pub(crate) sent: u32,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) last_interaction_at: DateTime<Utc>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// The end of the longest life it may have: nothing moves it (SEMANTICS S1).
    pub(crate) ends_by: Option<DateTime<Utc>>,
    /// Since when it is at its node.
    pub(crate) parked_at: DateTime<Utc>,
    /// The outbox number of the last message before the wait: the wait's deadline does not pass
    /// before it is settled (SEMANTICS N3).
    pub(crate) sent_before: u64,
    pub(crate) context: PackedMap,
    pub(crate) vars: PackedMap,
    pub(crate) origin: Option<Box<Origin>>,
    pub(crate) route: Option<Arc<Route>>,
    /// Where the last message went: a question takes answers from there (SEMANTICS I3).
    pub(crate) asked: Option<Arc<Route>>,
    pub(crate) reply: Option<Box<Reply>>,
    /// The parts that few sessions need.
    pub(crate) extras: Option<Box<Extras>>,
    /// The last branch taken that was not plainly the next node.
    pub(crate) branch: Option<Arc<str>>,
}

/// Parts of a session that most sessions do not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    pub(crate) jumps: Vec<(NodeId, u32)>,
    /// Number of visits to each node that draws (SEMANTICS N8).
    pub(crate) visits: Vec<(NodeId, u32)>,
    pub(crate) queue: Vec<Queued>,
    pub(crate) heard: Option<PartialReply>,
    /// Flows that called and wait for what they called, the outermost first (SEMANTICS N9).
    pub(crate) frames: Vec<Frame>,
    /// The called flow whose node it is at; None: its own.
    pub(crate) active: Option<(FlowId, FlowVersion)>,
    /// A hash of the content of that version (SEMANTICS S13).
    pub(crate) active_digest: Option<u128>,
    /// The values that the started flow reads as `context`, where a flow that it called took its
    /// place.
    pub(crate) begun: Option<PackedMap>,
    /// The milliseconds for which its life was suspended in handoffs; counts where the TTL is fixed
    /// (SEMANTICS S10).
    pub(crate) still_millis: i64,
    /// Number of seconds before it expires at which it is to remind (SEMANTICS S6).
    pub(crate) remind_before: Option<i64>,
    /// The number of the wait that it has reminded of.
    pub(crate) reminded: u32,
    /// The results of the flow that was started (SEMANTICS Q8): of an ended session, or of a live
    /// one whose flow gave its place to one that it called.
    pub(crate) results: Option<PackedMap>,
    /// The progress of its journal, from its start to its end (SEMANTICS L6).
    pub(crate) journal: Option<Journalled>,
    /// The message that started it.
    pub(crate) opened: Option<Box<Opening>>,
    /// The choices that it offered that were made of data, and that are not answered yet (SEMANTICS
    /// N10).
    pub(crate) offered: Vec<Offered>,
    /// The lists that it is going through, the outermost first (SEMANTICS N12).
    pub(crate) rounds: Vec<Rounds>,
    /// The question that it may come back to, while it is at none.
    pub(crate) left_open: Option<Box<LeftOpen>>,
}

/// A question that was answered by no choice: what was offered for it is good again, if the session
/// comes back to it and has offered nothing since (SEMANTICS I9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeftOpen {
    pub(crate) flow: FlowId,
    pub(crate) node: NodeId,
    /// The wait number of the question that was answered before it.
    pub(crate) answered: u32,
}

/// Progress of a session's journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journalled {
    pub(crate) entries: u32,
    /// True if what is sent is kept too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) texts: bool,
    /// A hash of what the last entry has as `Seen`.
    #[serde(with = "crate::hex")]
    pub(crate) seen: u128,
}

impl Session {
    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Returns the flow that was started; it may be in another one that this one called, see
    /// [`active`](Self::active).
    #[must_use]
    pub fn flow(&self) -> &FlowId {
        &self.flow
    }

    /// Returns the version it started on, and stays on ([SEMANTICS S5](crate::semantics#s5)).
    #[must_use]
    pub fn version(&self) -> FlowVersion {
        self.version
    }

    /// Returns a hash of the content of its version: another content under the same number is
    /// another version ([SEMANTICS S13](crate::semantics#s13)). None: an older release wrote it,
    /// and any content of that number is taken for it.
    #[must_use]
    pub fn digest(&self) -> Option<u128> {
        self.digest
    }

    /// Returns the flow whose [`node`](Self::node) it is at, or ended at: its own, or one that was
    /// called ([SEMANTICS N9](crate::semantics#n9)).
    #[must_use]
    pub fn active(&self) -> (&FlowId, FlowVersion) {
        match self.called() {
            Some((flow, version)) => (flow, *version),
            None => (&self.flow, self.version),
        }
    }

    /// Returns every version that it needs: its own, the one that it is in, those that wait for
    /// what they called. One may come several times.
    pub fn versions(&self) -> impl Iterator<Item = (&FlowId, FlowVersion)> {
        let waiting = self.frames().iter().map(|frame| (&frame.flow, frame.version));
        let called = self.called().map(|(flow, version)| (flow, *version));
        std::iter::once((&self.flow, self.version)).chain(called).chain(waiting)
    }

    /// The same with what is known of their content.
    pub(crate) fn pins(&self) -> impl Iterator<Item = (&FlowId, FlowVersion, Option<u128>)> {
        let waiting = self.frames().iter().map(|frame| (&frame.flow, frame.version, frame.digest));
        let digest = self.extras.as_ref().and_then(|extras| extras.active_digest);
        let called = self.called().map(|(flow, version)| (flow, *version, digest));
        std::iter::once((&self.flow, self.version, self.digest)).chain(called).chain(waiting)
    }

    /// True if this holds of each of its pins; most sessions have but their own.
    #[inline]
    pub(crate) fn has_pins(&self, holds: impl Fn(&FlowId, FlowVersion, Option<u128>) -> bool) -> bool {
        holds(&self.flow, self.version, self.digest)
            && (self.extras.is_none()
                || self.pins().skip(1).all(|(flow, version, digest)| holds(flow, version, digest)))
    }

    /// Returns true if it needs a version of a flow; any, if none is named
    /// ([SEMANTICS L4](crate::semantics#l4)).
    #[must_use]
    pub fn needs(&self, flow: &FlowId, version: Option<FlowVersion>) -> bool {
        self.versions().any(|(of, in_use)| of == flow && version.is_none_or(|version| in_use == version))
    }

    /// Returns the node that it is at, or ended at.
    #[must_use]
    pub fn node(&self) -> &NodeId {
        &self.at
    }

    /// Returns the number of waits, delays and calls that it has entered.
    #[must_use]
    pub fn wait_number(&self) -> u32 {
        self.wait
    }

    /// Returns the number of its turns so far.
    #[must_use]
    pub fn turns(&self) -> u32 {
        self.turns
    }

    /// Returns the time at which it started.
    #[must_use]
    pub fn started_at(&self) -> DateTime<Utc> {
        self.started_at
    }

    /// Returns the time at which a turn last advanced it
    /// ([SEMANTICS S1](crate::semantics#s1)).
    #[must_use]
    pub fn last_interaction_at(&self) -> DateTime<Utc> {
        self.last_interaction_at
    }

    /// When it expires: its TTL, or the node's own deadline if that is later
    /// ([SEMANTICS S3](crate::semantics#s3)); in a handoff, where the TTL is suspended, the end of
    /// that ([S10](crate::semantics#s10)). None: never.
    #[must_use]
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        if let Standing::Handoff(handover) = &self.standing {
            return handover.deadline.into_iter().chain(self.ends_by).min();
        }
        let ttl = self.expires_at?;
        let expires_at = self.deadline().map_or(ttl, |deadline| ttl.max(deadline));
        let expires_at = self.window().map_or(expires_at, |until| expires_at.max(until));
        Some(self.ends_by.map_or(expires_at, |ends_by| expires_at.min(ends_by)))
    }

    /// Returns the time at which it came to its present node, or last began to wait there.
    #[must_use]
    pub fn parked_at(&self) -> DateTime<Utc> {
        self.parked_at
    }

    /// Returns the data that it was started with, as given and read-only.
    #[must_use]
    pub fn context(&self) -> &PackedMap {
        &self.context
    }

    /// Returns the variables that the flow has written.
    #[must_use]
    pub fn vars(&self) -> &PackedMap {
        &self.vars
    }

    /// Returns the origin of the session: what started it.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// Returns the latest answer.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_deref()
    }

    /// Returns the message whose fate must be known before it continues
    /// ([SEMANTICS D1](crate::semantics#d1)).
    #[must_use]
    pub fn awaits(&self) -> Option<MessageId> {
        let Standing::Sending(sending) = &self.standing else { return None };
        Some(MessageId { session: self.id, seq: sending.seq })
    }

    /// Returns true if it is journalled: as its flow was when it started
    /// ([SEMANTICS L6](crate::semantics#l6)).
    #[must_use]
    pub fn is_journalled(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.journal.is_some())
    }

    /// True if its journal has what is sent (SEMANTICS Q4).
    pub(crate) fn logs_texts(&self) -> bool {
        self.extras.as_ref().and_then(|extras| extras.journal.as_ref()).is_some_and(|journal| journal.texts)
    }

    /// Sends to another address from now on what went to this one, or to its other form.
    pub(crate) fn redirect(&mut self, old: &Address, new: &Address) {
        for route in [&mut self.route, &mut self.asked].into_iter().flatten() {
            if route.to.is_same(old) && route.to != *new {
                *route = Arc::new(Route { account: route.account.clone(), to: new.clone() });
            }
        }
    }

    pub(crate) fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// Lets go of what few sessions need, if this one needs none of it any more.
    pub(crate) fn prune(&mut self) {
        if self.extras.as_deref().is_some_and(|extras| *extras == Extras::default()) {
            self.extras = None;
        }
    }

    /// The called flow that it is in.
    pub(crate) fn called(&self) -> Option<&(FlowId, FlowVersion)> {
        self.extras.as_ref()?.active.as_ref()
    }

    /// True if it is in a called flow, even if that is its own flow again.
    pub(crate) fn is_in_call(&self) -> bool {
        self.called().is_some() || !self.frames().is_empty()
    }

    /// Returns what the flow that was started reads as `context`.
    pub(crate) fn begun_with(&self) -> &PackedMap {
        let kept = self.extras.as_ref().and_then(|extras| extras.begun.as_ref());
        kept.or_else(|| Some(&self.frames().first()?.context)).unwrap_or(&self.context)
    }

    /// Returns what is kept of its results (SEMANTICS Q8).
    pub(crate) fn kept_results(&self) -> Option<&PackedMap> {
        self.extras.as_ref()?.results.as_ref()
    }

    /// Keeps the values of these names, as the flow that was started has them now. Where another
    /// flow took its place, what was kept then stays.
    pub(crate) fn keep_results(&mut self, names: &[Arc<str>]) {
        if names.is_empty() {
            return;
        }
        if let Some(results) = self.results(names) {
            self.extras().results = (!results.is_empty()).then_some(results);
            self.prune();
        }
    }

    /// The values of these names in the flow that was started: its variables, then its context.
    /// None: another flow took its place.
    pub(crate) fn results(&self, names: &[Arc<str>]) -> Option<PackedMap> {
        let vars = self.own_vars()?;
        let value = |name: &Arc<str>| vars.get(name).or_else(|| self.begun_with().get(name));
        let values: BTreeMap<&str, _> =
            names.iter().filter_map(|name| Some((&**name, value(name)?))).gather();
        // All of it was packed before, so it fits.
        let pack_limits = PackLimits { bytes: usize::MAX, depth: usize::MAX };
        Some(PackedMap::pack(values, &pack_limits).unwrap_or_default())
    }

    /// The variables of the flow that was started. None: another flow took its place.
    fn own_vars(&self) -> Option<&PackedMap> {
        match self.frames().first() {
            Some(frame) => {
                let is_own = (&frame.flow, frame.version) == (&self.flow, self.version);
                is_own.then_some(&frame.vars)
            }
            None => self.called().is_none().then_some(&self.vars),
        }
    }

    pub(crate) fn frames(&self) -> &[Frame] {
        self.extras.as_ref().map_or(&[], |extras| &extras.frames)
    }

    /// When it reminds: so long before it expires, unless it came here later (SEMANTICS S6).
    pub(crate) fn reminds_at(&self) -> Option<DateTime<Utc>> {
        let before = TimeDelta::try_seconds(self.extras.as_ref()?.remind_before?)?;
        let ends_at = self.deadline().or(self.expires_at)?;
        let ends_at = self.ends_by.map_or(ends_at, |ends_by| ends_at.min(ends_by));
        ends_at.checked_sub_signed(before).filter(|at| *at >= self.parked_at)
    }

    pub(crate) fn queue(&self) -> &[Queued] {
        self.extras.as_ref().map_or(&[], |extras| &extras.queue)
    }

    pub(crate) fn heard(&self) -> Option<&PartialReply> {
        self.extras.as_ref()?.heard.as_ref()
    }

    /// Returns the choices that it offered that were made of data, the newest last.
    pub(crate) fn offered(&self) -> &[Offered] {
        self.extras.as_ref().map_or(&[], |extras| &extras.offered)
    }

    /// Returns the kept choices that belong to a wait.
    pub(crate) fn offered_at(&self, wait: u32) -> impl Iterator<Item = &OfferedChoice> {
        let offered = self.offered().iter().filter(move |offered| offered.wait == wait);
        offered.flat_map(|offered| &offered.choices)
    }

    /// The lists that it is going through, the outermost first.
    pub(crate) fn rounds(&self) -> &[Rounds] {
        self.extras.as_ref().map_or(&[], |extras| &extras.rounds)
    }

    /// Bytes of those lists, also of flows that wait for what they called.
    pub(crate) fn rounds_len(&self) -> usize {
        let Some(extras) = &self.extras else { return 0 };
        let waiting = extras.frames.iter().flat_map(|frame| &frame.rounds);
        extras.rounds.iter().chain(waiting).map(Rounds::weight).sum()
    }

    /// Lets go of what it offered that is answered by now.
    pub(crate) fn forget_offers(&mut self) {
        let answered = self.answered;
        if let Some(extras) = self.extras.as_mut().filter(|extras| !extras.offered.is_empty()) {
            extras.offered.retain(|offered| offered.wait > answered);
        }
    }

    /// Lets go of the question that it may come back to, and returns it.
    pub(crate) fn take_left_open(&mut self) -> Option<Box<LeftOpen>> {
        self.extras.as_mut().and_then(|extras| extras.left_open.take())
    }

    /// When what the contact is saying is taken to be whole (SEMANTICS I10). None: it is saying
    /// nothing.
    pub(crate) fn window(&self) -> Option<DateTime<Utc>> {
        self.heard().filter(|_| matches!(self.standing, Standing::Waiting(_)))?.until
    }

    /// Moves the end of what the contact is saying: the session was suspended for so long
    /// (SEMANTICS S10).
    pub(crate) fn delay_window(&mut self, by: TimeDelta) {
        if let Some(heard) = self.extras.as_mut().and_then(|extras| extras.heard.as_mut()) {
            heard.until = heard.until.and_then(|until| until.checked_add_signed(by));
        }
    }

    /// Counts time in which its life was suspended; a clock that went back counts for nothing.
    pub(crate) fn stood_still(&mut self, by: TimeDelta) {
        let still = &mut self.extras().still_millis;
        *still = still.saturating_add(by.num_milliseconds().max(0));
    }

    /// Leaves the question that it is at.
    pub(crate) fn forget_heard(&mut self) {
        if let Some(extras) = &mut self.extras
            && extras.heard.take().is_some()
            && **extras == Extras::default()
        {
            self.extras = None;
        }
    }

    /// The message that started it.
    pub(crate) fn opened(&self) -> Option<&Opening> {
        self.extras.as_ref()?.opened.as_deref()
    }

    /// About how many bytes it holds of what grows.
    pub(crate) fn weight(&self) -> usize {
        let queue = self.queue().iter().map(|queued| queued.message.weight()).sum::<usize>();
        let opened = self.opened().map_or(0, |opening| opening.message.weight());
        let reply = self.reply.as_ref().map_or(0, |reply| {
            reply.message.as_ref().map_or(0, Message::weight)
                + reply.missed.iter().chain(&reply.parts).map(|text| text.len()).sum::<usize>()
                + reply.item.as_ref().map_or(0, Packed::byte_len)
        });
        let suspended = || self.handoff()?.suspended.as_ref()?.stop.call();
        let call = self.call().or_else(suspended).map_or(0, |call| call.args.byte_len());
        let frames = self.frames().iter().map(Frame::weight).sum::<usize>();
        let heard = self.heard().map_or(0, PartialReply::weight);
        let begun =
            self.extras.as_ref().and_then(|extras| extras.begun.as_ref()).map_or(0, PackedMap::byte_len);
        let results = self.kept_results().map_or(0, PackedMap::byte_len);
        let own = size_of::<Self>() + self.context.byte_len() + self.vars.byte_len();
        let offered = self.offered().iter().map(Offered::weight).sum::<usize>();
        own + queue + reply + call + frames + heard + begun + results + offered + opened + self.rounds_len()
    }

    /// Returns the channel its messages go to.
    #[must_use]
    pub fn channel(&self) -> Option<&Channel> {
        self.route.as_ref().map(|route| &route.account.channel)
    }
}
