//! What auditors, data protection and other houses do in the small world of the tests.

use assay_domain::access::{self, Reading};
use assay_domain::adoption::{self, Actor, Kinship, Origin};
use assay_domain::aggregate::{Event, Subject};
use assay_domain::erasure::{self, Erasable, ErasableKind, Living};
use assay_domain::finding::{self, EntryRef, FindingOutcome, Severity};
use assay_domain::id::{AdoptionId, ErasureId, FindingId, ReplayId};
use assay_domain::log_key;
use assay_domain::replay::{self, StateDigest};
use assay_domain::text::{Passage, Phrase, Title};
use assay_domain::value::Digest;
use jiff::Timestamp;
use uuid::Uuid;

use super::{ADM, ANA, AUD, RAO, World, case, claim, id, reason, user};

pub(crate) fn finding(n: u8) -> FindingId {
    id(12, n).into()
}
pub(crate) fn replay(n: u8) -> ReplayId {
    id(13, n).into()
}
pub(crate) fn erasure(n: u8) -> ErasureId {
    id(14, n).into()
}
pub(crate) fn adoption(n: u8) -> AdoptionId {
    id(15, n).into()
}
pub(crate) fn passage(text: &str) -> Passage {
    Passage::try_from(text).unwrap()
}
fn phrase(text: &str) -> Phrase {
    Phrase::try_from(text).unwrap()
}

/// Where the n-th entry of the other house stands there.
pub(crate) fn there(n: u8) -> Origin {
    Origin {
        fact: id(17, n),
        position: u64::from(n) * 10,
        leaf: Digest([n; 32]),
        recorded_at: Timestamp::from_second(1_460_000_000 + i64::from(n)).unwrap(),
        actor: id(18, 1).into(),
    }
}

impl World {
    pub(crate) fn find(&mut self, n: u8, in_case: Option<u8>, severity: Severity, text: &str) {
        let event = finding::Event::Recorded {
            finding: finding(n),
            case: in_case.map(case),
            entries: vec![EntryRef { position: 1, fact: Uuid::from_u128(1) }],
            severity,
            statement: passage(text).into(),
        };
        self.add(Subject::Finding(finding(n)), AUD, in_case, vec![Event::Finding(event)]);
    }

    pub(crate) fn on_finding(&mut self, n: u8, actor: u8, event: finding::Event) {
        self.add(Subject::Finding(finding(n)), actor, None, vec![Event::Finding(event)]);
    }

    /// Somebody read something twice between two seconds; once a line.
    pub(crate) fn reads(
        &mut self,
        n: u8,
        reader: u8,
        in_case: Option<u8>,
        lines: &[(Option<Uuid>, i64, i64)],
    ) {
        let at = |second| Timestamp::from_second(1_600_000_000 + second).unwrap();
        let readings = lines.iter().map(|(subject, first, last)| Reading {
            question: phrase("/claims/{claim}"),
            subject: *subject,
            asked: Some(passage("q=villages").into()),
            as_of: 7,
            purpose: Some(reason("review").into()),
            first_at: at(*first),
            last_at: at(*last),
            times: 2,
        });
        let readings = readings.collect();
        let case = in_case.map(case);
        let event = access::Event::ReadsRecorded { reader: user(reader), case, readings };
        self.on_access(n, in_case, event);
    }

    pub(crate) fn export(&mut self, n: u8, reader: u8, in_case: u8) {
        let event = access::Event::Exported {
            reader: user(reader),
            case: case(in_case),
            as_of: 7,
            file: Digest([3; 32]),
            entries: 5,
            keys: 2,
            recipient: Some(phrase("the court").into()),
            purpose: None,
        };
        self.on_access(n, Some(in_case), event);
    }

    fn on_access(&mut self, n: u8, in_case: Option<u8>, event: access::Event) {
        self.add(Subject::Access(id(16, n).into()), 0, in_case, vec![Event::Access(event)]);
    }

    pub(crate) fn save_replay(&mut self, n: u8, owner: u8, in_case: u8) {
        let event = replay::Event::Saved {
            replay: replay(n),
            case: case(in_case),
            title: Title::try_from("what they knew in May").unwrap().into(),
            from: 0,
            to: 300,
            state: StateDigest { entries: Digest([1; 32]), shown: Digest([2; 32]) },
        };
        let subject = Subject::Replay(replay(n));
        self.add(subject, owner, Some(in_case), vec![Event::Replay(event)]);
    }

