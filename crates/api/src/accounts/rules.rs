//! What a password must be: long, not easily guessed, without the name it belongs to.

use zxcvbn::{Score, zxcvbn};

/// The fewest characters of a password, in Unicode scalars.
const CHARS_MIN: usize = 12;
/// The most characters of a password; none is ever cut off.
pub(crate) const CHARS_MAX: usize = 128;
/// The shortest user name that must not stand in a password.
const NAME_CHARS_MIN: usize = 3;

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Fewer than 12 characters.
    #[error("a password has at least 12 characters")]
    TooShort,
    /// More than 128 characters.
    #[error("a password has at most 128 characters")]
    TooLong,
    /// It holds the user's name.
    #[error("a password does not contain the user name")]
    HoldsName,
    /// It would be guessed soon.
    #[error("this password is easily guessed; use more words")]
    Guessable,
}

impl Weak {
    /// Stable reason.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::HoldsName => "password_contains_username",
            Self::Guessable => "password_guessable",
        }
    }
}

/// Checks a password. Costs some milliseconds: not for an async thread.
pub(super) fn check(password: &str, username: &str) -> Result<(), Weak> {
    let chars = password.chars().count();
    if chars < CHARS_MIN {
        return Err(Weak::TooShort);
    }
    if chars > CHARS_MAX {
        return Err(Weak::TooLong);
    }
    let long_name = username.chars().count() >= NAME_CHARS_MIN;
    if long_name && password.to_lowercase().contains(&username.to_lowercase()) {
        return Err(Weak::HoldsName);
    }
    if zxcvbn(password, &[username, "assay"]).score() < Score::Three {
        return Err(Weak::Guessable);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_says_its_reason() {
        for (password, expected) in [
            ("kurz", Err(Weak::TooShort)),
            ("passwordpassword", Err(Weak::Guessable)),
            ("123456789012", Err(Weak::Guessable)),
            ("of ana und ihre Ziegen", Err(Weak::HoldsName)),
            ("seven goats on a tin roof", Ok(())),
            ("пять козлят на жестяной крыше", Ok(())),
        ] {
            assert_eq!(check(password, "ana"), expected, "{password}");
        }
        assert_eq!(check(&"x".repeat(129), "ana"), Err(Weak::TooLong));
        let emoji: String = "🐐🧿🪕🦚🛖🧵🪁🦔🫖🧭🪺🦦".chars().cycle().take(128).collect();
        assert_ne!(check(&emoji, "ana"), Err(Weak::TooLong), "128 characters of 4 bytes");
    }
}
