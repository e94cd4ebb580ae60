//! Hashing passwords: argon2id, few at once, with a short queue before it.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::rules::{self, Weak};
use crate::settings::Settings;

/// Why nothing was hashed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    /// Too many are waiting already.
    #[error("too many passwords are being checked")]
    Busy,
    /// The cipher or the machine refused.
    #[error("hashing failed: {0}")]
    Failed(String),
}

/// Hashes and checks passwords, as many at once as the machine bears.
#[derive(Clone, Debug)]
pub struct Hashing {
    argon2: Argon2<'static>,
    /// One for each that runs.
    running: Arc<Semaphore>,
    /// One for each that runs or waits.
    admitted: Arc<Semaphore>,
    /// The hash of a password nobody knows: checking it costs what checking a real one costs.
    dummy: Arc<str>,
}

/// A place in the queue; who has none is sent away before anything is counted.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held until dropped")] OwnedSemaphorePermit);

/// What checking a password tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Whether it is the one.
    pub(crate) right: bool,
    /// Its hash with today's parameters, where it was right and they rose.
    pub(crate) rehashed: Option<String>,
}

impl Hashing {
    /// With an operator's parameters; makes one hash, so it takes a moment.
    pub fn new(settings: &Settings) -> Result<Self, HashingError> {
        let Settings { argon2_memory_kib, argon2_passes, argon2_lanes, .. } = settings;
        let params = Params::new(*argon2_memory_kib, *argon2_passes, *argon2_lanes, None);
        let params = params.map_err(|error| HashingError::Failed(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let unknown: [u8; 32] = rand::random();
        let dummy = hash(&argon2, &unknown)?.into();
        let running = settings.hashing_at_once;
        let admitted = running.saturating_add(settings.hashing_queue_max);
        Ok(Self {
            argon2,
            running: Arc::new(Semaphore::new(running)),
            admitted: Arc::new(Semaphore::new(admitted)),
            dummy,
        })
    }

    /// A place in the queue, if there is one.
    pub(crate) fn turn(&self) -> Result<Turn, HashingError> {
        let permit = Arc::clone(&self.admitted).try_acquire_owned();
        permit.map(Turn).map_err(|_| HashingError::Busy)
    }

    /// Checks a password against a hash; without a hash it does the same work and says no.
    pub(crate) async fn check(
        &self,
        _turn: &Turn,
        password: SecretString,
        phc: Option<String>,
    ) -> Result<Checked, HashingError> {
        let (argon2, dummy) = (self.argon2.clone(), Arc::clone(&self.dummy));
        self.run(move || {
            let stored = phc.as_deref().unwrap_or(&dummy);
            let password = password.expose_secret().as_bytes();
            let fits = PasswordHash::new(stored)
                .is_ok_and(|stored| argon2.verify_password(password, &stored).is_ok());
            let right = fits && phc.is_some();
            let rehashed = (right && weaker(stored, &argon2)).then(|| hash(&argon2, password));
            Ok(Checked { right, rehashed: rehashed.transpose()? })
        })
        .await
    }

    /// Checks the rules and hashes a new password.
    pub(crate) async fn new_hash(
        &self,
        password: String,
        username: String,
    ) -> Result<Result<String, Weak>, HashingError> {
        let _turn = self.turn()?;
        let argon2 = self.argon2.clone();
        let password = SecretString::from(password);
        self.run(move || {
            let password = password.expose_secret();
            if let Err(weak) = rules::check(password, &username) {
                return Ok(Err(weak));
            }
            hash(&argon2, password.as_bytes()).map(Ok)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashingError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let permit = Arc::clone(&self.running).acquire_owned().await;
        let permit = permit.map_err(|error| HashingError::Failed(error.to_string()))?;
        // The permit goes along: a caller who hangs up does not let another one in beside the work.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        done.await.map_err(|error| HashingError::Failed(error.to_string()))?
    }
}

fn hash(argon2: &Argon2<'_>, password: &[u8]) -> Result<String, HashingError> {
    let hash = argon2.hash_password(password);
    hash.map(|hash| hash.to_string()).map_err(|error| HashingError::Failed(error.to_string()))
}

/// Whether a hash was made with less than today's parameters.
fn weaker(stored: &str, argon2: &Argon2<'_>) -> bool {
    let today = argon2.params();
    let params = PasswordHash::new(stored).ok().and_then(|hash| Params::try_from(&hash).ok());
    params.is_none_or(|then| {
        then.m_cost() < today.m_cost()
            || then.t_cost() < today.t_cost()
            || then.p_cost() < today.p_cost()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(passes: u32) -> Settings {
        Settings {
            argon2_passes: passes,
            hashing_queue_max: 0,
            hashing_at_once: 1,
            ..Settings::default()
        }
    }

    #[tokio::test]
    async fn a_password_checks_and_is_hashed_again_when_the_parameters_rise() {
        let password = "seven goats on a tin roof";
        let old = Hashing::new(&settings(2)).unwrap();
        let phc = old.new_hash(password.to_owned(), "ana".to_owned()).await.unwrap().unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        let new = Hashing::new(&settings(3)).unwrap();
        let turn = new.turn().unwrap();
        let checked =
            new.check(&turn, password.to_owned().into(), Some(phc.clone())).await.unwrap();
        assert!(checked.right && checked.rehashed.is_some_and(|phc| phc.contains("t=3")));
        let wrong = new.check(&turn, "another".to_owned().into(), Some(phc)).await.unwrap();
        assert_eq!(wrong, Checked { right: false, rehashed: None });
        let nobody = new.check(&turn, password.to_owned().into(), None).await.unwrap();
        assert_eq!(nobody, Checked { right: false, rehashed: None });
        assert_eq!(new.turn().map(drop), Err(HashingError::Busy), "one runs, none waits");
    }
}
