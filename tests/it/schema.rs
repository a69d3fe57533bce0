//! The schema as it is published, and the table of rights as it is printed.

use std::path::Path;

use cites::policy::Policy;
use serde_json::{Value, json};
use tests::on_both;

/// Asserts that a committed file has the text that a command prints, and shows the lines that differ.
fn assert_same(file: &str, printed: &str, command: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    if committed == printed {
        return;
    }
    let missing = |of: &str, other: &str, sign: &str| {
        let known: std::collections::HashSet<&str> = other.lines().collect();
        let lines = of.lines().filter(|line| !known.contains(line));
        lines.map(|line| [sign, line, "\n"].concat()).collect::<String>()
    };
    let (gone, new) = (missing(&committed, printed, "- "), missing(printed, &committed, "+ "));
    panic!("{file} is not what `{command}` prints:\n{gone}{new}(lines may also have moved)");
}

#[test]
fn schema_graphql_is_what_cites_schema_prints() {
    assert_same("schema.graphql", &cites::graphql::sdl().expect("a schema"), "cites schema");
}

#[test]
fn docs_rights_md_is_what_cites_rights_prints() {
    let policy = Policy::load().expect("a policy");
    assert_same("docs/rights.md", &policy.to_markdown(), "cites rights --format markdown");
}

#[test]
fn docs_errors_md_is_what_cites_errors_prints() {
    assert_same("docs/errors.md", &cites::codes::to_markdown(), "cites errors");
}

const HEAD: &str = "resource,verb,group,token_scope,anct,prefecture,collectivite,partner_system,public\n";

/// What is wrong with a table of one line.
fn fault(line: &str) -> String {
    Policy::parse(&format!("{HEAD}{line}\n")).expect_err("a wrong line is refused").to_string()
}

#[test]
fn a_wrong_line_of_the_policy_is_named() {
    for (line, word) in [
        ("Sight,read,,cde:read,N,D,M,G,P", "Sight"),
        ("Site,see,,cde:read,N,D,M,G,P", "see"),
        ("Site,read,,cde:reed,N,D,M,G,P", "cde:reed"),
        ("Site,read,,cde:read,N,X,M,G,P", "prefecture"),
        ("Site,read,,cde:read,N,,M,G,P", "prefecture"),
        ("Site,read,,cde:read,N,D:sometimes,M,G,P", "prefecture"),
        ("Site,read,,cde:read,N,D,M,G", "4 cells"),
        ("Site,read,,cde:read,N,D,M,G,P,P", "6 cells"),
        ("Site,read", "expected"),
    ] {
        let fault = fault(line);
        assert!(fault.starts_with("policy.csv:2:") && fault.contains(word), "{fault}");
    }
    let twice = "Site,read,,cde:read,N,D,M,G,P";
    assert!(fault(&format!("{twice}\n{twice}")).starts_with("policy.csv:3:"));
}

#[test]
fn every_line_of_the_policy_is_needed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/src/policy/policy.csv");
    let table = std::fs::read_to_string(path).expect("the table");
    let lines: Vec<&str> = table.lines().collect();
    assert!(Policy::parse(&table).is_ok());
    for (n, line) in lines.iter().enumerate().skip(1) {
        let others: Vec<&str> = [&lines[..n], &lines[n + 1..]].concat();
        let fault = Policy::parse(&others.join("\n")).expect_err(line).to_string();
        let right = line.split(',').take(3).collect::<Vec<&str>>().join(",");
        assert!(fault.contains(&format!("no line for {right},")), "{fault}");
    }
    let never = fault("Site,erase,,cde:write,N,-,-,-,-");
    assert!(never.contains("nothing asks for Site erase"), "{never}");
}

#[test]
fn the_product_s_policy_answers_for_every_role() {
    let policy = Policy::load().expect("a policy");
    assert!(policy.rules().len() > 50);
    for rule in policy.rules() {
        for role in cites::auth::Role::ALL {
            let _ = rule.cell(role);
        }
    }
}

const INTROSPECTION: &str = "{ __schema { types { kind name description enumValues { name description } \
    inputFields { name description } fields { name description args { name description } } } } }";

on_both!(everything_in_the_schema_has_a_description, Small, async |app| {
    let answer = app.public().ask(INTROSPECTION).await;
    let mut bare = Vec::new();
    let mut look = |path: String, of: &Value| {
        if of["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
            bare.push(path);
        }
    };
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    for ty in answer.list("/__schema/types") {
        let name = ty["name"].as_str().unwrap_or_default();
        // introspection's own types, and the one scalar that the library registers without a text
        if name.starts_with("__") || name == "ID" {
            continue;
        }
        look(name.to_owned(), ty);
        for part in list(&ty["enumValues"]).iter().chain(&list(&ty["inputFields"])) {
            look(format!("{name}.{}", part["name"]), part);
        }
        for field in list(&ty["fields"]) {
            look(format!("{name}.{}", field["name"]), &field);
            for argument in list(&field["args"]) {
                look(format!("{name}.{}({})", field["name"], argument["name"]), &argument);
            }
        }
    }
    assert!(bare.is_empty(), "without description: {bare:#?}");
});

/// Types of the platform, which have no word of the programme's. Connections, edges and payloads go with their nouns.
const WITHOUT_TERM: &[&str] = &[
    "Query",
    "Mutation",
    "Subscription",
    "PageInfo",
    "Viewer",
    "QpvAtPoint",
    "UserError",
    "UserErrorCode",
    "OrderDirection",
    "JournalOp",
];

on_both!(every_type_and_enum_of_the_programme_gives_its_french_term, Small, async |app| {
    let answer = app.public().ask("{ __schema { types { kind name description } } }").await;
    let mut bare = Vec::new();
    for ty in answer.list("/__schema/types") {
        let (name, text) =
            (ty["name"].as_str().unwrap_or_default(), ty["description"].as_str().unwrap_or_default());
        let follows = ["Connection", "Edge", "Payload", "OrderField"].iter().any(|end| name.ends_with(end));
        let is_ours =
            matches!(ty["kind"].as_str(), Some("OBJECT" | "ENUM")) && !name.starts_with("__") && !follows;
        if is_ours && !text.contains('«') && !WITHOUT_TERM.contains(&name) {
            bare.push(name.to_owned());
        }
    }
    assert!(bare.is_empty(), "without « term »: {bare:?}");
});

on_both!(one_of_and_specified_by_are_told_to_tools, Small, async |app| {
    let ask = "{ by: __type(name: \"SiteBy\") { isOneOf } filter: __type(name: \"SiteFilter\") { isOneOf }
        siret: __type(name: \"Siret\") { specifiedByURL }
        __schema { directives { name locations } } }";
    let answer = app.public().ask(ask).await;
    assert_eq!((answer.data("/by/isOneOf"), answer.data("/filter/isOneOf")), (&json!(true), &json!(false)));
    assert!(answer.data("/siret/specifiedByURL").as_str().is_some_and(|url| url.starts_with("https://")));
    let deprecated =
        answer.list("/__schema/directives").iter().find(|directive| directive["name"] == "deprecated");
    let locations = deprecated.map(|directive| directive["locations"].to_string()).unwrap_or_default();
    assert!(locations.contains("INPUT_FIELD_DEFINITION") && locations.contains("ARGUMENT_DEFINITION"));
});
