//! What needs no server: setting up, people, checking, rebuilding, replaying, importing, settings.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::{assay, code, err, out, run, run_with};

#[test]
fn a_house_is_set_up_once_and_for_its_owner_alone() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("house");
    let first = run(&dir, &["init"]);
    assert_eq!(code(&first), 0, "{}", err(&first));
    let secret = fs::read_to_string(dir.join("bootstrap-secret.txt")).unwrap();
    assert_eq!(secret.trim().len(), 43, "32 bytes in base64url");
    assert!(!out(&first).contains(secret.trim()), "its place is printed, not itself");
    for file in
        ["journal.db", "vault.db", "keys/master.key", "keys/jwt.pem", "bootstrap-secret.txt"]
    {
        let mode = fs::metadata(dir.join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
    let journal = fs::read(dir.join("journal.db")).unwrap();
    let again = run(&dir, &["init", "--username", "other"]);
    assert_eq!(code(&again), 2);
    assert!(err(&again).contains("already initialised"), "{}", err(&again));
    assert_eq!(fs::read(dir.join("journal.db")).unwrap(), journal);
    assert_eq!(fs::read_to_string(dir.join("bootstrap-secret.txt")).unwrap(), secret);

    fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
    let refused = run(&dir, &["check"]);
    assert_eq!(code(&refused), 2);
    assert!(err(&refused).contains("chmod 700"), "{}", err(&refused));
}

#[test]
fn nothing_works_where_no_house_is() {
    let parent = tempfile::tempdir().unwrap();
    for words in
        [&["check"][..], &["serve"], &["rebuild"], &["user", "list"], &["replay", "--as-of", "1"]]
    {
        let refused = run(&parent.path().join("nothing"), words);
        assert_eq!(code(&refused), 2, "{words:?}");
        assert!(err(&refused).contains("assay init"), "{words:?}: {}", err(&refused));
    }
}

#[test]
fn people_are_managed_from_the_console() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("house");
    assert_eq!(code(&run(&dir, &["init"])), 0);
    let added = run(&dir, &["user", "add", "mia", "--role", "analyst", "--name", "Mia"]);
    assert_eq!(code(&added), 0, "{}", err(&added));
    assert!(out(&added).contains("One-time code for mia: "), "{}", out(&added));
    let again = run(&dir, &["user", "add", "mia", "--role", "analyst"]);
    assert_eq!(code(&again), 2);

    let with_password = &["user", "add", "tom", "--role", "reviewer", "--password-file", "-"];
    let weak = run_with(&dir, with_password, "password1234\n");
    assert_eq!(code(&weak), 2, "{}", err(&weak));
    let strong = &["user", "add", "kim", "--role", "reviewer", "--password-file", "-"];
    let strong = run_with(&dir, strong, "seven goats on a tin roof\n");
    assert_eq!(code(&strong), 0, "{}", err(&strong));
    assert!(!out(&strong).contains("goats"), "a password is never printed");

    assert_eq!(code(&run(&dir, &["user", "suspend", "mia", "--reason", "left"])), 0);
    assert_eq!(code(&run(&dir, &["user", "grant", "mia", "admin"])), 2, "roles exclude each other");
    assert_eq!(code(&run(&dir, &["user", "grant", "mia", "king"])), 2);
    assert_eq!(code(&run(&dir, &["user", "code", "nobody"])), 2);
    let listed = out(&run(&dir, &["user", "list"]));
    assert!(listed.contains("mia") && listed.contains("suspended"), "{listed}");
    assert!(listed.contains("kim") && listed.contains("reviewer"), "{listed}");
    assert_eq!(code(&run(&dir, &["check"])), 0);
}

#[test]
fn settings_are_shown_with_their_origin_and_without_secrets() {
    let mut command = assay(&["config"]);
    command.env("ASSAY__AUTH__ACCESS_TOKEN_S", "300").env("ASSAY_MASTER_KEY", "ab".repeat(32));
    let shown = command.output().unwrap();
    assert_eq!(code(&shown), 0);
    assert!(out(&shown).contains("access_token_s = 300  # ASSAY__AUTH__ACCESS_TOKEN_S"));
    assert!(out(&shown).contains("[REDACTED]") && !out(&shown).contains("abab"));
    let unknown = assay(&["config"]).env("ASSAY__AUTH__TOKEN", "1").output().unwrap();
    assert_eq!(code(&unknown), 2);
    assert!(err(&unknown).contains("auth.token"), "{}", err(&unknown));
}

