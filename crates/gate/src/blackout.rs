//! Blackout windows: when nothing may run, and maintenance windows: when alone it may.
//!
//! A recurring window is a pair of wall-clock times in its zone; it may cross midnight and the
//! days on which clocks change. When the clock repeats or skips a time, a denying window takes
//! the longer reading and a maintenance window the shorter: doubt never opens anything.

mod wall;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use model::Timestamp;
use model::id::BlackoutId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::proposal::{Place, Proposal};
use crate::selector::{self, Runbooks, Servers};

model::words! {
    /// What a window does.
    WindowKind {
        /// Nothing it picks may start while it is active.
        Deny = "deny",
        /// What it picks may start only while it, or another of this kind, is active.
        AllowOnly = "allow_only",
    }
}

model::words! {
    /// How often a window comes back.
    Recurrence {
        /// Once.
        None = "none",
        /// Every day.
        Daily = "daily",
        /// On given days of the week.
        Weekly = "weekly",
        /// On given days of the month.
        Monthly = "monthly",
    }
}

/// A window as stored and as people write it, not yet understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its id.
    pub id: BlackoutId,
    /// What people call it.
    pub name: String,
    /// What it does.
    pub kind: WindowKind,
    /// How often it comes back.
    pub recurrence: Recurrence,
    /// `{"days_of_week": ["mon"]}`, `{"days_of_month": [1, -1]}`, or null: the day it starts on.
    pub pattern: Value,
    /// Start of the first occurrence, on the clocks of `zone`.
    pub opens: DateTime,
    /// End of the first occurrence, on the clocks of `zone`.
    pub closes: DateTime,
    /// IANA time zone.
    pub zone: String,
    /// `affected_servers`.
    pub servers: Value,
    /// `affected_runbooks`.
    pub runbooks: Value,
}

/// Why a window cannot be understood. Such a window closes the gate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("window {name:?}: {field}: {reason}")]
pub struct Malformed {
    /// The window.
    pub id: BlackoutId,
    /// Its name.
    pub name: String,
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// A window that has been understood.
#[derive(Debug, Clone)]
pub struct Window {
    /// Its id.
    pub id: BlackoutId,
    /// What people call it.
    pub name: String,
    /// What it does.
    pub kind: WindowKind,
    days: Days,
    opens: DateTime,
    closes: DateTime,
    zone: TimeZone,
    servers: Servers,
    runbooks: Runbooks,
}

/// A window is active now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Active {
    /// When this occurrence ends.
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    Once,
    Every,
    OfWeek(Vec<Weekday>),
    /// 1..=31 from the front, -1..=-31 from the back; a day a month lacks is left out.
    OfMonth(Vec<i8>),
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Pattern {
    days_of_week: Vec<String>,
    days_of_month: Vec<i8>,
}

/// The longest a window may last: once 366 days, else no longer than it takes to come back.
const LONGEST_ONCE_DAYS: i32 = 366;

impl Window {
    /// Understands a window.
    ///
    /// # Errors
    /// An unknown zone, an empty or overlong span, a pattern or selector that cannot be read.
    pub fn parse(draft: &Draft) -> Result<Self, Malformed> {
        let bad = |field, reason: String| Malformed {
            id: draft.id,
            name: draft.name.clone(),
            field,
            reason,
        };
        let zone = TimeZone::get(&draft.zone)
            .map_err(|_| bad("timezone", format!("{:?} is no IANA time zone", draft.zone)))?;
        if !(1970..=2999).contains(&draft.opens.year()) {
            return Err(bad("start_time", "must be in the years 1970 to 2999".into()));
        }
        if draft.closes <= draft.opens {
            return Err(bad("end_time", "must be after start_time".into()));
        }
        let days = Days::parse(draft).map_err(|reason| bad("recurrence_pattern", reason))?;
        let longest = days.longest_days();
        if draft.opens.checked_add(longest.days()).is_ok_and(|latest| draft.closes > latest) {
            return Err(bad(
                "end_time",
                format!("must be at most {longest} days after start_time"),
            ));
        }
        let select = |field| {
            move |error: selector::Malformed| Malformed {
                id: draft.id,
                name: draft.name.clone(),
                field,
                reason: error.to_string(),
            }
        };
        Ok(Self {
            id: draft.id,
            name: draft.name.clone(),
            kind: draft.kind,
            days,
            opens: draft.opens,
            closes: draft.closes,
            servers: Servers::parse(&draft.servers).map_err(select("affected_servers"))?,
            runbooks: Runbooks::parse(&draft.runbooks).map_err(select("affected_runbooks"))?,
            zone,
        })
    }

    /// Whether the window is about what is proposed: its runbook and at least one of its targets.
    #[must_use]
    pub fn picks(&self, proposal: &Proposal) -> bool {
        self.runbooks.picks(proposal)
            && (self.servers.all() || proposal.places.iter().any(|place| self.servers.picks(place)))
    }

    /// Whether it is about everything that is done at a place, by whatever runbook; of an unknown
    /// place only what is about all of them is known.
    #[must_use]
    pub fn covers(&self, place: Option<&Place>) -> bool {
        self.runbooks.all()
            && (self.servers.all() || place.is_some_and(|place| self.servers.picks(place)))
    }

