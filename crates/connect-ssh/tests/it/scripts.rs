//! What a step gets, and what comes back of it.

use std::fs;
use std::time::{Duration, Instant};

use model::connector::{Connector, Ended, Guard};
use rustix::process::{Pid, Signal, kill_process};

use crate::recorder::{Bench, Recorder, effect, exited, token};

#[tokio::test]
async fn a_step_gives_back_its_output_and_exit_code() {
    let bench = Bench::new();
    let (ended, output) = bench.run("echo out; echo err >&2; exit 3").await;
    assert_eq!(ended, exited(3));
    assert_eq!(output.stdout(), b"out\n");
    assert_eq!(output.stderr(), b"err\n");
}

#[tokio::test]
async fn output_is_any_bytes_and_cannot_pass_for_an_ending() {
    let bench = Bench::new();
    // Every byte, then an ending as the guard itself would write it: the step looks the nonce up in
    // the command line of its parent, which nobody can keep it from.
    let every = "i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf %03o $i)\"; i=$((i+1)); done";
    let forged = "nonce=$(tr '\\0' '\\n' </proc/$PPID/cmdline | grep -xE '[0-9a-f]{32}'); \
                  printf '%-256s' \"$nonce end rc:0\"";
    let (ended, output) = bench.run(&format!("{every}; {every} >&2; {forged}; exit 9")).await;
    assert_eq!(ended, exited(9));
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(output.stdout()[..256], all);
    assert_eq!(output.stdout().len(), 512);
    assert_eq!(output.stdout()[288..299], *b" end rc:0  ", "the forgery is output like any other");
    assert_eq!(output.stderr(), all);
}

#[tokio::test]
async fn exit_code_97_is_the_steps_own_and_not_a_lost_start() {
    let bench = Bench::new();
    for code in [1, 2, 97, 124, 126, 127, 137, 255] {
        let (ended, _) = bench.run(&format!("exit {code}")).await;
        assert_eq!(ended, exited(code));
    }
}

#[tokio::test]
async fn death_by_signal_is_128_and_its_number() {
    let bench = Bench::new();
    for signal in [1, 9, 15] {
        let (ended, output) = bench.run(&format!("kill -{signal} $$")).await;
        assert_eq!(ended, exited(128 + signal));
        assert_eq!(output.stderr(), b"", "nobody else's words are in the step's output");
        // Even when it takes its whole group with it.
        let (ended, _) = bench.run(&format!("kill -{signal} 0")).await;
        assert_eq!(ended, exited(128 + signal));
    }
}

#[tokio::test]
async fn a_script_that_does_not_parse_ends_like_in_any_shell() {
    let bench = Bench::new();
    let (ended, output) = bench.run("if").await;
    assert_eq!(ended, exited(2));
    assert!(!output.stderr().is_empty());
}

#[tokio::test]
async fn a_step_starts_in_a_clean_shell() {
    let bench = Bench::new();
    let script = "echo \"args $#\"; set | grep ^cs_; cat; umask; \
                  grep -E 'Sig(Ign|Blk)' /proc/self/status; ls /proc/self/fd | tr '\\n' ' '";
    let (ended, output) = bench.run(script).await;
    assert_eq!(ended, exited(0));
    let text = output.text();
    assert!(text.starts_with("args 0\n0022\n"), "no arguments, variables or input: {text}");
    for name in ["SigBlk:\t", "SigIgn:\t"] {
        let (_, set) = text.split_once(name).unwrap();
        let set = u64::from_str_radix(&set[..16], 16).unwrap();
        // Above 31 are the real-time signals, which no shell and no sshd touches.
        assert_eq!(set & 0x7fff_ffff, 0, "no signal is ignored or blocked: {text}");
    }
    let descriptors = text.lines().last().unwrap();
    assert!(["0 1 2 3 ", "0 1 2 3 10 "].contains(&descriptors), "{descriptors}");
}

#[tokio::test]
async fn a_large_script_arrives_whole() {
    let bench = Bench::new();
    let filler = "# 0123456789abcdef0123456789abcdef\n".repeat(30_000);
    let (ended, output) = bench.run(&format!("{filler}echo the end")).await;
    assert_eq!(ended, exited(0));
    assert_eq!(output.stdout(), b"the end\n");
}

#[tokio::test]
async fn short_steps_come_back_without_a_polling_delay() {
    let bench = Bench::new();
    bench.run("true").await;
    let mut times = Vec::new();
    for _ in 0..21 {
        let before = Instant::now();
        bench.run("true").await;
        times.push(before.elapsed());
    }
    times.sort();
    // A tick of the clock is 250 ms; the fastest of many runs shows that none is waited for, however
    // busy the machine is.
    assert!(times[0] < Duration::from_millis(100), "{times:?}");
}

#[tokio::test]
async fn long_steps_stream_while_they_run() {
    let bench = Bench::new();
    let output = Recorder::default();
    let gate = bench.sshd.dir().join("gate");
    let script =
        format!("echo begun; until [ -e {} ]; do sleep 0.05; done; echo done", gate.display());
    let effect = effect(&token(), &script);
    let run = bench.ssh.run(&bench.endpoint, &effect, &output);
    let open_gate = async {
        output.until("begun").await;
        assert_eq!(output.text(), "begun\n");
        fs::write(&gate, "").unwrap();
    };
    let (ended, ()) = tokio::join!(run, open_gate);
    assert_eq!(ended.unwrap(), exited(0));
    assert_eq!(output.text(), "begun\ndone\n");
}

