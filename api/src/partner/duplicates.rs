//! `partnerDuplicates`: partners that may be one. They are reported, never merged by the machine.

use async_graphql::dynamic::TypeRef;

use crate::db::{KeyType, Kind, Sql};
use crate::error::ApiError;
use crate::limits;
use crate::policy::{Resource, Verb};
use crate::read::coerce::Arguments;
use crate::read::declare::{EnumType, Noun, On, Relation, computed, one_by};
use crate::read::level::Term;
use crate::read::model::{Extras, RootField};
use crate::read::plan::{Planner, RootPlan};
use crate::read::select::Selected;
use crate::read::shape::Out;

const REASON: EnumType = EnumType {
    name: "DuplicateReason",
    description: "Why two partners may be one (« motif de doublon »).",
    values: &[
        ("SIRET", "Same SIRET and kind."),
        ("NAME", "Same name, apart from case and accents, and same commune."),
    ],
};

/// A pair of partners.
pub fn noun() -> Noun {
    let to = |key| Relation {
        target: "Partner",
        key,
        key_type: KeyType::Uuid,
        on: On::Column("id"),
        required: false,
    };
    let mut noun = Noun::of_table(
        "PartnerDuplicate",
        "duplicate",
        Resource::Partner,
        "Two partners that may be one (« doublon »).",
    );
    noun.fields = vec![
        one_by("first", to("first_id"), "The one created first; `mergePartner` keeps what it merges into."),
        one_by("second", to("second_id"), "The other."),
        computed(
            "reason",
            Kind::Text,
            REASON,
            |sql, _, t| {
                sql.push(t).push(".reason");
            },
            "Why they may be one.",
        ),
    ];
    noun
}

/// The root field.
pub fn extras() -> Extras {
    let root = RootField {
        name: "partnerDuplicates",
        description: "Pairs of active partners that may be one (« doublons »); none for the public."
            .to_owned(),
        arguments: Vec::new(),
        ty: TypeRef::named_nn_list_nn("PartnerDuplicate"),
        plan: RootPlan::Custom(plan),
    };
    Extras { roots: vec![root], ..Extras::default() }
}

fn plan<'p>(planner: &mut Planner<'p>, selected: &Selected<'p>, _: &Arguments) -> Result<Out, ApiError> {
    let noun = planner.noun("PartnerDuplicate")?;
    let (_, mut sql, _) = planner.conditions("Partner", &async_graphql::Value::Null)?;
    let viewer = planner.viewer;
    let from = sql.piece(|sql| table(sql, viewer));
    let term = |column: &str| Term {
        expression: format!("t.{column}"),
        kind: Kind::Uuid,
        descending: false,
        nullable: false,
    };
    let order = vec![term("first_id"), term("second_id")];
    planner.table(noun, from, sql, order, limits::STATISTICS_ROWS, selected)
}

fn table(sql: &mut Sql, viewer: &crate::policy::Viewer) {
    sql.push("(SELECT a.id AS first_id, b.id AS second_id, CASE WHEN a.siret = b.siret AND a.kind = b.kind THEN 'SIRET' ");
    sql.push(
        "ELSE 'NAME' END AS reason FROM partner a JOIN partner b ON a.id < b.id AND ((a.siret = b.siret AND ",
    );
    sql.push("a.kind = b.kind) OR (a.name_search = b.name_search AND a.commune_code = b.commune_code)) ");
    sql.push("WHERE a.deleted_at IS NULL AND b.deleted_at IS NULL AND a.status = 'ACTIVE' AND b.status = 'ACTIVE' AND ");
    // the SIRET is not for everybody, and so are pairs made from it
    viewer.authorize(Resource::Partner, Verb::Read, "restricted").expression(sql, "a");
    sql.push(") t");
}
