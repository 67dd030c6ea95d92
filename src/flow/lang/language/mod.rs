//! Languages: what a tag means, however it is written, and which of several a reader is best
//! served with (SEMANTICS U8, U9). The only place where tags are compared.

mod table;

use table::{ALIASES, PARENTS, READS, REGIONAL_SCRIPTS, REGIONS, SCRIPTS, WHOLE};

/// A language by its tag, in the form that BCP 47 prefers: `pt_br`, `pt-BR` and `por-BR` are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Language {
    /// `pt`, in small letters.
    primary: Box<str>,
    /// `Hant`; as it was written, empty if it was not.
    script: Script,
    /// `BR` or `419`; empty if there is none.
    region: Region,
    /// `valencia`, in small letters; mostly empty.
    variants: Box<str>,
}

type Script = [u8; 4];
type Region = [u8; 3];

/// The distance of a text from what a reader wants, the nearest least: language, script, region,
/// variant.
type Distance = (u8, u8, u8, u8);

impl Language {
    /// Reads a tag of BCP 47, of POSIX (`pt_BR.UTF-8`, `sr_RS@latin`) or of Java (`zh_TW_#Hant`).
    /// None: it is no language tag.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        const MOST_BYTES: usize = 64;
        let tag = tag.trim();
        if tag.len() > MOST_BYTES {
            return None;
        }
        let (tag, modifier) = tag.split_once('@').unwrap_or((tag, ""));
        let tag = tag.split_once('.').map_or(tag, |(tag, _)| tag);
        let mut language = Self::parse_parts(tag)?;
        match modifier {
            "latin" => language.script = *b"Latn",
            "cyrillic" => language.script = *b"Cyrl",
            "devanagari" => language.script = *b"Deva",
            _ => {}
        }
        Some(language)
    }

    fn parse_parts(tag: &str) -> Option<Self> {
        let plain = tag.to_ascii_lowercase().replace('_', "-").replace('#', "");
        let (meant, rest) = whole(&plain).unwrap_or((&plain, ""));
        let mut parts = meant.split('-').chain(rest.split('-').skip(1)).peekable();
        let primary = parts.next()?;
        if !(2..=8).contains(&primary.len()) || !primary.bytes().all(|b| b.is_ascii_alphabetic()) {
            return None;
        }
        let mut language = Self {
            primary: preferred(primary).into(),
            script: Script::default(),
            region: Region::default(),
            variants: "".into(),
        };
        if let Some(kind) = parts.next_if(|part| is_kind_of(part, &language.primary)) {
            language.primary = preferred(kind).into();
        }
        for part in parts {
            if !(1..=8).contains(&part.len()) || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return None;
            }
            if part.len() == 1 {
                break;
            }
            language.take(part);
        }
        Some(language)
    }

    /// The language alone: `pt` of `pt-BR`.
    pub(crate) fn primary(&self) -> &str {
        &self.primary
    }

    /// The language and its region, without a script: `zh-TW` of `zh-Hant-TW`.
    pub(crate) fn regional(&self) -> String {
        match name(&self.region) {
            "" => self.primary.as_ref().to_owned(),
            region => format!("{}-{region}", self.primary),
        }
    }

    /// Takes a part that follows the language: a script, a region or a variant.
    fn take(&mut self, part: &str) {
        let bytes = part.as_bytes();
        let is_word = bytes.iter().all(u8::is_ascii_alphabetic);
        let is_number = bytes.iter().all(u8::is_ascii_digit);
        match bytes {
            [a, b, c, d] if is_word && self.script == Script::default() => {
                self.script = [a.to_ascii_uppercase(), *b, *c, *d];
            }
            [first, second] if is_word => {
                let region = [first.to_ascii_uppercase(), second.to_ascii_uppercase(), 0];
                self.region = if region == *b"UK\0" { *b"GB\0" } else { region };
            }
            [a, b, c] if is_number => self.region = [*a, *b, *c],
            [_, _, _, _, ..] => self.variants = format!("{}-{part}", self.variants).into(),
            _ => {}
        }
    }

    /// The one of these languages that a reader of this one is best served with, by its place; none
    /// if none of them is this language (SEMANTICS U9).
    pub(crate) fn best<'l>(&self, among: impl IntoIterator<Item = Option<&'l Self>>) -> Option<usize> {
        let all = among.into_iter().enumerate();
        let near = all.filter_map(|(place, language)| Some((self.distance(language?)?, place)));
        near.min().map(|(_, place)| place)
    }

    fn distance(&self, text: &Self) -> Option<Distance> {
        let language = match () {
            () if self.primary == text.primary => 0,
            () if has(READS, &text.primary, &self.primary) => 1,
            () => return None,
        };
        let script = u8::from(self.written_in() != text.written_in());
        if script > 0 && !self.is_bare() && !text.is_bare() {
            return None;
        }
        let variants = match &*text.variants {
            variants if variants == &*self.variants => 0,
            "" => 1,
            _ => 2,
        };
        Some((language, script, self.region_distance(text)?, variants))
    }

    /// Returns the distance of another region's kind of the language: the same, the kind that this
    /// one follows, that of no region, one that follows the same. A reader of no region reads that
    /// of any, the usual one first; no other region's takes the place of a region.
    fn region_distance(&self, text: &Self) -> Option<u8> {
        let (wanted, region) = (name(&self.region), name(&text.region));
        match () {
            () if wanted == region => Some(0),
            () if wanted.is_empty() => Some(if text.is_of_usual_region() { 1 } else { 3 }),
            () if self.parent() == Some(region) => Some(1),
            () if region.is_empty() => Some(2),
            () if text.parent() == Some(wanted) || self.is_kin_of(text) => Some(3),
            () => None,
        }
    }

    /// True if both kinds of a language follow the same one, such as `es-AR` and `es-MX`; those of
    /// Chinese are told apart by their script.
    fn is_kin_of(&self, text: &Self) -> bool {
        let parent = self.parent();
        let is_chinese = &*text.primary == "zh" && self.written_in() == text.written_in();
        is_chinese || (parent.is_some() && parent == text.parent())
    }

    /// True if a tag names the language and nothing else.
    fn is_bare(&self) -> bool {
        self.script == Script::default() && self.region == Region::default()
    }

    /// The region or group of regions whose kind of the language this one is.
    fn parent(&self) -> Option<&'static str> {
        let region = name(&self.region);
        let of_it = |row: &&(&str, &str, &str)| row.0 == &*self.primary && holds(row.2, region);
        PARENTS.iter().find(of_it).map(|(_, parent, _)| *parent)
    }

    /// True if its region is the one that is meant where none is named: `es` is `es-ES`.
    fn is_of_usual_region(&self) -> bool {
        let region = name(&self.region);
        if &*self.primary == "zh" && self.written_in() == "Hant" {
            return region == "TW";
        }
        let listed = REGIONS.iter().find(|(language, _)| *language == &*self.primary);
        listed.map_or(&*self.primary, |(_, usual)| usual).eq_ignore_ascii_case(region)
    }

    /// The script of its texts: the one that it names, else the usual one of its region, else of
    /// the language.
    fn written_in(&self) -> &str {
        if self.script != Script::default() {
            return std::str::from_utf8(&self.script).unwrap_or_default();
        }
        let region = name(&self.region);
        let here = |row: &&(&str, &str, &str)| row.0 == &*self.primary && holds(row.2, region);
        let regional = REGIONAL_SCRIPTS.iter().find(here).map(|(_, script, _)| *script);
        let usual = || SCRIPTS.iter().find(|(_, languages)| holds(languages, &self.primary));
        regional.or_else(|| usual().map(|(script, _)| *script)).unwrap_or("Latn")
    }
}

