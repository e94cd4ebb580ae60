//! The other nodes over the same log: telling them how far this one is, and whether all have the same history.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use assay_api::upstream::{TellUpstream, Upstream, UpstreamState};
use assay_commands::Clock;
use assay_nodes::{ClusterError, Lease, Node, Nodes, Replication, Root, State};
use assay_notary::Notary;
use assay_store::journal::Journal;
use assay_store::vault::VaultError;
use tokio::sync::watch;
use uuid::Uuid;

use crate::accounts::new_id;
use crate::cli::ListNodes;
use crate::clock::SystemClock;
use crate::data_dir::{DataDir, read_private, write_private};
use crate::exit::{Exit, usage};
use crate::keys::MasterFrom;
use crate::open::{Opened, micros};
use crate::project::aside;
use crate::settings::Settings;
use crate::upstream;
use crate::words::{keep_ids_whole, table};

/// How often a node tells how far it is, and looks at the others.
const EVERY: Duration = Duration::from_secs(5);
/// The work that one node does for all: showing checkpoints to anchors.
const ANCHORS: &str = "anchors";

/// What a node knows of itself and of the others.
#[derive(Clone, Debug)]
pub(crate) struct Among {
    nodes: Arc<Nodes>,
    replication: Arc<Replication>,
    /// Why this node's history is not that of the others; nothing while it is.
    outvoted: watch::Sender<Option<String>>,
    /// Whether this node shows checkpoints to the anchors.
    pub(crate) anchoring: watch::Receiver<bool>,
}

/// Joins the others; nothing where the log is this node's own.
pub(crate) fn join(
    settings: &Settings,
    opened: &Opened,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<Option<Among>> {
    let Some(replication) = &opened.replication else { return Ok(None) };
    let (vault, me) = (Arc::clone(opened.keys.vault()), id(&opened.dir)?);
    let (anchoring, _runs) = Lease::run(Arc::clone(&vault), ANCHORS, me, stop);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let nodes = Nodes::new(vault, me, name(settings), version(), micros(&clock));
    let (outvoted, _) = watch::channel(None);
    let replication = Arc::clone(replication);
    Ok(Some(Among { nodes: Arc::new(nodes), replication, outvoted, anchoring }))
}

/// The node's id, made with its directory.
fn id(dir: &DataDir) -> anyhow::Result<Uuid> {
    let path = dir.node_id();
    if !path.exists() {
        write_private(&path, format!("{}\n", new_id()).as_bytes())?;
    }
    let text = read_private(&path)?;
    text.trim().parse().with_context(|| format!("reading {}", path.display()))
}

fn name(settings: &Settings) -> String {
    let set = &settings.store.node_name;
    if !set.is_empty() {
        return set.clone();
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    if host.is_empty() { "node".to_owned() } else { host.to_owned() }
}

fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

impl Among {
    /// Tells and looks until the house closes.
    pub(crate) fn run(
        &self,
        journal: Arc<dyn Journal>,
        notary: Arc<Notary>,
        mut stop: watch::Receiver<bool>,
    ) {
        let among = self.clone();
        actix_web::rt::spawn(async move {
            loop {
                // While the vault is away what was known of the others stays known.
                match among.round(&journal, &notary).await {
                    Err(error) if !vault_away(&error) => tracing::warn!(
                        error = %format!("{error:#}"),
                        "the histories of the other nodes were not compared"
                    ),
                    Ok(()) | Err(_) => (),
                }
                tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => return,
                    () = tokio::time::sleep(EVERY) => {}
                }
            }
        });
    }

    async fn round(&self, journal: &Arc<dyn Journal>, notary: &Arc<Notary>) -> anyhow::Result<()> {
        let frontier = journal.frontier()?;
        let (size, root) = (frontier.size(), frontier.root());
        let note = notary.latest().map(|latest| latest.note.clone());
        self.nodes.announce(size, Some((size, root)), note).await?;
        let others = self.nodes.others().await?;
        let votes = {
            let notary = Arc::clone(notary);
            let others = others.clone();
            aside(move |_| votes(&notary, &others)).await?
        };
        tell_numbers(&others, &votes);
        self.outvoted.send_if_modified(|why| {
            let now = votes.outvoted();
            let changed = *why != now;
            if changed && let Some(words) = &now {
                tracing::error!(why = %words, "this node and others do not have the same history");
            }
            *why = now;
            changed
        });
        Ok(())
    }

    /// How readiness and writes see it.
    pub(crate) fn tell(&self) -> TellUpstream {
        let (replication, outvoted) = (Arc::clone(&self.replication), self.outvoted.subscribe());
        let clock = SystemClock::default();
        Arc::new(move || {
            let state = replication.state().borrow().clone();
            let lag_s = replication.lag().as_secs_f64();
            let known = |state| Upstream { state, lag_s, away_s: None, why: None };
            if let Some(why) = outvoted.borrow().clone() {
                return Some(Upstream { why: Some(why), ..known(UpstreamState::Diverged) });
            }
            Some(match state {
                State::Following => known(UpstreamState::Following),
                State::CatchingUp { .. } => known(UpstreamState::CatchingUp),
                State::Away { since_us, why } => {
                    let us = clock.now().as_microsecond().saturating_sub(since_us);
                    let away = Duration::from_micros(u64::try_from(us).unwrap_or(0));
                    let away_s = Some(away.as_secs_f64());
                    Upstream { away_s, why: Some(why), ..known(UpstreamState::Away) }
                }
                State::Diverged { why } => {
                    Upstream { why: Some(why), ..known(UpstreamState::Diverged) }
                }
                State::Stopped => known(UpstreamState::Away),
            })
        })
    }
}

fn vault_away(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<ClusterError>();
    matches!(error, Some(ClusterError::Vault(VaultError::Unavailable(_))))
}

/// Who has the same history as this node, and who another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Votes {
    same: usize,
    other: Vec<String>,
}

