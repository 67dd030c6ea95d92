//! Addresses of a person that changed: what the channel tells of it, as pairs of old and new.

use crate::address::{Account, Address, AddressKind};
use crate::wire::whatsapp::message::{CloudMessage, CloudSystem};
use crate::wire::whatsapp::webhook::{CloudIdChange, CloudIdUpdate};

/// The changes that a message of the channel itself tells. None where it tells of something else,
/// such as another telephone with the same number.
pub(super) fn of_system(message: &CloudMessage, account: &Account) -> Vec<(Address, Address)> {
    let Some(system) = &message.system else { return Vec::new() };
    let told = told(system);
    let old = |given: &Option<String>, new: &Option<String>| {
        // Where the old id is not given, or given as the new one, the words say it.
        let given = given.clone().filter(|given| Some(given) != new.as_ref());
        given.or_else(|| told.filter(|(_, now)| Some(*now) == new.as_deref()).map(|(was, _)| was.to_owned()))
    };
    let number = system.new_wa_id.clone().or_else(|| system.wa_id.clone());
    let from = message.from.clone().or_else(|| system.customer.clone());
    let pairs = [
        (old(&from, &number), number),
        (old(&message.from_user_id, &system.user_id), system.user_id.clone()),
        (old(&message.from_parent_user_id, &system.parent_user_id), system.parent_user_id.clone()),
    ];
    pairs.into_iter().filter_map(|(old, new)| pair(&old?, &new?, account)).collect()
}

/// The changes of an update of ids.
pub(super) fn of_update(update: &CloudIdUpdate, account: &Account) -> Vec<(Address, Address)> {
    let changes = [&update.user_id, &update.parent_user_id];
    let pair = |change: &CloudIdChange| pair(&change.previous, &change.current, account);
    changes.into_iter().flatten().filter_map(pair).collect()
}

/// Two addresses of one kind that are not the same.
fn pair(old: &str, new: &str, account: &Account) -> Option<(Address, Address)> {
    let (old, new) = (Address::new(account, old).ok()?, Address::new(account, new).ok()?);
    let is_number = |address: &Address| address.kind() == AddressKind::Phone;
    (is_number(&old) == is_number(&new) && !old.is_same(&new)).then_some((old, new))
}

/// The two ids in words such as `User Ada changed from US.1 to US.2`; a name may hold the same
/// words.
fn told(system: &CloudSystem) -> Option<(&str, &str)> {
    let (rest, new) = system.body.as_deref()?.trim().rsplit_once(" to ")?;
    let (_, old) = rest.rsplit_once(" from ")?;
    Some((old.trim(), new.trim()))
}