#[test]
fn the_demo_is_checked_rebuilt_replayed_and_damage_is_found() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("demo");
    let made = run(&dir, &["demo"]);
    assert_eq!(code(&made), 0, "{}", err(&made));
    assert!(out(&made).contains("claim_four_eyes"), "{}", out(&made));
    assert!(out(&run(&dir, &["demo"])).contains("nothing was added"));

    let checked = run(&dir, &["check", "--json"]);
    assert_eq!(code(&checked), 0, "{}", out(&checked));
    let said: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(said["holds"], true);
    assert_eq!(said["parts"]["views"]["state"], "right");
    let head = said["entries"].as_u64().unwrap();

    let dump = run(&dir, &["views", "dump", "--canonical"]).stdout;
    fs::remove_file(dir.join("views.db")).unwrap();
    assert_eq!(code(&run(&dir, &["rebuild"])), 0);
    assert_eq!(run(&dir, &["views", "dump", "--canonical"]).stdout, dump, "disposable");
    let compared = run(&dir, &["rebuild", "--compare"]);
    assert_eq!(code(&compared), 0);
    assert!(out(&compared).contains("equals what was there, up to entry"), "{}", out(&compared));

    let early = out(&run(&dir, &["replay", "--as-of", "2018-01-11T20:00:00Z"]));
    assert!(early.contains("Counter-attack") && early.contains(" 0 "), "{early}");
    assert_eq!(code(&run(&dir, &["replay", "--as-of", &(head + 1).to_string()])), 2);
    assert_eq!(code(&run(&dir, &["replay", "--as-of", "yesterday"])), 2);

    let journal = dir.join("journal.db");
    let mut file = OpenOptions::new().read(true).write(true).open(&journal).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    // Everywhere, since pages that were split keep stale copies.
    let mark = b"\"sealed\":\"xc1.";
    let places = bytes.windows(mark.len()).enumerate().filter(|(_, found)| found == mark);
    for (at, _) in places {
        file.seek(SeekFrom::Start(u64::try_from(at + mark.len() + 40).unwrap())).unwrap();
        file.write_all(b"#").unwrap();
    }
    drop(file);
    let damaged = run(&dir, &["check", "--json"]);
    assert_eq!(code(&damaged), 1, "{}", out(&damaged));
    let said: Value = serde_json::from_slice(&damaged.stdout).unwrap();
    assert_eq!((&said["holds"], said["first_bad_position"].is_u64()), (&Value::Bool(false), true));
}

#[test]
fn made_up_reports_are_imported_once() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("demo");
    let made = out(&run(&dir, &["demo"]));
    let case = made.lines().find_map(|line| line.strip_prefix("Case ")).unwrap().to_owned();
    let file = parent.path().join("many.ndjson");
    let path = file.to_str().unwrap();
    assert_eq!(code(&run(&dir, &["import", path, "--generate", "40"])), 0);
    let tried = run(&dir, &["import", path, "--case", &case, "--as", "ana", "--dry-run"]);
    assert!(out(&tried).contains("readable: 40 reports"), "{}{}", out(&tried), err(&tried));
    let words = ["import", path, "--case", &case, "--as", "ana"];
    let first = run(&dir, &words);
    assert!(out(&first).contains("filed: 40 reports"), "{}{}", out(&first), err(&first));
    let again = run(&dir, &words);
    assert!(out(&again).contains("already there: 40 reports"), "{}", out(&again));
    let mut bad = fs::read_to_string(&file).unwrap();
    bad.push_str("{\"report\": 7}\n");
    fs::write(&file, bad).unwrap();
    let refused = run(&dir, &words);
    assert_eq!(code(&refused), 1);
    assert!(err(&refused).contains("line 41"), "{}", err(&refused));
    assert_eq!(code(&run(&dir, &["import", path, "--case", &case, "--as", "ida"])), 2);
    assert_eq!(code(&run(&dir, &["check"])), 0);
}
