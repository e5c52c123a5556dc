//! Runbooks by the clock.

use api::check::{object as an_object, sized, texts};
use api::object;
use api::permission::{ReadRunbooks, WriteRunbooks};
use api::problem::Problem;
use jiff::tz::TimeZone;
use model::Timestamp;
use model::id::{RunbookId, ScheduleId};
use serde_json::{Value, json};

object! {
    /// A runbook by the clock: when, where, and with what.
    Schedule (ScheduleIn, ScheduleOut) {
        word: "schedule", plural: "schedules", path: "/schedules",
        table: "countersign.schedules", tag: "runbooks", verbs: All,
        id: ScheduleId, read: ReadRunbooks, write: WriteRunbooks,
        example: {
            "name": "nightly restart", "runbook_id": "rbk_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "cron": "30 2 * * 1-5", "timezone": "Europe/Berlin", "targets": ["web-1"],
            "variables": {"grace": "10"}, "enabled": true
        }
    }
    given {
        /// What people call it.
        #[schema(min_length = 1, max_length = 255)]
        name: String => Text.filter().sort().search();
        /// Which runbook.
        #[schema(value_type = String)]
        runbook_id: RunbookId => Id.filter();
        /// When: minute, hour, day of month, month, day of week.
        #[schema(min_length = 9, max_length = 100)]
        cron: String => Text.filter();
        /// Whose clock, by its IANA name; UTC when absent.
        #[serde(default = "utc")]
        #[schema(max_length = 100)]
        timezone: String => Text.filter();
        /// On which resources, by name or id.
        #[serde(default)]
        targets: Vec<String> => Json;
        /// With which variables.
        #[serde(default = "nothing")]
        #[schema(value_type = Object)]
        variables: Value => Json;
        /// Whether it is to run; it is when absent.
        #[serde(default = "yes")]
        enabled: bool => Boolean.filter();
    }
    kept {
        /// When it ran last.
        last_run_at: Option<Timestamp> => Time.filter();
        /// When it is due next; empty while no scheduler looks at it.
        next_run_at: Option<Timestamp> => Time.filter();
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    maker created_by;
    check(wanted) {
        sized("/name", &wanted.name, 1..=255)?;
        sized("/cron", &wanted.cron, 9..=100)?;
        wanted.cron.parse::<croner::Cron>().map_err(|error| {
            Problem::invalid("/cron", "shape", format!("is no cron expression: {error}"))
        })?;
        TimeZone::get(&wanted.timezone).map_err(|_| {
            let message = "is no time zone: take an IANA name, such as Europe/Berlin";
            Problem::invalid("/timezone", "unknown_word", message)
        })?;
        texts("/targets", &wanted.targets, 255)?;
        an_object("/variables", &wanted.variables)
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

fn nothing() -> Value {
    json!({})
}

const fn yes() -> bool {
    true
}
