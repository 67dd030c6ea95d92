//! Words that mean something at any point of a talk: opting out, starting over, a person
//! (SEMANTICS I6). A flow has its own, a host has those of every conversation.

mod opt_out;

use std::borrow::Cow;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::Serialize;
use serde_json::Value;

use crate::flow::answer::{is_politeness, may_be_polite, without_politeness};
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::issue::IssueCode;
use crate::flow::form::path::{Path, brief};
use crate::flow::form::read::{Fields, Read, words};
use crate::flow::lang::context::Compile;
use crate::flow::lang::normal::{key, without_accents};
use crate::id::NodeId;

/// Bytes of the longest keyword.
const MOST_BYTES: usize = 64;
/// Bytes of a message that may be one: letters may take more bytes than those that they are
/// compared as.
const MOST_MESSAGE_BYTES: usize = 4 * MOST_BYTES;

/// Keywords of a flow, as they are written:
/// `{"words": ["menu"], "action": "jump", "node": "menu"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeywordDef {
    /// The words, each a whole message; compared in its normal form, without punctuation and emoji
    /// around it ([SEMANTICS U2](crate::semantics#u2)); what is none may be one said politely or
    /// without its accents ([SEMANTICS I6](crate::semantics#i6)).
    pub words: Vec<String>,
    /// Their action.
    pub action: KeywordAction,
    /// The node that a `jump` goes to, or that a `say` begins at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

words! {
    /// The action of a keyword ([SEMANTICS I6](crate::semantics#i6)).
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    KeywordAction {
        /// Ends all sessions; nothing is sent any more.
        OptOut = "opt_out",
        /// Takes that back.
        OptIn = "opt_in",
        /// Ends the session.
        Cancel = "cancel",
        /// Ends the session and starts its flow anew.
        Restart = "restart",
        /// Goes to a node.
        Jump = "jump",
        /// Says something, and stays at the question.
        Say = "say",
        /// Hands over to a person of the host.
        Handoff = "handoff",
    }
}

/// The keywords of every conversation of an engine, beside those of flows. By default the words of
/// [texts.md](https://docs.rs/crate/chatflow/latest/source/docs/texts.md) opt out in thirty
/// languages, `stop`, `unsubscribe` and `arrêt` among them, and `start` and `unstop` take that
/// back.
///
/// Words that may be an everyday answer (`cancel`, `end`, `quit`) opt out by default unless the
/// flow gives them a meaning, as a keyword or as a choice; words that a host names opt out always
/// ([SEMANTICS U5](crate::semantics#u5)).
///
/// ```
/// use chatflow::flow::Keywords;
/// use chatflow::{Engine, MemoryStore};
///
/// let keywords = Keywords::default().opt_out(["no more"]).cancel(["cancel", "quit"]);
/// let bot = Engine::builder(MemoryStore::new()).keywords(keywords.handoff(["agent"])).build();
/// let fewer = Keywords::default().without(["end"]);
/// # let _ = fewer;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Keywords(HashMap<Box<str>, Keyword, FixedState>);

/// The action of one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keyword {
    pub(crate) action: KeywordAction,
    /// True if a meaning that a flow gives the word goes before this one.
    pub(crate) yields: bool,
    /// True if it means this alone: with politeness it is an answer.
    is_everyday: bool,
    /// True if it is a word without its accents, which nobody named so.
    is_folded: bool,
    /// Where a jump goes.
    pub(crate) node: Option<NodeId>,
}

impl Default for Keywords {
    fn default() -> Self {
        let mut keywords = Self::none();
        for words in opt_out::OPT_OUT {
            for (list, yields, is_everyday) in
                [(words.certain, false, false), (words.of_buttons, true, false), (words.everyday, true, true)]
            {
                for word in list.split('|').filter(|word| !word.is_empty()) {
                    keywords = keywords.opt_out([word]);
                    for keyword in forms(word) {
                        let keyword = keywords.0.get_mut(&keyword).into_iter();
                        keyword.for_each(|keyword| {
                            (keyword.yields, keyword.is_everyday) = (yields, is_everyday);
                        });
                    }
                }
            }
        }
        keywords.opt_in(opt_out::OPT_IN)
    }
}

