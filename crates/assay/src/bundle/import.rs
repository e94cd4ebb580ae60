//! Taking a case over: the bundle is verified, its people are told apart, its facts appended as they are.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use assay_bundle::line::{Data, Line};
use assay_bundle::{Bundle, BundleError, open_verified};
use assay_commands::{Actor as Asker, Clock, Foreign, Request, Taken};
use assay_domain::adoption::{BeginAdoption, FinishAdoption, LeadHere, NoteEntries, Origin};
use assay_domain::aggregate::{Aggregate as _, Subject};
use assay_domain::id::{AdoptionId, CaseId, UserId};
use assay_domain::user::{SuspendUser, User};
use assay_domain::value::Digest;
use assay_store::fact::ActorKind;
use assay_store::keyring::sealed_keys;
use assay_store::log::{Direction, LogError};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::people::People;
use crate::accounts::{known, refused};
use crate::cli::BundleImport;
use crate::clock::SystemClock;
use crate::data_dir::private_dir;
use crate::exit::{Exit, usage};
use crate::open::{Opened, open};
use crate::progress::Progress;
use crate::settings::Settings;
use crate::trust::trust;

/// How many facts are appended at once.
const RUN_FACTS_MAX: usize = 100;
/// How many bytes are appended at once.
const RUN_BYTES_MAX: usize = 512 * 1024;

/// A verified bundle, read whole.
struct Taking {
    adoption: AdoptionId,
    case: CaseId,
    origin: String,
    size: u64,
    root: [u8; 32],
    digest: [u8; 32],
    checkpoint: String,
    lines: Vec<Line>,
    people: People,
}

/// Verifies, and takes over what holds.
pub(super) async fn run(settings: &Settings, asked: &BundleImport) -> anyhow::Result<Exit> {
    let trust = trust(&asked.trusted)?;
    let digest = digest_of(&asked.file)?;
    let file = BufReader::new(File::open(&asked.file)?);
    let mut progress = Progress::new("entries verified");
    let opened_bundle = open_verified(file, &trust, |done, all| progress.set(done, all));
    progress.finish();
    let (mut bundle, report) = match opened_bundle {
        Err(BundleError::DoesNotHold(report)) => {
            print!("{report}");
            return Ok(Exit::DoesNotHold);
        }
        other => other.map_err(|error| usage(format!("{}: {error}", asked.file.display())))?,
    };
    print!("{report}");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let opened = open(settings, clock).await?;
    let lines = bundle.entries()?.collect::<Result<Vec<Line>, _>>()?;
    must_be_whole(&bundle, &lines)?;
    must_be_past(&lines, opened.house.now())?;
    let lead = known(&opened, &asked.lead).await?;
    let adoption = Uuid::new_v5(&bundle.manifest().case, &digest);
    let acting = acting(&lines);
    let people = People::of(&opened, acting, &asked.map, adoption).await?;
    let checkpoint = bundle.checkpoint();
    let taking = Taking {
        adoption: adoption.into(),
        case: bundle.manifest().case.into(),
        origin: checkpoint.checkpoint().origin.clone(),
        size: checkpoint.checkpoint().size,
        root: checkpoint.checkpoint().root,
        digest,
        checkpoint: checkpoint.to_text(),
        lines,
        people,
    };
    tell(&taking)?;
    must_be_new(&opened, &taking).await?;
    if asked.dry_run {
        writeln!(std::io::stdout(), "Nothing was taken over (--dry-run).")?;
        return Ok(Exit::Holds);
    }
    keep(&opened, &asked.file, &digest)?;
    opened.keys.adopt(bundle.keys().map(|(id, key)| (id, key.clone())).collect()).await?;
    take(&opened, &taking, lead).await?;
    let root = opened.dir.root().display();
    writeln!(
        std::io::stdout(),
        "The case {} is taken over into {root}; {} leads it.",
        taking.case,
        asked.lead
    )?;
    Ok(Exit::Holds)
}