/// The place of the language that a reader of `wanted` is best served with, among tags in order;
/// none if none of them is that language (SEMANTICS U9).
pub(crate) fn lookup<'t>(wanted: &str, among: impl IntoIterator<Item = &'t str>) -> Option<usize> {
    let among: Vec<_> = among.into_iter().map(Language::parse).collect();
    Language::parse(wanted)?.best(among.iter().map(Option::as_ref))
}

/// Returns the meaning of a tag that is known as a whole, and what follows it.
fn whole(tag: &str) -> Option<(&'static str, &str)> {
    WHOLE.iter().find_map(|(known, meant)| {
        let rest = tag.strip_prefix(known)?;
        (rest.is_empty() || rest.starts_with('-')).then_some((*meant, rest))
    })
}

/// The preferred name of a language.
fn preferred(primary: &str) -> &str {
    let found = ALIASES.binary_search_by(|row| row.split(' ').next().cmp(&Some(primary)));
    let row = found.ok().and_then(|place| ALIASES.get(place));
    row.and_then(|row| row.split(' ').nth(1)).unwrap_or(primary)
}

/// True if a part is the name of a kind of a language: `yue` in `zh-yue`.
fn is_kind_of(part: &str, primary: &str) -> bool {
    part.len() == 3 && (has(READS, primary, part) || preferred(part) == primary)
}

fn has(table: &[(&str, &str)], key: &str, word: &str) -> bool {
    table.iter().any(|(known, words)| *known == key && holds(words, word))
}

fn holds(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

fn name(region: &Region) -> &str {
    std::str::from_utf8(region).unwrap_or_default().trim_end_matches('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order_and_name_each_language_once() {
        assert!(ALIASES.is_sorted(), "aliases are found by halving");
        for row in ALIASES {
            let meant = row.split(' ').nth(1).unwrap_or_default();
            assert_eq!(preferred(meant), meant, "{row} leads to a name that is preferred itself");
        }
        let mut scripts: Vec<_> = SCRIPTS.iter().flat_map(|(_, languages)| languages.split(' ')).collect();
        scripts.sort_unstable();
        assert!(scripts.windows(2).all(|pair| pair[0] != pair[1]), "a language has one usual script");
    }

    #[test]
    fn one_language_has_one_form() {
        for (a, b) in [
            ("pt_BR", "pt-br"),
            ("por-BR", "pt-BR"),
            ("iw", "he"),
            ("en-UK", "en-GB"),
            ("zh_TW_#Hant", "zh-Hant-TW"),
            ("sr_RS@latin", "sh-RS"),
            ("zh-cmn-Hans", "zh-Hans"),
            ("de-DE-u-co-phonebk", "de-de"),
            ("es_LA", "es-419"),
            ("pt_BR.UTF-8", "pt-BR"),
        ] {
            assert_eq!(Language::parse(a), Language::parse(b), "{a} {b}");
            assert!(Language::parse(a).is_some(), "{a}");
        }
        for text in ["", "e", "English language", "1a", "en-", "en-unbelievable", "日本語"] {
            assert_eq!(Language::parse(text), None, "{text}");
        }
    }
}
