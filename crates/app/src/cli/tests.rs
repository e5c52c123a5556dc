//! The command line as a whole: it is well formed, and its help reads as it should.

use clap::{Command, CommandFactory as _, Parser as _};

use super::Cli;

/// Every command at the top; its snapshot holds its help and that of everything below it.
const COMMANDS: [&str; 30] = [
    "serve",
    "demo",
    "doctor",
    "drift",
    "login",
    "logout",
    "whoami",
    "password",
    "user",
    "key",
    "source",
    "environment",
    "server",
    "secret",
    "alert",
    "runbook",
    "plan",
    "approval",
    "approve",
    "deny",
    "execution",
    "intent",
    "decision",
    "policy",
    "blackout",
    "breaker",
    "model",
    "audit",
    "archive",
    "tenant",
];

/// The same help whatever the environment says.
fn steady(command: Command) -> Command {
    command
        .term_width(100)
        .max_term_width(100)
        .mut_args(|argument| argument.hide_env_values(true))
        .mut_subcommands(steady)
}

fn help(command: &mut Command, path: &str, text: &mut String) {
    let whole = command.render_long_help().to_string();
    // They are the same everywhere; the snapshot of the whole has them.
    let own = whole.split("Global options:").next().unwrap_or(&whole).trim_end();
    text.push_str(&format!("$ {path} --help\n{own}\n\n\n"));
    for below in command.get_subcommands_mut().filter(|below| below.get_name() != "help") {
        let path = format!("{path} {}", below.get_name());
        help(below, &path, text);
    }
}

fn every(command: &Command, path: &str, check: &mut impl FnMut(&str, &Command)) {
    check(path, command);
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        every(below, &format!("{path} {}", below.get_name()), check);
    }
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn help_of_every_command_reads_as_before() {
    let mut cli = steady(Cli::command());
    cli.build();
    insta::assert_snapshot!("countersign", cli.render_long_help().to_string());
    for name in COMMANDS.into_iter().chain(["db", "completion"]) {
        let command = cli.find_subcommand_mut(name).expect("a command of this name");
        let mut text = String::new();
        help(command, &format!("countersign {name}"), &mut text);
        let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
        insta::assert_snapshot!(name, lines.join("\n"));
    }
}

#[test]
fn no_command_is_left_out_of_the_snapshots() {
    let cli = Cli::command();
    let names = cli.get_subcommands().map(Command::get_name);
    let missing: Vec<_> = names
        .filter(|name| !COMMANDS.contains(name) && !["db", "completion"].contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_command_and_option_says_what_it_is_in_one_line() {
    every(&Cli::command(), "countersign", &mut |path, command| {
        let about = command.get_about().unwrap_or_else(|| panic!("{path}: no help")).to_string();
        assert!(about.chars().count() <= 80, "{path}: {about}");
        assert!(!about.ends_with('.'), "{path}: {about}");
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let id = argument.get_id();
            let help = argument.get_help().unwrap_or_else(|| panic!("{path} {id}: no help"));
            assert!(!help.to_string().is_empty(), "{path} {id}");
        }
    });
}

#[test]
fn global_options_hold_for_every_command() {
    let mut cli = Cli::command();
    cli.build();
    every(&cli, "countersign", &mut |path, command| {
        let ids = command
            .get_arguments()
            .filter(|argument| argument.get_id().as_str().starts_with("global_"));
        assert_eq!(ids.count(), 5, "{path}");
        let mut longs: Vec<_> =
            command.get_arguments().filter_map(|argument| argument.get_long()).collect();
        let count = longs.len();
        longs.sort_unstable();
        longs.dedup();
        assert_eq!(longs.len(), count, "{path}: an option hides a global one");
    });
    let given = ["countersign", "--server", "http://x:1", "--key", "cs_1", "key", "revoke", "k"];
    let cli = Cli::try_parse_from(given).expect("parses");
    assert_eq!(
        (cli.global.server.as_str(), cli.global.key.as_deref()),
        ("http://x:1", Some("cs_1"))
    );
}

#[test]
fn the_server_and_the_format_can_be_said_after_any_command() {
    let given = ["countersign", "alert", "list", "--output", "json", "--server", "http://x:1"];
    let cli = Cli::try_parse_from(given).expect("parses");
    assert_eq!(cli.global.output, crate::output::Format::Json);
    assert_eq!(cli.global.server, "http://x:1");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let wrong: [&[&str]; 9] = [
        &[
            "server",
            "add",
            "web-1",
            "--host",
            "h",
            "--user",
            "u",
            "--environment",
            "prod",
            "--ssh-key",
            "k",
        ],
        &[
            "server",
            "add",
            "web-1",
            "--host",
            "h",
            "--user",
            "u",
            "--environment",
            "prod",
            "--ssh-key",
            "k",
            "--host-key",
            "ssh-ed25519 A",
            "--scan",
        ],
        &[
            "server",
            "add",
            "web-1",
            "--host",
            "h",
            "--user",
            "u",
            "--environment",
            "prod",
            "--scan",
        ],
        &["execution", "resolve", "exe_1"],
        &["execution", "resolve", "exe_1", "--succeeded", "--retry"],
        &["audit", "verify", "--db", "--checkpoints"],
        &["runbook", "run", "restart"],
        &["source", "add", "x", "--kind", "generic"],
        &["user", "set", "ada"],
    ];
    for arguments in wrong {
        let given = ["countersign"].into_iter().chain(arguments.iter().copied());
        assert!(Cli::try_parse_from(given).is_err(), "{arguments:?}");
    }
}

#[test]
fn what_the_manual_shows_is_understood() {
    let right: [&[&str]; 10] = [
        &[
            "server",
            "add",
            "web-1",
            "--host",
            "10.0.0.1",
            "--user",
            "deploy",
            "--environment",
            "prod",
            "--ssh-key",
            "FILE",
            "--host-key",
            "ssh-ed25519 AAAA…",
        ],
        &[
            "server",
            "add",
            "web-1",
            "--host",
            "h",
            "--user",
            "u",
            "--environment",
            "prod",
            "--credential",
            "shared",
            "--scan",
            "--fingerprint",
            "SHA256:x",
        ],
        &["runbook", "run", "restart", "--on", "web-1", "--set", "SERVICE=nginx", "--watch"],
        &["intent", "evaluate", "restart", "--alert", "fnd_1"],
        &["approve", "apr_1", "--note", "checked"],
        &["execution", "resolve", "exe_1", "--retry"],
        &["breaker", "open", "global", "--reason", "freeze"],
        &["audit", "verify", "--anchor", "/anchor", "--tenant", "shop"],
        &["blackout", "add", "x", "--from", "2026-01-01T22:00", "--to", "2026-01-02T06:00"],
        &["db", "migrate", "--admin-url", "postgres://x"],
    ];
    for arguments in right {
        let given = ["countersign"].into_iter().chain(arguments.iter().copied());
        if let Err(error) = Cli::try_parse_from(given) {
            panic!("{arguments:?}: {error}");
        }
    }
}
