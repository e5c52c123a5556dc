//! L12: a program that writes tiles, checkpoints, an anchor and the state of a witness, whose system
//! calls fail or kill it, one after another. Whatever it leaves is whole, and it goes on from there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use db::AuditKey;
use futures::future::BoxFuture;
use model::Timestamp;
use uuid::Uuid;

use super::*;
use crate::bundle::verify_bundle;
use crate::keys::SigningKey;
use crate::policy::Policy;
use crate::signer::Signer;
use crate::synthetic;
use crate::testing::ring;
use crate::witness::client::{Carrier, Reply, cosigned};
use crate::witness::{Answer, Logs, Witness};

/// Says to the program where to write. Without it, it is not meant.
const PLACE: &str = "COUNTERSIGN_L12_DIR";
/// The sizes that are published one after the other: within a tile, past one, within the next.
const SIZES: [u64; 3] = [3, 258, 300];
/// The calls that are made to fail.
const CALLS: [&str; 8] =
    ["openat", "read", "write", "fsync", "rename", "mkdir", "unlink", "unlinkat"];
/// Calls of every kind that the writing thread makes before it begins, so that its calls have higher
/// numbers than those of the thread that starts it.
const WARM_UP: usize = 64;

fn tenant() -> TenantId {
    TenantId::from(Uuid::from_u128(7))
}

fn at(place: &Path, name: &str) -> Directory {
    Directory::new(place.join(name))
}

fn anchor(place: &Path) -> Anchor {
    Anchor::new(at(place, "anchor"))
}

fn witness(place: &Path) -> Witness {
    let key = SigningKey::from_seed(&[9; 32]).unwrap();
    let logs = Logs { directory: at(place, "."), file: "logs".to_owned() };
    Witness::new(key, "witness.example/w1", logs, at(place, "witness")).unwrap()
}

fn publisher(place: &Path) -> Publisher {
    Publisher {
        deployment: "torn.example".to_owned(),
        logs: at(place, "tlog"),
        signer: Signer::new(ring(&[1]), at(place, "signer")),
        anchor: Some(anchor(place)),
        audit_key: AuditKey::new(&[1; 32]),
        witness: Some(Client {
            key: witness(place).key().clone(),
            carrier: Box::new(Beside(witness(place))),
        }),
        unsigned: Unsigned::Sequence,
    }
}

/// A witness in the same process.
#[derive(Debug)]
struct Beside(Witness);

impl Carrier for Beside {
    fn post(&self, body: String) -> BoxFuture<'_, Result<Reply, String>> {
        Box::pin(async move {
            let answer = self.0.add_checkpoint(&body, Timestamp::UNIX_EPOCH);
            let (status, body) = match answer.map_err(|error| error.to_string())? {
                Answer::Cosigned(line) => (200, line),
                Answer::Conflict(size) => (409, format!("{size}\n")),
                other => return Err(format!("{other:?}")),
            };
            Ok(Reply { status, body: body.into() })
        })
    }
}

fn name() -> String {
    origin("torn.example", tenant())
}

/// What may be watched is known before anything is written.
fn prepare(place: &Path) {
    let keys = Policy::of(ring(&[1]).verifiers(&name()).unwrap());
    std::fs::write(place.join("logs"), keys.to_string()).unwrap();
}

