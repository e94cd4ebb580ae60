//! Credentials: they live in the vault alone, and the console and the API make them in the same way.

pub(crate) mod attempts;
mod hashing;
pub(crate) mod rules;

use assay_domain::id::UserId;
use assay_domain::text::Label;
use assay_store::vault::{Vault, VaultError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

pub(crate) use attempts::Attempts;
pub use hashing::{Hashing, HashingError};
pub use rules::Weak;

/// Why a credential cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The password breaks a rule.
    #[error(transparent)]
    Weak(#[from] Weak),
    /// It cannot be hashed now.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// A one-time code as it is kept.
#[derive(Serialize, Deserialize)]
struct Code {
    sha256: [u8; 32],
    /// In microseconds since 1970.
    expires_at: i64,
}

/// Reserves a name to log in with; answers whose it is, which may be somebody else's already.
pub async fn reserve_username(
    vault: &dyn Vault,
    username: &Label,
    user: UserId,
) -> Result<UserId, VaultError> {
    let name = login_name(username);
    match vault.put_secret(&name, None, user.0.as_bytes().to_vec()).await {
        Ok(_) => Ok(user),
        Err(VaultError::Conflict { .. }) => {
            let holder = user_of(vault, username).await?;
            holder.ok_or_else(|| VaultError::Unavailable("the name was just given up".to_owned()))
        }
        Err(error) => Err(error),
    }
}

/// Gives a reserved name up again, where no account came of it.
pub async fn release_username(vault: &dyn Vault, username: &Label) -> Result<(), VaultError> {
    vault.drop_secret(&login_name(username)).await
}

/// Whose name this is.
pub async fn user_of(vault: &dyn Vault, username: &Label) -> Result<Option<UserId>, VaultError> {
    let secret = vault.secret(&login_name(username)).await?;
    let id = secret.map(|secret| Uuid::from_slice(&secret.bytes));
    let id = id.transpose().map_err(|_| VaultError::Corrupt("login/".to_owned()))?;
    Ok(id.map(UserId))
}

/// Sets a password that keeps the rules: 12–128 characters, not easily guessed, without the user's name.
pub async fn set_password(
    vault: &dyn Vault,
    hashing: &Hashing,
    user: UserId,
    username: &Label,
    password: String,
) -> Result<(), AccountError> {
    let phc = hashing.new_hash(password, username.as_str().to_owned()).await??;
    put(vault, &password_name(user), phc.into_bytes()).await?;
    Ok(())
}

/// The stored hash of a user's password.
pub(crate) async fn password_hash(
    vault: &dyn Vault,
    user: UserId,
) -> Result<Option<String>, VaultError> {
    let secret = vault.secret(&password_name(user)).await?;
    Ok(secret.and_then(|secret| String::from_utf8(secret.bytes).ok()))
}

/// Replaces a hash by a stronger one of the same password.
pub(crate) async fn put_hash(
    vault: &dyn Vault,
    user: UserId,
    phc: String,
) -> Result<(), VaultError> {
    put(vault, &password_name(user), phc.into_bytes()).await
}

/// Makes a code with which a user sets a password, once; an earlier code is worth nothing any more.
pub async fn make_code(
    vault: &dyn Vault,
    user: UserId,
    expires_at: Timestamp,
) -> Result<String, VaultError> {
    let secret: [u8; 32] = rand::random();
    let text = B64.encode(secret);
    let code = Code {
        sha256: Sha256::digest(text.as_bytes()).into(),
        expires_at: expires_at.as_microsecond(),
    };
    let bytes = serde_json::to_vec(&code).map_err(|e| VaultError::Corrupt(e.to_string()))?;
    put(vault, &code_name(user), bytes).await?;
    Ok(text)
}

/// Whether this is the user's code and still good; it is used up by asking with the right one.
pub(crate) async fn use_code(
    vault: &dyn Vault,
    user: UserId,
    text: &str,
    now: Timestamp,
) -> Result<bool, VaultError> {
    let name = code_name(user);
    let Some(secret) = vault.secret(&name).await? else { return Ok(false) };
    let Ok(code) = serde_json::from_slice::<Code>(&secret.bytes) else { return Ok(false) };
    let given: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let same = bool::from(given.ct_eq(&code.sha256));
    if !same || now.as_microsecond() >= code.expires_at {
        return Ok(false);
    }
    // Of two who give it at once, one writes first; the other finds another version.
    match vault.put_secret(&name, Some(secret.version), b"used".to_vec()).await {
        Ok(_) => Ok(true),
        Err(VaultError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes a secret whatever its version is.
async fn put(vault: &dyn Vault, name: &str, bytes: Vec<u8>) -> Result<(), VaultError> {
    let mut version = vault.secret(name).await?.map(|secret| secret.version);
    loop {
        match vault.put_secret(name, version, bytes.clone()).await {
            Ok(_) => return Ok(()),
            Err(VaultError::Conflict { current }) if current != version => version = current,
            Err(error) => return Err(error),
        }
    }
}

fn login_name(username: &Label) -> String {
    format!("login/{}", username.as_str())
}

fn password_name(user: UserId) -> String {
    format!("password/{user}")
}

fn code_name(user: UserId) -> String {
    format!("code/{user}")
}
