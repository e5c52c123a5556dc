//! A witness, asked over its own routes, and logs that fork.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, to_bytes};
use axum::http::Request as HttpRequest;
use futures::future::BoxFuture;
use model::Clock;
use tower::ServiceExt as _;

use super::api::witness_routes;
use super::client::{Carrier, Client, CosignError, Refusal, Reply, cosigned};
use super::*;
use crate::bundle::proof_file::{ProofFile, ProofFileError};
use crate::bundle::{export, verify_bundle, verify_bundle_at};
use crate::checkpoint::origin;
use crate::publish::WitnessedError;
use crate::sequence::task::{begin_epoch, cosign_due, drain};
use crate::testing::{DEPLOYMENT, Level, World, ring};
use crate::verify::{Options, verify};

const NAME: &str = "witness.example/w1";

#[derive(Debug)]
struct FakeClock;

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        "2026-05-01T10:00:00Z".parse().unwrap()
    }
}

/// A witness and the way to it, which can be cut.
#[derive(Debug, Clone)]
struct Site {
    witness: Arc<Witness>,
    files: Arc<tempfile::TempDir>,
    cut: Arc<AtomicBool>,
}

impl Site {
    fn new() -> Self {
        let files = Arc::new(tempfile::tempdir().unwrap());
        let witness = Arc::new(Self::witness(&files));
        Self { witness, files, cut: Arc::default() }
    }

    /// A witness as another process would make it from the same files.
    fn witness(files: &tempfile::TempDir) -> Witness {
        let key = SigningKey::from_seed(&[9; 32]).unwrap();
        let logs = Logs { directory: Directory::new(files.path()), file: "logs".to_owned() };
        Witness::new(key, NAME, logs, Directory::new(files.path().join("state"))).unwrap()
    }

    /// Lets it watch the log of this world.
    fn watch(&self, world: &World) {
        let policy = world.policy().to_string();
        std::fs::write(self.files.path().join("logs"), policy).unwrap();
    }

    fn client(&self) -> Client {
        Client { key: self.witness.key().clone(), carrier: Box::new(self.clone()) }
    }

    async fn post(&self, body: String) -> (Reply, String) {
        let routes = witness_routes(Arc::clone(&self.witness), Arc::new(FakeClock));
        let request = HttpRequest::post("/add-checkpoint").body(Body::from(body)).unwrap();
        let answer = routes.oneshot(request).await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap().to_vec();
        (Reply { status, body }, kind)
    }
}

impl Carrier for Site {
    fn post(&self, body: String) -> BoxFuture<'_, Result<Reply, String>> {
        Box::pin(async move {
            if self.cut.load(Ordering::SeqCst) {
                return Err("the line is cut".to_owned());
            }
            Ok(Self::post(self, body).await.0)
        })
    }
}

impl World {
    async fn witnessed(site: &Site, count: usize) -> Self {
        let mut world = Self::new().await;
        world.logged(count).await;
        site.watch(&world);
        world.publisher.witness = Some(site.client());
        world.cosigned().await.unwrap();
        world
    }

    async fn cosigned(&self) -> Result<u64, WitnessedError> {
        let cosigned = self.publisher.cosign(&self.test.db, self.test.tenant).await?;
        Ok(cosigned.unwrap().checkpoint.size)
    }

    async fn refused(&self) -> Refusal {
        match self.cosigned().await {
            Err(WitnessedError::Cosign(CosignError::Refused(refusal))) => refusal,
            other => panic!("{other:?}"),
        }
    }

    async fn recorded(&self) -> (i64, Option<String>) {
        sqlx::query_as(
            "SELECT witnessed, witness_refusal FROM countersign.audit_heads WHERE tenant_id = $1",
        )
        .bind(self.test.tenant.uuid())
        .fetch_one(self.test.admin())
        .await
        .unwrap()
    }
}

