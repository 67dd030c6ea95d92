//! Addresses of the web: those that buttons open, and those that media lie at (SEMANTICS C, D8).
//! Which ones a channel opens is a figure of its capacity.

use crate::flow::content::{Capacity, ChannelCapacity, LinkSchemes};
use crate::flow::form::issue::{IssueCode, Repair};
use crate::flow::form::path::{Path, brief};
use crate::flow::lang::context::Compile;
use crate::flow::lang::template::Template;

/// A fault of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AddressFault {
    /// Nothing says how it is opened: `shop.example`.
    NoScheme,
    /// It is opened in a way that the channel does not have.
    OtherScheme,
}

const WEB: [&str; 2] = ["http", "https"];

/// Addresses that are run rather than opened.
const PROGRAMS: [&str; 3] = ["javascript", "data", "vbscript"];

impl LinkSchemes {
    /// True if no medium lies at an address, of which the beginning is `written`.
    fn is_no_file(self, written: &str, address: &str) -> bool {
        let is_known = self != Self::Any;
        match scheme(written) {
            Some(scheme) => is_known && PROGRAMS.iter().any(|program| scheme.eq_ignore_ascii_case(program)),
            None => {
                let is_file = written.starts_with('/') || has_extension(address);
                is_host(written) || (is_known && is_file)
            }
        }
    }

    fn fault(self, address: &str) -> Option<AddressFault> {
        let address = address.trim();
        let Some(scheme) = scheme(address) else {
            // A page has addresses of its own, and a host may have names for them.
            let is_own = self == Self::Any && !is_host(address);
            return (!is_own).then_some(AddressFault::NoScheme);
        };
        let is = |known: &[&str]| known.iter().any(|known| scheme.eq_ignore_ascii_case(known));
        let opens = match self {
            Self::Only(others) => is(&WEB) || is(others),
            Self::Any => !is(&PROGRAMS),
        };
        (!opens).then_some(AddressFault::OtherScheme)
    }
}

/// True if a button of the channel opens what was rendered.
pub(crate) fn opens(capacity: &Capacity, address: &str) -> bool {
    capacity.opens.fault(address).is_none()
}

/// True if a medium can lie at what was rendered, or the channel can know it by that name.
pub(crate) fn lies_at(capacity: &Capacity, address: &str) -> bool {
    !capacity.opens.is_no_file(address, address)
}

/// True of an approved address, of which a button leaves the end open, that was rendered as a
/// whole.
pub(crate) fn is_whole(capacity: &Capacity, address: &str) -> bool {
    capacity.opens != LinkSchemes::Any && is_web(address.trim())
}

/// True of what begins as an address of the web does.
fn is_web(address: &str) -> bool {
    let is_known = |known: &str| WEB.iter().any(|web| known.eq_ignore_ascii_case(web));
    scheme(address).is_some_and(is_known) && address.contains("://")
}

/// The scheme of an address: `https`. A name with a dot is that of a machine.
fn scheme(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-".contains(&b));
    is_scheme.then_some(scheme)
}

/// The written beginning of a template that decides how it is opened. None: a placeholder may.
fn beginning(source: &str) -> Option<&str> {
    let source = source.trim_start();
    let written = source.split("{{").next().unwrap_or_default();
    let is_whole = written.len() == source.len();
    let may_continue = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    (is_whole || !written.bytes().all(may_continue)).then_some(written)
}

/// The address of a button.
pub(super) fn link(
    source: &str,
    at: &Path<'_>,
    fit: &ChannelCapacity,
    cx: &mut Compile<'_>,
) -> Option<Template> {
    let template = cx.required_template(at, source)?;
    let Some(fault) = beginning(source).and_then(|written| fit.capacity.opens.fault(written)) else {
        return Some(template);
    };
    let scheme = scheme(source.trim()).unwrap_or_default().to_ascii_lowercase();
    let fix = match (fault, &*scheme) {
        (AddressFault::NoScheme, _) => "begin with https:// or http://",
        (_, "tel" | "sms" | "callto") => "say the number in a text, or send `contacts`",
        (_, "mailto") => "say the address in a text, or send `contacts`",
        _ => "write an address that begins with https://",
    };
    let repair = (fault == AddressFault::NoScheme && is_host(source))
        .then(|| Repair::Replace { path: at.to_string(), with: format!("https://{}", source.trim()) });
    let message = format!("{:?} is not an address that a button opens{}", brief(source), fit.on);
    cx.found.add_repairable(IssueCode::BadValue, at, message, fix, repair);
    Some(template)
}

