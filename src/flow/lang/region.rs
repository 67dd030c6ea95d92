//! The region where telephone numbers without a calling code are at home, as an author names it.

use crate::address::Home;
use crate::flow::lang::template::Template;

/// A region as an author names it.
#[derive(Clone, Debug)]
pub(crate) enum HomeRegion {
    /// The same for everybody.
    Fixed(Home),
    /// The region that this gives; where it names no region there is none.
    From(Template),
}
