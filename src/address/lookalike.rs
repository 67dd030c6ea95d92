//! Dates and numbers of other things that have as many digits as a telephone number: by their
//! shape, since their digits say nothing (SEMANTICS A1).

/// True if a text without a `+` is a date, with a time or without, or has the shape of a tax
/// number.
pub(crate) fn is_date_or_tax_number(text: &str) -> bool {
    let text = text.trim();
    !text.starts_with('+') && (is_date(text) || is_tax_number(text))
}

/// True of `2026-05-07`, `7.5.2026`, `07/05/26` and `2026-05-07 10:30`; with blanks for its marks
/// only with an hour behind it.
fn is_date(text: &str) -> bool {
    let Some((first, mark, rest)) = group(text) else { return false };
    let Some((second, other, rest)) = group(rest) else { return false };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let Some((third, behind)) = rest.split_at_checked(length) else { return false };
    let has_hour = is_hour(behind);
    let is_marked = mark == other && (matches!(mark, '-' | '.' | '/') || (mark == ' ' && has_hour));
    let number = |text: &str| text.parse::<u32>().unwrap_or_default();
    let is_day = |day: &str, month: &str| {
        day.len() <= 2
            && month.len() <= 2
            && (1..=31).contains(&number(day))
            && (1..=31).contains(&number(month))
            && number(day).min(number(month)) <= 12
    };
    let is_year = |year: &str| {
        (year.len() == 4 && (1900..2100).contains(&number(year)))
            || (year.len() == 2 && matches!(mark, '.' | '/'))
    };
    let is_ordered = (first.len() == 4 && is_year(first) && is_day(third, second))
        || (is_year(third) && is_day(first, second));
    is_marked && is_ordered && (behind.trim().is_empty() || has_hour)
}

/// The digits that a text begins with, the mark behind them, and the rest.
fn group(text: &str) -> Option<(&str, char, &str)> {
    let (digits, rest) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let mark = rest.chars().next()?;
    Some((digits, mark, rest.get(mark.len_utf8()..)?))
}

/// True for an hour behind a date, with minutes or without.
fn is_hour(text: &str) -> bool {
    let time = text.strip_prefix([' ', 'T', ',']).unwrap_or_default().trim();
    let mut groups = time.split([':', '.']);
    let is_two = |group: &str| (1..=2).contains(&group.len()) && group.bytes().all(|b| b.is_ascii_digit());
    groups.next().is_some_and(|hour| is_two(hour) && hour.parse::<u32>().is_ok_and(|hour| hour < 24))
        && groups.all(is_two)
}

/// True of the shapes of tax numbers in Brazil (`123.456.789-09`), Chile (`12.345.678-9`),
/// Argentina (`20-12345678-9`) and Korea (`123-45-67890`). But for the first they do not begin with
/// the 0 of a telephone number, whose extension a switchboard has behind a hyphen: `089 123456-0`.
fn is_tax_number(text: &str) -> bool {
    const CPF: &str = "000.000.000-00";
    const OTHERS: [&str; 6] =
        ["0.000.000-0", "00.000.000-0", "0000000-0", "00000000-0", "00-00000000-0", "000-00-00000"];
    let to_zero = |c: char| if c.is_ascii_digit() || matches!(c, 'k' | 'K') { '0' } else { c };
    let shape: String = text.chars().map(to_zero).collect();
    shape == CPF || (OTHERS.contains(&&*shape) && !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::is_date_or_tax_number;

    #[test]
    fn a1_dates_and_tax_numbers_are_known_by_their_shape() {
        for text in [
            "07.05.2026",
            "7.5.2026",
            "07/05/2026",
            "05/27/2026",
            "2026-05-07",
            "2026/5/7",
            "07-05-2026 10:30",
            "2026-05-07 10:00:00",
            "2026-05-07T10:00",
            "07-05-2026 10",
            "07 05 2026 10",
            "07.05.26",
            "123.456.789-09",
            "12.345.678-9",
            "12345678-9",
            "20-12345678-9",
            "12.345.678-k",
            "123-45-67890",
        ] {
            assert!(is_date_or_tax_number(text), "{text}");
        }
        for text in [
            "06 12 34 56 78",
            "07 05 2026",
            "0176/1234567",
            "415-555-0123",
            "12-34-56",
            "98.76.54",
            "020 2026 0507",
            "+49 7.5.2026",
            "2026 0507",
            "11 91234-5678",
            "21.12.2345",
            "91234567",
            "2026-05-07-12",
            "089 123456-0",
            "0711/1234-0",
            "(089) 123456-0",
            "08912345-0",
            "1234-5",
            "012-34-56789",
        ] {
            assert!(!is_date_or_tax_number(text), "{text}");
        }
    }
}
