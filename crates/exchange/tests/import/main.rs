//! Files in, items out: every format, its slips with their lines, and the samples whole.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod made_up;
mod ndjson;
mod table;
mod ucdp;

use std::io::Cursor;

use assay_exchange::{Format, Item, LineError, Numbered, read};

fn all(format: Format, text: impl Into<Vec<u8>>) -> Vec<Result<Numbered, LineError>> {
    read(format, Cursor::new(text.into())).collect()
}

/// The slips of a file: line, code, pointer.
fn slips(format: Format, text: impl Into<Vec<u8>>) -> Vec<(u64, String, String)> {
    let slip = |error: LineError| {
        assert!(!error.detail.is_empty(), "{error:?}");
        (error.line, error.code.into_owned(), error.pointer.unwrap_or_default())
    };
    all(format, text).into_iter().filter_map(|read| read.err().map(slip)).collect()
}

fn slip(line: u64, code: &str, pointer: &str) -> (u64, String, String) {
    (line, code.to_owned(), pointer.to_owned())
}

fn items(format: Format, text: impl Into<Vec<u8>>) -> Vec<Item> {
    let item = |read: Result<Numbered, LineError>| read.map(|numbered| numbered.item);
    all(format, text).into_iter().map(|read| item(read).unwrap()).collect()
}

fn sample(name: &str) -> String {
    let path = format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}
