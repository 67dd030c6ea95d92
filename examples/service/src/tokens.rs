//! Bearer tokens: `cf_ID_SECRET`. The id finds the row, the secret is compared as a hash and in
//! constant time; the secret itself is shown once and stored nowhere.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chatflow::WorkspaceId;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::database::{Database, TokenRow};

/// Longest time that a process does not know of a token that another one made or revoked.
const REFRESH: Duration = Duration::from_secs(10);
/// Time between two looks at a token under which something is streamed.
const LOOK: Duration = Duration::from_secs(1);
/// Shortest time between two looks at the database for unknown tokens, which wait for the next one.
const RETRY: Duration = Duration::from_millis(100);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The holder of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The workspace that it opens.
    pub workspace: Arc<str>,
    /// The public half of the token, by which requests are counted.
    pub id: Arc<str>,
    /// The token's name, which publications are noted under.
    pub name: Arc<str>,
    /// SHA-256 of the secret half: a token that takes the place of this one has another.
    hash: Arc<[u8]>,
}

/// The tokens of all workspaces, as this process knows them.
pub struct Tokens {
    database: Database,
    known: RwLock<Known>,
    /// One look at the database at a time, however many unknown tokens come.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    rows: HashMap<String, TokenRow>,
    read_at: Option<Instant>,
}

impl Tokens {
    /// The tokens in a database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, known: RwLock::default(), reading: tokio::sync::Mutex::default() }
    }

    /// The holder of a token. None: it is not one, or was revoked.
    pub async fn holder(&self, token: &str) -> Option<Holder> {
        let (id, secret) = token.strip_prefix("cf_")?.split_once('_')?;
        let found = self.find(id, REFRESH);
        let row = match found {
            Some(row) => Some(row),
            None => {
                self.refresh().await;
                self.find(id, Duration::MAX)
            }
        };
        // A hash is made and compared for unknown ids too, so that they take as long.
        let stored = row.as_ref().map_or_else(|| vec![0; 32], |row| row.hash.clone());
        let is_right: bool = hash(secret).as_slice().ct_eq(&stored).into();
        row.filter(|_| is_right).map(|row| Holder {
            workspace: row.workspace.into(),
            id: row.id.into(),
            name: row.name.into(),
            hash: row.hash.into(),
        })
    }

    /// Ends once a token is no longer valid, which is seen within 10 seconds.
    pub async fn revoked(&self, holder: &Holder) {
        loop {
            if self.find(&holder.id, REFRESH).is_none() {
                self.refresh().await;
            }
            let row = self.find(&holder.id, Duration::MAX);
            if row.is_none_or(|row| row.workspace != *holder.workspace || row.hash != *holder.hash) {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn find(&self, id: &str, within: Duration) -> Option<TokenRow> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = known.read_at.is_some_and(|at| at.elapsed() < within);
        known.rows.get(id).filter(|_| is_fresh).cloned()
    }

    /// Looks at the database, unless another call does so after this one has begun: each token that
    /// was made before is known then, and those who guess look no more often than one of them.
    async fn refresh(&self) {
        let asked = Instant::now();
        let _turn = self.reading.lock().await;
        let last = self.known.read().unwrap_or_else(PoisonError::into_inner).read_at;
        if last.is_some_and(|at| at >= asked) {
            return;
        }
        if let Some(at) = last {
            tokio::time::sleep(RETRY.saturating_sub(at.elapsed())).await;
        }
        let read_at = Some(Instant::now());
        // While the database does not answer, the tokens that are known stay valid.
        match self.database.tokens().await {
            Ok(rows) => {
                let rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { rows, read_at };
            }
            Err(error) => tracing::warn!(%error, "tokens could not be read"),
        }
    }
}

/// Makes a token for a workspace under a name of its own. The answer is the token, to be shown
/// once.
///
/// # Errors
/// The database's error, or the rule that the workspace or the name breaks.
pub async fn make(
    database: &Database,
    workspace: &str,
    name: &str,
    replace: bool,
) -> Result<String, Failure> {
    WorkspaceId::new(workspace).map_err(|rule| format!("the workspace {rule}"))?;
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err("the name must have a visible character, and no line breaks".into());
    }
    let is_it = |row: &TokenRow| row.workspace == workspace && row.name == name;
    if !replace && database.tokens().await?.iter().any(is_it) {
        let rule =
            format!("`{workspace}` has a token `{name}`: revoke it, choose another name, or give --replace");
        return Err(rule.into());
    }
    issue(database, workspace, name, None).await
}

/// Makes a token, or takes the given one, and keeps its hash in the place of the one of this name.
///
/// # Errors
/// The database's error, or the rule that a given token breaks.
pub async fn issue(
    database: &Database,
    workspace: &str,
    name: &str,
    given: Option<&str>,
) -> Result<String, Failure> {
    let token = match given {
        Some(token) => token.to_owned(),
        None => format!("cf_{}_{}", random::<8>()?, random::<24>()?),
    };
    let parts = token.strip_prefix("cf_").and_then(|rest| rest.split_once('_'));
    let (id, secret) = parts
        .filter(|(id, secret)| !id.is_empty() && secret.len() >= 16)
        .ok_or("a token has the form cf_ID_SECRET, with a secret of 16 characters or more")?;
    let is_other = |row: &TokenRow| row.id == id && (&*row.workspace, &*row.name) != (workspace, name);
    if let Some(TokenRow { workspace, name, .. }) = database.tokens().await?.into_iter().find(is_other) {
        let rule = format!(
            "the token's id `{id}` belongs to workspace `{workspace}`, as `{name}`: revoke that, or choose another id"
        );
        return Err(rule.into());
    }
    let row = TokenRow {
        id: id.to_owned(),
        workspace: workspace.to_owned(),
        name: name.to_owned(),
        hash: hash(secret),
    };
    database.put_token(row).await?;
    Ok(token)
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Letters that nobody has used before.
///
/// # Errors
/// Where the system gives no random bytes.
pub fn random_word() -> Result<String, getrandom::Error> {
    random::<16>()
}

fn random<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Hexadecimal digits as bytes; empty when they are none.
#[must_use]
pub fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)? * 16 + digit(low)?),
            _ => None,
        })
        .collect();
    bytes.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_read_as_they_are_written() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&bytes)), bytes);
        for wrong in ["0", "0g", "é"] {
            assert!(unhex(wrong).is_empty(), "{wrong}");
        }
    }
}