impl Votes {
    /// A node that at least as many contradict as agree, itself counted, takes no writes: it cannot
    /// know that it is the one that is right.
    fn outvoted(&self) -> Option<String> {
        let same = self.same.saturating_add(1);
        (!self.other.is_empty() && self.other.len() >= same).then(|| {
            format!(
                "{} of {} nodes have another history than this one: {}",
                self.other.len(),
                self.other.len().saturating_add(same),
                self.other.join(", ")
            )
        })
    }
}

fn votes(notary: &Notary, others: &[Node]) -> anyhow::Result<Votes> {
    let mut votes = Votes::default();
    for node in others.iter().filter(|node| !node.silent) {
        let Some(Root { size, hash }) = node.root else { continue };
        match notary.root_over(size)? {
            None => {} // It is ahead of us; next time.
            Some(ours) if ours == hash => votes.same = votes.same.saturating_add(1),
            Some(_) => votes.other.push(format!("{} (over {size} entries)", node.name)),
        }
    }
    Ok(votes)
}

fn tell_numbers(others: &[Node], votes: &Votes) {
    let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    metrics::gauge!("assay_peers").set(count(others.len()));
    let silent = others.iter().filter(|node| node.silent).count();
    metrics::gauge!("assay_peers_silent").set(count(silent));
    metrics::gauge!("assay_peers_disagree").set(count(votes.other.len()));
    for node in others {
        let labels = [("node", node.name.clone())];
        let position = u32::try_from(node.position).map_or(f64::from(u32::MAX), f64::from);
        metrics::gauge!("assay_peer_position", &labels).set(position);
    }
}

/// `assay nodes`: who is there, how far, and whether all have the same history.
pub(crate) async fn list(settings: &Settings, asked: &ListNodes) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    if !settings.store.elsewhere() {
        writeln!(out, "the log is in the data directory: there are no other nodes")?;
        return Ok(Exit::Holds);
    }
    let dir = DataDir::at(&settings.data_dir);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let master = MasterFrom::choose(settings.keys.master_key_file.as_deref(), &dir).read()?;
    let upstream = upstream::open(&settings.store, settings, master, &clock).await?;
    let nodes = Nodes::new(upstream.vault, Uuid::nil(), String::new(), version(), micros(&clock));
    if let Some(gone) = asked.forget {
        let known = nodes.others().await?.into_iter().find(|node| node.id == gone);
        let node = known.ok_or_else(|| usage(format!("there is no node {gone}")))?;
        if !node.silent {
            return Err(usage(format!("{} is there; stop it first", node.name)));
        }
        nodes.retire(gone).await?;
    }
    let all = nodes.others().await?;
    let mut shown = table(&["node", "position", "state", "last heard", "version", "id"]);
    for node in &all {
        let state = if node.silent { "silent" } else { "there" };
        shown.add_row([
            node.name.clone(),
            node.position.to_string(),
            state.to_owned(),
            instant_of(node.at),
            node.version.clone(),
            node.id.to_string(),
        ]);
    }
    keep_ids_whole(&mut shown);
    writeln!(out, "{shown}")?;
    let different = differing(&all);
    for words in &different {
        writeln!(out, "NOT THE SAME HISTORY: {words}")?;
    }
    if different.is_empty() {
        writeln!(out, "nodes at the same position have the same root")?;
    }
    Ok(if different.is_empty() { Exit::Holds } else { Exit::DoesNotHold })
}

/// Nodes that tell different roots over equally many entries.
fn differing(nodes: &[Node]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, one) in nodes.iter().enumerate() {
        for two in nodes.iter().skip(at + 1) {
            if let (Some(a), Some(b)) = (one.root, two.root)
                && a.size == b.size
                && a.hash != b.hash
            {
                found.push(format!("{} and {} over {} entries", one.name, two.name, a.size));
            }
        }
    }
    found
}

fn instant_of(micros: i64) -> String {
    let shown = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| "never".to_owned(), shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_contradicted_by_as_many_as_agree_takes_no_writes() {
        let votes = |same, other: usize| Votes { same, other: vec!["b".to_owned(); other] };
        assert_eq!(votes(0, 0).outvoted(), None, "alone");
        assert_eq!(votes(2, 0).outvoted(), None);
        assert!(votes(0, 1).outvoted().is_some(), "one against one: neither can know");
        assert_eq!(votes(1, 1).outvoted(), None, "two against one");
        assert!(votes(0, 2).outvoted().is_some(), "one against two");
    }
}
