//! The names of months and weekdays, and the words for nearby days, in some eighty languages:
//! `names.txt`, which `scripts/cldr-names` makes of the Unicode CLDR (SEMANTICS U13). Each line is
//! a language: its tag, months within a date, months alone, both abbreviated, weekdays, weekdays
//! abbreviated, and from two days ago to in two days.

mod dated;
mod figures;

use std::fmt::{self, Write};

use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use chrono::{DateTime, Datelike, FixedOffset};

pub(crate) use dated::{CalendarNames, THAI_OFFSET, Years, common_year};
pub(crate) use figures::{compact, figured, mark};

use crate::flow::lang::language::lookup;
use crate::flow::lang::normal::{key, without_accents};

const TABLE: &str = include_str!("names.txt");

/// The names of one language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LanguageNames {
    row: &'static str,
}

/// The meaning of a name in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A month, from 1 on.
    Month(u32),
    /// A weekday, from Monday as 0 on.
    Weekday(u32),
}

/// The day beside today that a word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NearbyDay {
    /// So many days from today.
    At(i64),
    /// One before today or one after it.
    Unclear,
}

const MONTHS: [usize; 4] = [1, 2, 3, 4];
const WEEKDAYS: [usize; 2] = [5, 6];
const NEARBY: usize = 7;

/// Further spellings of months that people type, by language.
#[rustfmt::skip]
const VARIANTS: [(&str, &str); 19] = [
    ("de", "maerz=3 feber=2 jaenner=1"),
    ("el", "Γενάρη=1 Γενάρης=1 Φλεβάρη=2 Φλεβάρης=2 Μάρτη=3 Μάρτης=3 Απρίλη=4 Απρίλης=4 Μάη=5 Μάης=5 Ιούνη=6 \
        Ιούνης=6 Ιούλη=7 Ιούλης=7 Αύγουστο=8 Σεπτέμβρη=9 Σεπτέμβρης=9 Οκτώβρη=10 Οκτώβρης=10 Νοέμβρη=11 Νοέμβρης=11 \
        Δεκέμβρη=12 Δεκέμβρης=12"),
    ("es", "setiembre=9 set=9"),
    ("id", "agt=8 agst=8 ags=8 pebruari=2 peb=2 nopember=11 nop=11"),
    ("he", "מרס=3 מארס=3"),
    ("fa", "می=5 جنوری=1 فبروری=2 اپریل=4 جون=6 جولای=7 آگوست=8 اکتوبر=10 نومبر=11 دسمبر=12"),
    ("ur", "اگسٹ=8"),
    ("ar", "يونية=6 يولية=7"),
    ("hi", "अक्टूबर=10 ऑक्टोबर=10"),
    ("mr", "जानेवरी=1 फेब्रुवारि=2"),
    ("ne", "फेब्रुवरी=2 अक्टुबर=10 नोवेम्बर=11"),
    ("bn", "জানুয়ারি=1 ফেব্রুয়ারি=2 অগাস্ট=8 আগষ্ট=8 অগস্ট=8"),
    ("gu", "ઓગસ્ટ=8 ઓક્ટોબર=10"),
    ("ta", "ஆகஸ்டு=8 பெப்ரவரி=2 ஜுலை=7 ஜுன்=6"),
    ("te", "ఆగస్ట్=8 జూలై=7"),
    ("kn", "ಆಗಸ್ಟ್=8 ಫೆಬ್ರುವರಿ=2 ಫೆಬ್ರವರಿ=2"),
    ("ml", "ആഗസ്റ്റ്=8 ഓഗസ്റ്റ്=8"),
    ("sl", "januarja=1 februarja=2 marca=3 aprila=4 maja=5 junija=6 julija=7 avgusta=8 septembra=9 oktobra=10 \
        novembra=11 decembra=12"),
    ("lv", "janvārī=1 februārī=2 martā=3 aprīlī=4 maijā=5 jūnijā=6 jūlijā=7 augustā=8 septembrī=9 oktobrī=10 \
        novembrī=11 decembrī=12"),
];

