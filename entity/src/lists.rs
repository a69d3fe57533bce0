use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// An ordered list of short texts (codes, names of enum values), stored as a JSON array.
///
/// A list column is never null: no element is the empty list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct StringList(pub Vec<String>);

impl<T: Into<String>> FromIterator<T> for StringList {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().map(Into::into).collect())
    }
}
