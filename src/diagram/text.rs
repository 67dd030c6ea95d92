//! Texts of authors as pictures may show them: cleaned, measured without a font, wrapped and
//! cut. What must not live here: escaping, which each format does its own way.

use unicode_segmentation::UnicodeSegmentation;

/// The text in one line, without what steers a screen rather than being read, cut to so many
/// characters.
pub(super) fn clean(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    for word in words.filter(|word| !word.is_empty()) {
        let word: String = word.chars().filter(|c| is_readable(*c)).collect();
        let gap = usize::from(count > 0);
        for character in " ".graphemes(true).take(gap).chain(word.graphemes(true)) {
            if count == most {
                line.push('…');
                return line;
            }
            line.push_str(character);
            count += 1;
        }
    }
    line
}

/// True if it is part of a text: no mark that turns its direction, no code that is no character.
fn is_readable(c: char) -> bool {
    !matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}' | '\u{E0000}'..='\u{E007F}')
}

/// Widths of the characters from the space to the tilde in Helvetica, in thousandths of the size;
/// Arial and Liberation Sans have the same, and those of other sans-serif fonts are close.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// The width of a text in a sans-serif font of this size; pictures hold it to that in any other.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.graphemes(true).map(|character| advance(character) * size).sum()
}

/// The width of what is read as one character: that of its widest part.
fn advance(character: &str) -> f64 {
    character.chars().map(advance_of).fold(0.0, f64::max)
}

fn advance_of(c: char) -> f64 {
    let plain = u32::from(c).checked_sub(0x20).and_then(|place| WIDTHS.get(place as usize));
    match (plain, c) {
        (Some(width), _) => f64::from(*width) / 1000.0,
        (None, '\u{0300}'..='\u{036F}' | '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}') => 0.0,
        (None, '·' | '‘' | '’') => 0.278,
        (None, '“' | '”') => 0.333,
        (None, '…' | '—' | '→') => 1.0,
        (None, '\u{1F000}'..) => 1.3,
        (None, _) if c.is_uppercase() => 0.72,
        (None, _) if c < '\u{1100}' || ('\u{2000}'..'\u{2E80}').contains(&c) => 0.58,
        (None, _) => 1.0,
    }
}

/// The text in lines no wider than `most`; what needs more than so many lines ends in an ellipsis.
pub(super) fn wrap(text: &str, size: f64, most: f64, lines: usize) -> Vec<String> {
    let mut wrapped = Vec::new();
    let mut line = String::new();
    for piece in text.split(' ').flat_map(|word| pieces(word, size, most)) {
        let joined = if line.is_empty() { piece.to_owned() } else { format!("{line} {piece}") };
        if line.is_empty() || width(&joined, size) <= most {
            line = joined;
            continue;
        }
        if wrapped.len() + 1 == lines {
            wrapped.push(shorten(&line, size, most));
            return wrapped;
        }
        wrapped.push(std::mem::replace(&mut line, piece.to_owned()));
    }
    if !line.is_empty() {
        wrapped.push(line);
    }
    wrapped
}

/// A word in pieces that fit into a line each; an address is cut behind a slash if it can be.
fn pieces(word: &str, size: f64, most: f64) -> Vec<&str> {
    let (mut pieces, mut start, mut room) = (Vec::new(), 0, most);
    for (place, character) in word.grapheme_indices(true) {
        let advance = advance(character) * size;
        if advance > room && place > start {
            let fits = &word[start..place];
            let cut = fits.rfind('/').map(|slash| slash + 1).filter(|cut| cut * 2 > fits.len());
            let end = start + cut.unwrap_or(fits.len());
            pieces.push(&word[start..end]);
            room = most - width(&word[end..place], size);
            start = end;
        }
        room -= advance;
    }
    pieces.push(&word[start..]);
    pieces
}

fn shorten(line: &str, size: f64, most: f64) -> String {
    let room = most - width("…", size);
    let mut short = line;
    while width(short, size) > room {
        let Some((end, _)) = short.grapheme_indices(true).next_back() else { break };
        short = &short[..end];
    }
    short.trim_end().to_owned() + "…"
}
