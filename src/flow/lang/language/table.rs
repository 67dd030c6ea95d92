//! The data of languages, of CLDR 46: other names, scripts, regions.

/// Names of languages that another one is preferred to, in order: the codes of ISO 639-2 and 639-3
/// of languages that have one of two letters, and withdrawn codes.
pub(super) const ALIASES: &[&str] = &[
    "aar aa", "abk ab", "afr af", "aka ak", "alb sq", "als sq", "amh am", "ara ar", "arb ar", "arg an",
    "arm hy", "asm as", "ava av", "ave ae", "aym ay", "ayr ay", "aze az", "azj az", "bak ba", "bam bm",
    "baq eu", "bel be", "ben bn", "bh bho", "bih bho", "bis bi", "bod bo", "bos bs", "bre br", "bul bg",
    "bur my", "cat ca", "ces cs", "cha ch", "che ce", "chi zh", "chu cu", "chv cv", "cmn zh", "cor kw",
    "cos co", "cre cr", "cwd cr", "cym cy", "cze cs", "dan da", "deu de", "div dv", "dut nl", "dzo dz",
    "ekk et", "ell el", "eng en", "epo eo", "esk ik", "est et", "eus eu", "ewe ee", "fao fo", "fas fa",
    "fij fj", "fin fi", "fra fr", "fre fr", "fry fy", "fuc ff", "ful ff", "gaz om", "geo ka", "ger de",
    "gla gd", "gle ga", "glg gl", "glv gv", "gom kok", "gre el", "grn gn", "gug gn", "guj gu", "hat ht",
    "hau ha", "heb he", "her hz", "hin hi", "hmo ho", "hrv hr", "hun hu", "hye hy", "ibo ig", "ice is",
    "ido io", "iii ii", "ike iu", "iku iu", "ile ie", "in id", "ina ia", "ind id", "ipk ik", "isl is",
    "ita it", "iw he", "jav jv", "ji yi", "jpn ja", "jw jv", "kal kl", "kan kn", "kas ks", "kat ka",
    "kau kr", "kaz kk", "khk mn", "khm km", "kik ki", "kin rw", "kir ky", "kmr ku", "knc kr", "kng kg",
    "kom kv", "kon kg", "kor ko", "kpv kv", "kua kj", "kur ku", "lao lo", "lat la", "lav lv", "lim li",
    "lin ln", "lit lt", "ltz lb", "lub lu", "lug lg", "lvs lv", "mac mk", "mah mh", "mal ml", "mao mi",
    "mar mr", "may ms", "mkd mk", "mlg mg", "mlt mt", "mo ro", "mol ro", "mon mn", "mri mi", "msa ms",
    "mya my", "nau na", "nav nv", "nbl nr", "nde nd", "ndo ng", "nep ne", "nld nl", "nno nn", "no nb",
    "nob nb", "nor nb", "npi ne", "nya ny", "oci oc", "ojg oj", "oji oj", "ori or", "orm om", "ory or",
    "oss os", "pan pa", "pbu ps", "per fa", "pes fa", "pli pi", "plt mg", "pol pl", "por pt", "pus ps",
    "que qu", "quz qu", "roh rm", "ron ro", "rum ro", "run rn", "rus ru", "sag sg", "san sa", "scc sr",
    "scr hr", "sin si", "slk sk", "slo sk", "slv sl", "sme se", "smo sm", "sna sn", "snd sd", "som so",
    "sot st", "spa es", "sqi sq", "src sc", "srd sc", "srp sr", "ssw ss", "sun su", "swa sw", "swe sv",
    "swh sw", "tah ty", "tam ta", "tat tt", "tel te", "tgk tg", "tgl fil", "tha th", "tib bo", "tir ti",
    "tl fil", "ton to", "tsn tn", "tso ts", "tuk tk", "tur tr", "tw ak", "twi ak", "uig ug", "ukr uk",
    "urd ur", "uzb uz", "uzn uz", "ven ve", "vie vi", "vol vo", "wel cy", "wln wa", "wol wo", "xho xh",
    "ydd yi", "yid yi", "yor yo", "zha za", "zho zh", "zsm ms", "zul zu", "zyb za",
];

/// Tags that mean another one as a whole, in small letters; whatever follows them stays.
pub(super) const WHOLE: &[(&str, &str)] = &[
    ("art-lojban", "jbo"),
    ("cnr", "sr-ME"),
    ("es-la", "es-419"),
    ("hbs", "sr-Latn"),
    ("i-hak", "hak"),
    ("i-klingon", "tlh"),
    ("i-lux", "lb"),
    ("no-bok", "nb"),
    ("no-nyn", "nn"),
    ("prs", "fa-AF"),
    ("sh", "sr-Latn"),
    ("swc", "sw-CD"),
    ("zh-chs", "zh-Hans"),
    ("zh-cht", "zh-Hant"),
    ("zh-guoyu", "zh"),
    ("zh-hakka", "hak"),
    ("zh-min-nan", "nan"),
    ("zh-xiang", "hsn"),
];