#[tokio::test]
async fn l10_a_log_that_grows_is_cosigned_and_its_proofs_and_exports_show_it() {
    let site = Site::new();
    let world = World::witnessed(&site, 300).await;
    world.logged(250).await;
    assert_eq!(world.cosigned().await.unwrap(), 550);
    assert_eq!(world.cosigned().await.unwrap(), 550, "asked again, nothing is new");
    assert_eq!(world.recorded().await, (550, None));
    let key = site.witness.key();
    let (origin, policy) = (world.origin(), world.policy());
    let report = async |witness| {
        let options = Options {
            origin: &origin,
            policy: Some(&policy),
            anchor: world.publisher.anchor.as_ref(),
            witness: Some(witness),
            mac: None,
            now: "2100-01-01T00:00:00Z".parse().unwrap(),
            max_anchor_age: None,
        };
        verify(&world.test.db, world.test.tenant, &options).await.unwrap()
    };
    let told = report(key).await;
    assert!(told.ok, "{told:?}");
    let state = told.witness.unwrap();
    assert_eq!((state.size, state.at.as_str()), (550, "2026-05-01T10:00:00Z"));
    let stranger = WitnessKey::new(NAME, SigningKey::from_seed(&[8; 32]).unwrap().public());
    let stranger = stranger.unwrap();
    assert_eq!(report(&stranger).await.exit_code(), 3, "no cosignature of that one");
    // Exports: also when the log has grown past what was cosigned.
    world.logged(3).await;
    let to = Directory::new(world.files.path().join("export"));
    export(&world.log_directory(), &policy, &to).unwrap();
    let told = verify_bundle_at(&to, &policy, Some(key), Some(FakeClock.now())).unwrap();
    assert!(told.ok, "{told:?}");
    assert_eq!((told.size, told.witness.map(|state| state.size)), (553, Some(550)));
    assert_eq!(verify_bundle(&to, &policy, Some(&stranger)).unwrap().exit_code(), 3);
    // Proof files: of what is cosigned with the cosignature, of what is newer without.
    let proof = |index: u64| {
        let event = world.log_directory().read("tile/entries/000").unwrap().unwrap();
        let entries = crate::tile::parse_entries(&event, 256).unwrap();
        let at = usize::try_from(index).unwrap();
        let event = entries.get(at).map_or_else(Vec::new, |entry| entry.to_vec());
        ProofFile::make(&world.log_directory(), index, event).unwrap().0
    };
    let proven = proof(7).verify(&policy, &origin, Some(key)).unwrap();
    assert_eq!((proven.checkpoint.size, proven.cosigned_at), (550, Some(FakeClock.now())));
    assert!(matches!(
        proof(7).verify(&policy, &origin, Some(&stranger)),
        Err(ProofFileError::NotCosigned { .. })
    ));
    assert!(!proof(551).checkpoint.contains(NAME));
}

#[tokio::test]
async fn l10_two_sequencers_forked_on_copies_of_one_database_are_told_apart_by_the_witness() {
    let site = Site::new();
    let world = World::witnessed(&site, 300).await;
    let (mut first, mut second) = world.split().await;
    first.publisher.witness = Some(site.client());
    second.publisher.witness = Some(site.client());
    // Each leads its own copy: no lock and no epoch keeps them apart. Both sign 305 entries.
    first.logged(5).await;
    second.logged(5).await;
    assert_eq!(first.cosigned().await.unwrap(), 305);
    // 409 with the size; from there its root is another one: 409 again.
    assert_eq!(second.refused().await, Refusal::Forked { size: 305 });
    let (size, why) = second.recorded().await;
    assert_eq!(size, 300);
    assert!(why.unwrap().contains("another history"));
    // When it has grown beyond, no proof can be made: 422.
    second.logged(10).await;
    assert_eq!(second.refused().await, Refusal::Forked { size: 305 });
    // The first goes on; what the second signed is kept as proof, signed by the same key.
    first.logged(1).await;
    assert_eq!(first.cosigned().await.unwrap(), 306);
    assert_eq!(first.recorded().await, (306, None));
    let kept = site.witness.refused(&first.origin()).unwrap();
    assert_eq!(kept.len(), 2, "{kept:?}");
    for note in kept {
        let forked = first.policy().open(&note, &first.origin()).unwrap();
        assert!(forked.size == 305 || forked.size == 315);
    }
}

#[tokio::test]
async fn l10_an_older_log_that_was_restored_with_its_signer_is_refused() {
    let site = Site::new();
    let world = World::witnessed(&site, 20).await;
    let (mut lived, mut restored) = world.split().await;
    lived.publisher.witness = Some(site.client());
    restored.publisher.witness = Some(site.client());
    lived.logged(30).await;
    assert_eq!(lived.cosigned().await.unwrap(), 50);
    restored.logged(4).await;
    // Signer, anchor and database agree with each other: they are of the same day.
    assert!(restored.verify(Level::Anchor).await.ok);
    assert_eq!(restored.refused().await, Refusal::Longer { witness: 50, ours: 24 });
    assert!(restored.recorded().await.1.unwrap().contains("50 entries"));
}