#[tokio::test]
async fn a_timeout_kills_the_whole_group_on_the_host() {
    let bench = Bench::new();
    let mut effect = effect(
        &token(),
        "echo $$; (trap '' TERM; sleep 300; sleep 300) & sleep 300 & trap '' TERM; sleep 300; sleep 300",
    );
    effect.timeout = Duration::from_secs(1);
    let (ended, output) = bench.run_effect(&effect).await;
    assert_eq!(ended, Ended::TimedOut { truncated: false });
    let group: u32 = output.text().trim().parse().unwrap();
    assert_eq!(group_members(group), [0; 0], "nobody of the group is left");
    assert_eq!(bench.ssh.probe(&bench.endpoint, &effect.token).await.unwrap(), Guard::TimedOut);
}

#[tokio::test]
async fn a_daemon_that_keeps_our_pipes_does_not_hold_up_the_step() {
    let bench = Bench::new();
    let (ended, output) = bench.run("setsid sleep 30 & echo $!").await;
    assert_eq!(ended, exited(0));
    let daemon = output.text().trim().to_owned();
    assert!(fs::metadata(format!("/proc/{daemon}")).is_ok(), "the daemon lives on");
    bench.run(&format!("kill {daemon}")).await;
}

#[tokio::test]
async fn p9_endless_output_neither_fills_the_disk_nor_blocks_the_step() {
    let bench = Bench::new();
    let mut effect = effect(&token(), "head -c 10000000000 /dev/zero; echo finished >&2; exit 4");
    effect.output_cap = 100_000;
    let (ended, output) = bench.run_effect(&effect).await;
    assert_eq!(ended, Ended::Exited { code: 4, truncated: true });
    assert_eq!(output.stdout(), vec![0; 100_000]);
    assert_eq!(output.stderr(), b"finished\n");
    let kept = fs::metadata(bench.sshd.guard_dir().join(format!("{}.out", effect.token))).unwrap();
    assert!(kept.len() <= 100_000 + 1024, "the host kept {} bytes", kept.len());
}

#[tokio::test]
async fn p9_output_of_exactly_the_cap_is_whole() {
    let bench = Bench::new();
    for (printed, truncated) in [(1024, false), (1025, true)] {
        let mut effect = effect(&token(), &format!("head -c {printed} /dev/zero"));
        effect.output_cap = 1024;
        let (ended, output) = bench.run_effect(&effect).await;
        assert_eq!(ended, Ended::Exited { code: 0, truncated });
        assert_eq!(output.stdout().len(), 1024);
    }
}

#[tokio::test]
async fn j8_parameters_arrive_although_the_server_accepts_no_environment() {
    let bench = Bench::new();
    // The default configuration has no AcceptEnv. Parameters are words of the script.
    let (ended, output) = bench.run("p='a b'\\''c $(id) ü'; printf %s \"$p\"").await;
    assert_eq!(ended, exited(0));
    assert_eq!(output.text(), "a b'c $(id) ü");
}

#[tokio::test]
async fn s8_no_secret_is_in_a_command_line_an_environment_or_left_on_disk() {
    let bench = Bench::new();
    let secret = format!("hunter2-{}", token());
    let gate = bench.sshd.dir().join("gate");
    let script = format!(
        "secret='{secret}'\necho ready\nuntil [ -e {} ]; do sleep 0.05; done",
        gate.display()
    );
    let (effect, output) = (effect(&token(), &script), Recorder::default());
    let run = bench.ssh.run(&bench.endpoint, &effect, &output);
    let look = async {
        output.until("ready").await;
        let mut looked = 0;
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            for file in ["cmdline", "environ"] {
                let Ok(bytes) = fs::read(entry.path().join(file)) else { continue };
                looked += 1;
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains(&secret), "{}: {file}", entry.path().display());
            }
        }
        assert!(looked > 10);
        for entry in fs::read_dir(bench.sshd.guard_dir()).unwrap().flatten() {
            let held = fs::read(entry.path()).unwrap_or_default();
            let held = String::from_utf8_lossy(&held).into_owned();
            assert!(!held.contains(&secret), "{}", entry.path().display());
        }
        fs::write(&gate, "").unwrap();
    };
    let (ended, ()) = tokio::join!(run, look);
    assert_eq!(ended.unwrap(), exited(0));
}

/// Living processes of a group.
pub(crate) fn group_members(group: u32) -> Vec<u32> {
    let wanted = group.to_string();
    let belongs = |entry: fs::DirEntry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut fields = fields.split(' ');
        let (state, group) = (fields.next()?, fields.nth(1)?);
        (group == wanted && !matches!(state, "Z" | "X")).then_some(pid)
    };
    fs::read_dir("/proc").unwrap().flatten().filter_map(belongs).collect()
}

/// Kills exactly one process. Not the program `kill`: some versions of it take the number of a group
/// for an order to kill everybody.
pub(crate) fn kill_one(pid: u32) {
    assert!(pid > 1);
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    // Fails only when it has ended before.
    kill_process(pid, Signal::KILL).ok();
}
