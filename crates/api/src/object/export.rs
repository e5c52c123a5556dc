//! A whole list as a file, streamed batch by batch.

use std::fmt::Write as _;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use db::Db;
use db::object::{self as rows, ListRequest};
use futures::stream;
use model::id::TenantId;
use serde_json::Value;

use super::{Object, owner, query};
use crate::caller::Can;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// Objects read at once.
const BATCH: u16 = 1_000;

/// In which form a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A line of JSON each.
    Lines,
    /// Comma-separated (RFC 4180).
    Table,
}

impl Form {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Lines => "application/x-ndjson",
            Self::Table => "text/csv; charset=utf-8",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Lines => "ndjson",
            Self::Table => "csv",
        }
    }
}

/// The form asked for, and the rest of the query: what narrows and sorts the list.
fn form(query: &str) -> Answer<(Form, String)> {
    let mut rest = form_urlencoded::Serializer::new(String::new());
    let mut form = Form::Lines;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (name.as_ref(), value.as_ref()) {
            ("format", "ndjson") => form = Form::Lines,
            ("format", "csv") => form = Form::Table,
            ("format", _) => {
                return Err(Problem::invalid(
                    "query.format",
                    "unknown_word",
                    "can be ndjson or csv",
                ));
            }
            ("limit" | "cursor", _) => {
                let message = "a file holds the whole list: leave limit and cursor out";
                return Err(Problem::invalid(
                    &format!("query.{name}"),
                    "unknown_parameter",
                    message,
                ));
            }
            _ => {
                rest.append_pair(&name, &value);
            }
        }
    }
    Ok((form, rest.finish()))
}

pub(super) async fn export<O: Object>(
    State(app): State<App>,
    caller: Can<O::Read>,
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let (form, query) = form(query.as_deref().unwrap_or_default())?;
    let mut wanted = query::read(&O::KIND, &query)?;
    owner::narrow::<O>(&caller, &mut wanted);
    Ok(stream::<O>(app.db, caller.tenant(), wanted, form))
}

/// Everything that meets `wanted`, from its first page on. Rows that are added meanwhile may be
/// missing; none comes twice. A list that breaks off has no last line.
fn stream<O: Object>(db: Db, tenant: TenantId, wanted: ListRequest, form: Form) -> Response {
    let head = match form {
        Form::Table => Some(Bytes::from(heading::<O>())),
        Form::Lines => None,
    };
    let pages = stream::try_unfold(Some(wanted.of_size(BATCH)), move |wanted| {
        let db = db.clone();
        async move {
            let Some(wanted) = wanted else { return Ok(None) };
            let mut tx = db.tenant(tenant).await?;
            let page = rows::list(&mut tx, &O::KIND, &wanted).await?;
            let mut text = String::new();
            for row in page.items {
                line::<O>(&mut text, row, form)?;
            }
            let next = match page.next_cursor {
                None => None,
                Some(cursor) => Some(wanted.after(&cursor).map_err(db::Error::internal)?),
            };
            Ok::<_, db::Error>(Some((Bytes::from(text), next)))
        }
    });
    let all = futures::StreamExt::chain(stream::iter(head.map(Ok)), pages);
    let file = O::PATH.trim_start_matches('/');
    let named = format!("attachment; filename=\"{file}.{}\"", form.suffix());
    let headers = [
        (header::CONTENT_TYPE, form.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, named),
    ];
    (headers, Body::from_stream(all)).into_response()
}

fn columns<O: Object>() -> impl Iterator<Item = &'static str> {
    std::iter::once("id").chain(O::KIND.columns.iter().map(|column| column.name))
}

fn heading<O: Object>() -> String {
    let names: Vec<&str> = columns::<O>().collect();
    format!("{}\r\n", names.join(","))
}

fn line<O: Object>(text: &mut String, row: Value, form: Form) -> Result<(), db::Error> {
    // As the wire shows it: ids have their prefix there.
    let shown: O::Out = serde_json::from_value(row).map_err(db::Error::internal)?;
    let shown = serde_json::to_value(&shown).map_err(db::Error::internal)?;
    if form == Form::Lines {
        writeln!(text, "{shown}").map_err(db::Error::internal)?;
        return Ok(());
    }
    for (at, name) in columns::<O>().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&cell(&shown[name]));
    }
    text.push_str("\r\n");
    Ok(())
}

/// What a formula begins with; some spreadsheets read the full-width forms as the plain ones.
const FORMULA: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A value as a cell. A text that a spreadsheet would take for a formula gets an apostrophe in
/// front (CWE-1236): what an alert says must not run on the desk of whoever opens the file.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::Bool(_) | Value::Number(_) => return value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    let guard = if text.starts_with(FORMULA) { "'" } else { "" };
    let quoted = text.contains(['"', ',', '\r', '\n']) || !guard.is_empty();
    if quoted { format!("\"{guard}{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn w8_a_cell_is_never_a_formula_and_keeps_its_row_together() {
        for (value, expected) in [
            (json!("web-1"), "web-1"),
            (json!("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\""),
            (json!("+1"), "\"'+1\""),
            (json!("-1"), "\"'-1\""),
            (json!("@SUM(A1)"), "\"'@SUM(A1)\""),
            (json!("\t=1"), "\"'\t=1\""),
            (json!("\u{ff1d}1"), "\"'\u{ff1d}1\""),
            (json!(-1), "-1"),
            (json!("a,\"b\"\r\nc"), "\"a,\"\"b\"\"\r\nc\""),
            (json!(null), ""),
            (json!({"a": "=1"}), "\"{\"\"a\"\":\"\"=1\"\"}\""),
        ] {
            assert_eq!(cell(&value), expected, "{value}");
        }
    }
}
