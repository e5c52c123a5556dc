//! Lists of objects: narrowed, searched, sorted, page by page after a key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{Column, Holds, Kind};
use crate::error::Error;
use crate::page::{DEFAULT_LIMIT, MAX_LIMIT, Page, PageError};
use crate::tx::TenantTx;

/// Rows a search finds by an index at most; a text that more hold is common enough to be met soon.
const MOST_ALIKE: usize = 10_000;

/// How a column is held against values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// It is one of these.
    OneOf(Vec<String>),
    /// It is not before this.
    From(String),
    /// It is before this.
    Before(String),
}

/// One condition of a list.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The column.
    pub column: &'static Column,
    /// What it must be. Values are texts of the column's type, already checked.
    pub test: Test,
}

/// The order of a list; rows that are equal in it are in order of id.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sort {
    /// By what; by id, and so by age, when there is none.
    pub column: Option<&'static Column>,
    /// From the least to the greatest.
    pub ascending: bool,
}

impl Sort {
    fn name(self) -> String {
        let sign = if self.ascending { "" } else { "-" };
        format!("{sign}{}", self.column.map_or("id", |column| column.name))
    }
}

/// After which row a page begins, in the words of the list it belongs to.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct After {
    sort: String,
    value: Option<String>,
    id: Uuid,
}

/// What is wanted of a list.
#[derive(Debug, Clone, Default)]
pub struct ListRequest {
    /// All of these hold.
    pub filters: Vec<Filter>,
    /// A text that one of the searched columns holds, in either case.
    pub search: Option<String>,
    /// In which order.
    pub sort: Sort,
    after: Option<After>,
    limit: Option<u16>,
}

impl ListRequest {
    /// All objects in this order.
    #[must_use]
    pub fn sorted(sort: Sort) -> Self {
        Self { sort, ..Self::default() }
    }

    /// Adds which page, once the order is known.
    ///
    /// # Errors
    /// When the limit is out of range, or the cursor is none of this list's.
    pub fn page(mut self, limit: Option<i64>, cursor: Option<&str>) -> Result<Self, PageError> {
        self.limit = match limit {
            None => None,
            Some(given) => Some(
                u16::try_from(given)
                    .ok()
                    .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                    .ok_or(PageError::Limit { given })?,
            ),
        };
        match cursor {
            None => Ok(self),
            Some(cursor) => self.after(cursor),
        }
    }

    /// Rows at once, for whoever reads all of them: more than a page may hold.
    #[must_use]
    pub fn of_size(mut self, rows: u16) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Goes on after a page.
    ///
    /// # Errors
    /// When the cursor is none of this list's.
    pub fn after(mut self, cursor: &str) -> Result<Self, PageError> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| PageError::Cursor)?;
        let after: After = serde_json::from_slice(&bytes).map_err(|_| PageError::Cursor)?;
        if after.value.is_some() != self.sort.column.is_some() || after.sort != self.sort.name() {
            return Err(PageError::Cursor);
        }
        self.after = Some(after);
        Ok(self)
    }
}

/// A page of the objects that meet the request, as JSON.
///
/// # Errors
/// When the database fails, or a cursor was written by hand and holds no value of its column.
pub async fn list(
    tx: &mut TenantTx,
    kind: &Kind,
    wanted: &ListRequest,
) -> Result<Page<Value>, Error> {
    let page = rows(tx, kind, &kind.document(), wanted).await?;
    let items = page.items.iter().map(super::document_of).collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor: page.next_cursor, has_next: page.has_next })
}

/// A page of the ids of what meets the request, for what is read by statements of its own.
///
/// # Errors
/// As [`list`].
pub async fn ids(
    tx: &mut TenantTx,
    kind: &Kind,
    wanted: &ListRequest,
) -> Result<Page<Uuid>, Error> {
    let page = rows(tx, kind, "NULL", wanted).await?;
    let items = page.items.iter().map(|row| row.try_get(2)).collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor: page.next_cursor, has_next: page.has_next })
}

/// A page of what a statement of its own reads: of the tenant `$1`, the rows of the ids `$2`.
///
/// # Errors
/// As [`list`].
pub async fn read<R>(
    tx: &mut TenantTx,
    kind: &Kind,
    wanted: &ListRequest,
    statement: &'static str,
    id: impl Fn(&R) -> Uuid,
) -> Result<Page<R>, Error>
where
    R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let page = ids(tx, kind, wanted).await?;
    let tenant = tx.tenant().uuid();
    let rows: Vec<R> =
        sqlx::query_as(statement).bind(tenant).bind(&page.items).fetch_all(tx.conn()).await?;
    Ok(in_order(page, rows, id))
}

