//! P9: what a host printed, as the terminal of whoever looks at it gets it from the real program.

use std::process::{Command, Output};

use model::actor::Role;

use super::harness::{Caller, Site, text};
use super::stage::{REPAIR, Stage, alert};

/// Writes to the clipboard (OSC 52), makes a link that is not what it says (OSC 8), sets the
/// title, clears the screen in both notations, deletes, turns the text around, is not UTF-8, holds
/// a NUL, and does not end its line.
const HOSTILE: &str = r"\033]52;c;Y3VybA==\007 \033]8;;http\072//evil.example.com\033\\link\033]8;;\033\\ \033]0;pwned\007 \033[2J \302\2332J \010\177 \342\200\256gpj.exe \377\376 \000 it is up";

/// What the program says, to this caller.
async fn said(site: &Site, caller: &Caller, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command
        .args(arguments)
        .env("COUNTERSIGN_URL", &site.url)
        .env("COUNTERSIGN_KEY", &caller.key)
        .env("HOME", site.dir.path())
        .env("XDG_CONFIG_HOME", site.dir.path());
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// Everything in it that a terminal would act on.
fn acted_on(output: &Output) -> Vec<char> {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8(both).expect("what is shown is UTF-8");
    let hidden = |letter: &char| {
        let turns = ('\u{202a}'..='\u{202e}').contains(letter);
        (letter.is_control() && !['\n', '\t'].contains(letter)) || turns
    };
    text.chars().filter(hidden).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_what_a_host_prints_does_nothing_to_the_terminal_of_whoever_looks() {
    let site = Site::start().await;
    let stage = Stage::set(&site, site.tenant(), "test").await;
    let hostile = REPAIR.replace("echo it is up", &format!("printf '{HOSTILE}'"));
    assert_ne!(hostile, REPAIR);
    site.runbook(&stage.admin, &hostile).await;
    // What the alert says goes the same way.
    let finding = stage.fire(alert("Broken\u{1b}]0;x\u{7}", "web-1", 1, "\u{1b}[2J")).await;
    let asked = stage.asked(&site, &finding).await;
    stage.approve(&text(&asked, "approval_id")).await;
    let execution = text(&asked, "execution_id");
    let done = site.reaches(&stage.admin, &execution, "completed").await;
    let evidence = text(&done["evidence"][0], "id");
    let caller = site.caller("everything", Role::ALL).await;
    for arguments in [
        vec!["execution", "show", &execution, "--full"],
        vec!["execution", "watch", &execution],
        vec!["execution", "evidence", &execution, &evidence],
        vec!["execution", "list"],
        vec!["approval", "show", &text(&asked, "approval_id")],
        vec!["plan", "show", &text(&asked, "plan_id")],
        vec!["alert", "show", &finding],
        vec!["alert", "list"],
    ] {
        for form in ["human", "json"] {
            let arguments = [&["--output", form], arguments.as_slice()].concat();
            let output = said(&site, &caller, &arguments).await;
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            assert_eq!(acted_on(&output), Vec::<char>::new(), "{arguments:?}: {output:?}");
        }
    }
    // It is all there, written out.
    let shown = said(&site, &caller, &["execution", "show", &execution, "--full"]).await;
    let shown = String::from_utf8(shown.stdout).unwrap();
    for written in [r"\u{1b}]52;c;Y3VybA==\u{7}", r"\u{1b}]0;pwned", r"\u{9b}2J", "it is up"] {
        assert!(shown.contains(written), "{written} is not in {shown}");
    }
}
