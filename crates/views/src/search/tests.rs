//! Facts in, hits out: any script, any question, never out of sight.

use serde_json::Value;

use super::*;
use crate::at::At;
use crate::db::Reader;
use crate::testing::{ADM, ANA, AUD, BEN, World, head, many, rendition, sight, values};

fn ask(db: &Reader, who: u8, asked: &str) -> Vec<Value> {
    let found = find(db, &sight(db, who), head(), asked, &SearchFilter::default(), None, many());
    values(&found.unwrap())
}

#[test]
fn words_in_any_script_are_found_as_they_stand() {
    let mut world = World::busy();
    world.file(2, 1, ANA, "تقدّم الجيش في إدلب. ещё о сёлах");
    world.register_source(1, ANA, "صحيفة العربي");
    let db = world.views();
    for (asked, count) in [
        ("yildirim", 1),
        ("YILDIRIM \"said no\"", 1),
        ("\"no said\"", 0),
        ("villag*", 2),
        ("villag", 0),
        ("漢字", 1),
        ("字漢", 0),
        ("ادلب", 1),
        ("العربى", 1),
        ("еще селах", 1),
        ("idlib", 1),
        ("", 0),
        ("\"", 0),
        ("NEAR( a OR body:", 0),
    ] {
        assert_eq!(ask(&db, ANA, asked).len(), count, "{asked}");
    }
    let found = ask(&db, ANA, "yildirim");
    let hit: Hit = serde_json::from_value(found.into_iter().next().unwrap()).unwrap();
    assert_eq!((hit.kind, hit.snippet.rendition), (HitKind::Report, Some(rendition(1))));
    let (from, to) = *hit.snippet.marks.first().unwrap();
    let text = hit.snippet.text.chars().skip(usize::try_from(from).unwrap());
    let shown: String = text.take(usize::try_from(to - from).unwrap()).collect();
    assert_eq!(shown, "Yıldırım");
}

#[test]
fn nothing_out_of_sight_is_found_or_counted() {
    let mut world = World::busy();
    world.file(3, 2, BEN, "villages of the other case");
    world.register_source(1, ANA, "The villages post");
    let db = world.views();
    let ids = |who| ask(&db, who, "villages").len();
    assert_eq!(ids(ANA), 3);
    assert_eq!(ids(BEN), 2);
    assert_eq!(ids(AUD), 4);
    assert_eq!(ids(ADM), 0);
}

#[test]
fn what_is_called_otherwise_now_is_found_as_it_was_then() {
    let mut world = World::busy();
    let before = world.log_head();
    let title = assay_domain::text::Title::try_from("Hama").unwrap();
    world.on_case(1, ANA, assay_domain::case::Event::Retitled { title: title.into() });
    let db = world.views();
    assert!(ask(&db, ANA, "idlib").is_empty());
    let (ana, then) = (sight(&db, ANA), At::Position(before));
    let filter = SearchFilter { kind: Some(HitKind::Case), ..SearchFilter::default() };
    let found = find(&db, &ana, then, "idlib", &filter, None, many()).unwrap();
    assert_eq!(found.items.len(), 1);
}
