//! Writes at random, of all kinds that may change what somebody sees. Many are refused: the domain has its rules.

use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Dice, Persona, TestApp};

use crate::writes::{known, write};

/// What is written.
pub const WRITES: [&str; 36] = [
    "updateSite",
    "setSiteLabel",
    "createSite",
    "deleteSite",
    "transitionSite",
    "addSiteQpv",
    "endSiteQpv",
    "giveSeat",
    "endSeat",
    "updatePartner",
    "mergePartner",
    "createGovernanceBody",
    "setGovernanceMembers",
    "planMeeting",
    "createRoadmap",
    "setRoadmapAxes",
    "adoptRoadmap",
    "createAction",
    "updateAction",
    "transitionAction",
    "deleteAction",
    "syncActions",
    "submitFigure",
    "validateFigure",
    "reviseFigure",
    "withdrawFigure",
    "createFundingLine",
    "deleteFundingLine",
    "updateClientGrant",
    "revokeClientGrant",
    // twice, since more hangs on them
    "endSeat",
    "giveSeat",
    "updateClientGrant",
    "setSiteLabel",
    "syncActions",
    "updateAction",
];

const PLACES: [(&str, &str); 4] = [("69256", "69"), ("59350", "59"), ("38151", "38"), ("93008", "93")];
const CODES: [&str; 3] = ["cde-901", "cde-902", "cde-903"];

/// Somebody at ANCT who writes what comes to his mind, and two systems that sync.
pub struct Chance<'a> {
    anct: Persona<'a>,
    systems: &'a [Persona<'a>],
    grants: Vec<Value>,
    instant: u32,
    /// What was done.
    pub log: Vec<String>,
}

impl<'a> Chance<'a> {
    /// Knows nothing of what is there; asks before it writes.
    pub fn new(app: &'a TestApp, systems: &'a [Persona<'a>]) -> Self {
        Self { anct: app.anct(), systems, grants: Vec::new(), instant: 0, log: Vec::new() }
    }

    /// Grants hold again, for the same sites.
    pub async fn restore_grants(&mut self) {
        let grants = self.anct.ask("{ clientGrants(first: 50) { nodes { id } } }").await;
        self.grants = grants.list("/clientGrants/nodes").iter().map(|grant| grant["id"].clone()).collect();
        for grant in &self.grants {
            let input = json!({ "id": grant, "status": "ACTIVE", "validFrom": null, "validTo": null });
            write(&self.anct, "updateClientGrant", input).await.done();
        }
    }

    /// Writes one thing; gives its name if it was done.
    pub async fn write(&mut self, dice: &mut Dice) -> Option<&'static str> {
        let name = dice.any(&WRITES);
        if name == "syncActions" {
            return self.sync(dice).await.then_some(name);
        }
        let input = self.input(name, dice).await?;
        let written = write(&self.anct, name, input.clone()).await;
        let outcome = written.outcome();
        assert!(
            !["INTERNAL", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&outcome.as_str()),
            "{name} {input}: {}",
            written.0
        );
        if outcome != "OK" {
            return None;
        }
        self.log.push(format!("{name} {input}"));
        Some(name)
    }

    /// An object of a list, among those that meet a filter.
    async fn one(&self, dice: &mut Dice, list: &str, filter: &str) -> Option<Value> {
        let filter = if filter.is_empty() { String::new() } else { format!(", filter: {filter}") };
        let found = self.anct.ask(&format!("{{ {list}(first: 100{filter}) {{ nodes {{ id }} }} }}")).await;
        dice.pick(found.list(&format!("/{list}/nodes"))).map(|row| row["id"].clone())
    }

