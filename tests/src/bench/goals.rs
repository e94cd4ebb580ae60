//! The lines of the table: which figure stands beside which, and what is asked of their ratio.

use super::figures::Bound::{self, AtLeast, AtMost};
use super::figures::{Goal, Rounds, Row};

/// A line: the goal, the figure's name, and the name of what it is compared with.
type Line = (Goal, &'static str, Option<&'static str>);

const fn line(
    id: &'static str,
    what: (&'static str, &'static str),
    against: (&'static str, &'static str),
    unit: &'static str,
    bound: Bound,
) -> Line {
    let (what, measured) = what;
    let (against, compared) = against;
    let compared = if compared.is_empty() { None } else { Some(compared) };
    (Goal { id, what, against, bound, unit }, measured, compared)
}

const NOTHING: (&str, &str) = ("–", "");
const BARE: &str = "bare actix-web";

const LINES: [Line; 31] = [
    line("F", ("600-byte overwrite + fdatasync", "f"), NOTHING, "/s", Bound::None),
    line("F50", ("the same, median time", "f50"), NOTHING, " ms", Bound::None),
    line("P1", ("append p50, 1 writer", "p1.1"), ("F50", "f50"), " ms", AtMost(2.0, Some(1.5))),
    line("P1", ("appends, 64 writers", "p1.64"), ("F", "f"), "/s", AtLeast(5.0, Some(10.0))),
    line("P1", ("appends, 256 writers", "p1.256"), ("F", "f"), "/s", AtLeast(8.0, Some(20.0))),
    line("P2", ("syncs per commit, 1 writer", "p2.1"), NOTHING, "", AtMost(1.3, Some(1.05))),
    line("P2", ("syncs per commit, 64 writers", "p2.64"), NOTHING, "", AtMost(1.3, Some(1.05))),
    line(
        "P4",
        ("REST write, 64 clients", "p4.64"),
        ("parse + echo", "p4.64.bare"),
        "/s",
        AtLeast(0.25, Some(0.40)),
    ),
    line(
        "P4",
        ("REST write, 256 clients", "p4.256"),
        ("parse + echo", "p4.256.bare"),
        "/s",
        AtLeast(0.35, Some(0.55)),
    ),
    line(
        "P5",
        ("REST read of a claim card, 64 clients", "p5"),
        (BARE, "p5.bare"),
        "/s",
        AtLeast(0.5, Some(0.65)),
    ),
    line(
        "P6",
        ("REST list of 50, 64 clients", "p6.list"),
        (BARE, "p6.list.bare"),
        "/s",
        AtLeast(0.10, Some(0.25)),
    ),
    line(
        "P6",
        ("REST search top 20, 64 clients", "p6.search"),
        (BARE, "p6.search.bare"),
        "/s",
        AtLeast(0.04, None),
    ),
    line("P7", ("claim card as_of, p50", "p7.ms"), ("at head", "p5.ms"), " ms", AtMost(1.5, None)),
    line(
        "P7",
        ("claim card as_of, p99", "p7.p99"),
        ("at head", "p5.p99"),
        " ms",
        AtMost(1.5, None),
    ),
    line(
        "P10",
        ("rebuild, entries", "p10.rebuild"),
        ("JSON decode", "p10.decode"),
        "/s",
        AtLeast(0.06, Some(0.10)),
    ),
    line(
        "P10",
        ("rebuild, entries", "p10.rebuild"),
        ("live catch-up", "p10.live"),
        "/s",
        AtLeast(2.0, Some(4.0)),
    ),
    line("P12", ("lag p50, 200 facts/s", "p12.200.p50"), ("F50", "f50"), " ms", AtMost(2.5, None)),
    line("P12", ("lag p99, 200 facts/s", "p12.200.p99"), ("F50", "f50"), " ms", AtMost(8.0, None)),
    line(
        "P12",
        ("lag p50, 2,000 facts/s", "p12.2000.p50"),
        ("F50", "f50"),
        " ms",
        AtMost(3.0, None),
    ),
    line(
        "P12",
        ("lag p99, 2,000 facts/s", "p12.2000.p99"),
        ("F50", "f50"),
        " ms",
        AtMost(25.0, None),
    ),
    line("P14", ("start to first answer", "p14"), NOTHING, " ms", Bound::None),
    line("P15", ("resident after load", "p15"), NOTHING, " MB", AtMost(200.0, Some(120.0))),
    line("P15", ("resident at its peak", "p15.peak"), NOTHING, " MB", AtMost(200.0, Some(120.0))),
    line("P15", ("resident when idle", "p15.idle"), NOTHING, " MB", AtMost(60.0, None)),
    line("P15", ("resident after 8 logins", "p15.logins"), NOTHING, " MB", Bound::None),
    line(
        "P16",
        ("journal on disk, an entry", "p16.journal"),
        ("canonical JSON", "p16.json"),
        " B",
        AtMost(1.1, None),
    ),
    line(
        "P16",
        ("views on disk, an entry", "p16.views"),
        ("canonical JSON", "p16.json"),
        " B",
        AtMost(4.0, None),
    ),
    line("P17", ("size of the binary", "p17.size"), NOTHING, " MB", AtMost(60.0, None)),
    line("P17", ("start to the ready line", "p17.ready"), NOTHING, " s", AtMost(1.0, None)),
    line(
        "P10",
        ("whole `assay rebuild`, with comparing", "p10.whole"),
        ("JSON decode", "p10.decode"),
        "/s",
        Bound::None,
    ),
    line("P10", ("resident peak of a rebuild", "p10.rebuild.peak"), NOTHING, " MB", Bound::None),
];

/// Every line with what came of it.
///
/// A durable append holds a sync of its own: where one is quicker than F50, others disturbed F (a
/// build beside us does), and nothing that is compared with F is judged.
pub fn rows(rounds: &Rounds) -> Vec<Row> {
    let disturbed = is_disturbed(rounds);
    let row = |(goal, measured, compared): &Line| {
        let mut row = rounds.row(*goal, measured, *compared);
        row.disturbed = disturbed && matches!(*compared, Some("f" | "f50"));
        row
    };
    LINES.iter().map(row).collect()
}

/// Whether F was measured slower than what contains it.
pub fn is_disturbed(rounds: &Rounds) -> bool {
    let (floor, append) = (rounds.median("f50"), rounds.median("p1.1"));
    matches!((floor, append), (Some(floor), Some(append)) if append < floor)
}

/// CPU time of the server for each answer, ours and the bare one's, for the notes.
pub fn cpu(rounds: &Rounds) -> Vec<String> {
    let names = ["p4.64", "p4.256", "p5", "p6.list", "p6.search"];
    let line = |name: &&str| {
        let ours = rounds.median(&format!("{name}.cpu"))?;
        let bare = rounds.median(&format!("{name}.bare.cpu"))?;
        let (p50, p99) =
            (rounds.median(&format!("{name}.ms"))?, rounds.median(&format!("{name}.p99"))?);
        Some(format!(
            "{name}: server CPU {ours:.0} µs an answer (bare {bare:.0} µs), \
             latency p50 {p50:.2} ms, p99 {p99:.2} ms"
        ))
    };
    names.iter().filter_map(line).collect()
}
