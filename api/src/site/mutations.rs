//! Mutations of sites: their description, their label data, their milestones, their end.

use entity::enums::{Audience, AudiencePolicy, SiteScale, SiteStatus};
use entity::{site, site_commune, site_departement};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::territory::Territory;
use super::{delete, lifecycle, milestones, perimeter};
use crate::auth::Role;
use crate::graphql::scalars::Scalar;
use crate::journal::Lost;
use crate::policy::{Resource, Verb};
use crate::read::model::Argument;
use crate::write::declare::{expected_version, id_of, optional, required, several};
use crate::write::input::Patch;
use crate::write::row::{new_row, next_row, take};
use crate::write::{Change, Failure, Input, Mutation, Problem, ProblemCode, Resources, Target, Writing};

pub(super) const TARGET: Target = Target { field: "site", noun: "Site" };

/// The mutations of this file.
pub fn mutations() -> Vec<Mutation> {
    let communes = || {
        several(
            "communes",
            "CommuneCode",
            "Communes it works in, at least one; its « départements » and EPCI follow.",
        )
    };
    vec![
        Mutation::new(
            "createSite",
            TARGET,
            "Files a candidate. The « départements » of the préfecture that files it steer it; all of its own, when ANCT \
             does.",
            [vec![required("name", "String", "Name, 3 to 150 characters."), communes()], fields()].concat(),
            |writing, input| Box::pin(create(writing, input)),
        ),
        Mutation::new(
            "updateSite",
            TARGET,
            "Changes the description of a site.",
            [
                vec![
                    id_of("site"),
                    expected_version(),
                    optional("name", "String", "Name, 3 to 150 characters."),
                ],
                fields(),
            ]
            .concat(),
            |writing, input| Box::pin(update(writing, input)),
        ),
        Mutation::new(
            "setSiteLabel",
            TARGET,
            "Sets what ANCT alone decides: code, wave, steering « départements »; and the communes.",
            [
                id_of("site"),
                expected_version(),
                optional("code", "SiteCode", "Official code `cde-NNN`; given once, never to another site."),
                optional("wave", "Int", "Year of its wave of labels (« vague »): 2020 or 2021."),
                several(
                    "pilotDepartements",
                    "DepartementCode",
                    "« Départements » that steer it, among its own.",
                ),
                communes(),
            ],
            |writing, input| Box::pin(set_label(writing, input)),
        ),
        Mutation::new(
            "setSiteMilestone",
            TARGET,
            "Adds a dated step to a site, or changes the one of that kind and start.",
            [
                id_of("site"),
                expected_version(),
                required("kind", "MilestoneKind", "Which step."),
                required("start", "PartialDate", "When it was, or began."),
                optional("end", "PartialDate", "When it ended."),
                optional("label", "String", "Wording of the source, up to 500 characters."),
            ],
            |writing, input| Box::pin(milestones::set(writing, input)),
        ),
        Mutation::new(
            "removeSiteMilestone",
            TARGET,
            "Removes a dated step of a site, by its kind and start.",
            [
                id_of("site"),
                expected_version(),
                required("kind", "MilestoneKind", "Which step."),
                required("start", "PartialDate", "Its start."),
            ],
            |writing, input| Box::pin(milestones::remove(writing, input)),
        ),
        Mutation::new(
            "deleteSite",
            TARGET,
            "Deletes a candidate that was never labelled, with all that hangs on it; referents are erased. The payload \
             shows null.",
            [id_of("site"), expected_version()],
            |writing, input| Box::pin(delete::delete(writing, input)),
        )
        .scrubs(crate::partner::PERSONAL),
    ]
}

fn fields() -> Vec<Argument> {
    vec![
        optional("scale", "SiteScale", "Extent of the territory (« échelle »)."),
        optional("audiencePolicy", "AudiencePolicy", "Whether it addresses particular audiences."),
        several("audiences", "Audience", "Its audiences; only with TARGETED."),
        optional("audienceNote", "String", "Its audience in its own words, up to 500 characters."),
        several(
            "contratVilleCodes",
            "ContratVilleCode",
            "Codes of its local contracts (« contrats de ville »).",
        ),
        optional("successorNote", "String", "What came after it, up to 500 characters."),
    ]
}

pub(super) fn rights(verb: Verb, group: &'static str) -> Resources {
    Resources { table: "site", resource: Resource::Site, verb, group }
}

pub(super) async fn current(
    writing: Writing<'_>,
    input: &Input<'_>,
    verb: Verb,
    group: &'static str,
) -> Result<site::Model, Failure> {
    let id = input.subject("id", "site")?;
    writing.row::<site::Entity>(rights(verb, group), "id", id, input.expected_version()).await
}

/// Writes the next version of a site that changed, with its journal entry.
pub(super) async fn save(
    writing: Writing<'_>,
    current: &site::Model,
    row: site::ActiveModel,
    verb: Verb,
    changed: Vec<&'static str>,
) -> Result<Change, Failure> {
    save_losing(writing, current, row, verb, changed, Lost::default()).await
}