    #[expect(clippy::too_many_lines, reason = "a line or two for each mutation")]
    async fn input(&self, name: &str, dice: &mut Dice) -> Option<Value> {
        let site = self.one(dice, "sites", "").await?;
        let partner = self.one(dice, "partners", "{ status: { eq: ACTIVE } }").await?;
        let (place, place_departement) = dice.any(&PLACES);
        Some(match name {
            "updateSite" => json!({ "id": site, "name": format!("Nom {}", dice.small(0, 999)) }),
            "setSiteLabel" => {
                json!({ "id": site, "communes": [place], "pilotDepartements": [place_departement] })
            }
            "createSite" => json!({ "name": "Candidate", "communes": [place] }),
            "deleteSite" => json!({ "id": self.one(dice, "sites", "{ status: { eq: CANDIDATE } }").await? }),
            "transitionSite" if dice.chance(30) => return self.label(dice).await,
            "transitionSite" => {
                let to = dice.any(&["SUBMITTED", "CANDIDATE", "ACTIVE", "CLOSED", "WITHDRAWN"]);
                json!({ "id": site, "to": to, "reason": "Parce que" })
            }
            "addSiteQpv" | "endSiteQpv" => json!({ "id": site, "qpv": self.qpv(dice).await? }),
            "giveSeat" => {
                let kind = dice.any(&["COPILOTE", "MEMBRE", "OPERATEUR", "FINANCEUR"]);
                json!({ "site": site, "partner": partner, "kind": kind })
            }
            "endSeat" => json!({ "id": self.one(dice, "seats", "").await? }),
            "updatePartner" => {
                let siren = dice.any(&[
                    json!("200046977"),
                    json!("200040715"),
                    json!("732829320"),
                    json!("356000000"),
                    Value::Null,
                ]);
                json!({ "id": partner, "siren": siren, "siret": null })
            }
            "mergePartner" if dice.chance(30) => {
                json!({ "id": partner, "into": self.one(dice, "partners", "").await? })
            }
            "createGovernanceBody" => json!({ "site": site, "kind": "COTECH" }),
            "setGovernanceMembers" => {
                let body = self.one(dice, "governanceBodies", "").await?;
                json!({ "id": body, "members": [] })
            }
            "planMeeting" => {
                json!({ "body": self.one(dice, "governanceBodies", "").await?, "date": "2023-09-01" })
            }
            "createRoadmap" => json!({ "site": site, "axes": [{ "label": "Lever les freins" }] }),
            "setRoadmapAxes" => {
                let roadmap = self.one(dice, "roadmaps", "{ status: { eq: DRAFT } }").await?;
                json!({ "id": roadmap, "axes": [{ "label": format!("Axe {}", dice.small(0, 9)) }] })
            }
            "adoptRoadmap" => json!({ "id": self.one(dice, "roadmaps", "{ status: { eq: DRAFT } }").await? }),
            "createAction" => {
                json!({ "site": site, "title": "Forum", "published": dice.chance(50), "lead": partner,
                "startsOn": "2023", "pillar": "INNOVER", "partners": [partner] })
            }
            "updateAction" => {
                json!({ "id": self.one(dice, "actions", "").await?, "published": dice.chance(50) })
            }
            "transitionAction" => {
                let to = dice.any(&["PLANNED", "IN_PROGRESS", "SUSPENDED", "CANCELLED"]);
                json!({ "id": self.one(dice, "actions", "").await?, "to": to, "reason": "Parce que" })
            }
            "deleteAction" => {
                // of those that carry figures more often
                let action = self.action_with_figures(dice).await.filter(|_| dice.chance(50));
                let other = self.one(dice, "actions", "").await;
                json!({ "id": action.or(other)? })
            }
            "submitFigure" => {
                let subject = match dice.small(0, 2) {
                    0 => json!({ "site": site }),
                    1 => json!({ "action": self.one(dice, "actions", "").await? }),
                    _ => json!({ "qpv": self.qpv(dice).await? }),
                };
                json!({ "subject": subject, "indicator": dice.any(&["ACTION_COUNT", "BENEFICIARY_COUNT"]),
                    "value": "3", "period": format!("20{}", dice.small(10, 22)) })
            }
            "validateFigure" => {
                json!({ "id": self.one(dice, "figures", "{ status: { eq: PROVISIONAL } }").await? })
            }
            "reviseFigure" => {
                let figure = self.one(dice, "figures", "{ status: { eq: VALIDATED } }").await?;
                json!({ "id": figure, "value": dice.small(0, 9).to_string() })
            }
            "withdrawFigure" => {
                let figure =
                    self.one(dice, "figures", "{ status: { in: [VALIDATED, PROVISIONAL] } }").await?;
                json!({ "id": figure, "reason": "Parce que" })
            }
            "createFundingLine" => {
                json!({ "site": site, "year": 2023, "programmeLabel": "Politique de la ville",
                "amountCents": "100", "kind": "REQUESTED" })
            }
            "deleteFundingLine" => json!({ "id": self.one(dice, "fundingLines", "").await? }),
            "updateClientGrant" => {
                let grant = self.one(dice, "clientGrants", "").await?;
                match dice.small(0, 5) {
                    0 => {
                        json!({ "id": grant, "validTo": "2023-06-01T00:00:00Z", "validFrom": null, "status": "ACTIVE" })
                    }
                    1 => {
                        json!({ "id": grant, "validFrom": "2023-07-01T00:00:00Z", "validTo": null, "status": "ACTIVE" })
                    }
                    2 => {
                        json!({ "id": grant, "allSites": true, "validFrom": null, "validTo": null, "status": "ACTIVE" })
                    }
                    _ => {
                        json!({ "id": grant, "allSites": false, "sites": dice.some(&CODES, 0, 3), "validFrom": null,
                        "validTo": null, "status": "ACTIVE" })
                    }
                }
            }
            "revokeClientGrant" => json!({ "id": self.one(dice, "clientGrants", "").await? }),
            _ => return None,
        })
    }