/// What was read of a page of ids, in the page's order.
#[must_use]
pub fn in_order<T>(page: Page<Uuid>, mut read: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
    let place = |one: &T| page.items.iter().position(|known| *known == id(one));
    read.sort_by_key(place);
    Page { items: read, next_cursor: page.next_cursor, has_next: page.has_next }
}

async fn rows(
    tx: &mut TenantTx,
    kind: &Kind,
    shown: &str,
    wanted: &ListRequest,
) -> Result<Page<PgRow>, Error> {
    let limit = usize::from(wanted.limit.unwrap_or(DEFAULT_LIMIT));
    let found = match (&wanted.search, kind.columns.iter().find_map(|column| column.indexed)) {
        (Some(text), Some(function)) => alike(tx, function, text).await?,
        (Some(_) | None, _) => None,
    };
    let mut items = match found {
        Some(ids) if wanted.sort.column.is_none() => {
            looked_up(tx, kind, shown, wanted, ids).await?
        }
        found => asked(tx, kind, shown, wanted, found.as_deref()).await?,
    };
    let has_next = items.len() > limit;
    items.truncate(limit);
    let next_cursor = match items.last().filter(|_| has_next) {
        None => None,
        Some(last) => {
            let after =
                After { sort: wanted.sort.name(), value: last.try_get(1)?, id: last.try_get(2)? };
            let text = serde_json::to_vec(&after).map_err(Error::internal)?;
            Some(URL_SAFE_NO_PAD.encode(text))
        }
    };
    Ok(Page { items, next_cursor, has_next })
}

/// Rows of known ids, in the order of ids: the first ones until the page is full, and no others. How
/// the database finds a few ids does not depend on what else it holds.
async fn looked_up(
    tx: &mut TenantTx,
    kind: &Kind,
    shown: &str,
    wanted: &ListRequest,
    mut ids: Vec<Uuid>,
) -> Result<Vec<PgRow>, Error> {
    let ascending = wanted.sort.ascending;
    if let Some(after) = &wanted.after {
        ids.retain(|id| if ascending { *id > after.id } else { *id < after.id });
    }
    ids.sort_unstable();
    if !ascending {
        ids.reverse();
    }
    // One row more than the page holds tells whether another follows.
    let full = usize::from(wanted.limit.unwrap_or(DEFAULT_LIMIT)) + 1;
    let (mut rows, mut rest, mut at_once) = (Vec::new(), ids.as_slice(), full);
    while rows.len() < full && !rest.is_empty() {
        let (now, later) = rest.split_at(at_once.min(rest.len()));
        rows.extend(asked(tx, kind, shown, wanted, Some(now)).await?);
        (rest, at_once) = (later, at_once * 4);
    }
    Ok(rows)
}

/// One statement's rows: of these ids, where they are known.
async fn asked(
    tx: &mut TenantTx,
    kind: &Kind,
    shown: &str,
    wanted: &ListRequest,
    ids: Option<&[Uuid]>,
) -> Result<Vec<PgRow>, Error> {
    let key =
        wanted.sort.column.map_or_else(|| "NULL".to_owned(), |column| format!("o.{}", column.name));
    let mut sql = QueryBuilder::new(format!(
        "SELECT {shown}, {key}::text, o.id FROM {} o WHERE o.tenant_id = ",
        kind.table
    ));
    sql.push_bind(tx.tenant().uuid());
    for filter in &wanted.filters {
        match filter.column.through {
            Some((table, of)) => {
                sql.push(format!(
                    " AND EXISTS (SELECT FROM {table} t
                       WHERE t.tenant_id = o.tenant_id AND t.{of} = o.id"
                ));
                narrow(&mut sql, "t", filter);
                sql.push(")");
            }
            None => narrow(&mut sql, "o", filter),
        }
    }
    match (&wanted.search, ids) {
        (Some(_), Some(ids)) => {
            sql.push(" AND o.id = ANY (").push_bind(ids).push(")");
        }
        (Some(text), None) => look_for(&mut sql, kind, text),
        (None, _) => {}
    }
    if let Some(after) = &wanted.after {
        go_on(&mut sql, kind, wanted.sort, after);
    }
    let direction = if wanted.sort.ascending { "ASC" } else { "DESC" };
    sql.push(" ORDER BY ");
    if let Some(column) = wanted.sort.column {
        sql.push(format!("o.{} {direction}, ", column.name));
    }
    let limit = usize::from(wanted.limit.unwrap_or(DEFAULT_LIMIT));
    // One row more than the page holds tells whether another follows.
    sql.push(format!("o.id {direction} LIMIT {}", limit + 1));
    // Planned for these values: how many rows a tenant or a word has differs by thousands of times.
    Ok(sql.build().persistent(false).fetch_all(tx.conn()).await?)
}