fn digest_of(path: &Path) -> anyhow::Result<[u8; 32]> {
    let shown = || format!("reading {}", path.display());
    let mut file = File::open(path).with_context(shown).map_err(|e| usage(format!("{e:#}")))?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        let read = file.read(&mut buffer).with_context(shown)?;
        if read == 0 {
            return Ok(hasher.finalize().into());
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

/// A redacted bundle can be verified, and not taken over: nobody could read what was.
fn must_be_whole<R>(bundle: &Bundle<R>, lines: &[Line]) -> anyhow::Result<()>
where
    R: std::io::Read + std::io::Seek,
{
    let keys: BTreeSet<Uuid> = bundle.keys().map(|(id, _)| id).collect();
    for line in lines {
        let readable = match &line.data {
            Data::Withheld(_) => false,
            Data::Full(text) => sealed_keys(text.as_bytes()).iter().all(|id| keys.contains(id)),
        };
        if !readable {
            return Err(usage(format!(
                "the bundle is redacted (entry {} of the other log): it can be verified, and not \
                 taken over",
                line.position
            )));
        }
    }
    Ok(())
}

/// Nothing is taken over that was recorded later than our own clock says it is now.
fn must_be_past(lines: &[Line], now: Timestamp) -> anyhow::Result<()> {
    let future = |line: &&Line| line.envelope.recorded_at > now.as_microsecond();
    match lines.iter().find(future) {
        None => Ok(()),
        Some(line) => Err(usage(format!(
            "entry {} of the other log was recorded in the future of this machine's clock: set the clock right, or \
             wait",
            line.position
        ))),
    }
}

/// Everybody who did something in it; the other house itself is nobody.
fn acting(lines: &[Line]) -> BTreeSet<Uuid> {
    lines.iter().map(|line| line.envelope.actor).filter(|id| !id.is_nil()).collect()
}

fn tell(taking: &Taking) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{} entries of the log {}.", taking.lines.len(), taking.origin)?;
    for actor in taking.people.actors() {
        let here = if taking.people.is_mapped(actor.there.0) {
            format!("is {} here", actor.here)
        } else {
            "gets an account here that nobody logs in with".to_owned()
        };
        writeln!(out, "{} of the other house {here}.", actor.there)?;
    }
    Ok(())
}

/// What is here already must be the same, and come from there.
async fn must_be_new(opened: &Opened, taking: &Taking) -> anyhow::Result<()> {
    for line in &taking.lines {
        if skipped(taking, line) {
            continue;
        }
        let from = opened.log.read_stream(&line.stream, line.revision, Direction::Forward, 1).await;
        let here = match from {
            Err(LogError::StreamNotFound) => continue,
            other => other?.into_iter().next(),
        };
        let Some(here) = here else { continue };
        let same = here.fact.envelope.causation == Some(line.id)
            && matches!(&line.data, Data::Full(text) if text.as_bytes() == here.fact.data);
        if !same {
            return Err(usage(format!(
                "{} is here already and is not what the bundle says (entry {} of the other log): \
                 nothing was taken over",
                line.stream, line.position
            )));
        }
    }
    Ok(())
}

/// Who is mapped has an account here: theirs of there is not taken over.
fn skipped(taking: &Taking, line: &Line) -> bool {
    match Subject::of_stream(&line.stream) {
        Some(Subject::User(id)) => taking.people.is_mapped(id.0),
        _ => false,
    }
}

/// Keeps the bundle: the other log's proofs are in it.
fn keep(opened: &Opened, file: &Path, digest: &[u8; 32]) -> anyhow::Result<()> {
    let folder = opened.dir.bundles();
    private_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
    let kept = folder.join(format!("{}.assay.zip", hex::encode(digest)));
    if !kept.exists() {
        let part = kept.with_extension("part");
        std::fs::copy(file, &part).with_context(|| format!("writing {}", part.display()))?;
        File::open(&part)?.sync_all()?;
        std::fs::rename(&part, &kept)?;
    }
    Ok(())
}

async fn take(opened: &Opened, taking: &Taking, lead: UserId) -> anyhow::Result<()> {
    let house = &opened.house;
    let asks = |what: &str| {
        let command = Uuid::new_v5(&taking.adoption.0, what.as_bytes());
        let asker = Request::by(Asker::House, ActorKind::Import, command);
        Request { on_behalf_of: Some(lead.0), ..asker }
    };
    let begin = BeginAdoption {
        adoption: taking.adoption,
        case: taking.case,
        origin: taking.origin.as_str().try_into()?,
        size: taking.size,
        root: Digest(taking.root),
        bundle: Digest(taking.digest),
        checkpoint: taking.checkpoint.as_str().try_into()?,
        actors: taking.people.actors(),
    };
    house.execute(&asks("begin"), &begin).await.map_err(refused)?;
    let mut progress = Progress::new("entries taken over");
    let (all, mut done) = (u64::try_from(taking.lines.len())?, 0_u64);
    for run in runs(&taking.lines) {
        done = done.saturating_add(u64::try_from(run.len())?);
        let Some(first) = run.first() else { continue };
        if skipped(taking, first) {
            continue;
        }
        let entries = run.iter().map(origin).collect::<anyhow::Result<_>>()?;
        let note = NoteEntries { adoption: taking.adoption, entries };
        let place = first.position;
        house.execute(&asks(&format!("note {place}")), &note).await.map_err(refused)?;
        let foreign = foreign(taking, run)?;
        house.take(&asks(&format!("take {place}")), &foreign).await.map_err(refused)?;
        progress.set(done, all);
    }
    progress.finish();
    close_foreign_accounts(opened, taking, &asks).await?;
    let lead = LeadHere { case: taking.case, user: lead };
    house.execute(&asks("lead"), &lead).await.map_err(refused)?;
    let finish = FinishAdoption { adoption: taking.adoption };
    house.execute(&asks("finish"), &finish).await.map_err(refused)?;
    Ok(())
}

/// Lines that follow each other in one stream, in parts that one append can carry.
fn runs(lines: &[Line]) -> impl Iterator<Item = &[Line]> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut bytes = 0_usize;
        let fits =
            rest.iter().zip(first.revision..).take(RUN_FACTS_MAX).take_while(|(line, at)| {
                bytes = bytes.saturating_add(match &line.data {
                    Data::Full(text) => text.len(),
                    Data::Withheld(_) => 0,
                });
                let alone = line.position == first.position;
                line.stream == first.stream
                    && line.revision == *at
                    && (alone || bytes <= RUN_BYTES_MAX)
            });
        let (run, left) = rest.split_at(fits.count().max(1));
        rest = left;
        Some(run)
    })
}

