//! The checks of publishing (SEMANTICS L2, L5, C): of a definition, of the accounts it is bound to,
//! and of the flows that it calls.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::address::Account;
use crate::engine::Engine;
use crate::engine::flows::{FlowStatus, Flows};
use crate::error::Error;
use crate::flow::{Flow, check_binding, check_calls, takes_any};
use crate::gather::Gather;
use crate::id::FlowId;
use crate::store::{ConversationStore, FlowEntry};

/// A flow that is to go online on these accounts.
pub(super) struct Proposed {
    pub(super) flow: Arc<Flow>,
    pub(super) accounts: Vec<Account>,
}

impl<S: ConversationStore> Flows<'_, S> {
    pub(super) fn compile(&self, text: &str) -> Result<Arc<Flow>, Error> {
        Ok(Arc::new(Flow::from_json_within(text, &self.0.ports.limits)?))
    }

    /// All checks of one flow, on the accounts that it is bound to.
    pub(super) async fn check(&self, flow: &FlowId, text: &str) -> Result<Arc<Flow>, Error> {
        let compiled = self.compile(text)?;
        let entry = self.find(flow).await?.ok_or_else(|| Error::FlowNotFound(flow.clone()))?;
        let proposed = Proposed { flow: Arc::clone(&compiled), accounts: entry.accounts.clone() };
        self.check_beside(&[proposed]).await.map_err(|(_, error)| error)?;
        Ok(compiled)
    }

    /// Checks the proposed flows beside each other and beside those that are online, as if all of
    /// them were online already. Of the others only those are read that share an account with one
    /// that takes any message, or that are called. An error tells the place of the flow that it is
    /// of.
    pub(super) async fn check_beside(&self, proposed: &[Proposed]) -> Result<(), (usize, Error)> {
        let by_code: HashMap<&FlowId, &Proposed> = proposed.iter().map(|one| (one.flow.id(), one)).collect();
        let mut by_account: HashMap<&Account, Vec<&Proposed>> = HashMap::new();
        for one in proposed.iter().filter(|one| takes_any(&one.flow)) {
            one.accounts.iter().for_each(|account| by_account.entry(account).or_default().push(one));
        }
        let mut stored = StoredFlows { flows: self, found: HashMap::new() };
        for (place, one) in proposed.iter().enumerate() {
            stored.find_rivals(one).await.map_err(|error| (place, error))?;
            stored.find_callees(one).await.map_err(|error| (place, error))?;
        }
        let entries = self.0.flows.entries();
        let is_there = |flow: &FlowId| entries.get(flow).is_some_and(|entry| !entry.deleted);
        let is_known = |flow: &FlowId| by_code.contains_key(flow) || is_there(flow);
        let names = || {
            let there = entries.all().into_iter().filter(|entry| !entry.deleted);
            let mut names: Vec<FlowId> = there.map(|entry| entry.flow.clone()).collect();
            names.extend(by_code.keys().copied().cloned());
            names
        };
        let online = |flow: &FlowId| match by_code.get(flow) {
            Some(one) => Some(&*one.flow),
            None => stored.find(flow).map(|(_, flow)| flow),
        };
        for (place, one) in proposed.iter().enumerate() {
            let rivals_here = one.accounts.iter().filter_map(|account| by_account.get(account)).flatten();
            let mut rivals: BTreeMap<&FlowId, (&Flow, &[Account])> =
                rivals_here.map(|rival| (rival.flow.id(), (&*rival.flow, &*rival.accounts))).gather();
            for account in one.accounts.iter().filter(|_| takes_any(&one.flow)) {
                let bound = entries.bound_to(account);
                let others = bound.iter().filter(|entry| !by_code.contains_key(&entry.flow));
                rivals.extend(others.filter_map(|other| {
                    let (entry, flow) = stored.find(&other.flow)?;
                    Some((flow.id(), (flow, entry.accounts.as_slice())))
                }));
            }
            check_binding(&one.flow, &one.accounts, rivals.into_values())
                .and_then(|()| check_calls(&one.flow, is_known, names, online))
                .map_err(|issues| (place, issues.into()))?;
        }
        Ok(())
    }

    /// Takes note of a version that was just stored, so that it is not read and compiled again.
    pub(super) fn learn(&self, flow: Arc<Flow>, status: &FlowStatus) {
        if let Some(online) = status.online {
            self.0.flows.learn(online, flow);
        }
    }
}

type OnlineFlow = (Arc<FlowEntry>, Arc<Flow>);

/// Stored flows that a check looks at, each as it is online; None: not online, or not to be used
/// here.
struct StoredFlows<'a, 'e, S> {
    flows: &'a Flows<'e, S>,
    found: HashMap<FlowId, Option<OnlineFlow>>,
}

impl<S: ConversationStore> StoredFlows<'_, '_, S> {
    fn find(&self, flow: &FlowId) -> Option<(&FlowEntry, &Flow)> {
        self.found.get(flow)?.as_ref().map(|(entry, flow)| (&**entry, &**flow))
    }

    /// Finds the flows that might take the same messages.
    async fn find_rivals(&mut self, one: &Proposed) -> Result<(), Error> {
        for account in one.accounts.iter().filter(|_| takes_any(&one.flow)) {
            for entry in self.flows.0.flows.entries().bound_to(account) {
                self.read(&entry.flow).await?;
            }
        }
        Ok(())
    }

    /// Finds the flows that are called, and those that they call.
    async fn find_callees(&mut self, one: &Proposed) -> Result<(), Error> {
        let mut seen = HashSet::new();
        let mut queue: Vec<FlowId> = one.flow.calls().cloned().collect();
        while let Some(callee) = queue.pop() {
            if !seen.insert(callee.clone()) {
                continue;
            }
            self.read(&callee).await?;
            let called = self.find(&callee).into_iter().flat_map(|(_, flow)| flow.calls());
            queue.extend(called.cloned());
        }
        Ok(())
    }

    async fn read(&mut self, flow: &FlowId) -> Result<(), Error> {
        if self.found.contains_key(flow) {
            return Ok(());
        }
        let Engine { flows, ports, .. } = self.flows.0;
        let mut usable = None;
        if let Some(entry) = flows.entries().get(flow).filter(|entry| !entry.deleted)
            && let Some(online) = entry.online()
        {
            let compiled = flows.compiled(ports, self.flows.workspace()?, &entry, online).await?;
            usable = compiled.ok().map(|flow| (entry, flow));
        }
        self.found.insert(flow.clone(), usable);
        Ok(())
    }
}
