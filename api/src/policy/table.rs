//! The rights table: parsed from `policy.csv`, checked whole, printed for people.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::needed;
use crate::auth::{Role, Scope};

/// The table itself; every right of the product stands there.
const CSV: &str = include_str!("policy.csv");

/// Why the table cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("policy.csv:{line}: {problem}")]
pub struct PolicyError {
    /// Line in the table.
    pub line: usize,
    /// What is wrong, and what was expected.
    pub problem: String,
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }
        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
            /// Its name in the table.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $text,)* } }
            fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Self::$variant),)* _ => None } }
        }
    };
}

named! {
    /// What a right is about.
    Resource {
        /// A site.
        Site = "Site",
        /// A dated step of a site.
        Milestone = "Milestone",
        /// QPV, lineage, territories and other reference data.
        Referential = "Referential",
        /// The link of a site to a QPV.
        SiteQpv = "SiteQpv",
        /// A partner.
        Partner = "Partner",
        /// A partner's seat in a site.
        Seat = "Seat",
        /// A named person of a partner for a site.
        Referent = "Referent",
        /// A governance body.
        GovernanceBody = "GovernanceBody",
        /// A member of a governance body.
        GovernanceMember = "GovernanceMember",
        /// A meeting of a governance body.
        Meeting = "Meeting",
        /// A roadmap.
        Roadmap = "Roadmap",
        /// An axis of a roadmap.
        Axis = "Axis",
        /// An action.
        Action = "Action",
        /// A figure of a site, QPV or action.
        Figure = "Figure",
        /// A national figure.
        NationalFigure = "NationalFigure",
        /// A line of funding.
        FundingLine = "FundingLine",
        /// An import of a client.
        ImportBatch = "ImportBatch",
        /// The change feed.
        ChangeFeed = "ChangeFeed",
        /// An audit event.
        AuditEvent = "AuditEvent",
        /// An API client and its grants.
        ApiClient = "ApiClient",
        /// An address that changes are posted to.
        Webhook = "Webhook",
    }
}

named! {
    /// What is done.
    Verb {
        /// Read.
        Read = "read",
        /// Create.
        Create = "create",
        /// Update.
        Update = "update",
        /// Create, update or end.
        Write = "write",
        /// Move along a lifecycle.
        Transition = "transition",
        /// Take a completed action up again.
        Reopen = "reopen",
        /// Delete.
        Delete = "delete",
        /// Merge two rows.
        Merge = "merge",
        /// Close.
        Close = "close",
        /// Erase personal data.
        Erase = "erase",
        /// Adopt a roadmap.
        Adopt = "adopt",
        /// Validate a figure.
        Validate = "validate",
        /// Withdraw a figure.
        Withdraw = "withdraw",
        /// Replace all rows of a source by a snapshot.
        Snapshot = "snapshot",
    }
}

named! {
    /// The rows that a cell names.
    Territory {
        /// All rows.
        National = "N",
        /// Rows of sites in the caller's départements.
        Departement = "D",
        /// Rows of sites that the caller's départements pilot.
        PilotDepartement = "d",
        /// Rows of sites where the caller's SIREN holds an active seat.
        Member = "M",
        /// The same, as co-pilot, carrier or facilitator.
        SteeringMember = "m",
        /// Rows that came from the caller's source system, on granted sites.
        Source = "S",
        /// Rows of the sites granted to the client.
        Granted = "G",
        /// The client's own rows.
        Own = "O",
        /// Published rows.
        Public = "P",
    }
}

named! {
    /// A further condition on the row.
    Condition {
        /// The site is a candidate.
        Candidate = "candidate",
        /// The row was written by hand.
        NotSynced = "not_synced",
        /// The action is a draft.
        Draft = "draft",
        /// The partner is not a State body.
        NotState = "not_state",
        /// The figure is of an indicator that the client was granted.
        GrantedIndicator = "granted_indicator",
    }
}

/// One way to reach rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Which rows.
    pub territory: Territory,
    /// Under which condition.
    pub condition: Option<Condition>,
}

/// What one role may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Ways, any of which suffices; none refuses.
    pub grants: Vec<Grant>,
    text: String,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it is about.
    pub resource: Resource,
    /// What is done.
    pub verb: Verb,
    /// Field group, empty for the row itself.
    pub group: String,
    /// Scope that the token must hold.
    pub token_scope: Scope,
    cells: Vec<Cell>,
}

impl Rule {
    /// The cell of a role.
    pub fn cell(&self, role: Role) -> &Cell {
        &self.cells[role as usize]
    }
}

/// The compiled table.
#[derive(Debug)]
pub struct Policy {
    rules: Vec<Rule>,
    index: HashMap<(Resource, Verb), Vec<usize>>,
}

/// The columns of the table.
const HEADER: [&str; 9] =
    ["resource", "verb", "group", "token_scope", ROLES[0], ROLES[1], ROLES[2], ROLES[3], ROLES[4]];

/// Order of the role columns; also the order of [`Role`].
const ROLES: [&str; 5] = ["anct", "prefecture", "collectivite", "partner_system", "public"];

impl Policy {
    /// The product's table.
    pub fn load() -> Result<Self, PolicyError> {
        Self::parse(CSV)
    }