    /// When it is next active after `at`, within 400 days.
    #[must_use]
    pub fn next(&self, at: Timestamp) -> Option<Timestamp> {
        let today = self.zone.to_datetime(at).date();
        self.occurrences(today, today.checked_add(400.days()).ok()?)
            .map(|(start, _)| start)
            .find(|start| *start > at)
    }

    /// Occurrences that start on local days `from..=to`, in order.
    fn occurrences(&self, from: Date, to: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let first = self.opens.date();
        let nights = first.until(self.closes.date()).ok();
        std::iter::successors(Some(from.max(first)), |day| day.tomorrow().ok())
            .take_while(move |day| *day <= to)
            .filter(move |day| self.days.include(*day, first))
            .filter_map(move |day| {
                let last = day.checked_add(nights?).ok()?;
                let opens = day.to_datetime(self.opens.time());
                self.span(opens, last.to_datetime(self.closes.time()))
            })
            .filter(|(start, end)| start < end)
    }

    /// The instants between two wall-clock times, read as restrictively as the window's kind asks.
    fn span(&self, opens: DateTime, closes: DateTime) -> Option<(Timestamp, Timestamp)> {
        let zone = &self.zone;
        Some(match self.kind {
            WindowKind::Deny => (wall::reached(zone, opens)?, wall::passed(zone, closes)?),
            WindowKind::AllowOnly => (wall::passed(zone, opens)?, wall::reached(zone, closes)?),
        })
    }
}

/// Whether a window is active at `at`, and until when this occurrence lasts.
#[must_use]
pub fn active(window: &Window, at: Timestamp) -> Option<Active> {
    let today = window.zone.to_datetime(at).date();
    // An occurrence may have begun as long ago as it lasts, and clock changes move its ends.
    let reach = Span::new().days(window.days.longest_days() + 2);
    let from = today.checked_sub(reach).unwrap_or(Date::MIN);
    let to = today.checked_add(1.day()).unwrap_or(Date::MAX);
    window
        .occurrences(from, to)
        .filter(|(start, end)| *start <= at && at < *end)
        .map(|(_, end)| end)
        .max()
        .map(|until| Active { until })
}

impl Days {
    fn parse(draft: &Draft) -> Result<Self, String> {
        let pattern = match &draft.pattern {
            Value::Null => Pattern::default(),
            value => Pattern::deserialize(value).map_err(|error| error.to_string())?,
        };
        let first = draft.opens.date();
        let weekly = draft.recurrence == Recurrence::Weekly;
        let monthly = draft.recurrence == Recurrence::Monthly;
        if !weekly && !pattern.days_of_week.is_empty() {
            return Err("days_of_week is for weekly windows".into());
        }
        if !monthly && !pattern.days_of_month.is_empty() {
            return Err("days_of_month is for monthly windows".into());
        }
        Ok(match draft.recurrence {
            Recurrence::None => Self::Once,
            Recurrence::Daily => Self::Every,
            Recurrence::Weekly if pattern.days_of_week.is_empty() => {
                Self::OfWeek(vec![first.weekday()])
            }
            Recurrence::Weekly => Self::OfWeek(
                pattern.days_of_week.iter().map(|word| weekday(word)).collect::<Result<_, _>>()?,
            ),
            Recurrence::Monthly if pattern.days_of_month.is_empty() => {
                Self::OfMonth(vec![first.day()])
            }
            Recurrence::Monthly => {
                let days = pattern.days_of_month;
                if let Some(day) = days.iter().find(|day| !matches!(day, 1..=31 | -31..=-1)) {
                    return Err(format!("{day} is no day of a month: 1 to 31, or -1 for the last"));
                }
                Self::OfMonth(days)
            }
        })
    }

    const fn longest_days(&self) -> i32 {
        match self {
            Self::Once => LONGEST_ONCE_DAYS,
            Self::Every => 1,
            Self::OfWeek(_) => 7,
            Self::OfMonth(_) => 28,
        }
    }

    fn include(&self, day: Date, first: Date) -> bool {
        match self {
            Self::Once => day == first,
            Self::Every => true,
            Self::OfWeek(days) => days.contains(&day.weekday()),
            Self::OfMonth(days) => {
                days.contains(&day.day()) || days.contains(&(day.day() - day.days_in_month() - 1))
            }
        }
    }
}

fn weekday(word: &str) -> Result<Weekday, String> {
    Ok(match word.to_ascii_lowercase().as_str() {
        "mon" | "monday" => Weekday::Monday,
        "tue" | "tuesday" => Weekday::Tuesday,
        "wed" | "wednesday" => Weekday::Wednesday,
        "thu" | "thursday" => Weekday::Thursday,
        "fri" | "friday" => Weekday::Friday,
        "sat" | "saturday" => Weekday::Saturday,
        "sun" | "sunday" => Weekday::Sunday,
        _ => {
            return Err(format!(
                "{word:?} is no day of the week: mon, tue, wed, thu, fri, sat, sun"
            ));
        }
    })
}

#[cfg(test)]
mod tests;
