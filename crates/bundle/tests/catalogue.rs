//! Every fixture is judged as its name says: good ones hold, bad ones fail in the right check and at the right position.

use std::collections::BTreeSet;

use assay_bundle::fixtures::{self, Outcome};
use assay_bundle::{BundleError, CheckName, Directory, State, verify_tiles};

#[test]
fn every_fixture_is_judged_as_it_must_be() -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let index = fixtures::write_all(dir.path())?;
    let all = fixtures::all()?;
    assert_eq!(index.len(), all.len());
    for (one, indexed) in all.iter().zip(&index).filter(|(_, indexed)| indexed.kind == "mirror") {
        let files = Directory(dir.path().join(&indexed.file));
        let report = verify_tiles(&files, &one.trust()?, |_, _| ())?;
        assert_eq!(report, one.verify()??, "{} read from the disk", one.name);
    }
    let names: BTreeSet<_> = all.iter().map(|one| &one.name).collect();
    assert_eq!(names.len(), all.len(), "every name is used once");
    for one in &all {
        let name = &one.name;
        let report = match one.verify()? {
            Ok(report) => report,
            Err(BundleError::NoKey) if one.usage => continue,
            Err(error) => return Err(format!("{name}: {error:?}").into()),
        };
        assert_eq!(report.holds(), one.must_fail.is_none(), "{name}:\n{report}");
        assert!(report.lines().len() <= 25, "{name}");
        if let Some(wanted) = one.must_fail {
            let check = report.failing().find(|check| check.name == wanted);
            let check = check.ok_or_else(|| format!("{name}: {wanted} holds\n{report}"))?;
            if one.position.is_some() {
                assert_eq!(check.position, one.position, "{name}:\n{report}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_good_bundle_has_every_check_hold_that_can_be_made() -> Outcome<()> {
    let all = fixtures::all()?;
    let state = |name: &str, check| -> Outcome<Option<State>> {
        let one = all.iter().find(|one| one.name == name).ok_or("no such fixture")?;
        Ok(one.verify()??.state_of(check))
    };
    for check in CheckName::BUNDLE {
        let wanted = if check == CheckName::Evidence { State::NotChecked } else { State::Holds };
        assert_eq!(state("good-full", check)?, Some(wanted), "{check}");
    }
    assert_eq!(state("good-keys-withheld", CheckName::Keys)?, Some(State::NotChecked));
    assert_eq!(state("good-partly", CheckName::Keys)?, Some(State::Holds));
    assert_eq!(state("good-evidence", CheckName::Evidence)?, Some(State::Holds));
    let unvouched = "good-nobody-vouches";
    assert_eq!(state(unvouched, CheckName::Timestamps)?, Some(State::NotChecked));
    assert_eq!(state(unvouched, CheckName::Witnesses)?, Some(State::NotChecked));
    Ok(())
}

#[test]
fn every_node_of_every_proof_counts() -> Outcome<()> {
    let world = fixtures::World::new(1, 10)?;
    let trust = world.trust(Some(30))?;
    let good = fixtures::Members::unpack(&world.bundle(&fixtures::full_wish())?)?;
    for (at, line) in good.entries()?.iter().enumerate() {
        for node in 0..line.proof.len() {
            let mut members = good.clone();
            members.change_entries(|lines| lines[at].proof[node][node] ^= 0x80)?;
            let file = std::io::Cursor::new(members.pack_corrected()?);
            let report = assay_bundle::verify(file, &trust, |_, _| ())?;
            assert_eq!(report.state_of(CheckName::Entries), Some(State::Fails));
            assert_eq!(report.position(), Some(line.position));
        }
    }
    Ok(())
}

#[test]
fn what_was_left_out_at_the_end_is_said_to_be_unseen() -> Outcome<()> {
    let world = fixtures::World::new(1, 10)?;
    let mut members = fixtures::Members::unpack(&world.bundle(&fixtures::full_wish())?)?;
    members.change_entries(|lines| {
        lines.pop();
    })?;
    let file = std::io::Cursor::new(members.pack_corrected()?);
    let report = assay_bundle::verify(file, &world.trust(Some(30))?, |_, _| ())?;
    assert!(report.holds(), "no proof speaks of what is not there:\n{report}");
    assert!(report.does_not_prove.iter().any(|text| text.contains("cut at its end")));
    Ok(())
}

#[test]
fn a_report_is_json_with_names_for_ever() -> Outcome<()> {
    let all = fixtures::all()?;
    let one = all.iter().find(|one| one.name == "entry-data").ok_or("no such fixture")?;
    let json = serde_json::to_value(one.verify()??)?;
    assert_eq!(json["holds"], false);
    assert_eq!(json["position"], one.position.ok_or("a position")?);
    assert_eq!(json["checks"][7]["name"], "entries");
    assert_eq!(json["checks"][7]["state"], "fails");
    assert_eq!(json["checks"][12]["state"], "not_checked");
    Ok(())
}
