//! Access tokens: short EdDSA JWTs (RFC 9068), checked strictly and remembered until they expire.

use std::sync::{Mutex, PoisonError};

use assay_domain::id::UserId;
use assay_store::recent::Recent;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::settings::{ACCESS_TOKEN_S_MAX, Settings};

/// The `typ` of an access token (RFC 9068 §2.1).
const TYP: &str = "at+jwt";
/// How far clocks may differ, in seconds.
const LEEWAY_S: i64 = 5;
/// The longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 2048;
/// How many verified tokens are remembered.
const REMEMBERED_MAX: usize = 20_000;

/// Why the keys of the tokens are no good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is no key.
    #[error("no signing key is given")]
    NoKey,
    /// A key that cannot be read.
    #[error("a signing key is not an Ed25519 key in PKCS#8 PEM")]
    BadKey,
    /// Signing failed.
    #[error("a token could not be signed")]
    Unsigned,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: Uuid,
    sid: Uuid,
}

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) user: UserId,
    pub(crate) session: Uuid,
    expires_at: i64,
}

/// One key of the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct PublicKey {
    /// Always `OKP`.
    kty: &'static str,
    /// Always `Ed25519`.
    crv: &'static str,
    /// Always `EdDSA`.
    alg: &'static str,
    /// Always `sig`.
    #[serde(rename = "use")]
    purpose: &'static str,
    /// Its name, the RFC 7638 thumbprint.
    kid: String,
    /// The public key, base64url.
    x: String,
}

/// The public keys that verify our tokens (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct KeySet {
    /// The keys, the signing one first.
    keys: Vec<PublicKey>,
}

/// Signs and verifies access tokens.
pub(crate) struct Tokens {
    signing: EncodingKey,
    verifying: Vec<(String, DecodingKey)>,
    set: KeySet,
    validation: Validation,
    issuer: String,
    lifetime_s: i64,
    remembered: Mutex<Recent<[u8; 32], Verified>>,
}

impl Tokens {
    /// With keys in PKCS#8 PEM: the first one signs, all of them verify.
    pub(crate) fn new(keys: &[SecretString], settings: &Settings) -> Result<Self, TokenError> {
        let first = keys.first().ok_or(TokenError::NoKey)?.expose_secret().as_bytes();
        let signing = EncodingKey::from_ed_pem(first).map_err(|_| TokenError::BadKey)?;
        let mut verifying = Vec::new();
        let mut set = KeySet { keys: Vec::new() };
        for key in keys {
            let key = SigningKey::from_pkcs8_pem(key.expose_secret());
            let public = key.map_err(|_| TokenError::BadKey)?.verifying_key();
            let public = public_key(&B64.encode(public.as_bytes()));
            let decoding = DecodingKey::from_ed_components(&public.x);
            verifying.push((public.kid.clone(), decoding.map_err(|_| TokenError::BadKey)?));
            set.keys.push(public);
        }
        let issuer = settings.issuer.clone();
        let lifetime_s = i64::try_from(settings.access_token.as_secs()).unwrap_or(1);
        let remembered = Mutex::new(Recent::new(REMEMBERED_MAX));
        let validation = validation(&issuer);
        Ok(Self { signing, verifying, set, validation, issuer, lifetime_s, remembered })
    }

    /// The public keys.
    pub(crate) fn key_set(&self) -> &KeySet {
        &self.set
    }

    /// How long a token lives, in seconds.
    pub(crate) fn lifetime_s(&self) -> i64 {
        self.lifetime_s
    }

    /// A token for a session.
    pub(crate) fn sign(
        &self,
        user: UserId,
        session: Uuid,
        jti: Uuid,
        now: Timestamp,
    ) -> Result<String, TokenError> {
        let iat = now.as_second();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            sub: user.0,
            exp: iat.saturating_add(self.lifetime_s),
            nbf: iat,
            iat,
            jti,
            sid: session,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYP.to_owned());
        header.kid = self.set.keys.first().map(|key| key.kid.clone());
        jsonwebtoken::encode(&header, &claims, &self.signing).map_err(|_| TokenError::Unsigned)
    }

    /// Whose token this is, if it is one of ours and good now.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Option<Verified> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let name: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = self.remembered().get(&name).copied();
        let verified = known.map_or_else(|| self.check(token, now), Some)?;
        if now.as_second() >= verified.expires_at.saturating_add(LEEWAY_S) {
            return None;
        }
        if known.is_none() {
            self.remembered().put(name, verified);
        }
        Some(verified)
    }

    fn check(&self, token: &str, now: Timestamp) -> Option<Verified> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let plain = header.jwk.is_none()
            && header.jku.is_none()
            && header.x5u.is_none()
            && header.x5c.is_none()
            && header.crit.is_none();
        if !plain || header.typ.as_deref() != Some(TYP) || header.alg != Algorithm::EdDSA {
            return None;
        }
        let kid = header.kid?;
        let (_, key) = self.verifying.iter().find(|(known, _)| *known == kid)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok()?.claims;
        timely(&claims, now.as_second()).then_some(Verified {
            user: UserId(claims.sub),
            session: claims.sid,
            expires_at: claims.exp,
        })
    }

    // A panic of another thread between two puts leaves a map that is still right.
    fn remembered(&self) -> std::sync::MutexGuard<'_, Recent<[u8; 32], Verified>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything but time, which is checked against the house's clock.
fn validation(issuer: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[issuer]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation
}

fn timely(claims: &Claims, now: i64) -> bool {
    let lifetime = claims.exp.saturating_sub(claims.iat);
    let longest = i64::try_from(ACCESS_TOKEN_S_MAX).unwrap_or(0);
    now < claims.exp.saturating_add(LEEWAY_S)
        && claims.nbf <= now.saturating_add(LEEWAY_S)
        && claims.iat <= now.saturating_add(LEEWAY_S)
        && (0..=longest).contains(&lifetime)
}

fn public_key(x: &str) -> PublicKey {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    let kid = B64.encode(Sha256::digest(canonical.as_bytes()));
    PublicKey { kty: "OKP", crv: "Ed25519", alg: "EdDSA", purpose: "sig", kid, x: x.to_owned() }
}
