//! Telephone numbers as people write them, and what they are in E.164; found by `phonelib`, whose
//! numbering plans are those of libphonenumber.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::address::Phone;
use crate::address::{Home, WORLD, is_date_or_tax_number, read_phone};
use crate::digits::digit;
use crate::flow::form::diagnostics::Diagnostics;
use crate::flow::form::path::Path;
use crate::gather::Gather;

/// A search for numbers. One without a calling code is one of the home region.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PhoneFinder {
    home: Option<Home>,
}

impl PhoneFinder {
    /// A search with this region as home.
    pub(crate) fn at_home(home: Option<Home>) -> Self {
        Self { home }
    }

    /// True always: an issue is for builds without the feature.
    pub(crate) fn is_there(_at: &Path<'_>, _what: &str, _found: &mut Diagnostics) -> bool {
        true
    }

    /// The first number in a text.
    pub(crate) fn first(self, text: &str) -> Option<PhoneNumber> {
        let whole = in_ascii(text.trim());
        if whole.len() <= MOST_WHOLE
            && is_meant(&whole, self.home)
            && let Some(phone) = read_phone(&whole, self.home)
        {
            return Some(PhoneNumber { phone });
        }
        self.all(text).into_iter().next().map(|(_, number)| number)
    }

    /// The number in a text that has no other digits.
    pub(crate) fn only(self, text: &str) -> Option<Phone> {
        let mut found = self.all(text).into_iter();
        let ((place, number), None) = (found.next()?, found.next()) else { return None };
        let rest = [text.get(..place.start)?, text.get(place.end..)?];
        let has_digits = rest.iter().any(|rest| rest.contains(char::is_numeric));
        (!has_digits).then_some(number.phone)
    }

    /// Every number in a text, with its place.
    pub(super) fn all(self, text: &str) -> Vec<(Range<usize>, PhoneNumber)> {
        find_phones(text, self.home)
    }
}

/// A longer text is searched, not read as one number.
const MOST_WHOLE: usize = 64;

/// A number that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PhoneNumber {
    phone: Phone,
}

impl PhoneNumber {
    pub(super) fn e164(&self) -> String {
        self.phone.to_string()
    }

    /// Returns the value that a flow reads.
    pub(crate) fn to_json(&self) -> Value {
        let e164 = self.e164();
        let mut fields = Map::new();
        if let Some(country) = phonelib::extract_country(&e164).filter(|country| country.code != WORLD) {
            fields.insert("region".into(), json!(country.code));
        }
        fields.insert("e164".into(), json!(e164));
        Value::Object(fields)
    }
}

fn find_phones(text: &str, home: Option<Home>) -> Vec<(Range<usize>, PhoneNumber)> {
    let plain = in_ascii(text);
    let found = match home {
        Some(home) => phonelib::extract_phone_numbers_with_country_hint(&plain, home.code()),
        None => phonelib::extract_phone_numbers_from_text(&plain),
    };
    let places = (plain.len() != text.len()).then(|| places(&plain, text));
    let place =
        |at: usize| places.as_ref().map_or(at, |places| places.get(&at).copied().unwrap_or(text.len()));
    let is_alone = |number: &phonelib::ExtractedPhoneNumber| {
        let (before, behind) = (plain.get(..number.start), plain.get(number.end..));
        has_calling_code(&number.raw) || !is_part(before.unwrap_or_default(), behind.unwrap_or_default())
    };
    let found = found.into_iter().filter(|number| is_meant(&number.raw, home) && is_alone(number));
    let numbers = found.filter_map(|number| {
        let phone = read_phone(&number.raw, home)?;
        Some((place(number.start)..place(number.end), PhoneNumber { phone }))
    });
    numbers.collect()
}

/// The same characters, digits of other scripts as ours: `phonelib` reads those.
fn in_ascii(text: &str) -> String {
    let mut is_behind_zero = false;
    let plain = |c: char| {
        // The place that Brazilians leave for a carrier: `0xx11`.
        let is_carrier = is_behind_zero && matches!(c, 'x' | 'X');
        let c = match c {
            '/' | 'ー' | 'ｰ' | 'の' => '-',
            '\u{ff0b}' => '+',
            _ if is_carrier => ' ',
            c => digit(c).unwrap_or(c),
        };
        is_behind_zero = c == '0' || is_carrier;
        c
    };
    text.chars().map(plain).collect()
}

