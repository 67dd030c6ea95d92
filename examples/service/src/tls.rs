//! The connection to PostgreSQL, encrypted where the URL says so: the server's certificate is
//! checked against the roots of the system, or those of a file, and its name against the URL's.

use std::path::PathBuf;
use std::sync::Arc;

use chatflow_postgres::tokio_postgres::config::SslMode;
use chatflow_postgres::tokio_postgres::{Config, Socket, tls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The `DATABASE_URL` of a server.
pub struct PostgresUrl {
    /// The driver's settings.
    pub config: Config,
    /// The certificates that are trusted; None: the connection is not encrypted.
    pub trust: Option<Trust>,
}

/// The certificates by which a server is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those of the system.
    System,
    /// Those of a file in the form PEM.
    File(PathBuf),
}

impl PostgresUrl {
    /// Reads it. `sslmode` is `disable` (as are `allow` and `prefer`, the default), or `require`,
    /// `verify-ca` or `verify-full`, which all check the certificate and the name in it;
    /// `sslrootcert` is a file, or `system`, the default.
    ///
    /// # Errors
    /// The part that cannot be read.
    pub fn read(url: &str) -> Result<Self, Failure> {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots, mut rest) = ("prefer".to_owned(), None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let mut read = url::form_urlencoded::parse(pair.as_bytes());
            match read.next() {
                Some((name, value)) if name == "sslmode" => mode = value.into_owned(),
                Some((name, value)) if name == "sslrootcert" => roots = Some(value.into_owned()),
                _ => rest.push(pair),
            }
        }
        let is_encrypted = match &*mode {
            "disable" | "allow" | "prefer" => false,
            "require" | "verify-ca" | "verify-full" => true,
            other => {
                return Err(format!(
                    "`sslmode` of DATABASE_URL must be disable, prefer, require, verify-ca or verify-full, not `{other}`"
                )
                .into());
            }
        };
        if roots.is_some() && !is_encrypted {
            return Err("`sslrootcert` of DATABASE_URL needs `sslmode=require`".into());
        }
        let mut config: Config = match rest.is_empty() {
            true => place.parse()?,
            false => format!("{place}?{}", rest.join("&")).parse()?,
        };
        config.ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable });
        let trust = is_encrypted.then(|| match roots {
            None => Trust::System,
            Some(system) if system == "system" => Trust::System,
            Some(file) => Trust::File(file.into()),
        });
        Ok(Self { config, trust })
    }
}

impl Trust {
    /// The connector that goes with it.
    ///
    /// # Errors
    /// Where there is no certificate to trust, or one cannot be read.
    pub fn connector(&self) -> Result<MakeRustlsConnect, Failure> {
        let roots = self.roots()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth()))
    }

    fn roots(&self) -> Result<RootCertStore, Failure> {
        let mut roots = RootCertStore::empty();
        match self {
            Self::System => {
                let found = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(found.certs);
                if roots.is_empty() {
                    let why = found.errors.first().map_or(String::new(), |error| format!(" ({error})"));
                    return Err(format!(
                        "the system has no root certificates{why}: name a file by `sslrootcert` in DATABASE_URL"
                    )
                    .into());
                }
            }
            Self::File(file) => {
                let unread = |error| format!("`sslrootcert` {} cannot be read: {error}", file.display());
                for certificate in CertificateDer::pem_file_iter(file).map_err(|e| unread(e.to_string()))? {
                    roots.add(certificate.map_err(|e| unread(e.to_string()))?)?;
                }
                if roots.is_empty() {
                    return Err(unread("it holds no certificate".to_owned()).into());
                }
            }
        }
        Ok(roots)
    }
}

/// Connects once, so that what is wrong is told in words.
///
/// # Errors
/// Each reason behind the driver's error.
pub async fn try_once<T>(config: &Config, tls: T) -> Result<(), Failure>
where
    T: tls::MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    match config.connect(tls).await {
        Ok((client, connection)) => {
            drop(client);
            // It ends at once, since nobody has its client.
            let _ = connection.await;
            Ok(())
        }
        Err(error) => {
            let mut told = format!("the database of DATABASE_URL cannot be reached: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(reason) = cause {
                told.push_str(&format!(": {reason}"));
                cause = reason.source();
            }
            if told.contains("does not support TLS") {
                told.push_str("; `sslmode=disable` connects without encryption");
            }
            Err(told.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_whether_and_by_whom_a_server_is_trusted() {
        for (query, trust) in [
            ("", None),
            ("?sslmode=disable", None),
            ("?sslmode=prefer&application_name=bot", None),
            ("?sslmode=require", Some(Trust::System)),
            ("?connect_timeout=3&sslmode=verify-full&sslrootcert=system", Some(Trust::System)),
            ("?sslmode=verify-ca&sslrootcert=%2Fetc%2Fca.pem", Some(Trust::File("/etc/ca.pem".into()))),
        ] {
            let read =
                PostgresUrl::read(&format!("postgres://bot:word@db.example:5433/chat{query}")).unwrap();
            assert_eq!(read.trust, trust, "{query}");
            assert_eq!(read.config.get_dbname(), Some("chat"), "{query}");
            assert_eq!(read.config.get_ports(), [5433], "{query}");
        }
        for (query, told) in [
            ("?sslmode=sometimes", "must be disable"),
            ("?sslrootcert=ca.pem", "needs `sslmode=require`"),
            ("?nothing=known", "nothing"),
        ] {
            let refused = PostgresUrl::read(&format!("postgres://db.example/chat{query}")).err().unwrap();
            assert!(format!("{refused:?} {refused}").contains(told), "{query}: {refused:?}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_told() {
        for file in ["Cargo.toml", "nowhere.pem"] {
            let refused = Trust::File(file.into()).connector().err().unwrap().to_string();
            assert!(refused.starts_with(&format!("`sslrootcert` {file} cannot be read")), "{refused}");
        }
    }
}
