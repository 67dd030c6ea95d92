//! Where `http_request` may reach: hosts of a list, at public addresses only. Addresses are checked
//! where a name is resolved for the connection itself, so that a name which leads elsewhere a
//! moment later gains nothing.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Finds the addresses of a name.
pub type Lookup = Arc<dyn Fn(String) -> Looking + Send + Sync>;
/// Addresses on their way.
pub type Looking = std::pin::Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>>;

/// The hosts that may be reached, and the addresses.
#[derive(Clone, Debug)]
pub struct AllowList {
    hosts: Vec<String>,
    is_allowed: fn(IpAddr) -> bool,
}

impl AllowList {
    /// Hosts such as `api.example.com`, and `*.example.com` for all below one.
    ///
    /// # Errors
    /// The entry that is no host: one with a scheme, a port or a path would never match.
    pub fn new(hosts: &[String]) -> Result<Self, String> {
        let hosts = hosts.iter().map(|host| host.trim()).filter(|host| !host.is_empty());
        let hosts = hosts.map(|host| {
            let form = "must be a host such as `api.example.com` or `*.example.com`";
            listed(host).ok_or_else(|| format!("HTTP_ALLOW: `{host}` {form}, without scheme, port and path"))
        });
        Ok(Self { hosts: hosts.collect::<Result<_, _>>()?, is_allowed: is_public })
    }

    /// With other addresses than the public ones.
    #[must_use]
    pub fn with_addresses(self, is_allowed: fn(IpAddr) -> bool) -> Self {
        Self { is_allowed, ..self }
    }

    /// The resolver that goes with it: by the system's, or by another lookup.
    #[must_use]
    pub fn resolver(&self, lookup: Option<Lookup>) -> CheckedResolver {
        CheckedResolver { lookup: lookup.unwrap_or_else(of_system), is_allowed: self.is_allowed }
    }

    fn has(&self, host: &str) -> bool {
        self.hosts.iter().any(|allowed| match allowed.strip_prefix("*.") {
            Some(parent) => {
                host.strip_suffix(parent).is_some_and(|below| below.len() > 1 && below.ends_with('.'))
            }
            None => allowed == host,
        })
    }

    /// Reads an address and makes sure that it may be reached, as far as its text tells.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn check(&self, address: &str) -> Result<Url, String> {
        let url = Url::parse(address).map_err(|error| format!("the address cannot be read: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("the address must begin with http:// or https://".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address must not hold a user".to_owned());
        }
        let host = url.host().ok_or("the address has no host")?;
        // Whatever form a number is written in (decimal, octal, hexadecimal), it is an address now.
        let literal = match host {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        let name = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        if !self.has(&name) {
            return Err(format!("the host `{name}` is not on the list of hosts that flows may reach"));
        }
        match literal.filter(|address| !(self.is_allowed)(*address)) {
            Some(address) => Err(refusal(address)),
            None => Ok(url),
        }
    }
}

/// A host as addresses have it: in lower case, in the letters of the name service.
fn listed(host: &str) -> Option<String> {
    let (below, name) = match host.strip_prefix("*.") {
        Some(parent) => ("*.", parent),
        None => ("", host),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let host = Host::parse(name).ok().filter(|_| !name.contains('*'))?;
    let may_match = match &host {
        // Parts as the name service knows them.
        Host::Domain(name) => name.len() <= 253 && name.split('.').all(|part| (1..=63).contains(&part.len())),
        Host::Ipv4(_) | Host::Ipv6(_) => below.is_empty(),
    };
    may_match.then(|| format!("{below}{host}"))
}

fn refusal(address: IpAddr) -> String {
    format!("the address {address} is not a public one")
}

/// Resolves names to addresses that may be reached, and to nothing where one of them may not.
#[derive(Clone)]
pub struct CheckedResolver {
    lookup: Lookup,
    is_allowed: fn(IpAddr) -> bool,
}

fn of_system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (looking, is_allowed) = ((self.lookup)(name.as_str().to_owned()), self.is_allowed);
        Box::pin(async move {
            let found = looking.await?;
            if let Some(inner) = found.iter().find(|address| !is_allowed(**address)) {
                return Err(Box::<dyn Error + Send + Sync>::from(refusal(*inner)));
            }
            // The port of the URL takes the place of 0.
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// True for an address of the public network: not of this machine, a private network, a link, a
/// provider's inside, a multicast group or a documentation; nor one that leads to such a one
/// through a translation.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b, c) {
        // "This" network, private, provider's inside, loopback, link-local (with cloud metadata).
        (0 | 10 | 127, ..) | (100, 64..=127, _) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) => true,
        // Protocol assignments, documentation, 6to4 relays, benchmarks.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => true,
        // Multicast, reserved, broadcast.
        (224.., ..) => true,
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // Mapped, and the forms of old.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => embedded(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => embedded(high, low),
        // NAT64 and 6to4 lead to the address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // Only global unicast is public, but for Teredo, ORCHID, benchmarks and documentation.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second >= 0x1000,
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for inner in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.9.9",
            "192.168.1.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "64:ff9b:1::1",
            "::ffff:0:169.254.169.254",
        ] {
            assert!(!is_public(inner.parse().unwrap()), "{inner}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "100.63.0.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_host_must_be_on_the_list_in_whatever_form_it_is_written() {
        let list = AllowList::new(&[
            "api.example.com".to_owned(),
            "*.shop.example".to_owned(),
            "127.0.0.1".to_owned(),
            " Müller.example. ".to_owned(),
        ])
        .unwrap();
        for (address, says) in [
            ("https://other.example/", "not on the list"),
            ("https://api.example.com.evil.example/", "not on the list"),
            ("https://shop.example/", "not on the list"),
            ("https://evilshop.example/", "not on the list"),
            ("https://.shop.example/", "cannot be read|not on the list"),
            ("ftp://api.example.com/", "must begin"),
            ("file:///etc/passwd", "must begin"),
            ("https://user:word@api.example.com/", "must not hold a user"),
            ("https://api.example.com@evil.example/", "must not hold a user"),
            ("http://127.0.0.1/", "not a public one"),
            ("http://2130706433/", "not a public one"),
            ("http://0x7f.1/", "not a public one"),
            ("http://0177.0.0.1/", "not a public one"),
            ("http://[::ffff:127.0.0.1]/", "not on the list"),
            ("//api.example.com/", "cannot be read"),
            ("", "cannot be read"),
        ] {
            let refused = list.check(address).expect_err(address);
            assert!(says.split('|').any(|says| refused.contains(says)), "{address}: {refused}");
        }
        for address in [
            "https://api.example.com/a?b=c",
            "http://API.example.com./",
            "https://a.b.shop.example:8443/",
            "https://MÜLLER.example/",
            "https://xn--mller-kva.example/",
        ] {
            assert!(list.check(address).is_ok(), "{address}");
        }
    }

    #[test]
    fn an_entry_that_would_never_match_is_refused() {
        for entry in [
            "https://api.example.com",
            "api.example.com/",
            "api.example.com:8443",
            "user@api.example.com",
            "*",
            "*.",
            "*.*.example.com",
            "api.*.example.com",
            "*.127.0.0.1",
            "a b.example",
            "a..b",
            ".example.com",
            "*..example.com",
            "example.com..",
            &format!("{}.example", "n".repeat(64)),
            &"n.".repeat(128),
        ] {
            let refused = AllowList::new(&["fine.example".to_owned(), entry.to_owned()]).unwrap_err();
            assert!(refused.contains(entry), "{refused}");
        }
        assert!(AllowList::new(&[String::new(), "[2606:4700::1111]".to_owned()]).is_ok());
    }
}
