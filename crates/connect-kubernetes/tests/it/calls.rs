//! Logins, what goes wrong with calls, and lists.

use std::time::Duration;

use connect::outbound;
use connect_kubernetes::testing::{Door, FakeCluster, Fault};
use connect_kubernetes::{
    BadKubeconfig, Cluster, Config, Error, Key, Kubeconfig, Limits, Login, Unserved,
};
use model::secret::Secret;
use serde_json::json;

use crate::harness::{cluster, deployment, key, kind, limits, names, outbound, settings, shop};

#[tokio::test]
async fn every_way_to_log_in_is_let_in_and_a_wrong_one_is_not() {
    for door in [Door::Open, Door::Token, Door::Certificate] {
        let fake = FakeCluster::start(door).await.unwrap();
        let space = Key { namespace: None, ..key("v1", "Namespace", "default") };
        let live = cluster(&fake, limits()).get(&space).await.unwrap();
        assert_eq!(live["status"]["phase"], "Active", "{door:?}");

        let mut config =
            Kubeconfig::read(&fake.kubeconfig(), None).unwrap().config(|_| None).unwrap();
        config.login = Login::Token(Secret::from("another".to_owned()));
        let stranger = Cluster::new(&outbound(), config.clone(), limits());
        let answer = match stranger {
            Ok(stranger) => stranger.get(&space).await,
            Err(fault) => Err(fault),
        };
        match (door, answer) {
            // No login is sent where everybody could read it.
            (Door::Open, Err(Error::Plain))
            | (Door::Token, Err(Error::Unauthorized { .. }))
            | (Door::Certificate, Err(Error::Call(_))) => {}
            (door, answer) => panic!("{door:?}: {answer:?}"),
        }
        if config.authority.take().is_some() {
            let credulous = Cluster::new(&outbound(), config, limits()).unwrap();
            let fault = Error::Call(outbound::Error::Unreachable);
            assert_eq!(credulous.get(&space).await.unwrap_err(), fault, "{door:?}");
        }
    }
}

#[tokio::test]
async fn n1_a_cluster_is_called_only_where_calls_may_go() {
    let fake = FakeCluster::start(Door::Token).await.unwrap();
    let config = Kubeconfig::read(&fake.kubeconfig(), None).unwrap().config(|_| None).unwrap();
    let strict = connect::Outbound::new(outbound::Rules::default()).unwrap();
    let cluster = Cluster::new(&strict, config, limits()).unwrap();
    let fault = cluster.discover().await.unwrap_err();
    assert_eq!(fault, Error::Call(outbound::Error::Unreachable));
    assert!(fake.asked().is_empty());
}

#[test]
fn settings_that_cannot_be_used_are_refused_before_anything_is_called() {
    let config = |server: &str, login| Config {
        server: server.to_owned(),
        authority: None,
        login,
        namespace: "default".to_owned(),
    };
    let fault = |config| Cluster::new(&outbound(), config, Limits::default()).unwrap_err();
    for server in ["", "cluster", "ftp://cluster.example", "https://user:pass@cluster.example"] {
        assert_eq!(fault(config(server, Login::Anonymous)), Error::Address, "{server}");
    }
    let login = Login::Certificate { chain: b"x".to_vec(), key: Secret::from("y".to_owned()) };
    assert!(matches!(fault(config("https://cluster.example", login)), Error::Tls(_)));
    let mut odd = config("https://cluster.example", Login::Anonymous);
    odd.authority = Some(b"no certificate".to_vec());
    assert!(matches!(fault(odd), Error::Tls(_)));
    assert_eq!(Kubeconfig::read("kind: Config", None).unwrap_err(), BadKubeconfig::NoContext);
}

#[tokio::test]
async fn discovery_is_the_same_in_one_answer_and_group_by_group() {
    let (new, old) = (FakeCluster::start(Door::Open), FakeCluster::start_old(Door::Open));
    let (new, old) = (new.await.unwrap(), old.await.unwrap());
    let (one, many) = (cluster(&new, limits()), cluster(&old, limits()));
    let (one_served, many_served) = (one.discover().await.unwrap(), many.discover().await.unwrap());
    let kinds =
        |served: &connect_kubernetes::Served| served.preferred().cloned().collect::<Vec<_>>();
    assert_eq!(kinds(&one_served), kinds(&many_served));
    assert_eq!(one_served.preferred().count(), 22);
    let deployments = one_served.find(&kind("apps/v1", "Deployment")).unwrap();
    assert_eq!((deployments.plural.as_str(), deployments.namespaced), ("deployments", true));
    assert_eq!((one.calls(), many.calls()), (2, 8));
    assert!(one_served.failed().is_empty() && many_served.failed().is_empty());
    let thing = kind("x.example/v1", "Thing");
    assert_eq!(one_served.find(&thing), Err(Unserved::Unknown(thing.clone())));
    for (fake, cluster) in [(&new, &one), (&old, &many)] {
        fake.lose("batch");
        let served = cluster.discover().await.unwrap();
        let job = served.find(&kind("batch/v1", "Job")).unwrap_err();
        assert!(matches!(job, Unserved::Unanswered { .. }), "{job:?}");
        assert!(served.find(&kind("apps/v1", "Deployment")).is_ok());
        // What nobody knows of is told apart from what nobody could say.
        assert_eq!(served.find(&thing), Err(Unserved::Unknown(thing.clone())));
    }
}

