//! Texts of authors as pictures may show them: cleaned, measured without a font, wrapped and
//! cut. What must not live here: escaping, which each format does its own way.

/// The text in one line, without what steers a screen rather than being read, cut to so many
/// characters.
pub(super) fn clean(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    for word in words.filter(|word| !word.is_empty()) {
        let gap = usize::from(count > 0);
        for c in " ".chars().take(gap).chain(word.chars().filter(|c| is_readable(*c))) {
            if count == most {
                line.push('…');
                return line;
            }
            line.push(c);
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

/// About how wide a text is in a sans-serif font of this size, rather too wide than too narrow.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| advance(c) * size).sum()
}

fn advance(c: char) -> f64 {
    match c {
        '\u{0300}'..='\u{036F}' | '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' => 0.0,
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.29,
        'f' | 'r' | 't' | 'I' | '(' | ')' | '[' | ']' | '/' | '\\' | '-' | '"' | '`' => 0.38,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.92,
        'A'..='Z' => 0.7,
        _ if c < '\u{1100}' => 0.56,
        _ => 1.1,
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
            wrapped.push(shorten(line, size, most));
            return wrapped;
        }
        wrapped.push(std::mem::replace(&mut line, piece.to_owned()));
    }
    if !line.is_empty() {
        wrapped.push(line);
    }
    wrapped
}

/// A word in pieces that fit into a line each.
fn pieces(word: &str, size: f64, most: f64) -> Vec<&str> {
    let (mut pieces, mut start, mut room) = (Vec::new(), 0, most);
    for (place, c) in word.char_indices() {
        let advance = advance(c) * size;
        if advance > room && place > start {
            pieces.push(&word[start..place]);
            (start, room) = (place, most);
        }
        room -= advance;
    }
    pieces.push(&word[start..]);
    pieces
}

fn shorten(mut line: String, size: f64, most: f64) -> String {
    while width(&line, size) + size > most && line.pop().is_some() {}
    line.truncate(line.trim_end().len());
    line + "…"
}
