//! Codes of territories: communes, départements, regions, priority districts, sites, city contracts.

use super::code::{are_digits, compact, number, read_code};
use super::{Parsed, Spec};

/// INSEE's page on the official geographic code.
const OFFICIAL_GEOGRAPHIC_CODE: Option<&str> = Some("https://www.insee.fr/fr/information/2560452");

/// Codes of the regions since 2016.
const REGIONS: [&[u8]; 18] = [
    b"01", b"02", b"03", b"04", b"06", b"11", b"24", b"27", b"28", b"32", b"44", b"52", b"53", b"75", b"76",
    b"84", b"93", b"94",
];

pub(super) static COMMUNE_CODE: Spec = Spec {
    name: "CommuneCode",
    description: "Commune in INSEE's official geographic code (« code officiel géographique »): 5 \
                  characters that start with the département, for example \"69256\", \"2A004\", \"97411\". \
                  Not a postal code. Paris, Lyon and Marseille have one code each: 75056, 69123, 13055.",
    specified_by: OFFICIAL_GEOGRAPHIC_CODE,
    expected: "the INSEE code of a commune, for example 69256; instead of an arrondissement its commune: \
               75056, 69123 or 13055",
    read: |value| read_code(value, |code| is_commune(code) && !is_arrondissement(code)),
};

pub(super) static DEPARTEMENT_CODE: Spec = Spec {
    name: "DepartementCode",
    description: "Département in INSEE's official geographic code (« code officiel géographique »): 2 \
                  characters, 3 overseas, for example \"01\", \"2A\", \"974\".",
    specified_by: OFFICIAL_GEOGRAPHIC_CODE,
    expected: "the code of a département, for example 01, 2A or 974",
    read: |value| read_code(value, |code| is_metropolitan(code) || is_overseas(code)),
};

pub(super) static REGION_CODE: Spec = Spec {
    name: "RegionCode",
    description: "Region (« région ») in INSEE's official geographic code: 2 digits, for example \"84\".",
    specified_by: OFFICIAL_GEOGRAPHIC_CODE,
    expected: "the code of a region, for example 84 or 01",
    read: |value| read_code(value, |code| REGIONS.contains(&code)),
};

pub(super) static QPV_CODE: Spec = Spec {
    name: "QpvCode",
    description: "Priority district (« quartier prioritaire de la politique de la ville »), of either \
                  generation. 2015: QP, département in 3 characters, 3 digits, for example \"QP093028\". \
                  2024: QN, département in 3 characters, 2 digits and a letter, for example \"QN06916M\". \
                  Referential: ANCT.",
    specified_by: None,
    expected: "the code of a QPV, for example QP093028 (2015) or QN06916M (2024)",
    read: |value| read_code(value, |code| is_qpv_2015(code) || is_of_2024(code, b"QN")),
};

pub(super) static SITE_CODE: Spec = Spec {
    name: "SiteCode",
    description: "Cité de l'emploi by its official code: `cde-` and 3 digits, for example \"cde-024\". \
                  Given by ANCT.",
    specified_by: None,
    expected: "cde- and 3 digits, for example cde-024",
    read: |value| {
        let code = compact(value)?.to_ascii_lowercase();
        let digits = code.strip_prefix("cde-")?;
        are_digits(digits.as_bytes(), 3).then_some(Parsed::Text(code))
    },
};

pub(super) static CONTRAT_VILLE_CODE: Spec = Spec {
    name: "ContratVilleCode",
    description: "City contract (« contrat de ville »): CV and 3 digits (2015 to 2023, still in use \
                  overseas), for example \"CV125\", or CN, département in 3 characters, 2 digits and a \
                  letter (since 2024), for example \"CN03805M\". Referential: ANCT.",
    specified_by: None,
    expected: "the code of a contrat de ville, for example CV125 or CN03805M",
    read: |value| {
        read_code(value, |code| {
            matches!(code, [b'C', b'V', digits @ ..] if are_digits(digits, 3)) || is_of_2024(code, b"CN")
        })
    },
};

/// A département of métropole, 2 characters. 20 was Corsica, now 2A and 2B.
fn is_metropolitan(code: &[u8]) -> bool {
    matches!(
        code,
        [b'0', b'1'..=b'9']
            | [b'1' | b'3'..=b'8', b'0'..=b'9']
            | [b'2', b'1'..=b'9' | b'A' | b'B']
            | [b'9', b'0'..=b'5']
    )
}

/// A département or collectivity overseas, 3 characters.
fn is_overseas(code: &[u8]) -> bool {
    matches!(code, [b'9', b'7', b'1'..=b'8'] | [b'9', b'8', b'4' | b'6'..=b'9'])
}

fn is_commune(code: &[u8]) -> bool {
    let split = |place| code.split_at_checked(place);
    split(2).is_some_and(|(departement, rest)| is_metropolitan(departement) && are_digits(rest, 3))
        || split(3).is_some_and(|(departement, rest)| is_overseas(departement) && are_digits(rest, 2))
}

/// A part of Paris, Lyon or Marseille that looks like a commune.
fn is_arrondissement(code: &[u8]) -> bool {
    number(code, 5).is_some_and(|code| matches!(code, 75_101..=75_120 | 69_381..=69_389 | 13_201..=13_216))
}

/// The département inside the codes of city policy: always 3 characters, 987 (French Polynesia) the only 98x.
fn is_padded_departement(code: &[u8]) -> bool {
    match code {
        [b'0', departement @ ..] => is_metropolitan(departement),
        [b'9', b'7', _] => is_overseas(code),
        _ => code == b"987",
    }
}

/// What follows the kind and the département in a code of city policy.
fn after_departement<'a>(code: &'a [u8], kind: &[u8]) -> Option<&'a [u8]> {
    let (departement, rest) = code.strip_prefix(kind)?.split_at_checked(3)?;
    is_padded_departement(departement).then_some(rest)
}

fn is_qpv_2015(code: &[u8]) -> bool {
    after_departement(code, b"QP").is_some_and(|rest| are_digits(rest, 3))
}

/// The form of 2024: the letter says new, modified, unchanged or whole commune, and the list is open.
fn is_of_2024(code: &[u8], kind: &[u8]) -> bool {
    after_departement(code, kind)
        .is_some_and(|rest| matches!(rest, [digits @ .., b'A'..=b'Z'] if are_digits(digits, 2)))
}
