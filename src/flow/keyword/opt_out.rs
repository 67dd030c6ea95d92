//! The words of opting out that every conversation has by default, by language (SEMANTICS U5).
//! `docs/texts.md` shows the same table.

/// Words of a language that mean nothing else, and words that may be an everyday answer or the
/// label of a button (`abmelden`, `td`): these give way to a flow that gives them a meaning.
pub(super) struct OptOutWords {
    pub(super) certain: &'static [&'static str],
    pub(super) everyday: &'static [&'static str],
}

const fn words(certain: &'static [&'static str], everyday: &'static [&'static str]) -> OptOutWords {
    OptOutWords { certain, everyday }
}

/// Those of carriers (CTIA, Twilio) in English, French, Spanish and Portuguese, and what people of
/// other languages write. Each in its normal form but for accents, with accents and without.
pub(super) const OPT_OUT: &[OptOutWords] = &[
    // English
    words(
        &[
            "stop",
            "stopall",
            "stop all",
            "unsubscribe",
            "unsubscribe me",
            "unsub",
            "optout",
            "opt out",
            "opt-out",
            "revoke",
            "remove me",
        ],
        &["cancel", "end", "quit"],
    ),
    // French
    words(
        &[
            "arret",
            "arrêt",
            "desabonner",
            "désabonner",
            "me desabonner",
            "me désabonner",
            "desabonnement",
            "désabonnement",
            "desinscription",
            "désinscription",
            "desinscrire",
            "désinscrire",
            "me desinscrire",
            "me désinscrire",
            "se desabonner",
            "se désabonner",
        ],
        &["arreter", "arrêter", "arrete", "arrête"],
    ),
    // Spanish
    words(
        &[
            "darme de baja",
            "dar de baja",
            "desuscribir",
            "desuscribirme",
            "desuscribirse",
            "darse de baja",
            "cancelar suscripción",
            "cancelar suscripcion",
            "no más mensajes",
            "no mas mensajes",
        ],
        &["alto", "parar", "baja", "detener", "cancelar", "salir"],
    ),
    // Portuguese
    words(
        &["descadastrar", "cancelar inscrição", "cancelar inscricao", "sair da lista"],
        &["pare", "sair", "cancelar"],
    ),
    // German
    words(&["stopp"], &["abmelden", "abmeldung", "abbestellen", "austragen"]),
    // Italian
    words(&["disiscrivimi", "disiscrizione", "annulla iscrizione"], &["basta", "cancellami"]),
    // Dutch
    words(&[], &["afmelden", "afmeld", "uitschrijven", "stoppen"]),
    // Swedish, Danish, Norwegian
    words(&["avprenumerera"], &["avregistrera", "avmeld", "frameld", "meld av", "avsluta", "sluta"]),
    // Finnish
    words(&["poista listalta"], &["lopeta", "peru tilaus"]),
    // Polish
    words(&["wypisz mnie"], &["wypisz", "rezygnuję", "rezygnuje", "rezygnacja", "koniec"]),
    // Czech, Slovak
    words(&["zrušit odběr", "zrusit odber"], &["odhlasit", "odhlásit", "odhlásiť"]),
    // Serbian, Croatian, Slovene
    words(&["odjavi me", "одјави ме"], &["odjava", "одјава"]),
    // Romanian
    words(&["dezabonare", "dezabonează-mă", "dezaboneaza-ma", "dezabonează", "dezaboneaza"], &[]),
    // Hungarian
    words(&["leiratkozás", "leiratkozas", "leiratkozom"], &[]),
    // Greek
    words(&["στοπ"], &["διαγραφή", "διαγραφη", "διακοπή", "διακοπη", "τέλος", "τελος"]),
    // Russian, Ukrainian, Bulgarian
    words(
        &[
            "стоп",
            "отписаться",
            "отписка",
            "отпишите",
            "отпишись",
            "відписатися",
            "відписатись",
            "відписка",
            "отписване",
        ],
        &["хватит", "спри"],
    ),
    // Turkish
    words(&["abonelikten çık", "abonelikten cik"], &["durdur", "ret", "dur", "iptal"]),
    // Arabic
    words(&["إلغاء الاشتراك", "الغاء الاشتراك"], &["إيقاف", "ايقاف", "إلغاء", "الغاء", "توقف", "قف"]),
    // Hebrew
    words(&["הסירו אותי"], &["הסר", "הסרה", "עצור", "הפסק"]),
    // Persian, Urdu
    words(&["لغو اشتراک", "لغو11"], &["بند کرو", "بند کریں", "لغو"]),
    // Hindi, Marathi
    words(&["स्टॉप", "सदस्यता समाप्त"], &["रोकें", "बंद करें", "बंद", "बंद करो", "थांबवा"]),
    // Bengali
    words(&["স্টপ"], &["বন্ধ করুন", "বন্ধ করো", "বন্ধ"]),
    // Tamil
    words(&["ஸ்டாப்"], &["நிறுத்து", "நிறுத்துங்கள்", "நிறுத்தவும்"]),
    // Telugu
    words(&["స్టాప్"], &["ఆపు", "ఆపండి", "ఆపివేయండి"]),
    // Kannada
    words(&["ಸ್ಟಾಪ್"], &["ನಿಲ್ಲಿಸಿ", "ನಿಲ್ಲಿಸು"]),
    // Malayalam
    words(&["സ്റ്റോപ്പ്"], &["നിർത്തുക", "നിർത്തൂ", "നിർത്ത്"]),
    // Gujarati
    words(&["સ્ટોપ"], &["બંધ કરો", "રોકો"]),
    // Punjabi
    words(&["ਸਟਾਪ"], &["ਬੰਦ ਕਰੋ", "ਰੋਕੋ"]),
    // Thai
    words(&["เลิกรับ", "ยกเลิกการรับ", "ยกเลิกการรับข้อความ"], &["หยุดส่ง", "หยุด", "ยกเลิก"]),
    // Vietnamese
    words(&["hủy đăng ký", "huỷ đăng ký", "huy dang ky", "ngừng nhận tin"], &["hủy", "huỷ", "dừng", "ngừng"]),
    // Indonesian, Malay
    words(&["unreg", "berhenti berlangganan", "batal langganan", "stop langganan"], &["berhenti"]),
    // Filipino
    words(&[], &["itigil", "ihinto", "tigil"]),
    // Swahili
    words(&["jiondoe", "acha kutuma"], &["simamisha", "komesha"]),
    // Chinese
    words(&["退订", "退訂", "取消订阅", "取消訂閱"], &["td", "停止"]),
    // Japanese
    words(&["配信停止", "配信解除", "購読解除", "ストップ"], &["登録解除", "退会", "解除"]),
    // Korean
    words(&["수신거부", "수신 거부", "수신중지", "구독취소"], &["중지", "그만", "거부"]),
];

/// Words that take an opt-out back; of a contact that did not opt out they are words like any
/// other.
#[rustfmt::skip]
pub(super) const OPT_IN: &[&str] = &[
    "start", "unstop", "subscribe", "resubscribe", "opt in", "optin", "opt-in", "alta", "suscribir", "suscribirme",
    "darme de alta", "assinar", "inscrever", "anmelden", "abonnieren", "s'abonner", "m'abonner", "abonner",
    "réabonner", "iscrivimi", "aanmelden", "prenumerera", "tilmeld", "tilaa", "zapisz mnie", "přihlásit",
    "abonează-mă", "feliratkozás", "εγγραφή", "старт", "подписаться", "підписатися", "başlat", "اشتراك", "הירשם",
    "स्टार्ट", "đăng ký", "daftar", "订阅", "訂閱", "開始",
];
