//! Regular expressions of authors, against texts of strangers: a linear engine, compiled once,
//! small, and asked only whether it matches. Listing all matches would be quadratic.

use regex::{Regex, RegexBuilder};

use crate::limits::Limits;

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    whole: bool,
    most_bytes: usize,
}

/// The part of a text that has to match.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The text from its first character to its last.
    Whole,
    /// Any part.
    Part,
}

impl Pattern {
    /// Bytes of a compiled expression: `[\w.+-]+@[\w-]+\.[\w.]+` takes 190 KiB, because `\w` knows
    /// all of Unicode. Refusing `(\w{1000}){1000}` takes 2 ms with this limit, and 357 ms with the
    /// engine's own.
    const SIZE_LIMIT: usize = 256 << 10;

    /// Returns the cost of compiling a pattern, in units of at most 7 ms and 256 KiB: a class in
    /// brackets is dear, because all its characters are folded one by one where case is ignored.
    pub(crate) fn cost(source: &str) -> usize {
        1 + source.bytes().filter(|b| *b == b'[').count()
    }

    /// Compiles a pattern, or says in one line why it cannot be compiled.
    pub(crate) fn parse(
        source: &str,
        extent: Extent,
        ignore_case: bool,
        limits: &Limits,
    ) -> Result<Self, String> {
        if source.len() > limits.regex_bytes {
            return Err(format!("has {} bytes, at most {} are allowed", source.len(), limits.regex_bytes));
        }
        let compile = |source: &str| {
            RegexBuilder::new(source)
                .case_insensitive(ignore_case)
                .size_limit(Self::SIZE_LIMIT)
                .dfa_size_limit(Self::SIZE_LIMIT)
                .nest_limit(16)
                .build()
                .map_err(|error| one_line(&error))
        };
        // On its own first: `a)|(b` is no expression, but would become one between the brackets.
        let mut regex = compile(source)?;
        if extent == Extent::Whole {
            regex = compile(&format!(r"\A(?:{source})\z"))?;
        }
        Ok(Self { regex, whole: extent == Extent::Whole, most_bytes: limits.regex_text_bytes })
    }

    /// True if the text matches. Of a text beyond `Limits::regex_text_bytes` only the beginning is
    /// looked at; it never matches as a whole.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        if text.len() <= self.most_bytes {
            return self.regex.is_match(text);
        }
        let cut = (0..=self.most_bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        !self.whole && text.get(..cut).is_some_and(|text| self.regex.is_match(text))
    }
}

impl Pattern {
    /// The first match and what each of its groups matches, with the groups' names. Of a text
    /// beyond `Limits::regex_text_bytes` only the beginning is looked at.
    pub(crate) fn groups<'t>(&self, text: &'t str) -> Option<Vec<(Option<&str>, Option<&'t str>)>> {
        let cut = (0..=self.most_bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let found = self.regex.captures(text.get(..cut?)?)?;
        let names = self.regex.capture_names();
        Some(names.zip(found.iter()).map(|(name, group)| (name, group.map(|group| group.as_str()))).collect())
    }

    /// Returns the source that it was compiled from.
    pub(crate) fn source(&self) -> &str {
        self.regex.as_str()
    }
}

/// Two patterns are the same if they are written so.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (self.source(), self.whole) == (other.source(), other.whole)
    }
}

fn one_line(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "compiles to more than 256 KiB".to_owned(),
        other => {
            let text = other.to_string();
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(source: &str, extent: Extent, text: &str) -> bool {
        Pattern::parse(source, extent, false, &Limits::default()).unwrap().is_match(text)
    }

    #[test]
    fn a_whole_match_covers_every_alternative() {
        assert!(matches("a|bc", Extent::Whole, "bc"));
        assert!(!matches("a|bc", Extent::Whole, "abc"));
        assert!(matches("a|bc", Extent::Part, "xxa"));
        assert!(Pattern::parse("a)|(b", Extent::Whole, false, &Limits::default()).is_err());
    }

    #[test]
    fn patterns_that_people_write_fit() {
        for source in [
            r"[\w.+-]+@[\w-]+\.[\w.]+",
            r"\+?\d[\d\s-]{7,18}",
            r"https?://\S+",
            r"^(yes|no|maybe)$",
            r"\b\d{4}-\d{2}-\d{2}\b",
            r"\p{Script=Greek}+",
            r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}",
        ] {
            assert!(Pattern::parse(source, Extent::Whole, true, &Limits::default()).is_ok(), "{source}");
        }
    }

    #[test]
    fn bombs_are_refused_and_slow_ones_are_not_slow() {
        for source in [r"(\w{1000}){1000}", r"(((((a{100}){100}){100}){100}){100})", r"(?:\pL{200}){200}"] {
            assert!(Pattern::parse(source, Extent::Part, true, &Limits::default()).is_err(), "{source}");
        }
        assert!(!matches("(a+)+$", Extent::Part, &format!("{}b", "a".repeat(4_000))));
        assert!(!matches("a+", Extent::Whole, &"a".repeat(100_000)));
    }
}
