//! Where a message goes: the first that is given of the node's own words, the session's route (its
//! last inbound, or the request's), the flow's sender (SEMANTICS D4).

use std::sync::Arc;

use crate::address::{Account, Address};
use crate::flow::content::CompiledMessage;
use crate::flow::node::SendMessage;
use crate::kernel::turn::{Move, Run};
use crate::session::{FailureCode, Route};

pub(super) fn resolve(run: &mut Run<'_>, node: &SendMessage) -> Result<Arc<Route>, Move> {
    if node.channel.is_none() && node.from.is_none() && node.to.is_none() {
        return reply(run);
    }
    let base = reply(run).ok();
    let account = match (&node.channel, &node.from) {
        (None, None) => base.as_ref().map(|route| route.account.clone()).or_else(|| run.sender().cloned()),
        (channel, from) => {
            let known = base.as_ref().map(|route| &route.account).or(run.sender());
            let channel = channel.clone().or_else(|| known.map(|account| account.channel.clone()));
            let from = match from {
                Some(from) => {
                    Some(run.render(from).map_err(|error| Move::fail(FailureCode::Expression, error))?)
                }
                None => known
                    .filter(|account| Some(&account.channel) == channel.as_ref())
                    .map(|account| account.account.as_ref().to_owned()),
            };
            match (channel, from) {
                (Some(channel), Some(from)) => Some(
                    Account::new(channel, from.trim())
                        .map_err(|error| nowhere(format_args!("`from` {error}")))?,
                ),
                _ => None,
            }
        }
    };
    let Some(account) = account else {
        return Err(nowhere("the message names no channel and account to send from"));
    };
    let to = match &node.to {
        Some(to) => {
            let to = run.render(to).map_err(|error| Move::fail(FailureCode::Expression, error))?;
            Address::new(&account, to.trim()).map_err(|error| nowhere(format_args!("`to` {error}")))?
        }
        None => match base.filter(|route| route.to.is_on(&account)) {
            Some(route) => route.to.clone(),
            None => contact_on(run, &account)?,
        },
    };
    Ok(Arc::new(Route { account, to }))
}

/// The same route, by the contact's telephone number where the message goes to such numbers alone
/// (SEMANTICS A7).
pub(super) fn fitting(
    run: &Run<'_>,
    route: Arc<Route>,
    message: &CompiledMessage,
) -> Result<Arc<Route>, Move> {
    match message {
        CompiledMessage::Template(template) if template.needs_phone && route.to.phone().is_none() => {}
        _ => return Ok(route),
    }
    let known = run.contact.address_on(&route.account).filter(|address| address.phone().is_some());
    let to =
        known.ok_or_else(|| nowhere("an authentication template is sent to a telephone number alone"))?;
    Ok(Arc::new(Route { account: route.account.clone(), to: to.clone() }))
}

/// The session's route, else the flow's sender and the contact's address there. Of a number and an
/// id that the contact has there, the number (SEMANTICS A7).
pub(super) fn reply(run: &mut Run<'_>) -> Result<Arc<Route>, Move> {
    if let Some(route) = &run.session.route {
        let is_phone = !route.account.channel.is_phone() || route.to.phone().is_some();
        let number = || run.contact.address_on(&route.account).filter(|address| address.phone().is_some());
        return Ok(match if is_phone { None } else { number() } {
            Some(number) => Arc::new(Route { account: route.account.clone(), to: number.clone() }),
            None => Arc::clone(route),
        });
    }
    let Some(account) = run.sender().cloned() else {
        return Err(nowhere("neither the trigger nor the flow's `settings.sender` says where to send from"));
    };
    let to = contact_on(run, &account)?;
    let route = Arc::new(Route { account, to });
    run.session.route = Some(Arc::clone(&route));
    Ok(route)
}

impl Run<'_> {
    /// The sender of the flow that the session is in, else of the one that was started.
    fn sender(&self) -> Option<&Account> {
        self.flow.settings().sender.as_ref().or(self.root.settings().sender.as_ref())
    }
}

fn contact_on(run: &Run<'_>, account: &Account) -> Result<Address, Move> {
    let found = run.contact.address_on(account);
    found.cloned().ok_or_else(|| nowhere(format_args!("the contact has no address on {}", account.channel)))
}

fn nowhere(why: impl ToString) -> Move {
    Move::fail(FailureCode::NoDestination, why)
}
