//! The engine against graphql-js: random valid documents answered alike, documents that are not valid refused alike.
//!
//! `DIFFERENTIAL_DOCUMENTS=100000` compares as many documents for each caller; `DIFFERENTIAL_SEED=17` begins with
//! the document of that seed, so that `DIFFERENTIAL_SEED=17 DIFFERENTIAL_DOCUMENTS=1` compares it alone.

use tests::differential::Differential;
use tests::{GrantedSites, TestApp, UNLIMITED, on_both};

/// The documents of ANCT, who reads everything; other callers get a fourth of it.
const DOCUMENTS: u64 = 640;

on_both!(random_documents_are_answered_as_graphql_js_answers_them, Small with UNLIMITED, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::Codes(&["cde-901", "cde-903"])).await;
    let callers = [
        ("ANCT", app.anct(), DOCUMENTS),
        ("a préfecture", app.prefecture(&["69", "59"]), DOCUMENTS / 4),
        ("a collectivity", app.collectivite(&["200040715"]), DOCUMENTS / 4),
        ("a partner's system", partner, DOCUMENTS / 4),
        ("the public", app.public(), DOCUMENTS / 4),
    ];
    for (who, persona, documents) in callers {
        compare(app, who, persona.authorization(), documents).await;
    }
});

on_both!(random_documents_over_the_open_data_are_answered_alike, Real with UNLIMITED, async |app| {
    compare(app, "the public", None, DOCUMENTS / 16).await;
});

async fn compare(app: &TestApp, who: &str, authorization: Option<String>, documents: u64) {
    let documents = number("DIFFERENTIAL_DOCUMENTS").unwrap_or(documents);
    let first = number("DIFFERENTIAL_SEED").unwrap_or(1);
    let mut differential = Differential::new(app, authorization).await;
    let began = std::time::Instant::now();
    match differential.run(first..first + documents).await {
        Ok(compared) => {
            let seconds = began.elapsed().as_secs_f32();
            println!(
                "{who}: {compared} of {documents} documents compared, seeds from {first}, in {seconds:.1} s"
            );
            assert!(compared * 10 >= documents * 9, "more documents should keep within the limits");
        }
        Err(difference) => panic!("for {who}, {difference}"),
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}
