//! Named points at which a test can kill the process, as a power cut would: debug builds only.

/// Kills this process with SIGKILL when it reaches `point`: `name`, or `name:3` for the third time.
///
/// Only the last point armed counts. In a release build this does nothing.
pub fn arm(point: &str) {
    #[cfg(debug_assertions)]
    armed::arm(point);
    #[cfg(not(debug_assertions))]
    let _ = point;
}

/// Says that the process is at `name`. In a release build this is nothing at all.
#[inline]
pub fn reach(name: &'static str) {
    #[cfg(debug_assertions)]
    armed::reach(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::process::{Signal, getpid, kill_process};

    struct Point {
        name: String,
        left: u32,
    }

    static ARMED: Mutex<Option<Point>> = Mutex::new(None);

    fn armed() -> MutexGuard<'static, Option<Point>> {
        ARMED.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn arm(point: &str) {
        let (name, left) = match point.rsplit_once(':') {
            Some((name, count)) => (name, count.parse().unwrap_or(1)),
            None => (point, 1),
        };
        *armed() = (!name.is_empty()).then(|| Point { name: name.to_owned(), left });
    }

    pub(super) fn reach(name: &'static str) {
        if due(name) {
            tracing::error!(fail_point = name, "fail point reached: killing this process");
            // Nothing may run after this line: no destructor, no flush, no rollback.
            while kill_process(getpid(), Signal::KILL).is_ok() {
                std::thread::park();
            }
        }
    }

    /// Whether the armed point is reached for the last time that was asked for.
    fn due(name: &str) -> bool {
        match &mut *armed() {
            Some(point) if point.name == name => {
                point.left = point.left.saturating_sub(1);
                point.left == 0
            }
            _ => false,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_point_is_due_at_the_time_asked_for_and_no_other_point_is() {
            arm("start.claimed:3");
            assert!(!due("start.claimed"));
            assert!(!due("start.cleared"));
            assert!(!due("start.claimed"));
            assert!(due("start.claimed"));
            arm("");
            assert!(!due("start.claimed"));
        }
    }
}
