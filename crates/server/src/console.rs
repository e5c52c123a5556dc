//! The console beside the API: whatever path is not a program's own.

#[cfg(test)]
mod tests;

use api::Problem;
use api::problem::Answer;
use aws_lc_rs::rand;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use console::{Console, Nonce};

/// The first segments of paths that are programs' own: a page never stands there.
const PROGRAMS: [&str; 4] = ["api", "healthz", "readyz", "metrics"];

/// Answers with the console's page and its files. What is neither is a problem.
///
/// # Errors
/// 404 where nothing is; 503 when the system has no randomness for the page's nonce.
pub(crate) fn show(console: Console, request: &Request) -> Answer<Response> {
    let path = request.uri().path();
    let first = path.split('/').nth(1).unwrap_or_default();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if PROGRAMS.contains(&first) || !reads {
        return Err(Problem::not_found("path"));
    }
    let mut bits = [0; 16];
    rand::fill(&mut bits)
        .map_err(|_| Problem::unavailable("the system has no randomness to give; try again"))?;
    let found = console.answer(path, request.headers(), &Nonce::of(bits));
    Ok(found.ok_or_else(|| Problem::not_found("path"))?.map(Body::from))
}
