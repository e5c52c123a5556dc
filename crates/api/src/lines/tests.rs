use std::pin::pin;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::*;

#[tokio::test]
async fn batches_of_other_objects_are_kept_at_once_and_those_of_the_same_one_after_another() {
    let log: Arc<Mutex<Vec<&str>>> = Arc::default();
    let batch = |name: &'static str, gate: oneshot::Receiver<()>| {
        let log = Arc::clone(&log);
        async move {
            let _open = gate.await;
            log.lock().unwrap().push(name);
            Ok(Kept { new: 1, all: 2, refused: Refused::default() })
        }
    };
    let mut keeping = Keeping::new(3);
    let ((open_first, first), (open_other, other), (open_same, same)) =
        (oneshot::channel(), oneshot::channel(), oneshot::channel());
    open_same.send(()).unwrap();
    keeping.add(BTreeSet::from(["a"]), batch("first", first)).await.unwrap();
    keeping.add(BTreeSet::from(["b"]), batch("other", other)).await.unwrap();
    // Both are under way: the second may end before the first.
    open_other.send(()).unwrap();
    while log.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    // Its own gate is open from the beginning; it waits for the first.
    {
        let mut adding = pin!(keeping.add(BTreeSet::from(["a", "c"]), batch("same", same)));
        assert!(futures::poll!(&mut adding).is_pending());
        open_first.send(()).unwrap();
        adding.await.unwrap();
    }
    let kept = keeping.done().await.unwrap();
    assert_eq!(*log.lock().unwrap(), ["other", "first", "same"]);
    assert_eq!((kept.new, kept.all), (3, 6));
}

#[tokio::test]
async fn a_batch_that_cannot_be_kept_ends_the_import() {
    let mut keeping = Keeping::new(1);
    let broken = Problem::invalid("", "broken", "broken");
    keeping.add(BTreeSet::from([1]), async move { Err(broken) }).await.unwrap();
    let refused = keeping.add(BTreeSet::from([2]), async { Ok(Kept::default()) }).await;
    assert_eq!(refused.unwrap_err().status, 400);
}

#[test]
fn what_batches_refused_is_told_in_the_order_of_the_lines() {
    let mut first = Refused::default();
    let mut kept = Kept::default();
    first.add(7, Problem::invalid("", "x", "seven"));
    kept.refused.add(3, Problem::invalid("", "x", "three"));
    let out = ImportOut::of(9, kept, first);
    assert_eq!(out.refused, 2);
    assert_eq!(out.errors.iter().map(|one| one.line).collect::<Vec<_>>(), [3, 7]);
}