#[tokio::test]
async fn a_call_that_is_put_off_or_fails_in_passing_is_made_again() {
    let (fake, cluster) = shop().await;
    fake.put(settings("a", &json!({})));
    let object = key("v1", "ConfigMap", "a");
    cluster.get(&object).await.unwrap();
    for (faults, throttled) in [
        (vec![Fault::busy(0), Fault::busy(0)], 2),
        (vec![Fault::status(503, "starting"), Fault::status(500, "etcd")], 0),
        (vec![Fault::Cut, Fault::status(504, "<html>timed out</html>")], 0),
    ] {
        let (calls, before) = (cluster.calls(), cluster.throttled());
        for fault in faults {
            fake.fail("/configmaps/a", fault);
        }
        assert_eq!(cluster.get(&object).await.unwrap()["data"]["name"], "a");
        assert_eq!((cluster.calls() - calls, cluster.throttled() - before), (3, throttled));
    }
}

#[tokio::test]
async fn what_goes_on_failing_is_an_error_that_says_how() {
    let (fake, cluster) = shop().await;
    let (object, path) = (key("v1", "ConfigMap", "a"), "/configmaps/a");
    fake.put(settings("a", &json!({})));
    cluster.get(&object).await.unwrap();
    let mut faults = Vec::new();
    for (fault, times) in [
        (Fault::busy(0), 3),
        (Fault::busy(86_400), 1),
        (Fault::status(503, "shutting down"), 3),
        (Fault::status(502, "<html>bad gateway</html>"), 3),
        (Fault::Cut, 3),
        (Fault::status(404, "<html>not found</html>"), 1),
        (Fault::status(403, "no\u{1b}[31m"), 1),
        (Fault::status(401, "expired"), 1),
        (Fault::status(302, "elsewhere"), 1),
        (Fault::status(200, "<html>log in</html>"), 1),
    ] {
        let calls = cluster.calls();
        (0..times).for_each(|_| fake.fail(path, fault.clone()));
        faults.push(cluster.get(&object).await.unwrap_err());
        assert_eq!(cluster.calls() - calls, times, "{fault:?}");
    }
    let said = |text: &str| text.to_owned();
    assert_eq!(
        faults,
        [
            Error::Throttled,
            Error::Throttled,
            Error::Failed { status: 503, said: said("shutting down") },
            Error::Failed { status: 502, said: said("") },
            Error::Call(outbound::Error::Malformed),
            // Not what an API server says of an object that is not there.
            Error::Failed { status: 404, said: said("") },
            Error::Forbidden { said: said("no[31m") },
            Error::Unauthorized { said: said("expired") },
            Error::Failed { status: 302, said: said("elsewhere") },
            Error::Malformed,
        ]
    );
    assert_eq!(cluster.get(&object).await.unwrap()["data"]["name"], "a");
}

#[tokio::test]
async fn an_answer_that_does_not_come_ends_in_time() {
    let (fake, _) = shop().await;
    let timeout = Duration::from_secs(2);
    let hasty = cluster(&fake, Limits { timeout, tries: 1, ..limits() });
    fake.fail("GET /api", Fault::Silence);
    assert_eq!(hasty.discover().await.unwrap_err(), Error::Call(outbound::Error::TooSlow));
}

#[tokio::test]
async fn absent_is_what_the_api_server_says_it_does_not_have() {
    let (_fake, cluster) = shop().await;
    let absent = key("v1", "ConfigMap", "a");
    assert_eq!(cluster.get(&absent).await.unwrap_err(), Error::NotFound);
    for name in ["..", ".", "", "a/b", "a%2fb", "a?b", "a b"] {
        assert_eq!(cluster.get(&key("v1", "ConfigMap", name)).await.unwrap_err(), Error::Name);
        let namespace = Some(name.to_owned());
        let elsewhere = Key { namespace, ..key("v1", "ConfigMap", "a") };
        assert_eq!(cluster.get(&elsewhere).await.unwrap_err(), Error::Name);
    }
    let unknown = cluster.get(&key("x.example/v1", "Thing", "a")).await.unwrap_err();
    assert_eq!(unknown.to_string(), "the cluster has no kind x.example/v1 Thing");
}

