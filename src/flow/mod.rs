//! What a flow is made of.

#[allow(dead_code, reason = "its callers come with the compiled flow")]
pub(crate) mod expr;
#[allow(dead_code, reason = "its callers come with the compiled flow")]
pub(crate) mod template;
