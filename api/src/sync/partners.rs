//! The partners that items name: known ones found by their codes, new ones made.

use std::collections::{HashMap, HashSet};

use entity::enums::PartnerStatus;
use entity::{partner, seat};
use sea_orm::EntityTrait;
use sea_orm::sea_query::Value;
use uuid::Uuid;

use super::ground::at;
use super::input::{Item, PartnerRef};
use crate::db::Sql;
use crate::write::input::Patch;
use crate::write::{Failure, Problem, ProblemCode, Writing};
use crate::{ids, text};

/// How long a chain of merges is followed.
const MERGES: usize = 10;

/// The partners that the items of a call name.
#[derive(Debug, Default)]
pub(super) struct Partners {
    source: String,
    known: HashMap<Uuid, partner::Model>,
    /// Known partners by field and code.
    by_key: HashMap<(&'static str, String), Vec<Uuid>>,
    /// Those to be made.
    new: Vec<partner::Model>,
    /// Active seats of known partners, as site and partner.
    pub seats: HashSet<(Uuid, Uuid)>,
    /// Those whose seats the caller's own right comes from.
    own: HashSet<Uuid>,
}

impl Partners {
    /// Finds all that the items name, and those of actions that go to another site; plans those that nobody knows. Calls
    /// that make partners wait for each other, since no constraint keeps two from making the same one.
    pub async fn load(
        writing: Writing<'_>,
        source: &str,
        items: &[Item],
        followers: &HashSet<Uuid>,
    ) -> Result<Self, Failure> {
        let mut named: Vec<&PartnerRef> = items.iter().flat_map(refs).collect();
        named.retain(|named| named.keys().next().is_some());
        if named.is_empty() && followers.is_empty() {
            return Ok(Self::default());
        }
        let mut found = Self::find(writing, source, &named, followers).await?;
        if named.iter().any(|named| found.is_new(named)) {
            writing.alone("new partners").await?;
            found = Self::find(writing, source, &named, followers).await?;
            for named in named {
                if found.is_new(named) {
                    found.plan(writing, named);
                }
            }
        }
        found.load_seats(writing).await?;
        Ok(found)
    }

    async fn load_seats(&mut self, writing: Writing<'_>) -> Result<(), Failure> {
        let own = |row: &&partner::Model| writing.viewer.rests_on(row.siren.as_deref(), row.siret.as_deref());
        self.own = self.known.values().filter(own).map(|row| row.id).collect();
        let mut sql = Sql::new(writing.backend);
        sql.push("SELECT t.* FROM seat t WHERE t.deleted_at IS NULL AND t.ends_on IS NULL AND ");
        sql.is_in("t.partner_id", self.known.keys().map(|id| (*id).into()).collect());
        let seats = seat::Entity::find().from_raw_sql(sql.into_statement()).all(writing.tx).await?;
        self.seats = seats.into_iter().map(|seat| (seat.site_id, seat.partner_id)).collect();
        Ok(())
    }

    /// Nobody gives himself a seat by taking part in an action.
    pub fn seats_itself(&self, site: Uuid, partner: Uuid) -> bool {
        self.own.contains(&partner) && self.is_active(partner) && !self.seats.contains(&(site, partner))
    }

    /// The partner takes part in what there is.
    pub fn is_active(&self, partner: Uuid) -> bool {
        self.known.get(&partner).is_some_and(|row| row.status == PartnerStatus::Active)
    }

