//! What goes into a bundle: the entries of the case in sight, and the keys of what the caller may read and discloses.

use std::collections::BTreeMap;
use std::sync::Arc;

use assay_bundle::{About, Withheld as Told};
use assay_domain::id::CaseId;
use assay_domain::value::Tlp;
use assay_store::journal::Journal;
use assay_store::keyring::sealed_keys;
use assay_store::vault::{Key, KeyId, KeyState};
use assay_views::cases::{self, CaseDoc};
use assay_views::{At, select};

use super::{ContentKind, Disclose, NewBundle, Withheld};
use crate::door::Asking;
use crate::problem::Problem;
use crate::reads::look::{Look, aside};

/// How many entries are read at once.
const ENTRIES_PAGE: usize = 256;
/// How many keys are fetched at once.
const KEYS_PAGE: usize = 1_000;
/// The most subjects that are withheld one by one.
const WITHHELD_MAX: usize = 1_000;

/// What a bundle is made of.
pub(super) struct Chosen {
    /// Which entries, ascending.
    pub(super) positions: Vec<u64>,
    /// The keys that are disclosed.
    pub(super) keys: Vec<(KeyId, Key)>,
    /// Whether the data goes in.
    pub(super) with_data: bool,
    /// What is withheld, and why.
    pub(super) withheld: Vec<Told>,
    /// The size of a checkpoint the recipient holds.
    pub(super) since: Option<u64>,
    /// The maker's word.
    pub(super) about: About,
}

/// Chooses, as of what is shown now.
pub(super) async fn of(asking: &Asking, body: &NewBundle, case: CaseId) -> Result<Chosen, Problem> {
    let ((positions, marking), moment) =
        aside(&asking.app, &asking.caller, At::Head, move |look| selected(look, case)).await?;
    let rule = Rule::of(body, marking)?;
    let mut withheld = rule.told();
    let mut keys = Vec::new();
    if rule.discloses() {
        let named = named(asking, positions.clone(), rule).await?;
        let destroyed = held(asking, &named, &mut keys).await?;
        if destroyed > 0 {
            let why = format!("{destroyed} keys were destroyed: what they sealed is forgotten");
            withheld.push(Told { what: "erased".to_owned(), why });
        }
    }
    let about = About {
        case: case.0,
        as_of: moment.position,
        made_at: asking.app.house.now().as_microsecond(),
        made_by: asking.caller.user.0,
        recipient: body.recipient.as_ref().map(|words| words.as_str().to_owned()),
    };
    let (with_data, since) = (body.with_data, body.since);
    Ok(Chosen { positions, keys, with_data, withheld, since, about })
}

/// The entries of a case in sight, and its marking.
fn selected(look: &Look<'_>, case: CaseId) -> Result<(Vec<u64>, Tlp), Problem> {
    let Look { db, sight, at, .. } = look;
    let found = cases::one(db, sight, *at, case)?.ok_or_else(Problem::unseen)?;
    let known: CaseDoc = serde_json::from_str(&found.json).map_err(Problem::fault)?;
    let chosen = select::selection(db, sight, *at, case)?.ok_or_else(Problem::unseen)?;
    let mut positions = chosen.case_entries;
    positions.extend(chosen.source_entries);
    positions.extend(chosen.user_entries);
    positions.sort_unstable();
    positions.dedup();
    Ok((positions, known.marking))
}

/// Which keys are disclosed.
#[derive(Clone, Debug)]
enum Rule {
    /// All but those of these subjects.
    AllBut(Vec<Withheld>),
    /// None, for this reason.
    None { what: &'static str, why: String },
}

impl Rule {
    fn of(body: &NewBundle, marking: Tlp) -> Result<Self, Problem> {
        let none = |what, why: &str| Ok(Self::None { what, why: why.to_owned() });
        if !body.with_data {
            return none("data", "digests stand in place of all data, and no key is disclosed");
        }
        if body.recipient_clearance.is_some_and(|clearance| marking > clearance) {
            return none("keys", "the case is marked above the clearance of the recipient");
        }
        match &body.disclose {
            Disclose::All => Ok(Self::AllBut(Vec::new())),
            Disclose::None => none("keys", "whoever exported it disclosed none"),
            Disclose::Withhold(list) if list.len() > WITHHELD_MAX => {
                let detail = format!("at most {WITHHELD_MAX} subjects are named one by one");
                let place = "/disclose/withhold".to_owned();
                Err(Problem::field(place, "bundle_withheld_too_many", detail))
            }
            Disclose::Withhold(list) => Ok(Self::AllBut(list.clone())),
        }
    }

    const fn discloses(&self) -> bool {
        matches!(self, Self::AllBut(_))
    }

    /// What the recipient is told of it.
    fn told(&self) -> Vec<Told> {
        match self {
            Self::None { what, why } => {
                vec![Told { what: (*what).to_owned(), why: why.clone() }]
            }
            Self::AllBut(list) => list.iter().map(Withheld::told).collect(),
        }
    }

