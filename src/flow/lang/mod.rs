//! The language of flows: expressions, templates, conditions and patterns, and what compiling them
//! needs to know. What must not live here: the nodes that use them.

pub(crate) mod calendar;
pub(crate) mod condition;
pub(crate) mod context;
pub(crate) mod expr;
pub(crate) mod foreign;
pub(crate) mod json_template;
pub(crate) mod language;
pub(crate) mod moment;
pub(crate) mod names;
pub(crate) mod normal;
pub(crate) mod number;
pub(crate) mod operator;
pub(crate) mod pattern;
pub(crate) mod region;
pub(crate) mod render;
pub(crate) mod template;
pub(crate) mod times;
pub(crate) mod undefined;
pub(crate) mod until;
pub(crate) mod zone;
pub(crate) mod zone_template;
