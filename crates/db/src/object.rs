//! Plain objects: rows that are listed, shown, made, replaced and removed, and judge nothing.
//!
//! A [`Kind`] says what its table holds; the statements are made from that, so that every kind is
//! filtered, searched, sorted and paged the same way. Names of tables and columns are constants of
//! this program, never input. What has rules of its own has a `store` module of its own.

mod list;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::error::Error;
use crate::tx::TenantTx;

pub use list::{Filter, ListRequest, Sort, Test, alike, ids, in_order, list, pattern, read};

/// What a column holds, and how it is written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The id of something: a string with the kind's prefix.
    Id,
    /// Several such ids.
    Ids,
    /// A string.
    Text,
    /// A list of strings.
    Texts,
    /// A whole number of 32 bits.
    Integer,
    /// A floating-point number.
    Number,
    /// An exact number, as a string.
    Decimal,
    /// A truth value.
    Boolean,
    /// A moment, RFC 3339.
    Time,
    /// A day, `2026-03-01`.
    Date,
    /// A span, in seconds, as a number.
    Seconds,
    /// Any JSON.
    Json,
    /// SHA-256, in hexadecimal.
    Sha256,
}

impl Holds {
    /// The type of the column in the database.
    const fn sql(self) -> &'static str {
        match self {
            Self::Id => "uuid",
            Self::Ids => "uuid[]",
            Self::Text => "text",
            Self::Texts => "text[]",
            Self::Integer => "integer",
            Self::Number => "float8",
            Self::Decimal => "numeric",
            Self::Boolean => "boolean",
            Self::Time => "timestamptz",
            Self::Date => "date",
            Self::Seconds => "interval",
            Self::Json => "jsonb",
            Self::Sha256 => "bytea",
        }
    }

    /// The type its JSON is read as.
    const fn given(self) -> &'static str {
        match self {
            Self::Decimal | Self::Sha256 => "text",
            Self::Seconds => "float8",
            Self::Id
            | Self::Ids
            | Self::Text
            | Self::Texts
            | Self::Integer
            | Self::Number
            | Self::Boolean
            | Self::Time
            | Self::Date
            | Self::Json => self.sql(),
        }
    }
}

/// Who fills a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// Whoever makes or replaces the object.
    ByCaller,
    /// Whoever makes it, once: replacing leaves it as it is.
    Once,
    /// The actor who makes it.
    ByMaker,
    /// This program, of what the caller fills, whenever that changes.
    Derived,
    /// The database, or another part of the program.
    ByUs,
}

/// What is written when an object is made.
const AT_FIRST: [Filled; 4] = [Filled::ByCaller, Filled::Once, Filled::ByMaker, Filled::Derived];

/// What is written when it is replaced.
const AGAIN: [Filled; 2] = [Filled::ByCaller, Filled::Derived];

