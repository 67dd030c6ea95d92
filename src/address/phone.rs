//! Telephone numbers in E.164, and the two forms that some of them have.

use std::fmt;

use crate::address::{Home, plan, read_phone};
use crate::digits::digit;

/// A telephone number in E.164: `+` and 7-15 digits, kept as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(u64);

/// A text that is not a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a telephone number: `+`, a calling code, and as many digits as its numbering plan has, \
     7-15 in all"
)]
pub struct InvalidPhone;

/// Digits that a number has at least. Only the plans of a few islands have so few.
const LEAST_DIGITS: u32 = 7;
/// The same where the numbering plan has no say, as in a number that a channel handed in.
const LEAST_DIGITS_ANYWHERE: u32 = 8;
const MOST_DIGITS: u32 = 15;
/// Longer texts are no numbers, however they are written.
const MOST_BYTES: usize = 256;

impl Phone {
    /// Reads a number with its calling code, as people write it: behind `+` or `00`, with or
    /// without `tel:`; blanks, dots, hyphens, slashes, brackets and marks without width are
    /// skipped, and so is a trunk prefix: `+44 (0)7911 123456` is `+447911123456`
    /// ([SEMANTICS A1](crate::semantics#a1)).
    ///
    /// # Errors
    /// [`InvalidPhone`] when there is no calling code, another character, or fewer digits than the
    /// numbering plan has. More than it has, up to 15, are taken: plans grow.
    pub fn parse(text: &str) -> Result<Self, InvalidPhone> {
        let number = WrittenDigits::read(text).ok_or(InvalidPhone)?;
        let phone = number.with_calling_code().filter(|_| number.is_international).ok_or(InvalidPhone)?;
        if plan::is_long_enough(phone.0) { Ok(phone) } else { Err(InvalidPhone) }
    }

    /// Reads a number as an answer is read: as [`parse`](Self::parse) does, or as it is dialled in
    /// a region, which is named by its ISO 3166 code; returns the form that the numbering plan has
    /// now ([SEMANTICS A1](crate::semantics#a1)). Builds without the feature `phone-numbers` know
    /// no region.
    ///
    /// ```
    /// # #[cfg(feature = "phone-numbers")] {
    /// use chatflow::address::Phone;
    /// assert_eq!(Phone::parse_in("(11) 91234-5678", "BR")?, Phone::parse("+5511912345678")?);
    /// assert_eq!(Phone::parse_in("011 15-2345-6789", "AR")?, Phone::parse("+5491123456789")?);
    /// # }
    /// # Ok::<(), chatflow::address::InvalidPhone>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidPhone`] when the region is unknown, or it is no number there.
    pub fn parse_in(text: &str, region: &str) -> Result<Self, InvalidPhone> {
        let home = Home::of(region).ok_or(InvalidPhone)?;
        read_phone(text, Some(home)).ok_or(InvalidPhone)
    }

    /// The same where the numbering plan has numbers of this length, in either form (SEMANTICS A1).
    pub(super) fn possible(text: &str) -> Option<Self> {
        let phone = Self::parse(text).ok()?;
        (plan::is_possible(phone.0) || phone.twin().is_some()).then_some(phone)
    }

    /// Reads a number as channels hand it in, with or without `+`. A channel knows its numbers
    /// better than any table does: of the numbering plan only the trunk prefix counts.
    ///
    /// # Errors
    /// [`InvalidPhone`] when there is another character, or not 8-15 digits, or 7 where the
    /// numbering plan has such numbers.
    pub fn parse_inbound(text: &str) -> Result<Self, InvalidPhone> {
        WrittenDigits::read(text).and_then(|number| number.with_calling_code()).ok_or(InvalidPhone)
    }

    /// True for a text that may be a number as it is dialled somewhere: five digits or more without
    /// a `+`.
    pub(crate) fn may_be_national(text: &str) -> bool {
        const LEAST: u32 = 5;
        WrittenDigits::read(text)
            .is_some_and(|number| !number.has_plus && number.count + number.zeros >= LEAST)
    }