impl Keywords {
    /// No words at all. A host without words of opting out has to call
    /// [`Engine::opt_out`](crate::Engine::opt_out) itself.
    pub fn none() -> Self {
        Self(HashMap::default())
    }

    /// Without these words, which then are like any other.
    pub fn without<W: AsRef<str>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        for [form, folded] in words.into_iter().map(|word| forms(word.as_ref())) {
            self.0.remove(&form);
            // Another word that was named stays.
            let is_the_same = |keyword: &Keyword| keyword.is_folded || folded.starts_with(is_arabic);
            if self.0.get(&folded).is_some_and(is_the_same) {
                self.0.remove(&folded);
            }
        }
        self
    }

    /// Words that end all sessions, and after which nothing is sent any more
    /// ([SEMANTICS T10](crate::semantics#t10)).
    pub fn opt_out<W: AsRef<str>>(self, words: impl IntoIterator<Item = W>) -> Self {
        self.with(words, KeywordAction::OptOut, None)
    }

    /// Words that take an opt-out back; of a contact that did not opt out they are words like any
    /// other.
    pub fn opt_in<W: AsRef<str>>(self, words: impl IntoIterator<Item = W>) -> Self {
        self.with(words, KeywordAction::OptIn, None)
    }

    /// Words that end all sessions.
    pub fn cancel<W: AsRef<str>>(self, words: impl IntoIterator<Item = W>) -> Self {
        self.with(words, KeywordAction::Cancel, None)
    }

    /// Words that end the newest session and start its flow anew.
    pub fn restart<W: AsRef<str>>(self, words: impl IntoIterator<Item = W>) -> Self {
        self.with(words, KeywordAction::Restart, None)
    }

    /// Words that hand the newest session over to a person.
    pub fn handoff<W: AsRef<str>>(self, words: impl IntoIterator<Item = W>) -> Self {
        self.with(words, KeywordAction::Handoff, None)
    }

    /// Words that take the newest session whose flow has this node to it.
    pub fn jump<W: AsRef<str>>(self, node: NodeId, words: impl IntoIterator<Item = W>) -> Self {
        self.with(words, KeywordAction::Jump, Some(node))
    }

    /// A word that has a meaning gets this one instead.
    fn with<W: AsRef<str>>(
        mut self,
        words: impl IntoIterator<Item = W>,
        action: KeywordAction,
        node: Option<NodeId>,
    ) -> Self {
        for word in words {
            let keyword =
                Keyword { action, yields: false, is_everyday: false, is_folded: false, node: node.clone() };
            let [form, folded] = forms(word.as_ref());
            if folded != form {
                self.add_folded(folded, &keyword);
            }
            self.0.insert(form, keyword);
        }
        self
    }

    /// Adds a word without its accents, unless it has a meaning or two words may be meant. A word
    /// of opting out lacks those of Arabic letters alone, in which no other word is spelt so.
    fn add_folded(&mut self, folded: Box<str>, keyword: &Keyword) {
        /// Of a short word without its accents nothing is left that is certain: `là`, `hủy`.
        const LEAST: usize = 4;
        let is_sure = match keyword.action {
            KeywordAction::OptOut => folded.starts_with(is_arabic),
            _ => folded.chars().count() >= LEAST,
        };
        if !is_sure {
            return;
        }
        match self.0.get(&folded) {
            None => {
                let is_folded = keyword.action != KeywordAction::OptOut;
                self.0.insert(folded, Keyword { is_folded, ..keyword.clone() });
            }
            Some(other)
                if other.is_folded && (other.action, &other.node) != (keyword.action, &keyword.node) =>
            {
                self.0.remove(&folded);
            }
            Some(_) => {}
        }
    }

    /// Returns the keyword of a word, as [`keyword_form`] gives it; also of one that is said
    /// politely or without its accents, of opting out also twice, or with another form of an Arabic
    /// letter (SEMANTICS I6, U5).
    pub(crate) fn find(&self, word: &str) -> Option<&Keyword> {
        if self.0.is_empty() {
            return None;
        }
        let found = self.named(word);
        // Politeness is a word beside others, or of a script that is written without blanks.
        let is_one_word = || word.bytes().all(|byte| byte.is_ascii() && byte != b' ');
        if found.is_some() || is_one_word() {
            return found;
        }
        self.within(word).or_else(|| self.politely(word))
    }

    /// True if a word is a keyword as it was named.
    pub(crate) fn names(&self, word: &str) -> bool {
        self.named(word).is_some_and(|keyword| !keyword.is_folded)
    }

    fn named(&self, word: &str) -> Option<&Keyword> {
        match self.0.get(word) {
            None if word.starts_with(is_arabic) => {
                let keyword = self.0.get(&*without_accents(word));
                keyword.filter(|keyword| keyword.is_folded || keyword.action == KeywordAction::OptOut)
            }
            found => found,
        }
    }

    fn opting_out(&self, word: &str) -> Option<&Keyword> {
        self.0.get(word).filter(|keyword| keyword.action == KeywordAction::OptOut)
    }

    /// The keyword with politeness around it, or with a particle behind it that is no more:
    /// `menu please`, `bitte abmelden`, `退订谢谢`. Everyday words of opting out are none: `cancel
    /// please` may be about an order; nor are words of opting in.
    #[cold]
    fn politely(&self, message: &str) -> Option<&Keyword> {
        if !may_be_polite(message) {
            return None;
        }
        let keyword = self.named(&without_politeness(message)?)?;
        (!keyword.is_everyday && keyword.action != KeywordAction::OptIn).then_some(keyword)
    }

    /// The word of opting out in a message of a few words, of which the others say nothing more:
    /// `stop please`, `STOP STOP`, `stop now`. Everyday words are none: `cancel it please` may
    /// be about an order.
    fn within(&self, message: &str) -> Option<&Keyword> {
        /// Words of the longest such message.
        const MOST_WORDS: usize = 5;
        if !message.contains(' ') {
            return None;
        }
        let words: Vec<&str> = message
            .split([' ', ',', '.', '!'])
            .filter(|word| !word.is_empty())
            .take(MOST_WORDS + 1)
            .collect();
        if words.len() > MOST_WORDS {
            return None;
        }
        let certain = |word: &str| self.opting_out(word).filter(|keyword| !keyword.yields);
        let is_idle = |words: &[&str]| {
            words.iter().all(|word| IDLE.contains(word) || certain(word).is_some() || is_politeness(word))
                || is_politeness(&words.join(" "))
        };
        let ranges =
            (0..words.len()).flat_map(|start| (start + 1..=words.len()).map(move |end| (start, end)));
        ranges.into_iter().find_map(|(start, end)| {
            let keyword = certain(&words.get(start..end)?.join(" "))?;
            (is_idle(words.get(..start)?) && is_idle(words.get(end..)?)).then_some(keyword)
        })
    }
}