    async fn find(
        writing: Writing<'_>,
        source: &str,
        named: &[&PartnerRef],
        followers: &HashSet<Uuid>,
    ) -> Result<Self, Failure> {
        let mut sql = Sql::new(writing.backend);
        sql.push("SELECT t.* FROM partner t WHERE t.deleted_at IS NULL AND (");
        let columns = [("siret", "t.siret"), ("rna", "t.rna"), ("safirCode", "t.safir_code")];
        for (field, column) in columns {
            sql.is_in(column, codes(named, field));
            sql.push(" OR ");
        }
        if !followers.is_empty() {
            sql.is_in("t.id", followers.iter().map(|id| (*id).into()).collect());
            sql.push(" OR ");
        }
        let own = sql.piece(|sql| sql.is_in("t.source_external_id", own_codes(named)));
        sql.push("(t.source_system = ").bind(source.into()).push(" AND ").push(&own).push(")) ORDER BY t.id");
        // none is merged or closed until what names it is written
        sql.keep_rows("t");
        let rows = partner::Entity::find().from_raw_sql(sql.into_statement()).all(writing.tx).await?;
        let mut partners = Self { source: source.to_owned(), ..Self::default() };
        for row in rows {
            partners.index(&row);
            partners.known.insert(row.id, row);
        }
        partners.follow_merges(writing).await?;
        Ok(partners)
    }

    fn index(&mut self, row: &partner::Model) {
        let keys = [
            ("externalId", self.own_code(row)),
            ("siret", row.siret.as_deref()),
            ("rna", row.rna.as_deref()),
            ("safirCode", row.safir_code.as_deref()),
        ];
        for (field, value) in keys {
            if let Some(value) = value {
                self.by_key.entry((field, value.to_owned())).or_default().push(row.id);
            }
        }
    }

    /// Reads what merged partners were merged into, so that an old code leads to the partner of today.
    async fn follow_merges(&mut self, writing: Writing<'_>) -> Result<(), Failure> {
        for _ in 0..MERGES {
            let missing: Vec<Value> = self
                .known
                .values()
                .filter_map(|row| row.merged_into_id)
                .filter(|id| !self.known.contains_key(id))
                .map(Value::from)
                .collect();
            if missing.is_empty() {
                break;
            }
            let mut sql = Sql::new(writing.backend);
            sql.push("SELECT t.* FROM partner t WHERE ").is_in("t.id", missing);
            sql.push(" ORDER BY t.id").keep_rows("t");
            for row in partner::Entity::find().from_raw_sql(sql.into_statement()).all(writing.tx).await? {
                self.known.insert(row.id, row);
            }
        }
        Ok(())
    }

    fn today(&self, mut id: Uuid) -> Uuid {
        for _ in 0..MERGES {
            match self.known.get(&id).and_then(|row| row.merged_into_id) {
                Some(target) => id = target,
                None => break,
            }
        }
        id
    }

    /// Those of a code. One that nobody has now leads to the partner that was made from it, whose own was corrected since.
    fn of_code(&self, field: &'static str, code: &str) -> Option<&Vec<Uuid>> {
        let made_of = || self.by_key.get(&("externalId", own_id(field, code)));
        self.by_key.get(&(field, code.to_owned())).or_else(made_of)
    }

