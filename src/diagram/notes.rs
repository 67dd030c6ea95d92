//! The settings of a flow as a picture shows them: lines at its start, and notes beside it, each
//! with an arrow to the node that it leads to from anywhere.

use serde_json::Value;

use crate::diagram::rules;
use crate::flow::{
    Clash, Concurrency, KeywordAction, KeywordDef, Lifetime, ReentryDef, SettingsDef, Trigger,
};

/// A note beside the nodes.
pub(super) struct Note {
    /// Its purpose in words.
    pub(super) kind: &'static str,
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    /// The node that it leads to.
    pub(super) to: Option<String>,
}

/// The notes of the settings, in the order of their fields.
pub(super) fn of(settings: &SettingsDef) -> Vec<Note> {
    let words = settings.keywords.as_deref().unwrap_or_default();
    let (leading, plain): (Vec<&KeywordDef>, Vec<&KeywordDef>) =
        words.iter().partition(|word| word.node.is_some());
    let mut notes: Vec<Note> = leading.into_iter().map(keyword).collect();
    if !plain.is_empty() {
        let lines = plain.iter().map(|word| format!("{}: {}", quoted(word), meaning(word.action)));
        notes.push(Note { kind: "", title: "keywords".to_owned(), lines: lines.collect(), to: None });
    }
    let entry =
        |kind, title: String, node: &str| Note { kind, title, lines: Vec::new(), to: Some(node.to_owned()) };
    let reminder = settings
        .reminder
        .as_ref()
        .map(|reminder| entry("reminder", format!("{} before it expires", reminder.before), &reminder.node));
    let on_error =
        settings.on_error.as_ref().map(|last| entry("last words", "if it fails".to_owned(), &last.node));
    let on_expire =
        settings.on_expire.as_ref().map(|last| entry("last words", "if it expires".to_owned(), &last.node));
    notes.extend(reminder.into_iter().chain(on_error).chain(on_expire));
    notes
}

fn keyword(word: &KeywordDef) -> Note {
    let line = if word.action == KeywordAction::Say { "says this, then asks again" } else { "from anywhere" };
    Note { kind: "keyword", title: quoted(word), lines: vec![line.to_owned()], to: word.node.clone() }
}

fn quoted(word: &KeywordDef) -> String {
    word.words.iter().map(|word| format!("“{word}”")).collect::<Vec<_>>().join(", ")
}

fn meaning(action: KeywordAction) -> &'static str {
    match action {
        KeywordAction::OptOut => "opts out",
        KeywordAction::OptIn => "opts in",
        KeywordAction::Cancel => "cancels",
        KeywordAction::Restart => "starts again",
        KeywordAction::Handoff => "asks for a person",
        KeywordAction::Jump | KeywordAction::Say => "leads on",
    }
}

/// The lines of the start: the messages or the call that begin the flow, and how its sessions live.
/// `written`: the trigger as a flow file has it.
pub(super) fn beginning(trigger: &Trigger, written: Option<&Value>, settings: &SettingsDef) -> Vec<String> {
    let mut lines = match trigger.channel() {
        Some(channel) => vec![format!("by a message on {channel}")],
        None => vec!["by call".to_owned()],
    };
    lines.extend(written.into_iter().flat_map(rules::trigger).map(|rule| format!("▸ {rule}")));
    lines.extend(lifetime(settings));
    lines.extend(settings.quiet_hours.as_ref().map(|quiet| format!("quiet {}", quiet.0.join(", "))));
    lines.extend(match &settings.reentry {
        None | Some(ReentryDef::Always) => None,
        Some(ReentryDef::OnceEver) => Some("once ever for a contact".to_owned()),
        Some(ReentryDef::Cooldown(span)) => Some(format!("again after {}", span)),
    });
    lines.extend(
        match settings.concurrency {
            None | Some(Concurrency::PerFlow) => None,
            Some(Concurrency::PerContact(Clash::Reject)) => Some("not beside another flow"),
            Some(Concurrency::PerContact(Clash::Interrupt)) => Some("ends the contact's other flow"),
            Some(Concurrency::Unlimited) => Some("any number at a time"),
        }
        .map(str::to_owned),
    );
    lines
}

/// The time that a session waits for an answer, if the flow says so.
fn lifetime(settings: &SettingsDef) -> Option<String> {
    match settings.session_ttl_minutes {
        Some(0) => None,
        Some(minutes) => Some(format!("expires after {}", minutes_in_words(minutes))),
        None if settings.lifetime == Some(Lifetime::None) => None,
        None => Some(format!("expires after {}", minutes_in_words(30))),
    }
}

fn minutes_in_words(minutes: u32) -> String {
    match minutes {
        minutes if minutes % (24 * 60) == 0 => format!("{}d", minutes / (24 * 60)),
        minutes if minutes % 60 == 0 => format!("{}h", minutes / 60),
        minutes => format!("{minutes}m"),
    }
}
