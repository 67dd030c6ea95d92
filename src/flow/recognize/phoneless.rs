//! What stands for the search for telephone numbers in a build without the feature
//! `phone-numbers`: there is none, so no compiled flow looks for one.

use std::ops::Range;

use serde_json::Value;

use crate::flow::form::issue::Diagnostics;
use crate::flow::form::path::{Path, brief};

const FEATURE: &str = "phone-numbers";

/// Where a number without a calling code is at home: nowhere.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Home {}

impl Home {
    /// Always none, with an issue: which regions there are is not known here.
    pub(crate) fn named(region: &str, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        found.lacks_feature(at, format_args!("the region {:?}", brief(region)), FEATURE);
        None
    }
}

/// A search for telephone numbers: there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PhoneFinder {}

/// A number that was found: there is none.
#[derive(Clone, Debug)]
pub(crate) enum PhoneNumber {}

impl PhoneFinder {
    /// Always none, with an issue at what asks for the search.
    pub(crate) fn new(
        _home: Option<Home>,
        at: &Path<'_>,
        what: &str,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        found.lacks_feature(at, what, FEATURE);
        None
    }

    pub(crate) fn first(self, _text: &str) -> Option<PhoneNumber> {
        match self {}
    }

    pub(super) fn all(self, _text: &str) -> Vec<(Range<usize>, PhoneNumber)> {
        match self {}
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
