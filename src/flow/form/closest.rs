//! "Did you mean": the known word that an unknown one was most likely meant to be.

/// The word of `known` that differs from `word` in at most two letters (one, if it is short).
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 32;
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let allowed = match word.chars().count() {
        0..2 => 0,
        2..5 => 1,
        _ => 2,
    };
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, in_a) in a.chars().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (cell, in_b) in row.iter_mut().skip(1).zip(b.chars()) {
            let above = *cell;
            left = (diagonal + usize::from(in_a != in_b)).min(above + 1).min(left + 1);
            (*cell, diagonal) = (left, above);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_recognised_and_a_stranger_is_not() {
        let known = ["timeout", "save_to", "accept", "id"];
        assert_eq!(closest("timout", known), Some("timeout"));
        assert_eq!(closest("saveTo", known), Some("save_to"));
        assert_eq!(closest("colour", known), None);
        assert_eq!(closest("if", known), Some("id"));
    }
}
