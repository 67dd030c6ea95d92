//! The place of the search for telephone numbers in a build without the feature `phone-numbers`:
//! there is none, so no compiled flow looks for one.

use std::ops::Range;

use serde_json::Value;

use crate::address::{Home, Phone};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::path::Path;

const FEATURE: &str = "phone-numbers";

/// A search for telephone numbers: there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PhoneFinder;

/// A number that was found: there is none.
#[derive(Clone, Debug)]
pub(crate) enum PhoneNumber {}

impl PhoneFinder {
    pub(crate) fn at_home(_home: Option<Home>) -> Self {
        Self
    }

    /// False, with an issue at what asks for the search.
    pub(crate) fn is_there(at: &Path<'_>, what: &str, found: &mut Diagnostics) -> bool {
        found.lacks_feature(at, what, FEATURE);
        false
    }

    pub(crate) fn first(self, _text: &str) -> Option<PhoneNumber> {
        None
    }

    pub(crate) fn only(self, _text: &str) -> Option<Phone> {
        None
    }

    pub(super) fn all(self, _text: &str) -> Vec<(Range<usize>, PhoneNumber)> {
        Vec::new()
    }
}

impl PhoneNumber {
    pub(crate) fn to_json(&self) -> Value {
        match *self {}
    }

    pub(super) fn e164(&self) -> String {
        match *self {}
    }
}
