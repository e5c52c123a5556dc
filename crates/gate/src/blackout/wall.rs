//! Wall-clock times as instants, also on the days on which clocks change.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

const TICK: SignedDuration = SignedDuration::from_nanos(1);

/// The first instant at which the clock reads `wall` or later.
///
/// A repeated time is its first reading; a skipped one is the moment of the skip.
pub(super) fn reached(zone: &TimeZone, wall: DateTime) -> Option<Timestamp> {
    let reading = zone.to_ambiguous_timestamp(wall);
    match reading.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            reading.earlier().ok()
        }
        AmbiguousOffset::Gap { .. } => {
            // The earlier reading of a skipped time lies before the skip.
            let before = reading.earlier().ok()?;
            Some(zone.following(before).next()?.timestamp())
        }
    }
}

/// The instant from which on the clock never reads less than `wall` again.
pub(super) fn passed(zone: &TimeZone, wall: DateTime) -> Option<Timestamp> {
    let just_before = wall.checked_sub(TICK).ok()?;
    let reading = zone.to_ambiguous_timestamp(just_before);
    match reading.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            reading.later().ok()?.checked_add(TICK).ok()
        }
        AmbiguousOffset::Gap { .. } => reached(zone, just_before),
    }
}
