//! `actionStatistics`: actions counted by up to three dimensions, within the caller's reach.
//!
//! Actions are first counted by site and by the dimensions they carry themselves, then the few rows that remain
//! are joined to the dimensions of their sites. An action with several categories or QPV counts in each group.

use async_graphql::dynamic::TypeRef;
use async_graphql::{Name, Value};

use crate::db::{KeyType, Kind, Sql};
use crate::error::{ApiError, Code};
use crate::figure;
use crate::graphql::scalars::Scalar;
use crate::limits;
use crate::policy::{Resource, Verb};
use crate::read::coerce::Arguments;
use crate::read::common::enumeration;
use crate::read::declare::{EnumType, Field, Leaf, Noun, On, Relation, computed, group, one_by};
use crate::read::level::Term;
use crate::read::model::{Argument, Extras, RootField};
use crate::read::plan::{Planner, RootPlan, internal};
use crate::read::select::Selected;
use crate::read::shape::Out;

const DIMENSION: EnumType = EnumType {
    name: "ActionDimension",
    description: "What actions are grouped by (« axe d'analyse »).",
    values: &[
        ("SITE", "Their site."),
        ("DEPARTEMENT", "The « départements » of their site; an action counts in each."),
        ("REGION", "The regions of their site; an action counts in each."),
        (
            "QPV",
            "The « QPV » they name; an action counts in each. One that names none counts under none here, although it is \
             for all QPV of its site, and `Qpv.actions` lists it under each of them.",
        ),
        ("PILLAR", "Their national pillar (« pilier »)."),
        ("CATEGORY", "Their categories; an action counts in each."),
        ("STATUS", "Their status."),
        ("PARTNER_KIND", "The kind of the partner that leads them."),
        ("SOURCE", "The system they come from."),
        ("QUARTER", "The calendar quarter in which they start; null where only the year is known."),
        ("YEAR", "The year in which they start."),
    ],
};

/// A dimension: its column in the result, and how it is held.
const COLUMNS: [(&str, &str, Kind); 11] = [
    ("SITE", "site_id", Kind::Uuid),
    ("DEPARTEMENT", "departement_code", Kind::Text),
    ("REGION", "region_code", Kind::Text),
    ("QPV", "qpv_id", Kind::Uuid),
    ("PILLAR", "pillar", Kind::Text),
    ("CATEGORY", "category", Kind::Text),
    ("STATUS", "status", Kind::Text),
    ("PARTNER_KIND", "partner_kind", Kind::Text),
    ("SOURCE", "source_system", Kind::Text),
    ("QUARTER", "quarter", Kind::Text),
    ("YEAR", "year", Kind::Int),
];

/// The root field and its argument's enum.
pub fn extras() -> Extras {
    let arguments = vec![
        Argument::new(
            "groupBy",
            TypeRef::named_nn_list_nn(DIMENSION.name),
            "Up to three dimensions; none counts all together.",
        ),
        Argument::new("filter", TypeRef::named("ActionFilter"), "Only actions that meet these conditions."),
    ];
    let root = RootField {
        name: "actionStatistics",
        description: "Actions counted by group, in the order of the groups.".to_owned(),
        arguments,
        ty: TypeRef::named_nn_list_nn("ActionStatistic"),
        plan: RootPlan::Custom(plan),
    };
    Extras { roots: vec![root], enums: vec![DIMENSION], ..Extras::default() }
}

/// A row of the statistics, read from the table that the plan writes.
pub fn noun() -> Noun {
    let mut noun = Noun::of_table(
        "ActionStatistic",
        "statistic",
        Resource::Action,
        "Actions of one group, counted (« statistiques »).",
    );
    noun.fields = vec![
        group("group", "ActionGroup", None, group_fields(), "What the actions have in common (« regroupement »); null where not grouped by."),
        count("actionCount", |sql, _, t| push(sql, t, ".action_count"), "Actions."),
        count("innovativeCount", |sql, _, t| push(sql, t, ".innovative_count"), "Innovative actions."),
        count("siteCount", |sql, _, t| push(sql, t, ".site_count"), "Sites with at least one of them."),
        computed(
            "beneficiaryCount",
            Kind::Decimal,
            Scalar::Decimal,
            |sql, _, t| push(sql, t, ".beneficiary_count"),
            "Beneficiaries, summed over the figures of the actions, without those masked to the caller (fewer than 5); \
             null where there are none, or where they come from several sources or kinds of period.",
        )
        .nullable(),
    ];
    noun
}

fn push(sql: &mut Sql, alias: &str, column: &str) {
    sql.push(alias).push(column);
}

fn count(
    name: &'static str,
    expression: crate::read::declare::Expression,
    description: &'static str,
) -> Field {
    computed(name, Kind::BigInt, Scalar::Int, expression, description)
}

