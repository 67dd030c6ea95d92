//! The numbering plans of the world, one line each in `plans.txt`: enough to tell a possible number from another, and to
//! write it with its calling code. Which of the possible ones are assigned is the operators' business, and changes weekly.

/// How numbers are written in one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// ISO 3166 code; `001` for numbers of no country.
    pub(crate) region: &'static str,
    /// The calling code, without `+`.
    pub(crate) code: &'static str,
    /// What is dialled before a number inside the region; empty if nothing.
    pub(crate) trunk: &'static str,
    /// What is dialled instead of `+`; empty if that depends.
    pub(crate) abroad: &'static str,
    lengths: &'static str,
}

/// Digits of a calling code.
const MOST_CODE_DIGITS: usize = 3;

fn plans() -> impl Iterator<Item = Plan> {
    let lines = include_str!("plans.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut words = line.split(' ').map(|word| if word == "-" { "" } else { word });
        Some(Plan {
            region: words.next()?,
            code: words.next()?,
            trunk: words.next()?,
            abroad: words.next()?,
            lengths: words.next()?,
        })
    })
}

impl Plan {
    /// The plan of a region, by its ISO code.
    pub(crate) fn of_region(region: &str) -> Option<Self> {
        plans().find(|plan| plan.region == region && plan.region != "001")
    }

    /// The plan of an international number, and its digits behind the calling code.
    pub(crate) fn of_number(digits: &str) -> Option<(Self, &str)> {
        (1..=MOST_CODE_DIGITS).find_map(|count| {
            let (code, rest) = digits.split_at_checked(count)?;
            Some((plans().find(|plan| plan.code == code)?, rest))
        })
    }

    /// Whether a national number may have so many digits, in this region or another with its calling code.
    pub(crate) fn has_length(self, digits: usize) -> bool {
        let of_code = plans().filter(|plan| plan.code == self.code);
        of_code.into_iter().any(|plan| plan.lengths.split(',').any(|span| holds(span, digits)))
    }

    /// The region, if the calling code is its alone.
    pub(crate) fn only_region(self) -> Option<&'static str> {
        let mut regions = plans().filter(|plan| plan.code == self.code).map(|plan| plan.region);
        match (regions.next(), regions.next()) {
            (Some(region), None) if region != "001" => Some(region),
            _ => None,
        }
    }
}

/// Whether `7` or `8-10` holds a number.
fn holds(span: &str, number: usize) -> bool {
    let (least, most) = span.split_once('-').unwrap_or((span, span));
    let bounds = least.parse::<usize>().ok().zip(most.parse::<usize>().ok());
    bounds.is_some_and(|(least, most)| (least..=most).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_calling_codes_begin_with_no_other() {
        let all: Vec<Plan> = plans().collect();
        assert_eq!(all.len(), 254);
        for plan in &all {
            assert!(plan.code.bytes().all(|b| b.is_ascii_digit()) && !plan.code.is_empty(), "{plan:?}");
            assert!((4..=17).any(|digits| plan.has_length(digits)), "{plan:?}");
            let begins = |other: &&Plan| other.code != plan.code && other.code.starts_with(plan.code);
            assert_eq!(all.iter().find(begins), None, "{plan:?}");
        }
    }
}