    /// Whether the keys of a stream stay here.
    fn withholds(&self, stream: &str) -> bool {
        match self {
            Self::None { .. } => true,
            Self::AllBut(list) => list.iter().any(|one| one.is(stream)),
        }
    }
}

impl Withheld {
    fn is(&self, stream: &str) -> bool {
        let kind = stream.split_once('-').map_or(stream, |(kind, _)| kind);
        match self.id {
            None => kind == self.kind.word(),
            Some(id) => stream == format!("{}-{id}", self.kind.word()),
        }
    }

    fn told(&self) -> Told {
        let kind = self.kind.word();
        let what = self.id.map_or_else(|| kind.to_owned(), |id| format!("{kind}-{id}"));
        Told { what, why: "whoever exported it did not disclose the keys".to_owned() }
    }
}

impl ContentKind {
    /// The category of its streams.
    const fn word(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Report => "report",
            Self::Claim => "claim",
            Self::Link => "link",
            Self::Finding => "finding",
            Self::Source => "source",
            Self::User => "user",
        }
    }
}

/// The keys that the entries name and the rule discloses.
async fn named(asking: &Asking, positions: Vec<u64>, rule: Rule) -> Result<Vec<KeyId>, Problem> {
    let journal = Arc::clone(asking.app.house.journal());
    let ring = Arc::clone(asking.app.house.keys());
    let found = tokio::task::spawn_blocking(move || {
        // What is restricted until its erasure is decided is shown to nobody.
        let stays = |stream: &str| rule.withholds(stream) || !ring.shows(stream);
        keys_in(&*journal, &positions, stays)
    });
    found.await.map_err(Problem::fault)?
}

/// One that also a stream names whose keys stay here, stays here.
fn keys_in(
    journal: &dyn Journal,
    positions: &[u64],
    stays: impl Fn(&str) -> bool,
) -> Result<Vec<KeyId>, Problem> {
    let mut found: BTreeMap<KeyId, bool> = BTreeMap::new();
    let mut rest = positions;
    while let Some(first) = rest.first().copied() {
        let run = rest.iter().zip(first..).take(ENTRIES_PAGE);
        let run = run.take_while(|(position, wanted)| *position == wanted).count();
        let entries = journal.entries(first.saturating_sub(1), run)?;
        if entries.is_empty() {
            return Err(Problem::fault(format!("the journal has no entry {first}")));
        }
        for entry in &entries {
            let withheld = stays(&entry.recorded.stream);
            for key in sealed_keys(&entry.recorded.fact.data) {
                *found.entry(key).or_default() |= withheld;
            }
        }
        rest = rest.get(entries.len()..).unwrap_or_default();
    }
    Ok(found.into_iter().filter(|(_, withheld)| !withheld).map(|(key, _)| key).collect())
}

/// Brings the keys that are still there; how many were destroyed.
async fn held(
    asking: &Asking,
    named: &[KeyId],
    keys: &mut Vec<(KeyId, Key)>,
) -> Result<usize, Problem> {
    let ring = asking.app.house.keys();
    let mut destroyed = 0_usize;
    for part in named.chunks(KEYS_PAGE) {
        ring.fetch(part).await?;
        for id in part {
            match ring.get(*id) {
                Some(KeyState::Held(key)) => keys.push((*id, key)),
                Some(KeyState::Destroyed) => destroyed = destroyed.saturating_add(1),
                None => {
                    return Err(Problem::fault(format!("key {id} was fetched and is not here")));
                }
            }
        }
    }
    Ok(destroyed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_subject_is_withheld_by_its_kind_or_by_its_name() {
        let id = Uuid::from_u128(7);
        let kind = Withheld { kind: ContentKind::Source, id: None };
        assert!(kind.is(&format!("source-{id}")));
        assert!(!kind.is(&format!("claim-{id}")));
        let one = Withheld { kind: ContentKind::Claim, id: Some(id) };
        assert!(one.is(&format!("claim-{id}")));
        assert!(!one.is(&format!("claim-{}", Uuid::from_u128(8))));
        assert_eq!(one.told().what, format!("claim-{id}"));
    }

    #[test]
    fn nothing_is_disclosed_to_who_may_not_see_the_marking_nor_without_data() {
        let body = |text: &str| serde_json::from_str::<NewBundle>(text).unwrap();
        let amber = body(r#"{ "disclose": "all", "recipient_clearance": "TLP:AMBER" }"#);
        assert!(!Rule::of(&amber, Tlp::Red).unwrap().discloses());
        assert!(Rule::of(&amber, Tlp::Amber).unwrap().discloses());
        let digests = body(r#"{ "disclose": "all", "with_data": false }"#);
        assert!(!Rule::of(&digests, Tlp::Clear).unwrap().discloses());
        let none = body(r#"{ "disclose": "none" }"#);
        assert!(!Rule::of(&none, Tlp::Clear).unwrap().discloses());
        let but = body(r#"{ "disclose": { "withhold": [{ "kind": "source" }] } }"#);
        let rule = Rule::of(&but, Tlp::Clear).unwrap();
        assert!(rule.withholds(&format!("source-{}", Uuid::nil())));
        assert!(!rule.withholds(&format!("claim-{}", Uuid::nil())));
    }
}
