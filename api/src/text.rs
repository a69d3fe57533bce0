//! The forms a text takes: as stored, as searched, as a `LIKE` pattern.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, char::is_combining_mark, is_nfc_quick};

/// Why a text cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Holds a control character other than a line break or a tabulation, which count as spaces.
    #[error("control character U+{:04X} is not allowed", u32::from(*.0))]
    ControlCharacter(char),
}

/// The form in which a text is stored: Unicode NFC, trimmed, each run of white space (spaces of any width,
/// tabulations, line breaks) made one plain space.
///
/// # Errors
/// [`TextError::ControlCharacter`] for any other control character, NUL included.
pub fn normalise(text: &str) -> Result<String, TextError> {
    // nearly every text comes composed already
    let composed = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    };
    let mut stored = String::with_capacity(composed.len());
    for word in composed.split_whitespace() {
        if let Some(control) = word.chars().find(|c| c.is_control()) {
            return Err(TextError::ControlCharacter(control));
        }
        if !stored.is_empty() {
            stored.push(' ');
        }
        stored.push_str(word);
    }
    Ok(stored)
}

/// The form in which texts are searched: no accents, lower case, ligatures spelt out, one apostrophe.
///
/// « L’Œuvre à Saint-Étienne » becomes `l'oeuvre a saint-etienne`. Folding twice changes nothing more.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    // Lower case comes first: some capitals, `İ` for one, give a combining mark when lowered.
    let letters = text.chars().flat_map(char::to_lowercase).nfd();
    for letter in letters.filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{02BC}' => folded.push('\''),
            other => folded.push(other),
        }
    }
    folded
}

/// The pattern "contains this text, taken literally", for `LIKE … ESCAPE '\'`.
pub fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every character of the scripts with case, accents, forms or spaces of their own, alone and beside
    /// letters and marks that it could combine with.
    fn samples() -> impl Iterator<Item = String> {
        let letters = ('\0'..='\u{2FFF}').chain('\u{A640}'..='\u{ABFF}').chain('\u{F900}'..='\u{FFFF}');
        letters.map(|c| format!("{c} e{c}\u{301}  A{c}{c}"))
    }

    #[test]
    fn stored_text_is_composed_trimmed_and_single_spaced() {
        let cases = [
            ("  Vaulx-en-Velin ", "Vaulx-en-Velin"),
            ("Saint-E\u{301}tienne", "Saint-Étienne"),
            ("a \u{A0}\u{202F}\t\r\n b", "a b"),
            (" \n ", ""),
            ("", ""),
        ];
        for (given, stored) in cases {
            assert_eq!(normalise(given).as_deref(), Ok(stored), "{given:?}");
        }
    }

    #[test]
    fn stored_text_has_no_control_character() {
        for control in ['\0', '\u{1B}', '\u{7F}', '\u{9F}'] {
            let given = format!("Mobilité{control}");
            assert_eq!(normalise(&given), Err(TextError::ControlCharacter(control)));
        }
        assert_eq!(TextError::ControlCharacter('\0').to_string(), "control character U+0000 is not allowed");
    }

    #[test]
    fn storing_twice_changes_nothing() {
        for sample in samples() {
            if let Ok(once) = normalise(&sample) {
                assert_eq!(normalise(&once).as_ref(), Ok(&once), "{sample:?}");
            }
        }
    }

    #[test]
    fn folded_text_ignores_accents_case_and_ligatures() {
        let cases = [
            ("L’Œuvre à Saint-Étienne", "l'oeuvre a saint-etienne"),
            ("GRANDE ÎLE", "grande ile"),
            ("E\u{301}", "e"),
            ("Ex æquo, ǼŒ", "ex aequo, aeoe"),
            ("Straße STRAẞE", "strasse strasse"),
            ("İzmir", "izmir"),
            ("‘d’un’", "'d'un'"),
            ("garçon Noël où", "garcon noel ou"),
        ];
        for (given, folded) in cases {
            assert_eq!(fold(given), folded);
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for sample in samples() {
            let once = fold(&sample);
            assert_eq!(fold(&once), once, "{sample:?}");
        }
    }

    #[test]
    fn wildcards_are_taken_literally() {
        assert_eq!(like_pattern(r"100 %_\"), r"%100 \%\_\\%");
        assert_eq!(like_pattern(""), "%%");
    }
}
