//! Keys and what they do, and windows as they look, written out by hand.

use super::super::testing::frame;
use super::super::text::joined;
use super::*;

fn stepper(index: u64, columns: usize, rows: usize) -> Stepper {
    Stepper::on(frame(index), columns, rows)
}

fn window(stepper: &Stepper) -> String {
    joined(&screen::screen(stepper))
}

fn keys(stepper: &mut Stepper, keys: &[Key]) -> Option<Wish> {
    let mut wish = None;
    for key in keys {
        assert_eq!(wish, None, "a wish was not granted before {key:?}");
        wish = stepper.press(*key);
    }
    wish
}

fn typed(stepper: &mut Stepper, text: &str) -> Option<Wish> {
    let mut all: Vec<Key> = text.chars().map(Key::Char).collect();
    all.push(Key::Enter);
    keys(stepper, &all)
}

#[test]
fn a_step_fills_a_window_of_eighty_by_twenty_four() {
    let expected = "\
Counter-attack at Abu al-Duhur                                   TLP:AMBER, open
Step 2 of 3 · entry 6 · 2018-01-12 09:30:00 UTC
by Ana Ilić (person)
────────────────────────────────────────────────────────────────────────────────
WHAT
  claim “Rebels took sixteen villages” (00000000-0000-0000-0000-00000000000c)
  entry 6: review requested (claim.review_requested.v1, revision 2)
  command 00000000-0000-0000-0000-0000000000c2

WHY
  The figure is disputed.

BASIS
  Nothing is recorded that it rested on.

DIFFERENCE
- standing: proposed
+ standing: under_review
+ rounds 1
+   by: Ana Ilić (00000000-0000-0000-0000-00000000000a)
+   round: 1

────────────────────────────────────────────────────────────────────────────────
→ next  ← back  j k scroll  g go to  / find  s case  w write  ? help  q quit
";
    assert_eq!(window(&stepper(2, 80, 24)), expected);
}

