//! The target guard: at most one start per token, whoever asks and whatever breaks.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use connect_ssh::Ssh;
use model::connector::{ConnectError, Connector, Ended, Fence, Guard, Offsets};

use crate::recorder::{Bench, Recorder, effect, eventually, exited, token};
use crate::scripts::{group_members, kill_one};

#[tokio::test]
async fn r7_a_second_start_with_the_same_token_loses() {
    let bench = Bench::new();
    let count = bench.sshd.dir().join("count");
    let first = effect(&token(), &format!("echo x >>{}; exit 5", count.display()));
    assert_eq!(bench.run_effect(&first).await.0, exited(5));
    for epoch in [1, 2] {
        let again = model::connector::Effect { epoch, ..first.clone() };
        let (ended, output) = bench.run_effect(&again).await;
        assert_eq!(ended, Ended::Lost(Guard::Exited { code: 5 }));
        assert_eq!(output.stdout(), b"");
    }
    assert_eq!(fs::read_to_string(count).unwrap(), "x\n");
}

#[tokio::test]
async fn r7_of_many_simultaneous_starts_exactly_one_wins() {
    let bench = Bench::new();
    let count = bench.sshd.dir().join("count");
    for _ in 0..5 {
        fs::remove_file(&count).ok();
        let effect = effect(&token(), &format!("echo x >>{}", count.display()));
        let starts = (0..8).map(|_| bench.run_effect(&effect));
        let ended: Vec<Ended> =
            futures::future::join_all(starts).await.into_iter().map(|(ended, _)| ended).collect();
        let won = ended.iter().filter(|ended| **ended == exited(0)).count();
        assert_eq!(won, 1, "{ended:?}");
        for ended in ended {
            match ended {
                Ended::Exited { .. } => {}
                Ended::Lost(
                    Guard::Started { epoch: 1, alive: true } | Guard::Exited { code: 0 },
                ) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(fs::read_to_string(&count).unwrap(), "x\n");
    }
}

#[tokio::test]
async fn r7_a_zombie_start_is_refused_after_a_fence() {
    let bench = Bench::new();
    let canary = bench.sshd.dir().join("canary");
    let effect = effect(&token(), &format!("touch {}", canary.display()));
    let fence = |epoch| bench.ssh.fence(&bench.endpoint, &effect.token, epoch);
    assert_eq!(fence(2).await.unwrap(), Fence::Won);
    assert_eq!(fence(2).await.unwrap(), Fence::Won, "asked again, the answer having got lost");
    assert_eq!(fence(3).await.unwrap(), Fence::Lost(Guard::Fenced { epoch: 2 }));
    let (ended, _) = bench.run_effect(&effect).await;
    assert_eq!(ended, Ended::Lost(Guard::Fenced { epoch: 2 }));
    let followed = bench
        .ssh
        .follow(&bench.endpoint, &effect, Offsets::default(), &Recorder::default())
        .await
        .unwrap();
    assert_eq!(followed, Ended::Lost(Guard::Fenced { epoch: 2 }));
    assert!(!canary.exists());
}

#[tokio::test]
async fn r7_a_fence_after_the_start_loses() {
    let bench = Bench::new();
    let gate = bench.sshd.dir().join("gate");
    let script =
        format!("echo begun; until [ -e {} ]; do sleep 0.05; done; exit 6", gate.display());
    let (effect, output) = (effect(&token(), &script), Recorder::default());
    let run = bench.ssh.run(&bench.endpoint, &effect, &output);
    let fence = async {
        output.until("begun").await;
        let lost = bench.ssh.fence(&bench.endpoint, &effect.token, 2).await.unwrap();
        assert_eq!(lost, Fence::Lost(Guard::Started { epoch: 1, alive: true }));
        fs::write(&gate, "").unwrap();
    };
    let (ended, ()) = tokio::join!(run, fence);
    assert_eq!(ended.unwrap(), exited(6));
    let lost = bench.ssh.fence(&bench.endpoint, &effect.token, 2).await.unwrap();
    assert_eq!(lost, Fence::Lost(Guard::Exited { code: 6 }));
}

#[tokio::test]
async fn r7_starts_and_fences_that_race_agree_on_one_winner() {
    let bench = Bench::new();
    let canary = bench.sshd.dir().join("canary");
    let mut fences_won = 0;
    for _ in 0..20 {
        fs::remove_file(&canary).ok();
        let effect = effect(&token(), &format!("touch {}", canary.display()));
        let fence = bench.ssh.fence(&bench.endpoint, &effect.token, 2);
        let ((ended, _), fence) = tokio::join!(bench.run_effect(&effect), fence);
        let fenced = fence.unwrap() == Fence::Won;
        assert_eq!(fenced, ended == Ended::Lost(Guard::Fenced { epoch: 2 }), "{ended:?}");
        assert_eq!(fenced, !canary.exists());
        fences_won += usize::from(fenced);
    }
    assert!(fences_won > 0, "the fence is the shorter way and wins at times");
}

#[tokio::test]
async fn r8_a_start_of_another_boot_is_not_alive() {
    let bench = Bench::new();
    let gate = bench.sshd.dir().join("gate");
    let script = format!("echo begun; until [ -e {} ]; do sleep 0.05; done", gate.display());
    let (effect, output) = (effect(&token(), &script), Recorder::default());
    let run = bench.ssh.run(&bench.endpoint, &effect, &output);
    let reboot = async {
        output.until("begun").await;
        let probe = || bench.ssh.probe(&bench.endpoint, &effect.token);
        assert_eq!(probe().await.unwrap(), Guard::Started { epoch: 1, alive: true });
        let link = bench.sshd.guard_dir().join(&effect.token);
        let held = fs::read_link(&link).unwrap().to_str().unwrap().to_owned();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        fs::remove_file(&link).unwrap();
        let other = "00000000-0000-4000-8000-000000000000";
        symlink(held.replace(boot.trim(), other), &link).unwrap();
        let dead = Guard::Started { epoch: 1, alive: false };
        assert_eq!(probe().await.unwrap(), dead);
        let unheard = Recorder::default();
        let followed = bench.ssh.follow(&bench.endpoint, &effect, Offsets::default(), &unheard);
        assert_eq!(followed.await.unwrap(), Ended::Lost(dead.clone()));
        // Numbers of another boot belong to somebody else by now: nobody is killed.
        assert_eq!(bench.ssh.kill(&bench.endpoint, &effect.token).await.unwrap(), dead);
        fs::write(&gate, "").unwrap();
    };
    let (ended, ()) = tokio::join!(run, reboot);
    assert_eq!(ended.unwrap(), exited(0));
}

#[tokio::test]
async fn r8_a_reused_process_number_is_neither_alive_nor_killed() {
    let bench = Bench::new();
    let mut bystander =
        std::process::Command::new("setsid").args(["sleep", "300"]).spawn().unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let token = token();
    fs::create_dir(bench.sshd.guard_dir()).unwrap();
    let link = format!("started:4:{}:{}.12345", boot.trim(), bystander.id());
    symlink(link, bench.sshd.guard_dir().join(&token)).unwrap();
    let dead = Guard::Started { epoch: 4, alive: false };
    assert_eq!(bench.ssh.probe(&bench.endpoint, &token).await.unwrap(), dead);
    assert_eq!(bench.ssh.kill(&bench.endpoint, &token).await.unwrap(), dead);
    assert!(bystander.try_wait().unwrap().is_none(), "the bystander lives");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[tokio::test]
async fn r8_a_keeper_killed_in_mid_step_leaves_a_start_without_result() {
    let bench = Bench::new();
    let (effect, output) = (effect(&token(), "echo $$; sleep 300"), Recorder::default());
    let run = bench.ssh.run(&bench.endpoint, &effect, &output);
    let murder = async {
        output.until("\n").await;
        let group: u32 = output.text().trim().parse().unwrap();
        // The keeper first, so that nobody is left to write a result; then the step.
        let keeper = fs::read_dir(bench.sshd.guard_dir())
            .unwrap()
            .flatten()
            .find(|entry| entry.path().extension().is_some_and(|ending| ending == "by"))
            .expect("the keeper's file");
        let keeper = fs::read_to_string(keeper.path()).unwrap();
        kill_one(keeper.split(' ').next().unwrap().parse().unwrap());
        group_members(group).into_iter().for_each(kill_one);
    };
    let (ended, ()) = tokio::join!(run, murder);
    match ended {
        Err(error @ ConnectError::Interrupted { .. }) => assert!(!error.nothing_started()),
        other => panic!("{other:?}"),
    }
    let held = bench.ssh.probe(&bench.endpoint, &effect.token).await.unwrap();
    assert_eq!(held, Guard::Started { epoch: 1, alive: false });
}

#[tokio::test]
async fn h5_a_step_goes_on_when_the_connection_is_cut_and_is_collected_once() {
    let bench = Bench::new();
    let gate = bench.sshd.dir().join("gate");
    // It prints all the time, also while nobody listens: it must not die of it.
    let script = format!(
        "echo begun; echo err >&2; until [ -e {} ]; do echo tick; sleep 0.05; done; echo end; exit 7",
        gate.display()
    );
    let (effect, output) = (effect(&token(), &script), Recorder::default());
    let run = bench.ssh.run(&bench.endpoint, &effect, &output);
    let cut = async {
        output.until("tick").await;
        bench.sshd.cut_connections();
    };
    let (cut_off, ()) = tokio::join!(run, cut);
    match cut_off {
        Err(error @ ConnectError::Interrupted { .. }) => assert!(!error.nothing_started()),
        other => panic!("{other:?}"),
    }
    // A new process knows nothing but the offsets.
    let ssh = Ssh::default();
    let probe = ssh.probe(&bench.endpoint, &effect.token).await.unwrap();
    assert_eq!(probe, Guard::Started { epoch: 1, alive: true });
    let (stdout, stderr) = (output.stdout(), output.stderr());
    let from = Offsets { stdout: stdout.len() as u64, stderr: stderr.len() as u64 };
    let rest = Recorder::knowing(&stdout, &stderr);
    let follow = ssh.follow(&bench.endpoint, &effect, from, &rest);
    let open_gate = async {
        let known = rest.text().matches("tick").count();
        rest.until(&format!("begun\n{}", "tick\n".repeat(known + 2))).await;
        fs::write(&gate, "").unwrap();
    };
    let (ended, ()) = tokio::join!(follow, open_gate);
    assert_eq!(ended.unwrap(), exited(7));
    let whole = fs::read(bench.sshd.guard_dir().join(format!("{}.out", effect.token))).unwrap();
    assert_eq!(rest.stdout(), whole);
    assert!(rest.text().ends_with("tick\nend\n"));
    assert_eq!(rest.stderr(), b"err\n");
    let result = fs::read_link(bench.sshd.guard_dir().join(format!("{}.rc", effect.token)));
    assert_eq!(result.unwrap().to_str(), Some("rc:7"));
}

#[tokio::test]
async fn h5_a_silent_step_runs_to_its_end_when_its_caller_is_gone() {
    let bench = Bench::new();
    let (gate, begun) = (bench.sshd.dir().join("gate"), bench.sshd.dir().join("begun"));
    let script = format!(
        "touch {}; until [ -e {} ]; do sleep 0.05; done; exit 8",
        begun.display(),
        gate.display()
    );
    let (effect, output) = (effect(&token(), &script), Recorder::default());
    {
        let run = bench.ssh.run(&bench.endpoint, &effect, &output);
        let seen = eventually(|| begun.exists());
        // The caller gives up: its future is dropped in the middle.
        tokio::select! {
            ended = run => panic!("{ended:?}"),
            () = seen => {}
        }
    }
    fs::write(&gate, "").unwrap();
    let ended = bench.ssh.follow(&bench.endpoint, &effect, Offsets::default(), &output).await;
    assert_eq!(ended.unwrap(), exited(8));
    assert_eq!(
        bench.ssh.probe(&bench.endpoint, &effect.token).await.unwrap(),
        Guard::Exited { code: 8 }
    );
}

#[tokio::test]
async fn a_killed_step_ends_with_everything_it_started() {
    let bench = Bench::new();
    let (effect, output) =
        (effect(&token(), "sleep 300 & echo $$; sleep 300; echo never"), Recorder::default());
    let run = bench.ssh.run(&bench.endpoint, &effect, &output);
    let kill = async {
        output.until("\n").await;
        bench.ssh.kill(&bench.endpoint, &effect.token).await.unwrap()
    };
    let (ended, killed) = tokio::join!(run, kill);
    assert_eq!(killed, Guard::Exited { code: 143 });
    assert_eq!(ended.unwrap(), exited(143));
    assert_eq!(group_members(output.text().trim().parse().unwrap()), [0; 0]);
    let again = bench.ssh.kill(&bench.endpoint, &effect.token).await.unwrap();
    assert_eq!(again, Guard::Exited { code: 143 });
}

#[tokio::test]
async fn a_token_nobody_used_is_absent_and_stays_so() {
    let bench = Bench::new();
    let (effect, output) = (effect(&token(), "true"), Recorder::default());
    assert_eq!(bench.ssh.probe(&bench.endpoint, &effect.token).await.unwrap(), Guard::Absent);
    assert_eq!(bench.ssh.kill(&bench.endpoint, &effect.token).await.unwrap(), Guard::Absent);
    let followed = bench.ssh.follow(&bench.endpoint, &effect, Offsets::default(), &output).await;
    assert_eq!(followed.unwrap(), Ended::Lost(Guard::Absent));
    assert_eq!(bench.run_effect(&effect).await.0, exited(0));
}

#[tokio::test]
async fn the_guard_directory_is_private_and_in_the_home_unless_named() {
    let mut bench = Bench::new();
    bench.endpoint.target.guard_dir = None;
    let effect = effect(&token(), "true");
    assert_eq!(bench.run_effect(&effect).await.0, exited(0));
    let guard = bench.sshd.home().join(".countersign/guard");
    assert!(guard.join(&effect.token).is_symlink());
    assert_eq!(fs::metadata(&guard).unwrap().permissions().mode() & 0o777, 0o700);
    for entry in fs::read_dir(&guard).unwrap().flatten() {
        let metadata = fs::symlink_metadata(entry.path()).unwrap();
        if metadata.is_file() {
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        }
    }
}

#[tokio::test]
async fn a_host_that_cannot_keep_a_guard_starts_nothing() {
    let mut bench = Bench::new();
    bench.endpoint.target.guard_dir = Some("/proc/countersign".to_owned());
    let effect = effect(&token(), "touch /tmp/never");
    let refused = bench.ssh.run(&bench.endpoint, &effect, &Recorder::default()).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Misconfigured { .. }), "{refused}");
    let refused = bench.ssh.fence(&bench.endpoint, &effect.token, 1).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Misconfigured { .. }), "{refused}");
}

#[tokio::test]
async fn a_step_is_stopped_in_time_also_when_the_guard_directory_is_gone() {
    let bench = Bench::new();
    let (mut effect, output) = (effect(&token(), "echo $$; sleep 300"), Recorder::default());
    effect.timeout = Duration::from_secs(2);
    let run = bench.ssh.run(&bench.endpoint, &effect, &output);
    let remove = async {
        output.until("\n").await;
        fs::remove_dir_all(bench.sshd.guard_dir()).unwrap();
    };
    let (ended, ()) = tokio::join!(run, remove);
    // There is no place left to note that it was the timeout; the signal tells enough.
    assert_eq!(ended.unwrap(), exited(143));
    assert_eq!(group_members(output.text().trim().parse().unwrap()), [0; 0]);
}
