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
        let national = own.or_else(|| self.national(&digits).filter(|phone| is_line(*phone)));
        let national = national.or_else(|| self.behind_eight(&digits));
        let global = self.with_calling_code(&digits).filter(|phone| is_line(*phone));
        match (national, global) {
            (Some(national), Some(global)) if !is_likelier(national, global) => Some(global),
            (national, global) => national.or(global),
        }
    }

    /// A number behind the `8`, with a 0 or without, that was dialled across the Soviet Union.
    fn behind_eight(self, digits: &str) -> Option<Phone> {
        const REGIONS: [&str; 13] =
            ["AM", "AZ", "BY", "EE", "GE", "KG", "LT", "LV", "MD", "TJ", "TM", "UA", "UZ"];
        let rest = digits.strip_prefix('8').filter(|_| REGIONS.contains(&self.0.code))?;
        self.national(rest.strip_prefix('0').unwrap_or(rest)).filter(|phone| is_line(*phone))
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
            "CO" => colombian(digits),
            _ => None,
        }
    }
}

/// False for a number of the North American plan whose area code or exchange nobody has, and for
/// one that is dialled in one town alone, or by nobody: too short or too long for a line with its
/// area code, and of no service.
pub(super) fn is_assigned(phone: Phone) -> bool {
    let written = phone.to_string();
    is_line(phone) && (!written.starts_with("+1") || phonelib::is_valid_phone_number(&written))
}

/// True if a number is as long as a line is with its area code, or one of a service.
fn is_line(phone: Phone) -> bool {
    let Some((code, rest)) = plan::calling_code(phone.number()) else { return false };
    if !plan::is_line(code, rest) && phone.twin().is_none() {
        return kind(phone).is_some_and(is_service);
    }
    if !begins_as_a_line(phone, code, rest) {
        return kind(phone).is_some_and(is_service);
    }
    match code {
        ARGENTINA => is_area_of_argentina(phone),
        BRAZIL => is_line_of_brazil(phone),
        // A mobile number begins with no 0, and has no more digits.
        ITALY => rest <= 10 || phone.to_string().starts_with("+390"),
        _ => true,
    }
}

/// False for a number whose first digit no line of the plan has. Only plans that are certain in
/// this are listed: the patterns of the library leave out lines that there are.
fn begins_as_a_line(phone: Phone, code: u16, rest: u32) -> bool {
    /// Calling codes, digits of a line, and the first ones that there are.
    const FIRST: [(u16, u32, &str); 7] = [
        (34, 9, "56789"),
        (52, 10, "23456789"),
        (56, 9, "23456789"),
        (65, 8, "3689"),
        (90, 10, "234589"),
        (351, 9, "2356789"),
        (852, 8, "23456789"),
    ];
    let first = phone.number() / 10_u64.pow(rest.saturating_sub(1)) % 10;
    let listed = FIRST.iter().find(|(listed, digits, _)| *listed == code && *digits == rest);
    listed.is_none_or(|(_, _, digits)| digits.bytes().any(|digit| u64::from(digit - b'0') == first))
}

const ARGENTINA: u16 = 54;
const BRAZIL: u16 = 55;
const ITALY: u16 = 39;

/// True for a number of Brazil with an area code that there is, of a mobile telephone with the
/// ninth digit or without it, or of a fixed line; and for one of a service.
fn is_line_of_brazil(phone: Phone) -> bool {
    /// The first digits of area codes, each with the second ones that there are.
    const AREAS: [&str; 9] = [
        "123456789",
        "12478",
        "1234578",
        "123456789",
        "1345",
        "123456789",
        "134579",
        "123456789",
        "123456789",
    ];
    let written = phone.to_string();
    let national = written.strip_prefix("+55").unwrap_or_default();
    let mut digits = national.bytes();
    let (Some(first), Some(second), Some(third)) = (digits.next(), digits.next(), digits.next()) else {
        return false;
    };
    let areas = first.checked_sub(b'1').and_then(|place| AREAS.get(usize::from(place)));
    let is_area = areas.is_some_and(|areas| areas.bytes().any(|digit| digit == second));
    let is_subscriber = if national.len() == 11 { third == b'9' } else { (b'2'..=b'9').contains(&third) };
    (is_area && is_subscriber) || kind(phone).is_some_and(is_service)
}

/// True unless a number of Argentina begins with an area code that there is none of.
fn is_area_of_argentina(phone: Phone) -> bool {
    let written = phone.to_string();
    let national = written.strip_prefix("+54").unwrap_or_default();
    let national = national.strip_prefix('9').filter(|rest| rest.len() == 10).unwrap_or(national);
    ["11", "2", "3"].iter().any(|area| national.starts_with(area)) || kind(phone).is_some_and(is_service)
}

/// Of the two readings of digits that begin with the calling code, true if the one without it is
/// meant: it is that of a line that is known, and the other is none, or no mobile number where this
/// one is. Else 91 81234 56789 is a number with its calling code, and no longer Indian one.
fn is_likelier(national: Phone, global: Phone) -> bool {
    let is_mobile = |phone| kind(phone) == Some(PhoneNumberType::Mobile);
    is_known_line(national) && (!is_known_line(global) || (is_mobile(national) && !is_mobile(global)))
}