    /// Reads a number as it was stored: `+` and the digits, whatever any plan says.
    pub(super) fn stored(text: &str) -> Result<Self, InvalidPhone> {
        let digits = text.strip_prefix('+').ok_or(InvalidPhone)?;
        let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then_some(digits).and_then(|digits| digits.parse().ok()).map(Self).ok_or(InvalidPhone)
    }

    /// The digits as one number.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// The other form of the same number, where two are in use: Mexico with and without the 1
    /// behind +52, Argentina with and without the 9 behind +54, Brazil with and without the ninth
    /// digit of a mobile number, Benin with and without the 01. Both lead to one contact
    /// ([SEMANTICS A2](crate::semantics#a2)).
    ///
    /// ```
    /// use chatflow::address::Phone;
    /// let (old, new) = (Phone::parse_inbound("5215512345678")?, Phone::parse("+52 55 1234 5678")?);
    /// assert_eq!((old.twin(), new.twin()), (Some(new), Some(old)));
    /// assert_eq!(Phone::parse("+55 11 3123-4567")?.twin(), None, "a fixed line has one form");
    /// # Ok::<(), chatflow::address::InvalidPhone>(())
    /// ```
    #[must_use]
    pub fn twin(self) -> Option<Self> {
        let number = self.0;
        let split = |power: u32| (number / 10_u64.pow(power), number % 10_u64.pow(power));
        let join = |head: u64, power: u32, rest: u64| Some(Self(head * 10_u64.pow(power) + rest));
        // The head, and what comes after it.
        match (split(10), split(8)) {
            ((521, rest), _) if rest >= FIRST_OF_TEN => join(52, 10, rest),
            ((52, rest), _) if rest >= FIRST_OF_TEN => join(521, 10, rest),
            ((549, rest), _) if rest >= FIRST_OF_TEN => join(54, 10, rest),
            ((54, rest), _) if (FIRST_OF_TEN..4 * FIRST_OF_TEN).contains(&rest) => join(549, 10, rest),
            (_, (229, rest)) => join(22_901, 8, rest),
            (_, (22_901, rest)) => join(229, 8, rest),
            (_, (head @ 55_119..=55_999, rest)) if head % 10 == 9 => {
                (is_area(head / 10) && is_mobile(rest)).then(|| join(head / 10, 8, rest)).flatten()
            }
            (_, (head @ 55_11..=55_99, rest)) if is_area(head) && is_mobile(rest) => {
                join(head * 10 + 9, 8, rest)
            }
            _ => None,
        }
    }

    /// The form that the numbering plan has now, where there are two. Argentina has both, of
    /// different lines: its numbers stay as they are.
    pub(crate) fn canonical(self) -> Self {
        let is_old = match plan::calling_code(self.0) {
            Some((52, rest)) => rest == 11,
            Some((55, rest)) => rest == 10,
            Some((229, rest)) => rest == 8,
            _ => false,
        };
        self.twin().filter(|_| is_old).unwrap_or(self)
    }
}

/// The first number of ten digits that does not begin with 0.
const FIRST_OF_TEN: u64 = 1_000_000_000;

/// True for `55` and one of Brazil's area codes, none of which has a 0.
fn is_area(head: u64) -> bool {
    head / 100 == 55 && !head.is_multiple_of(10) && !(head / 10).is_multiple_of(10)
}

/// True for eight digits that are those of a mobile number in Brazil, which got a 9 in front.
fn is_mobile(rest: u64) -> bool {
    rest >= 60_000_000
}

/// The digits of a number as they are written, and if a calling code is among them.
pub(super) struct WrittenDigits {
    digits: u64,
    count: u32,
    /// Zeros that are written in front of them.
    zeros: u32,
    /// True behind `+` or `00`.
    is_international: bool,
    /// True if a `+` says so.
    pub(super) has_plus: bool,
}

impl WrittenDigits {
    /// None: there is a character that no number has, or too many digits.
    pub(super) fn read(text: &str) -> Option<Self> {
        match Self::by_programs(text) {
            Some(number) => Some(number),
            None => Self::by_people(text),
        }
    }

