//! Codes of national nomenclatures: occupations and economic activities.

use super::code::{are_digits, compact, read_code};
use super::{Parsed, Spec};

pub(super) static ROME_CODE: Spec = Spec {
    name: "RomeCode",
    description: "Occupation (« fiche métier ») in France Travail's ROME: a letter from A to N and 4 \
                  digits, for example \"M1607\".",
    specified_by: Some("https://www.francetravail.org/opendata/repertoire-operationnel-des-meti.html"),
    expected: "a letter from A to N and 4 digits, for example M1607",
    read: |value| read_code(value, |code| matches!(code, [b'A'..=b'N', rest @ ..] if are_digits(rest, 4))),
};

pub(super) static NAF_CODE: Spec = Spec {
    name: "NafCode",
    description: "Economic activity (« code APE ») in INSEE's NAF: 4 digits and a letter, for example \
                  \"7810Z\". The form with a point, \"78.10Z\", is read too.",
    specified_by: Some("https://www.insee.fr/fr/information/2406147"),
    expected: "4 digits and a letter, for example 7810Z",
    read: |value| {
        let mut code = compact(value)?;
        if code.as_bytes().get(2) == Some(&b'.') {
            code.remove(2);
        }
        is_naf(code.as_bytes()).then_some(Parsed::Text(code))
    },
};

fn is_naf(code: &[u8]) -> bool {
    matches!(code, [digits @ .., b'A'..=b'Z'] if are_digits(digits, 4))
}
