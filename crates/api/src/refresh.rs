//! Refresh tokens: opaque, 256 bits of chance, and marked as ours so that nobody ends a session with a made-up one.

use assay_domain::id::UserId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// User, session and chance: 16 + 16 + 32 bytes.
const BODY: usize = 64;
/// The mark after them.
const MARK: usize = 16;

/// A refresh token taken apart.
pub(crate) struct Refresh {
    pub(crate) user: UserId,
    pub(crate) session: Uuid,
    bytes: [u8; BODY],
    mark: [u8; MARK],
}

impl Refresh {
    /// A new one.
    pub(crate) fn new(user: UserId, session: Uuid, secret: &[u8; 32]) -> Self {
        let chance: [u8; 32] = rand::random();
        let mut bytes = [0; BODY];
        let parts = user.0.as_bytes().iter().chain(session.as_bytes()).chain(&chance);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        Self { user, session, bytes, mark: mark(&bytes, secret) }
    }

    /// Takes a token apart, if it is one of ours.
    pub(crate) fn read(text: &str, secret: &[u8; 32]) -> Option<Self> {
        let all = B64.decode(text).ok()?;
        let (bytes, given) = all.split_first_chunk::<BODY>()?;
        let mark = mark(bytes, secret);
        if !bool::from(mark.as_slice().ct_eq(given)) {
            return None;
        }
        let (user, rest) = bytes.split_first_chunk::<16>()?;
        let (session, _) = rest.split_first_chunk::<16>()?;
        let (user, session) = (UserId(Uuid::from_bytes(*user)), Uuid::from_bytes(*session));
        Some(Self { user, session, bytes: *bytes, mark })
    }

    /// As it is handed out.
    pub(crate) fn text(&self) -> String {
        B64.encode([self.bytes.as_slice(), &self.mark].concat())
    }

    /// As it is kept.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.bytes).into()
    }
}

fn mark(bytes: &[u8; BODY], secret: &[u8; 32]) -> [u8; MARK] {
    let digest = Hmac::<Sha256>::new_from_slice(secret).map(|mut mac| {
        mac.update(b"assay refresh token");
        mac.update(bytes);
        <[u8; 32]>::from(mac.finalize().into_bytes())
    });
    // A key of 32 bytes is always taken; an empty mark of a failure would match nothing made here.
    digest.unwrap_or_default().first_chunk::<MARK>().copied().unwrap_or_default()
}
