use super::*;

#[test]
fn only_whole_signed_bundles_before_the_last_may_go() {
    let cases = [
        // kept, signed, place
        (0, 0, 0),
        (10, 100, 0),
        (256, 256, 0),
        (256, 257, 256),
        (257, 257, 256),
        (511, 600, 256),
        (512, 600, 512),
        (600, 600, 512),
        // Never what no checkpoint covers.
        (10_000, 600, 512),
        (10_000, 512, 256),
    ];
    for (kept, signed, expected) in cases {
        assert_eq!(place(kept, signed), expected, "kept {kept}, signed {signed}");
    }
}

#[test]
fn a_notice_is_read_from_its_own_events_only() {
    let canon = br#"{"action":"x","context":{"from":0,"minimum":256,"to":9}}"#;
    assert_eq!(Notice::read(PRUNED, canon), Some(Notice::Pruned(256)));
    assert_eq!(Notice::read(RECOVERED, canon), Some(Notice::Recovered(0, 9)));
    assert_eq!(Notice::read("runbook.edited", canon), None);
    assert_eq!(Notice::read(PRUNED, b"{}"), None);
}
