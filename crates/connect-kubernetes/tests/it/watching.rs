//! What happens, as it happens.

use std::ops::ControlFlow;
use std::time::Duration;

use connect_kubernetes::testing::Fault;
use connect_kubernetes::{Error, Event, Since};
use serde_json::{Value, json};

use crate::harness::{kind, settings, shop};

/// Longer than anything here takes, on a machine that does much else.
const LONG: Duration = Duration::from_secs(120);

fn told(event: &Event) -> String {
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
    match event {
        Event::Listed(listed) => format!("listed {}", listed.objects.len()),
        Event::Added(object) => format!("added {}", name(object)),
        Event::Modified(object) => format!("modified {}", name(object)),
        Event::Deleted(object) => format!("deleted {}", name(object)),
    }
}

#[tokio::test]
async fn what_happens_after_the_list_is_told_in_order_and_gone_on_with() {
    let (fake, cluster) = shop().await;
    let maps = kind("v1", "ConfigMap");
    let mut heard = Vec::new();
    let version = cluster
        .watch(&maps, Some("shop"), Since::List, LONG, |event| {
            heard.push(told(&event));
            match heard.len() {
                1 => {
                    fake.put(settings("a", &json!({})));
                    let mut elsewhere = settings("b", &json!({}));
                    elsewhere["metadata"]["namespace"] = "default".into();
                    fake.put(elsewhere);
                }
                2 => drop(fake.put(settings("a", &json!({"new": "label"})))),
                _ => return ControlFlow::Break(()),
            }
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
    assert_eq!(heard, ["listed 1", "added a", "modified a"]);

    // From there on, everything since is told.
    fake.put(settings("c", &json!({})));
    fake.put(settings("d", &json!({})));
    let mut heard = Vec::new();
    let since = Since::Version(version);
    let watched = cluster.watch(&maps, Some("shop"), since, LONG, |event| {
        heard.push(told(&event));
        if heard.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    watched.await.unwrap();
    assert_eq!(heard, ["added c", "added d"]);
}

#[tokio::test]
async fn a_bookmark_moves_a_quiet_watch_on() {
    let (fake, cluster) = shop().await;
    let secrets = kind("v1", "Secret");
    let listed = cluster.list(&secrets, None, None).await.unwrap();
    // Something else happens; of secrets there is nothing to tell.
    fake.put(settings("a", &json!({})));
    let since = Since::Version(listed.resource_version.clone());
    let within = Duration::from_secs(1);
    let quiet = |event: Event| panic!("{}", told(&event));
    let version = cluster.watch(&secrets, None, since, within, quiet).await.unwrap();
    let number = |text: &str| text.parse::<u64>().unwrap();
    assert!(number(&version) > number(&listed.resource_version), "{version}");
    // What was forgotten up to the bookmark is nothing that was missed.
    fake.compact();
    let watched =
        cluster.watch(&secrets, None, Since::Version(version), Duration::from_millis(100), quiet);
    watched.await.unwrap();
}

#[tokio::test]
async fn a_moment_that_was_forgotten_is_listed_anew() {
    let (fake, cluster) = shop().await;
    let maps = kind("v1", "ConfigMap");
    let listed = cluster.list(&maps, Some("shop"), None).await.unwrap();
    for name in ["a", "b"] {
        fake.put(settings(name, &json!({})));
    }
    fake.compact();
    for (part, fault) in [(None, None), (Some("watch="), Some(Fault::status(410, "too old")))] {
        if let (Some(part), Some(fault)) = (part, fault) {
            fake.fail(part, fault);
        }
        let mut heard = Vec::new();
        let since = Since::Version(listed.resource_version.clone());
        let watched = cluster.watch(&maps, Some("shop"), since, LONG, |event| {
            heard.push(told(&event));
            ControlFlow::Break(())
        });
        watched.await.unwrap();
        assert_eq!(heard, ["listed 3"]);
    }
}

#[tokio::test]
async fn a_watch_that_is_cut_goes_on_and_one_that_is_always_cut_ends() {
    let (fake, cluster) = shop().await;
    let maps = kind("v1", "ConfigMap");
    fake.fail("watch=", Fault::Cut);
    let mut heard = Vec::new();
    let watched = cluster.watch(&maps, Some("shop"), Since::List, LONG, |event| {
        heard.push(told(&event));
        if heard.len() == 1 {
            fake.put(settings("a", &json!({})));
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(())
    });
    watched.await.unwrap();
    assert_eq!(heard, ["listed 1", "added a"]);
    (0..3).for_each(|_| fake.fail("watch=", Fault::Cut));
    let watched =
        cluster.watch(&maps, Some("shop"), Since::List, LONG, |_| ControlFlow::Continue(()));
    assert!(matches!(watched.await.unwrap_err(), Error::Call(_)));
    (0..3).for_each(|_| fake.fail("watch=", Fault::status(410, "too old")));
    let watched =
        cluster.watch(&maps, Some("shop"), Since::List, LONG, |_| ControlFlow::Continue(()));
    assert_eq!(watched.await.unwrap_err(), Error::Expired);
}

#[tokio::test]
async fn who_may_not_watch_is_told_so() {
    let (fake, cluster) = shop().await;
    fake.deny("secrets", "watch");
    let secrets = kind("v1", "Secret");
    let watched = cluster.watch(&secrets, None, Since::List, LONG, |_| ControlFlow::Continue(()));
    assert!(matches!(watched.await.unwrap_err(), Error::Forbidden { .. }));
}