#[tokio::test]
async fn l10_of_two_sequencers_on_one_database_one_leads_and_the_others_epoch_has_ended() {
    let world = World::new().await;
    world.log(2).await;
    let second = world.test.another_process().await;
    let leading = world.test.db.lead("audit.sequencer").await.unwrap();
    assert!(leading.is_some());
    assert!(second.lead("audit.sequencer").await.unwrap().is_none(), "the lock is held");
    // Even one that thinks it leads, because its lock was lost unnoticed, appends nothing.
    let next = begin_epoch(&second).await.unwrap();
    world.write(world.test.tenant, 2).await;
    assert!(drain(&world.test.db, world.epoch).await.is_err());
    assert_eq!(drain(&second, next).await.unwrap().appended, 2);
    assert!(drain(&world.test.db, world.epoch).await.is_ok(), "nothing is left to append");
    world.write(world.test.tenant, 1).await;
    assert!(drain(&world.test.db, world.epoch).await.is_err());
}

#[tokio::test]
async fn l10_a_witness_that_is_away_stops_nothing_and_catches_up() {
    let site = Site::new();
    let world = World::witnessed(&site, 3).await;
    site.cut.store(true, Ordering::SeqCst);
    let mut rest = std::collections::BTreeMap::new();
    for _ in 0..3 {
        world.logged(100).await;
        assert!(!cosign_due(&world.test.db, &world.publisher, &mut rest).await.unwrap());
    }
    assert!(world.verify(Level::Anchor).await.ok);
    assert_eq!(world.recorded().await, (3, None), "being away is no refusal");
    site.cut.store(false, Ordering::SeqCst);
    assert!(cosign_due(&world.test.db, &world.publisher, &mut rest).await.unwrap());
    assert_eq!(world.recorded().await, (303, None));
}

#[tokio::test]
async fn l10_a_cosignature_that_was_never_recorded_is_recorded_the_next_time() {
    let site = Site::new();
    let world = World::witnessed(&site, 3).await;
    // Killed between the file and the database.
    world.tamper(&["UPDATE countersign.audit_heads SET witnessed = 0"]).await;
    let mut rest = std::collections::BTreeMap::new();
    assert!(cosign_due(&world.test.db, &world.publisher, &mut rest).await.unwrap());
    assert_eq!(world.recorded().await.0, 3);
}

#[tokio::test]
async fn l10_each_way_a_call_may_be_wrong_has_its_own_answer() {
    let site = Site::new();
    let world = World::new().await;
    let first = world.logged(2).await;
    let note = |log: &Directory| log.read_text("checkpoint").unwrap().unwrap();
    let call = |old: u64, proof: &[[u8; 32]], note: &str| {
        Request { old, proof: proof.to_vec(), note: note.to_owned() }.to_string()
    };
    let status = async |body: String| site.post(body).await.0.status;
    let two = note(&world.log_directory());
    assert_eq!(status(call(0, &[], &two)).await, 404, "not watched");
    site.watch(&world);
    let foreign = world.publisher.signer.keys().sign_note("else", first.to_string()).unwrap();
    assert_eq!(status(call(0, &[], &foreign.to_string())).await, 403, "signed under another name");
    for garbage in ["", "old 0\n", "old 00\n\nx", "old 0\nhash\n\nx", "old 0\n\nno note\n"] {
        assert_eq!(status(garbage.to_owned()).await, 400, "{garbage:?}");
    }
    let many = [[0; 32]; 64];
    assert_eq!(status(call(0, &many, &two)).await, 400, "too many hashes");
    assert_eq!(status(call(3, &[], &two)).await, 400, "older than new");
    let (reply, kind) = site.post(call(1, &[], &two)).await;
    assert_eq!(
        (reply.status, reply.body.as_slice(), kind.as_str()),
        (409, &b"0\n"[..], "text/x.tlog.size")
    );
    assert_eq!(status(call(0, &[[0; 32]], &two)).await, 422, "a proof from nothing is empty");
    let (reply, _) = site.post(call(0, &[], &two)).await;
    assert_eq!(reply.status, 200);
    assert!(String::from_utf8(reply.body).unwrap().starts_with("\u{2014} witness.example/w1 "));
    assert_eq!(status(call(2, &[], &two)).await, 200, "the same once more, with the time of now");
    world.logged(2).await;
    let four = note(&world.log_directory());
    assert_eq!(status(call(2, &[[0; 32]], &four)).await, 422, "a proof of something else");
    let (reply, _) = site.post(call(0, &[], &four)).await;
    assert_eq!((reply.status, reply.body.as_slice()), (409, &b"2\n"[..]));
}

