//! Dates as a question allows them to be written (SEMANTICS U13).

use std::fmt::Write as _;

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse};
use chrono::{Datelike, NaiveDate, TimeDelta};

use super::clock::DayTime;
use super::speech::Speech;
use crate::digits::plain;
use crate::flow::lang::calendar::{
    LanguageNames, NearbyDay, THAI_OFFSET, Years, common_year, compact, figured, mark,
};
use crate::flow::lang::moment::WrittenTime;
use crate::flow::lang::normal::{key, unbracketed};

/// More characters are no date.
const MOST: usize = 64;

/// An older year is a slip, or one of another calendar, such as 1405 in Iran.
const OLDEST: i32 = 1_500;

/// The ways in which dates may be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dates {
    /// Formats of `strftime`; if there is none, in figures that leave no doubt, or with the name of
    /// the month.
    pub(crate) formats: Box<[Box<str>]>,
    /// The first of the hundred years in which a year of two digits lies; 79 years ago if absent.
    pub(crate) century: Option<i32>,
    /// True if `tomorrow` is a date.
    pub(crate) relative: bool,
}

/// Reads a date in one of the formats, the first that fits; without formats in figures that leave
/// no doubt: `2026-05-07`, `2026. 5. 7.`, `7.5.2026`, or a time on that day. Names of months are
/// those of the conversation's languages.
pub(super) fn read(text: &str, dates: &Dates, cx: &Speech<'_>) -> Option<NaiveDate> {
    if text.len() > 4 * MOST || text.chars().count() > MOST {
        return None;
    }
    let text: String = plain(text).chars().map(mark).collect();
    let text = without_era(text);
    let (text, bare) = (text.trim(), unbracketed(&text));
    let nearby = || dates.relative.then(|| nearby(bare, cx)).flatten();
    let written = |text: &str| {
        if dates.formats.is_empty() {
            return unformatted(text, cx.counts_as_thai());
        }
        dates.formats.iter().find_map(|format| formatted(text, format, dates.century, cx))
    };
    let date = written(text).or_else(|| written(bare)).or_else(|| written(without_filler(bare)?));
    let date = date.or_else(|| written(&without_blanks(bare)?));
    let date = date.or_else(|| named(bare, dates, cx)).or_else(nearby);
    let date = date.or_else(|| beside_words(bare, written, cx));
    let date = date.or_else(|| if dates.formats.is_empty() { loosely(bare, written, cx) } else { None });
    date.filter(|date| (OLDEST..=9_999).contains(&date.year()))
}

