//! How words are made alike before they are indexed and before they are asked for; never what is shown.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Folds a text: compatibility forms, case, accents, dotless i, Arabic and Cyrillic variants are
/// made alike, and scripts without spaces are cut into single characters.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase(); // Nothing else is to be made alike.
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkc().flat_map(lower).nfkd().map(alike) {
        match c {
            None => (),
            Some(c) if alone(c) => folded.extend([' ', c, ' ']),
            Some(c) => folded.push(c),
        }
    }
    // Composed again, so that what was only taken apart (Hangul, Indic vowels) is whole.
    folded.nfc().collect()
}

/// Lower case and the few folds it leaves out.
fn lower(c: char) -> impl Iterator<Item = char> {
    let special = match c {
        'ß' | 'ẞ' => Some("ss"),
        'ς' => Some("σ"),
        'İ' => Some("i"),
        _ => None,
    };
    let plain = special.is_none().then(|| c.to_lowercase());
    special.into_iter().flat_map(str::chars).chain(plain.into_iter().flatten())
}

/// The character that stands for all of its kind; nothing for what only adorns.
fn alike(c: char) -> Option<char> {
    Some(match c {
        // Accents of Latin, Greek and Cyrillic letters, harakat, tatweel and joiners.
        '\u{0300}'..='\u{036F}'
        | '\u{0610}'..='\u{061A}'
        | '\u{0640}'
        | '\u{064B}'..='\u{065F}'
        | '\u{0670}'
        | '\u{06D6}'..='\u{06ED}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}'
        | '\u{00AD}'
        | '\u{FEFF}' => return None,
        'ı' => 'i',
        'ى' | 'ی' | 'ې' => 'ي',
        'ک' | 'ڪ' => 'ك',
        'ة' | 'ہ' | 'ھ' | 'ە' | 'ۀ' => 'ه',
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ё' => 'е',
        'æ' => 'a',
        'ø' => 'o',
        'ł' => 'l',
        'đ' => 'd',
        // Arabic and Persian digits read as the digits they are.
        '\u{0660}'..='\u{0669}' => digit(c, 0x0660),
        '\u{06F0}'..='\u{06F9}' => digit(c, 0x06F0),
        other => other,
    })
}

fn digit(c: char, zero: u32) -> char {
    char::from_digit(u32::from(c).saturating_sub(zero), 10).unwrap_or(c)
}

/// Whether a character is of a script without spaces, where every character is a word of its own.
pub(super) const fn alone(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' | '\u{A9E0}'..='\u{A9FF}' | '\u{AA60}'..='\u{AA7F}' // Myanmar
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' // Kana
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{323AF}' // Han
    )
}

/// Whether a character belongs to a word.
pub(super) fn wordy(c: char) -> bool {
    c.is_alphanumeric()
        || is_combining_mark(c)
        || alone(c)
        || matches!(c, '\u{200B}'..='\u{200D}' | '\u{0640}' | '\u{00AD}' | '\u{2060}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_of_one_word_are_alike() {
        for (one, other) in [
            ("Yıldırım", "YILDIRIM"),
            ("YILDIRIM", "yildirim"),
            ("İdlib", "idlib"),
            ("Café", "cafe"),
            ("Straße", "STRASSE"),
            ("ｗｉｄｅ", "wide"),
            ("إدلب", "ادلب"),
            ("المدينة", "المدينه"),
            ("علي", "علی"),
            ("مُحَمَّد", "محمد"),
            ("كتـــاب", "کتاب"),
            ("ещё", "еще"),
            ("٢٠١٨", "2018"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn scripts_without_spaces_are_cut() {
        assert_eq!(fold("漢字x").split_whitespace().collect::<Vec<_>>(), ["漢", "字", "x"]);
        assert_eq!(fold("한국"), "한국");
    }
}
