//! The words of opting out that every conversation has by default, by language (SEMANTICS U5).
//! `docs/texts.md` shows the same table.

/// Words of a language, with `|` between them.
pub(super) struct OptOutWords {
    /// They mean nothing else.
    pub(super) certain: &'static str,
    /// The same, but they may be the label of a button (`abmelden`): these give way to a flow that
    /// gives them a meaning.
    pub(super) of_buttons: &'static str,
    /// They may be an everyday answer (`td`), and give way too; with politeness they are one.
    pub(super) everyday: &'static str,
}

const fn words(certain: &'static str, of_buttons: &'static str, everyday: &'static str) -> OptOutWords {
    OptOutWords { certain, of_buttons, everyday }
}

/// Those of carriers (CTIA, Twilio) in English, French, Spanish and Portuguese, and what people of
/// other languages write. Each in its normal form but for accents, with accents and without.
#[rustfmt::skip]
pub(super) const OPT_OUT: &[OptOutWords] = &[
    // English
    words(
        "stop|stopall|stop all|unsubscribe|unsubscribe me|unsub|optout|opt out|opt-out|\
            revoke|remove me|stop texting|stop texting me|stop messaging|stop messaging me|\
            stop sending messages|stop sending me messages|stop sending texts|\
            stop sending me texts|opt me out|take me off your list|take me off the list|\
            take me off this list|remove me from your list|remove me from the list|\
            remove me from this list",
        "stop texts|stop messages|stop sms|stop contacting me|no more messages|no more texts|\
            don't text me|do not text me",
        "cancel|end|quit",
    ),
    // French
    words(
        "arret|arrêt|desabonner|désabonner|me desabonner|me désabonner|desabonnement|\
            désabonnement|desinscription|désinscription|desinscrire|désinscrire|me desinscrire|\
            me désinscrire|se desabonner|se désabonner|désabonnez-moi|desabonnez-moi|\
            désabonnez moi|desabonnez moi|désinscrivez-moi|desinscrivez-moi|\
            je veux me désabonner|je veux me desabonner",
        "arreter|arrêter",
        "arrete|arrête",
    ),
    // Spanish
    words(
        "darme de baja|dar de baja|desuscribir|desuscribirme|desuscribirse|darse de baja|\
            cancelar suscripción|cancelar suscripcion|no más mensajes|no mas mensajes|\
            dame de baja|deme de baja|denme de baja|quiero darme de baja|no quiero más mensajes|\
            no quiero mas mensajes|no me envíen más mensajes|no me envien mas mensajes",
        "baja",
        "alto|parar|detener|cancelar|salir",
    ),
    // Portuguese
    words(
        "descadastrar|cancelar inscrição|cancelar inscricao|sair da lista|descadastre-me|\
            me descadastre|quero me descadastrar|me tire da lista|não quero mais mensagens|\
            nao quero mais mensagens",
        "quero sair da lista",
        "pare|sair|cancelar",
    ),
    // German
    words(
        "stopp|melde mich ab|melden sie mich ab|ich möchte mich abmelden|\
            ich moechte mich abmelden",
        "abmelden|abmeldung|abbestellen|austragen|keine nachrichten mehr|keine sms mehr|\
            newsletter abbestellen|newsletter abmelden",
        "",
    ),
    // Italian
    words(
        "disiscrivimi|disiscrizione|annulla iscrizione|disiscrivetemi|cancellami dalla lista",
        "cancellami|basta messaggi",
        "basta",
    ),
    // Dutch
    words(
        "schrijf me uit|schrijf mij uit|meld me af|meld mij af",
        "afmelden|afmeld|uitschrijven|stoppen|geen berichten meer",
        "",
    ),
    // Swedish, Danish, Norwegian
    words(
        "avprenumerera|avregistrera mig|frameld mig|meld mig fra|avmeld meg|meld meg av",
        "avregistrera|avmeld|frameld|meld av",
        "avsluta|sluta",
    ),
    // Finnish
    words("poista listalta", "lopeta", "peru tilaus"),
    // Polish
    words("wypisz mnie", "wypisz", "rezygnuję|rezygnuje|rezygnacja|koniec"),
    // Czech, Slovak
    words(
        "zrušit odběr|zrusit odber|odhlaste mě|odhlaste me",
        "odhlasit|odhlásit|odhlásiť|odhlásit odběr|odhlasit odber",
        "",
    ),
    // Serbian, Croatian, Slovene
    words("odjavi me|одјави ме", "odjava|одјава", ""),
    // Romanian
    words(
        "dezabonare|dezabonează-mă|dezaboneaza-ma|dezabonează|dezaboneaza|dezabonați-mă|\
            dezabonati-ma|dezaboneaza ma|dezabonează mă",
        "",
        "",
    ),
    // Hungarian
    words("leiratkozás|leiratkozas|leiratkozom|leiratkozni", "", ""),
    // Greek
    words("στοπ", "", "διαγραφή|διαγραφη|διακοπή|διακοπη|τέλος|τελος"),
    // Russian, Ukrainian, Bulgarian
    words(
        "стоп|отписаться|отписка|отпишите|отпишись|відписатися|відписатись|відписка|\
            отписване|отпишите меня|отпиши меня|відпишіть мене|відпиши мене|отпишете ме",
        "больше не пишите|не пишите мне|не присылайте сообщения",
        "хватит|спри",
    ),
    // Turkish
    words(
        "abonelikten çık|abonelikten cik|aboneliği iptal et|aboneligi iptal et|\
            abonelikten çıkar|abonelikten cikar",
        "durdur|mesaj göndermeyin|mesaj gondermeyin",
        "ret|dur|iptal",
    ),
    // Arabic
    words(
        "إلغاء الاشتراك|الغاء الاشتراك|إلغاء اشتراكي|الغاء اشتراكي|ألغوا اشتراكي",
        "إيقاف|ايقاف|توقف|قف",
        "إلغاء|الغاء",
    ),
    // Hebrew
    words(
        "הסירו אותי|הסר אותי|הסירי אותי|תסירו אותי|תסיר אותי|להסיר אותי|הסירו אותי מהרשימה",
        "הסר|הסרה|עצור|הפסק",
        "",
    ),
    // Persian, Urdu
    words("لغو اشتراک|لغو11", "", "بند کرو|بند کریں|لغو"),
    // Hindi, Marathi
    words(
        "स्टॉप|सदस्यता समाप्त",
        "message band karo|messages band karo|sms band karo|संदेश बंद करें|मैसेज बंद करो|\
            मैसेज बंद करें",
        "रोकें|बंद करें|बंद|बंद करो|थांबवा",
    ),
    // Bengali
    words("স্টপ", "", "বন্ধ করুন|বন্ধ করো|বন্ধ"),
    // Tamil
    words("ஸ்டாப்", "", "நிறுத்து|நிறுத்துங்கள்|நிறுத்தவும்"),
    // Telugu
    words("స్టాప్", "", "ఆపు|ఆపండి|ఆపివేయండి"),
    // Kannada
    words("ಸ್ಟಾಪ್", "", "ನಿಲ್ಲಿಸಿ|ನಿಲ್ಲಿಸು"),
    // Malayalam
    words("സ്റ്റോപ്പ്", "", "നിർത്തുക|നിർത്തൂ|നിർത്ത്"),
    // Gujarati
    words("સ્ટોપ", "", "બંધ કરો|રોકો"),
    // Punjabi
    words("ਸਟਾਪ", "", "ਬੰਦ ਕਰੋ|ਰੋਕੋ"),
    // Thai
    words(
        "เลิกรับ|ยกเลิกการรับ|ยกเลิกการรับข้อความ|หยุดส่งข้อความ|ยกเลิกการรับข่าวสาร|\
            เลิกส่งข้อความ",
        "หยุดส่ง|หยุด",
        "ยกเลิก",
    ),
    // Vietnamese
    words(
        "hủy đăng ký|huỷ đăng ký|huy dang ky|ngừng nhận tin|ngung nhan tin|ngừng gửi tin|\
            ngung gui tin",
        "hủy nhận tin|huỷ nhận tin|huy nhan tin",
        "hủy|huỷ|dừng|ngừng",
    ),
    // Indonesian, Malay
    words(
        "unreg|berhenti berlangganan|batal langganan|stop langganan|stop kirim pesan|\
            berhenti kirim pesan",
        "berhenti|jangan kirim pesan lagi",
        "",
    ),
    // Filipino
    words("", "itigil|ihinto|tigil", ""),
    // Swahili
    words("jiondoe|acha kutuma", "simamisha|komesha", ""),
    // Chinese
    words("退订|退訂|取消订阅|取消訂閱|我要退订|我要退訂|不要再发消息", "停止|退订短信|退訂簡訊|别再发消息", "td"),
    // Japanese
    words("配信停止|配信解除|購読解除|ストップ|配信停止して|配信を停止して|配信停止希望|配信を停止", "登録解除|退会|メルマガ解除", "解除"),
    // Korean
    words("수신거부|수신 거부|수신중지|구독취소|구독 취소|수신거부해|수신거부 해|수신 거부해|수신 거부 해", "구독해지|구독 해지|수신 중지", "중지|그만|거부"),
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
