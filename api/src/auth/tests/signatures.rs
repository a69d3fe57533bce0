//! Signatures made to be taken for good by careless code (Project Wycheproof), against keys read from JWK sets. Its set
//! of whole tokens, `json_web_signature`, is in no package; `hostile` has tokens of that kind.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify};

use crate::{
    auth::keys::{Found, KeySet},
    config::SigningAlgorithm,
};

/// One signature, and what Wycheproof says of it.
struct Case<'a> {
    id: usize,
    comment: &'a str,
    message: &'a [u8],
    signature: &'a [u8],
    result: TestResult,
}

/// A case of any of the sets, whose types differ and have the same members.
macro_rules! cases {
    ($group:expr) => {
        $group.tests.iter().map(|test| Case {
            id: test.tc_id,
            comment: &test.comment,
            message: &test.msg,
            signature: &test.sig,
            result: test.result,
        })
    };
}

/// Checks signatures of one key; gives how many were good and how many were not.
fn check<'a>(
    jwk: &Value,
    algorithm: SigningAlgorithm,
    cases: impl Iterator<Item = Case<'a>>,
) -> (usize, usize) {
    let set = KeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
    let Found::Keys(keys) = set.find(None, algorithm) else { panic!("a key is not read: {jwk}") };
    let (mut good, mut bad) = (0, 0);
    for Case { id, comment, message, signature, result } in cases {
        let is_good = keys[0].verifies(&URL_SAFE_NO_PAD.encode(signature), message);
        // what Wycheproof lets a library accept is no signature of RFC 8017, to the letter
        assert_eq!(is_good, result == TestResult::Valid, "{id}: {comment}");
        if is_good { good += 1 } else { bad += 1 }
    }
    (good, bad)
}

fn sum(counts: impl Iterator<Item = (usize, usize)>) -> (usize, usize) {
    counts.fold((0, 0), |(good, bad), (more, worse)| (good + more, bad + worse))
}

#[test]
fn es256() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let counts = sum(set.test_groups.iter().map(|group| {
        let [x, y] = [1..33, 33..65].map(|range| URL_SAFE_NO_PAD.encode(&group.key.key[range]));
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        check(&jwk, SigningAlgorithm::Es256, cases!(group))
    }));
    assert_eq!(counts, (173, 89));
}

#[test]
fn eddsa() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let counts = sum(set.test_groups.iter().map(|group| {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(&*group.key.pk) });
        check(&jwk, SigningAlgorithm::EdDsa, cases!(group))
    }));
    assert_eq!(counts, (88, 63));
}

#[test]
fn rs256() {
    use rsa_pkcs1_verify::TestName::{Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256};
    let sets = [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256].map(rsa_pkcs1_verify::TestSet::load);
    let sets: Vec<_> = sets.into_iter().map(Result::unwrap).collect();
    let counts = sum(sets.iter().flat_map(|set| &set.test_groups).map(|group| {
        let [n, e] = [&group.key.n, &group.key.e].map(|number| {
            let zeros = number.iter().take_while(|byte| **byte == 0).count();
            URL_SAFE_NO_PAD.encode(&number[zeros..])
        });
        check(&json!({ "kty": "RSA", "n": n, "e": e }), SigningAlgorithm::Rs256, cases!(group))
    }));
    assert_eq!(counts, (24, 752));
}