/// Languages whose readers read another one too, by that one: the kinds of a language that have a
/// name of their own.
pub(super) const READS: &[(&str, &str)] = &[
    ("ar", "abv acm acw acx adf aeb aec afb ajp apc apd arq ars ary arz avl ayl ayn ayp mey pga shu ssh xaa"),
    ("ckb", "ku"),
    ("de", "bar gsw ksh pfl swg vmf"),
    ("ku", "ckb sdh"),
    ("nb", "nn"),
    ("nn", "nb"),
    ("zh", "cdo cjy cpx czh czo gan hak hsn lzh mnp nan wuu yue"),
];

/// The scripts of languages that are not written in Latin letters, unless a tag says so.
pub(super) const SCRIPTS: &[(&str, &str)] = &[
    ("Arab", "ar azb ckb fa glk ks lah mzn ps sd sdh skr ug ur"),
    ("Armn", "hy"),
    ("Beng", "as bn mni"),
    ("Cans", "cr iu oj"),
    ("Cher", "chr"),
    ("Cyrl", "ab av ba be bg ce cu cv kk kv ky mk mn os ru sr tg tt uk"),
    ("Deva", "awa bgc bho brx doi hi hne kok mag mai mr ne raj sa"),
    ("Ethi", "am ti"),
    ("Geor", "ka"),
    ("Grek", "el"),
    ("Gujr", "gu"),
    ("Guru", "pa"),
    ("Hans", "cjy gan hak hsn nan wuu zh"),
    ("Hant", "lzh yue"),
    ("Hebr", "he yi"),
    ("Jpan", "ja"),
    ("Khmr", "km"),
    ("Knda", "kn"),
    ("Kore", "ko"),
    ("Laoo", "lo"),
    ("Mlym", "ml"),
    ("Mymr", "my shn"),
    ("Olck", "sat"),
    ("Orya", "or"),
    ("Rohg", "rhg"),
    ("Sinh", "si"),
    ("Syrc", "syr"),
    ("Taml", "ta"),
    ("Telu", "te"),
    ("Tfng", "shi zgh"),
    ("Thaa", "dv"),
    ("Thai", "th"),
    ("Tibt", "bo dz"),
    ("Yiii", "ii"),
];

/// The scripts of languages in regions where they are written in another one.
pub(super) const REGIONAL_SCRIPTS: &[(&str, &str, &str)] = &[
    ("az", "Arab", "IQ IR"),
    ("az", "Cyrl", "RU"),
    ("ha", "Arab", "CM SD"),
    ("kk", "Arab", "AF CN IR MN"),
    ("ku", "Arab", "IQ IR LB"),
    ("ku", "Cyrl", "AM AZ GE TM"),
    ("ky", "Arab", "CN"),
    ("ky", "Latn", "TR"),
    ("mn", "Mong", "CN"),
    ("ms", "Arab", "CC"),
    ("pa", "Arab", "PK"),
    ("sd", "Deva", "IN"),
    ("sr", "Latn", "ME RO TR"),
    ("tg", "Arab", "PK"),
    ("ug", "Cyrl", "KZ MN"),
    ("uz", "Arab", "AF"),
    ("uz", "Cyrl", "CN"),
    ("zh", "Hant", "AU BN GB GF HK ID MO PA PF PH SR TH TW US VN"),
];

/// The regions that a language without one is that of, where they are not called like it.
pub(super) const REGIONS: &[(&str, &str)] = &[
    ("af", "ZA"),
    ("ar", "EG"),
    ("bn", "BD"),
    ("ca", "ES"),
    ("da", "DK"),
    ("el", "GR"),
    ("en", "US"),
    ("fa", "IR"),
    ("ga", "IE"),
    ("ha", "NG"),
    ("ko", "KR"),
    ("ms", "MY"),
    ("ne", "NP"),
    ("pa", "IN"),
    ("ps", "AF"),
    ("pt", "BR"),
    ("qu", "PE"),
    ("sd", "PK"),
    ("sq", "AL"),
    ("sr", "RS"),
    ("sv", "SE"),
    ("sw", "TZ"),
    ("ta", "IN"),
    ("ti", "ET"),
    ("ur", "PK"),
    ("yo", "NG"),
    ("zh", "CN"),
];

/// Regions whose kind of a language is another one's, or that of a group of regions.
pub(super) const PARENTS: &[(&str, &str, &str)] = &[
    ("es", "419", "AR BO BR BZ CL CO CR CU DO EC GT HN JP MX NI PA PE PR PY SV US UY VE"),
    ("pt", "PT", "AO CH CV FR GQ GW LU MO MZ ST TL"),
    ("zh", "HK", "MO"),
    (
        "en",
        "001",
        "150 AE AG AI AT AU BB BD BE BM BS BW BZ CC CH CK CM CX CY CZ DE DG DK DM ER ES FI FJ FK FM FR GB GD \
         GE GG GH GI GM GS GY HK HU ID IE IL IM IN IO IT JE JM KE KI KN KY LC LK LR LS MG MO MS MT MU MV MW MY \
         NA NF NG NL NO NP NR NU NZ PG PK PL PN PT PW RO RW SB SC SD SE SG SH SI SK SL SS SX SZ TC TK TO TT TV \
         TZ UA UG VC VG VU WS ZA ZM ZW",
    ),
];