    async fn qpv(&self, dice: &mut Dice) -> Option<Value> {
        let found = self.anct.ask("{ qpvs(first: 50) { nodes { code } } }").await;
        dice.pick(found.list("/qpvs/nodes")).map(|row| row["code"].clone())
    }

    async fn action_with_figures(&self, dice: &mut Dice) -> Option<Value> {
        let found = self
            .anct
            .ask("{ figures(first: 100, filter: { subject: { eq: ACTION } }) { nodes { action { id } } } }")
            .await;
        let actions: Vec<Value> = found
            .list("/figures/nodes")
            .iter()
            .map(|row| row["action"]["id"].clone())
            .filter(Value::is_string)
            .collect();
        dice.pick(&actions).cloned()
    }

    /// Gives a candidate all that it needs, and the label as the last of it.
    async fn label(&self, dice: &mut Dice) -> Option<Value> {
        let site = self.one(dice, "sites", "{ status: { in: [CANDIDATE, SUBMITTED] } }").await?;
        let code = format!("cde-{}", dice.small(100, 800));
        write(&self.anct, "setSiteLabel", json!({ "id": site, "code": code })).await;
        write(&self.anct, "setSiteMilestone", json!({ "id": site, "kind": "LABEL", "start": "2021-Q3" }))
            .await;
        write(&self.anct, "addSiteQpv", json!({ "id": site, "qpv": self.qpv(dice).await? })).await;
        for partner in [1, 2] {
            let seat = json!({ "site": site, "partner": known(Kind::Partner, partner), "kind": "COPILOTE" });
            write(&self.anct, "giveSeat", seat).await;
        }
        write(&self.anct, "transitionSite", json!({ "id": site, "to": "SUBMITTED" })).await;
        Some(json!({ "id": site, "to": "LABELLED" }))
    }

    async fn sync(&mut self, dice: &mut Dice) -> bool {
        let system = dice.pick(self.systems).expect("a system");
        let source = system.claims.as_ref().and_then(|claims| claims.source.clone()).expect("a source");
        self.instant += 1;
        let items: Vec<Value> = (0..dice.small(1, 4))
            .map(|n| {
                // some that are there, and some new
                let number = dice.small(1, 40);
                let mut item = json!({ "externalId": format!("{source}-{number}"), "title": format!("Titre {n}"),
                    "sourceUpdatedAt": format!("2023-06-12T09:{:02}:{:02}Z", self.instant / 60, self.instant % 60),
                    "site": { "code": dice.any(&CODES) } });
                if dice.chance(30) {
                    item["deleted"] = json!(true);
                } else if dice.chance(40) {
                    item["partners"] = json!([{ "siret": "73282932000074", "name": "Association", "kind": "ASSOCIATION" }]);
                }
                item
            })
            .collect();
        let sync =
            "mutation ($input: SyncActionsInput!) { syncActions(input: $input) { results { outcome } } }";
        let sent = system.query(sync, json!({ "input": { "items": items } })).await;
        let outcomes = sent.column("/syncActions/results", "outcome");
        self.log.push(format!("{source} {outcomes:?} {}", json!(items)));
        outcomes.iter().any(|outcome| ["CREATED", "UPDATED"].contains(&outcome.as_str()))
    }
}
