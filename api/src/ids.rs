//! Typed global ids: `site_01h455vb4pex5vsknk084sn02q`.
//!
//! The form is that of the public `TypeID` specification: a lower-case prefix that names the type, `_`, then
//! the UUID in 26 characters of Crockford's base32. One id has one spelling, so ids can be compared as text.

use uuid::Uuid;

/// Crockford's base32, lower case: no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters that hold a UUID: 26 × 5 bits for 128, so that the first holds 3 bits only.
const SUFFIX_LEN: usize = 26;

/// The longest prefix that the specification allows.
const PREFIX_MAX: usize = 63;

/// In [`VALUES`], marks a byte that is not in the alphabet.
const NOT_A_DIGIT: u8 = 0xFF;

/// The value of each byte read as a base32 digit.
static VALUES: [u8; 256] = {
    let mut values = [NOT_A_DIGIT; 256];
    let mut value: u8 = 0;
    while value < 32 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Why a text is not a typed id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// No `_` between prefix and suffix.
    #[error("an id is a type, `_` and 26 characters")]
    Shape,
    /// The prefix is empty, too long, or not lower-case letters with inner `_`.
    #[error("the type of an id is in lower-case letters")]
    Prefix,
    /// The suffix is not the canonical base32 form of 128 bits.
    #[error("an id ends with 26 characters of lower-case base32, the first at most 7")]
    Suffix,
}

/// Appends the typed id to `out`, without allocating beyond the growth of `out`.
///
/// `prefix` is the caller's constant and goes out as it is.
pub fn encode_into(out: &mut Vec<u8>, prefix: &str, id: Uuid) {
    let bits = id.as_u128();
    let mut suffix = [0; SUFFIX_LEN];
    let mut shift = 5 * SUFFIX_LEN;
    for digit in &mut suffix {
        shift -= 5;
        *digit = ALPHABET[((bits >> shift) & 31) as usize];
    }
    out.extend_from_slice(prefix.as_bytes());
    out.push(b'_');
    out.extend_from_slice(&suffix);
}

/// The typed id as a string.
pub fn encode(prefix: &str, id: Uuid) -> String {
    let mut out = Vec::with_capacity(prefix.len() + 1 + SUFFIX_LEN);
    encode_into(&mut out, prefix, id);
    out.into_iter().map(char::from).collect()
}

/// Reads a typed id: its prefix and its UUID. Only the canonical spelling is read.
///
/// # Errors
/// [`IdError`] names the part that is wrong. Whether the prefix is the wanted one is the caller's to say.
pub fn decode(text: &str) -> Result<(&str, Uuid), IdError> {
    let (prefix, suffix) = text.rsplit_once('_').ok_or(IdError::Shape)?;
    if !is_prefix(prefix.as_bytes()) {
        return Err(IdError::Prefix);
    }
    let id = decode_suffix(suffix.as_bytes()).ok_or(IdError::Suffix)?;
    Ok((prefix, id))
}

fn is_prefix(prefix: &[u8]) -> bool {
    let letters = prefix.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
    let ends = [prefix.first(), prefix.last()];
    letters && prefix.len() <= PREFIX_MAX && ends.iter().all(|end| matches!(end, Some(b'a'..=b'z')))
}

fn decode_suffix(suffix: &[u8]) -> Option<Uuid> {
    // A first digit above 7 would need more than 128 bits.
    if suffix.len() != SUFFIX_LEN || suffix[0] > b'7' {
        return None;
    }
    let mut bits: u128 = 0;
    for byte in suffix {
        let value = VALUES[usize::from(*byte)];
        if value == NOT_A_DIGIT {
            return None;
        }
        bits = (bits << 5) | u128::from(value);
    }
    Some(Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the valid examples of the `TypeID` specification.
    const KNOWN: [(&str, u128); 6] = [
        ("prefix_00000000000000000000000000", 0),
        ("prefix_00000000000000000000000001", 1),
        ("prefix_0000000000000000000000000a", 10),
        ("prefix_00000000000000000000000010", 32),
        ("prefix_7zzzzzzzzzzzzzzzzzzzzzzzzz", u128::MAX),
        ("prefix_01h455vb4pex5vsknk084sn02q", 0x0189_0a5d_ac96_774b_bcce_b302_099a_8057),
    ];

    #[test]
    fn known_ids_are_written_and_read() {
        for (text, bits) in KNOWN {
            let id = Uuid::from_u128(bits);
            assert_eq!(encode("prefix", id), text);
            assert_eq!(decode(text), Ok(("prefix", id)));
        }
    }

    #[test]
    fn every_id_comes_back_as_it_went() {
        let multiplier: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;
        let mut bits: u128 = 1;
        for _ in 0..10_000 {
            bits = bits.wrapping_mul(multiplier).wrapping_add(0x9E37_79B9_7F4A_7C15);
            let text = encode("governance_body", Uuid::from_u128(bits));
            assert_eq!(decode(&text), Ok(("governance_body", Uuid::from_u128(bits))), "{text}");
        }
        for bit in 0..128 {
            let id = Uuid::from_u128(1 << bit);
            assert_eq!(decode(&encode("s", id)), Ok(("s", id)));
        }
    }

    #[test]
    fn ids_sort_as_their_uuids() {
        let (low, high) = (Uuid::from_u128(0xFF << 100), Uuid::from_u128(0x100 << 100));
        assert!(encode("site", low) < encode("site", high));
    }

    #[test]
    fn writing_appends() {
        let mut out = b"{\"id\":\"".to_vec();
        encode_into(&mut out, "qpv", Uuid::nil());
        assert_eq!(out, b"{\"id\":\"qpv_00000000000000000000000000");
    }

    #[test]
    fn other_spellings_are_refused() {
        let suffix = "01h455vb4pex5vsknk084sn02q";
        let long = "a".repeat(64);
        let cases = [
            (suffix.to_owned(), IdError::Shape),
            (String::new(), IdError::Shape),
            (format!("_{suffix}"), IdError::Prefix),
            (format!("Site_{suffix}"), IdError::Prefix),
            (format!("site2_{suffix}"), IdError::Prefix),
            (format!("sité_{suffix}"), IdError::Prefix),
            (format!("_site_{suffix}"), IdError::Prefix),
            (format!("site__{suffix}"), IdError::Prefix),
            (format!("__{suffix}"), IdError::Prefix),
            (format!("{long}_{suffix}"), IdError::Prefix),
            ("site_".to_owned(), IdError::Suffix),
            (format!("site_{}", &suffix[1..]), IdError::Suffix),
            (format!("site_{suffix}0"), IdError::Suffix),
            (format!("site_{}", suffix.to_uppercase()), IdError::Suffix),
            ("site_8zzzzzzzzzzzzzzzzzzzzzzzzz".to_owned(), IdError::Suffix),
            ("site_01h455vb4pex5vsknk084sn02u".to_owned(), IdError::Suffix),
            ("site_01h455vb4pex5vsknk084sn0é".to_owned(), IdError::Suffix),
            (format!(" site_{suffix}"), IdError::Prefix),
            (format!("site_{suffix} "), IdError::Suffix),
            ("site_01890a5d-ac96-774b-bcce-b302".to_owned(), IdError::Suffix),
        ];
        for (text, error) in cases {
            assert_eq!(decode(&text), Err(error), "{text:?}");
        }
    }
}