/// The same, with those who see the site no more.
async fn save_losing(
    writing: Writing<'_>,
    current: &site::Model,
    row: site::ActiveModel,
    verb: Verb,
    changed: Vec<&'static str>,
    lost: Lost,
) -> Result<Change, Failure> {
    if changed.is_empty() {
        return Ok(Change { id: current.id });
    }
    let row = writing.change(current, row).await?;
    let seen = lifecycle::scope(Some(current), &row);
    writing.record_losing("Site", (row.id, row.version), verb, changed, seen, lost).await
}

async fn create(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let mut row = new_row!(
        writing,
        site {
            code: None,
            name: String::new(),
            name_search: String::new(),
            scale: None,
            wave: None,
            wave_status: None,
            wave_source: None,
            status: SiteStatus::Candidate,
            audience_policy: AudiencePolicy::Unknown,
            audiences: entity::StringList::default(),
            audience_note: None,
            contrat_ville_codes: entity::StringList::default(),
            programme: "CITES_EMPLOI".to_owned(),
            successor_note: None,
            status_reason: None,
        }
    );
    let empty = site::Model::try_from(row.clone())?;
    let territory = Territory::read(writing, input).await?;
    may_create(writing, &territory)?;
    if !territory.given || Territory::is_emptied(input) {
        input.wrong(ProblemCode::Required, "communes", "at least one commune is needed");
    }
    let mut changed = apply(input, &empty, &mut row);
    input.check()?;
    let row = row.insert(writing.tx).await?;
    let actor = &writing.viewer.actor;
    let pilots = if actor.role == Role::Prefecture {
        actor.departements.clone()
    } else {
        territory.departements.iter().map(|(code, _)| code.clone()).collect()
    };
    territory.replace(writing, row.id, &pilots).await?;
    changed.push("communes");
    writing.record("Site", (row.id, row.version), Verb::Create, changed, lifecycle::scope(None, &row)).await
}

/// A préfecture files candidates in its own départements; the row does not exist yet for the table to look at.
fn may_create(writing: Writing<'_>, territory: &Territory) -> Result<(), Failure> {
    let viewer = writing.viewer;
    // what no commune has lies nowhere yet: it is told as such
    let inside = !territory.given
        || territory.is_vague
        || territory.departements.iter().any(|(code, _)| viewer.actor.departements.contains(code));
    if viewer.may(Resource::Site, Verb::Create, inside) {
        return Ok(());
    }
    let message = "candidates are filed by ANCT, or by a préfecture in its own départements";
    Err(Problem::at(ProblemCode::Forbidden, "communes", message).into())
}

async fn update(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = current(writing, input, Verb::Update, "descriptive").await?;
    let mut row = next_row!(writing, site, current);
    let changed = apply(input, &current, &mut row);
    input.check()?;
    save(writing, &current, row, Verb::Update, changed).await
}

