//! Long output over real sshd: read by ranges while it comes and after.

use std::fs;

use connect_ssh::testing::Sshd;
use model::connector::Login;
use model::id::StepRunId;
use model::plan::{EvidenceKind, EvidenceRequirement, Stage};
use serde_json::Value;

use super::ssh::{engine, on, scripted};
use super::*;
use crate::store::outputs::{self, Told};
use crate::store::printed::PIECE_BYTES;
use crate::store::read;

/// How much is printed before the step waits.
const HALF: usize = 1_500_000;

/// A long line of the login, which is to be seen nowhere.
fn secret_line(sshd: &Sshd) -> String {
    let Login::Key(key) = sshd.login() else { panic!("a key") };
    let text = key.expose_str().unwrap().to_owned();
    text.lines().find(|line| line.len() == 70).unwrap().to_owned()
}

/// Four megabytes, a secret across the first border, and characters across the others.
fn text(secret: &str) -> String {
    format!("{}{secret}{}", "x".repeat(PIECE_BYTES - 30), "…".repeat(1_000_000))
}

/// A step that prints a file, and waits in the middle of it.
fn printing(sshd: &Sshd, text: &str) -> String {
    let (file, gate) = (sshd.dir().join("long"), sshd.dir().join("gate"));
    fs::write(&file, text).unwrap();
    let (file, gate) = (file.display(), gate.display());
    format!(
        "head -c {HALF} {file}; while [ ! -e {gate} ]; do sleep 0.05; done; tail -c +{} {file}",
        HALF + 1
    )
}

struct Reader<'a> {
    estate: &'a Estate,
    id: ExecutionId,
    text: String,
    at: usize,
    size: usize,
}

impl<'a> Reader<'a> {
    fn new(estate: &'a Estate, id: ExecutionId) -> Self {
        Self { estate, id, text: String::new(), at: 0, size: 0 }
    }

    async fn range(&self, from: usize, most: usize) -> Option<(Told, bool)> {
        let test = &self.estate.test;
        let mut tx = test.db.tenant(test.tenant).await.unwrap();
        let run: StepRunId = read::steps(&mut tx, self.id).await.unwrap().first()?.id.into();
        let found = outputs::find(&mut tx, (self.id, run), "stdout", None).await.unwrap();
        drop(tx);
        let ended = found.ended;
        let told = found.range(&*self.estate.objects, "stdout", (from, most)).await.unwrap();
        Some((told, ended))
    }

    /// Reads on until that many bytes are read, or nothing more comes.
    async fn until(&mut self, size: usize) {
        while self.at < size {
            if let Some((told, ended)) = self.range(self.at, 300_001).await {
                assert!(told.size >= self.size, "what was there is not taken back");
                self.size = told.size;
                self.text.push_str(&told.range.text);
                self.at = told.range.next;
                if ended && self.at == told.size {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn long_output_is_followed_by_ranges_across_a_worker_that_dies() {
    let (estate, sshd) = (Estate::new().await, Sshd::start().unwrap());
    let secret = secret_line(&sshd);
    let printed = text(&secret);
    let expected = printed.replace(&secret, "[masked]");
    let mut first = scripted(1, Stage::Act, &printing(&sshd, &printed), "true");
    let log =
        |query: &str| EvidenceRequirement { kind: EvidenceKind::Log, query: query.to_owned() };
    first.evidence.push(log("stdout"));
    let id = estate.approved(&on(&sshd, vec![first, scripted(2, Stage::Verify, "true", "")])).await;
    let mut reader = Reader::new(&estate, id);
    let dying = engine(&estate, &sshd, "first");
    // All that was printed but the beginning of a character, and what may be one of a secret's.
    let half = HALF - 70;
    tokio::select! {
        _ended = estate.turn(&dying) => panic!("the step waits"),
        () = reader.until(half) => {}
    }
    drop(dying);
    fixture::expire(&estate.test, id).await;
    fs::write(sshd.dir().join("gate"), "").unwrap();
    let second = engine(&estate, &sshd, "second");
    let (ended, ()) = tokio::join!(estate.turn(&second), reader.until(usize::MAX));
    assert_eq!(ended.unwrap(), finished(ExecutionState::Completed));
    assert!(reader.text == expected, "all of it, once, and no secret");
    let (told, _) = reader.range(2 * PIECE_BYTES - 3, 9).await.unwrap();
    assert_eq!((told.size, told.truncated), (expected.len(), false));
    let around = &expected.as_bytes()[2 * PIECE_BYTES - 3..told.range.next];
    assert_eq!(told.range.text, String::from_utf8_lossy(around));
    let mut tx = estate.test.db.tenant(estate.test.tenant).await.unwrap();
    let evidence = read::evidence(&mut tx, id).await.unwrap();
    let objects = estate.objects.0.lock().unwrap();
    let stored = &objects[&evidence[0].result_ref];
    assert_eq!(Digest::of(stored).as_bytes().as_slice(), evidence[0].sha256);
    let document: Value = serde_json::from_slice(stored).unwrap();
    assert!(document.pointer("/stdout/text").unwrap() == &expected, "the evidence is the whole");
    let longest = objects.iter().filter(|(key, _)| key.contains("/tool-output/"));
    assert!(longest.map(|(_, bytes)| bytes.len()).max().unwrap() <= PIECE_BYTES);
}

#[tokio::test]
async fn what_a_target_dropped_at_the_cap_is_said_to_be_dropped() {
    let (estate, sshd) = (Estate::new().await, Sshd::start().unwrap());
    let bytes = "head -c 300000 /dev/zero | tr '\\0' '\\377'";
    let mut first = scripted(1, Stage::Act, bytes, "true");
    first.evidence =
        vec![EvidenceRequirement { kind: EvidenceKind::Log, query: "stdout".to_owned() }];
    let id = estate.approved(&on(&sshd, vec![first, scripted(2, Stage::Verify, "true", "")])).await;
    let mut engine = engine(&estate, &sshd, "worker");
    engine.settings.output_cap = 200_000;
    assert_eq!(estate.turn(&engine).await.unwrap(), finished(ExecutionState::Completed));
    let reader = Reader::new(&estate, id);
    let (told, ended) = reader.range(199_990, 100).await.unwrap();
    assert_eq!((told.size, told.truncated, ended), (200_000, true, true));
    assert_eq!(told.range.text, "\u{fffd}".repeat(10));
    let mut tx = estate.test.db.tenant(estate.test.tenant).await.unwrap();
    let steps = read::steps(&mut tx, id).await.unwrap();
    assert!(steps[0].truncated);
    let evidence = read::evidence(&mut tx, id).await.unwrap();
    let objects = estate.objects.0.lock().unwrap();
    let document: Value = serde_json::from_slice(&objects[&evidence[0].result_ref]).unwrap();
    assert_eq!(document.pointer("/stdout/truncated"), Some(&Value::Bool(true)));
    let all = document.pointer("/stdout/base64").and_then(Value::as_str).unwrap();
    assert_eq!(all.len(), 200_000_usize.div_ceil(3) * 4);
}
