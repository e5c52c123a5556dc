//! What people give on the command line: files, pairs, names of things.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{prompt, view};
use crate::client::Client;

/// `NAME=VALUE`.
///
/// # Errors
/// When there is no `=` or no name.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// The text of a file; `-` is standard input.
///
/// # Errors
/// When it cannot be read or is no UTF-8.
pub fn text_of(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        return prompt::standard_input();
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Finds the one item of a list whose id or name was given.
///
/// # Errors
/// When the list cannot be had, or has no such item.
pub async fn find(
    client: &Client,
    what: &str,
    path: &[&str],
    names: &[&str],
    given: &str,
) -> Result<Value> {
    let query = [("limit", "100".to_owned())];
    let mut pages = client.pages(path, &query);
    while let Some(page) = pages.next().await? {
        let is_it = |item: &Value| names.iter().any(|name| view::raw(item, name) == given);
        if let Some(found) = page.into_iter().find(is_it) {
            return Ok(found);
        }
    }
    bail!("there is no {what} {given:?}: give its name or id")
}

/// Finds the id of what was given by id or name. An id is believed: the server knows better.
///
/// # Errors
/// When the list cannot be had, or has no such item.
pub async fn id_of(
    client: &Client,
    what: &str,
    path: &[&str],
    prefix: &str,
    given: &str,
) -> Result<String> {
    let bare = given.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).unwrap_or(given);
    if uuid::Uuid::try_parse(bare).is_ok() {
        return Ok(given.to_owned());
    }
    let found = find(client, what, path, &["/id", "/name", "/slug", "/username"], given).await?;
    Ok(view::raw(&found, "/id").to_owned())
}

/// `yes` or `no`.
///
/// # Errors
/// When it is something else.
pub fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}

/// Pairs as an object.
#[must_use]
pub fn object(pairs: &[(String, String)]) -> Value {
    pairs
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
