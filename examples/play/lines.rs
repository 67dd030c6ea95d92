//! Standard input, line by line, whatever is in it.

use std::io::{self, BufRead, Read};

/// More than any message may have: the rest of a longer line is thrown away.
const LONGEST: u64 = 1 << 20;

/// The next line without its end, LF or CRLF; None at the end of input. What is not UTF-8 is
/// replaced.
pub(crate) fn next_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if input.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_none() {
        input.skip_until(b'\n')?;
    }
    line.pop_if(|last| *last == b'\r');
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}
