//! The numbering plan of the world as far as it changes once in a decade: calling codes, and how
//! long the numbers behind them are. What must not live here: how people write a number at home
//! (`home`).

/// Calling codes in order, each with the lengths that its national numbers can have: bit `n` is set
/// for `n` digits. The lengths are those of libphonenumber; a test compares them.
#[rustfmt::skip]
const PLANS: &[(u16, u16)] = &[
    (1, 0x400), (7, 0x4400), (20, 0x700), (27, 0x7e0), (30, 0x1c00), (31, 0xfe0),
    (32, 0x300), (33, 0x200), (34, 0x200), (36, 0x300), (39, 0x1fc0), (40, 0x240),
    (41, 0x1200), (43, 0x3ff0), (44, 0x680), (45, 0x100), (46, 0x17c0), (47, 0x120),
    (48, 0x7c0), (49, 0x3ff0), (51, 0x300), (52, 0x400), (53, 0x5c0), (54, 0xc00),
    (55, 0xf00), (56, 0xe00), (57, 0xd00), (58, 0x400), (60, 0x700), (61, 0x17e0),
    (62, 0x3f80), (63, 0x3f40), (64, 0x7e0), (65, 0xd00), (66, 0x2700), (81, 0x3f00),
    (82, 0x3f60), (84, 0x780), (86, 0x1f80), (90, 0x3480), (91, 0x3f00), (92, 0x1f00),
    (93, 0x200), (94, 0x200), (95, 0x7c0), (98, 0x4f0), (211, 0x200), (212, 0x200),
    (213, 0x300), (216, 0x100), (218, 0x200), (220, 0x280), (221, 0x200), (222, 0x100),
    (223, 0x100), (224, 0x300), (225, 0x400), (226, 0x100), (227, 0x100), (228, 0x100),
    (229, 0x500), (230, 0x580), (231, 0x380), (232, 0x100), (233, 0x300), (234, 0x1c00),
    (235, 0x100), (236, 0x100), (237, 0x300), (238, 0x80), (239, 0x80), (240, 0x200),
    (241, 0x180), (242, 0x200), (243, 0x780), (244, 0x200), (245, 0x280), (246, 0x80),
    (247, 0x60), (248, 0x80), (249, 0x200), (250, 0x300), (251, 0x200), (252, 0x3c0),
    (253, 0x100), (254, 0x780), (255, 0x200), (256, 0x200), (257, 0x100), (258, 0x300),
    (260, 0x200), (261, 0x200), (262, 0x200), (263, 0x680), (264, 0x300), (265, 0x280),
    (266, 0x100), (267, 0x580), (268, 0x300), (269, 0x80), (290, 0x30), (291, 0x80),
    (297, 0x80), (298, 0x40), (299, 0x40), (350, 0x100), (351, 0x200), (352, 0xff0),
    (353, 0x780), (354, 0x280), (355, 0x3c0), (356, 0x100), (357, 0x100), (358, 0x1fe0),
    (359, 0x13c0), (370, 0x100), (371, 0x100), (372, 0x580), (373, 0x100), (374, 0x100),
    (375, 0xfc0), (376, 0x340), (377, 0x300), (378, 0x500), (380, 0x600), (381, 0x1fc0),
    (382, 0x300), (383, 0x1f00), (385, 0x380), (386, 0x1e0), (387, 0x300), (389, 0x100),
    (420, 0x1e00), (421, 0x2c0), (423, 0x280), (500, 0x20), (501, 0x880), (502, 0x900),
    (503, 0x980), (504, 0x900), (505, 0x100), (506, 0x500), (507, 0xd80), (508, 0x240),
    (509, 0x100), (590, 0x200), (591, 0x300), (592, 0x80), (593, 0xf00), (594, 0x200),
    (595, 0xfc0), (596, 0x200), (597, 0xc0), (598, 0x1ff0), (599, 0x180), (670, 0x180),
    (672, 0x40), (673, 0x80), (674, 0x80), (675, 0x180), (676, 0xa0), (677, 0xa0),
    (678, 0xa0), (679, 0x880), (680, 0x80), (681, 0x240), (682, 0x20), (683, 0x90),
    (685, 0x4e0), (686, 0x120), (687, 0x40), (688, 0xe0), (689, 0x340), (690, 0xf0),
    (691, 0x80), (692, 0x80), (800, 0x100), (808, 0x100), (850, 0x500), (852, 0xbe0),
    (853, 0x180), (855, 0x700), (856, 0x700), (870, 0x1200), (878, 0x1000), (880, 0x7c0),
    (881, 0x600), (882, 0x1f80), (883, 0x1f00), (886, 0xf80), (888, 0x800), (960, 0x480),
    (961, 0x180), (962, 0x300), (963, 0x300), (964, 0x700), (965, 0x180), (966, 0x600),
    (967, 0x380), (968, 0x380), (970, 0x700), (971, 0x1fe0), (972, 0x1f80), (973, 0x100),
    (974, 0xb80), (975, 0x180), (976, 0x700), (977, 0xd00), (979, 0x200), (992, 0x200),
    (993, 0x100), (994, 0x200), (995, 0x200), (996, 0x600), (998, 0x200),
];