/// A date without the words behind it that say nothing: `07.05.2026 г.`.
fn without_filler(text: &str) -> Option<&str> {
    const FILLERS: [&str; 33] = [
        "г",
        "год",
        "года",
        "году",
        "р",
        "рік",
        "року",
        "році",
        "ж",
        "жылы",
        "r",
        "rok",
        "roku",
        "g",
        "god",
        "godine",
        "godini",
        "d",
        "gada",
        "an",
        "p",
        "թ",
        "წ",
        "წელი",
        "წელს",
        "e",
        "年",
        "日",
        "です",
        "일",
        "입니다",
        "ครับ",
        "ค่ะ",
    ];
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (date, behind) = text.split_at(end);
    let mut words =
        behind.split(|c: char| c == '.' || c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    words.all(|word| FILLERS.contains(&&*word.to_lowercase())).then_some(date)
}

/// A date in figures with its weekday beside it, or a word that says nothing: `Do 7.5.2026`,
/// `2026/5/7(木)`. With another weekday it is none.
#[cold]
fn beside_words(
    text: &str,
    written: impl Fn(&str) -> Option<NaiveDate>,
    cx: &Speech<'_>,
) -> Option<NaiveDate> {
    let is_digit = |c: char| c.is_ascii_digit();
    let (start, end) = (text.find(is_digit)?, text.rfind(is_digit)? + 1);
    let (before, date, after) = (text.get(..start)?, text.get(start..end)?, text.get(end..)?);
    if before.len() + after.len() == 0 {
        return None;
    }
    written(date).filter(|date| cx.calendar().are_beside(&format!("{before} {after}"), *date))
}

/// A date with a time of that day behind it, or with other marks than are usual: `7 May 2026 at
/// 10am`, `2026 05 07`, `12.31.2026`.
#[cold]
fn loosely(text: &str, written: impl Fn(&str) -> Option<NaiveDate>, cx: &Speech<'_>) -> Option<NaiveDate> {
    /// Words of a time: `a las 10:00 de la mañana`.
    const MOST_WORDS: usize = 6;
    let is_figures = |group: &str| group.len() > 1 && group.bytes().all(|b| b.is_ascii_digit());
    for (mark, other) in [(' ', "-"), ('.', "/")] {
        if text.contains(mark) && text.split(mark).all(is_figures) {
            return written(&text.replace(mark, other));
        }
    }
    let ends = text.rmatch_indices(char::is_whitespace).take(MOST_WORDS);
    ends.filter_map(|(place, _)| text.split_at_checked(place)).find_map(|(date, time)| {
        let time = key(time);
        // `2026` is a year.
        DayTime::said(&time).filter(|_| !time.bytes().all(|b| b.is_ascii_digit()))?;
        let date = date.trim_end_matches([',', ' ']);
        written(date).or_else(|| named(date, &Dates::default(), cx))
    })
}

/// A date without the blanks around its marks, where it has some: `07 / 05 / 2026`.
fn without_blanks(text: &str) -> Option<String> {
    let mut tight = text.to_owned();
    for mark in ['/', '-', '.'] {
        for spaced in [format!(" {mark}"), format!("{mark} ")] {
            tight = tight.replace(&spaced, mark.encode_utf8(&mut [0; 4]));
        }
    }
    (tight.len() < text.len()).then_some(tight)
}

/// A date with the year that a year of a Japanese era is: `令和8年5月7日`.
fn without_era(text: String) -> String {
    const ERAS: [(&str, u32); 3] = [("令和", 2018), ("平成", 1988), ("昭和", 1925)];
    let found = ERAS.iter().find_map(|(era, before)| {
        let rest = text.trim_start().strip_prefix(era)?.trim_start();
        let (year, rest) = rest.split_once('年')?;
        let year = if year == "元" { 1 } else { year.trim().parse().ok().filter(|year| *year < 100)? };
        Some(format!("{}年{rest}", before + year))
    });
    found.unwrap_or(text)
}

fn unformatted(text: &str, is_thai: bool) -> Option<NaiveDate> {
    let day = figured(text, is_thai).filter(|(end, _)| *end == text.len()).map(|(_, date)| date);
    let day = day.or_else(|| compact(text, is_thai));
    day.or_else(|| WrittenTime::parse(text).map(WrittenTime::day))
}

/// In a format. A year of four digits is no other, one of two lies in the author's century.
fn formatted(text: &str, format: &str, century: Option<i32>, cx: &Speech<'_>) -> Option<NaiveDate> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, StrftimeItems::new(format)).ok()?;
    if parsed.year().is_some_and(|year| year < 1_000) {
        return None;
    }
    if let (None, None, Some(two)) = (parsed.year(), parsed.year_div_100(), parsed.year_mod_100()) {
        if !has_short_year(text, format) {
            return None;
        }
        let year = whole_year(two, century, cx);
        // The two digits of a Thai year are those of another one.
        if cx.counts_as_thai() {
            return NaiveDate::from_ymd_opt(year, parsed.month()?, parsed.day()?);
        }
        parsed.set_year_div_100(i64::from(year) / 100).ok()?;
    }
    match parsed.year().filter(|_| cx.counts_as_thai()) {
        Some(year) if common_year(year) != year => {
            NaiveDate::from_ymd_opt(common_year(year), parsed.month()?, parsed.day()?)
        }
        _ => parsed.to_naive_date().ok(),
    }
}

/// False if the year was written with one digit: `7/5/6`.
fn has_short_year(text: &str, format: &str) -> bool {
    let numbers = StrftimeItems::new(format).filter_map(|item| match item {
        Item::Numeric(number, _) => Some(number == Numeric::YearMod100),
        _ => None,
    });
    let written = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    // Numbers that nothing separates have as many digits as they can.
    numbers.clone().count() != written.clone().count()
        || numbers.zip(written).all(|(is_year, digits)| !is_year || digits.len() == 2)
}

/// The year that two digits mean; those of a Thai are of a year as Thai count them.
fn whole_year(two: i32, century: Option<i32>, cx: &Speech<'_>) -> i32 {
    const BACK: i32 = 79;
    let offset = if cx.counts_as_thai() { THAI_OFFSET } else { 0 };
    let first = century.unwrap_or(cx.today.year() - BACK) + offset;
    first + (two - first).rem_euclid(100) - offset
}

/// The date that a word means beside today: `tomorrow`, `mañana`, or `Friday`, the next one. Said
/// on a Friday that is today or in a week, so it is none.
fn nearby(text: &str, cx: &Speech<'_>) -> Option<NaiveDate> {
    let days = match cx.tags().flat_map(LanguageNames::kin_of).find_map(|names| names.nearby(text)) {
        Some(NearbyDay::At(days)) => days,
        Some(NearbyDay::Unclear) => return None,
        None => {
            let ahead = cx.calendar().weekday(text)? + 7 - cx.today.weekday().num_days_from_monday();
            Some(i64::from(ahead % 7)).filter(|days| *days > 0)?
        }
    };
    cx.today.checked_add_signed(TimeDelta::days(days))
}

/// A date with the name of its month, where no format says otherwise. A year of two digits comes
/// last, and only where a format has one.
fn named(text: &str, dates: &Dates, cx: &Speech<'_>) -> Option<NaiveDate> {
    let has = |wanted: fn(&Item<'_>) -> bool| {
        dates.formats.iter().any(|format| StrftimeItems::new(format).any(|item| wanted(&item)))
    };
    let is_month =
        |item: &Item<'_>| matches!(item, Item::Fixed(Fixed::LongMonthName | Fixed::ShortMonthName));
    if !dates.formats.is_empty() && !has(is_month) {
        return None;
    }
    let is_short = has(|item| matches!(item, Item::Numeric(Numeric::YearMod100, _)));
    let is_short = is_short || (dates.formats.is_empty() && cx.counts_as_thai());
    let whole = |two| whole_year(two, dates.century, cx);
    let today = dates.relative.then_some(cx.today);
    cx.calendar().read(text, &Years { short: is_short.then_some(&whole), today })
}

/// True if a format can write a date so that the same date is read again.
pub(crate) fn check_format(format: &str) -> bool {
    let Some(date) = NaiveDate::from_ymd_opt(2031, 11, 23) else { return false };
    let mut text = String::new();
    let cx = Speech { languages: [None, None], decimal: None, today: date };
    write!(text, "{}", date.format(format)).is_ok() && formatted(&text, format, Some(2000), &cx) == Some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speech(language: &str) -> Speech<'_> {
        let today = NaiveDate::from_ymd_opt(2026, 5, 7).unwrap();
        Speech { languages: [Some(language), None], decimal: None, today }
    }

    #[track_caller]
    fn check(text: &str, formats: &[&str], expected: &str) {
        let formats = formats.iter().map(|format| (*format).into()).collect();
        let dates = Dates { formats, ..Dates::default() };
        let read = read(text, &dates, &speech("es")).map(|date| date.to_string());
        assert_eq!(read.as_deref().unwrap_or("-"), expected, "{text}");
    }

    #[test]
    fn dates_are_read_in_iso_8601_or_as_the_question_says() {
        check("2026-05-07", &[], "2026-05-07");
        check("2026-5-7", &[], "2026-05-07");
        check("٢٠٢٦-٠٥-٠٧", &[], "2026-05-07");
        check("2026-05-07T23:30:00-08:00", &[], "2026-05-07");
        check("2026-05-07T23:30", &[], "2026-05-07");
        check("２０２６－０５－０７", &[], "2026-05-07");
        check("2026‑05‑07.", &[], "2026-05-07");
        check("０７／０５／２０２６", &["%d/%m/%Y"], "2026-05-07");
        check("7.5.2026.", &["%d.%m.%Y"], "2026-05-07");
        check("7.5.2026.", &["%d.%m.%Y."], "2026-05-07");
        check("7/5/2026", &["%d/%m/%Y", "%d.%m.%Y"], "2026-05-07");
        check("7.5.2026", &["%d/%m/%Y", "%d.%m.%Y"], "2026-05-07");
        check("7 May 2026", &["%d %B %Y"], "2026-05-07");
    }

    #[test]
    fn u13_figures_that_leave_no_doubt_need_no_format() {
        for text in [
            "2026. 5. 7.",
            "2026.5.7",
            "2026/5/7",
            "2026/05/07",
            "２０２６／０５／０７",
            "2026.05.07.",
            "20260507",
            "7.5.2026",
            "07.05.2026",
            "2026-05-07।",
            "(2026-05-07)",
            "2026-05-07 ✅",
            "2026-05-07?",
            "2026-05-07。",
            "«2026-05-07»",
            "2026-05-07۔",
            "２０２６－０５－０７！",
            "*2026-05-07*",
            "07.05.2026 г.",
            "2026. 5. 7",
            "2026-05-07 年",
        ] {
            check(text, &[], "2026-05-07");
        }
        for text in ["5/5/2026", "05-05-2026", "5/05/2026"] {
            check(text, &[], "2026-05-05");
        }
        for text in [
            "07.05.2026 г.",
            "07.05.2026 р.",
            "07.05.2026 r.",
            "07.05.2026.",
            "(07.05.2026)",
            "07.05.2026 👍",
        ] {
            check(text, &["%d.%m.%Y"], "2026-05-07");
        }
        check("07.05.2026 pm", &["%d.%m.%Y"], "-");
    }

    #[test]
    fn u13_years_of_a_thai_are_theirs_also_in_two_digits() {
        for (text, formats, expected) in [
            ("7/5/69", &["%d/%m/%y"][..], "2026-05-07"),
            ("7/5/2569", &["%d/%m/%Y"], "2026-05-07"),
            ("29/2/2567", &["%d/%m/%Y"], "2024-02-29"),
            ("29/2/67", &["%d/%m/%y"], "2024-02-29"),
            ("7 พ.ค. 69", &[], "2026-05-07"),
            ("7 พ.ค. 2569", &[], "2026-05-07"),
            ("07.05.2569", &[], "2026-05-07"),
            ("2569-05-07", &[], "2026-05-07"),
            ("7 พ.ค. 69", &["%d %b %Y"], "-"),
        ] {
            let formats = formats.iter().map(|format| (*format).into()).collect();
            let dates = Dates { formats, ..Dates::default() };
            let read = read(text, &dates, &speech("th")).map(|date| date.to_string());
            assert_eq!(read.as_deref().unwrap_or("-"), expected, "{text}");
        }
    }

    #[test]
    fn u13_months_are_read_as_people_type_them() {
        for (language, text, month) in [
            ("ru", "7 фев 2026", 2),
            ("ru", "7 сен 2026", 9),
            ("ru", "7 ноя 2026", 11),
            ("hi", "7 अक्टूबर 2026", 10),
            ("hi", "7 फरवरी 2026", 2),
            ("bn", "৭ জানুয়ারি ২০২৬", 1),
            ("he", "7 במרס 2026", 3),
            ("fr", "7 fév 2026", 2),
            ("id", "7 Agt 2026", 8),
            ("fa", "7 می 2026", 5),
            ("el", "7 Μάη 2026", 5),
            ("es", "7 setiembre 2026", 9),
            ("es", "7 sep 2026", 9),
            ("de", "7. Sept 2026", 9),
            ("de", "7. Febr. 2026", 2),
            ("it", "7 sett 2026", 9),
            ("pt", "7 fever 2026", 2),
            ("uk", "7 вер 2026", 9),
            ("pl", "7 paź 2026", 10),
            ("pl", "7 wrześ 2026", 9),
            ("cs", "7 listop 2026", 11),
            ("tr", "7 Ağus 2026", 8),
            ("nl", "7 mrt 2026", 3),
            ("fi", "7 tammi 2026", 1),
            ("ta", "7 ஆகஸ்டு 2026", 8),
            ("te", "7 ఆగస్ట్ 2026", 8),
            ("gu", "7 ઓગસ્ટ 2026", 8),
            ("ar", "7 ابريل 2026", 4),
            ("sw", "7 Agos 2026", 8),
            ("hu", "2026. szept 7.", 9),
        ] {
            let read = read(text, &Dates::default(), &speech(language)).map(|date| date.to_string());
            assert_eq!(read, Some(format!("2026-{month:02}-07")), "{language} {text}");
        }
        // The weekday of this name is no month, and `jui` may be either.
        for (text, expected) in
            [("mar. 5 mai 2026", Some("2026-05-05")), ("mar. 7 mai 2026", None), ("7 jui 2026", None)]
        {
            let read = read(text, &Dates::default(), &speech("fr")).map(|date| date.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "tomorrow",
            "2026-02-30",
            "2026-13-01",
            "07/05/2026",
            "07-05-2026",
            "+12345-01-01",
            "0000-01-01",
            "1405/02/17",
            "1026-05-07",
            "2026.5.7.1",
            "2026.5/7",
            "20261507",
            "12345678",
            "2026 5 7",
            "7.5.26",
            "2026.5.",
            "2026-05-07 or so",
        ] {
            check(text, &[], "-");
        }
        check("2026-05-07", &["%d/%m/%Y"], "-");
    }

    #[test]
    fn u13_a_year_of_two_digits_is_none_of_four() {
        check("07/05/26", &["%d/%m/%Y"], "-");
        check("07/05/26", &["%d/%m/%y"], "2026-05-07");
        check("07/05/26", &["%d/%m/%Y", "%d/%m/%y"], "2026-05-07");
        check("07/05/26", &["%d/%m/%y", "%d/%m/%Y"], "2026-05-07");
        check("07/05/2026", &["%d/%m/%y", "%d/%m/%Y"], "2026-05-07");
        check("07/05/46", &["%d/%m/%y"], "2046-05-07");
        check("07/05/47", &["%d/%m/%y"], "1947-05-07");
        check("0026-05-07", &[], "-");
        let born = Dates { formats: ["%d/%m/%y".into()].into(), century: Some(1920), relative: false };
        let read = |text| read(text, &born, &speech("en")).map(|date| date.year());
        assert_eq!((read("07/05/19"), read("07/05/20")), (Some(2019), Some(1920)));
    }

    #[test]
    fn u13_months_have_names_in_the_languages_of_the_conversation() {
        for text in
            ["7 de mayo de 2026", "jueves, 7 de mayo del 2026", "7 May 2026", "May 7th, 2026", "7 MAYO 2026"]
        {
            check(text, &["%d %B %Y"], "2026-05-07");
            check(text, &[], "2026-05-07");
        }
        check("7 may 26", &["%d %b %y"], "2026-05-07");
        check("7 may 26", &["%d %b %Y"], "-");
        check("7 mai 2026", &["%d %B %Y"], "-");
        check("mayo 2026", &["%d %B %Y"], "-");
        check("31 de febrero de 2026", &["%d %B %Y"], "-");
        check("7 de mayo de 2026", &["%d/%m/%Y"], "-");
    }

    #[test]
    fn u13_words_for_days_are_dates_only_if_asked_for() {
        let dates = Dates { relative: true, ..Dates::default() };
        for (text, language, expected) in [
            ("mañana", "es", "2026-05-08"),
            ("Gestern!", "de", "2026-05-06"),
            ("明日", "ja", "2026-05-08"),
            ("today", "fr", "2026-05-07"),
        ] {
            let read = read(text, &dates, &speech(language)).map(|date| date.to_string());
            assert_eq!(read.as_deref(), Some(expected), "{text}");
        }
        for (text, language, expected) in [
            ("the day after tomorrow", "en", "2026-05-09"),
            ("idag", "sv", "2026-05-07"),
            ("imorgon", "sv", "2026-05-08"),
            ("dziś", "pl", "2026-05-07"),
            ("きょう", "ja", "2026-05-07"),
            ("あした", "ja", "2026-05-08"),
            ("بعد غد", "ar", "2026-05-09"),
            ("بكرة", "ar", "2026-05-08"),
            ("apres demain", "fr", "2026-05-09"),
            ("ngayon", "fil", "2026-05-07"),
        ] {
            let read = read(text, &dates, &speech(language)).map(|date| date.to_string());
            assert_eq!(read.as_deref(), Some(expected), "{text}");
        }
        check("mañana", &[], "-");
        for text in ["कल", "परसों"] {
            assert_eq!(read(text, &dates, &speech("hi")), None, "{text} is before today or after it");
        }
    }

    #[test]
    fn u13_a_weekday_that_is_not_that_of_the_date_leaves_a_doubt() {
        for (language, text, expected) in [
            ("en", "Thursday, 7 May 2026", Some("2026-05-07")),
            ("en", "Friday, 7 May 2026", None),
            ("en", "Fri 7 May 2026", None),
            ("en", "Thu 7 May 2026", Some("2026-05-07")),
            ("es", "jueves 7 de mayo de 2026", Some("2026-05-07")),
            ("es", "lunes 7 de mayo de 2026", None),
            ("de", "Do., 7. Mai 2026", Some("2026-05-07")),
            ("de", "Freitag, 7. Mai 2026", None),
            ("ja", "2026年5月7日(木)", Some("2026-05-07")),
            ("ja", "2026年5月7日(金)", None),
            ("ja", "2026年5月7日", Some("2026-05-07")),
            ("ja", "2026年5月10日(日)", Some("2026-05-10")),
            ("ko", "2026년 5월 7일 목요일", Some("2026-05-07")),
            ("ko", "2026년 5월 7일 금요일", None),
            ("zh", "2026年5月7日星期四", Some("2026-05-07")),
            ("zh", "2026年5月7日 周五", None),
            ("ru", "четверг, 7 мая 2026 г.", Some("2026-05-07")),
            ("ru", "пятница, 7 мая 2026 г.", None),
            ("th", "วันพฤหัสบดีที่ 7 พฤษภาคม พ.ศ. 2569", Some("2026-05-07")),
        ] {
            for formats in [vec![], vec!["%A, %d %B %Y".into()]] {
                let dates = Dates { formats: formats.into(), ..Dates::default() };
                let read = read(text, &dates, &speech(language)).map(|date| date.to_string());
                assert_eq!(read.as_deref(), expected, "{text}");
            }
        }
    }

    #[test]
    fn u13_usual_words_of_a_date_say_nothing() {
        for (language, text) in [
            ("th", "วันที่ 7 พฤษภาคม 2569"),
            ("th", "วันที่ 7 พฤษภาคม พ.ศ. 2569"),
            ("id", "tanggal 7 Mei 2026"),
            ("vi", "mùng 7 tháng 5 năm 2026"),
            ("sl", "7. maja 2026"),
            ("lv", "2026. gada 7. maijā"),
            ("km", "ថ្ងៃទី ៧ ខែឧសភា ឆ្នាំ ២០២៦"),
            ("ja", "令和8年5月7日"),
            ("en", "2026-05-07 10:00"),
        ] {
            let read = read(text, &Dates::default(), &speech(language)).map(|date| date.to_string());
            assert_eq!(read.as_deref(), Some("2026-05-07"), "{text}");
        }
        check("25/12/2026", &[], "2026-12-25");
        check("12/25/2026", &[], "2026-12-25");
        check("25-12-2026", &[], "2026-12-25");
        check("7/5/6", &["%d/%m/%y"], "-");
        for text in ["05/06/6", "6/06/5", "05/06/2", "5.6.6"] {
            check(text, &["%d/%m/%y", "%d.%m.%y"], "-");
        }
        check("6-05-06", &["%y-%m-%d"], "-");
        check("050626", &["%d%m%y"], "2026-06-05");
        check("7/5/06", &["%d/%m/%y"], "2006-05-07");
        check("07 / 05 / 2026", &["%d/%m/%Y"], "2026-05-07");
    }

    #[test]
    fn a_format_must_give_a_whole_date() {
        for format in ["%d/%m/%Y", "%d.%m.%y", "%Y-%m-%d", "%d %B %Y", "%e %b %Y"] {
            assert!(check_format(format), "{format}");
        }
        for format in ["", "%", "%Q", "%d/%m", "%H:%M", "dd/mm/yyyy", "%z", "%s"] {
            assert!(!check_format(format), "{format}");
        }
    }

    #[test]
    fn u13_a_weekday_or_a_day_without_its_year_is_the_next_one_if_asked_for() {
        // Today is Thursday, 7 May 2026.
        for (language, text, expected) in [
            ("en", "Friday", Some("2026-05-08")),
            ("en", "on Wednesday", Some("2026-05-13")),
            ("en", "sat", Some("2026-05-09")),
            ("en", "Thursday", None),
            ("en", "this Saturday", Some("2026-05-09")),
            ("en", "next Friday", None),
            ("en", "not Friday", None),
            ("en", "Friday or Saturday", None),
            ("en", "Friday 13", None),
            ("de", "am Freitag", Some("2026-05-08")),
            ("es", "el viernes", Some("2026-05-08")),
            ("es", "sábado", Some("2026-05-09")),
            ("pt", "segunda", Some("2026-05-11")),
            ("fr", "vendredi", Some("2026-05-08")),
            ("it", "venerdi", Some("2026-05-08")),
            ("ru", "в пятницу", Some("2026-05-08")),
            ("uk", "у неділю", Some("2026-05-10")),
            ("pl", "w środę", Some("2026-05-13")),
            ("cs", "v sobotu", Some("2026-05-09")),
            ("tr", "Cuma", Some("2026-05-08")),
            ("id", "hari Jumat", Some("2026-05-08")),
            ("ar", "الجمعة", Some("2026-05-08")),
            ("ar", "يوم الجمعة", Some("2026-05-08")),
            ("hi", "शुक्रवार", Some("2026-05-08")),
            ("zh", "星期五", Some("2026-05-08")),
            ("ja", "金曜日", Some("2026-05-08")),
            ("en", "12 December", Some("2026-12-12")),
            ("en", "May 7", Some("2026-05-07")),
            ("en", "6th of May", Some("2027-05-06")),
            ("en", "Sat 12 Dec", Some("2026-12-12")),
            ("en", "Fri 12 Dec", None),
            ("en", "30 Feb", None),
            ("de", "Freitag, 8. Mai", Some("2026-05-08")),
            ("es", "1 de junio", Some("2026-06-01")),
            ("fr", "1er juin", Some("2026-06-01")),
            ("ru", "1 июня", Some("2026-06-01")),
            ("zh", "6月1日", Some("2026-06-01")),
            ("ar", "١ يونيو", Some("2026-06-01")),
        ] {
            let said = |relative| {
                let days = Dates { relative, ..Dates::default() };
                read(text, &days, &speech(language)).map(|date| date.to_string())
            };
            let (asked, other) = (said(true), said(false));
            assert_eq!(asked.as_deref(), expected, "{language} {text}");
            assert_eq!(other, None, "{text}");
        }
    }

    #[test]
    fn u13_a_weekday_or_a_time_may_be_beside_a_date() {
        let days = Dates { relative: true, ..Dates::default() };
        for (language, text, expected) in [
            ("ja", "2026/5/7(木)", Some("2026-05-07")),
            ("ja", "2026/05/07 木", Some("2026-05-07")),
            ("ja", "2026/5/7(金)", None),
            ("de", "Do 7.5.2026", Some("2026-05-07")),
            ("de", "Do., 7.5.2026", Some("2026-05-07")),
            ("de", "Fr 7.5.2026", None),
            ("de", "am 7.5.2026", Some("2026-05-07")),
            ("de", "bis 7.5.2026", None),
            ("de", "nicht 7.5.2026", None),
            ("fi", "torstai 7. toukokuuta 2026", Some("2026-05-07")),
            ("fi", "torstaina 7.5.2026", Some("2026-05-07")),
            ("fi", "perjantai 7. toukokuuta 2026", None),
            ("sv", "torsdagen den 7 maj 2026", Some("2026-05-07")),
            ("sv", "fredagen den 7 maj 2026", None),
            ("pt", "quinta, 7 de maio de 2026", Some("2026-05-07")),
            ("pt", "sexta, 7 de maio de 2026", None),
            ("en", "Thursday 2026-05-07", Some("2026-05-07")),
            ("en", "Thursday 7/5/2026", None),
            ("en", "not 7 May 2026", None),
            ("en", "not 2026-05-07", None),
            ("en", "7 May 2026 10:00", Some("2026-05-07")),
            ("en", "7 May 2026 at 10am", Some("2026-05-07")),
            ("en", "7 May 2026, 10 pm", Some("2026-05-07")),
            ("de", "7.5.2026 um 10 Uhr", Some("2026-05-07")),
            ("es", "7 de mayo de 2026 a las 10:00 de la mañana", Some("2026-05-07")),
            ("en", "7 May 2026 10", None),
            ("en", "7 May 2026 or 8", None),
            ("en", "7 May 10:00", None),
            ("en", "7/5/2026 10:00", None),
            ("es", "primero de mayo de 2026", Some("2026-05-01")),
            ("it", "primo maggio 2026", Some("2026-05-01")),
            ("fr", "1er mai 2026", Some("2026-05-01")),
            ("en", "first of May 2026", Some("2026-05-01")),
            ("en", "first 7 May 2026", None),
            ("id", "hari Kamis 7 Mei 2026", Some("2026-05-07")),
            ("kk", "2026 жылғы 7 мамыр", Some("2026-05-07")),
            ("en", "2026 05 07", Some("2026-05-07")),
            ("en", "25 12 2026", Some("2026-12-25")),
            ("en", "7 5 2026", None),
            ("en", "07 05 2026", None),
            ("en", "2026 5 7", None),
            ("en", "12.31.2026", Some("2026-12-31")),
            ("en", "31.12.2026", Some("2026-12-31")),
            ("en", "tmr", Some("2026-05-08")),
            ("ro", "astăzi", Some("2026-05-07")),
            ("fa", "پس فردا", Some("2026-05-09")),
            ("bn", "আজকে", Some("2026-05-07")),
            ("es", "para mañana", Some("2026-05-08")),
            ("de", "uebermorgen", Some("2026-05-09")),
        ] {
            let read = read(text, &days, &speech(language)).map(|date| date.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
        check("07/05/2026 10:00", &["%d/%m/%Y"], "-");
        check("jueves 07/05/2026", &["%d/%m/%Y"], "2026-05-07");
        check("viernes 07/05/2026", &["%d/%m/%Y"], "-");
    }
}
