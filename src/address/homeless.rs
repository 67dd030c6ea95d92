//! The place of regions in a build without the feature `phone-numbers`: there are none.

use crate::address::phone::Phone;

/// The region where a number without a calling code is at home: there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Home {}

impl Home {
    /// None: the regions that there are, are not known here.
    pub(crate) fn of(_region: &str) -> Option<Self> {
        None
    }

    pub(crate) fn read(self, _text: &str) -> Option<Phone> {
        match self {}
    }
}
