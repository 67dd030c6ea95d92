//! E-mail addresses and web addresses: what certainly is none is refused, the rest is for those who
//! write to it.

use crate::flow::lang::normal::{
    is_combining, mail_in_sentence, narrow, normal, unwrapped, unwrapped_url, url_in_sentence,
};

/// Words right before an address that say that it comes, in normal form: `my e-mail is`. After any
/// other word a text may be an address that a keyboard parted: `ada byron@example.com`.
const INTRODUCING: &str = "is|it's|its|e-mail|email|mail|address|website|site|link|url|web|es|\
    correo|electrónico|electronico|dirección|direccion|enlace|sitio|é|eletrônico|eletronico|\
    endereço|endereco|est|c'est|courriel|adresse|lien|ist|lautet|mailadresse|e-mail-adresse|webseite|è|\
    indirizzo|sito|adres|e-mailadres|e-postam|epostam|mailim|adresim|adalah|emailku|alamat|\
    jest|epost|e-post|är|почта|почту|емейл|имейл|мыло|адрес|هو|بريدي|ايميلي|ईमेल";
/// The verb of such a sentence where it comes last.
const CONCLUDING: &str = "है";

/// Reads an e-mail address; its domain in lower case. Marks without width, a final full stop or
/// comma, and what mail programs and keyboards put around an address are no part of it (SEMANTICS
/// U15).
pub(super) fn email(text: &str) -> Option<String> {
    const MOST: usize = 254;
    const MOST_LOCAL: usize = 64;
    const MOST_WRITTEN: usize = 512;
    if text.len() > MOST_WRITTEN {
        return None;
    }
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).map(narrow).collect();
    let read = |text: &str| {
        let text = unwrapped(text.trim());
        let scheme = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
        let text = text.get(scheme.map_or(0, str::len)..).unwrap_or(text).trim_start();
        if text.len() > MOST {
            return None;
        }
        let (local, domain) = mail_in_sentence(text).rsplit_once('@')?;
        let is_local = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        let fits = !local.is_empty()
            && local.len() <= MOST_LOCAL
            && local.chars().all(is_local)
            && local.split('.').all(|part| !part.is_empty())
            && domain.rsplit_once('.').is_some_and(|(_, last)| is_top(last))
            && is_domain(domain);
        fits.then(|| format!("{local}@{}", domain.to_lowercase()))
    };
    read(&visible).or_else(|| read(introduced(&visible, "@")?))
}

fn is_introducing(word: &str) -> bool {
    let word = normal(word.trim_matches(['"', ',']));
    INTRODUCING.split('|').any(|one| one == word)
}

/// The word of a text that has a mark of an address in it, where the words around it only say that
/// it is one: `My e-mail is ada@example.com`, `Site: https://example.com`.
fn introduced<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let (mut words, mut before) = (text.split_whitespace(), None);
    let address = loop {
        let word = words.next()?;
        if word.contains(mark) {
            break word;
        }
        before = Some(word);
    };
    let is_begun = before.is_none_or(|word| word.ends_with([':', '：', '=']) || is_introducing(word));
    (is_begun && words.all(|word| word == CONCLUDING)).then_some(address)
}

/// True for a domain that others may be in: two letters or more, and no digits alone.
fn is_top(label: &str) -> bool {
    let is_coded = label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    is_coded || (label.chars().count() >= 2 && !label.contains(|c: char| c.is_ascii_digit()))
}

/// Marks that have no width: they come along when a text is copied from a page.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}' | '\u{fe0e}' | '\u{fe0f}' | '\u{feff}'
    )
}

/// Reads a web address: `http` or `https`, and a host. Marks without width and what people write
/// around it are no part of it (SEMANTICS U15).
pub(super) fn url(text: &str) -> Option<String> {
    const MOST: usize = 2_048;
    if text.len() > MOST {
        return None;
    }
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let text = unwrapped_url(introduced(&visible, "://").unwrap_or(visible.trim()));
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let text = url_in_sentence(text);
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    is_authority(authority).then(|| text.to_owned())
}

