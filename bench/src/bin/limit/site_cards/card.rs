//! A site's card, and what hangs on it.

use serde::Serialize;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use crate::Nodes;
use crate::form::ActionId;

/// A site with its lists.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Card<'r> {
    code: Option<&'r str>,
    name: &'r str,
    wave: Option<i32>,
    status: &'r str,
    scale: Option<&'r str>,
    departements: Vec<Departement<'r>>,
    qpvs: Counted<Qpv<'r>>,
    seats: Nodes<Vec<Seat<'r>>>,
    governance_bodies: Nodes<Vec<Body<'r>>>,
    actions: Counted<Action<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counted<T> {
    total_count: i64,
    nodes: Vec<T>,
}

#[derive(Serialize)]
struct Departement<'r> {
    code: &'r str,
    name: &'r str,
    region: Region<'r>,
}

#[derive(Serialize)]
struct Region<'r> {
    code: &'r str,
    name: &'r str,
}

#[derive(Serialize)]
struct Qpv<'r> {
    code: &'r str,
    name: &'r str,
    generation: &'r str,
}

#[derive(Serialize)]
struct Seat<'r> {
    kind: &'r str,
    partner: Partner<'r>,
}

#[derive(Serialize)]
struct Partner<'r> {
    name: &'r str,
    kind: &'r str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'r> {
    kind: &'r str,
    origin: Option<&'r str>,
    attached_to: Option<&'r str>,
    cadence: Option<Cadence<'r>>,
}

#[derive(Serialize)]
struct Cadence<'r> {
    every: i32,
    unit: &'r str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Action<'r> {
    id: ActionId,
    title: &'r str,
    status: &'r str,
    innovative: bool,
    starts_on: Option<&'r str>,
    ends_on: Option<&'r str>,
    lead: Option<Partner<'r>>,
    qpvs: Nodes<Vec<Code<'r>>>,
}

#[derive(Serialize)]
struct Code<'r> {
    code: &'r str,
}

/// Puts each row, whose first column numbers its site from 1, where it belongs.
pub fn put<'r>(
    cards: &mut [Card<'r>],
    rows: &'r [Row],
    read: impl Fn(&mut Card<'r>, &'r Row) -> Result<(), Error>,
) -> Result<(), Error> {
    for row in rows {
        if let Some(card) = cards.get_mut(position(row, 0)?) {
            read(card, row)?;
        }
    }
    Ok(())
}

/// Puts the counts of QPV and actions.
pub fn put_counts(cards: &mut [Card<'_>], rows: &[Row]) -> Result<(), Error> {
    for row in rows {
        if let Some(card) = cards.get_mut(position(row, 2)?) {
            card.qpvs.total_count = row.try_get(0)?;
            card.actions.total_count = row.try_get(1)?;
        }
    }
    Ok(())
}

fn position(row: &Row, column: usize) -> Result<usize, Error> {
    Ok(usize::try_from(row.try_get::<_, i32>(column)? - 1).unwrap_or(usize::MAX))
}

impl<'r> Card<'r> {
    /// A site without its lists.
    pub fn new(row: &'r Row) -> Result<Self, Error> {
        Ok(Self {
            code: row.try_get(1)?,
            name: row.try_get(2)?,
            wave: row.try_get(3)?,
            status: row.try_get(4)?,
            scale: row.try_get(5)?,
            departements: Vec::new(),
            qpvs: Counted { total_count: 0, nodes: Vec::new() },
            seats: Nodes { nodes: Vec::new() },
            governance_bodies: Nodes { nodes: Vec::new() },
            actions: Counted { total_count: 0, nodes: Vec::with_capacity(10) },
        })
    }

    /// A « département ».
    pub fn departement(&mut self, row: &'r Row) -> Result<(), Error> {
        let region = Region { code: row.try_get(3)?, name: row.try_get(4)? };
        self.departements.push(Departement { code: row.try_get(1)?, name: row.try_get(2)?, region });
        Ok(())
    }

    /// A QPV of the site.
    pub fn qpv(&mut self, row: &'r Row) -> Result<(), Error> {
        self.qpvs.nodes.push(Qpv {
            code: row.try_get(1)?,
            name: row.try_get(2)?,
            generation: row.try_get(3)?,
        });
        Ok(())
    }

    /// A seat.
    pub fn seat(&mut self, row: &'r Row) -> Result<(), Error> {
        let partner = Partner { name: row.try_get(2)?, kind: row.try_get(3)? };
        self.seats.nodes.push(Seat { kind: row.try_get(1)?, partner });
        Ok(())
    }

    /// A committee.
    pub fn body(&mut self, row: &'r Row) -> Result<(), Error> {
        let cadence = match row.try_get(4)? {
            Some(every) => Some(Cadence { every, unit: row.try_get(5)? }),
            None => None,
        };
        let (origin, attached_to) = (row.try_get(2)?, row.try_get(3)?);
        self.governance_bodies.nodes.push(Body { kind: row.try_get(1)?, origin, attached_to, cadence });
        Ok(())
    }

    /// An action, its QPV in an array.
    pub fn action(&mut self, row: &'r Row) -> Result<(), Error> {
        let lead = match row.try_get(7)? {
            Some(name) => Some(Partner { name, kind: row.try_get(8)? }),
            None => None,
        };
        let codes: Vec<&str> = row.try_get(9)?;
        self.actions.nodes.push(Action {
            id: ActionId(row.try_get::<_, Uuid>(1)?),
            title: row.try_get(2)?,
            status: row.try_get(3)?,
            innovative: row.try_get(4)?,
            starts_on: row.try_get(5)?,
            ends_on: row.try_get(6)?,
            lead,
            qpvs: Nodes { nodes: codes.into_iter().map(|code| Code { code }).collect() },
        });
        Ok(())
    }
}
