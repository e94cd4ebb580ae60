//! Failed logins: counted before the password is looked at, kept in the vault, and forgotten in time.

use std::time::Duration;

use assay_store::vault::{Vault, VaultError};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::sync::Mutex;

use crate::settings::Settings;

/// How often a count is tried again when another node writes at once.
const TRIES_MAX: usize = 64;
/// How many counters serve all the names that nobody has.
const STRANGERS: u16 = 1024;
/// How many names are counted at once.
const STRIPES: usize = 64;

/// What is kept of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    failed: u32,
    /// In microseconds since 1970.
    last: i64,
    /// In microseconds since 1970.
    locked_until: i64,
}

/// The counters of failed logins.
#[derive(Debug)]
pub(crate) struct Attempts {
    max: u32,
    lock: Duration,
    lock_max: Duration,
    /// Within this process, one at a time for a name: 200 at once do not fight over one version.
    stripes: Vec<Mutex<()>>,
}

impl Attempts {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            max: settings.attempts_max,
            lock: settings.lock,
            lock_max: settings.lock_max,
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
        }
    }

    /// Counts one attempt as failed; whether it may be looked at all the same.
    pub(crate) async fn count(
        &self,
        vault: &dyn Vault,
        name: &str,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let stripe =
            name.bytes().fold(0_usize, |sum, b| sum.wrapping_mul(31).wrapping_add(b.into()));
        let _one = match self.stripes.get(stripe % STRIPES) {
            Some(stripe) => Some(stripe.lock().await),
            None => None,
        };
        for _ in 0..TRIES_MAX {
            let kept = vault.secret(name).await?;
            let version = kept.as_ref().map(|kept| kept.version);
            let count = kept.and_then(|kept| serde_json::from_slice(&kept.bytes).ok());
            let (next, open) = self.next(count.unwrap_or_default(), now);
            let bytes = serde_json::to_vec(&next).unwrap_or_default();
            match vault.put_secret(name, version, bytes).await {
                Ok(_) => return Ok(open),
                Err(VaultError::Conflict { .. }) => (),
                Err(error) => return Err(error),
            }
        }
        Err(VaultError::Unavailable("too many count at once".to_owned()))
    }

    /// Forgets the failures of a name after a success.
    pub(crate) async fn clear(&self, vault: &dyn Vault, name: &str) -> Result<(), VaultError> {
        vault.drop_secret(name).await
    }

    /// The count after one more attempt, and whether that one is looked at.
    fn next(&self, mut count: Count, now: Timestamp) -> (Count, bool) {
        let at = now.as_microsecond();
        if at < count.locked_until {
            return (count, false); // A lock does not grow while it lasts: nobody is kept out for ever.
        }
        if at.saturating_sub(count.last) > micros(self.lock_max) {
            count = Count::default();
        }
        count.failed = count.failed.saturating_add(1);
        count.last = at;
        if let Some(over) = count.failed.checked_sub(self.max) {
            let doubled = self.lock.saturating_mul(1_u32.checked_shl(over).unwrap_or(u32::MAX));
            count.locked_until = at.saturating_add(micros(doubled.min(self.lock_max)));
        }
        (count, true)
    }
}

fn micros(duration: Duration) -> i64 {
    let signed = SignedDuration::try_from(duration).map(|signed| signed.as_micros());
    signed.ok().and_then(|micros| i64::try_from(micros).ok()).unwrap_or(i64::MAX)
}

/// Where the attempts on a name are counted. Names nobody has share a few counters, so that guessing
/// names does not fill the vault and costs the same work.
pub(crate) fn counter(secret: &[u8], username: &str, known: bool) -> String {
    let digest = Hmac::<Sha256>::new_from_slice(secret).map(|mut mac| {
        mac.update(username.as_bytes());
        <[u8; 32]>::from(mac.finalize().into_bytes())
    });
    let [first, second, ..] = digest.unwrap_or_default();
    let bucket = u16::from_be_bytes([first, second]) % STRANGERS;
    if known { format!("attempts/{username}") } else { format!("attempts/~{bucket}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_store::memory::MemoryVault;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_500_000_000 + seconds).unwrap()
    }

    #[tokio::test]
    async fn the_lock_comes_grows_and_passes() {
        let (vault, attempts) = (MemoryVault::new(), Attempts::new(&Settings::default()));
        let mut open = Vec::new();
        for second in [0, 1, 2, 3, 4, 5, 33, 34, 35, 36, 94, 95] {
            open.push(attempts.count(&vault, "attempts/ana", at(second)).await.unwrap());
        }
        // Five are looked at, then locked for 30 s, one more, then for 60 s, one more.
        let expected =
            [true, true, true, true, true, false, false, true, false, false, true, false];
        assert_eq!(open, expected);
        attempts.clear(&vault, "attempts/ana").await.unwrap();
        assert!(attempts.count(&vault, "attempts/ana", at(96)).await.unwrap());
    }

    #[tokio::test]
    async fn of_two_hundred_at_once_only_so_many_are_looked_at() {
        let (vault, attempts) = (MemoryVault::new(), Attempts::new(&Settings::default()));
        let all = (0..200).map(|_| attempts.count(&vault, "attempts/ana", at(0)));
        let open = futures_util::future::join_all(all).await;
        assert_eq!(open.into_iter().filter(|open| *open.as_ref().unwrap()).count(), 5);
    }
}