    /// Reads a table; any unknown word, missing cell, double line, and any line that is asked for and not there, or
    /// there and never asked for, is an error.
    pub fn parse(csv: &str) -> Result<Self, PolicyError> {
        let mut policy = Self { rules: Vec::new(), index: HashMap::new() };
        if csv.lines().next() != Some(&HEADER.join(",")) {
            return Err(PolicyError {
                line: 1,
                problem: format!("expected the columns {}", HEADER.join(",")),
            });
        }
        for (number, line) in csv.lines().enumerate().skip(1) {
            let fail = |problem: String| PolicyError { line: number + 1, problem };
            let rule = parse_rule(line).map_err(fail)?;
            if policy.rule(rule.resource, rule.verb, &rule.group).is_some() {
                return Err(fail(format!(
                    "{} {} {} stands twice",
                    rule.resource.name(),
                    rule.verb.name(),
                    rule.group
                )));
            }
            if !needed::is_needed(rule.resource, rule.verb, &rule.group) {
                return Err(fail(format!(
                    "nothing asks for {} {} {}; write it into policy/needed.rs once something does",
                    rule.resource.name(),
                    rule.verb.name(),
                    rule.group
                )));
            }
            policy.index.entry((rule.resource, rule.verb)).or_default().push(policy.rules.len());
            policy.rules.push(rule);
        }
        let missing = needed::NEEDED
            .iter()
            .find(|(resource, verb, group)| policy.rule(*resource, *verb, group).is_none());
        if let Some((resource, verb, group)) = missing {
            let problem =
                format!("no line for {},{},{group}, which the code asks for", resource.name(), verb.name());
            return Err(PolicyError { line: csv.lines().count(), problem });
        }
        Ok(policy)
    }

    /// The line of a resource, verb and field group.
    pub fn rule(&self, resource: Resource, verb: Verb, group: &str) -> Option<&Rule> {
        let lines = self.index.get(&(resource, verb))?;
        lines.iter().map(|line| &self.rules[*line]).find(|rule| rule.group == group)
    }

    /// All lines, in the order of the table.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The table for a terminal, in aligned columns.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{:<18}{:<12}{:<13}{:<15}{:<13}{:<13}{:<14}{:<15}{}\n",
            "resource", "verb", "field group", "scope", ROLES[0], ROLES[1], ROLES[2], ROLES[3], ROLES[4]
        );
        for rule in &self.rules {
            let _ = write!(
                text,
                "{:<18}{:<12}{:<13}{:<15}",
                rule.resource.name(),
                rule.verb.name(),
                rule.group,
                rule.token_scope.name()
            );
            for (cell, width) in rule.cells.iter().zip([13, 13, 14, 15, 0]) {
                let _ = write!(text, "{:<width$}", cell.text);
            }
            text.push('\n');
        }
        text
    }

    /// The table for people, in Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from(HEAD);
        for rule in &self.rules {
            let group = if rule.group.is_empty() { "" } else { &rule.group };
            let (resource, verb, scope) = (rule.resource.name(), rule.verb.name(), rule.token_scope.name());
            let _ = write!(text, "| {resource} | {verb} | {group} | `{scope}` |");
            for cell in &rule.cells {
                let _ = write!(text, " {} |", cell.text);
            }
            text.push('\n');
        }
        text
    }
}

const HEAD: &str = "\
# Rights

Generated by `cites rights` from `api/src/policy/policy.csv`, the one place where rights are decided.

A cell names rows: **N** all · **D** of sites in my départements · **d** of sites my départements pilot ·
**M** of sites where my SIREN holds an active seat · **m** the same as co-pilot, carrier or facilitator ·
**S** from my source system, on granted sites · **G** of sites granted to my client · **O** my client's own ·
**P** published · **-** none. `+` joins two, `:` adds a condition on the row. What the public reads, every role
reads. A field group narrows a line to some fields; whom it refuses sees null there. A write also needs a site
that is neither closed nor withdrawn, except for `anct`, and for late figures of a closed one from `prefecture`.
The token must hold the scope of the line; to write grants, `cde:write` too.

| resource | verb | field group | scope | anct | prefecture | collectivite | partner_system | public |
|---|---|---|---|---|---|---|---|---|
";

fn parse_rule(line: &str) -> Result<Rule, String> {
    let columns: Vec<&str> = line.split(',').map(str::trim).collect();
    let [resource, verb, group, scope, cells @ ..] = columns.as_slice() else {
        return Err("expected resource,verb,group,token_scope and a cell for each role".to_owned());
    };
    if cells.len() != ROLES.len() {
        return Err(format!("{} cells, expected one for each of {}", cells.len(), ROLES.join(", ")));
    }
    let parsed: Result<Vec<Cell>, String> = cells
        .iter()
        .zip(ROLES)
        .map(|(text, role)| parse_cell(text).map_err(|word| missing(role, word)))
        .collect();
    Ok(Rule {
        resource: Resource::parse(resource).ok_or_else(|| format!("unknown resource {resource:?}"))?,
        verb: Verb::parse(verb).ok_or_else(|| format!("unknown verb {verb:?}"))?,
        group: (*group).to_owned(),
        token_scope: Scope::from_name(scope).ok_or_else(|| format!("unknown token scope {scope:?}"))?,
        cells: parsed?,
    })
}

fn missing(role: &str, word: &str) -> String {
    format!("cell of {role} is {word:?}, expected - or scopes such as D, G+S or d:candidate")
}

fn parse_cell(text: &str) -> Result<Cell, &str> {
    if text == "-" {
        return Ok(Cell { grants: Vec::new(), text: text.to_owned() });
    }
    let grants: Result<Vec<Grant>, &str> =
        text.split('+').map(|part| parse_grant(part).ok_or(part)).collect();
    Ok(Cell { grants: grants?, text: text.to_owned() })
}

fn parse_grant(part: &str) -> Option<Grant> {
    let (territory, condition) = match part.split_once(':') {
        Some((territory, condition)) => (territory, Some(Condition::parse(condition)?)),
        None => (part, None),
    };
    Some(Grant { territory: Territory::parse(territory)?, condition })
}