/// Further words for days beside today that people type, by language.
#[rustfmt::skip]
const NEARBY_VARIANTS: [(&str, &str); 23] = [
    ("ro", "astăzi=0"),
    ("fa", "پس فردا=2"),
    ("bn", "আজকে=0"),
    ("en", "tmr=1|tmw=1|2moro=1|the day after tomorrow=2|day after tomorrow=2|the day before yesterday=-2|day before yesterday=-2|tmrw=1|2day=0"),
    ("sv", "idag=0|imorgon=1|igår=-1|i övermorgon=2|övermorgon=2"),
    ("da", "idag=0|imorgen=1|igår=-1"),
    ("nb", "idag=0|imorgen=1|igår=-1|imorra=1"),
    ("pl", "dziś=0|dzis=0"),
    ("ja", "きょう=0|本日=0|あした=1|あす=1|明後日=2|あさって=2|きのう=-1|一昨日=-2"),
    ("ar", "بعد غد=2|بعد بكرة=2|بكرة=1|بكره=1|بكرا=1|غدا=1|النهارده=0|النهاردة=0|امبارح=-1"),
    ("fr", "aujourdhui=0|après demain=2|avant hier=-2|ce jour=0"),
    ("fil", "ngayon=0|ngayong araw=0|bukas=1|sa makalawa=2"),
    ("zh", "今日=0|明日=1|聽日=1|听日=1|大后天=3"),
    ("ko", "낼=1|모레=2|내일모레=2|금일=0|명일=1"),
    ("th", "มะรืน=2|มะรืนนี้=2"),
    ("vi", "mai=1|bữa nay=0|ngày mốt=2|mốt=2"),
    ("id", "hari ini=0|besok=1|esok=1|lusa=2|kemarin=-1"),
    ("es", "para hoy=0|para mañana=1|pasado mañana=2|antier=-2|antes de ayer=-2"),
    ("pt", "para hoje=0|para amanhã=1|depois de amanhã=2|anteontem=-2|hj=0|amanha=1"),
    ("it", "dopodomani=2|dopo domani=2"),
    ("de", "heut=0|uebermorgen=2|über morgen=2"),
    ("ru", "седня=0|послезавтра=2|позавчера=-2"),
    ("tr", "yarin=1|bugun=0|öbür gün=2"),
];

impl LanguageNames {
    /// Those of a language, or of the one that its readers are best served with.
    pub(crate) fn of(tag: &str) -> Option<Self> {
        let place = lookup(tag, TABLE.lines().filter_map(|row| row.split('\t').next()))?;
        TABLE.lines().nth(place).map(|row| Self { row })
    }

    /// Those of a language in all its regions, since people move.
    pub(crate) fn kin_of(tag: &str) -> impl Iterator<Item = Self> {
        let own = Self::of(tag).map(|names| names.primary());
        TABLE.lines().map(|row| Self { row }).filter(move |names| own == Some(names.primary()))
    }