    /// Partners that fit: those of the surest code that is known, narrowed by the other codes. One that has another
    /// value of a surer code is another partner. Codes that lead to different ones give all of them.
    fn candidates(&self, named: &PartnerRef) -> Vec<Uuid> {
        let mut found: Vec<Uuid> = Vec::new();
        let mut surer: Vec<(&'static str, &str)> = Vec::new();
        for (field, code) in named.keys() {
            let known = self.of_code(field, code).into_iter().flatten().map(|id| self.today(*id));
            let known: Vec<Uuid> =
                known.filter(|id| found.contains(id) || !self.contradicts(*id, &surer)).collect();
            if found.iter().any(|id| known.contains(id)) {
                found.retain(|id| known.contains(id));
            } else {
                found.extend(known);
            }
            surer.push((field, code));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether a partner has another value of one of the codes than is given.
    fn contradicts(&self, id: Uuid, given: &[(&'static str, &str)]) -> bool {
        let Some(row) = self.known.get(&id) else { return false };
        let own = |field| match field {
            "siret" => row.siret.as_deref(),
            "rna" => row.rna.as_deref(),
            _ => self.own_code(row).filter(|code| !is_made_of_code(code)),
        };
        given.iter().any(|(field, code)| own(field).is_some_and(|own| own != *code))
    }

    /// How the caller's source names a partner.
    fn own_code<'p>(&self, row: &'p partner::Model) -> Option<&'p str> {
        let is_own = row.source_system.as_deref() == Some(&self.source);
        row.source_external_id.as_deref().filter(|_| is_own)
    }

    fn is_new(&self, named: &PartnerRef) -> bool {
        named.name.is_some() && named.kind.is_some() && self.candidates(named).is_empty()
    }

    fn plan(&mut self, writing: Writing<'_>, named: &PartnerRef) {
        let (Some(name), Some(kind), Some((field, code))) = (&named.name, named.kind, named.keys().next())
        else {
            return;
        };
        let row = partner::Model {
            id: Uuid::now_v7(),
            version: 1,
            created_at: writing.now,
            updated_at: writing.now,
            deleted_at: None,
            source_system: Some(self.source.clone()),
            source_external_id: Some(own_id(field, code)),
            name_search: text::fold(name),
            name: name.clone(),
            kind,
            siren: named.siret.as_ref().map(|siret| siret[..9].to_owned()),
            siret: named.siret.clone(),
            rna: named.rna.clone(),
            safir_code: named.safir_code.clone(),
            naf_code: None,
            naf_version: None,
            commune_code: None,
            departement_code: None,
            website: None,
            status: PartnerStatus::Active,
            merged_into_id: None,
        };
        self.index(&row);
        self.known.insert(row.id, row.clone());
        self.new.push(row);
    }

    /// The partner that is meant, or why there is none. One that is closed takes no part in anything new, and stays where
    /// it `is_already`.
    pub fn resolve(
        &self,
        named: &PartnerRef,
        path: &[&str],
        is_already: impl FnOnce(Uuid) -> bool,
    ) -> Result<Uuid, Problem> {
        let found = self.candidates(named);
        match found.as_slice() {
            [id] if self.is_active(*id) || is_already(*id) => Ok(*id),
            [_] => Err(at(ProblemCode::Rule, path, "this partner is closed")),
            [] => {
                let text = "no partner has this code; give name and kind with it to make it known";
                let field = named.keys().next().map(|(field, _)| field);
                let path: Vec<&str> = path.iter().copied().chain(field).collect();
                Err(at(ProblemCode::UnknownCode, &path, text))
            }
            several => {
                let ids: Vec<String> = several.iter().map(|id| ids::encode("partner", *id)).collect();
                let text = format!("several partners fit: {}; name one by more codes", ids.join(", "));
                Err(at(ProblemCode::Ambiguous, path, text))
            }
        }
    }

    /// Those of the partners to be made that somebody names.
    pub fn made(&self, used: impl Fn(&Uuid) -> bool) -> Vec<partner::Model> {
        self.new.iter().filter(|row| used(&row.id)).cloned().collect()
    }
}

fn refs(item: &Item) -> impl Iterator<Item = &PartnerRef> {
    let lead = if let Patch::Set(lead) = &item.lead { Some(lead) } else { None };
    lead.into_iter().chain(item.partners.iter().flatten())
}

/// How its source names a partner that was made from a code: by its identifier there, or else by the code.
fn own_id(field: &str, code: &str) -> String {
    if field == "externalId" { code.to_owned() } else { format!("{field}:{code}") }
}

/// The source gave no identifier of its own for a partner that is named so.
fn is_made_of_code(own_id: &str) -> bool {
    ["siret:", "rna:", "safirCode:"].iter().any(|field| own_id.starts_with(field))
}

fn own_codes(named: &[&PartnerRef]) -> Vec<Value> {
    once(named.iter().flat_map(|named| named.keys()).map(|(field, code)| own_id(field, code)))
}

fn codes(named: &[&PartnerRef], field: &str) -> Vec<Value> {
    let all = named.iter().flat_map(|named| named.keys());
    once(all.filter(|(name, _)| *name == field).map(|(_, code)| code))
}

/// Each code once.
fn once<C: Ord + Into<Value>>(codes: impl Iterator<Item = C>) -> Vec<Value> {
    let mut codes: Vec<C> = codes.collect();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(Into::into).collect()
}
