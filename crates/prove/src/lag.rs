//! How far the log may be behind before nothing is started that changes something.
//!
//! An event that is in no signed checkpoint can still be taken away by whoever has the database. So
//! while the signer, the directory of the log or a witness that is required are away, what runs is
//! finished or undone, and what would begin waits.

use std::time::Duration;

/// How long events may wait for their checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How long at most.
    pub most: Duration,
    /// Whether the checkpoint must also be cosigned by the witness.
    pub witnessed: bool,
}

impl Default for Limit {
    fn default() -> Self {
        Self { most: Duration::from_secs(120), witnessed: false }
    }
}

impl Limit {
    /// Why nothing that changes something may start; none while it may. `oldest` is how long the
    /// oldest event waits that no checkpoint covers.
    #[must_use]
    pub fn held(&self, oldest: Option<Duration>) -> Option<String> {
        let waits = oldest.filter(|oldest| *oldest > self.most)?.as_secs();
        let lacks = if self.witnessed { "cosigned by the witness" } else { "signed" };
        Some(format!("the audit log is {waits} s behind: its newest events are not {lacks} yet"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l11_what_waits_longer_than_the_limit_holds_and_nothing_else_does() {
        let limit = Limit { most: Duration::from_secs(60), witnessed: false };
        assert_eq!(limit.held(None), None);
        assert_eq!(limit.held(Some(Duration::from_secs(60))), None);
        let why = limit.held(Some(Duration::from_secs(61))).unwrap();
        assert!(why.contains("61 s behind") && why.contains("not signed"), "{why}");
        let why = Limit { witnessed: true, ..limit }.held(Some(Duration::from_secs(90))).unwrap();
        assert!(why.contains("not cosigned"), "{why}");
    }
}