/// Words beside one of opting out that say nothing more.
const IDLE: &[&str] = &[
    "now",
    "me",
    "already",
    "ok",
    "okay",
    "hi",
    "hello",
    "ya",
    "ahora",
    "já",
    "agora",
    "jetzt",
    "sofort",
    "maintenant",
    "adesso",
    "ora",
    "nu",
    "teraz",
    "сейчас",
    "sekarang",
    "po",
    "kak",
    "mersi",
    "te",
    "rog",
];

/// A word as it is compared, and without its accents.
fn forms(word: &str) -> [Box<str>; 2] {
    let form = key(word);
    let folded = without_accents(&form).into();
    [form.into(), folded]
}

fn is_arabic(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{64a}')
}

/// A message as keywords are compared; none if it is too long for one.
pub(crate) fn keyword_form(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    (text.len() <= MOST_MESSAGE_BYTES).then(|| key(text)).filter(|word| !word.is_empty())
}

/// Compiles a flow's keywords; each word has one meaning.
pub(crate) fn compile(defs: &[KeywordDef], at: &Path<'_>, cx: &mut Compile<'_>) -> Keywords {
    let mut keywords = Keywords::none();
    for (place, def) in defs.iter().enumerate() {
        let at = at.item(place);
        let node = def.check_node(&at, cx);
        let list = at.key("words");
        if def.words.is_empty() {
            cx.found.add(IssueCode::BadValue, &list, "has no word", "write a word, or remove the keyword");
        }
        for (index, word) in def.words.iter().enumerate() {
            let at = list.item(index);
            let form = key(word);
            if form.is_empty() || word.len() > MOST_BYTES {
                let message = format!("must be a word of 1-{MOST_BYTES} bytes");
                cx.found.add(IssueCode::BadValue, &at, message, "write another word, or remove it");
            } else if keywords.names(&form) {
                let message = format!("gives the keyword {:?} a second meaning", brief(word.trim()));
                cx.found.add(IssueCode::DuplicateBranch, &at, message, "keep one of the two");
            } else {
                keywords = keywords.with([word], def.action, node.clone());
            }
        }
    }
    keywords
}