fn group_fields() -> Vec<Field> {
    let value = |name, leaf: Leaf, expression, description| {
        let kind = if name == "year" { Kind::Int } else { Kind::Text };
        computed(name, kind, leaf, expression, description).nullable()
    };
    let to = |target, key, key_type, column| Relation {
        target,
        key,
        key_type,
        on: On::Column(column),
        required: false,
    };
    vec![
        one_by("site", to("Site", "site_id", KeyType::Uuid, "id"), "The site."),
        one_by(
            "departement",
            to("Departement", "departement_code", KeyType::Text, "code"),
            "The « département ».",
        ),
        one_by("region", to("Region", "region_code", KeyType::Text, "code"), "The region."),
        one_by("qpv", to("Qpv", "qpv_id", KeyType::Uuid, "id"), "The « QPV »."),
        value("pillar", enumeration!(Pillar).into(), |sql, _, t| push(sql, t, ".pillar"), "The pillar."),
        value(
            "category",
            enumeration!(ActionCategory).into(),
            |sql, _, t| push(sql, t, ".category"),
            "The category.",
        ),
        value(
            "status",
            enumeration!(ActionStatus).into(),
            |sql, _, t| push(sql, t, ".status"),
            "The status.",
        ),
        value(
            "partnerKind",
            enumeration!(PartnerKind).into(),
            |sql, _, t| push(sql, t, ".partner_kind"),
            "The kind of the leading partner.",
        ),
        value(
            "source",
            Scalar::String.into(),
            |sql, _, t| push(sql, t, ".source_system"),
            "The source system.",
        ),
        value("quarter", Scalar::PartialDate.into(), |sql, _, t| push(sql, t, ".quarter"), "The quarter."),
        value("year", Scalar::Int.into(), |sql, _, t| push(sql, t, ".year"), "The year."),
    ]
}

fn plan<'p>(
    planner: &mut Planner<'p>,
    selected: &Selected<'p>,
    arguments: &Arguments,
) -> Result<Out, ApiError> {
    let dimensions = dimensions(arguments)?;
    let asked = planner.document.fields(&selected.sets, &|on| on == "ActionStatistic");
    let beneficiaries = asked.iter().any(|field| field.name == "beneficiaryCount");
    let statistic = planner.noun("ActionStatistic")?;
    let order = dimensions
        .iter()
        .filter_map(|name| COLUMNS.iter().find(|(known, ..)| known == name))
        .map(|(_, column, kind)| Term {
            expression: format!("t.{column}"),
            kind: *kind,
            descending: false,
            nullable: true,
        })
        .collect();
    let filter = arguments.get("filter").cloned().unwrap_or(Value::Null);
    let (conditions, sql, filter_points) = planner.conditions("Action", &filter)?;
    let query = Query { planner, dimensions: &dimensions, beneficiaries, conditions };
    let mut sql = sql;
    let from = sql.piece(|sql| query.table(sql));
    let out = planner.table(statistic, from, sql, order, limits::STATISTICS_ROWS, selected)?;
    if let Out::List { level, .. } = &out
        && let Some(level) = planner.levels.get_mut(*level)
    {
        level.filter_points = filter_points;
    }
    Ok(out)
}

fn dimensions(arguments: &Arguments) -> Result<Vec<Name>, ApiError> {
    let Some(Value::List(given)) = arguments.get("groupBy") else {
        return Err(internal("groupBy is missing"));
    };
    let mut dimensions: Vec<Name> = Vec::new();
    for value in given {
        if let Value::Enum(name) = value
            && !dimensions.contains(name)
        {
            dimensions.push(name.clone());
        }
    }
    if dimensions.len() > limits::GROUP_BY_MAX {
        let message = format!("{} dimensions, at most {} are taken", dimensions.len(), limits::GROUP_BY_MAX);
        return Err(ApiError::new(Code::LimitExceeded, message).in_field("groupBy"));
    }
    Ok(dimensions)
}

/// Writes the table of the statistics.
struct Query<'q, 'p> {
    planner: &'q Planner<'p>,
    dimensions: &'q [Name],
    beneficiaries: bool,
    conditions: Vec<String>,
}

impl Query<'_, '_> {
    fn by(&self, dimension: &str) -> bool {
        self.dimensions.iter().any(|name| name == dimension)
    }

    fn table(&self, sql: &mut Sql) {
        let mut selected = Vec::new();
        let mut grouped = Vec::new();
        for (name, column, kind) in COLUMNS {
            if self.by(name) {
                let expression = Self::outer(name, column);
                selected.push(format!("{expression} AS {column}"));
                grouped.push(expression);
            } else {
                let null = sql.piece(|sql| match kind {
                    Kind::Int => {
                        sql.push("CAST(NULL AS INTEGER)");
                    }
                    Kind::Uuid => sql.null_uuid(),
                    _ => {
                        sql.push("CAST(NULL AS TEXT)");
                    }
                });
                selected.push(format!("{null} AS {column}"));
            }
        }
        sql.push("(SELECT ").push(&selected.join(", "));
        sql.push(", CAST(coalesce(sum(i.n), 0) AS BIGINT) AS action_count");
        sql.push(", CAST(coalesce(sum(i.innovative), 0) AS BIGINT) AS innovative_count");
        sql.push(", count(DISTINCT i.site_id) AS site_count, ").push(self.beneficiary_count());
        sql.push(" AS beneficiary_count FROM (");
        self.inner(sql);
        sql.push(") i").push(&self.site_joins());
        if !grouped.is_empty() {
            sql.push(" GROUP BY ").push(&grouped.join(", "));
        }
        sql.push(") t");
    }