/// The lengths of fixed lines and mobile numbers, area code and all, where the plan has others too:
/// of numbers for services. A number of another length that is none of these is dialled in one
/// town alone, or by nobody.
#[cfg(feature = "phone-numbers")]
#[rustfmt::skip]
const LINES: &[(u16, u16)] = &[
    (7, 0x400), (27, 0x200), (30, 0x400), (31, 0xa00), (40, 0x200), (41, 0x200), (44, 0x600),
    (46, 0x380), (47, 0x100), (48, 0x200), (49, 0x3fc0), (53, 0x100), (55, 0xc00), (56, 0x200),
    (57, 0x400), (61, 0x200), (62, 0x1f00), (63, 0x600), (64, 0x700), (65, 0x100), (66, 0x300),
    (81, 0x600), (82, 0x700), (84, 0x600), (86, 0xc00), (90, 0x400), (91, 0x400), (92, 0x600),
    (98, 0x400), (220, 0x80), (230, 0x180), (233, 0x200), (234, 0x400), (237, 0x200), (250, 0x200),
    (254, 0x300), (267, 0x180), (268, 0x100), (355, 0x300), (359, 0x380), (372, 0x180),
    (375, 0x200), (380, 0x200), (381, 0x700), (383, 0x100), (385, 0x300), (386, 0x100),
    (420, 0x200), (421, 0x200), (501, 0x80), (502, 0x100), (503, 0x100), (504, 0x100), (506, 0x100),
    (507, 0x180), (591, 0x100), (593, 0x300), (595, 0x300), (598, 0x100), (852, 0x100),
    (853, 0x100), (855, 0x300), (880, 0x700), (886, 0x300), (960, 0x80), (965, 0x100), (966, 0x200),
    (968, 0x100), (970, 0x300), (971, 0x300), (972, 0x300), (974, 0x100), (976, 0x500),
    (977, 0x500), (996, 0x200),
];

/// The lengths of numbers by what they begin with: calling codes, digits behind them, and lengths
/// as in `PLANS`, none where no number begins so. The first that fits counts. Only what is certain
/// is listed: mobile numbers of one length, and beginnings that are not given out; the patterns of
/// libphonenumber leave out lines that there are.
#[cfg(feature = "phone-numbers")]
#[rustfmt::skip]
const BEGINNINGS: &[(u16, &str, u16)] = &[
    (7, "1 2 5 6 43 44 45 46 849 870 874 875 876 88 89", 0), (20, "10 11 12", 0x400), (31, "12 19", 0),
    (32, "45 46 47 48 49", 0x200), (34, "1 2 3 4", 0), (36, "20 30 31 50 70", 0x200), (39, "3", 0x600),
    (44, "7", 0x400), (44, "4 6 92 93 94 95 96 97 99", 0), (45, "1", 0),
    (46, "70 72 73 76 79", 0x200), (46, "900", 0x13c0), (47, "1", 0),
    (49, "15", 0x800), (49, "160 162 163 17", 0xc00), (51, "9", 0x200), (52, "1", 0x800),
    (54, "1 2 3 4 5 6 7", 0x400), (56, "1", 0xc00), (57, "1 2 4 5 7 8 9", 0x900),
    (60, "10 12 19", 0x200), (60, "11", 0x400), (61, "6 9", 0), (61, "12", 0x1e0),
    (63, "9", 0x400), (63, "180", 0x3800), (63, "1", 0), (65, "1 2 4 5 7", 0xc00),
    (66, "6 8 9", 0x200), (66, "1", 0x700), (81, "70 80 90", 0x400), (82, "10", 0x400),
    (84, "3 5 9", 0x200), (84, "7 8", 0x280), (86, "13 14 15 17 18 19 162 165 166 167", 0x800),
    (90, "1 6 7", 0x3080), (92, "3", 0x400), (98, "10 12 14 15 16 18 19", 0), (213, "5 6 7", 0x200),
    (225, "1 3 4 5 6 7 8 9", 0), (230, "5", 0x100), (243, "8 9", 0x280), (254, "1 7", 0x200),
    (258, "8", 0x200), (263, "71 73 77 78", 0x200), (264, "81 85", 0x200), (267, "7", 0x100),
    (351, "1 4", 0), (353, "83 85 86 87 89", 0x200), (359, "87 88 89 98", 0x200),
    (420, "1 2 3 4 5 6 7 8 9", 0x200), (593, "9", 0x200), (593, "170 180", 0xc00), (593, "1", 0),
    (595, "9", 0xe00), (852, "1", 0xae0), (880, "10 11 12", 0), (880, "1", 0x400), (886, "9", 0x200),
    (886, "1", 0), (961, "70 71 81", 0x100), (962, "77 78 79", 0x200), (963, "9", 0x200),
    (964, "7", 0x400), (967, "70 71 73 77", 0x200), (970, "5", 0x200), (971, "5", 0x200),
    (972, "5 7", 0x200), (972, "2 3 4 8 9 1212", 0x100), (972, "1", 0x1c80), (972, "6", 0),
    (977, "98", 0x400),
];

