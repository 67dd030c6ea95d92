//! Values of a flow file in a few words, in the first language of the flow's settings.

use serde_json::{Map, Value};

use crate::flow::SettingsDef;

/// The language that texts in several are shown in.
#[derive(Clone, Copy)]
pub(super) struct ShownLanguage<'a>(Option<&'a str>);

/// The fields that an object is known by, the best first.
const NAMES: &[&str] = &["label", "title", "name", "caption", "text", "button", "id"];
/// Items of a list that are looked at.
const MOST_ITEMS: usize = 16;

impl<'a> ShownLanguage<'a> {
    /// The language of the settings, else the first of their languages.
    pub(super) fn of(settings: &'a SettingsDef) -> Self {
        let first = || settings.languages.iter().flatten().next();
        Self(settings.language.as_ref().or_else(first).map(String::as_str))
    }

    /// A value in a few words: a text as it is, a list by the names in it, a text in several
    /// languages by one of them.
    pub(super) fn brief(self, value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(items) => {
                let names: Vec<String> = items.iter().take(MOST_ITEMS).map(|item| self.brief(item)).collect();
                names.join(" · ")
            }
            Value::Object(fields) => {
                let chosen = self.chosen(fields);
                let named = chosen.or_else(|| NAMES.iter().find_map(|name| fields.get(*name)));
                named.or_else(|| fields.values().next()).map(|value| self.brief(value)).unwrap_or_default()
            }
            Value::Bool(_) | Value::Null => String::new(),
        }
    }

    /// The text in the language, or in one that differs by its region alone; none if it is no text
    /// in several.
    fn chosen(self, fields: &Map<String, Value>) -> Option<&Value> {
        let wanted = self.0.filter(|_| fields.iter().all(|(tag, text)| is_tag(tag) && text.is_string()))?;
        let same = |tag: &str| tag.replace('_', "-").eq_ignore_ascii_case(&wanted.replace('_', "-"));
        let near = |tag: &str| primary(tag).eq_ignore_ascii_case(primary(wanted));
        let by = |fits: &dyn Fn(&str) -> bool| fields.iter().find(|(tag, _)| fits(tag));
        by(&same).or_else(|| by(&near)).map(|(_, text)| text)
    }
}

/// True if a key may be a language's tag: two or three letters, and more behind a hyphen.
fn is_tag(key: &str) -> bool {
    let first = primary(key);
    matches!(first.len(), 2 | 3) && first.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}