    fn outer(dimension: &str, column: &str) -> String {
        match dimension {
            "DEPARTEMENT" => "sd.departement_code".to_owned(),
            "REGION" => "sd.region_code".to_owned(),
            _ => format!("i.{column}"),
        }
    }

    /// Dimensions of the site, one row per site and group.
    fn site_joins(&self) -> String {
        let columns = match (self.by("DEPARTEMENT"), self.by("REGION")) {
            (false, false) => return String::new(),
            (true, _) => "site_id, departement_code, region_code",
            (false, true) => "site_id, region_code",
        };
        format!(" LEFT JOIN (SELECT DISTINCT {columns} FROM site_departement) sd ON sd.site_id = i.site_id")
    }

    /// A sum over one source and one kind of period, else nothing.
    fn beneficiary_count(&self) -> &'static str {
        if !self.beneficiaries {
            return "NULL";
        }
        "CASE WHEN min(i.first_kind) = max(i.last_kind) THEN sum(i.beneficiaries) END"
    }

    /// Actions counted by site and by the dimensions they carry.
    fn inner(&self, sql: &mut Sql) {
        let mut joins = String::new();
        let mut dimensions = vec![("t.site_id".to_owned(), "site_id")];
        if self.by("QPV") {
            joins.push_str(" LEFT JOIN action_qpv aq ON aq.action_id = t.id");
            dimensions.push(("aq.qpv_id".to_owned(), "qpv_id"));
        }
        if self.by("CATEGORY") {
            joins.push_str(&sql.piece(|sql| sql.left_join_list("t.categories", "ac")));
            dimensions.push(("ac.value".to_owned(), "category"));
        }
        if self.by("PARTNER_KIND") {
            joins.push_str(" LEFT JOIN partner lp ON lp.id = t.lead_partner_id");
            dimensions.push(("lp.kind".to_owned(), "partner_kind"));
        }
        for (name, column) in [("PILLAR", "pillar"), ("STATUS", "status"), ("SOURCE", "source_system")] {
            if self.by(name) {
                dimensions.push((format!("t.{column}"), column));
            }
        }
        if self.by("QUARTER") {
            let quarter = sql.piece(|sql| sql.quarter("t.starts_from"));
            // of a mere year the first day says nothing about the quarter
            let known = format!("CASE WHEN length(t.starts_on) > 4 THEN {quarter} END");
            dimensions.push((known, "quarter"));
        }
        if self.by("YEAR") {
            dimensions.push((sql.piece(|sql| sql.year("t.starts_from")), "year"));
        }
        let selected: Vec<String> = dimensions.iter().map(|(from, to)| format!("{from} AS {to}")).collect();
        sql.push("SELECT ").push(&selected.join(", "));
        sql.push(", count(*) AS n, count(*) FILTER (WHERE t.innovative) AS innovative");
        if self.beneficiaries {
            sql.push(", sum(fb.total) AS beneficiaries, min(fb.first_kind) AS first_kind, max(fb.last_kind) AS last_kind");
        }
        sql.push(" FROM action t").push(&joins);
        if self.beneficiaries {
            self.join_figures(sql);
        }
        if !self.conditions.is_empty() {
            sql.push(" WHERE ").push(&self.conditions.join(" AND "));
        }
        let grouped: Vec<&str> = dimensions.iter().map(|(from, _)| from.as_str()).collect();
        sql.push(" GROUP BY ").push(&grouped.join(", "));
    }

    fn join_figures(&self, sql: &mut Sql) {
        // `2023-Q1` and `2023-03` are of one length
        let kind = "f.origin || '/' || CASE WHEN f.period LIKE '%Q%' THEN 'quarter' ELSE \
                    CAST(coalesce(length(f.period), 0) AS TEXT) END";
        sql.push(" LEFT JOIN (SELECT f.action_id, sum(");
        figure::shown_value(sql, self.planner.viewer, "f");
        sql.push(") AS total, min(").push(kind);
        sql.push(") AS first_kind, max(").push(kind);
        sql.push(
            ") AS last_kind FROM figure f WHERE f.subject = 'ACTION' AND f.indicator = 'BENEFICIARY_COUNT'",
        );
        sql.push(" AND f.status IN ('PROVISIONAL', 'VALIDATED') AND f.deleted_at IS NULL AND ");
        self.planner.viewer.authorize(Resource::Figure, Verb::Read, "").expression(sql, "f");
        sql.push(" GROUP BY f.action_id) fb ON fb.action_id = t.id");
    }
}
