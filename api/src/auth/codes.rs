//! The forms of the codes that claims carry: those of the API's scalars, in canonical form only.

use async_graphql::Value;

use crate::graphql::scalars::{Parsed, Scalar};

/// Whether `code` is written as a département code, such as `69`, `2A` or `974`.
pub fn is_departement(code: &str) -> bool {
    is_canonical(Scalar::DepartementCode, code)
}

/// Whether `siren` is nine digits with a right Luhn sum, and not all zero.
pub fn is_siren(siren: &str) -> bool {
    is_canonical(Scalar::Siren, siren)
}

/// Claims are written by programs: unlike input of people, a code is taken as it stands or not at all.
fn is_canonical(scalar: Scalar, code: &str) -> bool {
    matches!(scalar.parse(&Value::from(code)), Ok(Parsed::Text(canonical)) if canonical == code)
}

/// Whether `name` is the name of a source system: 2 to 64 of `A`-`Z`, `0`-`9` and `_`, a letter first.
pub fn is_source_system(name: &str) -> bool {
    let is_tail = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (2..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(is_tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn departement_codes_have_the_official_forms() {
        for code in ["01", "19", "2A", "2B", "21", "69", "95", "971", "974", "978", "984", "986", "989"] {
            assert!(is_departement(code), "{code}");
        }
        for code in ["1", "20", "00", "96", "2a", "2C", "970", "979", "985", "983", "990", " 69", "", "069"] {
            assert!(!is_departement(code), "{code}");
        }
    }

    #[test]
    fn siren_numbers_have_nine_digits_and_a_right_sum() {
        for siren in ["200046977", "356000000", "200040715", "244200770"] {
            assert!(is_siren(siren), "{siren}");
        }
        for siren in ["200034582", "000000000", "20004697", "2000469770", "20004697é", ""] {
            assert!(!is_siren(siren), "{siren}");
        }
    }

    #[test]
    fn source_systems_are_upper_case_names() {
        assert!(is_source_system("FRANCE_TRAVAIL") && is_source_system("SI2"));
        for name in ["", "A", "france_travail", "_A", "FRANCE TRAVAIL", "2SI"] {
            assert!(!is_source_system(name), "{name}");
        }
    }
}