    /// A number as programs write it: digits, with or without `+`.
    fn by_programs(text: &str) -> Option<Self> {
        let (has_plus, figures) = match text.as_bytes() {
            [b'+', figures @ ..] => (true, figures),
            figures => (false, figures),
        };
        let count = u32::try_from(figures.len()).ok().filter(|count| *count <= MOST_DIGITS)?;
        if !matches!(figures, [b'1'..=b'9', ..]) {
            return None;
        }
        let mut digits = 0;
        for figure in figures {
            let digit = figure.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            digits = digits * 10 + u64::from(digit);
        }
        Some(Self { digits, count, zeros: 0, is_international: has_plus, has_plus })
    }

    /// The same as people write it.
    fn by_people(text: &str) -> Option<Self> {
        let text = text.trim();
        let uri = text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:"));
        // Behind `;` there are parameters; `phone-context` may have the calling code.
        let (text, parameters) = match uri {
            true => text.get(4..)?.split_once(';').unwrap_or((text.get(4..)?, "")),
            false => (text, ""),
        };
        let context = parameters.split(';').find_map(|one| one.strip_prefix("phone-context=+"));
        let mut number = Self {
            digits: 0,
            count: 0,
            zeros: 0,
            is_international: context.is_some(),
            has_plus: context.is_some(),
        };
        for c in context.unwrap_or_default().chars() {
            number.push(c)?;
        }
        if text.len() > MOST_BYTES {
            return None;
        }
        for c in text.chars() {
            match c {
                '+' | '\u{ff0b}' if number.is_empty() => {
                    (number.is_international, number.has_plus) = (true, true);
                }
                '+' | '\u{ff0b}' => return None,
                c if is_between(c) => {}
                c => number.push(c)?,
            }
        }
        number.is_international |= number.zeros >= 2;
        Some(number)
    }

    /// The digits as they are dialled.
    #[cfg(feature = "phone-numbers")]
    pub(super) fn as_dialled(&self) -> String {
        let zeros = "0".repeat(usize::try_from(self.zeros).unwrap_or_default());
        if self.count == 0 { zeros } else { format!("{zeros}{}", self.digits) }
    }

    fn is_empty(&self) -> bool {
        self.zeros == 0 && self.count == 0 && !self.is_international
    }

    fn push(&mut self, c: char) -> Option<()> {
        let digit = c.to_digit(10).or_else(|| digit(c)?.to_digit(10))?;
        if digit == 0 && self.count == 0 {
            self.zeros += 1;
            return Some(());
        }
        self.count += 1;
        self.digits = self.digits * 10 + u64::from(digit);
        (self.count <= MOST_DIGITS + 1).then_some(())
    }

    /// The number with its calling code in front, without a trunk prefix behind it.
    pub(super) fn with_calling_code(&self) -> Option<Phone> {
        let is_dialled_so = self.is_international && !self.has_plus;
        if self.zeros != if is_dialled_so { 2 } else { 0 } {
            return None;
        }
        let number = match plan::calling_code(self.digits) {
            Some((code, rest)) if !plan::keeps_zero(code) => without_trunk(self.digits, code, rest),
            _ => self.digits,
        };
        let count = number.checked_ilog10()? + 1;
        let is_long = count >= LEAST_DIGITS_ANYWHERE || (count >= LEAST_DIGITS && plan::is_possible(number));
        (is_long && count <= MOST_DIGITS).then_some(Phone(number))
    }
}

/// The number without a 0 behind its calling code.
fn without_trunk(number: u64, code: u16, rest: u32) -> u64 {
    let national = number % 10_u64.pow(rest);
    let is_trunk = rest > 0 && national < 10_u64.pow(rest - 1);
    if is_trunk { u64::from(code) * 10_u64.pow(rest - 1) + national } else { number }
}

/// True for a character between or around the digits of a number that means nothing.
fn is_between(c: char) -> bool {
    matches!(
        c,
        '.' | '-' | '/' | '(' | ')' | '[' | ']' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff08}'
            | '\u{ff09}' | '\u{ff0d}' | '\u{b7}' | 'ー' | 'ｰ' | '─' | '・' | 'の' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fe0f}' | '\u{20e3}' | '\u{ad}'
    ) || (c.is_whitespace() && !c.is_control())
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}
