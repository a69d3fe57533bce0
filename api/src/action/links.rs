//! Links of an action to QPV and partners, as an input gives them.

use std::collections::HashSet;

use async_graphql::Value;
use entity::{action_partner, action_qpv, partner, qpv, site_qpv};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::graphql::scalars::{Parsed, Scalar};
use crate::ids;
use crate::write::{Failure, Input, Problem, ProblemCode, Writing};

/// Links of an action as an input gives them; `None` leaves them.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    pub qpvs: Option<Vec<Uuid>>,
    pub partners: Option<Vec<Uuid>>,
}

impl Links {
    /// Reads `qpvs` and `partners` of an action, and notes what is not of the site.
    pub async fn read(
        writing: Writing<'_>,
        input: &Input<'_>,
        site: Uuid,
        action: Uuid,
    ) -> Result<Self, Failure> {
        let qpvs = match input.given("qpvs") {
            Some(Value::List(codes)) => Some(site_qpvs(writing, input, (site, action), codes).await?),
            Some(_) => Some(Vec::new()),
            None => None,
        };
        let partners = match input.given("partners") {
            Some(Value::List(ids)) => Some(partners(writing, input, site, ids).await?),
            Some(_) => Some(Vec::new()),
            None => None,
        };
        Ok(Self { qpvs, partners })
    }
}

impl Links {
    /// Names of the links of a new action.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let is_some = |links: &Option<Vec<Uuid>>| links.as_ref().is_some_and(|links| !links.is_empty());
        let qpvs = is_some(&self.qpvs).then_some("qpvs");
        qpvs.into_iter().chain(is_some(&self.partners).then_some("partners"))
    }

    /// Names of the links that are given and differ from those of an action.
    pub async fn that_differ(
        &self,
        writing: Writing<'_>,
        action: Uuid,
    ) -> Result<Vec<&'static str>, Failure> {
        let mut names = Vec::new();
        if let Some(qpvs) = &self.qpvs {
            let known = action_qpv::Entity::find().filter(action_qpv::Column::ActionId.eq(action));
            let known: HashSet<Uuid> =
                known.all(writing.tx).await?.into_iter().map(|link| link.qpv_id).collect();
            if known != qpvs.iter().copied().collect() {
                names.push("qpvs");
            }
        }
        if let Some(partners) = &self.partners {
            let known = action_partner::Entity::find().filter(action_partner::Column::ActionId.eq(action));
            let known: HashSet<Uuid> =
                known.all(writing.tx).await?.into_iter().map(|link| link.partner_id).collect();
            if known != partners.iter().copied().collect() {
                names.push("partners");
            }
        }
        Ok(names)
    }
}

/// Those of the site today. One that left its perimeter stays where it is already.
async fn site_qpvs(
    writing: Writing<'_>,
    input: &Input<'_>,
    (site, action): (Uuid, Uuid),
    codes: &[Value],
) -> Result<Vec<Uuid>, Failure> {
    let codes: Vec<String> = codes
        .iter()
        .filter_map(|code| match Scalar::QpvCode.parse(code) {
            Ok(Parsed::Text(text)) => Some(text),
            _ => None,
        })
        .collect();
    let known = qpv::Entity::find().filter(qpv::Column::Code.is_in(codes.clone())).all(writing.tx).await?;
    let of_site = site_qpv::Entity::find()
        .filter(site_qpv::Column::SiteId.eq(site))
        .filter(site_qpv::Column::EndsOn.is_null());
    let of_action = action_qpv::Entity::find().filter(action_qpv::Column::ActionId.eq(action));
    let of_site = of_site.all(writing.tx).await?.into_iter().map(|link| link.qpv_id);
    let of_action = of_action.all(writing.tx).await?.into_iter().map(|link| link.qpv_id);
    let admitted: HashSet<Uuid> = of_site.chain(of_action).collect();
    let mut found = Vec::new();
    for (index, code) in codes.iter().enumerate() {
        match known.iter().find(|row| row.code == *code) {
            None => {
                let message = format!("no QPV has the code {code}");
                input.problem(Problem::at(ProblemCode::UnknownCode, "qpvs", message).then(index));
            }
            Some(row) if !admitted.contains(&row.id) => {
                let message = format!("{code} is not in the perimeter of the site");
                input.problem(Problem::at(ProblemCode::Rule, "qpvs", message).then(index));
            }
            Some(row) if !found.contains(&row.id) => found.push(row.id),
            Some(_) => {}
        }
    }
    Ok(found)
}

async fn partners(
    writing: Writing<'_>,
    input: &Input<'_>,
    site: Uuid,
    given: &[Value],
) -> Result<Vec<Uuid>, Failure> {
    let mut found: Vec<Uuid> = Vec::new();
    for (index, value) in given.iter().enumerate() {
        match active_partner(writing, value).await? {
            Ok(id) if !found.contains(&id) => {
                if let Some(problem) = crate::partner::own_seat(writing, site, id).await? {
                    input.problem(problem.then(index));
                }
                found.push(id);
            }
            Ok(_) => {}
            Err(why) => input.problem(Problem::at(ProblemCode::NotFound, "partners", why).then(index)),
        }
    }
    Ok(found)
}

/// The partner that a value names, or why it takes no part.
pub(super) async fn active_partner(
    writing: Writing<'_>,
    value: &Value,
) -> Result<Result<Uuid, String>, Failure> {
    let none = Err("there is no such partner".to_owned());
    let Value::String(text) = value else { return Ok(none) };
    let Some(id) = ids::decode(text).ok().filter(|(prefix, _)| *prefix == "partner").map(|(_, id)| id) else {
        return Ok(none);
    };
    // a merge waits until this is written, and then moves it too
    let found = partner::Entity::find_by_id(id)
        .filter(partner::Column::DeletedAt.is_null())
        .lock(LockType::KeyShare)
        .one(writing.tx)
        .await?;
    Ok(found.map_or(none, |row| crate::partner::gone(&row).map_or(Ok(row.id), Err)))
}