fn apply(input: &Input<'_>, current: &site::Model, row: &mut site::ActiveModel) -> Vec<&'static str> {
    let mut changed = Vec::new();
    if let Patch::Set(name) = input.needed_text("name", 3..=150) {
        row.name_search = Set(crate::text::fold(&name));
        take!(changed, row, current, "name", name, name);
    }
    take!(changed, row, current, "scale", scale, input.choice("scale", SiteScale::parse).or(current.scale));
    let mut policy = current.audience_policy;
    if let Patch::Set(given) = input.needed("audiencePolicy", AudiencePolicy::parse) {
        policy = given;
        take!(changed, row, current, "audiencePolicy", audience_policy, given);
    }
    let audiences = input.list("audiences", None).or(Some(current.audiences.clone())).unwrap_or_default();
    let known = audiences.0.iter().all(|name| Audience::parse(name).is_some());
    if !known || (policy != AudiencePolicy::Targeted && !audiences.0.is_empty()) {
        input.wrong(ProblemCode::Rule, "audiences", "audiences are named only with audiencePolicy TARGETED");
    }
    take!(changed, row, current, "audiences", audiences, audiences);
    take!(
        changed,
        row,
        current,
        "audienceNote",
        audience_note,
        input.text("audienceNote", 0..=500).or(current.audience_note.clone())
    );
    if let Patch::Set(codes) = input.list("contratVilleCodes", Some(Scalar::ContratVilleCode)) {
        take!(changed, row, current, "contratVilleCodes", contrat_ville_codes, codes);
    }
    take!(
        changed,
        row,
        current,
        "successorNote",
        successor_note,
        input.text("successorNote", 0..=500).or(current.successor_note.clone())
    );
    changed
}

async fn set_label(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let given = |name: &str| input.given(name).is_some();
    let label = ["code", "wave", "pilotDepartements"].into_iter().any(given);
    let group = if label { "label" } else { "communes" };
    let current = current(writing, input, Verb::Update, group).await?;
    let mut row = next_row!(writing, site, current);
    let mut changed = Vec::new();
    let code = input.code("code", Scalar::SiteCode);
    if let Some(known) = &current.code
        && code.clone().or(Some(known.clone())).as_ref() != Some(known)
    {
        input.wrong(
            ProblemCode::Rule,
            "code",
            format!("the site is {known}; a code is never changed or taken back"),
        );
    }
    if let Patch::Set(code) = &code {
        let other = site::Entity::find().filter(site::Column::Code.eq(code.as_str())).one(writing.tx).await?;
        if other.is_some_and(|other| other.id != current.id) {
            input.wrong(ProblemCode::Duplicate, "code", format!("another site has or had the code {code}"));
        }
    }
    take!(changed, row, current, "code", code, code.or(current.code.clone()));
    take!(changed, row, current, "wave", wave, input.integer("wave", 2020..=2021).or(current.wave));
    let reached = writing.reached(current.id).await?;
    let territory = Territory::read(writing, input).await?;
    if Territory::is_emptied(input) {
        input.wrong(ProblemCode::Required, "communes", "a site has at least one commune");
    }
    set_territory(writing, input, &current, territory, &mut changed).await?;
    input.check()?;
    if let Some(code) = row.code.try_as_ref().and_then(Option::as_deref) {
        crate::figure::name_by_code(writing, current.id, code).await?;
    }
    let lost = writing.rescope_departements(current.id, reached).await?;
    save_losing(writing, &current, row, Verb::Update, changed, lost).await
}

async fn set_territory(
    writing: Writing<'_>,
    input: &Input<'_>,
    current: &site::Model,
    territory: Territory,
    changed: &mut Vec<&'static str>,
) -> Result<(), Failure> {
    let links = site_departement::Entity::find().filter(site_departement::Column::SiteId.eq(current.id));
    let before = links.all(writing.tx).await?;
    let moves = moves(writing, input, &territory, &before, current.id).await?;
    let own: Vec<String> = if moves {
        territory.departements.iter().map(|(code, _)| code.clone()).collect()
    } else {
        before.iter().map(|link| link.departement_code.clone()).collect()
    };
    let former: Vec<String> =
        before.iter().filter(|link| link.pilot).map(|link| link.departement_code.clone()).collect();
    let mut pilots = former.clone();
    if let Patch::Set(given) = input.list("pilotDepartements", Some(Scalar::DepartementCode)) {
        if given.0.is_empty() {
            input.wrong(
                ProblemCode::Required,
                "pilotDepartements",
                "at least one « département » steers a site",
            );
        }
        for (index, code) in given.0.iter().enumerate().filter(|(_, code)| !own.contains(code)) {
            let message = format!("{code} is not a « département » of the site");
            input.problem(Problem::at(ProblemCode::Rule, "pilotDepartements", message).then(index));
        }
        pilots = given.0;
    } else if !own.is_empty() && !pilots.is_empty() && !pilots.iter().any(|code| own.contains(code)) {
        let message = "none of the « départements » that steer the site would be left";
        input.wrong(ProblemCode::Rule, "communes", message);
    }
    input.check()?;
    // one that the site does not reach any more does not steer it either
    pilots.retain(|code| own.contains(code));
    let resteers = pilots.len() != former.len() || pilots.iter().any(|code| !former.contains(code));
    if resteers {
        changed.push("pilotDepartements");
    }
    if moves {
        changed.push("communes");
        territory.replace(writing, current.id, &pilots).await?;
    } else if resteers {
        for link in before {
            let pilot = pilots.contains(&link.departement_code);
            let mut link: site_departement::ActiveModel = link.into();
            link.pilot = Set(pilot);
            link.update(writing.tx).await?;
        }
    }
    Ok(())
}

/// Whether a site is given other communes than it has, or such that lie elsewhere than was known.
async fn moves(
    writing: Writing<'_>,
    input: &Input<'_>,
    territory: &Territory,
    departements: &[site_departement::Model],
    site: Uuid,
) -> Result<bool, Failure> {
    if !territory.given {
        return Ok(false);
    }
    let links = site_commune::Entity::find().filter(site_commune::Column::SiteId.eq(site));
    let before: Vec<String> =
        links.all(writing.tx).await?.into_iter().map(|link| link.commune_code).collect();
    let after: Vec<String> = territory.communes.iter().map(|commune| commune.code.clone()).collect();
    let same_communes = before.len() == after.len() && after.iter().all(|code| before.contains(code));
    let is_known =
        |(code, _): &(String, String)| departements.iter().any(|link| link.departement_code == *code);
    let same_ground =
        departements.len() == territory.departements.len() && territory.departements.iter().all(is_known);
    if same_communes && same_ground {
        return Ok(false);
    }
    if !territory.is_vague {
        perimeter::check_communes(writing, input, site, (&before, &after)).await?;
    }
    Ok(true)
}
