//! Telephone numbers as people write them at home, by the numbering plans of `phonelib`, which are
//! those of libphonenumber.

use phonelib::{Country, PhoneNumberType};

use crate::address::phone::{Phone, WrittenDigits};
use crate::address::plan;

/// The region where a number without a calling code is at home.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home(&'static Country);

/// The code under which the library lists numbers of no country.
pub(crate) const WORLD: &str = "001";

impl Home {
    /// A region by its ISO 3166 code, in capitals or not.
    pub(crate) fn of(region: &str) -> Option<Self> {
        let region = region.trim();
        let code = if region.len() == 2 { region.to_ascii_uppercase() } else { return None };
        phonelib::country_by_code(&code).filter(|country| country.code != WORLD).map(Self)
    }

    pub(crate) fn code(self) -> &'static str {
        self.0.code
    }

    /// Reads a whole text as a number, as it is dialled at home (SEMANTICS A1).
    pub(crate) fn read(self, text: &str) -> Option<Phone> {
        let written = WrittenDigits::read(text)?;
        if written.has_plus {
            return None;
        }
        let digits = written.as_dialled();
        let own = self.in_own_way(&digits);
        let national = own.or_else(|| self.national(&digits));
        let global = self.with_calling_code(&digits);
        // Of the two readings of digits that begin with the calling code: 91 81234 56789 is a
        // number with its calling code, not an Indian one of twelve digits.
        let chosen = match (national, global) {
            (Some(national), Some(global)) if is_likelier(global, national) => global,
            (Some(national), _) => national,
            (None, global) => global?,
        };
        Some(chosen)
    }

    fn national(self, digits: &str) -> Option<Phone> {
        let number = phonelib::PhoneNumber::parse_with_country(digits, self.0.code)?;
        Phone::possible(number.e164())
    }

    /// The number behind this region's calling code, which is written without its `+`.
    fn with_calling_code(self, digits: &str) -> Option<Phone> {
        let code = self.0.prefix.to_string();
        let code = if self.is_north_american() { "1" } else { code.as_str() };
        digits.starts_with(code).then(|| Phone::possible(&format!("+{digits}"))).flatten()
    }

    fn is_north_american(self) -> bool {
        self.0.prefix == 1 || (1000..2000).contains(&self.0.prefix)
    }

    /// Ways of dialling that the library does not know.
    fn in_own_way(self, digits: &str) -> Option<Phone> {
        match self.0.code {
            "MX" => mexican(digits),
            "AR" => argentine(digits),
            "BR" => brazilian(digits),
            _ => None,
        }
    }
}

/// False for a number of the North American plan whose area code or exchange nobody has.
pub(super) fn is_assigned(phone: Phone) -> bool {
    let written = phone.to_string();
    !written.starts_with("+1") || phonelib::is_valid_phone_number(&written)
}

/// True if the reading with the calling code is that of a line that is known, and the other is not,
/// or is longer than nearly all numbers are.
fn is_likelier(global: Phone, national: Phone) -> bool {
    let is_long =
        |phone: Phone| plan::calling_code(phone.number()).is_some_and(|(_, rest)| rest > USUAL_DIGITS);
    is_known_line(global) && (!is_known_line(national) || (is_long(national) && !is_long(global)))
}

/// Digits that nearly all national numbers have at most.
const USUAL_DIGITS: u32 = 10;

fn is_known_line(phone: Phone) -> bool {
    let kind = phonelib::detect_phone_number_type(&phone.to_string());
    kind.is_some_and(|kind| kind != PhoneNumberType::Unknown)
}

/// `01`, `044` and `045` were dialled before the ten digits until 2019, and `1` behind +52.
fn mexican(digits: &str) -> Option<Phone> {
    let ten = ["044", "045", "01", "1"].iter().find_map(|prefix| digits.strip_prefix(prefix))?;
    (ten.len() == 10).then(|| Phone::possible(&format!("+52{ten}"))).flatten()
}

/// A mobile number has a `15` behind its area code at home, and a 9 in front of it abroad.
fn argentine(digits: &str) -> Option<Phone> {
    let digits = digits.strip_prefix("54").filter(|rest| rest.len() >= 12).unwrap_or(digits);
    let digits = digits.strip_prefix('0').unwrap_or(digits);
    if digits.len() != 12 {
        return None;
    }
    let (area, rest) = digits.split_at_checked(area_length(digits))?;
    let subscriber = rest.strip_prefix("15")?;
    Phone::possible(&format!("+549{area}{subscriber}"))
}

/// Digits of the area code that an Argentine number begins with.
fn area_length(digits: &str) -> usize {
    const OF_THREE: [&str; 38] = [
        "220", "221", "223", "230", "236", "237", "249", "260", "261", "263", "264", "266", "280", "291",
        "294", "297", "298", "299", "336", "341", "342", "343", "345", "348", "351", "353", "358", "362",
        "364", "370", "376", "379", "380", "381", "383", "385", "387", "388",
    ];
    match digits.get(..3) {
        Some(area) if area.starts_with("11") => 2,
        Some(area) if OF_THREE.contains(&area) => 3,
        _ => 4,
    }
}

/// A long-distance call names a carrier: `0 15 11 91234-5678`.
fn brazilian(digits: &str) -> Option<Phone> {
    let national = digits.strip_prefix('0').filter(|rest| rest.len() >= 12)?.get(2..)?;
    matches!(national.len(), 10 | 11).then(|| Phone::possible(&format!("+55{national}"))).flatten()
}