#[tokio::test]
async fn a_list_is_read_page_by_page_to_its_end_by_label_and_namespace() {
    let (fake, _) = shop().await;
    for n in 0..23 {
        fake.put(settings(&format!("s-{n:02}"), &json!({"odd": (n % 2 == 1).to_string()})));
    }
    let cluster = cluster(&fake, Limits { page: 5, ..limits() });
    let maps = kind("v1", "ConfigMap");
    let listed = cluster.list(&maps, Some("shop"), None).await.unwrap();
    // One was there before, as in every namespace.
    assert_eq!(listed.objects.len(), 24);
    assert!(!listed.resource_version.is_empty());
    assert!(listed.objects.iter().all(|object| object["kind"] == "ConfigMap"));
    let pages = fake.asked().iter().filter(|asked| asked.contains("/configmaps?limit=5")).count();
    assert_eq!(pages, 5);
    let count = async |selector: &str, namespace| {
        cluster.list(&maps, namespace, Some(selector)).await.unwrap().objects.len()
    };
    for (selector, expected) in [
        ("odd=true", 11),
        ("odd==false", 12),
        ("odd!=true", 13),
        ("odd", 23),
        ("!odd", 1),
        ("odd in (true, maybe)", 11),
        ("odd notin (true,false)", 1),
        ("odd=true,odd=false", 0),
    ] {
        assert_eq!(count(selector, Some("shop")).await, expected, "{selector}");
    }
    assert_eq!(count("!odd", None).await, 3);
    let listed = cluster.list(&kind("v1", "Namespace"), Some("shop"), None).await.unwrap();
    assert_eq!(names(&listed.objects), ["default", "kube-system", "shop"]);
}

#[tokio::test]
async fn a_list_whose_pages_were_forgotten_is_begun_anew_and_never_half() {
    let (fake, _) = shop().await;
    for n in 0..9 {
        fake.put(settings(&format!("s-{n}"), &json!({})));
    }
    let cluster = cluster(&fake, Limits { page: 4, ..limits() });
    let maps = kind("v1", "ConfigMap");
    let gone = || Fault::status(410, "too old");
    fake.fail("continue=", gone());
    assert_eq!(cluster.list(&maps, Some("shop"), None).await.unwrap().objects.len(), 10);
    (0..3).for_each(|_| fake.fail("continue=", gone()));
    assert_eq!(cluster.list(&maps, Some("shop"), None).await.unwrap_err(), Error::Expired);
    (0..3).for_each(|_| fake.fail("continue=", Fault::status(500, "etcd")));
    let half = cluster.list(&maps, Some("shop"), None).await.unwrap_err();
    assert!(matches!(half, Error::Failed { status: 500, .. }), "{half:?}");
}

#[tokio::test]
async fn pages_that_are_too_large_are_made_smaller_and_lists_have_an_end() {
    let (fake, _) = shop().await;
    for n in 0..16 {
        let mut object = settings(&format!("s-{n:02}"), &json!({}));
        object["data"]["text"] = "x".repeat(4_000).into();
        fake.put(object);
    }
    let maps = kind("v1", "ConfigMap");
    let narrow = cluster(&fake, Limits { most_bytes: 24 << 10, page: 100, ..limits() });
    assert_eq!(narrow.list(&maps, Some("shop"), None).await.unwrap().objects.len(), 17);
    let too_narrow = cluster(&fake, Limits { most_bytes: 4 << 10, ..limits() });
    too_narrow.list(&kind("apps/v1", "Deployment"), None, None).await.unwrap_err();
    let short = cluster(&fake, Limits { most_objects: 10, page: 3, ..limits() });
    let fault = short.list(&maps, Some("shop"), None).await.unwrap_err();
    assert_eq!(fault, Error::TooMany { most: 10 });
}

#[tokio::test]
async fn s2_a_cluster_shows_no_token_and_sends_it_only_as_a_header() {
    let fake = FakeCluster::start(Door::Token).await.unwrap();
    let token = fake.kubeconfig();
    let token = token.split("\"token\":\"").nth(1).unwrap().split('"').next().unwrap();
    let cluster = cluster(&fake, limits());
    cluster.discover().await.unwrap();
    let fault = cluster.get(&key("v1", "ConfigMap", "a")).await.unwrap_err();
    assert!(!format!("{cluster:?} {fault:?} {fault}").contains(token));
    assert!(fake.asked().iter().all(|asked| !asked.contains(token)));
    fake.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}));
    fake.put(deployment("web", "nginx:1.27"));
    assert!(cluster.get(&key("apps/v1", "Deployment", "web")).await.is_ok());
}

#[tokio::test]
async fn calls_made_together_wait_for_each_other() {
    let (fake, _) = shop().await;
    fake.put(settings("a", &json!({})));
    let cluster = cluster(&fake, Limits { at_once: 2, ..limits() });
    let object = key("v1", "ConfigMap", "a");
    cluster.discover().await.unwrap();
    let answers = futures::future::join_all((0..20).map(|_| cluster.get(&object))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert!(fake.most_at_once() <= 2, "{}", fake.most_at_once());
}
