//! Which part of a path could not be read, from what axum's `Path` says of it.

use api::Problem;

/// What axum's `Path` begins with when a part of the path cannot be read.
const BAD_PATH: &str = "Invalid URL: ";

/// The problem behind a rejection of `Path`; `None` when it is no such rejection.
///
/// `route` is the route as it was written, `path` the one that was asked for.
pub(super) fn problem(rejection: &str, route: &str, path: &str) -> Option<Problem> {
    let said = rejection.strip_prefix(BAD_PATH)?;
    let parameters: Vec<(&str, &str)> = route
        .split('/')
        .zip(path.split('/'))
        .filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?, value)))
        .collect();
    let name = named(said).or_else(|| {
        let at = index(said).unwrap_or_else(|| guilty(said, &parameters));
        parameters.get(at).map(|(name, _)| *name)
    });
    Some(Problem::invalid(&format!("path.{}", name.unwrap_or("id")), "id", said))
}

/// "Cannot parse `name` with value …" and "Invalid UTF-8 in `name`".
fn named(said: &str) -> Option<&str> {
    let rest =
        said.strip_prefix("Cannot parse `").or_else(|| said.strip_prefix("Invalid UTF-8 in `"))?;
    // Of a route with one parameter it is the value that is quoted, not the name.
    let (name, rest) = rest.split_once('`')?;
    (!rest.starts_with(" to a ")).then_some(name)
}

/// "Cannot parse value at index 1 with value …".
fn index(said: &str) -> Option<usize> {
    let (index, _) = said.strip_prefix("Cannot parse value at index ")?.split_once(' ')?;
    index.parse().ok()
}

/// An identifier's own words do not say which of several it was. It is one that has the fault they
/// tell of: no UUID, and then the first such, for it is read first; or another prefix than the one
/// they expect, and then the last such, for what comes before it mostly has a right prefix of its
/// own.
fn guilty(said: &str, parameters: &[(&str, &str)]) -> usize {
    let expected = said.split_once("expected the prefix ").map(|(_, prefix)| prefix);
    let other_kind = |value: &str, expected: &str| {
        value.split_once('_').is_some_and(|(prefix, _)| expected.strip_suffix('_') != Some(prefix))
    };
    let no_uuid = |value: &str| {
        uuid::Uuid::try_parse(value.split_once('_').map_or(value, |(_, bare)| bare)).is_err()
    };
    let mut values = parameters.iter().map(|(_, value)| value);
    match expected {
        Some(expected) => values.rposition(|value| other_kind(value, expected)),
        None => values.position(|value| no_uuid(value)),
    }
    .unwrap_or_default()
}