fn kind(phone: Phone) -> Option<PhoneNumberType> {
    phonelib::detect_phone_number_type(&phone.to_string())
}

fn is_service(kind: PhoneNumberType) -> bool {
    use PhoneNumberType::{FixedLine, FixedLineOrMobile, Mobile, Unknown};
    !matches!(kind, FixedLine | FixedLineOrMobile | Mobile | Unknown)
}

fn is_known_line(phone: Phone) -> bool {
    /// Calling codes of which fixed lines have fewer digits than mobile numbers, with how many they
    /// have at most.
    const FIXED: [(u16, u32); 9] =
        [(20, 9), (32, 8), (36, 8), (51, 8), (64, 8), (66, 8), (213, 8), (971, 8), (972, 8)];
    let most = |code| FIXED.iter().find(|(fixed, _)| *fixed == code).map_or(u32::MAX, |(_, most)| *most);
    match kind(phone) {
        None | Some(PhoneNumberType::Unknown) => false,
        Some(PhoneNumberType::FixedLine) => {
            plan::calling_code(phone.number()).is_some_and(|(code, rest)| rest <= most(code))
        }
        Some(_) => true,
    }
}

/// A number with its calling code, and what is dialled at home alone behind that: `+36 (06) 20 …`,
/// `+54 351 15 …`.
pub(super) fn with_trunk(text: &str) -> Option<Phone> {
    /// Calling codes, and what is dialled before a national number there.
    const TRUNKS: [(&str, &[&str]); 9] = [
        ("7", &["8"]),
        ("36", &["06"]),
        ("52", &["044", "045", "01", "1"]),
        ("370", &["8", "0"]),
        ("371", &["8"]),
        ("373", &["8"]),
        ("375", &["80", "8"]),
        ("380", &["80", "8"]),
        ("998", &["8"]),
    ];
    let written = WrittenDigits::read(text)?;
    let digits = written.as_dialled();
    let digits = if written.has_plus { &digits } else { digits.strip_prefix("00")? };
    if let Some(national) = digits.strip_prefix("54") {
        let national = national.strip_prefix('9').filter(|rest| rest.len() == 12).unwrap_or(national);
        return argentine(national);
    }
    if let Some(national) = digits.strip_prefix("55") {
        return brazilian(national);
    }
    let (code, trunks) = TRUNKS.iter().find(|(code, _)| digits.starts_with(code))?;
    let national = digits.strip_prefix(code)?;
    let numbers = trunks.iter().filter_map(|trunk| national.strip_prefix(trunk));
    let mut phones = numbers.filter_map(|number| Phone::possible(&format!("+{code}{number}")));
    phones.find(|phone| is_line(*phone))
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

/// `03` was dialled before a mobile number until 2021.
fn colombian(digits: &str) -> Option<Phone> {
    let ten = digits.strip_prefix("03").filter(|ten| ten.len() == 10 && ten.starts_with('3'))?;
    Phone::possible(&format!("+57{ten}"))
}

/// A long-distance call names a carrier: `0 15 11 91234-5678`.
fn brazilian(digits: &str) -> Option<Phone> {
    let national = digits.strip_prefix('0').filter(|rest| rest.len() >= 12)?.get(2..)?;
    matches!(national.len(), 10 | 11).then(|| Phone::possible(&format!("+55{national}"))).flatten()
}

#[cfg(test)]
mod tests {
    use super::Home;
    use crate::address::read_phone;

    #[test]
    fn a1_what_no_line_begins_with_and_what_is_something_else_is_no_number() {
        for (region, text) in [
            ("DE", "07.05.2026"),
            ("DE", "2026-05-07"),
            ("GB", "07/05/2026"),
            ("PL", "07.05.2026"),
            ("IT", "07/05/2026"),
            ("KR", "2026-05-07"),
            ("FR", "07 05 2026 10"),
            ("BR", "123.456.789-09"),
            ("BR", "11 34567-8909"),
            ("BR", "20 91234-5678"),
            ("BR", "10 91234-5678"),
            ("BR", "(11) 0123-4567"),
            ("AR", "20-12345678-9"),
            ("CL", "12.345.678-9"),
            ("TR", "1234567890"),
            ("MX", "1234567890"),
            ("SG", "12345678"),
            ("HK", "12345678"),
            ("ES", "123456789"),
        ] {
            assert_eq!(read_phone(text, Home::of(region)), None, "{region} {text}");
        }
        for (region, text) in [
            ("BR", "11 91234-5678"),
            ("BR", "(11) 3123-4567"),
            ("BR", "11 9123-4567"),
            ("BR", "0800 123 4567"),
            ("MX", "222 123 4567"),
            ("CL", "(2) 2123 4567"),
            ("CL", "9 6123 4567"),
            ("DK", "32 12 34 56"),
            ("TR", "0532 123 45 67"),
            ("SG", "9123 4567"),
            ("HK", "5123 4567"),
            ("ES", "612 34 56 78"),
            ("MU", "5448 0123"),
        ] {
            assert!(read_phone(text, Home::of(region)).is_some(), "{region} {text}");
        }
    }
}
