//! A data directory to measure in: the demo, twenty thousand generated reports, one analyst, some claims.

use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::machine::resident_bytes;
use super::process::{Finished, Process, finish};
use super::wire::{Connection, request};
use crate::{Answer, Client};

/// A pass phrase no list has.
const PASSWORD: &str = "nine-kettles under patient rain 63";
pub(super) const USERNAME: &str = "bench";
/// How many claims there are to read.
const CLAIMS: usize = 32;
/// How many sessions the one analyst has, each with a token of its own.
const SESSIONS: usize = 8;
/// What one account may ask is lifted: the whole load comes from one. The limiter itself stays on.
const SETTINGS: &str = "[limits]\nrequests_per_second = 1000000\nlogins_per_minute = 600\n";

/// A folder, the binary, and where its data lies.
#[derive(Clone, Debug)]
pub struct Place {
    assay: PathBuf,
    folder: PathBuf,
}

/// What there is to ask for.
#[derive(Clone, Debug)]
pub struct House {
    /// The case everything is in.
    pub case: String,
    /// Paths of claims, as they are now.
    pub claims: Vec<String>,
    /// The same, as of a moment before each one's last change.
    pub claims_then: Vec<String>,
}

/// A running server and the tokens of its analyst.
#[derive(Debug)]
pub struct Serving {
    /// The server.
    pub process: Process,
    /// Tokens, one a session.
    pub tokens: Vec<String>,
    /// From the start of the process to its first answer.
    pub first_answer_after: Duration,
    /// Resident memory then, before anybody logged in.
    pub idle_bytes: u64,
}

impl Place {
    /// Names a folder and the binary.
    pub fn new(assay: &Path, folder: &Path) -> Self {
        Self { assay: assay.to_owned(), folder: folder.to_owned() }
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Runs a subcommand on the data directory; it must end well.
    pub async fn run(&self, arguments: &[&str]) -> Result<Finished> {
        let done = self.try_run(arguments).await?;
        done.well(&format!("assay {}", arguments.join(" ")))
    }

    /// Runs a subcommand on the data directory, however it ends.
    pub async fn try_run(&self, arguments: &[&str]) -> Result<Finished> {
        let data = self.data();
        let mut all = arguments.to_vec();
        all.extend(["--data-dir", data.to_str().context("a path in UTF-8")?]);
        finish(&self.assay, &all, &self.folder).await
    }

    /// The demo's case and an analyst of our own.
    pub async fn furnish(&self) -> Result<()> {
        self.run(&["demo"]).await?;
        let password = self.folder.join("password");
        private(&password, PASSWORD)?;
        private(&self.folder.join("settings.toml"), SETTINGS)?;
        let password = password.to_str().context("a path in UTF-8")?;
        let add = ["user", "add", USERNAME, "--role", "analyst", "--password-file", password];
        self.run(&add).await?;
        Ok(())
    }

    /// Starts the server and logs the analyst in.
    pub async fn serve(&self) -> Result<Serving> {
        let (data, settings) = (self.data(), self.folder.join("settings.toml"));
        let arguments = [
            "serve",
            "--data-dir",
            data.to_str().context("a path in UTF-8")?,
            "--config",
            settings.to_str().context("a path in UTF-8")?,
            "--listen",
            "127.0.0.1:0",
            "--ops-listen",
            "127.0.0.1:0",
        ];
        let log = self.folder.join("serve.log");
        let started = Instant::now();
        let process = Process::start(&self.assay, &arguments, &log).await?;
        let mut connection = Connection::open(process.address).await?;
        let head = connection.ask(&request("/api/v1/cases", None, "", None)).await?;
        ensure!(head.status == 401, "a stranger was answered {}", head.status);
        let first_answer_after = started.elapsed();
        let idle_bytes = resident_bytes(process.id)?;
        let mut tokens = Vec::with_capacity(SESSIONS);
        for _ in 0..SESSIONS {
            let client = Client::login(&process.url, USERNAME, PASSWORD).await?;
            tokens.push(client.token().context("a token")?.to_owned());
        }
        Ok(Serving { process, tokens, first_answer_after, idle_bytes })
    }

    /// Opens a case with claims in it, through a server that is stopped again.
    pub async fn open_case(&self) -> Result<House> {
        let serving = self.serve().await?;
        let client = Client::login(&serving.process.url, USERNAME, PASSWORD).await?;
        let body = json!({"title": "Measured", "mandate": "How fast it is."});
        let case = client.post("/cases", &body).await?.expect(201)?.text_at("/id")?;
        let mut house = House { case, claims: Vec::new(), claims_then: Vec::new() };
        for number in 0..CLAIMS {
            add_claim(&client, &mut house, number).await?;
        }
        serving.process.stop().await?;
        Ok(house)
    }

    /// Generates reports and imports them into a case; answers how the import went.
    pub async fn import(&self, reports: u64, case: &str) -> Result<Finished> {
        let file = self.folder.join("reports.ndjson");
        let file = file.to_str().context("a path in UTF-8")?;
        finish(&self.assay, &["import", "--generate", &reports.to_string(), file], &self.folder)
            .await?
            .well("assay import --generate")?;
        self.run(&["import", file, "--case", case, "--as", USERNAME]).await
    }

    /// A word in Latin letters of the first reports that were generated.
    pub fn common_word(&self) -> Result<String> {
        let text = fs::read_to_string(self.folder.join("reports.ndjson"))?;
        let texts = text.lines().take(50).filter_map(|line| {
            let value: Value = serde_json::from_str(line).ok()?;
            Some(value.pointer("/report/text")?.as_str()?.to_owned())
        });
        let texts: Vec<String> = texts.collect();
        let plain = |word: &&str| word.len() >= 6 && word.bytes().all(|b| b.is_ascii_lowercase());
        let words = texts.iter().flat_map(|text| text.split_whitespace()).filter(plain);
        Ok(words.max_by_key(|word| word.len()).context("a Latin word")?.to_owned())
    }
}

/// A claim with one assertion, read once, and then changed once more.
async fn add_claim(client: &Client, house: &mut House, number: usize) -> Result<()> {
    let words = format!("Rebels took {number} villages");
    let text = format!("{words} on Thursday, a spokesman said. The army denied it.\n");
    let path = format!("/cases/{}/reports", house.case);
    let body = json!({"kind": "news", "text": text});
    let report = client.post(&path, &body).await?.expect(201)?.text_at("/id")?;
    let body = json!({"kind": "event", "gist": words, "polarity": "affirmed"});
    let path = format!("/cases/{}/claims", house.case);
    let claim = client.post(&path, &body).await?.expect(201)?.text_at("/id")?;
    let body = json!({
        "report": report,
        "chain": [{"holder": {"is": "narrator"}, "act": "asserts", "directness": "narration"}],
        "stance": "asserts",
        "hedge": {"level": "flat"},
        "polarity": "affirmed",
        "quotes": [{"exact": words}],
    });
    client.post(&format!("/claims/{claim}/assertions"), &body).await?.expect(201)?;
    let seen: Answer = client.get(&format!("/claims/{claim}")).await?.expect(200)?;
    let then = seen.number_at("/as_of/position")?;
    let review = json!({"priority": 1});
    client.post(&format!("/claims/{claim}/review"), &review).await?.expect(200)?;
    house.claims.push(format!("/api/v1/claims/{claim}"));
    house.claims_then.push(format!("/api/v1/claims/{claim}?as_of={then}"));
    Ok(())
}

fn private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(())
}
