//! The 84 sites of ANCT's list, completed by the presentation: one row each, and its milestones.
//!
//! Once made a site is ANCT's: only its wave and its contracts follow the files, as long as nobody has set them.

use std::collections::{BTreeSet, HashMap, HashSet};

use entity::enums::{AudiencePolicy, MilestoneKind, Provenance, SiteScale, SiteStatus};
use entity::{StringList, contrat_ville, site, site_milestone};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::IngestError;
use super::lines::{Line, Lines};
use super::load::{Load, partial};
use super::presentation::{DECK, MilestoneFact, Presentation, SiteFact, maybe_one_of, one_of};
use super::report::Wrong;
use super::write::Rule;
use crate::graphql::scalars::Scalar;
use crate::text::fold;

const RULE: Rule<site::Column> = Rule {
    key: &[site::Column::Code],
    only: None,
    follow: &[
        site::Column::Wave,
        site::Column::WaveStatus,
        site::Column::WaveSource,
        site::Column::ContratVilleCodes,
    ],
};

/// The step that the presentation tells of all sites at once.
const CLOSURE: &str = MilestoneKind::Closure.as_str();

/// Sites, then the milestones that they lack.
pub(super) async fn sites(load: &mut Load<'_>) -> Result<(), IngestError> {
    let presentation = Presentation::read(load.data)?;
    let contracts = contracts_of_sites(load).await?;
    let (mut rows, mut milestones, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let mut lines = Lines::open(
        load.data,
        "cites_emploi.csv",
        &["id_cde", "lib_cde", "vague", "vague_statut", "vague_source"],
        1,
    )?;
    let (id, now) = (load.new_id(), load.now);
    while let Some(batch) = lines.batch(&mut load.report, |line| {
        let mut row = listed(line)?;
        (row.id, row.created_at, row.updated_at) = (id, now, now);
        let code = row.code.clone().unwrap_or_default();
        let fact = presentation.site(&code);
        if let Some(Err(wrong)) = fact.map(|fact| complete(&mut row, fact)) {
            refused.push((code, wrong));
            return Ok(None);
        }
        row.contrat_ville_codes =
            contracts.get(&code).into_iter().flatten().map(|(_, code)| code.clone()).collect();
        milestones.push((code, steps(&row, fact, &presentation.facts.closure)));
        Ok(Some(row))
    })? {
        rows.extend(batch);
    }
    for (code, wrong) in refused {
        presentation.refuse(&mut load.report, &code, &code, &wrong);
    }
    for row in &mut rows {
        row.id = load.new_id();
    }
    keep(load, &mut rows).await?;
    load.write::<site::Entity>(rows, RULE).await?;
    write_milestones(load, &presentation, milestones).await
}

/// Leaves as they are the wave and the contracts that somebody has set.
async fn keep(load: &Load<'_>, rows: &mut [site::Model]) -> Result<(), IngestError> {
    let waves = load.set_by_hand(&["wave"]).await?;
    let contracts = load.set_by_hand(&["contratVilleCodes"]).await?;
    let known = site::Entity::find().filter(site::Column::Id.is_in(waves.union(&contracts).copied()));
    for known in known.all(load.tx).await? {
        let Some(row) = rows.iter_mut().find(|row| row.code == known.code) else { continue };
        if waves.contains(&known.id) {
            (row.wave, row.wave_status, row.wave_source) = (known.wave, known.wave_status, known.wave_source);
        }
        if contracts.contains(&known.id) {
            row.contrat_ville_codes = known.contrat_ville_codes;
        }
    }
    Ok(())
}

/// A site as the list has it.
fn listed(line: &Line<'_>) -> Result<site::Model, Wrong> {
    let name = line.text("lib_cde")?;
    let wave_status = line.one_of("vague_statut", |status| match status {
        "confirmee" => Some(Provenance::Confirmed),
        "deduite_du_numero" => Some(Provenance::Derived),
        _ => None,
    })?;
    let is_wave = |wave: &i32| matches!(wave, 2020 | 2021);
    Ok(site::Model {
        id: Uuid::nil(),
        version: 1,
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
        deleted_at: None,
        source_system: None,
        source_external_id: None,
        code: Some(line.key("id_cde", Scalar::SiteCode)?),
        name_search: fold(&name),
        name,
        scale: None,
        wave: Some(line.one_of("vague", |wave| wave.parse().ok().filter(is_wave))?),
        wave_status: Some(wave_status),
        wave_source: line.optional("vague_source")?,
        status: SiteStatus::Labelled,
        audience_policy: AudiencePolicy::Unknown,
        audiences: StringList::default(),
        audience_note: None,
        contrat_ville_codes: StringList::default(),
        programme: "CITES_EMPLOI".to_owned(),
        successor_note: None,
        status_reason: None,
    })
}

/// What the presentation adds. It confirms the waves that it tells; ANCT's own list only numbers them.
fn complete(row: &mut site::Model, fact: &SiteFact) -> Result<(), Wrong> {
    row.name.clone_from(&fact.name);
    row.name_search = fold(&fact.name);
    row.scale = maybe_one_of("scale", fact.scale.as_deref(), SiteScale::parse)?;
    row.status = one_of("status", &fact.status, SiteStatus::parse)?;
    if let (Some(source), Some(Provenance::Derived)) = (&fact.wave_source, row.wave_status) {
        row.wave_status = Some(Provenance::Confirmed);
        row.wave_source = Some(source.clone());
    }
    if let Some(audience) = &fact.audience {
        row.audience_policy = one_of("policy", &audience.policy, AudiencePolicy::parse)?;
        row.audiences = StringList(audience.audiences.clone());
        row.audience_note.clone_from(&audience.note);
    }
    Ok(())
}

/// Contract codes by site: those of the EPCI, « EPT » or commune that the site has for itself. A commune shared
/// with another site tells nothing, unless the site has no other. The older generation comes first.
async fn contracts_of_sites(
    load: &Load<'_>,
) -> Result<HashMap<String, BTreeSet<(i32, String)>>, IngestError> {
    let mut by_territory: HashMap<String, Vec<(i32, String)>> = HashMap::new();
    for contract in contrat_ville::Entity::find().all(load.tx).await? {
        let territory = contract.territory_code.unwrap_or_default();
        by_territory.entry(territory).or_default().push((contract.generation, contract.code));
    }
    let (by_site, territories) = (own_communes(load)?, territories(load)?);
    let codes = |communes: &Vec<String>| {
        let around = communes.iter().flat_map(|commune| {
            std::iter::once(commune).chain(territories.get(commune).into_iter().flatten())
        });
        around.filter_map(|territory| by_territory.get(territory)).flatten().cloned().collect()
    };
    Ok(by_site.iter().map(|(site, communes)| (site.clone(), codes(communes))).collect())
}

/// Communes that a site has for itself, all of them if it has none.
fn own_communes(load: &Load<'_>) -> Result<HashMap<String, Vec<String>>, IngestError> {
    let mut unread = load.report.clone();
    let mut lines = super::ground::links(load)?;
    let (mut own, mut all): (HashMap<_, Vec<_>>, HashMap<_, Vec<_>>) = (HashMap::new(), HashMap::new());
    while let Some(batch) = lines.batch(&mut unread, |line| {
        Ok(Some((
            line.key("id_cde", Scalar::SiteCode)?,
            line.text("insee_com")?,
            line.yes("commune_partagee")?,
        )))
    })? {
        for (site, commune, shared) in batch {
            if !shared {
                own.entry(site.clone()).or_default().push(commune.clone());
            }
            all.entry(site).or_default().push(commune);
        }
    }
    all.extend(own);
    Ok(all)
}

/// EPCI and « EPT » of each commune.
fn territories(load: &Load<'_>) -> Result<HashMap<String, Vec<String>>, IngestError> {
    let mut unread = load.report.clone();
    let mut lines = Lines::open(load.data, "cog2024_communes.csv.gz", &["code", "epci", "ept"], 1)?;
    let mut found = HashMap::new();
    while let Some(batch) = lines.batch(&mut unread, |line| {
        let around = ["epci", "ept"].map(|column| line.raw(column).to_owned());
        Ok(Some((line.text("code")?, around.into_iter().filter(|code| !code.is_empty()).collect())))
    })? {
        found.extend(batch);
    }
    Ok(found)
}

/// The milestones of a site: those of the presentation, else its wave as LABEL; and the end of the experiment.
fn steps(row: &site::Model, fact: Option<&SiteFact>, closure: &MilestoneFact) -> Vec<MilestoneFact> {
    let mut steps: Vec<_> = fact.into_iter().flat_map(|fact| fact.milestones.iter().cloned()).collect();
    for step in &mut steps {
        step.source.get_or_insert_with(|| DECK.to_owned());
    }
    if !steps.iter().any(|step| step.kind == MilestoneKind::Label.as_str()) {
        steps.extend(row.wave.map(|wave| MilestoneFact {
            kind: MilestoneKind::Label.as_str().to_owned(),
            start: wave.to_string(),
            end: None,
            label: None,
            source: Some(row.wave_source.clone().unwrap_or_else(|| "derived".to_owned())),
        }));
    }
    steps.push(closure.clone());
    steps
}

async fn write_milestones(
    load: &mut Load<'_>,
    presentation: &Presentation,
    wanted: Vec<(String, Vec<MilestoneFact>)>,
) -> Result<(), IngestError> {
    let sites = load.ids::<site::Entity>("site", site::Column::Code, site::Column::Id).await?;
    let there: HashSet<_> = site_milestone::Entity::find()
        .all(load.tx)
        .await?
        .into_iter()
        .map(|milestone| (milestone.site_id, milestone.kind))
        .collect();
    let mut rows = Vec::new();
    for (code, steps) in wanted {
        for step in steps {
            match sites.get(&code).and_then(|site_id| milestone(load.new_id(), site_id, &step)) {
                Ok(row) if there.contains(&(row.site_id, row.kind)) => load.report.unchanged += 1,
                Ok(row) => rows.push(row),
                Err(wrong) => {
                    let owner = if step.kind == CLOSURE { "closure" } else { &code };
                    presentation.refuse(&mut load.report, owner, &step.kind, &wrong);
                }
            }
        }
    }
    let rule = Rule { key: &[site_milestone::Column::Id], only: None, follow: &[] };
    Ok(load.write::<site_milestone::Entity>(rows, rule).await?)
}

fn milestone(id: Uuid, site_id: Uuid, fact: &MilestoneFact) -> Result<site_milestone::Model, Wrong> {
    let start = partial(&fact.start)?;
    let end = fact.end.as_deref().map(partial).transpose()?;
    Ok(site_milestone::Model {
        id,
        site_id,
        kind: one_of("milestone", &fact.kind, MilestoneKind::parse)?,
        starts: start.text,
        starts_from: start.from,
        starts_to: start.to,
        ends_from: end.as_ref().map(|end| end.from),
        ends_to: end.as_ref().map(|end| end.to),
        ends: end.map(|end| end.text),
        label: fact.label.clone(),
        source: fact.source.clone(),
    })
}
