//! The forms of the codes that claims and flags carry.

/// Whether `code` is written as a département code: `01` to `95` without `20`, `2A`, `2B`, `971` to `978`,
/// `984`, `986` to `989`. Canonical form only: upper case, no spaces.
pub fn is_departement(code: &str) -> bool {
    match code.as_bytes() {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            let number = (tens - b'0') * 10 + (ones - b'0');
            (1..=95).contains(&number) && number != 20
        }
        [b'2', b'A' | b'B'] | [b'9', b'7', b'1'..=b'8'] | [b'9', b'8', b'4' | b'6'..=b'9'] => true,
        _ => false,
    }
}

/// Whether `siren` is nine digits with a right Luhn sum, and not all zero.
pub fn is_siren(siren: &str) -> bool {
    let is_digits = siren.len() == 9 && siren.bytes().all(|byte| byte.is_ascii_digit());
    is_digits && siren != "000000000" && luhn_sum(siren).is_multiple_of(10)
}

fn luhn_sum(digits: &str) -> u32 {
    let weigh = |(place, byte): (usize, u8)| match (u32::from(byte - b'0'), place % 2) {
        (digit, 0) => digit,
        (digit, _) if digit > 4 => 2 * digit - 9,
        (digit, _) => 2 * digit,
    };
    digits.bytes().rev().enumerate().map(weigh).sum()
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
