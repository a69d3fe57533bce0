//! The tokens of a text, counted before it is parsed: the parser keeps a node for each, and calls itself for each
//! bracket within another.

/// Tokens of a text, how deep its brackets nest, and how long its longest name is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lexed {
    pub tokens: usize,
    pub nesting: usize,
    pub name: usize,
}

/// Counts in one pass over the bytes. Of a text that is no GraphQL it counts something near enough: the parser will
/// say what is wrong with it.
pub fn count(text: &str) -> Lexed {
    let (mut lexed, mut open) = (Lexed::default(), 0_usize);
    for (_, token) in tokens(text.as_bytes()) {
        lexed.tokens += 1;
        match token.first() {
            Some(b'{' | b'[' | b'(') => {
                open += 1;
                lexed.nesting = lexed.nesting.max(open);
            }
            Some(b'}' | b']' | b')') => open = open.saturating_sub(1),
            Some(byte) if begins_name(*byte) => lexed.name = lexed.name.max(token.len()),
            _ => {}
        }
    }
    lexed
}

/// Where `\"""` stands in the block strings of a text.
pub fn block_escapes(text: &str) -> Vec<usize> {
    let mut places = Vec::new();
    for (begin, token) in tokens(text.as_bytes()).filter(|(_, token)| token.starts_with(BLOCK)) {
        let mut at = BLOCK.len();
        while at < token.len() {
            let is_one = token[at..].starts_with(BLOCK_ESCAPE);
            places.extend(is_one.then_some(begin + at));
            at += if is_one { BLOCK_ESCAPE.len() } else { 1 };
        }
    }
    places
}

/// The tokens of a text and where they begin, without what means nothing between them.
fn tokens(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..)?;
            let length = match *rest.first()? {
                b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xEF | 0xBB | 0xBF => {
                    at += 1;
                    continue;
                }
                b'#' => {
                    at += until(rest, |byte| matches!(byte, b'\n' | b'\r'));
                    continue;
                }
                b'"' => string(rest),
                b'.' if rest.starts_with(b"...") => 3,
                byte if begins_name(byte) => until(rest, |byte| !is_name(byte)),
                byte if is_number(byte) => until(rest, |byte| !is_number(byte) && !is_name(byte)),
                _ => 1,
            };
            let begin = at;
            at += length;
            return Some((begin, &rest[..length]));
        }
    })
}

/// What block strings begin and end with, and what stands for it within them.
const BLOCK: &[u8] = b"\"\"\"";
const BLOCK_ESCAPE: &[u8] = b"\\\"\"\"";

const fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

const fn is_name(byte: u8) -> bool {
    begins_name(byte) || byte.is_ascii_digit()
}

/// Numbers have letters too.
const fn is_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.')
}

fn until(bytes: &[u8], end: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| end(*byte)).unwrap_or(bytes.len())
}

/// Length of the text that begins here, quotes included.
fn string(bytes: &[u8]) -> usize {
    let (quote, escape): (&[u8], &[u8]) =
        if bytes.starts_with(BLOCK) { (BLOCK, BLOCK_ESCAPE) } else { (b"\"", b"\\") };
    let mut at = quote.len();
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(escape) {
            // of a block text the quotes that follow, of another one character
            at += escape.len() + usize::from(quote.len() == 1);
        } else if rest.starts_with(quote) {
            return at + quote.len();
        } else if quote.len() == 1 && rest[0] == b'\n' {
            return at;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_as_the_grammar_has_them() {
        let cases = [
            ("", 0, 0, 0),
            ("{a}", 3, 1, 1),
            ("query Q($x: Int! = -1.5e+3) { a(x: $x) ...F @skip(if: true) }", 29, 2, 5),
            ("{ a(x: \"} { \\\" [\") } # { { {", 8, 2, 1),
            ("{ a(x: \"\"\"{ \\\"\"\" \" { \n \"\"\") }", 8, 2, 1),
            ("\u{feff}{ a, b, , c }", 5, 1, 1),
            ("[[[]]][", 7, 3, 0),
            ("{ a(x: \"not closed\n) }", 8, 2, 1),
            ("{abc...F...G2_d}", 7, 1, 4),
            ("{ a(x: 12345678) }", 8, 2, 1),
        ];
        for (text, tokens, nesting, name) in cases {
            assert_eq!(count(text), Lexed { tokens, nesting, name }, "{text}");
        }
    }
}
