//! Commands for hosts and readings of links.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use model::connector::{Guard, Offsets};

use super::{Nonce, Unreadable, Verb, command, read, read_result};

const VERBS: [Verb; 5] = [
    Verb::Start { epoch: 3, timeout: Duration::from_millis(1500), output_cap: 1000 },
    Verb::Status,
    Verb::Fence { epoch: -1 },
    Verb::Follow { from: Offsets { stdout: 1, stderr: 2 }, patience: Duration::from_secs(9) },
    Verb::Kill,
];

#[test]
fn commands_survive_every_login_shell() {
    for verb in VERBS {
        let command = command(verb, "a.b-c_1", Some("/var/lib/x y"), &Nonce::fresh()).unwrap();
        // Balanced single quotes and no backslash: literal in sh, bash, zsh and fish alike.
        assert_eq!(command.matches('\'').count() % 2, 0);
        assert!(!command.contains('\\'));
        assert!(command.starts_with("sh -c '"));
        assert!(command.len() < 16 * 1024, "fits into one packet");
        assert!(!command.lines().any(|line| line.trim_start().starts_with('#')));
    }
}

#[test]
fn a_start_rounds_up_and_keeps_more_than_the_cap() {
    let command = command(VERBS[0], "t", None, &Nonce::fresh()).unwrap();
    assert!(command.contains(" t '' 3 2 2 '"), "epoch, seconds, blocks");
}

#[test]
fn tokens_and_directories_that_could_mean_something_to_a_shell_are_refused() {
    let long = "a".repeat(201);
    for token in
        ["", "a b", "a'b", "$x", "a/b", "../a", ".a", "-a", "a\n", "ä", "a.rc", "a.out", &long]
    {
        command(Verb::Status, token, None, &Nonce::fresh()).unwrap_err();
    }
    for dir in ["relative", "/a'b", "/a\\b", "/a\nb", "/a!b"] {
        command(Verb::Status, "t", Some(dir), &Nonce::fresh()).unwrap_err();
    }
}

#[test]
fn nonces_differ() {
    let mut nonces: Vec<String> = (0..1000).map(|_| Nonce::fresh().as_str().to_owned()).collect();
    assert!(nonces.iter().all(|nonce| nonce.len() == 32));
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 1000);
}

#[test]
fn links_and_results_are_read_as_written_and_nothing_else() {
    let started = "started:5:3228abf0-b6fd-4fc4-b999-dee7e1d1373b:123.456";
    let cases = [
        ("-", "-", "0", Ok(Guard::Absent)),
        (started, "-", "1", Ok(Guard::Started { epoch: 5, alive: true })),
        (started, "-", "0", Ok(Guard::Started { epoch: 5, alive: false })),
        (started, "rc:0", "0", Ok(Guard::Exited { code: 0 })),
        (started, "rc:255", "0", Ok(Guard::Exited { code: 255 })),
        (started, "rc:timeout", "0", Ok(Guard::TimedOut)),
        ("fenced:9", "-", "0", Ok(Guard::Fenced { epoch: 9 })),
        ("fenced:x", "-", "0", Err(Unreadable("fenced:x".to_owned()))),
        ("/etc/passwd", "-", "0", Err(Unreadable("/etc/passwd".to_owned()))),
        ("other:1", "-", "0", Err(Unreadable("other:1".to_owned()))),
        (started, "rc:256", "0", Err(Unreadable("rc:256".to_owned()))),
        (started, "0", "0", Err(Unreadable("0".to_owned()))),
    ];
    for (link, result, alive, expected) in cases {
        assert_eq!(read(link, result, alive), expected);
    }
    assert_eq!(read_result("rc:-1"), Err(Unreadable("rc:-1".to_owned())));
}

/// Runs a command as a host would, with this on standard input, and gives its last words.
fn said(command: &str, input: &[u8]) -> String {
    let mut host = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    host.stdin.take().unwrap().write_all(input).unwrap();
    let output = host.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text[text.len() - 256..].trim().to_owned()
}

#[test]
fn a_script_cut_off_by_a_broken_connection_is_never_run() {
    let dir = tempfile::tempdir().unwrap();
    let (guard, canary) = (dir.path().join("guard"), dir.path().join("canary"));
    let nonce = Nonce::fresh();
    let start = command(VERBS[0], "token", guard.to_str(), &nonce).unwrap();
    let whole = format!("touch {}\n# and more{}", canary.display(), nonce.as_str());
    let runs = |length: usize| said(&start, &whole.as_bytes()[..length]);
    for length in [0, 1, whole.len() / 2, whole.len() - 32, whole.len() - 1] {
        assert_eq!(runs(length), format!("{} unusable incomplete", nonce.as_str()));
        assert!(!canary.exists());
        assert!(!Path::new(&guard).exists(), "the token is as free as before");
    }
    assert_eq!(runs(whole.len()), format!("{} end rc:0", nonce.as_str()));
    assert!(canary.exists());
}

#[test]
fn groups_are_killed_in_one_place_only() {
    // Which checks the number, and that kill belongs to the shell.
    let sources = [super::COMMON, &super::START, &super::KILL, &super::FOLLOW, &super::FENCE];
    let kills = |source: &&str| source.matches("\"-$").count();
    assert_eq!(kills(&super::COMMON), 3, "the signal twice, the group once");
    for packed in &sources[1..] {
        assert_eq!(kills(packed), 3);
    }
}

/// What the shell says that every verb shares this text with, when it is asked to do this as well.
fn shared(more: &str) -> String {
    // Nobody is signalled here, whatever the text does: the signal is only told.
    let recorded = "type() { echo builtin; }\nkill() { echo \"killed $*\"; }";
    let script = format!("{}\n{recorded}\n{more}", super::COMMON);
    let output =
        Command::new("sh").args(["-c", &script, "guard", "n", "t", "/x"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim_start_matches("n:").to_owned()
}

#[test]
fn a_group_number_that_can_be_read_in_two_ways_is_no_group() {
    assert_eq!(shared("slay TERM 4711"), "killed -TERM -4711\n");
    for number in ["", "0", "1", "00", "01", "007", "04711", "-1", "4 7", "0x10"] {
        assert_eq!(shared(&format!("slay TERM '{number}' || echo no")), "no\n", "{number}");
    }
    // A link that names such a group is no living one, even if somebody lived there.
    let anybody = "lives() { return 0; }; read -r cs_i </proc/sys/kernel/random/boot_id";
    let group = |number: &str| {
        shared(&format!("{anybody}\ngroup \"started:1:$cs_i:{number}.5\" && echo yes || echo no"))
    };
    assert_eq!(group("4711"), "yes\n");
    for number in ["", "0", "1", "01", "04711", "-1"] {
        assert_eq!(group(number), "no\n", "{number}");
    }
}

#[test]
fn nobody_is_signalled_whose_tick_was_not_looked_at() {
    let start = include_str!("start.sh");
    assert!(!start.contains("kill -0"), "a number alone says nothing");
    let signals: Vec<&str> = start.lines().filter(|line| line.contains("kill -")).collect();
    assert_eq!(signals.len(), 3);
    for line in signals {
        let (before, after) = line.split_once("kill -").unwrap();
        let number = after.split('"').nth(1).unwrap();
        assert!(before.contains(&format!("lives \"{number}\" \"$cs_")), "{line}");
    }
    let tick =
        shared("tick $$; lives $$ \"$cs_j\" && echo same; lives $$ \"${cs_j}0\" || echo other");
    assert_eq!(tick, "same\nother\n");
}
