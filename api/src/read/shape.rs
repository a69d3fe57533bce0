//! What to write of the rows: the answer's form, known before a row is read.

use std::sync::Arc;

use uuid::Uuid;

use crate::db::Kind;
use crate::error::{ApiError, Code};
use crate::limits;

/// Fields to write, each with its ready key (`"name":`).
pub type Shape = Vec<(Vec<u8>, Out)>;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As its kind is: text escaped, numbers and booleans bare, dates quoted.
    Usual,
    /// Text that needs no escape.
    Plain,
    /// An integer as a string.
    Quoted,
    /// A typed id with this prefix.
    Id(&'static str),
    /// A typed id, held as `prefix:uuid`.
    Typed,
    /// JSON as it is held.
    Json,
}

/// What to write for a field.
#[derive(Debug)]
pub enum Out {
    /// JSON that is known already.
    Text(Vec<u8>),
    /// A column of the row.
    Value {
        /// Its position.
        column: usize,
        /// How it is held.
        kind: Kind,
        /// How it is written.
        form: Form,
    },
    /// An object of the same row, null when a flag says so or a joined key is null.
    Object {
        /// Column that is true when the object is absent.
        absent_if: Option<usize>,
        /// Column that is null when the object is absent.
        null_key: Option<usize>,
        /// Its fields.
        shape: Shape,
    },
    /// A list of objects known before reading.
    Items(Vec<Out>),
    /// An object known before reading.
    Fields(Shape),
    /// The only row of a level, or null.
    Single {
        /// The level.
        level: usize,
        /// Its fields.
        shape: Shape,
    },
    /// The row of a level with an id, or null.
    ById {
        /// The level.
        level: usize,
        /// Column that holds the id.
        column: usize,
        /// The id.
        id: Uuid,
        /// Its fields.
        shape: Arc<Shape>,
    },
    /// The first row of a level that belongs to this row, or null.
    First {
        /// The level.
        level: usize,
        /// Its fields.
        shape: Shape,
    },
    /// One of several things, by a name that the row holds; null for another name.
    ByType {
        /// Column that holds the name.
        entity: usize,
        /// What to write for each.
        cases: Vec<(&'static str, Out)>,
    },
    /// The cursor of this row.
    Cursor(Cursor),
    /// The rows of a level that belong to this row.
    List {
        /// The level.
        level: usize,
        /// Fields of each.
        shape: Shape,
    },
    /// The rows of a level that belong to this row, as a connection.
    Connection {
        /// The level.
        level: usize,
        /// Fields of the connection.
        fields: Vec<(Vec<u8>, ConnectionOut)>,
    },
}

/// Refuses a list that is made of more fields than may be held before it is written.
pub fn check_items(items: usize, fields: usize) -> Result<(), ApiError> {
    if items.saturating_mul(fields) <= limits::ITEM_FIELDS {
        return Ok(());
    }
    Err(ApiError::new(Code::LimitExceeded, format!("{items} items with {fields} fields each"))
        .expected(format!("{} in all at most: fewer items, or fewer fields", limits::ITEM_FIELDS)))
}

impl Out {
    /// `null`.
    pub fn null() -> Self {
        Self::Text(b"null".to_vec())
    }
}

/// What to write for a field of a connection.
#[derive(Debug)]
pub enum ConnectionOut {
    /// JSON that is known already.
    Text(Vec<u8>),
    /// How many there are in all.
    TotalCount,
    /// The objects.
    Nodes(Shape),
    /// The objects with their cursors.
    Edges(Vec<(Vec<u8>, EdgeOut)>),
    /// Where the page stands.
    PageInfo(Vec<(Vec<u8>, PageOut)>),
}

/// What to write for a field of an edge.
#[derive(Debug)]
pub enum EdgeOut {
    /// JSON that is known already.
    Text(Vec<u8>),
    /// The cursor.
    Cursor(Cursor),
    /// The object.
    Node(Shape),
}

/// What to write for a field of `PageInfo`.
#[derive(Debug)]
pub enum PageOut {
    /// JSON that is known already.
    Text(Vec<u8>),
    /// `hasNextPage`.
    HasNext,
    /// `hasPreviousPage`.
    HasPrevious,
    /// `startCursor`.
    Start(Cursor),
    /// `endCursor`.
    End(Cursor),
    /// `hasNextPage` of a page that was looked for so far.
    HasNextAfter(Looked),
    /// `hasPreviousPage` of one that was looked for from the end.
    HasPreviousBefore(Looked),
    /// `endCursor` of a page that was looked for so far: that place, unless the page is full before it; the cursor that
    /// was given, if there is no such place.
    EndOfLook(Cursor, Looked, Option<String>),
    /// `endCursor` of a page that nobody looked for: the cursor that was given.
    Given(Option<String>),
}

/// How far a page was looked for, by the one row of another level.
#[derive(Clone, Debug)]
pub struct Looked {
    /// That level.
    pub level: usize,
    /// The place of its row.
    pub cursor: Cursor,
    /// Its column that says whether there is more behind.
    pub beyond: usize,
}

/// The columns that place a row in its order.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// Names the list and order it belongs to.
    pub tag: u32,
    /// Columns with their kinds; the last is the key.
    pub columns: Vec<(usize, Kind)>,
}

/// `"key":`, ready to write. Response keys are GraphQL names, which need no escape.
pub fn json_key(key: &str) -> Vec<u8> {
    format!("\"{key}\":").into_bytes()
}

/// A quoted name that needs no escape.
pub fn json_string(name: &str) -> Vec<u8> {
    format!("\"{name}\"").into_bytes()
}
