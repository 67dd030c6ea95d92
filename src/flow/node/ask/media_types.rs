//! Types of media that a question takes: those of MIME, whole or their families, and the kinds of
//! media that messages have.

use crate::flow::content::MediaType;
use crate::flow::form::diagnostics::{Diagnostics, did_you_mean};
use crate::flow::form::issue::{IssueCode, Repair};
use crate::flow::form::path::{Path, brief};

/// The families of MIME (RFC 6838, RFC 8081, RFC 9694).
const FAMILIES: [&str; 10] =
    ["application", "audio", "example", "font", "haptics", "image", "message", "model", "text", "video"];

/// Words that people write for a type, each list with the type that it means.
const MEANT: &[(&str, &[&str])] = &[
    ("image", &["foto", "images", "img", "photo", "photos", "pic", "pics", "picture", "pictures"]),
    ("audio", &["audios", "music", "ptt", "sound", "sounds", "voice", "voice_note", "voices"]),
    ("video", &["clip", "film", "films", "movie", "movies", "videos"]),
    ("document", &["attachment", "attachments", "documents", "file", "files"]),
    ("sticker", &["stickers"]),
    ("application/json", &["json"]),
    ("application/msword", &["doc"]),
    ("application/pdf", &["document/pdf", "file/pdf", "pdf", "pdfs"]),
    ("application/rtf", &["rtf"]),
    ("application/vnd.ms-excel", &["xls"]),
    ("application/vnd.ms-powerpoint", &["ppt"]),
    ("application/vnd.oasis.opendocument.text", &["odt"]),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", &["powerpoint", "pptx"]),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &["excel", "xlsx"]),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", &["docx", "word"]),
    ("application/xml", &["xml"]),
    ("application/zip", &["zip"]),
    ("audio/aac", &["aac"]),
    ("audio/amr", &["amr"]),
    ("audio/mp4", &["audio/m4a", "m4a"]),
    ("audio/mpeg", &["audio/mp3", "mp3"]),
    ("audio/ogg", &["audio/opus", "ogg", "opus"]),
    ("audio/wav", &["wav"]),
    ("image/gif", &["gif"]),
    ("image/heic", &["heic"]),
    ("image/jpeg", &["image/jpg", "jpeg", "jpg"]),
    ("image/png", &["photo/png", "png"]),
    ("image/svg+xml", &["image/svg", "svg"]),
    ("image/tiff", &["image/tif", "tif", "tiff"]),
    ("image/webp", &["webp"]),
    ("text/calendar", &["ics"]),
    ("text/csv", &["csv"]),
    ("text/html", &["htm", "html"]),
    ("text/plain", &["plain", "text/txt", "txt"]),
    ("text/vcard", &["vcard", "vcf"]),
    ("video/3gpp", &["3gp", "3gpp", "video/3gp"]),
    ("video/mp4", &["mp4"]),
    ("video/quicktime", &["mov", "video/mov"]),
    ("video/webm", &["webm"]),
    ("video/x-msvideo", &["avi", "video/avi"]),
];

/// Checks them, and returns them as media are compared with them.
pub(super) fn compile(types: &[String], list: &Path<'_>, found: &mut Diagnostics) -> Box<[Box<str>]> {
    for (place, written) in types.iter().enumerate() {
        let meant = meant(written);
        if meant.is_none() && is_type(written) {
            continue;
        }
        let at = list.item(place);
        let message = format!("{:?} is not a media type{}", brief(written), did_you_mean(meant));
        let fix = "write a type such as image/png, or image for all of them";
        let repair = meant.map(|meant| Repair::Replace { path: at.to_string(), with: meant.to_owned() });
        found.add_repairable(IssueCode::BadValue, &at, message, fix, repair);
    }
    let plain = |written: &String| written.trim_end_matches("/*").to_ascii_lowercase().into_boxed_str();
    types.iter().map(plain).collect()
}

/// The type that a word of people means.
fn meant(written: &str) -> Option<&'static str> {
    let word = written.trim().trim_start_matches(['.', '*']).trim_end_matches("/*").to_ascii_lowercase();
    MEANT.iter().find(|(_, words)| words.contains(&&*word)).map(|(meant, _)| *meant)
}

/// True if a medium may be of this type.
fn is_type(written: &str) -> bool {
    let (family, rest) =
        written.split_once('/').map_or((written, None), |(family, rest)| (family, Some(rest)));
    let lower = family.to_ascii_lowercase();
    let is_family = FAMILIES.contains(&&*lower) || lower.starts_with("x-");
    match rest {
        None => is_family || MediaType::WORDS.iter().any(|(word, _)| *word == lower),
        Some("*") => is_family,
        Some(rest) => is_family && is_word(rest),
    }
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+._".contains(&b))
}
