//! A time zone that an author names, or that a template gives.

use crate::flow::form::path::Path;
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;
use crate::flow::lang::zone::Zone;

/// A time zone, known when the flow is compiled or when a session comes to it.
#[derive(Clone, Debug)]
pub(crate) enum ZoneTemplate {
    /// This one.
    Known(Zone),
    /// The one of this name.
    Named(Template),
}

impl ZoneTemplate {
    /// A zone by its name, or a template; none with an issue.
    pub(crate) fn compile(source: &str, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<Self> {
        let template = cx.template(at, source)?;
        match template.as_literal() {
            Some(name) => Zone::named(name, at, cx.found).map(Self::Known),
            None => Some(Self::Named(template)),
        }
    }
}
