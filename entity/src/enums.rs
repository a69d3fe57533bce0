//! Closed vocabularies of the domain.
//!
//! In the database a value is its upper-case name as text, held by a CHECK; a test compares the CHECK with
//! `ALL`. The public schema is made from `ALL` too: a name and its description are written once, here.

/// Writes an enum that is stored as text, with its list of `(name, description)`.
macro_rules! text_enum {
    (
        #[doc = $doc:literal]
        $name:ident { $( #[doc = $text:literal] $variant:ident = $value:literal, )+ }
    ) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name { $( #[doc = $text] #[sea_orm(string_value = $value)] $variant, )+ }

        impl $name {
            /// What the vocabulary is about, for the public schema.
            pub const DESCRIPTION: &'static str = $doc.trim_ascii();

            /// Every value in order: its name as stored and shown, and its description.
            pub const ALL: &'static [(&'static str, &'static str)] = &[ $( ($value, $text.trim_ascii()), )+ ];

            /// The name as stored and shown, such as `IN_PROGRESS`.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $value, )+ }
            }

            /// The value of that exact name, if there is one.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $( $value => Some(Self::$variant), )+ _ => None }
            }
        }
    };
}

mod places;
mod platform;
mod work;
pub use places::*;
pub use platform::*;
pub use work::*;