/// Publishes what is not published yet, as the sequencer does, only without a database.
fn write_log(place: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let publisher = publisher(place);
    let log = publisher.logs.below(&name());
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let begun = publisher.signer.last(&name())?.map_or(0, |last| last.size);
    for size in SIZES.into_iter().filter(|size| *size >= begun) {
        let signed = publisher.signer.last(&name())?.map_or(0, |last| last.size);
        let resumed = Builder::resume(signed, |place| read(&log, place));
        let mut builder = resumed.unwrap_or_else(|_| Builder::new());
        for n in builder.range().size()..size {
            builder.push(&synthetic::event(tenant(), &publisher.audit_key, n)?.canon)?;
        }
        super::super::write(&log, &builder.take_finished())?;
        let range = builder.range().clone();
        super::super::write(&log, &builder.finish())?;
        let (checkpoint, note) = publisher.seal(name(), signed, &range)?;
        anchor(place).publish(&checkpoint, &note, &log)?;
        let client = publisher.witness.as_ref().ok_or("a witness")?;
        let cosigned = client.cosign(&log, Timestamp::UNIX_EPOCH);
        if let Some(cosigned) = runtime.block_on(cosigned)? {
            anchor(place).cosigned(&cosigned.checkpoint, &cosigned.note)?;
        }
    }
    Ok(())
}

/// The program. In an ordinary run it has nothing to do.
#[test]
fn l12_the_program_that_writes() {
    let Some(place) = std::env::var_os(PLACE) else { return };
    let place = PathBuf::from(place);
    let nowhere = Path::new("/proc/none");
    for _ in 0..WARM_UP {
        if let Ok(file) = std::fs::File::options().read(true).write(true).open("/dev/null") {
            let (mut file, mut byte) = (file, [0]);
            drop(std::io::Read::read(&mut file, &mut byte));
            drop(std::io::Write::write(&mut file, &byte));
            drop(file.sync_all());
        }
        drop(std::fs::rename(nowhere, nowhere));
        drop(std::fs::create_dir(nowhere.join("x")));
        drop(std::fs::remove_file(nowhere));
        drop(std::fs::remove_dir_all(nowhere.join("x")));
    }
    write_log(&place).unwrap();
}

/// The same program under strace with these arguments; says whether it ended well.
fn traced(place: &Path, arguments: &[&str]) -> bool {
    let status = Command::new("strace")
        .args(["-f", "-qq", "-y", "-s", "0"])
        .args(arguments)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "publish::tests::torn::l12_the_program_that_writes"])
        .args(["--nocapture", "--test-threads", "1"])
        .env(PLACE, place)
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("strace is installed: scripts/install test").success()
}

/// Every call of the program that touches its files: which call, and the how manieth of its thread.
fn calls() -> Vec<(&'static str, usize)> {
    let place = tempfile::tempdir().unwrap();
    prepare(place.path());
    let out = place.path().join("trace");
    let calls = format!("trace={}", CALLS.join(","));
    assert!(traced(place.path(), &["-o", &out.display().to_string(), "-e", &calls]));
    whole(place.path(), true);
    let (mut counts, mut found) = (BTreeMap::new(), Vec::new());
    let files = place.path().display().to_string();
    for line in std::fs::read_to_string(&out).unwrap().lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        let Some(call) = CALLS.into_iter().find(|call| rest.starts_with(&format!("{call}(")))
        else {
            continue;
        };
        let count = counts.entry((thread.to_owned(), call)).or_insert(0_usize);
        *count += 1;
        if rest.contains(&files) {
            // The thread that starts it removes nothing.
            assert!(*count > WARM_UP || call == "unlinkat", "{line}");
            found.push((call, *count));
        }
    }
    found
}

/// The root of the first `size` events.
fn root(size: u64) -> Hash {
    static ROOTS: OnceLock<Vec<Hash>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut range = Range::new();
        let mut roots = vec![range.root()];
        for n in 0..300 {
            let event = synthetic::event(tenant(), &AuditKey::new(&[1; 32]), n).unwrap();
            range.push(crate::merkle::leaf(&event.canon));
            roots.push(range.root());
        }
        roots
    });
    roots[usize::try_from(size).unwrap()]
}