#[tokio::test]
async fn l10_the_witness_remembers_across_its_own_end_and_believes_only_its_own_state() {
    let site = Site::new();
    let world = World::witnessed(&site, 5).await;
    let again = Site::witness(&site.files);
    assert_eq!(again.latest(&world.origin()).unwrap().unwrap().size, 5);
    let state = site.files.path().join("state").join(world.origin()).join("checkpoint");
    let text = std::fs::read_to_string(&state).unwrap();
    std::fs::write(&state, text.replacen("\n5\n", "\n4\n", 1)).unwrap();
    assert!(matches!(again.latest(&world.origin()), Err(WitnessError::ForeignState { .. })));
    world.logged(1).await;
    let gone = world.cosigned().await;
    assert!(matches!(gone, Err(WitnessedError::Cosign(CosignError::Answer(_)))), "{gone:?}");
}

#[tokio::test]
async fn l10_the_cosigned_note_stands_beside_the_published_one_in_database_and_anchor() {
    let site = Site::new();
    let world = World::witnessed(&site, 5).await;
    let log = world.log_directory();
    let published = cosigned(&log, site.witness.key()).unwrap().unwrap();
    assert!(published.note.starts_with(&log.read_text("checkpoint").unwrap().unwrap()));
    let anchor = world.publisher.anchor.as_ref().unwrap();
    assert_eq!(anchor.latest(&world.origin()).unwrap().unwrap().note, published.note);
    let mut tx = world.test.db.tenant(world.test.tenant).await.unwrap();
    let newest = crate::store::checkpoints::latest(&mut tx).await.unwrap();
    assert_eq!(newest, Some(published.note));
}

/// A way to the witness that spoils the answers for one log: the first it is asked for.
#[derive(Debug)]
struct FakeSpoiler {
    site: Site,
    answer: Reply,
    spoiled: Mutex<Option<String>>,
}

impl Carrier for FakeSpoiler {
    fn post(&self, body: String) -> BoxFuture<'_, Result<Reply, String>> {
        Box::pin(async move {
            let note = body.parse::<Request>().unwrap().note;
            let asked = note.lines().next().unwrap().to_owned();
            let spoiled = self.spoiled.lock().unwrap().get_or_insert(asked.clone()).clone();
            if spoiled == asked {
                return Ok(self.answer.clone());
            }
            Ok(self.site.post(body).await.0)
        })
    }
}

#[tokio::test]
async fn l10_a_log_with_bad_answers_does_not_keep_the_others_from_the_witness() {
    let site = Site::new();
    let mut world = World::new().await;
    let other = world.test.another_tenant().await;
    let theirs = origin(DEPLOYMENT, other);
    for (status, body) in [(500, ""), (400, "no"), (409, "no size"), (200, "no line")] {
        world.logged(2).await;
        world.write(other, 2).await;
        world.drain().await;
        world.publisher.publish(&world.test.db, other).await.unwrap();
        let policies = [world.policy(), world.publisher.signer.policy(&theirs).unwrap()];
        let lines: String = policies.iter().map(|policy| format!("{policy}\n")).collect();
        std::fs::write(site.files.path().join("logs"), lines).unwrap();
        let answer = Reply { status, body: body.into() };
        let carrier = FakeSpoiler { site: site.clone(), answer, spoiled: Mutex::default() };
        let key = site.witness.key().clone();
        world.publisher.witness = Some(Client { key, carrier: Box::new(carrier) });
        let mut rest = std::collections::BTreeMap::new();
        let told = cosign_due(&world.test.db, &world.publisher, &mut rest).await.unwrap();
        assert!(told, "{status}: the witness answers");
        assert_eq!(rest.len(), 1, "{status}: the spoiled log rests");
        let cosigned: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM countersign.audit_heads WHERE size > 0 AND witnessed = size",
        )
        .fetch_one(world.test.admin())
        .await
        .unwrap();
        assert_eq!(cosigned, 1, "{status}: the other log is cosigned");
    }
}

