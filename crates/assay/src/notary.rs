//! Putting the notary together: the settings, the keys, the journal, and the anchors it shall reach.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use assay_ledger::WitnessVerifier;
use assay_notary::{AnchorConfig, AnchorKind, Config, Notary, NotaryError};
use assay_timestamp::Trust;
use secrecy::SecretString;
use tokio::sync::watch;

use crate::data_dir::read_private;
use crate::exit::usage;
use crate::log_keys;
use crate::open::Opened;
use crate::settings::{Anchor, AnchorKind as Kind, Settings};

/// Opens the notary of a house; refuses where the journal is behind what was signed.
///
/// Of several nodes one shows checkpoints to the anchors, `anchoring` says whether it is this one.
pub(crate) async fn open(
    settings: &Settings,
    opened: &Opened,
    anchoring: Option<watch::Receiver<bool>>,
) -> anyhow::Result<Arc<Notary>> {
    let ledger = &settings.ledger;
    let (shelf, history) = (opened.shelf(), log_keys::history(opened).await?);
    let signers = log_keys::signers(&shelf, &ledger.name, history).await?;
    log_keys::record(opened, &signers).await?;
    let origin = signers.first().context("a key that signs")?.name().to_owned();
    let mut config = Config::new(opened.dir.ledger(), origin);
    config.second_place.clone_from(&ledger.second_place);
    config.interval = Duration::from_secs(ledger.interval_s);
    config.late_after = Duration::from_secs(ledger.late_after_s);
    config.anchoring = anchoring;
    config.retired = shelf.retired().await?;
    config.anchors = ledger.anchors.iter().map(anchor).collect::<anyhow::Result<_>>()?;
    let house = Arc::clone(&opened.house);
    let clock = Arc::new(move || house.now().as_microsecond());
    let journal = opened.journal();
    let notary = crate::project::aside(move |_| {
        Notary::open(config, journal, signers, clock).map_err(refused)
    });
    Ok(Arc::new(notary.await?))
}

/// The witnesses that the settings name.
pub(crate) fn witnesses(settings: &Settings) -> anyhow::Result<Vec<WitnessVerifier>> {
    let mut found = Vec::new();
    for given in &settings.ledger.anchors {
        if let AnchorKind::Witness { vkey, .. } = anchor(given)?.kind {
            found.push(vkey);
        }
    }
    Ok(found)
}

/// What an operator can mend is told as such.
pub(crate) fn refused(error: NotaryError) -> anyhow::Error {
    anyhow::Error::new(error).context("the ledger")
}

fn anchor(given: &Anchor) -> anyhow::Result<AnchorConfig> {
    let missing =
        |what: &str| usage(format!("the anchor {:?} in the settings needs `{what}`", given.name));
    let url = given.to.clone();
    let kind = match given.kind {
        Kind::File => AnchorKind::File { path: given.to.clone().into() },
        Kind::Webhook => {
            let header = match &given.authorization_file {
                None => None,
                Some(path) => {
                    let value = read_private(path)?;
                    Some(("Authorization".to_owned(), SecretString::from(value.trim())))
                }
            };
            AnchorKind::Webhook { url, header, plain_http: false }
        }
        Kind::Witness => {
            let key = given.key.as_ref().ok_or_else(|| missing("key"))?;
            let vkey = WitnessVerifier::parse(key).map_err(|error| {
                usage(format!("the key of the anchor {:?} does not fit: {error}", given.name))
            })?;
            AnchorKind::Witness { url, vkey }
        }
        Kind::Timestamp => {
            let path = given.roots_file.as_ref().ok_or_else(|| missing("roots_file"))?;
            let pem = std::fs::read_to_string(path)
                .map_err(|error| usage(format!("reading {}: {error}", path.display())))?;
            let roots = Trust::from_pem(&pem)
                .map_err(|error| usage(format!("{}: {error}", path.display())))?;
            AnchorKind::Timestamp { url, roots }
        }
    };
    let every = Duration::from_secs(given.every_s);
    Ok(AnchorConfig { name: given.name.clone(), every, kind })
}