/// The place of each character of the one text in the other.
fn places(plain: &str, text: &str) -> BTreeMap<usize, usize> {
    plain.char_indices().zip(text.char_indices()).map(|((plain, _), (text, _))| (plain, text)).gather()
}

/// Digits of a number that is written without its calling code: fewer are as likely a price or a
/// house.
const LEAST_NATIONAL_DIGITS: usize = 6;

/// True if it is a number, and not something else of as many digits.
fn is_meant(written: &str, home: Option<Home>) -> bool {
    let is_national = || {
        let digits = written.bytes().filter(u8::is_ascii_digit).count();
        digits >= LEAST_NATIONAL_DIGITS && !is_date_or_tax_number(written) && !is_amount(written)
    };
    has_calling_code(written) || (home.is_some() && is_national())
}

/// Words before a number that is one of something else.
const OTHERS: &str = "cpf cnpj rut rfc curp ruc cuit cuil dni nif nie cif iban siret siren bic vat ust pan ssn \
    invoice order account tracking rechnung rechnungsnummer bestellung bestellnummer kundennummer konto factura pedido \
    cuenta guía facture commande compte fattura ordine conto fatura faktura zamówienie счет счёт заказ инн nik npwp \
    resi pesanan sipariş tckn aadhaar pnr awb passport passeport pasaporte passaporte passaporto reisepass паспорт \
    cédula cedula personnummer rodné rodne bsn cnic nit nhs pesel 사업자번호 사업자등록번호";

/// True if a number without its calling code is a part of a longer one (`IBAN DE89 3704 0044 …`),
/// or is called one of something else.
fn is_part(before: &str, behind: &str) -> bool {
    /// Digits of a group that continues a number; fewer are a count or an hour.
    const LEAST: usize = 3;
    let is_mark = |c: char| matches!(c, ' ' | '-' | '.');
    let before = before.strip_suffix(is_mark).unwrap_or(before);
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let digits = |text: &str| text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let is_behind_letters = word.contains(char::is_alphabetic) && digits(word) > 0;
    let next = behind.strip_prefix(is_mark).unwrap_or(behind);
    let continues = next.bytes().take_while(u8::is_ascii_digit).count() >= LEAST;
    let words = before.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_filler = |word: &&str| {
        ["no", "nr", "n", "número", "numero", "id", "číslo", "cislo"].contains(&&*word.to_lowercase())
    };
    let named = words.rev().find(|word| !is_filler(word)).unwrap_or_default().to_lowercase();
    is_behind_letters
        || digits(before) >= LEAST
        || continues
        || OTHERS.split_whitespace().any(|other| other == named)
}

fn has_calling_code(written: &str) -> bool {
    let written = written.trim_start_matches('(');
    written.starts_with('+') || written.starts_with("00")
}

