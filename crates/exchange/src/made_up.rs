//! Reports that nobody wrote: plausible in length and script, the same for the same seed, for measuring at volume.
//!
//! Places, groups and people in them are invented. A text has 300 to 900 bytes and is Latin,
//! Cyrillic, Arabic or Chinese, sometimes with a passage in a second script.

mod words;

use serde_json::json;

use words::{Script, TITLES};

/// The fewest bytes a text has.
pub const TEXT_BYTES_MIN: usize = 300;
/// The most bytes a text has.
pub const TEXT_BYTES_MAX: usize = 900;

/// `n` reports as NDJSON lines (without line breaks), for [`crate::Format::Ndjson`].
///
/// The same `seed` gives the same lines for ever, and the first lines do not depend on `n`.
pub fn generate(n: u64, seed: u64) -> impl Iterator<Item = String> {
    (0..n).map(move |at| line(at, seed))
}

fn line(at: u64, seed: u64) -> String {
    let mut dice = Dice::new(seed, at);
    let script = dice.pick(&Script::MIX);
    let kind = dice.pick(&["news", "news", "social_post", "ngo", "official", "witness"]);
    let text = text(&mut dice, script, at);
    let mut stated = vec![json!({"field": "language", "value": script.language()})];
    if dice.below(4) > 0 {
        let day = dice.below(28).saturating_add(1);
        let month = dice.below(12).saturating_add(1);
        let edtf = format!("2021-{month:02}-{day:02}");
        stated.push(json!({"field": "published", "value": {"edtf": edtf}}));
    }
    if dice.below(2) == 0 {
        let title = format!("{} {at}", dice.pick(&TITLES));
        stated.push(json!({"field": "title", "value": title}));
    }
    let report = json!({
        "key": format!("made-up/{seed}/{at}"),
        "kind": kind,
        "text": text,
        "language": script.language(),
        "stated": stated,
    });
    json!({ "report": report }).to_string()
}

fn text(dice: &mut Dice, script: Script, at: u64) -> String {
    let goal = TEXT_BYTES_MIN.saturating_add(
        dice.index(TEXT_BYTES_MAX - 2 * words::SENTENCE_BYTES_MAX - TEXT_BYTES_MIN),
    );
    let mut text = format!("[{at}] ");
    let second = dice.pick(&Script::MIX);
    let mixed = dice.below(5) == 0;
    while text.len() < goal {
        text.push_str(&sentence(dice, script));
        text.push(' ');
    }
    if mixed {
        text.push_str(&sentence(dice, second));
    }
    text.truncate(text.trim_end().len());
    text
}

fn sentence(dice: &mut Dice, script: Script) -> String {
    let list = script.words();
    let count = dice.below(90).saturating_add(2).to_string();
    dice.pick(list.shapes)
        .replace("{who}", dice.pick(list.who))
        .replace("{did}", dice.pick(list.did))
        .replace("{where}", dice.pick(list.places))
        .replace("{n}", &count)
}

/// Chance without chance: xorshift64*, begun from a seed and a place (splitmix64).
struct Dice(u64);

impl Dice {
    const fn new(seed: u64, at: u64) -> Self {
        let mut z = seed.wrapping_add(at.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        Self(if z == 0 { 1 } else { z })
    }

    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    const fn below(&mut self, most: u64) -> u64 {
        let next = self.next();
        match next.checked_rem(most) {
            Some(rest) => rest,
            None => 0,
        }
    }

    fn index(&mut self, most: usize) -> usize {
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        usize::try_from(self.below(most)).unwrap_or_default()
    }

    /// One of a list that is not empty.
    fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        let at = self.index(list.len());
        list.get(at).copied().unwrap_or_default()
    }
}
