//! The acts of a talk: by the contact, the clock, the host.

use std::fmt;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

use super::text::{beside, marked, said, span};

/// Something that is done in a talk, by the contact, the clock or the host.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Act {
    /// The contact writes: `> hello`.
    Say(String),
    /// The contact chooses what was offered, by its label: `> [Yes]`.
    Choose(String),
    /// The contact sends something else than text: `> {"location": {…}}`. One of `text`, `media`
    /// (with `caption`), `location`, `choice`, `form` (with `token`), `order`, `contacts`,
    /// `reaction` and `other`; `meta` beside it.
    Send(Value),
    /// Time passes, from one due time to the next: `@ +31m`. The clock goes back by `@ -5m`.
    Pass(TimeDelta),
    /// Time passes until then: `@ 2026-05-07T09:00:00Z`. Before anything else it is the time at
    /// which the talk begins.
    At(DateTime<Utc>),
    /// Time passes while nothing ticks: `! asleep 2h`.
    Asleep(TimeDelta),
    /// The flow is started by call, with this context: `! context {"name": "Ada"}`.
    Context(Value),
    /// The profile of the contact: `! profile {"language": "de"}`.
    Profile(Value),
    /// The language that the contact reads: `! language de`.
    Language(String),
    /// The host answers the call that waits, else its next one: `! now {"status": "packed"}`.
    Now(Value),
    /// The same, and names a branch: `! branch not_found`, or `! branch found {"id": 7}`.
    Branch {
        /// The branch.
        branch: String,
        /// The value beside it, null for none.
        value: Value,
    },
    /// The call that waits, else the next one, fails: `! failed no database`.
    Failed(String),
    /// The host answers its next call later: `! later`.
    Later,
    /// The host answers its last call, whether anybody still waits for it: `! result 5`.
    Result(Value),
    /// A person gives the contact back: `! back {"solved": true}`.
    Back(Value),
    /// The person who has the contact says something: `! touch`.
    Touch,
    /// The channel refuses the next message: `! refuse no such number`.
    Refuse(String),
    /// The channel's window is closed to the next message: `! window`.
    Window,
    /// The channel reports on the last message: `! report read`, `delivered`, `window_closed`, or
    /// the code of a failure.
    Report(String),
    /// The flow is published with another text in it: `! publish old -> new`.
    Publish {
        /// The text.
        old: String,
        /// The text there instead.
        new: String,
    },
    /// A flow is taken offline: `! unpublish drain menu`, or `terminate`.
    Unpublish {
        /// True if its sessions may run to their end.
        drains: bool,
        /// The flow.
        flow: String,
    },
    /// The channel's id of the contact's next message: `! id wamid.1`.
    Id(String),
    /// The time that the contact's next message was on its way: `! age 2h`.
    Age(TimeDelta),
    /// A name for a text of later lines, where it is written `$NAME`: `! let cart "4711"`.
    Let {
        /// The name.
        name: String,
        /// The text, or another value.
        value: Value,
    },
    /// The version of the dialect: `! talk 1`.
    Version(u32),
}

impl Act {
    /// True if a flow that a call starts is started after it and not before it, as long as nothing
    /// else has happened.
    pub(crate) fn is_preparation(&self) -> bool {
        use Act::{
            Age, Branch, Context, Failed, Id, Language, Later, Let, Now, Profile, Refuse, Version, Window,
        };
        matches!(
            self,
            Context(_)
                | Profile(_)
                | Language(_)
                | Now(_)
                | Branch { .. }
                | Failed(_)
                | Later
                | Refuse(_)
                | Window
                | Id(_)
                | Age(_)
                | Let { .. }
                | Version(_)
        )
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match self {
            Self::Say(text) => return marked(f, '>', &said(text)),
            Self::Choose(label) => return marked(f, '>', &format!("[{label}]")),
            Self::Send(value) => return marked(f, '>', &value.to_string()),
            Self::Pass(time) => return write!(f, "@ {}", span(*time)),
            Self::At(instant) => {
                return write!(f, "@ {}", instant.to_rfc3339_opts(SecondsFormat::AutoSi, true));
            }
            Self::Asleep(time) => format!("asleep {}", span(*time).trim_start_matches('+')),
            Self::Context(value) => format!("context {value}"),
            Self::Profile(value) => format!("profile {value}"),
            Self::Language(tag) => format!("language {tag}"),
            Self::Now(value) => format!("now {value}"),
            Self::Branch { branch, value } => format!("branch {branch}{}", beside(value)),
            Self::Failed(reason) => format!("failed {reason}"),
            Self::Later => "later".to_owned(),
            Self::Result(value) => format!("result {value}"),
            Self::Back(value) => format!("back {value}"),
            Self::Touch => "touch".to_owned(),
            Self::Refuse(reason) => format!("refuse {reason}"),
            Self::Window => "window".to_owned(),
            Self::Report(code) => format!("report {code}"),
            Self::Publish { old, new } => format!("publish {old} -> {new}"),
            Self::Unpublish { drains: true, flow } => format!("unpublish drain {flow}"),
            Self::Unpublish { drains: false, flow } => format!("unpublish terminate {flow}"),
            Self::Id(id) => format!("id {id}"),
            Self::Age(time) => format!("age {}", span(*time).trim_start_matches('+')),
            Self::Let { name, value } => format!("let {name} {value}"),
            Self::Version(version) => format!("talk {version}"),
        };
        marked(f, '!', &order)
    }
}
