//! Every limit of the crate, with its default and the reason for it.

use std::time::Duration;

/// The maxima that a host may change ([SEMANTICS S7](crate::semantics#s7)). The defaults suit
/// third-party flows and untrusted contacts.
///
/// ```
/// let limits = chatflow::limits::Limits { nodes_per_turn: 50, ..Default::default() };
/// assert_eq!(limits.nodes, 1_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a flow's JSON, checked before it is parsed: parsing multiplies size by about
    /// twelve.
    pub flow_bytes: usize,
    /// Nodes of a flow.
    pub nodes: usize,
    /// Edges of a flow.
    pub edges: usize,
    /// Nodes that one turn may visit; a turn beyond fails its session and sends nothing.
    pub nodes_per_turn: u32,
    /// Turns of a session, so that slow loops end too.
    pub turns_per_session: u32,
    /// Flows of a session that wait for one they called: how deeply calls nest
    /// ([N9](crate::semantics#n9)).
    pub subflow_frames: usize,
    /// Bytes of a session's context, and of its variables, each; those of flows that wait for a
    /// called one count.
    pub variable_bytes: usize,
    /// Depth of a JSON value in context, variables and answers of calls.
    pub depth: usize,
    /// Bytes of a stored conversation, as encoded.
    pub conversation_bytes: usize,
    /// Live sessions of one conversation.
    pub live_sessions: usize,
    /// Unsent messages of one conversation.
    pub unsent_messages: usize,
    /// Bytes of a text that comes in.
    pub text_bytes: usize,
    /// Bytes of an id, a key or an address.
    pub id_bytes: usize,
    /// Characters of one rendered template, ten times as many of a plain text; what is beyond is
    /// cut.
    pub template_chars: usize,
    /// Bytes of the source of one template or expression.
    pub template_bytes: usize,
    /// Nesting of an expression or a condition.
    pub expression_depth: usize,
    /// Steps that the evaluation of one template or expression may take.
    pub expression_steps: u32,
    /// Bytes of a regular expression's source.
    pub regex_bytes: usize,
    /// Bytes of a text that a regular expression is matched against; a longer one is cut at a
    /// character's boundary.
    pub regex_text_bytes: usize,
    /// Inbound message ids that a conversation remembers ([I2](crate::semantics#i2)).
    pub remembered_ids: usize,
    /// Duration for which they are remembered ([I2](crate::semantics#i2)): the longest time that a
    /// channel redelivers for.
    pub remember_ids_for: Duration,
    /// Messages that wait for a session's next question ([I5](crate::semantics#i5)).
    pub queued_messages: usize,
    /// Maximum age of an inbound message that answers or starts anything
    /// ([I12](crate::semantics#i12)).
    pub max_message_age: Duration,
    /// The longest life of a session, whatever its TTL ([S1](crate::semantics#s1)).
    pub max_lifetime: Duration,
    /// The longest time a trigger's key is kept ([T5](crate::semantics#t5)).
    pub max_key_retention: Duration,
    /// Undelivered messages that are kept as dead letters in one conversation; the oldest go first.
    pub dead_letters: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            flow_bytes: 1 << 20,
            nodes: 1_000,
            edges: 4_000,
            nodes_per_turn: 100,
            turns_per_session: 500,
            subflow_frames: 8,
            variable_bytes: 64 << 10,
            depth: 16,
            conversation_bytes: 1 << 20,
            live_sessions: 16,
            unsent_messages: 200,
            text_bytes: 16 << 10,
            id_bytes: 256,
            template_chars: 10_000,
            template_bytes: 16 << 10,
            expression_depth: 32,
            expression_steps: 10_000,
            regex_bytes: 256,
            regex_text_bytes: 4 << 10,
            remembered_ids: 64,
            remember_ids_for: Duration::from_secs(7 * DAY),
            queued_messages: 8,
            max_message_age: Duration::from_secs(DAY),
            max_lifetime: Duration::from_secs(30 * DAY),
            max_key_retention: Duration::from_secs(30 * DAY),
            dead_letters: 100,
        }
    }
}
