//! Differences that do not count for a tenant: what somebody said of them, applied to what drifted.

use super::path::{BadPattern, Pattern, fits};
use super::{Drift, DriftType};

/// What does not count.
#[derive(Debug, Clone)]
pub struct Ignore {
    types: String,
    addresses: String,
    path: Option<Pattern>,
}

impl Ignore {
    /// Properties at `path` of resources whose type and address are like these, with `*` and `?`;
    /// without a path whatever differs of them, that they are gone included.
    ///
    /// # Errors
    /// When the path is no pattern.
    pub fn new(types: &str, addresses: &str, path: Option<&str>) -> Result<Self, BadPattern> {
        let path = path.map(Pattern::parse).transpose()?;
        Ok(Self { types: types.to_owned(), addresses: addresses.to_owned(), path })
    }

    fn about(&self, drift: &Drift) -> bool {
        fits(&self.types, &drift.kind) && fits(&self.addresses, &drift.address)
    }
}

/// All that does not count.
#[derive(Debug, Clone, Default)]
pub struct Ignores(Vec<Ignore>);

impl FromIterator<Ignore> for Ignores {
    fn from_iter<I: IntoIterator<Item = Ignore>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

impl Ignores {
    /// What is left of a drift; nothing when none of it counts.
    #[must_use]
    pub fn left(&self, mut drift: Drift) -> Option<Drift> {
        let about: Vec<&Ignore> = self.0.iter().filter(|ignore| ignore.about(&drift)).collect();
        if about.iter().any(|ignore| ignore.path.is_none()) {
            return None;
        }
        if drift.drift != DriftType::Modified {
            return Some(drift);
        }
        let before = drift.changes.len();
        drift.changes.retain(|change| {
            let mut paths = about.iter().filter_map(|ignore| ignore.path.as_ref());
            !paths.any(|path| path.covers(&change.steps))
        });
        (before == 0 || !drift.changes.is_empty()).then_some(drift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{Change, ChangeType, path};

    fn drift(kind: DriftType, paths: &[&str]) -> Drift {
        let changes = paths.iter().map(|at| Change {
            path: (*at).to_owned(),
            steps: path::parse(at),
            change: ChangeType::Modified,
            declared: None,
            actual: None,
        });
        Drift {
            address: "module.web.aws_instance.a".to_owned(),
            kind: "aws_instance".to_owned(),
            id: None,
            drift: kind,
            changes: changes.collect(),
            declared: None,
            actual: None,
        }
    }

    fn left(ignore: (&str, &str, Option<&str>), drift: Drift) -> Option<usize> {
        let ignores: Ignores =
            [Ignore::new(ignore.0, ignore.1, ignore.2).unwrap()].into_iter().collect();
        ignores.left(drift).map(|drift| drift.changes.len())
    }

    #[test]
    fn what_does_not_count_is_left_out_and_everything_else_is_not() {
        let modified = || drift(DriftType::Modified, &["tags.Owner", "instance_type"]);
        for (ignore, expected) in [
            (("*", "*", Some("tags")), Some(1)),
            (("aws_*", "module.web.*", Some("tags.*")), Some(1)),
            (("aws_s3_*", "*", Some("tags")), Some(2)),
            (("*", "module.db.*", Some("tags")), Some(2)),
            (("*", "*", Some("**")), None),
            (("*", "*", None), None),
            (("*", "module.db.*", None), Some(2)),
        ] {
            assert_eq!(left(ignore, modified()), expected, "{ignore:?}");
        }
        // A path says nothing of a resource that is gone.
        let gone = || drift(DriftType::Deleted, &[]);
        assert_eq!(left(("*", "*", Some("**")), gone()), Some(0));
        assert_eq!(left(("*", "*", None), gone()), None);
        assert!(Ignore::new("*", "*", Some("a[")).is_err());
    }
}
