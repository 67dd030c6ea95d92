//! The scripts, each with the parts that it shares with others.

use std::sync::OnceLock;

use redis::Cmd;

use crate::errors::AccessKind;

const COMMON: &str = include_str!("lua/common.lua");

/// A script that the server runs alone.
pub(super) struct Script {
    /// The operation, for errors: `cannot …`.
    pub(super) what: &'static str,
    pub(super) kind: AccessKind,
    body: &'static str,
    whole: OnceLock<(String, redis::Script)>,
}

impl Script {
    const fn new(what: &'static str, kind: AccessKind, body: &'static str) -> Self {
        Self { what, kind, body, whole: OnceLock::new() }
    }

    fn whole(&self) -> &(String, redis::Script) {
        self.whole.get_or_init(|| {
            let text = [COMMON, self.body].concat();
            let script = redis::Script::new(&text);
            (text, script)
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.whole().0
    }

    pub(super) fn hash(&self) -> &str {
        self.whole().1.get_hash()
    }

    pub(super) fn call(&self, command: &str, script: &str, root: &str, args: &[Vec<u8>]) -> Cmd {
        let mut call = redis::cmd(command);
        call.arg(script).arg(1).arg(root);
        for arg in args {
            call.arg(arg.as_slice());
        }
        call
    }
}

macro_rules! scripts {
    ($($name:ident: $kind:ident $what:literal $file:literal)*) => {
        $(pub(super) static $name: Script = Script::new($what, AccessKind::$kind, include_str!($file));)*
    };
}

scripts! {
    LOAD: Read "look a conversation up" "lua/load.lua"
    COMMIT: Write "write a conversation" "lua/commit.lua"
    SETTLE: Write "settle what was delivered" "lua/settle.lua"
    CLAIM: Write "claim what is due" "lua/claim.lua"
    LIVE: Write "wake live sessions" "lua/live.lua"
    PURGE: Write "remove what is old" "lua/purge.lua"
    ERASE: Write "forget a contact" "lua/erase.lua"
    SESSIONS: Read "list sessions" "lua/sessions.lua"
    SESSION: Read "look sessions up" "lua/session.lua"
    JOURNAL_OF: Read "read a flow's journal" "lua/journal_of.lua"
    CONVERSATIONS: Read "list conversations" "lua/conversations.lua"
    COUNTS: Read "read counters" "lua/counts.lua"
    FLOWS: Read "read the flows" "lua/flows.lua"
    SAVE: Write "save flows" "lua/save.lua"
}
