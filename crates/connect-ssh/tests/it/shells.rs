//! The same guard in every shell a host may have as `sh`, and words that survive them.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use connect_ssh::testing::{Options, Sshd};
use model::connector::{Connector, Ended, Fence, Guard, Offsets};

use crate::recorder::{Bench, Recorder, effect, exited, token};

/// Every shell there is on this machine; dash and bash are everywhere the tests run.
fn shells() -> Vec<&'static str> {
    let known = ["/usr/bin/dash", "/usr/bin/bash", "/usr/bin/busybox"];
    let found: Vec<_> = known.into_iter().filter(|shell| Path::new(shell).exists()).collect();
    assert!(found.len() >= 2, "{found:?}");
    found
}

/// A host whose `sh` is `shell`.
fn host_with(shell: &str) -> (Bench, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    symlink(shell, dir.path().join("sh")).unwrap();
    let options = Options { path: Some(dir.path().to_path_buf()), ..Options::default() };
    (Bench::on(Sshd::start_with(&options).expect("sshd starts")), dir)
}

#[tokio::test]
async fn r7_the_guard_holds_in_every_shell() {
    for shell in shells() {
        let (bench, _dir) = host_with(shell);
        let (ended, output) = bench.run("readlink /proc/$$/exe; echo err >&2; exit 97").await;
        assert_eq!(ended, exited(97), "{shell}");
        assert!(output.text().trim().ends_with(shell.trim_start_matches("/usr")), "{shell}");
        assert_eq!(output.stderr(), b"err\n");

        let twice = effect(&token(), "exit 4");
        assert_eq!(bench.run_effect(&twice).await.0, exited(4));
        assert_eq!(bench.run_effect(&twice).await.0, Ended::Lost(Guard::Exited { code: 4 }));
        let fenced = effect(&token(), "exit 4");
        let fence = bench.ssh.fence(&bench.endpoint, &fenced.token, 2).await.unwrap();
        assert_eq!(fence, Fence::Won);
        assert_eq!(bench.run_effect(&fenced).await.0, Ended::Lost(Guard::Fenced { epoch: 2 }));

        for signal in [9, 15] {
            let (ended, output) = bench.run(&format!("kill -{signal} 0")).await;
            assert_eq!((ended, output.stderr()), (exited(128 + signal), vec![]), "{shell}");
        }
    }
}

#[tokio::test]
async fn r7_timeouts_kills_and_caps_hold_in_every_shell() {
    for shell in shells() {
        let (bench, _dir) = host_with(shell);
        let mut slow = effect(&token(), "trap '' TERM; sleep 300; sleep 300; sleep 300");
        slow.timeout = Duration::from_secs(1);
        let timed_out = Ended::TimedOut { truncated: false };
        assert_eq!(bench.run_effect(&slow).await.0, timed_out, "{shell}");

        let (killed, output) = (effect(&token(), "echo on; sleep 300"), Recorder::default());
        let run = bench.ssh.run(&bench.endpoint, &killed, &output);
        let kill = async {
            output.until("on").await;
            bench.ssh.kill(&bench.endpoint, &killed.token).await.unwrap()
        };
        let (ended, held) = tokio::join!(run, kill);
        assert_eq!((ended.unwrap(), held), (exited(143), Guard::Exited { code: 143 }), "{shell}");

        let mut loud = effect(&token(), "head -c 100000000 /dev/zero; exit 5");
        loud.output_cap = 70_000;
        let (ended, output) = bench.run_effect(&loud).await;
        assert_eq!(ended, Ended::Exited { code: 5, truncated: true }, "{shell}");
        assert_eq!(output.stdout().len(), 70_000);
        let rest = Recorder::knowing(&[0; 60_000], b"");
        let from = Offsets { stdout: 60_000, stderr: 0 };
        let again = bench.ssh.follow(&bench.endpoint, &loud, from, &rest).await.unwrap();
        assert_eq!(again, Ended::Exited { code: 5, truncated: true }, "{shell}");
        assert_eq!(rest.stdout().len(), 70_000);

        let (ended, _) = bench.run("setsid sleep 5 & exit 6").await;
        assert_eq!(ended, exited(6), "{shell}");
    }
}

/// Reproducible numbers (splitmix64; Steele, Lea and Flood 2014).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }
}

/// Whatever means something to some shell, and pieces that would leave the canary.
const ALPHABET: [&str; 52] = [
    "'",
    "\"",
    "`",
    "$",
    "\\",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "|",
    "&",
    ";",
    "*",
    "?",
    "~",
    "#",
    "!",
    "%",
    "^",
    "=",
    ":",
    ",",
    ".",
    "/",
    "-",
    "+",
    "@",
    " ",
    "\t",
    "\n",
    "\r",
    "a",
    "Z",
    "0",
    "é",
    "→",
    "\u{1}",
    "\u{7f}",
    "$(touch CANARY)",
    "`touch CANARY`",
    ";touch CANARY;",
    "'; touch CANARY; '",
    "\"; touch CANARY; \"",
    "${IFS}",
    "$'\\x27'",
    "\nEOF\n",
    "&&",
    "||",
];

#[tokio::test]
async fn j1_ten_thousand_hostile_words_arrive_as_they_are() {
    const WORDS: usize = 10_000;
    for shell in shells() {
        let (bench, _dir) = host_with(shell);
        let canary = bench.sshd.dir().join("canary");
        let mut numbers = Numbers(20_261_121);
        let (mut script, mut expected) = (String::new(), Vec::new());
        for _ in 0..WORDS {
            let length = 1 + numbers.below(12);
            let word: String =
                (0..length).map(|_| ALPHABET[numbers.below(ALPHABET.len())]).collect();
            let word = word.replace("CANARY", canary.to_str().unwrap());
            // One quoted word, as the renderer writes it.
            writeln!(script, "printf '%s\\0' '{}'", word.replace('\'', "'\\''")).unwrap();
            expected.extend_from_slice(word.as_bytes());
            expected.push(0);
        }
        let mut effect = effect(&token(), &script);
        effect.output_cap = 16 * 1024 * 1024;
        let (ended, output) = bench.run_effect(&effect).await;
        assert_eq!(ended, exited(0), "{shell}");
        assert!(output.stdout() == expected, "{shell}: some word has changed");
        assert!(!canary.exists(), "{shell}");
        // The canary can be left at all: otherwise its absence would say nothing.
        bench.run(&format!("touch {}", canary.display())).await;
        assert!(canary.exists());
        fs::remove_file(canary).unwrap();
    }
}
