//! Flows as a host has them at its start: imported, bound to accounts and published, where that is
//! not done already (SEMANTICS L1, L10).

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::address::Account;
use crate::engine::attempts::Patience;
use crate::engine::flows::change::{new_entry, next, rebind};
use crate::engine::flows::checks::Proposed;
use crate::engine::flows::draft::take_names;
use crate::engine::flows::publish::put_online;
use crate::engine::flows::{FlowStatus, Flows};
use crate::error::Error;
use crate::flow::{DraftText, Flow};
use crate::id::FlowId;
use crate::store::{ConversationStore, FlowChange, FlowEntry, FlowSaved, VersionState};

/// A definition for [`Flows::ensure_all`], alone or with the accounts whose messages may start it.
///
/// Texts are definitions without accounts, and so are pairs of a text and accounts:
///
/// ```
/// use chatflow::ops::FlowSource;
/// use chatflow::{Account, Channel};
///
/// # fn main() -> Result<(), chatflow::id::InvalidName> {
/// let shop = Account::new(Channel::Sms, "555")?;
/// let alone = FlowSource::from("{}");
/// let bound = FlowSource::new("{}").on([shop.clone()]);
/// assert_eq!(bound, FlowSource::from(("{}", [shop])));
/// assert_ne!(bound, alone);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowSource {
    json: Arc<str>,
    accounts: Option<Vec<Account>>,
}

impl FlowSource {
    /// A definition. A flow that is there already keeps the accounts that it is bound to.
    #[must_use]
    pub fn new(json: impl Into<Arc<str>>) -> Self {
        Self { json: json.into(), accounts: None }
    }

    /// The same definition, bound to these accounts, as [`Flows::ensure_on`] binds it.
    #[must_use]
    pub fn on(mut self, accounts: impl IntoIterator<Item = Account>) -> Self {
        self.accounts = Some(accounts.into_iter().collect());
        self
    }
}

macro_rules! from_texts {
    ($($text:ty: $json:ident => $shared:expr),* $(,)?) => {$(
        impl From<$text> for FlowSource {
            fn from($json: $text) -> Self {
                Self::new($shared)
            }
        }
    )*};
}

from_texts! {
    &str: json => json,
    &&str: json => *json,
    &String: json => json.as_str(),
    String: json => json,
    Arc<str>: json => json,
    &Arc<str>: json => Arc::clone(json),
}

impl<T: Into<FlowSource>, A: IntoIterator<Item = Account>> From<(T, A)> for FlowSource {
    fn from((json, accounts): (T, A)) -> Self {
        json.into().on(accounts)
    }
}

/// A source that was read.
struct Wanted {
    source: FlowSource,
    draft: DraftText,
    /// The flow, once it was compiled.
    compiled: Option<Arc<Flow>>,
}

/// A step towards the wanted state of a flow.
enum EnsureStep {
    /// Nothing: it is online as it is wanted.
    Rest(FlowStatus),
    Save(Box<FlowChange>),
}