/// Calling codes whose national numbers may begin with 0: everywhere else a 0 is a trunk prefix,
/// which is dialled at home alone.
const WITH_ZERO: [u16; 8] = [39, 225, 226, 229, 241, 242, 378, 992];

/// The longest number of E.164.
const MOST_DIGITS: u32 = 15;

/// The lengths of `PLANS` by calling code; 0: there is no such code.
static LENGTHS: [u16; 1_000] = {
    let mut lengths = [0; 1_000];
    let mut place = 0;
    while place < PLANS.len() {
        let (code, mask) = PLANS[place];
        lengths[code as usize] = mask;
        place += 1;
    }
    lengths
};

/// The powers of ten, for each number of digits that a number can have.
static POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut place = 1;
    while place < powers.len() {
        powers[place] = powers[place - 1] * 10;
        place += 1;
    }
    powers
};

/// The calling code that a number begins with, and how many digits come after it.
pub(super) fn calling_code(number: u64) -> Option<(u16, u32)> {
    let digits = number.checked_ilog10()? + 1;
    (1..=3.min(digits.saturating_sub(1))).find_map(|length| {
        let rest = digits - length;
        let code = u16::try_from(number / POWERS.get(rest as usize)?).ok()?;
        lengths(code).map(|_| (code, rest))
    })
}

/// True if the numbering plan has numbers of this length behind its calling code.
pub(super) fn is_possible(number: u64) -> bool {
    calling_code(number).is_some_and(|(code, rest)| lengths(code).is_some_and(|mask| has(mask, rest)))
}

/// True unless the plan has lines of other lengths.
#[cfg(feature = "phone-numbers")]
pub(super) fn is_line(code: u16, rest: u32) -> bool {
    let lines = LINES.binary_search_by_key(&code, |(code, _)| *code).ok().and_then(|place| LINES.get(place));
    lines.is_none_or(|(_, lengths)| has(*lengths, rest))
}

/// True unless no number, or none of this length, begins so.
#[cfg(feature = "phone-numbers")]
pub(super) fn begins_as_numbers_do(number: u64) -> bool {
    let Some((code, rest)) = calling_code(number) else { return false };
    let power = |digits: u32| POWERS.get(digits as usize).copied().unwrap_or(u64::MAX);
    let begins = |beginning: &str| {
        let behind = usize::try_from(rest).ok().and_then(|rest| POWERS.get(rest - beginning.len().min(rest)));
        behind.is_some_and(|behind| beginning.parse() == Ok(number % power(rest) / behind))
    };
    let listed = BEGINNINGS.iter().filter(|(listed, ..)| *listed == code);
    let mut fitting = listed.filter(|(_, beginnings, _)| beginnings.split(' ').any(begins));
    fitting.next().is_none_or(|(.., lengths)| has(*lengths, rest))
}

/// True unless it is shorter than all numbers of the plan behind its calling code.
pub(super) fn is_long_enough(number: u64) -> bool {
    calling_code(number)
        .is_some_and(|(code, rest)| lengths(code).is_some_and(|mask| rest >= mask.trailing_zeros()))
}

/// True if the national numbers behind this calling code may begin with 0.
pub(super) fn keeps_zero(code: u16) -> bool {
    WITH_ZERO.contains(&code)
}

fn lengths(code: u16) -> Option<u16> {
    LENGTHS.get(usize::from(code)).copied().filter(|lengths| *lengths != 0)
}

fn has(lengths: u16, digits: u32) -> bool {
    digits < MOST_DIGITS && lengths & (1 << digits) != 0
}

#[cfg(all(test, feature = "phone-numbers"))]
mod tests {
    use std::collections::BTreeMap;

    use super::{BEGINNINGS, LINES, PLANS, lengths};

    #[test]
    fn lines_are_of_lengths_that_the_plan_has() {
        assert!(LINES.is_sorted_by_key(|(code, _)| *code));
        for (code, lines) in LINES {
            let plan = lengths(*code).unwrap();
            assert!(lines & !plan == 0 && *lines != plan && *lines != 0, "{code}");
        }
    }

    #[test]
    fn beginnings_are_listed_in_order_with_lengths_that_the_plan_has() {
        assert!(BEGINNINGS.is_sorted_by_key(|(code, ..)| *code));
        for (code, beginnings, listed) in BEGINNINGS {
            // The longer form of a Mexican number is of before.
            let plan = lengths(*code).unwrap() | if *code == 52 { 0x800 } else { 0 };
            assert!(listed & !plan == 0 && *listed != plan, "{code} {beginnings}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_library() {
        let mut plans: BTreeMap<u16, u16> = BTreeMap::new();
        for country in phonelib::countries() {
            // Area codes of the North American plan are listed as countries of their own.
            let (code, more) = match country.prefix {
                1001..2000 => (1, 3),
                code => (u16::try_from(code).unwrap(), 0),
            };
            for length in country.phone_lengths {
                *plans.entry(code).or_default() |= 1 << (length + more);
            }
        }
        assert_eq!(plans.into_iter().collect::<Vec<_>>(), PLANS);
    }
}