#[test]
fn a_narrow_window_folds_and_says_where_in_the_page_it_is() {
    let mut small = stepper(2, 40, 12);
    let expected = "\
Counter-attack at Abu a… TLP:AMBER, open
Step 2 of 3 · entry 6 · 2018-01-12 09:3…
by Ana Ilić (person)
────────────────────────────────────────
WHAT
  claim “Rebels took sixteen villages”
    (00000000-0000-0000-0000-00000000000
    c)
  entry 6: review requested
    (claim.review_requested.v1, revision
───────────────────────── rows 1–6 of 24
→ ← step  j k scroll  ? help  q quit
";
    assert_eq!(window(&small), expected);
    assert_eq!(keys(&mut small, &[Key::Char('j')]), None);
    assert!(window(&small).contains("rows 2–7 of "), "{}", window(&small));
    for _ in 0..20 {
        keys(&mut small, &[Key::PageDown]);
    }
    let end = screen::scroll_max(&small);
    assert_eq!(small.scroll, end, "it stops at the end");
    keys(&mut small, &[Key::PageUp, Key::Char('k')]);
    assert_eq!(small.scroll, end - 6);
    assert_eq!(small.resize(80, 24), None);
    assert_eq!(small.scroll, 0, "everything fits now");
    assert!(window(&stepper(2, 39, 24)).starts_with("Too small"));
}

#[test]
fn arrows_and_letters_step_and_the_ends_are_said() {
    let show = |place| Some(Wish::Show(place));
    for key in [Key::Right, Key::Char('n'), Key::Char(' ')] {
        assert_eq!(stepper(2, 80, 24).press(key), show(Place::Holding(9)));
    }
    for key in [Key::Left, Key::Char('p')] {
        assert_eq!(stepper(2, 80, 24).press(key), show(Place::Holding(4)));
    }
    assert_eq!(stepper(2, 80, 24).press(Key::Home), show(Place::First));
    assert_eq!(stepper(2, 80, 24).press(Key::End), show(Place::Last));

    let mut last = stepper(3, 80, 24);
    assert_eq!(last.press(Key::Right), None);
    assert!(window(&last).ends_with("This is the last step.\n"));
    assert_eq!(stepper(1, 80, 24).press(Key::Left), None);
    keys(&mut last, &[Key::Char('j')]);
    assert!(last.said.is_none(), "it is said once");
    last.take(Reply::Frame(Box::new(frame(2))));
    assert_eq!((last.frame.step.index, last.scroll), (2, 0), "a new step is shown from its top");
}

#[test]
fn one_goes_to_a_position_or_an_instant_by_typing_it() {
    let mut stepper = stepper(2, 80, 24);
    assert_eq!(keys(&mut stepper, &[Key::Char('g'), Key::Char('1'), Key::Char('9')]), None);
    let asked = "Go to which position (17) or instant (2018-01-13T12:00:00Z)? 19▏\n";
    assert!(window(&stepper).ends_with(asked), "{}", window(&stepper));
    let wish = keys(&mut stepper, &[Key::Backspace, Key::Char('7'), Key::Enter]);
    assert_eq!(wish, Some(Wish::Show(Place::Moment("17".to_owned()))));
    stepper.take(Reply::Said("this replay ends at entry 9; 17 is later".to_owned()));
    assert!(window(&stepper).ends_with("this replay ends at entry 9; 17 is later\n"));
    assert_eq!(keys(&mut stepper, &[Key::Char('g'), Key::Char('q'), Key::Escape]), None);
    assert_eq!(stepper.prompt, None);
}

#[test]
fn a_search_goes_on_from_the_step_and_again_from_where_it_stopped() {
    let mut stepper = stepper(2, 80, 24);
    keys(&mut stepper, &[Key::Char('/')]);
    let find = |after| Some(Wish::Find { words: "denial".to_owned(), after });
    assert_eq!(typed(&mut stepper, "denial"), find(6));
    stepper.take(Reply::NotUpTo(2_006, "Not up to entry 2006.".to_owned()));
    keys(&mut stepper, &[Key::Char('/')]);
    assert_eq!(typed(&mut stepper, ""), find(2_006));
    stepper.take(Reply::Frame(Box::new(frame(3))));
    keys(&mut stepper, &[Key::Char('/')]);
    assert_eq!(typed(&mut stepper, ""), find(9));
    let mut fresh = Stepper::on(frame(1), 80, 24);
    assert_eq!(keys(&mut fresh, &[Key::Char('/'), Key::Enter]), None, "nothing was sought yet");
}

#[test]
fn the_whole_case_is_shown_and_left_again() {
    let mut stepper = stepper(2, 80, 24);
    assert_eq!(stepper.press(Key::Char('s')), Some(Wish::Whole(6)));
    let long = (1..=100).map(|row| format!("row {row}")).collect::<Vec<_>>().join("\n");
    stepper.take(Reply::Whole(long.clone()));
    let shown = window(&stepper);
    assert!(shown.contains("\nThe whole case after: Step 2 of 3 · entry 6"), "{shown}");
    assert!(shown.contains("row 18\n") && !shown.contains("row 19\n"), "{shown}");
    assert!(shown.contains(" rows 1–18 of 100\n"), "{shown}");
    keys(&mut stepper, &[Key::PageDown]);
    assert_eq!(stepper.resize(100, 30), Some(Wish::Whole(6)), "tables have a width");
    stepper.take(Reply::Whole(long));
    assert_eq!(stepper.scroll, 17, "where it was");
    assert_eq!(keys(&mut stepper, &[Key::Char('s')]), None);
    assert_eq!((&stepper.view, stepper.scroll), (&View::Step, 0));
}

#[test]
fn a_page_is_kept_whole_under_a_name_that_may_be_changed() {
    let mut stepper = stepper(3, 80, 24);
    keys(&mut stepper, &[Key::Char('w')]);
    assert!(window(&stepper).ends_with("Write this page to a new file: replay-step-9.txt▏\n"));
    let Some(Wish::Keep { name, text }) = keys(&mut stepper, &[Key::Enter]) else {
        panic!("nothing was to be kept")
    };
    assert_eq!(name, "replay-step-9.txt");
    assert!(text.starts_with("Counter-attack at Abu al-Duhur "), "{text}");
    assert!(text.contains("+ verdicts 1, reasons 40: reason 39\n"), "also what is not in sight");
    assert!(!text.contains("q quit"), "{text}");
}

#[test]
fn help_fits_the_window_and_names_every_key() {
    let mut stepper = stepper(1, 80, 24);
    keys(&mut stepper, &[Key::Char('?')]);
    let shown = window(&stepper);
    assert_eq!(screen::scroll_max(&stepper), 0, "{shown}");
    for key in ["→  n  space", "←  p", "Home  End", "\ng ", "\n/ ", "\ns ", "\nw ", "q  Ctrl-C"]
    {
        assert!(shown.contains(key), "{key}: {shown}");
    }
    assert_eq!(keys(&mut stepper, &[Key::Char('?')]), None);
    assert_eq!(stepper.view, View::Step);
}

#[test]
fn q_quits_and_control_c_quits_also_while_typing() {
    assert_eq!(stepper(1, 80, 24).press(Key::Char('q')), Some(Wish::Quit));
    let mut typing = stepper(1, 80, 24);
    assert_eq!(keys(&mut typing, &[Key::Char('g'), Key::Char('q')]), None);
    assert_eq!(typing.press(Key::Interrupt), Some(Wish::Quit));
    assert_eq!(stepper(1, 80, 24).press(Key::Char('x')), None);
}

#[test]
fn no_window_has_rows_too_many_or_too_wide() {
    use unicode_width::UnicodeWidthStr as _;
    for index in 1..=3 {
        for (columns, rows) in [(40, 10), (41, 11), (57, 19), (80, 24), (200, 60)] {
            let stepper = stepper(index, columns, rows);
            let shown = screen::screen(&stepper);
            assert_eq!(shown.len(), rows);
            assert!(shown.iter().all(|row| row.text.width() <= columns), "{}", window(&stepper));
        }
    }
}
