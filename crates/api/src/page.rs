//! Lists: pages by key, forwards, with an opaque cursor.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use db::{Page, PageRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// `?limit=&cursor=`.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PagingIn {
    /// Items a page: 1 to 1000, 20 when absent.
    #[param(minimum = 1, maximum = 1000, example = 20)]
    pub limit: Option<i64>,
    /// Where to go on: `next_cursor` of the page before.
    #[param(max_length = 256)]
    pub cursor: Option<String>,
}

/// Which page is wanted, checked.
#[derive(Debug, Clone)]
pub struct Paging(pub PageRequest);

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(wanted) = Query::<PagingIn>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::invalid("query", "shape", error.body_text()))?;
        PageRequest::parse(wanted.limit, wanted.cursor.as_deref()).map(Self).map_err(|error| {
            let path = match error {
                db::page::PageError::Cursor => "query.cursor",
                db::page::PageError::Limit { .. } => "query.limit",
            };
            Problem::invalid(path, "out_of_range", error.to_string())
        })
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PageOut<T> {
    /// The items, newest first unless the endpoint says otherwise.
    pub items: Vec<T>,
    /// Where the next page goes on.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_next: bool,
}

impl<T> PageOut<T> {
    /// A page of the database's rows, as the API shows them.
    pub fn of<R>(page: Page<R>, show: impl FnMut(R) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(show).collect(),
            next_cursor: page.next_cursor,
            has_next: page.has_next,
        }
    }
}
