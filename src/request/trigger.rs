//! A trigger: what a host asks, and what the engine works with.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::address::{Account, Address, Phone};
use crate::channel::Channel;
use crate::error::Error;
use crate::id::{ContactId, FlowId, TriggerKey, check_name};
use crate::limits::Limits;
use crate::request::rules::{bad_value, check_instant, check_profile};
use crate::session::Profile;
use crate::value::{PackLimits, PackedMap};

/// Starts a flow for a contact ([SEMANTICS T](crate::semantics#t)).
///
/// ```
/// use chatflow::TriggerRequest;
/// let request = TriggerRequest::new("cart-30min")
///     .phone("+1 415 555 0123")
///     .context(serde_json::json!({"cart_id": "987654321", "cart_total": "129.00"}))
///     .uuid("c68622e6-5f0d-c8a4-af41-e949c2a7580e");
/// # let _ = request;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TriggerRequest {
    pub(crate) flow: String,
    pub(crate) contact_id: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) address: Option<(Channel, String, String)>,
    pub(crate) channel: Option<Channel>,
    pub(crate) account: Option<String>,
    pub(crate) context: Option<Result<Value, String>>,
    pub(crate) uuid: Option<String>,
    pub(crate) out_id: Option<String>,
    pub(crate) claim_time: Option<DateTime<Utc>>,
    pub(crate) discard_time: Option<DateTime<Utc>>,
    pub(crate) profile: Option<Box<Profile>>,
    pub(crate) campaign: Option<String>,
    pub(crate) transactional: bool,
    pub(crate) during_handoff: bool,
}

impl TriggerRequest {
    /// A trigger of the flow with this code.
    pub fn new(flow: impl Into<String>) -> Self {
        Self {
            flow: flow.into(),
            contact_id: None,
            phone: None,
            address: None,
            channel: None,
            account: None,
            context: None,
            uuid: None,
            out_id: None,
            claim_time: None,
            discard_time: None,
            profile: None,
            campaign: None,
            transactional: false,
            during_handoff: false,
        }
    }

    /// For the contact with this id; created if it is unknown.
    pub fn contact_id(mut self, id: impl Into<String>) -> Self {
        self.contact_id = Some(id.into());
        self
    }

    /// For the contact with this telephone number, with its calling code, or as it is dialled in
    /// the flow's `default_region` ([SEMANTICS A1](crate::semantics#a1)).
    pub fn phone(mut self, phone: impl Into<String>) -> Self {
        self.phone = Some(phone.into());
        self
    }

    /// For the contact with this id on a channel's account; messages go there.
    pub fn address(mut self, channel: Channel, account: impl Into<String>, id: impl Into<String>) -> Self {
        self.address = Some((channel, account.into(), id.into()));
        self
    }

    /// Messages leave from this account of this channel, not from the flow's sender
    /// ([SEMANTICS D4](crate::semantics#d4)).
    pub fn from(mut self, channel: Channel, account: impl Into<String>) -> Self {
        self.channel = Some(channel);
        self.account = Some(account.into());
        self
    }

    /// The `context` that the flow reads: a JSON object, by default of at most 64 KiB and 16 levels
    /// deep.
    pub fn context(mut self, context: impl Into<Value>) -> Self {
        self.context = Some(Ok(context.into()));
        self
    }

    /// The same, of a host's own type that serialises to an object.
    pub fn context_of(mut self, context: impl Serialize) -> Self {
        self.context = Some(serde_json::to_value(context).map_err(|error| error.to_string()));
        self
    }

    /// The idempotency key, unique for this event: the same key with the same request starts
    /// nothing twice ([SEMANTICS T5](crate::semantics#t5)).
    pub fn uuid(mut self, key: impl Into<String>) -> Self {
        self.uuid = Some(key.into());
        self
    }

    /// A correlation id of the caller's, readable as `trigger.out_id`.
    pub fn out_id(mut self, id: impl Into<String>) -> Self {
        self.out_id = Some(id.into());
        self
    }

    /// When the event happened, now if it is not said; readable as `trigger.claim_time`, decides
    /// nothing ([SEMANTICS T7](crate::semantics#t7)).
    pub fn claim_time(mut self, at: DateTime<Utc>) -> Self {
        self.claim_time = Some(at);
        self
    }

    /// From this instant on the trigger is void ([SEMANTICS T7](crate::semantics#t7)).
    pub fn discard_time(mut self, at: DateTime<Utc>) -> Self {
        self.discard_time = Some(at);
        self
    }

