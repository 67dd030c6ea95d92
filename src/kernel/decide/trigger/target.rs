//! The conversation that a trigger is about: as the caller names it, or as the start node says
//! where it is found (SEMANTICS T2).

use std::sync::Arc;

use crate::address::{Address, Home, InvalidPhone, Phone, read_phone};
use crate::error::Error;
use crate::flow::ContactMode;
use crate::id::ContactId;
use crate::kernel::decide::environment::FlowLookup;
use crate::request::{CheckedTrigger, NO_CONTACT};

/// The conversation that a trigger is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The contact that the request names.
    Named(ContactId),
    /// The contact that has this address; a new contact with this id if nobody does.
    Addressed(Address, ContactId),
    /// Nobody: the flow runs without a contact, in a conversation of its own.
    Nobody(ContactId),
    /// The request, or what it leads to, is no contact.
    Wrong(ContactId, String, String),
}

impl Target {
    /// The contact that a request names, or that its context holds where the start node says
    /// (SEMANTICS T2).
    pub(crate) fn of(
        request: &mut CheckedTrigger,
        flows: &dyn FlowLookup,
        mint: impl Fn() -> ContactId,
    ) -> Self {
        if let Some(written) = request.at_home.take() {
            match read_phone(&written, region(request, flows).as_deref().and_then(Home::of)) {
                Some(phone) => request.address = Some(Address::Phone(phone)),
                None => return Self::Wrong(mint(), "phone".to_owned(), InvalidPhone.to_string()),
            }
        }
        request.given = (request.contact.clone(), request.address.clone());
        if request.contact.is_none() && request.address.is_none() {
            let online = flows.published(&request.flow).and_then(|published| published.usable());
            if let Some((flow, start)) = online.map(|(_, flow)| (flow, flow.start().1)) {
                let region = flow.settings().default_region.clone();
                let from = (start.contact_id_from.as_deref(), start.contact_from.as_deref());
                if let Err((field, rule)) = read_contact(request, from, region.as_deref()) {
                    return Self::Wrong(mint(), field, rule);
                }
                if request.contact.is_none() && request.address.is_none() {
                    return match start.contact {
                        ContactMode::None => Self::Nobody(mint()),
                        _ => Self::missing(mint(), &[from.1, from.0]),
                    };
                }
            }
        }
        match (&request.contact, &request.address) {
            (Some(contact), _) => Self::Named(contact.clone()),
            (None, Some(address)) => Self::Addressed(address.clone(), mint()),
            (None, None) => Self::missing(mint(), &[]),
        }
    }

    /// The refusal of a request that names nobody, neither itself nor in these places of its
    /// context.
    fn missing(id: ContactId, places: &[Option<&str>]) -> Self {
        let rule = places
            .iter()
            .flatten()
            .fold(NO_CONTACT.to_owned(), |rule, place| format!("{rule}, or `context.{place}`"));
        Self::Wrong(id, "contact".to_owned(), rule)
    }

    /// The address by which the contact is found; None: it is found by its id.
    pub(crate) fn address(&self) -> Option<&Address> {
        match self {
            Self::Addressed(address, _) => Some(address),
            Self::Named(_) | Self::Nobody(_) | Self::Wrong(..) => None,
        }
    }

    /// The contact, if it has to be made.
    pub(crate) fn contact(&self) -> ContactId {
        match self {
            Self::Named(contact)
            | Self::Addressed(_, contact)
            | Self::Nobody(contact)
            | Self::Wrong(contact, ..) => contact.clone(),
        }
    }

    pub(crate) fn check(&self, is_known: bool, refuse_unknown: bool) -> Result<(), Error> {
        match self {
            Self::Wrong(_, field, rule) => Err(Error::invalid(field.clone(), rule)),
            Self::Named(contact) if refuse_unknown && !is_known => {
                Err(Error::ContactNotFound(contact.clone()))
            }
            _ => Ok(()),
        }
    }
}

/// Where telephone numbers without a calling code are at home, as the flow says.
fn region(request: &CheckedTrigger, flows: &dyn FlowLookup) -> Option<Arc<str>> {
    flows.published(&request.flow)?.usable()?.1.settings().default_region.clone()
}

/// Reads the contact from the context, where the start node says it is.
fn read_contact(
    request: &mut CheckedTrigger,
    (id_from, address_from): (Option<&str>, Option<&str>),
    region: Option<&str>,
) -> Result<(), (String, String)> {
    let text = |name: Option<&str>| {
        let value = name.and_then(|name| request.context.get(name)).filter(|value| !value.is_null());
        let Some(value) = value else { return Ok(None) };
        let text =
            value.as_str().map(ToOwned::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()));
        let wrong = || {
            (
                format!("context.{}", name.unwrap_or_default()),
                "must be a text or a whole number from 0 on".to_owned(),
            )
        };
        text.map(Some).ok_or_else(wrong)
    };
    let (id, address) = (text(id_from)?, text(address_from)?);
    if let Some(id) = id {
        let name = id_from.unwrap_or_default();
        request.contact =
            Some(ContactId::new(id).map_err(|rule| {
                (format!("context.{name}"), format!("holds the contact's id, which {rule}"))
            })?);
    }
    if let Some(address) = address {
        let name = address_from.unwrap_or_default();
        let named = request.from.as_ref().filter(|account| !account.channel.is_phone());
        let address = match named {
            Some(account) => Address::new(account, &address).map_err(|rule| rule.to_string()),
            None => {
                let at_home = region.and_then(Home::of).and_then(|home| read_phone(&address, Some(home)));
                let phone = at_home.map_or_else(|| Phone::parse_inbound(&address), Ok);
                phone.map(Address::Phone).map_err(|rule| rule.to_string())
            }
        };
        request.address = Some(address.map_err(|rule| {
            (format!("context.{name}"), format!("holds the contact's address, which {rule}"))
        })?);
    }
    Ok(())
}