    fn primary(self) -> &'static str {
        self.row.split(['\t', '-']).next().unwrap_or_default()
    }

    fn list(self, place: usize) -> impl Iterator<Item = &'static str> {
        self.row.split('\t').nth(place).unwrap_or_default().split('|')
    }

    fn name(self, list: usize, place: u32) -> &'static str {
        self.list(list).nth(place as usize).unwrap_or_default()
    }

    /// Writes a time in a format of `strftime`, with names in this language. A month beside a day
    /// has the form that it takes in a date.
    pub(crate) fn write(self, at: DateTime<FixedOffset>, format: &str, out: &mut dyn Write) -> fmt::Result {
        let has_day = StrftimeItems::new(format).any(|item| matches!(item, Item::Numeric(Numeric::Day, _)));
        let (month, weekday) = (at.month0(), at.weekday().num_days_from_monday());
        for item in StrftimeItems::new(format) {
            match item {
                Item::Fixed(Fixed::LongMonthName) => {
                    out.write_str(self.name(if has_day { 1 } else { 2 }, month))
                }
                Item::Fixed(Fixed::ShortMonthName) => {
                    out.write_str(self.name(if has_day { 3 } else { 4 }, month))
                }
                Item::Fixed(Fixed::LongWeekdayName) => out.write_str(self.name(5, weekday)),
                Item::Fixed(Fixed::ShortWeekdayName) => out.write_str(self.name(6, weekday)),
                item => write!(out, "{}", at.format_with_items(std::iter::once(item))),
            }?;
        }
        Ok(())
    }

    /// The names of months and weekdays in a text of the form of [`plain`], each with its
    /// place; the longest first.
    pub(crate) fn all(self) -> impl Iterator<Item = (String, Named)> {
        let months = MONTHS.into_iter().flat_map(move |list| (1..).zip(self.list(list)));
        let months = months.map(|(month, name)| (plain(name), Named::Month(month)));
        let weekdays = WEEKDAYS.into_iter().flat_map(move |list| (0..).zip(self.list(list)));
        let names = months.chain(weekdays.map(|(day, name)| (plain(name), Named::Weekday(day))));
        names.filter(|(name, _)| !name.is_empty()).chain(self.further())
    }

    /// Further forms that names of months have in a date: their cases, and the spelling of a
    /// keyboard without `ä`.
    fn further(self) -> Vec<(String, Named)> {
        let with = |ends: &'static [&'static str]| {
            let months = (1..).zip(self.list(MONTHS[0]));
            let forms = months
                .flat_map(move |(month, name)| ends.iter().map(move |end| (month, format!("{name}{end}"))));
            forms.map(|(month, name)| (plain(&name), Named::Month(month))).collect()
        };
        let listed =
            VARIANTS.iter().filter(|(tag, _)| *tag == self.primary()).flat_map(|(_, words)| words.split(' '));
        let mut listed: Vec<(String, Named)> = listed
            .filter_map(|word| word.split_once('='))
            .filter_map(|(name, month)| Some((plain(name), Named::Month(month.parse().ok()?))))
            .collect();
        // Weekdays beside those of the Unicode CLDR: of themselves, in a sentence, and in short.
        let weekdays = || (0..).zip(self.list(WEEKDAYS[0]));
        let called = |form: fn(&str) -> Option<String>| {
            let forms =
                weekdays().filter_map(move |(day, name)| Some((plain(&form(name)?), Named::Weekday(day))));
            forms.collect()
        };
        let formed = match self.primary() {
            "fi" => called(|name| name.strip_suffix("na").map(str::to_owned)),
            "sv" | "da" | "nb" => called(|name| Some(format!("{name}en"))),
            "pt" => called(|name| name.strip_suffix("-feira").map(str::to_owned)),
            // On that day: `в пятницу`, `w środę`.
            "ru" => called(|name| Some(format!("{}у", name.strip_suffix('а')?))),
            "uk" => called(|name| {
                let ended = |end, other| Some(format!("{}{other}", name.strip_suffix(end)?));
                ended('а', 'у').or_else(|| ended('я', 'ю'))
            }),
            "pl" => called(|name| Some(format!("{}ę", name.strip_suffix('a')?))),
            "cs" | "sk" => called(|name| Some(format!("{}u", name.strip_suffix('a')?))),
            "eu" => with(&["k", "ren", "n", "ko"]),
            "sr" | "bs" => with(&["a", "а"]),
            "mn" => {
                let forms = ["-р сар", "-р сарын", " сарын", " дугаар сарын", " дүгээр сарын"];
                let counted = (1..=12)
                    .flat_map(|month| forms.map(|form| (format!("{month}{form}"), Named::Month(month))));
                let named: Vec<_> = with(&["ын"]);
                counted.chain(named).collect()
            }
            _ => Vec::new(),
        };
        listed.extend(formed);
        listed
    }

    /// The day beside today that a text names: -1 for `yesterday`; unclear where a word means two,
    /// such as the Hindi for tomorrow and yesterday.
    pub(crate) fn nearby(self, text: &str) -> Option<NearbyDay> {
        let form = |text: &str| plain(text).replace('-', " ");
        let text = form(text);
        let further = NEARBY_VARIANTS.iter().filter(|(tag, _)| *tag == self.primary());
        let further = further.flat_map(|(_, words)| words.split('|')).filter_map(|word| word.split_once('='));
        let further = further.filter_map(|(word, day)| Some((day.parse().ok()?, word)));
        let named = (-2..).zip(self.list(NEARBY)).filter(|(_, word)| !word.is_empty());
        let mut days = named.chain(further).filter(|(_, word)| form(word) == text).map(|(day, _)| day);
        let day: i64 = days.next()?;
        Some(if days.any(|other| other != day) { NearbyDay::Unclear } else { NearbyDay::At(day) })
    }
}

/// A text for names to be found in: without case, accents, and dots of abbreviations.
fn plain(text: &str) -> String {
    without_accents(&key(text)).replace(['.', '\'', '’', '׳'], "")
}