/// A host with a port or without. A name before the host is refused: it is there to deceive.
fn is_authority(text: &str) -> bool {
    if let Some((address, port)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = port.strip_prefix(':').or_else(|| port.is_empty().then_some("0"));
        return address.parse::<std::net::Ipv6Addr>().is_ok() && port.is_some_and(is_port);
    }
    match text.split_once(':') {
        Some((host, port)) => is_domain(host) && is_port(port),
        None => is_domain(text),
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// Labels of letters, digits, the marks that belong to letters, and hyphens between dots.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || is_combining(c))
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_that_people_have_are_taken() {
        for (text, expected) in [
            ("ada@example.com", "ada@example.com"),
            ("Ada.Byron+shop@Mail.Example.CO.UK", "Ada.Byron+shop@mail.example.co.uk"),
            ("用户@例子.广告", "用户@例子.广告"),
            ("o'brien@example.ie", "o'brien@example.ie"),
            ("ada@example.com.", "ada@example.com"),
            ("ada@example.com\u{200b}", "ada@example.com"),
            ("\u{feff}ada@\u{2060}example.com", "ada@example.com"),
            ("\u{200e}ada@example.com\u{200f}", "ada@example.com"),
            ("<ada@example.com>", "ada@example.com"),
            ("\"ada@example.com\".", "ada@example.com"),
            ("«ada@example.com»", "ada@example.com"),
            ("mailto:ada@example.com", "ada@example.com"),
            ("Mailto:Ada@Example.com", "Ada@example.com"),
            ("ada@example.com!", "ada@example.com"),
            ("ada@example.com،", "ada@example.com"),
            ("ａｄａ＠example．com", "ada@example.com"),
            ("ada@example.com。", "ada@example.com"),
            ("ada@example.com।", "ada@example.com"),
            ("ada@example.com۔", "ada@example.com"),
            ("ada@example.com።", "ada@example.com"),
            ("ada@example.com។", "ada@example.com"),
            ("ada@example.com։", "ada@example.com"),
            ("ada@example.com؟", "ada@example.com"),
            ("ada@example.com؛", "ada@example.com"),
            ("ada@example.com…", "ada@example.com"),
            ("ada@example.com...", "ada@example.com"),
            ("ada@example.com”", "ada@example.com"),
            ("ada@example.com»", "ada@example.com"),
            ("ada@example.com」", "ada@example.com"),
            ("「ada@example.com」", "ada@example.com"),
            ("【ada@example.com】", "ada@example.com"),
            ("ada@example.com😊", "ada@example.com"),
            ("ada@example.com 😊", "ada@example.com"),
            ("📧 ada@example.com 👍🏽", "ada@example.com"),
            ("*ada@example.com*", "ada@example.com"),
            ("_ada@example.com_", "ada@example.com"),
            ("_ada@example.com", "_ada@example.com"),
            ("'ada@example.com", "'ada@example.com"),
            ("`ada@example.com`", "ada@example.com"),
            ("(ada@example.com).", "ada@example.com"),
            ("ada@example.com)", "ada@example.com"),
            ("<mailto:ada@example.com>", "ada@example.com"),
            ("ada@उदाहरण.भारत।", "ada@उदाहरण.भारत"),
            ("ada@ตัวอย่าง.ไทย", "ada@ตัวอย่าง.ไทย"),
            ("ada@example.comです", "ada@example.com"),
            ("ada@example.com是我的", "ada@example.com"),
            ("メールはada@example.com", "ada@example.com"),
            ("อีเมลada@example.co.thครับ", "ada@example.co.th"),
            ("ada@xn--fsqu00a.xn--0zwm56d", "ada@xn--fsqu00a.xn--0zwm56d"),
            ("My e-mail is ada@example.com", "ada@example.com"),
            ("e-mail: ada@example.com.", "ada@example.com"),
            ("mi correo electrónico es ada@example.com", "ada@example.com"),
            ("Meu e-mail é: <ada@example.com>", "ada@example.com"),
            ("c'est ada@example.com", "ada@example.com"),
            ("Meine E-Mail-Adresse lautet ada@example.com", "ada@example.com"),
            ("моя почта ada@example.com", "ada@example.com"),
            ("मेरा ईमेल ada@example.com है", "ada@example.com"),
        ] {
            assert_eq!(email(text).as_deref(), Some(expected));
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@127.0.0.1",
            "ada@example.c",
            "a da@example.com",
            "ada@exa mple.com",
            "ada@@example.com",
            "ada@example..com",
            ".ada@example.com",
            "ada.@example.com",
            "ada@-example.com",
            "ada@example.com, b@c.de",
            "ada@example.com.@",
            "ada@exam।ple.com",
            "ada@exam😊ple.com",
            "ada@example.com。bob@example.com",
            "ada byron@example.com",
            "my e-mail is not ada@example.com",
            "it is ada@example.com or bob@example.com",
            "my e-mail is ada@example.com no more",
            ".",
            &long,
        ] {
            assert_eq!(email(text), None, "{text}");
        }
    }

    #[test]
    fn a_web_address_has_a_scheme_and_a_host() {
        for text in [
            "https://example.com",
            "HTTP://example.com:8080/a/b?c=d#e",
            "https://localhost/x",
            "https://[::1]:443/",
            "https://例子.广告/路径",
            "http://127.0.0.1?x",
        ] {
            assert_eq!(url(text).as_deref(), Some(text));
        }
        for text in [
            "https://example.com/a।",
            "https://example.com/a。",
            "https://example.com/a؟",
            "https://example.com/a 👍🏽",
            "https://example.com/a😊",
            "<https://example.com/a>",
            "「https://example.com/a」",
            "(https://example.com/a)",
            "https://example.com/a”",
            "*https://example.com/a*",
            "https://example.com/a!",
        ] {
            assert_eq!(url(text).as_deref(), Some("https://example.com/a"), "{text}");
        }
        for text in ["Site: https://example.com/a", "mi sitio es https://example.com/a."] {
            assert_eq!(url(text).as_deref(), Some("https://example.com/a"), "{text}");
        }
        for text in ["https://example.com/a谢谢", "https://example.com/aです", "https://example.com/aครับ"]
        {
            assert_eq!(url(text).as_deref(), Some("https://example.com/a"), "{text}");
        }
        for text in [
            "https://zh.example.org/wiki/北京",
            "https://example.com/?q=東京",
            "https://example.com/%E4/北-京",
        ] {
            assert_eq!(url(text).as_deref(), Some(text));
        }
        for text in ["https://example.com/a_(b)", "https://example.com/a_", "https://example.com/a/?b=c*"] {
            assert_eq!(url(text).as_deref(), Some(text));
        }
        assert_eq!(url("https://example.com/a\u{200b}.").as_deref(), Some("https://example.com/a"));
        for text in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https:///path",
            "https://exa mple.com",
            "not https://example.com",
            "https://:80",
            "https://example.com:99999",
            "https://shop.com@evil.com",
            "javascript:alert(1)",
            "https://a..b",
            "https://[::1",
            "https://[zz]/",
            "https://a_b<c",
        ] {
            assert_eq!(url(text), None, "{text}");
        }
    }
}
