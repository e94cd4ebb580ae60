//! Listing secrets by the beginning of their names, in the order of bytes.

use assay_store::vault::VaultError;

use super::rows::value;
use crate::readers::Readers;

const UP_TO: &str = "SELECT name FROM assay.secrets
    WHERE name >= $1 AND name IS DISTINCT FROM $2 AND name < $3 ORDER BY name LIMIT $4";
const TO_THE_END: &str = "SELECT name FROM assay.secrets
    WHERE name >= $1 AND name IS DISTINCT FROM $2 ORDER BY name LIMIT $3";

/// The names of at most `limit` secrets that start with a prefix, after a name.
pub(super) async fn list(
    readers: &Readers,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>, VaultError> {
    if prefix.contains('\0') {
        return Ok(Vec::new());
    }
    // No name has a zero byte in it, so none stands between what is before one and what is after.
    let after = after.map(|after| after.split_once('\0').map_or(after, |(before, _)| before));
    let from = after.map_or(prefix, |after| after.max(prefix));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = match next_prefix(prefix) {
        Some(next) => readers.query(UP_TO, &[&from, &after, &next, &limit]).await,
        None => readers.query(TO_THE_END, &[&from, &after, &limit]).await,
    };
    rows.map_err(|trouble| trouble.for_vault())?.iter().map(|row| value(row, 0)).collect()
}

/// The first text after all that start with a prefix; none where nothing comes after them.
fn next_prefix(prefix: &str) -> Option<String> {
    let mut next = prefix.to_owned();
    while let Some(last) = next.pop() {
        // What stands between these two are no characters.
        let more = if last == '\u{d7ff}' { 0xe000 } else { u32::from(last) + 1 };
        if let Some(more) = char::from_u32(more) {
            next.push(more);
            return Some(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_prefix_comes_after_all_that_start_with_this_one() {
        assert_eq!(next_prefix(""), None);
        assert_eq!(next_prefix("a/").as_deref(), Some("a0"));
        assert_eq!(next_prefix("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(next_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(next_prefix("\u{10ffff}"), None);
    }
}
