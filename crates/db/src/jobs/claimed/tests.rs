//! Pauses and texts of failures.

use super::*;

#[test]
fn the_pause_doubles_up_to_five_minutes() {
    let seconds: Vec<u64> = [1, 2, 3, 4, 9, 10, 100].map(|n| pause(n).as_secs()).to_vec();
    assert_eq!(seconds, [1, 2, 4, 8, 256, 300, 300]);
    assert_eq!(pause(i32::MIN), FIRST_PAUSE);
}

#[test]
fn a_long_failure_is_cut_between_characters() {
    let cut = shortened(&"é".repeat(MAX_ERROR_BYTES));
    assert_eq!(cut.len(), MAX_ERROR_BYTES);
    assert_eq!(shortened("a\0b"), "ab");
    assert_eq!(shortened(&format!("x{}", "é".repeat(MAX_ERROR_BYTES))).len(), MAX_ERROR_BYTES - 1);
}
