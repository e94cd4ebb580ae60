//! The demo holds what it promises: counted in the views, refused by the rule, the same when run twice.

use assay_domain::value::Holder;
use assay_views::claims::{ClaimDoc, Standing};
use assay_views::{At, Views};

use super::{ids, make, summary};
use crate::settings::Settings;

fn in_dir(parent: &tempfile::TempDir) -> Settings {
    Settings { data_dir: parent.path().join("demo"), ..Settings::default() }
}

fn claim<'a>(counted: &'a summary::Counted, key: &str) -> &'a ClaimDoc {
    counted.claims.iter().find(|claim| claim.id == ids::claim(key)).unwrap()
}

#[tokio::test]
async fn the_demo_holds_what_it_promises_and_running_it_twice_adds_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let settings = in_dir(&parent);
    let (opened, told) = make(&settings, |_| ()).await.unwrap();
    let head = opened.head().unwrap();
    let reader = Views::open(opened.dir.views()).unwrap().reader().unwrap();
    let counted = summary::count(&reader, At::Head).unwrap();

    assert_eq!(counted.overview.reports, 1);
    assert_eq!((counted.claims.len(), counted.assertions()), (53, 56));
    assert_eq!(counted.overview.links, 42);
    assert_eq!(counted.coverage.words_covered, counted.coverage.words_total);
    assert!(counted.coverage.words_total > 500);
    assert_eq!((counted.contradictions.len(), counted.same_side()), (7, 1));
    let refused = told.refused.clone().unwrap();
    assert_eq!(refused.code, "claim_four_eyes");

    let printed = {
        let mut out = Vec::new();
        summary::print(&mut out, &opened, &reader, &told).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(printed.contains("100 % of the report is covered"), "{printed}");
    drop((reader, opened));

    let (opened, again) = make(&settings, |_| ()).await.unwrap();
    assert_eq!(opened.head().unwrap(), head);
    assert_eq!(again.refused, None);
    assert_eq!((again.verdict, again.reattribution), (told.verdict, told.reattribution));
}

#[tokio::test]
async fn what_was_known_then_differs_from_what_is_known_now() {
    let parent = tempfile::tempdir().unwrap();
    let (opened, told) = make(&in_dir(&parent), |_| ()).await.unwrap();
    let reader = Views::open(opened.dir.views()).unwrap().reader().unwrap();
    let at = |position| summary::count(&reader, At::Position(position)).unwrap();

    let (before, after) = (at(told.verdict - 1), at(told.verdict));
    assert_eq!(claim(&before, "C39").standing, Standing::UnderReview);
    assert_eq!(claim(&before, "C39").verdicts.len(), 0);
    assert_eq!(claim(&after, "C39").standing, Standing::Adjudicated);

    let (before, after) = (at(told.before_reattribution), at(told.reattribution));
    let holder = |counted: &summary::Counted| claim(counted, "C07").assertions[0].holder.clone();
    assert!(matches!(holder(&before), Some(Holder::Unrecoverable { .. })));
    assert!(matches!(holder(&after), Some(Holder::Group { .. })));
    assert_eq!(claim(&before, "C07").standing, Standing::Adjudicated);
    assert_eq!(claim(&after, "C07").standing, Standing::Stale);
    assert_eq!(claim(&after, "C01").verdicts.len(), 2);
}

#[tokio::test]
async fn a_real_house_is_never_filled_with_the_demo() {
    let parent = tempfile::tempdir().unwrap();
    let settings = in_dir(&parent);
    let clock = std::sync::Arc::new(crate::clock::SystemClock::default());
    drop(crate::init::set_up(&settings, clock).await.unwrap());
    let refused = make(&settings, |_| ()).await.unwrap_err();
    assert!(refused.to_string().contains("no demo"), "{refused}");
}
