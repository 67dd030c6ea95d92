//! The pace of callers: so many requests within a minute for each token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The span that requests are counted in.
const WINDOW: Duration = Duration::from_secs(60);
/// Tokens that are kept before those whose window has ended are dropped.
const MOST_KEPT: usize = 10_000;

/// Counts the requests of each token, in windows that begin with a request.
#[derive(Debug)]
pub struct Rate {
    most: u32,
    windows: Mutex<HashMap<Arc<str>, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    begun: Instant,
    count: u32,
}

impl Rate {
    /// At most so many requests in a minute; 0 for any number.
    #[must_use]
    pub fn per_minute(most: u32) -> Self {
        Self { most, windows: Mutex::default() }
    }

    /// Counts a request. Returns the number that may still follow in this minute.
    ///
    /// # Errors
    /// The time after which the caller may come again.
    pub fn take(&self, token: &Arc<str>, now: Instant) -> Result<u32, Duration> {
        if self.most == 0 {
            return Ok(u32::MAX);
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST_KEPT && !windows.contains_key(token) {
            windows.retain(|_, window| now.saturating_duration_since(window.begun) < WINDOW);
        }
        let window = windows.entry(Arc::clone(token)).or_insert(Window { begun: now, count: 0 });
        let passed = now.saturating_duration_since(window.begun);
        if passed >= WINDOW {
            *window = Window { begun: now, count: 0 };
        }
        if window.count >= self.most {
            return Err(WINDOW.saturating_sub(passed));
        }
        window.count += 1;
        Ok(self.most - window.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_after_the_last_waits_for_the_end_of_the_minute() {
        let (rate, begun) = (Rate::per_minute(2), Instant::now());
        let (one, other) = (Arc::<str>::from("one"), Arc::<str>::from("other"));
        assert_eq!(rate.take(&one, begun), Ok(1));
        assert_eq!(rate.take(&one, begun), Ok(0));
        let later = begun + Duration::from_secs(20);
        assert_eq!(rate.take(&one, later), Err(Duration::from_secs(40)));
        assert_eq!(rate.take(&other, later), Ok(1));
        assert_eq!(rate.take(&one, begun + WINDOW), Ok(1));
    }

    #[test]
    fn no_limit_counts_nothing() {
        let rate = Rate::per_minute(0);
        assert!((0..1_000).all(|_| rate.take(&Arc::from("one"), Instant::now()).is_ok()));
    }
}
