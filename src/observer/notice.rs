//! Notices: things that an author should look at, in words.

use crate::observer::EventKind;

impl EventKind {
    /// Returns a hint for the author of the flow, if the event is one: what was read and has no
    /// value, what was cut, refused or left out.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        Some(match self {
            // Flows ask for answers that may be absent.
            EventKind::UndefinedVariable { name, .. } if name.starts_with("reply") => return None,
            EventKind::UndefinedVariable { node, name, .. } => {
                format!("node {:?}: reads `{name}`, which has no value", node.as_str())
            }
            EventKind::NoResult { node, operator, .. } => {
                format!("node {:?}: `{operator}` comes to nothing", node.as_str())
            }
            EventKind::ChoicesAdjusted { node, why, count, .. } => {
                format!("node {:?}: choices that did not fit: {count} ({why})", node.as_str())
            }
            EventKind::ContentCut { node, part, .. } => {
                format!("node {:?}: `{part}` is too long for the channel, and was cut", node.as_str())
            }
            EventKind::ContentRefused { node, part, fault, .. } => {
                format!("node {:?}: `{part}` {}, and nothing was sent", node.as_str(), fault.says())
            }
            EventKind::ListCut { node, given, kept, .. } => {
                format!("node {:?}: takes {kept} of {given} items", node.as_str())
            }
            EventKind::InputDropped { key, .. } => {
                format!("the context's `{key}` is not an input of the flow")
            }
            EventKind::Logged { node, level, text, .. } => {
                format!("node {:?}: {}: {text}", node.as_str(), level.as_str())
            }
            EventKind::DeadLettered { .. } => "a message was given up".to_owned(),
            _ => return None,
        })
    }
}
