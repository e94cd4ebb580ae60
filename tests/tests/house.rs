//! The house keeps its own plan: arrows between crates, a sentence at every file's head, sizes, and what must never be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Who may use whom inside the house.
const ARROWS: &[(&str, &[&str])] = &[
    ("assay-domain", &[]),
    ("assay-ledger", &[]),
    ("assay-store", &["assay-ledger"]),
    ("assay-store-sqlite", &["assay-ledger", "assay-store"]),
    ("assay-store-postgres", &["assay-store"]),
    ("assay-store-kurrentdb", &["assay-store"]),
    ("assay-nodes", &["assay-ledger", "assay-store"]),
    ("assay-testing-postgres", &[]),
    ("assay-testing-kurrentdb", &[]),
    ("assay-commands", &["assay-domain", "assay-store"]),
    ("assay-views", &["assay-domain", "assay-store"]),
    ("assay-exchange", &["assay-domain", "assay-views"]),
    ("assay-timestamp", &[]),
    ("assay-notary", &["assay-ledger", "assay-store", "assay-timestamp"]),
    ("assay-bundle", &["assay-ledger", "assay-store", "assay-timestamp"]),
    (
        "assay-api",
        &[
            "assay-bundle",
            "assay-commands",
            "assay-domain",
            "assay-exchange",
            "assay-ledger",
            "assay-notary",
            "assay-store",
            "assay-views",
        ],
    ),
];

/// The most lines a file may have without its tests.
const LINES_MAX: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

fn all_sources() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    sources(&root().join("crates"), &mut found)?;
    sources(&root().join("tests"), &mut found)?;
    found.retain(|path| !path.components().any(|part| part.as_os_str() == "target"));
    Ok(found)
}

fn shown_of(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// A file without its tests at the foot.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text)
}

#[test]
fn arrows_point_down_only() -> Result<()> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata.get("packages").and_then(Value::as_array).context("packages")?;
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let name = package.get("name").and_then(Value::as_str).context("a name")?;
        let dependencies =
            package.get("dependencies").and_then(Value::as_array).context("dependencies")?;
        let ours = dependencies.iter().filter(|one| one.get("kind").is_none_or(Value::is_null));
        let ours = ours.filter_map(|one| one.get("name").and_then(Value::as_str));
        let ours = ours.filter(|name| name.starts_with("assay-")).map(str::to_owned);
        uses.insert(name.to_owned(), ours.collect());
    }
    for (name, may) in ARROWS {
        let seen = uses.get(*name).with_context(|| format!("{name} is in the workspace"))?;
        let beyond: Vec<_> = seen.iter().filter(|one| !may.contains(&one.as_str())).collect();
        assert!(beyond.is_empty(), "{name} must not see {beyond:?}");
    }
    Ok(())
}

#[test]
fn every_file_starts_with_a_sentence_and_stays_small() -> Result<()> {
    for path in all_sources()? {
        let text = fs::read_to_string(&path)?;
        assert!(text.starts_with("//! "), "{} has no sentence at its head", path.display());
        let lines = without_tests(&text).lines().count();
        assert!(
            for_tests(&shown_of(&path)) || lines <= LINES_MAX,
            "{} has {lines} lines, at most {LINES_MAX}",
            path.display()
        );
    }
    Ok(())
}

/// Words that may stand only in certain files, and why. Tests may say all but the last three.
const ONLY_IN: &[(&str, &[&str], &str)] = &[
    (
        "StatusCode::",
        &["crates/api/src/problem.rs", "crates/api/src/write.rs", "crates/api/src/reads/answer.rs"],
        "errors get their status in one file; successes where they are answered",
    ),
    (
        "log.append(",
        &[
            "crates/commands/src/execute.rs",
            "crates/store/src/",
            "crates/store-sqlite/",
            "crates/store-postgres/",
            "crates/store-kurrentdb/",
            "crates/nodes/",
        ],
        "facts are made in one place; whole logs are copied in order by `append_in_order`",
    ),
    (
        "append_in_order(",
        &[
            "crates/store/src/",
            "crates/store-sqlite/",
            "crates/store-postgres/",
            "crates/store-kurrentdb/",
            "crates/nodes/",
            "crates/assay/src/moving/",
            "crates/assay/src/moving.rs",
        ],
        "only `assay log copy` writes facts that were made before",
    ),
    ("Timestamp::now()", &["crates/assay/src/clock.rs"], "there is one real clock"),
    ("UPDATE entries", &[], "no entry of the journal is changed"),
    ("DELETE FROM entries", &[], "no entry of the journal is taken out"),
    ("todo!(", &["tests/tests/house.rs"], "nothing is left undone"),
    ("unimplemented!(", &["tests/tests/house.rs"], "nothing is left undone"),
    ("#[ignore", &["tests/tests/house.rs"], "no test is skipped"),
];

/// Whether a file holds nothing but tests, or what tests stand on.
fn for_tests(shown: &str) -> bool {
    let folders = shown.starts_with("tests/") || shown.contains("/tests/");
    folders
        || ["/tests.rs", "/testing.rs", "/world.rs", "/laws.rs"]
            .iter()
            .any(|end| shown.ends_with(end))
}

/// The words a file says that are not its to say.
fn offences(shown: &str, text: &str) -> Vec<String> {
    let code = without_tests(text).lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: Vec<&str> = code.collect();
    let unfinished = |word: &str| ["todo!(", "unimplemented!(", "#[ignore"].contains(&word);
    let theirs = |(word, homes, _): &&(&str, &[&str], &str)| {
        let at_home = homes.iter().any(|home| shown.starts_with(home));
        !at_home && (unfinished(word) || !for_tests(shown))
    };
    let said = ONLY_IN
        .iter()
        .filter(theirs)
        .filter(|(word, ..)| code.iter().any(|line| line.contains(word)));
    said.map(|(word, _, why)| format!("{shown} says `{word}`: {why}")).collect()
}

#[test]
fn what_must_never_be_is_not() -> Result<()> {
    let mut found = Vec::new();
    for path in all_sources()? {
        found.extend(offences(&shown_of(&path), &fs::read_to_string(&path)?));
    }
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

#[test]
fn the_check_of_what_must_never_be_bites() {
    for (word, ..) in ONLY_IN {
        let planted = format!("//! A room.\nfn here() {{ {word}); }}\n");
        assert_eq!(offences("crates/api/src/cases.rs", &planted).len(), 1, "{word} went unseen");
    }
    assert!(offences("crates/api/src/problem.rs", "StatusCode::CONFLICT").is_empty());
    assert!(
        offences("crates/api/src/cases.rs", "// StatusCode::CONFLICT is said elsewhere").is_empty()
    );
}

#[test]
fn the_domain_knows_no_clock_chance_disk_or_network() -> Result<()> {
    let manifest = fs::read_to_string(root().join("crates/domain/Cargo.toml"))?;
    for word in ["tokio", "rand", "reqwest", "rusqlite", "actix", "tracing", "futures"] {
        assert!(!manifest.contains(word), "the domain uses {word}");
    }
    Ok(())
}