impl<S: ConversationStore> Flows<'_, S> {
    /// Imports a definition and publishes it. Harmless at every start of a host, and by many hosts
    /// at once: equal content makes no new version ([SEMANTICS L1](crate::semantics#l1)). A flow
    /// that messages start goes by [`ensure_on`](Self::ensure_on), several go by
    /// [`ensure_all`](Self::ensure_all).
    ///
    /// # Errors
    /// `Issues` when the definition cannot be published; it stays as a draft. `Contention`,
    /// `Store`.
    pub async fn ensure(&self, json: &str) -> Result<FlowStatus, Error> {
        Box::pin(self.ensure_one(json.into())).await
    }

    /// Imports a definition, binds it to the accounts whose messages may start it, and publishes
    /// it. As harmless as [`ensure`](Self::ensure) while the accounts stay the same, in whatever
    /// order ([SEMANTICS L1](crate::semantics#l1), [L3](crate::semantics#l3)).
    ///
    /// ```
    /// # fn main() -> Result<(), chatflow::Error> {
    /// use chatflow::{Account, Channel, Engine, MemoryStore};
    ///
    /// const FLOW: &str = r#"{"spec": 1, "code": "hi", "trigger": {"kind": "inbound", "channel": "sms", "rules": [{"match": "any"}]},
    ///     "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Hello!"}],
    ///     "edges": [{"from": "start", "to": "hi"}]}"#;
    /// let bot = Engine::builder(MemoryStore::new()).build();
    /// let shop = Account::new(Channel::Sms, "555").expect("a name of digits");
    /// let status = pollster::block_on(bot.flows().ensure_on(FLOW, [shop.clone()]))?;
    /// assert_eq!(status.accounts, [shop]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidState` when the flow is published on other accounts (unpublish it first), or when
    /// calls start it: nothing was changed. `Issues` when the definition cannot be published
    /// there; it stays as a draft. `Contention`, `Store`.
    pub async fn ensure_on(
        &self,
        json: &str,
        accounts: impl IntoIterator<Item = Account>,
    ) -> Result<FlowStatus, Error> {
        self.ensure_one(FlowSource::from(json).on(accounts)).await
    }

    /// Imports, binds and publishes any number of definitions, all of them or none, each as
    /// [`ensure`](Self::ensure) or [`ensure_on`](Self::ensure_on) does
    /// ([SEMANTICS L10](crate::semantics#l10)). They are checked as if all were online already, so
    /// their order does not matter to flows that call each other. It costs one read of what changed
    /// since this process last read the flows, and one transaction, or none if all are online as
    /// they are given. Answers their states in the order given.
    ///
    /// ```
    /// # fn main() -> Result<(), chatflow::Error> {
    /// use chatflow::ops::FlowSource;
    /// use chatflow::{Account, Channel, Engine, MemoryStore};
    ///
    /// # const MENU: &str = r#"{"spec": 1, "code": "menu", "trigger": {"kind": "inbound", "channel": "sms", "rules": [{"match": "any"}]},
    /// #     "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Hello!"}],
    /// #     "edges": [{"from": "start", "to": "hi"}]}"#;
    /// # const CART: &str = r#"{"spec": 1, "code": "cart", "trigger": {"kind": "manual"},
    /// #     "settings": {"sender": {"channel": "sms", "account": "555"}},
    /// #     "nodes": [{"id": "start", "kind": "start"}, {"id": "hi", "kind": "send_message", "text": "Your cart!"}],
    /// #     "edges": [{"from": "start", "to": "hi"}]}"#;
    /// let bot = Engine::builder(MemoryStore::new()).build();
    /// let shop = Account::new(Channel::Sms, "555").expect("a name of digits");
    /// let sources = [FlowSource::new(CART), FlowSource::new(MENU).on([shop])];
    /// let states = pollster::block_on(bot.flows().ensure_all(sources))?;
    /// assert_eq!(states.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InFlow`, which tells of which flow the error is that it holds: `Issues`, also of a draft
    /// that is no definition; `InvalidState` as [`ensure_on`](Self::ensure_on) has it;
    /// `InvalidInput` of `code` when two have the same. Then, and after `Contention`, nothing was
    /// changed; no definition stays as a draft. `InvalidInput` of `by`; `Store`.
    pub async fn ensure_all<T: Into<FlowSource>>(
        &self,
        flows: impl IntoIterator<Item = T>,
    ) -> Result<Vec<FlowStatus>, Error> {
        let sources: Vec<FlowSource> = flows.into_iter().map(Into::into).collect();
        self.put_all(sources).await
    }

    async fn ensure_one(&self, source: FlowSource) -> Result<FlowStatus, Error> {
        let json = Arc::clone(&source.json);
        let code = self.read(&json)?.code;
        match self.put_all(vec![source]).await {
            Ok(mut states) => states.pop().ok_or(Error::FlowNotFound(code)),
            Err(Error::InFlow { source, .. }) => {
                if let Error::Issues(_) = *source {
                    self.import(&json).await?;
                }
                Err(*source)
            }
            Err(error) => Err(error),
        }
    }

    async fn put_all(&self, sources: Vec<FlowSource>) -> Result<Vec<FlowStatus>, Error> {
        let workspace = self.workspace()?;
        let mut all = self.read_all(sources)?;
        let mut patience = Patience::default();
        loop {
            let (entries, now) = (self.entries().await?, self.0.now());
            let mut states = Vec::with_capacity(all.len());
            let mut changes = Vec::new();
            // The places of those that change.
            let mut places = Vec::new();
            for (place, wanted) in all.iter().enumerate() {
                let entry = entries.get(&wanted.draft.code);
                match self
                    .step(wanted, entry.as_deref(), now)
                    .map_err(|error| wanted.refused(place, error))?
                {
                    EnsureStep::Rest(state) => states.push(state),
                    EnsureStep::Save(change) => {
                        states.push(FlowStatus::from(&change.entry));
                        changes.push(*change);
                        places.push(place);
                    }
                }
            }
            if changes.is_empty() {
                return Ok(states);
            }
            self.check_name()?;
            let mut proposed = Vec::with_capacity(changes.len());
            for (place, change) in places.iter().zip(&changes) {
                let Some(wanted) = all.get_mut(*place) else { continue };
                let flow = match &wanted.compiled {
                    Some(flow) => Arc::clone(flow),
                    None => {
                        self.compile(&wanted.source.json).map_err(|error| wanted.refused(*place, error))?
                    }
                };
                wanted.compiled = Some(Arc::clone(&flow));
                proposed.push(Proposed { flow, accounts: change.entry.accounts.clone() });
            }
            if let Err((number, error)) = self.check_beside(&proposed).await {
                let place = places.get(number).copied().unwrap_or_default();
                return Err(match all.get(place) {
                    Some(wanted) => wanted.refused(place, error),
                    None => error,
                });
            }
            let saved = self.0.ports.flow_store.save_all(workspace, changes).await?;
            self.0.flows.doubt();
            if saved == FlowSaved::Saved {
                for (place, one) in places.iter().zip(proposed) {
                    states.get(*place).into_iter().for_each(|state| self.learn(Arc::clone(&one.flow), state));
                }
                return Ok(states);
            }
            self.0.lose_race(&mut patience, self.0.token(now)).await?;
        }
    }

    /// Reads the texts as far as drafts need it; each must be of another flow.
    fn read_all(&self, sources: Vec<FlowSource>) -> Result<Vec<Wanted>, Error> {
        let mut all: Vec<Wanted> = Vec::with_capacity(sources.len());
        let mut places: HashMap<FlowId, usize> = HashMap::with_capacity(sources.len());
        for (place, source) in sources.into_iter().enumerate() {
            let draft = self.read(&source.json).map_err(|error| Error::InFlow {
                place,
                flow: None,
                source: Box::new(error),
            })?;
            let wanted = Wanted { source, draft, compiled: None };
            if let Some(other) = places.insert(wanted.draft.code.clone(), place) {
                let rule = format_args!("is that of number {}, too", other + 1).to_string();
                return Err(wanted.refused(place, Error::invalid("code", rule)));
            }
            all.push(wanted);
        }
        Ok(all)
    }

    /// Returns the step that is to be done for a flow that is stored like this.
    fn step(
        &self,
        wanted: &Wanted,
        stored: Option<&FlowEntry>,
        now: DateTime<Utc>,
    ) -> Result<EnsureStep, Error> {
        let draft = &wanted.draft;
        let mut entry = stored.map_or_else(|| new_entry(&draft.code, now), next);
        if let Some(accounts) = &wanted.source.accounts {
            keep_bound(&mut entry, accounts, draft.is_manual())?;
        }
        let online = entry.versions.iter().find(|version| version.state == VersionState::Online);
        if let (Some(stored), Some(online)) = (stored, online)
            && online.digest == draft.digest
        {
            return Ok(EnsureStep::Rest(stored.into()));
        }
        entry.deleted = false;
        take_names(&mut entry, draft);
        entry.draft = Some(entry.revision);
        let text = &wanted.source.json;
        let number = put_online(&mut entry, draft.digest, now, self.1.as_ref());
        Ok(EnsureStep::Save(Box::new(FlowChange {
            entry,
            expect: stored.map(|stored| stored.revision),
            draft: Some(Arc::clone(text)),
            version: number.map(|number| (number, Arc::clone(text))),
        })))
    }

    pub(super) fn check_name(&self) -> Result<(), Error> {
        let most = self.0.ports.limits.id_bytes;
        match &self.1 {
            Some(name) if name.is_empty() || name.len() > most => {
                Err(Error::invalid("by", format_args!("must have 1 to {most} bytes")))
            }
            _ => Ok(()),
        }
    }
}

impl Wanted {
    /// An error of this flow among several.
    fn refused(&self, place: usize, error: Error) -> Error {
        Error::InFlow { place, flow: Some(self.draft.code.clone()), source: Box::new(error) }
    }
}

/// Binds a flow to accounts, unless they are those it has.
fn keep_bound(entry: &mut FlowEntry, accounts: &[Account], is_manual: bool) -> Result<(), Error> {
    let has = |some: &[Account], others: &[Account]| others.iter().all(|other| some.contains(other));
    if has(&entry.accounts, accounts) && has(accounts, &entry.accounts) {
        return Ok(());
    }
    rebind(entry, accounts, is_manual)
}
