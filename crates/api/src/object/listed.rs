//! Lists of what has statements of its own, asked for in the words of plain objects.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use db::object::{Kind, ListRequest, Test};
use utoipa::openapi::path::Parameter;

use super::{describe, query};
use crate::problem::{Answer, Problem};

/// What is listed: `?state=…&created_at_from=…&q=…&sort=-created_at&limit=&cursor=`.
pub trait Listed: Send + Sync + 'static {
    /// Where it is read, and by what it is narrowed, searched and sorted.
    const KIND: Kind;

    /// Refuses a value no row can have: a misspelt word would show an empty list.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn word(column: &str, value: &str) -> Result<(), String>;
}

/// What is wanted of a list, checked.
#[derive(Debug)]
pub struct Wanted<L>(pub ListRequest, pub PhantomData<L>);

impl<L: Listed, S: Send + Sync> FromRequestParts<S> for Wanted<L> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read::<L>(parts.uri.query().unwrap_or_default()).map(|wanted| Self(wanted, PhantomData))
    }
}

fn read<L: Listed>(query: &str) -> Answer<ListRequest> {
    let wanted = query::read(&L::KIND, query)?;
    for filter in &wanted.filters {
        let Test::OneOf(values) = &filter.test else { continue };
        for value in values {
            L::word(filter.column.name, value).map_err(|message| {
                let path = format!("query.{}", filter.column.name);
                Problem::invalid(&path, "unknown_word", message)
            })?;
        }
    }
    Ok(wanted)
}

/// The description of such a query.
///
/// # Panics
/// Never: it is made of constants.
#[must_use]
pub fn parameters<L: Listed>() -> Vec<Parameter> {
    let all = serde_json::Value::from(describe::query(&L::KIND));
    serde_json::from_value(all).expect("they are parameters")
}

/// Declares what is listed, with the words its columns know.
#[macro_export]
macro_rules! listed {
    ($(#[$about:meta])* $name:ident: $kind:expr $(, $column:literal: $word:ty)* $(,)?) => {
        $(#[$about])*
        #[derive(Debug)]
        pub(super) struct $name;

        impl $crate::object::Listed for $name {
            const KIND: ::db::object::Kind = $kind;

            fn word(column: &str, value: &str) -> Result<(), String> {
                match column {
                    $($column => value
                        .parse::<$word>()
                        .map(drop)
                        .map_err(|error| error.to_string()),)*
                    _ => Ok(()),
                }
            }
        }

        impl ::utoipa::IntoParams for $name {
            fn into_params(
                _: impl Fn() -> Option<::utoipa::openapi::path::ParameterIn>,
            ) -> Vec<::utoipa::openapi::path::Parameter> {
                $crate::object::parameters::<Self>()
            }
        }
    };
}
