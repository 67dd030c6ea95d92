//! The signature of Meta's webhooks: HMAC-SHA-256 over the body as it came, compared in constant
//! time.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::tokens::unhex;

/// True if a header `X-Hub-Signature-256` is that of this body under the app's secret.
#[must_use]
pub fn is_signed(secret: &str, body: &[u8], header: &str) -> bool {
    let Some(digits) = header.strip_prefix("sha256=").filter(|digits| digits.len() == 64) else {
        return false;
    };
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    !secret.is_empty() && mac.chain_update(body).verify_slice(&unhex(digits)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    const RIGHT: &str = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    #[test]
    fn a_signature_is_that_of_the_body_and_the_secret() {
        let body = b"what do ya want for nothing?";
        assert!(is_signed("Jefe", body, RIGHT));
        for (secret, body, header) in [
            ("jefe", &body[..], RIGHT),
            ("Jefe", &body[1..], RIGHT),
            ("", body, RIGHT),
            ("Jefe", body, &RIGHT[..RIGHT.len() - 1]),
            ("Jefe", body, &RIGHT.replace("sha256", "sha1")),
            ("Jefe", body, &RIGHT.replace('5', "g")),
            ("Jefe", body, "sha256="),
            ("Jefe", body, ""),
        ] {
            assert!(!is_signed(secret, body, header), "{header}");
        }
    }
}