#[tokio::test]
async fn l10_what_came_after_an_old_cosignature_is_not_vouched_for() {
    let site = Site::new();
    let world = World::witnessed(&site, 20).await;
    let (origin, policy) = (world.origin(), world.policy());
    let report = async |now: &str| {
        let options = Options {
            origin: &origin,
            policy: Some(&policy),
            anchor: world.publisher.anchor.as_ref(),
            witness: Some(site.witness.key()),
            mac: None,
            now: now.parse().unwrap(),
            max_anchor_age: None,
        };
        verify(&world.test.db, world.test.tenant, &options).await.unwrap()
    };
    let late = "2026-05-01T12:00:00Z";
    assert!(report(late).await.ok, "all of it is cosigned");
    // Sequenced and not signed, then signed and not cosigned.
    world.log(3).await;
    for signed in [false, true] {
        if signed {
            world.publish().await.unwrap();
        }
        assert!(report("2026-05-01T11:00:00Z").await.ok, "the rest is of this hour");
        let told = report(late).await;
        assert_eq!((told.exit_code(), told.witness.unwrap().size), (3, 20));
        let why = told.cannot_tell.unwrap();
        assert!(why.contains("cosigned 20 of 23 events"), "{why}");
    }
    let to = Directory::new(world.files.path().join("export"));
    export(&world.log_directory(), &policy, &to).unwrap();
    let exported = |now: Option<&str>| {
        let now = now.map(|now| now.parse().unwrap());
        verify_bundle_at(&to, &policy, Some(site.witness.key()), now).unwrap()
    };
    assert!(exported(Some("2026-05-01T11:00:00Z")).ok);
    for told in [exported(Some(late)), exported(None)] {
        assert_eq!((told.exit_code(), told.witness.unwrap().size), (3, 20));
    }
    assert_eq!(world.cosigned().await.unwrap(), 23);
    assert!(report(late).await.ok);
}

#[test]
fn l10_proof_of_a_fork_is_kept_however_many_calls_without_a_proof_came_before() {
    let (site, keys, name) = (Site::new(), ring(&[1]), "audit.test/x");
    let policy = Policy::of(keys.verifiers(name).unwrap());
    std::fs::write(site.files.path().join("logs"), policy.to_string()).unwrap();
    let note = |size: u64, root: u8| {
        let checkpoint = Checkpoint { origin: name.to_owned(), size, root: [root; 32] };
        keys.sign_note(name, checkpoint.to_string()).unwrap().to_string()
    };
    let ask = |old: u64, proof: &[[u8; 32]], note: &str| {
        let call = Request { old, proof: proof.to_vec(), note: note.to_owned() };
        site.witness.add_checkpoint(&call.to_string(), FakeClock.now()).unwrap()
    };
    let refused = || site.witness.refused(name).unwrap();
    let known = note(2, 2);
    assert!(matches!(ask(0, &[], &known), Answer::Cosigned(_)));
    assert_eq!(ask(2, &[[0; 32]], &known), Answer::Inconsistent);
    assert!(refused().is_empty(), "what is known contradicts nothing");
    for size in 3..=122 {
        assert_eq!(ask(2, &[[0; 32]], &note(size, 2)), Answer::Inconsistent);
        assert_eq!(ask(2, &[[0; 32]], &note(size, 2)), Answer::Inconsistent, "the same again");
    }
    let newest: Vec<String> = (23..=122).map(|size| note(size, 2)).collect();
    assert_eq!(refused(), newest, "the newest hundred");
    // Whichever size it thinks the witness knows: another root of a cosigned size is proof.
    assert_eq!(ask(2, &[], &note(2, 3)), Answer::Conflict(2));
    assert_eq!(ask(1, &[], &note(2, 4)), Answer::Conflict(2));
    assert_eq!(ask(2, &[[0; 32]], &note(150, 5)), Answer::Inconsistent);
    let kept = refused();
    assert_eq!(kept.get(..2), Some(&[note(2, 3), note(2, 4)][..]));
    assert_eq!((kept.len(), kept.last()), (102, Some(&note(150, 5))));
    let state = Directory::new(site.files.path().join("state")).below(name);
    let half = state.read_text("contradicted/00000000000000000002").unwrap().unwrap();
    assert_eq!(policy.open(&half, name).unwrap().root, [2; 32]);
}
