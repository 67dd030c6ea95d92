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
    if !plan::begins_as_numbers_do(phone.number()) {
        return false;
    }
    if !plan::is_line(code, rest) && phone.twin().is_none() {
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

    /// Numbers as they are dialled at home, of mobile telephones, fixed lines and services, for
    /// each plan of which beginnings are listed.
    const NUMBERS: &str = "\
        RU 89123456789 84951234567 88123456789 88001234567 84011234567 88432123456 88722123456 83022123456
        KZ 87710009998 87271234567 87172123456 87771234567
        EG 01001234567 01112345678 01212345678 01551234567 0225761234 0133212345
        NL 0612345678 0201234567 0111123456 0181123456 0853030303 08001234
        BE 0470123456 0455123456 042123456 043123456 021234567 091234567 080012345
        ES 612345678 712345678 912345678 512345678 900123456
        HU 06201234567 06311234567 06701234567 0611234567 0622123456 0636123456
        IT 3331234567 333123456 0612345678 0212345678 800123456
        GB 07911123456 07700900123 02079460958 01632960123 0169773123 03001231234 05512345678 08001111 09012345678 \
        08001234567
        DK 20123456 32123456 61123456 91123456
        SE 0701234567 0791234567 0812345678 081234567 020123456 0771123456
        NO 40612345 91234567 22123456 80012345
        DE 015112345678 015901234567 01601234567 01621234567 016312345678 01701234567 017612345678 030123456 \
        08912345678 033203123 08001234567
        PE 912345678 11234567 84123456
        MX 2221234567 5512345678 8001234567
        AR 1123456789 3511234567 2901123456 01123456789 91123456789 08001234567
        CL 961234567 221234567 321234567
        CO 3211234567 6011234567 6041234567 018001234567
        MY 0123456789 0101234567 0191234567 01112345678 0131234567 0312345678 041234567 088123456 1300881234 \
        1800881234
        AU 0412345678 0491570006 0298765432 0398765432 0745678901 0892345678 1300123456 1800123456 131234
        PH 09051234567 09171234567 0281234567 0321234567 0881234567 180012345678
        SG 91234567 81234567 61234567 31234567 18001234567
        TH 0812345678 0612345678 0912345678 021234567 053123456 0601234567 1800123456
        JP 09012345678 08012345678 07012345678 05012345678 0312345678 0921234567 0791234567 0120123456 \
        08001234567
        KR 01020000000 0111234567 0212345678 021234567 0311234567 07012345678 0801234567
        VN 0912345678 0312345678 0512345678 0712345678 0812345678 02412345678 02912345678 1800123456
        CN 13800138000 15012345678 16612345678 19912345678 01012345678 02112345678 075512345678
        TR 05321234567 02121234567 03121234567 08501234567
        PK 03012345678 03451234567 02112345678 0421234567 0512345678
        IR 09123456789 02112345678 01112345678 01312345678 01712345678
        DZ 0551234567 0661234567 0771234567 021123456 031123456
        CI 0123456789 0501234567 0701234567 2123456789 2512345678 2712345678
        MU 52512345 2012345
        CD 0812345678 0991234567 0901234567
        KE 0712123456 0110123456 0202012345 0412345678
        MZ 821234567 871234567 21123456
        ZW 0712345678 0771234567 0731234567 0781234567
        NA 0811234567 0851234567 061221234
        BW 71123456 2401234
        PT 912345678 212345678 800123456 707123456
        IE 0850123456 0831234567 0871234567 012212345 0211234567
        BG 0871234567 0888123456 0981234567 021234567 032123456
        CZ 601123456 723123456 212345678 800123456
        EC 0991234567 0981234567 022123456 072123456 1800123456
        PY 0961456789 021123456
        HK 51234567 21234567 91234567
        BD 01812345678 01312345678 0212345678 027111234
        TW 0912345678 0221234567 0412345678
        LB 03123456 70123456 71123456 81123456 01123456 07720123 08801234
        JO 0790123456 0770123456 0780123456 062001234
        SY 0944567890 0112345678
        IQ 07912345678 07701234567 017123456
        YE 0712345678 0777123456 01234567
        PS 0599123456 022234567
        AE 0501234567 0581234567 022345678 042345678 600512345
        IL 0502345678 0721234567 021234567 031234567 089123456 1700123456 1800123456
        NP 9841234567 9811234567 9711234567 014567890 021123456";

    /// A calling code without `+`, and what is not dialled behind one.
    fn parts<'a>(region: &str, written: &'a str) -> (String, &'a str) {
        let code = Home::of(region).unwrap().0.prefix.to_string();
        let trunk = match region {
            "IT" | "CI" => "",
            "HU" => "06",
            "RU" | "KZ" => "8",
            _ => "0",
        };
        (code, written.strip_prefix(trunk).unwrap_or(written))
    }

    #[test]
    fn a1_numbers_of_every_plan_of_which_beginnings_are_listed_are_read_in_every_form() {
        for line in NUMBERS.lines() {
            let (region, numbers) = line.trim().split_once(' ').unwrap();
            let home = Home::of(region);
            for number in numbers.split_whitespace() {
                let (code, national) = parts(region, number);
                let expected = format!("+{code}{national}");
                let found = |text: &str| read_phone(text, home).map(|phone| phone.to_string());
                let is_argentine_mobile = region == "AR" && number.starts_with('9');
                let spaced = number.as_bytes().chunks(3).map(|part| str::from_utf8(part).unwrap());
                let spaced = spaced.collect::<Vec<_>>().join(" ");
                for text in [number, &spaced, &expected, &format!("00{code} {national}")] {
                    let at_home = !text.starts_with(['+']) && !text.starts_with("00");
                    if is_argentine_mobile && at_home {
                        continue;
                    }
                    assert_eq!(found(text).as_deref(), Some(&*expected), "{region} {text}");
                }
            }
        }
    }

    #[test]
    fn a1_a_mobile_number_with_a_digit_missing_is_none() {
        for line in
            "GB 0791112345\nTH 081234567\nJP 0901234567\nKR 0101234567\nCN 1380013800\nPH 0917123456\n\
            PK 0300123456\nEG 0101234567\nAE 050123456\nIL 050123456\nIQ 0791234567\nJO 079012345\n\
            BD 0181234567\nNP 984123456\nTW 091234567\nRU 8912345678\nKZ 8701234567\nBE 047012345\n\
            HU 0620123456\nBG 087123456\nEC 099123456\nPE 91234567\nKE 071212345\nDE 01511234567\n\
            VN 091234567\nDZ 055123456\nIE 085012345\nSE 070123456\nSY 094456789\nPS 059912345\nMZ 82123456\n\
            MY 01212345678\nVN 09123456789\nAR 20123456789\nCI 01234567890\nZW 07123456789\nCD 08123456789"
                .lines()
        {
            let (region, number) = line.trim().split_once(' ').unwrap();
            let (code, national) = parts(region, number);
            assert_eq!(read_phone(number, Home::of(region)), None, "{line}");
            assert_eq!(read_phone(&format!("+{code}{national}"), Home::of(region)), None, "{line}");
        }
    }

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
            ("CZ", "900101/1234"),
            ("CZ", "+4209001011234"),
            ("KR", "123-45-67890"),
            ("PH", "123-456-789-000"),
            ("EC", "1712345678"),
            ("SE", "900101-1234"),
            ("RU", "4512 123456"),
            ("CO", "1.012.345.678"),
            ("CO", "1012345678"),
            ("CO", "900.123.456-7"),
            ("NL", "123456782"),
            ("AU", "123 456 789"),
            ("GB", "943 476 5919"),
            ("IL", "012345678"),
            ("IR", "1234567890"),
            ("BD", "1234567890"),
            ("TW", "12345678"),
            ("DK", "12345678"),
            ("KE", "12345678"),
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