    pub(crate) fn on_replay(&mut self, n: u8, actor: u8, event: replay::Event) {
        self.add(Subject::Replay(replay(n)), actor, None, vec![Event::Replay(event)]);
    }

    pub(crate) fn ask_erasure(&mut self, n: u8, actor: u8, of_claim: Uuid) {
        let event = erasure::Event::Requested {
            erasure: erasure(n),
            subject: Erasable { kind: ErasableKind::Claim, id: of_claim },
            living: Living::HeldAsLiving,
            ground: reason("named without need").into(),
        };
        self.on_erasure(n, actor, event);
    }

    pub(crate) fn on_erasure(&mut self, n: u8, actor: u8, event: erasure::Event) {
        self.add(Subject::Erasure(erasure(n)), actor, None, vec![Event::Erasure(event)]);
    }

    pub(crate) fn begin_adoption(&mut self, n: u8, of_case: u8) {
        let event = adoption::Event::Began {
            adoption: adoption(n),
            case: case(of_case),
            origin: phrase("elsewhere.example/log"),
            size: 1_000,
            root: Digest([4; 32]),
            bundle: Digest([5; 32]),
            checkpoint: passage("elsewhere.example/log"),
            actors: vec![Actor { there: there(1).actor, here: user(ANA), how: Kinship::Mapped }],
        };
        self.on_adoption(n, event);
    }

    pub(crate) fn note_entries(&mut self, n: u8, entries: &[u8]) {
        let entries = entries.iter().map(|entry| there(*entry)).collect();
        self.on_adoption(n, adoption::Event::EntriesNoted { entries });
    }

    pub(crate) fn finish_adoption(&mut self, n: u8) {
        self.on_adoption(n, adoption::Event::Finished {});
    }

    fn on_adoption(&mut self, n: u8, event: adoption::Event) {
        self.add(Subject::Adoption(adoption(n)), 0, None, vec![Event::Adoption(event)]);
    }

    /// What is done meanwhile was done in the other house and is taken over: entry n of it and the next.
    pub(crate) fn taken(&mut self, n: u8, work: impl FnOnce(&mut Self)) {
        self.taken = Some(n);
        work(self);
        self.taken = None;
    }

    /// One key signs first, then the other.
    pub(crate) fn log_keys(&mut self, first: &str, second: &str) {
        let log = id(19, 1).into();
        let added = |key: &str| log_key::Event::KeyAdded { log, key: phrase(key) };
        let retired =
            log_key::Event::KeyRetired { key: phrase(first), reason: reason("old").into() };
        for event in [added(first), added(second), retired] {
            self.add(Subject::Log(log), 0, None, vec![Event::Log(event)]);
        }
    }

    /// Every fact that auditors, data protection and other houses make.
    pub(super) fn audited(&mut self) {
        let because = || reason("because");
        self.on_case(1, ANA, assay_domain::case::Event::PurposeDemanded {});
        self.on_case(1, ANA, assay_domain::case::Event::PurposeWaived { reason: because().into() });
        self.find(1, Some(1), Severity::Major, "found");
        let outcome = FindingOutcome::Accepted;
        self.on_finding(1, ANA, finding::Event::Answered { answer: passage("so it is").into() });
        self.on_finding(1, AUD, finding::Event::Closed { outcome, reason: because().into() });
        self.on_finding(1, AUD, finding::Event::Reopened { reason: because().into() });
        self.reads(1, ANA, Some(1), &[(Some(claim(1).0), 0, 1), (None, 2, 3)]);
        self.export(1, ANA, 1);
        self.save_replay(1, RAO, 1);
        let note = Some(because().into());
        self.on_replay(1, RAO, replay::Event::WentTo { position: 3, note });
        self.on_replay(1, RAO, replay::Event::Dropped {});
        for n in 1..=2 {
            self.ask_erasure(n, ADM, claim(n).0);
            self.on_erasure(n, ADM, erasure::Event::Restricted { reason: because().into() });
        }
        self.on_erasure(1, ADM, erasure::Event::RestrictionLifted { reason: because().into() });
        self.on_erasure(1, ADM, erasure::Event::Refused { ground: because().into() });
        let subject = Erasable { kind: ErasableKind::Claim, id: claim(2).0 };
        self.on_erasure(2, RAO, erasure::Event::CarriedOut { subject });
        self.begin_adoption(1, 3);
        self.note_entries(1, &[101, 102]);
        self.finish_adoption(1);
        self.log_keys("log+one", "log+two");
    }
}