    /// Facts that are known of the contact.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(Box::new(profile));
        self
    }

    /// The campaign that it belongs to; recorded on session and contact
    /// ([SEMANTICS T8](crate::semantics#t8)).
    pub fn campaign(mut self, campaign: impl Into<String>) -> Self {
        self.campaign = Some(campaign.into());
        self
    }

    /// Starts even if the contact opted out ([SEMANTICS T10](crate::semantics#t10)): an order's
    /// receipt, not an advertisement.
    pub fn transactional(mut self) -> Self {
        self.transactional = true;
        self
    }

    /// Starts even while the contact is with a person of the host
    /// ([SEMANTICS S10](crate::semantics#s10)).
    pub fn during_handoff(mut self) -> Self {
        self.during_handoff = true;
        self
    }

    /// The contact as the caller names it: what a campaign's key is made of (SEMANTICS T8).
    pub(crate) fn contact_as_given(&self) -> Option<&str> {
        let address = self.address.as_ref().map(|(_, _, id)| id.as_str());
        self.contact_id.as_deref().or(self.phone.as_deref()).or(address)
    }

    pub(crate) fn check(self, limits: &Limits) -> Result<CheckedTrigger, Error> {
        let flow = FlowId::new(&self.flow).map_err(|rule| Error::invalid("flow", rule))?;
        let contact = self
            .contact_id
            .map(|id| ContactId::new(id).map_err(|rule| Error::invalid("contact_id", rule)))
            .transpose()?;
        let from = match (self.channel, self.account) {
            (Some(channel), Some(account)) => {
                Some(Account::new(channel, account).map_err(|rule| Error::invalid("account", rule))?)
            }
            _ => None,
        };
        let (address, at_home) = check_address(self.phone, self.address, &from)?;
        let (address, account) = address.map_or((None, None), |(address, account)| (Some(address), account));
        let from = from.or(account);
        let context = check_context(self.context, limits)?;
        if let Some(out_id) = &self.out_id {
            check_name(out_id).map_err(|rule| Error::invalid("out_id", rule))?;
        }
        if let Some(campaign) = &self.campaign {
            check_name(campaign).map_err(|rule| Error::invalid("campaign", rule))?;
        }
        let key = self
            .uuid
            .map(|key| TriggerKey::new(key).map_err(|rule| Error::invalid("uuid", rule)))
            .transpose()?;
        for (field, at) in [("claim_time", self.claim_time), ("discard_time", self.discard_time)] {
            check_instant(field, at)?;
        }
        check_profile(self.profile.as_deref(), limits)?;
        Ok(CheckedTrigger {
            flow,
            contact,
            address,
            at_home,
            from,
            given: (None, None),
            context,
            key,
            out_id: self.out_id.map(Into::into),
            claim_time: self.claim_time,
            discard_time: self.discard_time,
            profile: self.profile,
            campaign: self.campaign.map(Into::into),
            transactional: self.transactional,
            during_handoff: self.during_handoff,
        })
    }
}

/// The contact's address, with the account that it is given on; or a telephone number that only a
/// region could tell.
type GivenAddress = (Option<(Address, Option<Account>)>, Option<Box<str>>);

fn check_address(
    phone: Option<String>,
    address: Option<(Channel, String, String)>,
    from: &Option<Account>,
) -> Result<GivenAddress, Error> {
    match (phone, address) {
        (Some(_), Some(_)) => Err(Error::invalid("address", "must not be given together with `phone`")),
        (Some(phone), None) => {
            if from.as_ref().is_some_and(|account| !account.channel.is_phone()) {
                let rule = "must be one with telephone numbers when `phone` is given";
                return Err(Error::invalid("channel", rule));
            }
            match Phone::parse(&phone) {
                Ok(phone) => Ok((Some((Address::Phone(phone), None)), None)),
                Err(_) if Phone::may_be_national(&phone) => Ok((None, Some(phone.into()))),
                Err(rule) => Err(Error::invalid("phone", rule)),
            }
        }
        (None, Some((channel, account, id))) => {
            let account = Account::new(channel, account).map_err(|rule| Error::invalid("account", rule))?;
            let address = Address::new(&account, &id).map_err(|rule| Error::invalid("address", rule))?;
            Ok((Some((address, Some(account))), None))
        }
        (None, None) => Ok((None, None)),
    }
}

fn check_context(context: Option<Result<Value, String>>, limits: &Limits) -> Result<PackedMap, Error> {
    match context {
        None => Ok(PackedMap::new()),
        Some(Ok(context)) => PackedMap::from_json(&context, &PackLimits::of(limits))
            .map_err(|error| bad_value("context", &error)),
        Some(Err(error)) => Err(Error::invalid("context", format_args!("must serialise: {error}"))),
    }
}

/// A trigger whose form is right.
pub(crate) struct CheckedTrigger {
    pub(crate) flow: FlowId,
    pub(crate) contact: Option<ContactId>,
    pub(crate) address: Option<Address>,
    /// The contact's telephone number, if only a region could tell it.
    pub(crate) at_home: Option<Box<str>>,
    pub(crate) from: Option<Account>,
    /// Contact and address as the caller gave them, before the start node had its say.
    pub(crate) given: (Option<ContactId>, Option<Address>),
    pub(crate) context: PackedMap,
    pub(crate) key: Option<TriggerKey>,
    pub(crate) out_id: Option<Arc<str>>,
    pub(crate) claim_time: Option<DateTime<Utc>>,
    pub(crate) discard_time: Option<DateTime<Utc>>,
    pub(crate) profile: Option<Box<Profile>>,
    pub(crate) campaign: Option<Arc<str>>,
    pub(crate) transactional: bool,
    pub(crate) during_handoff: bool,
}