/// One condition on the row `at`.
fn narrow(sql: &mut QueryBuilder<Postgres>, at: &str, filter: &Filter) {
    let Column { name, holds, ranked, behind, .. } = filter.column;
    let kind = holds.sql();
    if let Some((before, values)) = behind {
        sql.push(format!(" AND {at}.{before} = ANY (")).push_bind(*values).push(")");
    }
    match &filter.test {
        Test::OneOf(values) if let Some((rank, words)) = ranked => {
            of_rank(sql, &format!("{at}.{rank}"), words, values);
        }
        Test::OneOf(values) if *holds == Holds::Texts => {
            sql.push(format!(" AND {at}.{name} && ")).push_bind(values.clone());
        }
        Test::OneOf(values) if *holds == Holds::Ids => {
            sql.push(format!(" AND {at}.{name} && ")).push_bind(values.clone());
            sql.push(format!("::text[]::{kind}"));
        }
        // Equality keeps the order of an index that goes on after the column; membership does not.
        Test::OneOf(values) if values.len() == 1 => {
            sql.push(format!(" AND {at}.{name} = ")).push_bind(values.first().cloned());
            sql.push(format!("::text::{kind}"));
        }
        Test::OneOf(values) => {
            sql.push(format!(" AND {at}.{name} = ANY (")).push_bind(values.clone());
            sql.push(format!("::text[]::{kind}[])"));
        }
        Test::From(value) => {
            sql.push(format!(" AND {at}.{name} >= ")).push_bind(value.clone());
            sql.push(format!("::text::{kind}"));
        }
        Test::Before(value) => {
            sql.push(format!(" AND {at}.{name} < ")).push_bind(value.clone());
            sql.push(format!("::text::{kind}"));
        }
    }
}

/// What is one of these words, by the numbers indexes have in their place.
fn of_rank(sql: &mut QueryBuilder<Postgres>, rank: &str, words: &[&str], values: &[String]) {
    let number = |value: &String| words.iter().position(|word| word == value);
    let numbers: Vec<i16> =
        values.iter().filter_map(number).filter_map(|at| i16::try_from(at + 1).ok()).collect();
    sql.push(format!(" AND {rank} "));
    match numbers.as_slice() {
        [one] => sql.push("= ").push_bind(*one),
        _ => sql.push("= ANY (").push_bind(numbers).push(")"),
    };
}

/// The `LIKE` pattern of whatever holds this text.
#[must_use]
pub fn pattern(text: &str) -> String {
    let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{literal}%")
}

/// The ids of what holds `text`, by the function of [`Column::indexed`], in no order; none when they
/// are so many that whoever reads the table in any order soon meets enough of them.
///
/// # Errors
/// When the database fails.
pub async fn alike(
    tx: &mut TenantTx,
    function: &'static str,
    text: &str,
) -> Result<Option<Vec<Uuid>>, Error> {
    let ids: Vec<Uuid> =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT i FROM {function}($1, $2) AS i")))
            .bind(pattern(text))
            .bind(i32::try_from(MOST_ALIKE + 1).map_err(Error::internal)?)
            .fetch_all(tx.conn())
            .await?;
    Ok(Some(ids).filter(|ids| ids.len() <= MOST_ALIKE))
}

fn look_for(sql: &mut QueryBuilder<Postgres>, kind: &Kind, text: &str) {
    let pattern = pattern(text);
    sql.push(" AND (false");
    for column in kind.columns.iter().filter(|column| column.search) {
        sql.push(format!(" OR o.{} ILIKE ", column.name)).push_bind(pattern.clone());
    }
    sql.push(")");
}

fn go_on(sql: &mut QueryBuilder<Postgres>, kind: &Kind, sort: Sort, after: &After) {
    let than = if sort.ascending { ">" } else { "<" };
    match sort.column {
        None => {
            let twin = kind.columns.iter().find(|column| column.twin).map(|column| column.name);
            for id in twin.into_iter().chain(["id"]) {
                sql.push(format!(" AND o.{id} {than} ")).push_bind(after.id);
            }
        }
        Some(column) => {
            sql.push(format!(" AND (o.{}, o.id) {than} (", column.name));
            sql.push_bind(after.value.clone());
            sql.push(format!("::text::{}, ", column.holds.sql())).push_bind(after.id).push(")");
        }
    }
}
