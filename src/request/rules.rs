//! Rules that triggers and inbound messages share.

use chrono::{DateTime, Utc};

use crate::error::Error;
use crate::limits::Limits;
use crate::session::Profile;
use crate::value::PackError;

/// The rule that a trigger without a contact breaks, up to the places of the context where the
/// start node looks for one.
pub(crate) const NO_CONTACT: &str = "must be given: a `contact_id`, a `phone` or an `address`";

/// A value that cannot be taken, by the place in it that is wrong.
pub(crate) fn bad_value(field: &'static str, error: &PackError) -> Error {
    let rule = error.to_string();
    match error.at().filter(|at| !at.is_empty()) {
        Some(at) => {
            let rule = rule.strip_prefix(&format!("`{at}` ")).unwrap_or(&rule);
            let dot = if at.starts_with('[') { "" } else { "." };
            Error::invalid(format!("{field}{dot}{at}"), rule)
        }
        None => Error::invalid(field, rule),
    }
}

/// Instants that a text form can hold: years 1970 to 9999.
pub(super) fn check_instant(field: &'static str, at: Option<DateTime<Utc>>) -> Result<(), Error> {
    const YEAR_10000: i64 = 253_402_300_800;
    match at {
        Some(at) if !(0..YEAR_10000).contains(&at.timestamp()) => {
            Err(Error::invalid(field, "must be between 1970 and 9999"))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_profile(profile: Option<&Profile>, limits: &Limits) -> Result<(), Error> {
    let Some(profile) = profile else { return Ok(()) };
    for (field, text) in [
        ("profile.name", &profile.name),
        ("profile.email", &profile.email),
        ("profile.language", &profile.language),
        ("profile.timezone", &profile.timezone),
    ] {
        if text.as_ref().is_some_and(|text| text.len() > limits.id_bytes) {
            return Err(Error::invalid(field, format_args!("must have at most {} bytes", limits.id_bytes)));
        }
    }
    for (field, labels) in [("profile.tags", &profile.tags), ("profile.groups", &profile.groups)] {
        if labels.len() > 100 || labels.iter().any(|label| label.len() > limits.id_bytes) {
            return Err(Error::invalid(
                field,
                format_args!("must be at most 100, of at most {} bytes", limits.id_bytes),
            ));
        }
    }
    if profile.fields.byte_len() > limits.variable_bytes {
        return Err(Error::invalid(
            "profile.fields",
            format_args!("must take at most {} bytes", limits.variable_bytes),
        ));
    }
    Ok(())
}
