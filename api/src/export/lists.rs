//! What each list shows in a file: a selection of the noun's own values, of codes of what it leads to, and of short lists
//! of codes. The order here is the order of the columns; a new column goes to the end.
//!
//! No person is among them: referents are no list here, and nothing leads to them.

use std::sync::LazyLock;

use async_graphql::Variables;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, SelectionSet};

use crate::read::select::Document;

/// A selection as GraphQL writes it, but that relations to many stand without page: all of them, as a list.
type Selection = LazyLock<ExecutableDocument>;

/// A list that can be taken out.
#[derive(Debug)]
pub struct List {
    /// Name of the file, which is that of the list at the root.
    pub name: &'static str,
    /// The noun.
    pub noun: &'static str,
    columns: Selection,
    /// What places a row on the map; such a list has `GeoJSON`.
    geometry: Option<Selection>,
}

static NO_VARIABLES: LazyLock<Variables> = LazyLock::new(Variables::default);

impl List {
    /// The columns, as a document and its selection.
    pub(super) fn columns(&'static self) -> (Document<'static>, &'static SelectionSet) {
        document(&self.columns)
    }

    /// The geometry, likewise.
    pub(super) fn geometry(&'static self) -> Option<(Document<'static>, &'static SelectionSet)> {
        self.geometry.as_ref().map(document)
    }

    /// Whether its rows have a place on the map.
    pub const fn has_geometry(&self) -> bool {
        self.geometry.is_some()
    }
}

fn document(of: &'static Selection) -> (Document<'static>, &'static SelectionSet) {
    static EMPTY: SelectionSet = SelectionSet { items: Vec::new() };
    let set = match &of.operations {
        DocumentOperations::Single(operation) => &operation.node.selection_set.node,
        DocumentOperations::Multiple(_) => &EMPTY,
    };
    (Document { fragments: &of.fragments, variables: &NO_VARIABLES }, set)
}

const ACTIONS: &str = "{ id title description pillar categories innovative status startsOn endsOn audiences romeCodes \
    published cancelReason reopenReason sourceUpdatedAt classification site { id code name } axis { id label } \
    lead { id name siret } qpvs { code } source { system externalId } version createdAt updatedAt }";
const SITES: &str = "{ id code name scale wave waveProvenance status statusReason programme audiencePolicy audiences \
    audienceNote contratVilleCodes successorNote recordedActionCount declaredActionCount communes { code } \
    epcis { siren } departements { code } pilotDepartements { code } qpvs { code } source { system externalId } version \
    createdAt updatedAt }";
const QPVS: &str = "{ id code name generation validFrom validTo areaHa centroid { lon lat } departement { code } \
    region { code } communes { code } source { system externalId } version createdAt updatedAt }";
const PARTNERS: &str = "{ id name kind website siret siren rna safirCode nafCode status commune { code name } \
    departement { code } mergedInto { id } source { system externalId } version createdAt updatedAt }";
const FIGURES: &str = "{ id subject indicator value unit period perimeter pillar source asOf status approximate note \
    site { id code } qpv { code } commune { code } epci { siren } action { id } version createdAt updatedAt }";

/// Every list.
pub(super) static ALL: [List; 5] = [
    List { name: "actions", noun: "Action", columns: LazyLock::new(|| parsed(ACTIONS)), geometry: None },
    List {
        name: "sites",
        noun: "Site",
        columns: LazyLock::new(|| parsed(SITES)),
        geometry: Some(LazyLock::new(|| parsed("{ qpvs { centroid { lon lat } } }"))),
    },
    List {
        name: "qpvs",
        noun: "Qpv",
        columns: LazyLock::new(|| parsed(QPVS)),
        geometry: Some(LazyLock::new(|| parsed("{ geometry }"))),
    },
    List { name: "partners", noun: "Partner", columns: LazyLock::new(|| parsed(PARTNERS)), geometry: None },
    List { name: "figures", noun: "Figure", columns: LazyLock::new(|| parsed(FIGURES)), geometry: None },
];

#[expect(clippy::expect_used, reason = "the texts are constants, which a test parses")]
fn parsed(text: &str) -> ExecutableDocument {
    async_graphql::parser::parse_query(text).expect("a selection parses")
}
