//! How the audit log stands: whether its newest events are signed, and what the witness says.
//!
//! Every process looks at it for itself: what is behind is an alarm in its log, a line under
//! `/readyz` (which `countersign doctor` shows) and a figure under `/metrics`.

use std::time::Duration;

use db::Db;
use prove::lag::Limit;
use prove::store::lag::{self, Standing};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::health::Health;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// How often an alarm that stays is repeated in the log.
const REPEAT: Duration = Duration::from_secs(60);

/// How all logs of a deployment stand together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// How long the oldest event waits that no checkpoint covers.
    pub unsigned: Duration,
    /// How long the oldest event waits that no cosigned checkpoint covers, where a witness must.
    pub uncosigned: Duration,
    /// In how many logs events wait for so long that nothing is started.
    pub held: usize,
    /// How many logs the witness refuses.
    pub refused: usize,
}

impl Summary {
    fn of(standing: &[Standing], limit: Limit) -> Self {
        let waits = |one: &Standing| if limit.witnessed { one.uncosigned } else { one.unsigned };
        let longest = |each: fn(&Standing) -> Option<Duration>| {
            standing.iter().filter_map(each).max().unwrap_or_default()
        };
        Self {
            unsigned: longest(|one| one.unsigned),
            uncosigned: longest(|one| one.uncosigned),
            held: standing.iter().filter(|one| limit.held(waits(one)).is_some()).count(),
            refused: standing.iter().filter(|one| one.refusal.is_some()).count(),
        }
    }

    /// What is wrong, a line each; nothing when nothing is.
    #[must_use]
    pub fn remarks(&self) -> String {
        let mut text = String::new();
        let waits = self.unsigned.max(self.uncosigned).as_secs();
        if self.held > 0 {
            let held = self.held;
            text.push_str(&format!(
                "audit: logs behind: {held}, by up to {waits} s; nothing is started there that \
                 changes something\n"
            ));
        }
        if self.refused > 0 {
            let refused = self.refused;
            text.push_str(&format!("audit: logs the witness refuses: {refused}\n"));
        }
        text
    }

    /// The same as figures, in the text format of Prometheus.
    #[must_use]
    pub fn figures(&self) -> String {
        let figures = [
            (
                "countersign_audit_unsigned_seconds",
                "How long the oldest audit event waits that no checkpoint covers.",
                self.unsigned.as_secs_f64(),
            ),
            (
                "countersign_audit_uncosigned_seconds",
                "How long the oldest audit event waits that no required cosignature covers.",
                self.uncosigned.as_secs_f64(),
            ),
            (
                "countersign_audit_held_logs",
                "Logs so far behind that nothing is started.",
                f64::from(u32::try_from(self.held).unwrap_or(u32::MAX)),
            ),
            (
                "countersign_audit_refused_logs",
                "Logs that the witness refuses.",
                f64::from(u32::try_from(self.refused).unwrap_or(u32::MAX)),
            ),
        ];
        let mut text = String::new();
        for (name, help, value) in figures {
            text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"));
        }
        text
    }

    fn alarming(&self) -> bool {
        self.held > 0 || self.refused > 0
    }
}

/// Looks at it until told to stop.
pub async fn watch(db: Db, health: Health, limit: Limit, stop: CancellationToken) {
    let mut told: Option<Instant> = None;
    loop {
        match look(&db, limit).await {
            Ok(summary) => {
                if summary.alarming() && told.is_none_or(|at| at.elapsed() >= REPEAT) {
                    told = Some(Instant::now());
                    tracing::error!(
                        held = summary.held,
                        refused = summary.refused,
                        unsigned_s = summary.unsigned.as_secs(),
                        "alarm: the audit log is behind, or refused by its witness"
                    );
                } else if !summary.alarming() && told.take().is_some() {
                    tracing::info!("the audit log stands well again");
                }
                health.set_audit(summary);
            }
            // Whoever asks whether this process is ready is told so already.
            Err(error) => tracing::warn!(%error, "how the audit log stands cannot be read"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn look(db: &Db, limit: Limit) -> Result<Summary, db::Error> {
    let mut tx = db.across().await?;
    let standing = lag::standing(&mut tx, limit.witnessed).await?;
    tx.commit().await?;
    Ok(Summary::of(&standing, limit))
}

#[cfg(test)]
mod tests {
    use model::id::TenantId;

    use super::*;

    fn log(unsigned: u64, uncosigned: u64, refusal: Option<&str>) -> Standing {
        Standing {
            tenant: TenantId::generate(),
            unsigned: Some(Duration::from_secs(unsigned)),
            uncosigned: Some(Duration::from_secs(uncosigned)),
            refusal: refusal.map(str::to_owned),
        }
    }

    #[test]
    fn l11_what_is_behind_is_told_in_words_and_figures_and_what_is_not_is_not() {
        let limit = Limit { most: Duration::from_secs(60), witnessed: false };
        let well = Summary::of(&[log(3, 900, None)], limit);
        assert_eq!((well.remarks().as_str(), well.alarming()), ("", false));
        let behind = Summary::of(&[log(3, 3, None), log(75, 75, None)], limit);
        assert!(behind.remarks().contains("logs behind: 1, by up to 75 s"));
        assert!(behind.figures().contains("\ncountersign_audit_unsigned_seconds 75\n"));
        assert!(behind.figures().contains("\ncountersign_audit_held_logs 1\n"));
        let required = Limit { witnessed: true, ..limit };
        assert_eq!(Summary::of(&[log(3, 900, None)], required).held, 1);
        let refused = Summary::of(&[log(0, 0, Some("forked"))], limit);
        assert!(refused.alarming() && refused.remarks().contains("the witness refuses: 1"));
    }
}