/// Whatever is there is whole and agrees with everything else; with `finished`, all of it is there.
fn whole(place: &Path, finished: bool) {
    let publisher = publisher(place);
    let log = publisher.logs.below(&name());
    let keys = Policy::of(ring(&[1]).verifiers(&name()).unwrap());
    let signed = publisher.signer.last(&name()).unwrap();
    let signed_size = signed.as_ref().map_or(0, |last| last.size);
    if let Some(last) = &signed {
        assert_eq!(last.root, root(last.size));
    }
    let mut sizes = vec![signed_size];
    let published = published(&log).unwrap();
    if published.is_some() {
        let report = verify_bundle(&log, &keys, None).unwrap();
        assert!(report.ok, "{report:?}");
        sizes.push(report.size);
    }
    let anchored = anchor(place).latest(&name()).unwrap();
    if let Some(anchored) = &anchored {
        let size = keys.open(&anchored.note, &name()).unwrap().size;
        let mut range = Range::new();
        anchor(place).leaves(&name(), size).unwrap().iter().for_each(|leaf| range.push(*leaf));
        assert_eq!(range.root(), anchored.checkpoint.root);
        for (size, note) in anchor(place).checkpoints(&name()).unwrap() {
            assert_eq!(keys.open(&note, &name()).unwrap().root, root(size));
        }
        sizes.push(size);
    }
    let remembered = witness(place).latest(&name()).unwrap();
    if let Some(cosigned) = cosigned(&log, witness(place).key()).unwrap() {
        assert_eq!(cosigned.checkpoint.root, root(cosigned.checkpoint.size));
        let remembered = remembered.as_ref().map_or(0, |last| last.size);
        assert!(cosigned.checkpoint.size <= remembered, "signed, and not remembered");
        sizes.push(cosigned.checkpoint.size);
    }
    // Nothing goes out that the signer does not remember.
    assert!(sizes.iter().all(|size| *size <= signed_size), "{sizes:?}");
    if finished {
        assert_eq!(sizes, [300; 4]);
        assert_eq!(remembered.map(|last| last.size), Some(300));
    }
}

/// What went wrong with a call.
const FAULTS: [&str; 3] = ["error=EIO", "error=ENOSPC", "signal=KILL"];

/// Whether the writer ended badly; what it left is whole either way.
fn torn(call: &str, count: usize, fault: &str) -> bool {
    let place = tempfile::tempdir().unwrap();
    prepare(place.path());
    let injected = format!("inject={call}:{fault}:when={count}");
    let only = format!("trace={call}");
    let ended_badly = !traced(place.path(), &["-o", "/dev/null", "-e", &only, "-e", &injected]);
    assert!(ended_badly || fault != "signal=KILL", "{injected} struck nobody");
    let told = std::panic::catch_unwind(|| {
        whole(place.path(), false);
        write_log(place.path()).unwrap();
        whole(place.path(), true);
    });
    assert!(told.is_ok(), "after {injected}");
    ended_badly
}

#[test]
fn l12_a_writer_whose_calls_fail_or_kill_it_leaves_everything_whole() {
    let calls = calls();
    assert!(calls.len() > 200, "{} calls: the trace is not that of the writer", calls.len());
    for call in ["openat", "write", "fsync", "rename", "mkdir"] {
        assert!(calls.iter().any(|(name, _)| *name == call), "{call} is not traced");
    }
    let (mut all, mut badly) = (0, 0);
    let mut tear = |call, count, fault| {
        all += 1;
        badly += usize::from(torn(call, count, fault));
    };
    if std::env::var_os("COUNTERSIGN_CHAOS").is_some() {
        for (call, count) in calls {
            FAULTS.into_iter().for_each(|fault| tear(call, count, fault));
        }
    } else {
        // A stride that shares no factor with the number of faults or of calls a file takes.
        let stride = calls.len() / 21;
        for (at, (call, count)) in calls.into_iter().step_by(stride.max(1) | 1).enumerate() {
            tear(call, count, FAULTS[at % FAULTS.len()]);
        }
    }
    // Few calls may fail and nobody minds.
    assert!(badly * 2 > all, "{badly} of {all} faults were felt");
}