/// An amount with its thousands apart has as many digits as a number.
fn is_amount(written: &str) -> bool {
    let mut groups = written.split('.');
    let first = groups.next().unwrap_or_default();
    let mut count = 0;
    let mut is_group = |group: &str| {
        count += 1;
        group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit())
    };
    (1..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_digit())
        && groups.all(&mut is_group)
        && count > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, home: &str) -> Vec<String> {
        PhoneFinder::at_home(Home::of(home))
            .all(text)
            .into_iter()
            .map(|(_, number)| number.phone.to_string())
            .collect()
    }

    #[test]
    fn numbers_are_found_as_people_write_them() {
        for (text, home, expected) in [
            ("call me at +1 (415) 555-0123, thanks", "", "+14155550123"),
            ("+49 (0)176 1234567", "", "+491761234567"),
            ("+44 07911 123456", "", "+447911123456"),
            ("0176/1234567", "DE", "+491761234567"),
            ("0049 176 1234567", "DE", "+491761234567"),
            ("00 44 7911 123456", "", "+447911123456"),
            ("011 44 7911 123456", "US", "+447911123456"),
            ("(415) 555.0123", "US", "+14155550123"),
            ("1-415-555-0123", "US", "+14155550123"),
            ("06 12 34 56 78", "FR", "+33612345678"),
            ("06 1234 5678", "IT", "+390612345678"),
            ("8 (912) 345-67-89", "RU", "+79123456789"),
            ("98765 43210", "IN", "+919876543210"),
            ("(11) 91234-5678", "BR", "+5511912345678"),
            (
                "\u{ff0b}\u{661}\u{664}\u{661}\u{665}\u{665}\u{665}\u{665}\u{660}\u{661}\u{662}\u{663}",
                "",
                "+14155550123",
            ),
            ("it is 2026-05-07, ring 0176 1234567", "DE", "+491761234567"),
            ("at 10 ring 0176 1234567 for 2", "DE", "+491761234567"),
            ("0176 1234567 (2 people)", "DE", "+491761234567"),
            ("090ー1234ー5678です", "JP", "+819012345678"),
            ("56961234567", "CL", "+56961234567"),
            ("ring 65 9123 4567", "SG", "+6591234567"),
            ("4915112345678", "DE", "+4915112345678"),
            ("liga no 0xx11 91234-5678", "BR", "+5511912345678"),
        ] {
            assert_eq!(found(text, home), [expected], "{text}");
        }
        let two = found("+14155550123 or +447911123456", "");
        assert_eq!(two, ["+14155550123", "+447911123456"]);
    }

    #[test]
    fn what_is_no_number_is_not_found() {
        for (text, home) in [
            ("my order is A-10023", "DE"),
            ("order A0176123456", "DE"),
            ("0176 1234567", ""),
            ("+999 1234567", ""),
            ("+1 415 555 012", ""),
            ("12345", "DE"),
            ("91234-5678", "BR"),
            ("liga no 91234-5678", "BR"),
            ("8888 8888", "CN"),
            ("07.05.2026", "DE"),
            ("05/07/2026", "US"),
            ("2026/05/07", "DE"),
            ("1.500.000", "DE"),
            ("2026-05-07", "DE"),
            ("2026-05-07 10:00:00", "US"),
            ("CPF 123.456.789-09", "BR"),
            ("IBAN DE89 3704 0044 0532 0130 00", "DE"),
            ("IBAN TR33 0006 1005 1978 6457 8413 26", "TR"),
            ("RUT 12345678-9", "CL"),
            ("SIRET 123 456 789 00012", "FR"),
            ("Rechnung 2026050712", "DE"),
            ("order no. 2026050712", "DE"),
            ("tgl 07-05-2026 10:30", "ID"),
            ("tgl 07/05/2026 10:30", "ID"),
            ("rodné číslo 900101/1234", "CZ"),
            ("rodné číslo 720101 123", "CZ"),
            ("personnummer 720101-123", "SE"),
            ("cédula 3211234567", "CO"),
            ("паспорт 4812 123456", "RU"),
            ("BSN 111222333", "NL"),
            ("사업자번호 123-45-67890", "KR"),
            ("CNIC 42101-1234567-1", "PK"),
            ("+", "DE"),
            ("((((((", "DE"),
            ("123456789012345678901234567890", "DE"),
            ("", "DE"),
        ] {
            assert_eq!(found(text, home), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_number_says_whose_it_is() {
        let json = |text: &str| PhoneFinder::at_home(None).first(text).unwrap().to_json();
        assert_eq!(json("+33 6 12 34 56 78"), json!({"e164": "+33612345678", "region": "FR"}));
        assert_eq!(json("+1 (415) 555-0123"), json!({"e164": "+14155550123", "region": "US"}));
        assert_eq!(json("+1 (416) 555-0123"), json!({"e164": "+14165550123", "region": "CA"}));
    }

    #[test]
    fn a_place_is_that_of_the_text_as_it_is_written() {
        let text =
            "\u{661}. \u{ff0b}\u{661}\u{664}\u{661}\u{665}\u{665}\u{665}\u{665}\u{660}\u{661}\u{662}\u{663}!";
        let found = find_phones(text, None);
        assert_eq!(found.len(), 1);
        assert!(text[found[0].0.clone()].starts_with('\u{ff0b}') && text[found[0].0.end..] == *"!");
    }
}