fn origin(line: &Line) -> anyhow::Result<Origin> {
    Ok(Origin {
        fact: line.id,
        position: line.position,
        leaf: Digest(line.leaf()),
        recorded_at: Timestamp::from_microsecond(line.envelope.recorded_at)?,
        actor: UserId(line.envelope.actor),
    })
}

fn foreign(taking: &Taking, run: &[Line]) -> anyhow::Result<Foreign> {
    let first = run.first().context("a run has a first line")?;
    let mut data = Vec::with_capacity(run.len());
    for line in run {
        let Data::Full(text) = &line.data else { bail!("entry {} is withheld", line.position) };
        data.push(text.clone().into());
    }
    let taken =
        |line: &Line| Taken { actor: taking.people.here(line.envelope.actor), fact: line.id };
    Ok(Foreign {
        stream: first.stream.clone(),
        first: first.revision,
        taken: run.iter().map(taken).collect(),
        data,
    })
}

/// Nobody logs in with an account that was made for somebody of the other house.
async fn close_foreign_accounts(
    opened: &Opened,
    taking: &Taking,
    asks: &impl Fn(&str) -> Request,
) -> anyhow::Result<()> {
    let stream = format!("{}-", User::CATEGORY);
    let made = taking.lines.iter().filter(|line| line.stream.starts_with(&stream));
    let mut closed = BTreeSet::new();
    for line in made.filter(|line| !skipped(taking, line)) {
        let Some(Subject::User(user)) = Subject::of_stream(&line.stream) else { continue };
        if closed.insert(user) {
            let reason = format!("somebody of the log {}", taking.origin);
            let suspend = SuspendUser { user, reason: reason.as_str().try_into()? };
            let request = asks(&format!("suspend {user}"));
            opened.house.execute(&request, &suspend).await.map_err(refused)?;
        }
    }
    Ok(())
}
