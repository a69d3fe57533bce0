//! The matrix of the domain, copied by hand in its own words, against the table that the product loads: a wrong cell
//! fails here, whatever the code makes of it.

use cites::auth::{Role, Scope};
use cites::policy::{Condition, Grant, Policy, Territory};

/// The rows of the domain's matrix: resource, verb, field group, scope of the token, then a cell each for anct,
/// préfecture, collectivité, partner system, public. `+P` is implied on reads.
const MATRIX: &str = "
Site | read | | read | N | D | M | granted | P
Site | create | | write | N | D, as CANDIDATE | - | - | -
Site | update | descriptive | write | N | d | m | - | -
Site | update | label | write | N | - | - | - | -
Site | update | communes | write | N | d while CANDIDATE | - | - | -
Site | transition | | write | N | d: submit, request only | - | - | -
Site | delete | | write | N, only CANDIDATE | - | - | - | -
Referential | read | | read | N | N | N | N | P
Referential | write | | write | N | - | - | - | -
SiteQpv | write | | write | N | d while CANDIDATE | - | - | -
Partner | read | | read | N | N | N | N | P
Partner | create | | write | N | yes | yes | S | -
Partner | update | | write | N | d | m, not of a State kind | S | -
Partner | merge | | write | N | - | - | - | -
Partner | close | | write | N | - | - | - | -
Seat | write | member | write | N | d | m | - | -
Seat | write | steering | write | N | d | - | - | -
Referent | read | | referents | N | D | M | - | -
Referent | write | | write | N | d | m | - | -
Referent | erase | | write | N | d | m | - | -
GovernanceBody | read | | read | N | D | M | - | P
Meeting | read | | read | N | D | M | - | -
GovernanceBody | write | | write | N | d | m | - | -
Meeting | write | | write | N | d | m | - | -
Roadmap | read | | read | N | D | M | granted | P
Axis | read | | read | N | D | M | granted | P
Roadmap | write | | write | N | d | m | - | -
Axis | write | | write | N | d | m | - | -
Roadmap | adopt | | write | N | d | - | - | -
Action | read | | read | N | D | M | S | P
Action | create | | write | N | d | m | S | -
Action | update | source | write | N | d if not synced | m if not synced | S | -
Action | update | local | write | N | d | m | - | -
Action | reopen | | write | N | d | - | - | -
Action | delete | | write | N | d, DRAFT | m, DRAFT | S | -
Figure | read | | read | N | D | M | granted + S | P
Figure | write | | write | N | d | m | S | -
Figure | write | indicator | write | N | d | m | S, granted indicators | -
Figure | validate | | write | N | d | - | - | -
Figure | withdraw | | write | N | - | - | - | -
NationalFigure | write | | write | N | - | - | - | -
FundingLine | read | | read | N | D | M | - | -
FundingLine | write | | write | N | d | - | - | -
ImportBatch | create | | import | N | d | m | S | -
ImportBatch | read | | read | N | own | own | own | -
ImportBatch | snapshot | | import | N | - | - | S | -
ChangeFeed | read | | read | N | D | M | granted + S | -
AuditEvent | read | | admin | N | D | - | own | -
AuditEvent | read | actor | admin | N | - | - | own | -
ApiClient | read | | admin | N | - | - | - | -
ApiClient | write | | admin | N | - | - | - | -
Webhook | read | | read | N | - | - | own | -
Webhook | write | | write | N | - | - | own | -
";

/// Rows that the matrix says in other words, or leaves to what they hang on.
const BESIDE: &str = "
Action | transition | | write | N | d if not synced | m if not synced | S | -
Milestone | read | | read | N | D | M | granted | P
SiteQpv | read | | read | N | D | M | granted | P
Seat | read | | read | N | D | M | granted | P
Partner | read | restricted | read | N | N | N | N | -
GovernanceBody | read | restricted | read | N | D | M | - | -
GovernanceMember | read | | read | N | D | M | - | -
";

/// What a cell of the matrix lets a role reach.
fn meaning(cell: &str) -> Vec<(Territory, Option<Condition>)> {
    use Condition::{Candidate, Draft, GrantedIndicator, NotState, NotSynced};
    use Territory as T;
    match cell {
        "-" => vec![],
        "N" | "yes" => vec![(T::National, None)],
        "N, only CANDIDATE" => vec![(T::National, Some(Candidate))],
        "D" => vec![(T::Departement, None)],
        "D, as CANDIDATE" => vec![(T::Departement, Some(Candidate))],
        "d" => vec![(T::PilotDepartement, None)],
        "d while CANDIDATE" | "d: submit, request only" => vec![(T::PilotDepartement, Some(Candidate))],
        "d if not synced" => vec![(T::PilotDepartement, Some(NotSynced))],
        "d, DRAFT" => vec![(T::PilotDepartement, Some(Draft))],
        "M" => vec![(T::Member, None)],
        "m" => vec![(T::SteeringMember, None)],
        "m if not synced" => vec![(T::SteeringMember, Some(NotSynced))],
        "m, DRAFT" => vec![(T::SteeringMember, Some(Draft))],
        "m, not of a State kind" => vec![(T::SteeringMember, Some(NotState))],
        "S" => vec![(T::Source, None)],
        "S, granted indicators" => vec![(T::Source, Some(GrantedIndicator))],
        "granted" => vec![(T::Granted, None)],
        "granted + S" => vec![(T::Granted, None), (T::Source, None)],
        "own" => vec![(T::Own, None)],
        "P" => vec![(T::Public, None)],
        other => panic!("no meaning for {other:?}"),
    }
}

/// The cells of the rows, in words, by resource, verb, group and scope.
fn rows() -> Vec<(String, Vec<&'static str>)> {
    let lines = MATRIX.lines().chain(BESIDE.lines()).filter(|line| !line.is_empty());
    let rows = lines.map(|line| {
        let words: Vec<&str> = line.split('|').map(str::trim).collect();
        (words[..4].join(" "), words[4..].to_vec())
    });
    rows.collect()
}

#[test]
fn the_table_is_the_matrix_of_the_domain() {
    let (policy, rows) = (Policy::load().expect("a policy"), rows());
    let scope = |scope: Scope| scope.name().trim_start_matches("cde:");
    let named = |rule: &cites::policy::Rule| {
        [rule.resource.name(), rule.verb.name(), &rule.group, scope(rule.token_scope)].join(" ")
    };
    let loaded: Vec<String> = policy.rules().iter().map(named).collect();
    for (name, _) in &rows {
        assert_eq!(loaded.iter().filter(|known| *known == name).count(), 1, "{name:?}");
    }
    for (rule, name) in policy.rules().iter().zip(&loaded) {
        let (_, words) = rows.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name:?}"));
        assert_eq!(words.len(), Role::ALL.len(), "{name:?}");
        for (role, word) in Role::ALL.into_iter().zip(words) {
            let told: Vec<_> = rule
                .cell(role)
                .grants
                .iter()
                .map(|Grant { territory, condition }| (*territory, *condition))
                .collect();
            assert_eq!(told, meaning(word), "{name:?} of {}", role.name());
        }
    }
}