impl KeywordDef {
    fn check_node(&self, at: &Path<'_>, cx: &mut Compile<'_>) -> Option<NodeId> {
        let at = at.key("node");
        match (&self.node, self.action) {
            (Some(node), KeywordAction::Jump) => {
                cx.side_entry(&at, "jumps", node)?;
                NodeId::new(node).ok()
            }
            (Some(node), KeywordAction::Say) => {
                cx.side_entry(&at, "points", node)?;
                NodeId::new(node).ok()
            }
            (None, KeywordAction::Say) => {
                cx.found.add(IssueCode::MissingField, &at, "is required", "name the node with the text");
                None
            }
            (None, KeywordAction::Jump) => {
                cx.found.add(IssueCode::MissingField, &at, "is required", "name the node to jump to");
                None
            }
            (Some(_), _) => {
                let fix = "remove it, or let the keyword `jump`";
                cx.found.add(IssueCode::BadValue, &at, "has no meaning without a jump", fix);
                None
            }
            (None, _) => None,
        }
    }
}

impl Read for KeywordDef {
    const EXAMPLE: &'static str = r#"{"words": ["agent"], "action": "handoff"}"#;

    fn read(value: &Value, at: &Path<'_>, found: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of::<Self>(value, at, found)?;
        let (words, action) = (fields.required("words"), fields.required("action"));
        let node = fields.optional("node");
        fields.close();
        Some(Self { words: words?, action: action?, node })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_the_meaning_that_it_was_given_last() {
        let keywords = Keywords::default().cancel([" STOP "]);
        assert_eq!(keywords.find("stop").map(|keyword| keyword.action), Some(KeywordAction::Cancel));
        assert_eq!(keywords.find("start").map(|keyword| keyword.action), Some(KeywordAction::OptIn));
    }

    #[test]
    fn u5_a_word_of_opting_out_may_be_said_politely_or_twice() {
        let keywords = Keywords::default();
        for text in [
            "Stop please",
            "please stop",
            "Stop, please!",
            "STOP STOP",
            "stop stop stop",
            "stop now",
            "please stop now",
            "unsubscribe me please",
            "opt out, thanks",
            "Bitte Stopp",
            "arrêt svp",
            "стоп пожалуйста",
            "remove me",
            "se désabonner",
            "dezabonează",
            "நிறுத்து",
            "స్టాప్",
            "ಸ್ಟಾಪ್",
            "സ്റ്റോപ്പ്",
            "સ્ટોપ",
            "ਸਟਾਪ",
            "退订谢谢",
            "退订，谢谢",
            "请退订",
            "配信停止お願いします",
            "配信停止してください",
            "수신거부요",
            "수신거부 해주세요",
            "구독 취소",
            "STOP po",
            "stop te rog",
            "stop mersi",
            "bitte abmelden",
            "Abmelden bitte!",
            "baja por favor",
            "uitschrijven aub",
            "lütfen durdur",
            "หยุดครับ",
            "berhenti kak",
            "odhlásit prosím",
            "stop texting me",
            "Please stop sending me messages",
            "opt me out",
            "no more messages please",
            "take me off your list",
            "dame de baja",
            "desabonnez-moi",
            "descadastre-me",
            "отпишите меня пожалуйста",
            "הסר אותי",
            "إلغاء اشتراكي",
            "keine Nachrichten mehr bitte",
        ] {
            let found =
                keyword_form(text).and_then(|word| keywords.find(&word).map(|keyword| keyword.action));
            assert_eq!(found, Some(KeywordAction::OptOut), "{text}");
        }
        for text in [
            "Stop that bad habit",
            "stop it",
            "stop by at noon",
            "please",
            "cancel it please",
            "do not stop",
            "bus stop",
            "now",
            "please start",
            "the next stop please now ok",
            "cancel please",
            "basta grazie",
            "хватит, спасибо",
            "koniec dziękuję",
            "stop karo",
            "Huy",
            "non stop merci",
            "thank you",
            "谢谢",
            "text me",
            "remove it from the list",
            "no more",
            "no more thanks",
            "messages",
            "yes please",
            "お願いします",
            "ya baja",
        ] {
            let found =
                keyword_form(text).and_then(|word| keywords.find(&word).map(|keyword| keyword.action));
            assert_eq!(found, None, "{text}");
        }
    }

    #[test]
    fn a_word_that_is_taken_away_takes_no_other_along() {
        let keywords = Keywords::default().cancel(["menú", "fin"]).without(["arrêt", "menú", "إيقاف"]);
        assert!(keywords.find("arret").is_some());
        for word in ["arrêt", "menú", "menu", "إيقاف", "ايقاف"] {
            assert_eq!(keywords.find(word), None, "{word}");
        }
    }

    #[test]
    fn i6_a_keyword_may_be_said_politely_and_without_its_accents() {
        let node = |name: &str| Some(NodeId::new(name).unwrap());
        let keywords = Keywords::none()
            .with(["menú", "menu du jour"], KeywordAction::Jump, node("menu"))
            .with(["réserver", "pomoč", "trợ giúp", "قائمة", "agent", "là"], KeywordAction::Handoff, None)
            .with(["papá", "bután"], KeywordAction::Restart, None)
            .with(["papà", "butan"], KeywordAction::Cancel, None)
            .with(["dừng lại"], KeywordAction::OptOut, None);
        let found = |text: &str| {
            let word = keyword_form(text)?;
            keywords.find(&word).map(|keyword| (keyword.action, keywords.names(&word)))
        };
        for (text, action) in [
            ("menu", KeywordAction::Jump),
            ("MENU please", KeywordAction::Jump),
            ("menú por favor", KeywordAction::Jump),
            ("reserver svp", KeywordAction::Handoff),
            ("pomoc", KeywordAction::Handoff),
            ("tro giup", KeywordAction::Handoff),
            ("قائمه", KeywordAction::Handoff),
            ("agent, please", KeywordAction::Handoff),
            ("bitte agent", KeywordAction::Handoff),
        ] {
            assert_eq!(found(text), Some((action, false)), "{text}");
        }
        for (text, action) in [("butan", KeywordAction::Cancel), ("menú", KeywordAction::Jump)] {
            assert_eq!(found(text), Some((action, true)), "{text}");
        }
        for text in ["la", "papa", "dung lai", "mena", "please", "an agent of mine"] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_message_is_compared_whole_trimmed_and_folded() {
        assert_eq!(keyword_form("  STRASSE\n").as_deref(), Some("strasse"));
        assert_eq!(keyword_form(" \n"), None);
        assert_eq!(keyword_form("\u{200b}"), None);
        assert_eq!(keyword_form(&"a".repeat(257)), None);
    }
}