/// The end of an approved address, which a button leaves open.
pub(super) fn open_end(
    source: &str,
    at: &Path<'_>,
    fit: &ChannelCapacity,
    cx: &mut Compile<'_>,
) -> Option<Template> {
    let template = cx.required_template(at, source)?;
    if beginning(source).is_some_and(|written| is_whole(fit.capacity, written)) {
        let message = format!("{:?} is put behind the address that was approved", brief(source));
        let fix = "write the end of the address alone, such as `4711`";
        cx.found.add(IssueCode::WholeAddress, at, message, fix);
    }
    Some(template)
}

/// The address of a medium, or another name by which the channel knows it.
pub(super) fn medium(
    source: &str,
    at: &Path<'_>,
    fit: &ChannelCapacity,
    cx: &mut Compile<'_>,
) -> Option<Template> {
    let template = cx.required_template(at, source)?;
    let is_lost = beginning(source).is_some_and(|written| fit.capacity.opens.is_no_file(written, source));
    if is_lost {
        let message = format!("{:?} is not the address of a file", brief(source));
        let repair = is_host(source)
            .then(|| Repair::Replace { path: at.to_string(), with: format!("https://{}", source.trim()) });
        let fix = "begin with https:// or http://";
        cx.found.add_repairable(IssueCode::BadValue, at, message, fix, repair);
    }
    Some(template)
}

/// True of `shop.example/tea.png` and `www.shop.example`, not of `images/tea.png`.
fn is_host(address: &str) -> bool {
    let address = address.trim();
    let host = address.split(['/', '?', '#']).next().unwrap_or_default();
    let has_path = address.get(host.len()..).is_some_and(|rest| rest.starts_with('/'));
    let host = host.split(':').next().unwrap_or_default();
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-');
    let has_names = host.contains('.') && host.split('.').all(is_name);
    has_names && (has_path || host.starts_with("www.") || !has_extension(host))
}

/// True if a text ends as the name of a file of a medium does.
fn has_extension(address: &str) -> bool {
    const FILES: [&str; 42] = [
        "3gp", "aac", "amr", "avi", "bmp", "csv", "doc", "docx", "epub", "gif", "heic", "htm", "html", "ics",
        "jpeg", "jpg", "json", "m4a", "mkv", "mov", "mp3", "mp4", "odt", "ogg", "opus", "pdf", "php", "png",
        "ppt", "pptx", "rtf", "svg", "tif", "tiff", "txt", "vcf", "wav", "webm", "webp", "xls", "xlsx",
        "xml",
    ];
    let end = address.trim().rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    end.is_some_and(|end| FILES.contains(&&*end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: LinkSchemes = LinkSchemes::Only(&["tg"]);

    #[test]
    fn an_address_is_one_that_the_channel_opens() {
        for address in ["https://a.example", "HTTP://a.example/x?y=1", " https://a.example", "tg://resolve"] {
            assert_eq!(APP.fault(address), None, "{address}");
        }
        for address in ["a.example", "www.a.example/x", "a.example:8080/x", "/x", "", "x"] {
            assert_eq!(APP.fault(address), Some(AddressFault::NoScheme), "{address}");
        }
        for address in ["tel:+49301234", "mailto:a@b.example", "javascript:alert(1)", "ftp://a.example"] {
            assert_eq!(APP.fault(address), Some(AddressFault::OtherScheme), "{address}");
        }
        for address in ["tel:+49301234", "mailto:a@b.example", "/cart", "#top", "app://x", "cart-7"] {
            assert_eq!(LinkSchemes::Any.fault(address), None, "{address}");
        }
        assert_eq!(LinkSchemes::Any.fault("JavaScript:alert(1)"), Some(AddressFault::OtherScheme));
        assert_eq!(LinkSchemes::Any.fault("a.example/x"), Some(AddressFault::NoScheme));
    }

    #[test]
    fn a_beginning_decides_where_no_placeholder_may() {
        for source in ["{{ context.url }}", "https{{ s }}://a.example", "shop{{ id }}", "{{ a }}.example/x"] {
            assert_eq!(beginning(source), None, "{source}");
        }
        assert_eq!(beginning("https://a.example/{{ id }}"), Some("https://a.example/"));
        assert_eq!(beginning("a.example/{{ id }}"), Some("a.example/"));
        assert_eq!(beginning("a.example"), Some("a.example"));
    }

    #[test]
    fn a_name_of_a_machine_is_told_from_that_of_a_file() {
        for host in ["shop.example/1.jpg", "www.shop.example", "shop.example", "cdn.shop.example/a?b=c"] {
            assert!(is_host(host), "{host}");
        }
        for other in [
            "tea.png",
            "order.html",
            "index.php?id=1",
            "photo.heic",
            "slides.pptx",
            "images/tea.png",
            "1037543291543636",
            "media id",
            "a b.c/d",
            "",
        ] {
            assert!(!is_host(other), "{other}");
        }
    }
}