/// A column, and what lists may do with it.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name, the same in table and JSON.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// Who fills it.
    pub filled: Filled,
    /// Whether a list may be narrowed by it.
    pub filter: bool,
    /// What a list calls it when it is narrowed by it: its name, or that of one among several.
    pub asked: &'static str,
    /// The table whose rows hold it, and the column of that table with this one's id, where it is not
    /// the object that holds it but what belongs to the object: lists are narrowed by it, and it is
    /// not shown.
    pub through: Option<(&'static str, &'static str)>,
    /// What it is read as, in SQL over the row `o`, where another table has it: it is shown alone.
    pub looked_up: Option<&'static str>,
    /// Whether a list may be sorted by it; such a column is never null, and an index of its table
    /// has it after the tenant wherever tables grow large.
    pub sort: bool,
    /// Whether it is when the object was made: ids are in order of time, so sorting by it is
    /// sorting by id.
    pub age: bool,
    /// Whether a search looks into it; such a column is text.
    pub search: bool,
    /// The function that searches it by an index, where there is one: of a pattern and how many ids
    /// at most. No other column of the kind is searched then.
    pub indexed: Option<&'static str>,
    /// The column that says the same as a number, which indexes have in its place, and the words of
    /// 1, 2 and so on.
    pub ranked: Option<(&'static str, &'static [&'static str])>,
    /// The column an index has before it, and all the values that one may have.
    pub behind: Option<(&'static str, &'static [&'static str])>,
    /// Whether it is the id once more, on the other side of a join: both sides are then entered where
    /// a page begins, and neither is read from the newest row on.
    pub twin: bool,
}

impl Column {
    /// A column its caller fills, shown and no more. A field that is named like a word of Rust's
    /// comes as `r#type`.
    #[must_use]
    pub const fn new(field: &'static str, holds: Holds) -> Self {
        let name = match field.as_bytes() {
            [b'r', b'#', ..] => field.split_at(2).1,
            _ => field,
        };
        Self {
            name,
            holds,
            filled: Filled::ByCaller,
            filter: false,
            asked: name,
            through: None,
            looked_up: None,
            sort: false,
            age: false,
            search: false,
            indexed: None,
            ranked: None,
            behind: None,
            twin: false,
        }
    }

    /// Filled by somebody else than whoever replaces it.
    #[must_use]
    pub const fn filled(mut self, filled: Filled) -> Self {
        self.filled = filled;
        self
    }

    /// Lists may be narrowed by it.
    #[must_use]
    pub const fn filter(mut self) -> Self {
        self.filter = true;
        self
    }

    /// Lists may be narrowed by it, under another name: that of one, where it holds several.
    #[must_use]
    pub const fn asked_as(mut self, name: &'static str) -> Self {
        self.filter = true;
        self.asked = name;
        self
    }

    /// Lists may be narrowed by it, through the rows of another table that belong to the object by
    /// this column of theirs. An index there begins with the tenant, it, and that column.
    #[must_use]
    pub const fn through(mut self, table: &'static str, of: &'static str) -> Self {
        self.filter = true;
        self.through = Some((table, of));
        self
    }

    /// It stands in another table and is only shown. Looked up for the rows of a page alone: what is
    /// shown is worked out after the page is cut.
    #[must_use]
    pub const fn looked_up(mut self, sql: &'static str) -> Self {
        self.looked_up = Some(sql);
        self
    }

    /// Lists may be sorted by it.
    #[must_use]
    pub const fn sort(mut self) -> Self {
        self.sort = true;
        self
    }

    /// It is when the object was made: lists may be sorted by it.
    #[must_use]
    pub const fn age(mut self) -> Self {
        self.sort = true;
        self.age = true;
        self
    }

    /// Lists may be narrowed by it, through an index that has another column before it: one of few
    /// values, all of which are named here.
    #[must_use]
    pub const fn behind(mut self, column: &'static str, values: &'static [&'static str]) -> Self {
        self.filter = true;
        self.behind = Some((column, values));
        self
    }

    /// It is the id once more, on the other side of a join.
    #[must_use]
    pub const fn twin(mut self) -> Self {
        self.twin = true;
        self
    }

    /// A search looks into it.
    #[must_use]
    pub const fn search(mut self) -> Self {
        self.search = true;
        self
    }

    /// A search looks into it by an index, through this function.
    #[must_use]
    pub const fn search_index(mut self, function: &'static str) -> Self {
        self.search = true;
        self.indexed = Some(function);
        self
    }

    /// Lists may be narrowed by it, and are by its rank: the column of this name, which is 1 for the
    /// first of these words, 2 for the second and so on.
    #[must_use]
    pub const fn ranked(mut self, column: &'static str, words: &'static [&'static str]) -> Self {
        self.filter = true;
        self.ranked = Some((column, words));
        self
    }
}

/// A kind of object.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What one is called: `service`.
    pub word: &'static str,
    /// Its table, schema included. Every one has `tenant_id` and `id`.
    pub table: &'static str,
    /// Its columns besides those two.
    pub columns: &'static [Column],
    /// The columns one is known by outside, in the order of their unique key; none where it is
    /// known by its id alone.
    pub natural: &'static [&'static str],
}

impl Kind {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn written(&self, filled: &[Filled]) -> Vec<&'static Column> {
        self.columns.iter().filter(|column| filled.contains(&column.filled)).collect()
    }

    /// Whether replacing it moves a time of its own.
    fn dated(&self) -> bool {
        self.column("updated_at").is_some()
    }

    /// One row as JSON.
    fn document(&self) -> String {
        let held = self.columns.iter().filter(|column| column.through.is_none());
        let pairs = held.map(|column| {
            let Column { name, holds, .. } = column;
            if let Some(sql) = column.looked_up {
                return format!(", '{name}', ({sql})");
            }
            let value = match holds {
                Holds::Decimal => format!("o.{name}::text"),
                Holds::Seconds => format!("extract(epoch FROM o.{name})"),
                Holds::Sha256 => format!("encode(o.{name}, 'hex')"),
                Holds::Id
                | Holds::Ids
                | Holds::Text
                | Holds::Texts
                | Holds::Integer
                | Holds::Number
                | Holds::Boolean
                | Holds::Time
                | Holds::Date
                | Holds::Json => format!("o.{name}"),
            };
            format!(", '{name}', {value}")
        });
        format!("jsonb_build_object('id', o.id{})", pairs.collect::<String>())
    }
}

/// What a column is given, as SQL over the record `r`.
fn given(column: &Column) -> String {
    let name = column.name;
    match column.holds {
        Holds::Decimal => format!("r.{name}::numeric"),
        Holds::Seconds => format!("make_interval(secs => r.{name})"),
        Holds::Sha256 => format!("decode(r.{name}, 'hex')"),
        Holds::Id
        | Holds::Ids
        | Holds::Text
        | Holds::Texts
        | Holds::Integer
        | Holds::Number
        | Holds::Boolean
        | Holds::Time
        | Holds::Date
        | Holds::Json => format!("r.{name}"),
    }
}

/// The fields with their ids as the database has them, without prefixes: a check of each id's shape
/// there is a fifth of what writing a row costs.
fn bare(kind: &Kind, mut fields: Map<String, Value>) -> Map<String, Value> {
    for column in kind.columns.iter().filter(|column| column.holds == Holds::Id) {
        if let Some(Value::String(id)) = fields.get_mut(column.name)
            && let Some((_, bare)) = id.rsplit_once('_')
        {
            *id = bare.to_owned();
        }
    }
    fields
}

/// What a record of the columns holds.
fn shape(columns: &[&Column]) -> String {
    let fields = columns.iter().map(|column| format!("{} {}", column.name, column.holds.given()));
    fields.collect::<Vec<_>>().join(", ")
}

/// `jsonb_to_record` of the columns.
fn record(sql: &mut QueryBuilder<Postgres>, columns: &[&Column], fields: Map<String, Value>) {
    sql.push("jsonb_to_record(").push_bind(Value::Object(fields));
    sql.push(format!(") AS r ({})", shape(columns)));
}

fn document_of(row: &PgRow) -> Result<Value, Error> {
    Ok(row.try_get(0)?)
}

/// One object as JSON; `lock` keeps others from changing it until the transaction ends.
///
/// # Errors
/// [`Error::NotFound`] when there is none with this id.
pub async fn get(tx: &mut TenantTx, kind: &Kind, id: Uuid, lock: Lock) -> Result<Value, Error> {
    let mut sql = QueryBuilder::new(format!(
        "SELECT {} FROM {} o WHERE o.tenant_id = ",
        kind.document(),
        kind.table
    ));
    sql.push_bind(tx.tenant().uuid()).push(" AND o.id = ").push_bind(id);
    if lock == Lock::ForChange {
        sql.push(" FOR UPDATE");
    }
    document_of(&sql.build().fetch_one(tx.conn()).await?)
}

/// Whether a row is read to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// It is only shown.
    None,
    /// It is changed in this transaction.
    ForChange,
}

/// Keeps a row as it is until the transaction ends: what is read of it then stays true.
///
/// # Errors
/// [`Error::NotFound`] when there is none with this id.
pub async fn hold(tx: &mut TenantTx, table: &'static str, id: Uuid) -> Result<(), Error> {
    let statement = format!("SELECT true FROM {table} WHERE tenant_id = $1 AND id = $2 FOR UPDATE");
    let tenant = tx.tenant().uuid();
    let held: bool = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(tenant)
        .bind(id)
        .fetch_one(tx.conn())
        .await?;
    debug_assert!(held);
    Ok(())
}

/// Makes an object of the fields its maker fills; gives it as JSON.
///
/// # Errors
/// [`Error::Conflict`] when there is such an object already, [`Error::Invalid`] when a value does
/// not fit or refers to nothing.
pub async fn insert(
    tx: &mut TenantTx,
    kind: &Kind,
    id: Uuid,
    fields: Map<String, Value>,
) -> Result<Value, Error> {
    let columns = kind.written(&AT_FIRST);
    let names: String = columns.iter().map(|column| format!(", {}", column.name)).collect();
    let values: String = columns.iter().map(|column| format!(", {}", given(column))).collect();
    let mut sql = QueryBuilder::new(format!(
        "INSERT INTO {} AS o (tenant_id, id{names}) SELECT ",
        kind.table
    ));
    sql.push_bind(tx.tenant().uuid()).push(", ").push_bind(id).push(values).push(" FROM ");
    record(&mut sql, &columns, bare(kind, fields));
    sql.push(" RETURNING ").push(kind.document());
    document_of(&sql.build().fetch_one(tx.conn()).await?)
}

/// Replaces what its caller fills; gives the object as JSON.
///
/// # Errors
/// [`Error::NotFound`] when there is none with this id; else as [`insert`].
pub async fn update(
    tx: &mut TenantTx,
    kind: &Kind,
    id: Uuid,
    fields: Map<String, Value>,
) -> Result<Value, Error> {
    let columns = kind.written(&AGAIN);
    let mut changes: Vec<String> =
        columns.iter().map(|column| format!("{} = {}", column.name, given(column))).collect();
    if kind.dated() {
        changes.push("updated_at = clock_timestamp()".to_owned());
    }
    let mut sql =
        QueryBuilder::new(format!("UPDATE {} AS o SET {} FROM ", kind.table, changes.join(", ")));
    record(&mut sql, &columns, bare(kind, fields));
    sql.push(" WHERE o.tenant_id = ").push_bind(tx.tenant().uuid());
    sql.push(" AND o.id = ").push_bind(id).push(" RETURNING ").push(kind.document());
    document_of(&sql.build().fetch_one(tx.conn()).await?)
}

/// A row as [`place`] takes it.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Placeable(Map<String, Value>);

impl Placeable {
    /// Of the fields its maker fills; it gets an id, should it be new.
    #[must_use]
    pub fn new(kind: &Kind, fields: Map<String, Value>) -> Self {
        let mut row = bare(kind, fields);
        row.insert("id".to_owned(), Uuid::now_v7().to_string().into());
        Self(row)
    }

    /// A field of it.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }
}

/// Makes or replaces objects by what they are known by outside; gives how many are new. No two of
/// `rows` may be known by the same.
///
/// # Errors
/// As [`insert`]; then none of them is written.
pub async fn place(tx: &mut TenantTx, kind: &Kind, rows: &[&Placeable]) -> Result<u64, Error> {
    let columns = kind.written(&AT_FIRST);
    let names: String = columns.iter().map(|column| format!(", {}", column.name)).collect();
    let values: String = columns.iter().map(|column| format!(", {}", given(column))).collect();
    let mut changes: Vec<String> = kind
        .written(&AGAIN)
        .iter()
        .map(|column| format!("{0} = excluded.{0}", column.name))
        .collect();
    if kind.dated() {
        changes.push("updated_at = clock_timestamp()".to_owned());
    }
    let head = format!("INSERT INTO {} AS o (tenant_id, id{names}) SELECT ", kind.table);
    let mut sql = QueryBuilder::new(head);
    sql.push_bind(tx.tenant().uuid()).push(format!(", r.id{values} FROM jsonb_to_recordset("));
    sql.push_bind(Json(rows));
    sql.push(format!(
        ") AS r (id uuid, {}) ON CONFLICT (tenant_id, {}) DO UPDATE SET {} RETURNING o.xmax = 0",
        shape(&columns),
        kind.natural.join(", "),
        changes.join(", ")
    ));
    let placed = sql.build_query_scalar::<bool>().fetch_all(tx.conn()).await?;
    Ok(placed.into_iter().filter(|fresh| *fresh).count() as u64)
}

/// Removes an object.
///
/// # Errors
/// [`Error::NotFound`] when there is none with this id; [`Error::Invalid`] when something refers to
/// it.
pub async fn delete(tx: &mut TenantTx, kind: &Kind, id: Uuid) -> Result<(), Error> {
    let mut sql = QueryBuilder::new(format!("DELETE FROM {} o WHERE o.tenant_id = ", kind.table));
    sql.push_bind(tx.tenant().uuid()).push(" AND o.id = ").push_bind(id);
    let done = sql.build().execute(tx.conn()).await?;
    if done.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}
