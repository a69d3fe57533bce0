//! Codes of organisations: legal units, establishments, associations, agencies, and their telephone numbers.

use async_graphql::Value;

use super::code::{are_digits, compact, has_luhn_key, read_code};
use super::{Parsed, Spec};

/// La Poste, whose establishments have keys of their own.
const LA_POSTE: &[u8] = b"356000000";

pub(super) static SIREN: Spec = Spec {
    name: "Siren",
    description: "Legal unit (« unité légale ») in INSEE's Sirene register: 9 digits, the last a Luhn key, \
                  for example \"200046977\".",
    specified_by: Some("https://www.insee.fr/fr/metadonnees/definition/c2047"),
    expected: "9 digits with a valid Luhn key, for example 200046977",
    read: |value| read_code(value, is_siren),
};

pub(super) static EPCI_SIREN: Spec = Spec {
    name: "EpciSiren",
    description: "Group of communes (« EPCI », métropole) by its SIREN: 9 digits, the last a Luhn key, for \
                  example \"200040715\". Referential: DGCL's list of EPCI.",
    specified_by: Some("https://www.insee.fr/fr/metadonnees/definition/c2047"),
    expected: "the SIREN of an EPCI, 9 digits with a valid Luhn key, for example 200040715",
    read: |value| read_code(value, is_siren),
};

pub(super) static SIRET: Spec = Spec {
    name: "Siret",
    description: "Establishment (« établissement ») in INSEE's Sirene register: its SIREN and 5 digits, \
                  the last a Luhn key, for example \"73282932000074\". Those of La Poste (356000000) may \
                  instead have a sum of digits that is a multiple of 5.",
    specified_by: Some("https://www.insee.fr/fr/metadonnees/definition/c1841"),
    expected: "14 digits with a valid Luhn key, for example 73282932000074",
    read: |value| read_code(value, is_siret),
};

pub(super) static RNA: Spec = Spec {
    name: "Rna",
    description: "Association in the national register (« répertoire national des associations »): W and 9 \
                  characters, digits but for the second, which is a letter in Corsica and overseas, for \
                  example \"W691234567\", \"W2A1000119\".",
    specified_by: None,
    expected: "W and 9 digits, the second may be a letter, for example W691234567",
    read: |value| {
        read_code(value, |code| match code {
            [b'W', first, b'0'..=b'9' | b'A'..=b'Z', rest @ ..] => {
                first.is_ascii_digit() && are_digits(rest, 7)
            }
            _ => false,
        })
    },
};

pub(super) static SAFIR_CODE: Spec = Spec {
    name: "SafirCode",
    description: "France Travail agency (« code SAFIR »): 5 digits, for example \"69050\". Not unique to \
                  one partner.",
    specified_by: None,
    expected: "5 digits, for example 69050",
    read: |value| read_code(value, |code| are_digits(code, 5)),
};

pub(super) static PHONE: Spec = Spec {
    name: "Phone",
    description: "Telephone number (« téléphone ») in the international form of ITU-T E.164, for example \
                  \"+33199001234\". The French national form of 10 digits is read as +33.",
    specified_by: Some("https://www.itu.int/rec/T-REC-E.164"),
    expected: "a number with its country code, for example +33199001234, or 10 French digits, for example \
               0199001234",
    read: |value| read_phone(value).map(Parsed::Text),
};

fn is_siren(code: &[u8]) -> bool {
    // Nine zeros satisfy Luhn's rule but name nobody.
    are_digits(code, 9) && has_luhn_key(code) && code != b"000000000"
}

fn is_siret(code: &[u8]) -> bool {
    let Some((siren, _)) = code.split_at_checked(9) else { return false };
    are_digits(code, 14)
        && is_siren(siren)
        && (has_luhn_key(code) || siren == LA_POSTE && has_la_poste_key(code))
}

fn has_la_poste_key(digits: &[u8]) -> bool {
    let sum: u32 = digits.iter().map(|digit| u32::from(digit - b'0')).sum();
    sum.is_multiple_of(5)
}

fn read_phone(value: &Value) -> Option<String> {
    let number = compact(value)?;
    match number.as_bytes() {
        [b'+', b'1'..=b'9', rest @ ..] if (6..=14).contains(&rest.len()) && are_digits(rest, rest.len()) => {
            Some(number)
        }
        [b'0', b'1'..=b'9', rest @ ..] if are_digits(rest, 8) => Some(format!("+33{}", &number[1..])),
        _ => None,
    }
}
