use sea_orm_migration::sea_orm::DbBackend;

/// Kind of value in a column, with its type on each database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Uuid,
    Text,
    Int,
    BigInt,
    Bool,
    Double,
    Date,
    Instant,
    Decimal,
    Json,
    Sequence,
}

/// One column of a table, not null unless said otherwise.
#[derive(Clone)]
pub struct Column {
    pub(crate) name: &'static str,
    kind: Kind,
    nullable: bool,
    default: Option<&'static str>,
    postgres_default: Option<&'static str>,
    values: &'static [&'static str],
    check: Option<&'static str>,
    pub(crate) target: Option<(&'static str, &'static str)>,
    cascade: bool,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        nullable: false,
        default: None,
        postgres_default: None,
        values: &[],
        check: None,
        target: None,
        cascade: false,
    }
}

/// An identity, native on `PostgreSQL`, 16 bytes on `SQLite`.
pub const fn uuid(name: &'static str) -> Column {
    column(name, Kind::Uuid)
}

/// A text, compared byte by byte on both databases.
pub const fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}

/// A whole number of 32 bits.
pub const fn int(name: &'static str) -> Column {
    column(name, Kind::Int)
}

/// A whole number of 64 bits.
pub const fn bigint(name: &'static str) -> Column {
    column(name, Kind::BigInt)
}

/// True or false.
pub const fn boolean(name: &'static str) -> Column {
    column(name, Kind::Bool)
}

/// A measure (degrees, hectares).
pub const fn double(name: &'static str) -> Column {
    column(name, Kind::Double)
}

/// A civil date.
pub const fn date(name: &'static str) -> Column {
    column(name, Kind::Date)
}

/// A moment in UTC, to the microsecond.
pub const fn instant(name: &'static str) -> Column {
    column(name, Kind::Instant)
}

/// An exact number of 15 digits, 4 of them decimals: the most that `SQLite`'s reals keep exactly.
pub const fn decimal(name: &'static str) -> Column {
    column(name, Kind::Decimal)
}

/// A JSON value.
pub const fn json(name: &'static str) -> Column {
    column(name, Kind::Json)
}

/// A JSON list of texts, empty by default.
pub const fn list(name: &'static str) -> Column {
    column(name, Kind::Json).default("'[]'")
}

/// A 64-bit number that the database gives, one more for each row.
pub const fn sequence(name: &'static str) -> Column {
    column(name, Kind::Sequence)
}

impl Column {
    /// The value may be missing.
    pub const fn null(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// SQL of the value taken when none is given.
    pub const fn default(mut self, sql: &'static str) -> Self {
        self.default = Some(sql);
        self
    }

    /// SQL of the value taken when none is given, on `PostgreSQL` alone.
    pub const fn postgres_default(mut self, sql: &'static str) -> Self {
        self.postgres_default = Some(sql);
        self
    }

    /// The only texts allowed.
    pub const fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.values = values;
        self
    }

    /// SQL condition that the value meets.
    pub const fn check(mut self, sql: &'static str) -> Self {
        self.check = Some(sql);
        self
    }

    /// The value is the key `column` of a row of `table`.
    pub const fn to(mut self, table: &'static str, column: &'static str) -> Self {
        self.target = Some((table, column));
        self
    }

    /// The row goes away with the one it points to.
    pub const fn cascade(mut self) -> Self {
        self.cascade = true;
        self
    }

    /// The column as it stands in CREATE TABLE, with its named check.
    pub(crate) fn sql(&self, table: &str, backend: DbBackend) -> String {
        let name = self.name;
        let required = !self.nullable && self.kind != Kind::Sequence;
        let own_default = self.postgres_default.filter(|_| backend == DbBackend::Postgres);
        let mut parts = vec![format!("\"{name}\" {}", self.sql_type(backend))];
        parts.extend(required.then(|| "NOT NULL".to_owned()));
        parts.extend(own_default.or(self.default).map(|value| format!("DEFAULT {value}")));
        parts.extend(
            self.condition(backend).map(|sql| format!("CONSTRAINT \"ck_{table}_{name}\" CHECK ({sql})")),
        );
        parts.extend(self.target.map(|(table, column)| format!("REFERENCES \"{table}\" (\"{column}\")")));
        parts.extend(self.cascade.then(|| "ON DELETE CASCADE".to_owned()));
        parts.join(" ")
    }

    fn sql_type(&self, backend: DbBackend) -> &'static str {
        let (postgres, sqlite) = match self.kind {
            Kind::Uuid => ("uuid", "BLOB"),
            Kind::Text => ("text COLLATE \"C\"", "TEXT"),
            Kind::Int => ("integer", "INTEGER"),
            Kind::BigInt => ("bigint", "INTEGER"),
            Kind::Bool => ("boolean", "INTEGER"),
            Kind::Double => ("double precision", "REAL"),
            Kind::Date => ("date", "TEXT"),
            Kind::Instant => ("timestamptz(6)", "TEXT"),
            Kind::Decimal => ("numeric(20, 4)", "REAL"),
            Kind::Json => ("jsonb", "TEXT"),
            Kind::Sequence => {
                ("bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT")
            }
        };
        if backend == DbBackend::Postgres { postgres } else { sqlite }
    }

    /// What the value must meet: the column's own condition, its list of values, the form of its kind.
    fn condition(&self, backend: DbBackend) -> Option<String> {
        let values = (!self.values.is_empty())
            .then(|| format!("\"{}\" IN ('{}')", self.name, self.values.join("', '")));
        let all: Vec<String> =
            self.check.map(str::to_owned).into_iter().chain(values).chain(self.form(backend)).collect();
        (!all.is_empty()).then(|| all.join(" AND "))
    }

    /// The condition that makes `SQLite` as strict as the type is on `PostgreSQL`, and the reverse for decimals.
    fn form(&self, backend: DbBackend) -> Option<String> {
        let name = self.name;
        match self.kind {
            Kind::Decimal => Some(format!("abs(\"{name}\") < 100000000000")),
            _ if backend == DbBackend::Postgres => None,
            Kind::Uuid => Some(format!("length(\"{name}\") = 16")),
            Kind::Bool => Some(format!("\"{name}\" IN (0, 1)")),
            Kind::Date => Some(format!("date(\"{name}\") = \"{name}\"")),
            // 32 characters end at the microsecond: PostgreSQL would drop what comes after.
            Kind::Instant => {
                Some(format!("\"{name}\" GLOB '????-??-??T*+00:00' AND length(\"{name}\") <= 32"))
            }
            Kind::Json => Some(format!("json_valid(\"{name}\")")),
            Kind::Text | Kind::Int | Kind::BigInt | Kind::Double | Kind::Sequence => None,
        }
    }
}
