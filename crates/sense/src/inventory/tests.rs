use model::level::EnvironmentClass;

use super::*;

fn facts(name: &str, environment: &str, tags: &[(&str, &str)]) -> TargetFacts {
    TargetFacts {
        target: Target {
            resource_id: ResourceId::generate(),
            connection_id: ConnectionId::generate(),
            name: name.to_owned(),
            host: "127.0.0.1".to_owned(),
            port: 22,
            username: "ops".to_owned(),
            transport: "ssh".to_owned(),
            credential_id: None,
            credential_version: None,
            host_keys: Vec::new(),
            guard_dir: None,
            environment: EnvironmentClass::Prod,
        },
        tags: tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        os_type: OsType::Linux,
        hostname: format!("{name}.example.com"),
        environment_id: EnvironmentId::generate(),
        environment_name: environment.to_owned(),
        environment_slug: environment.to_owned(),
    }
}

#[test]
fn the_host_of_an_instance_is_what_stands_before_its_port() {
    for (instance, host) in [
        ("web-1:9100", "web-1"),
        ("web-1.example.com", "web-1.example.com"),
        ("[::1]:9100", "::1"),
        ("fe80::1", "fe80::1"),
        ("10.0.0.1:9100", "10.0.0.1"),
        ("", ""),
    ] {
        assert_eq!(host_of(instance), host);
    }
}

#[test]
fn an_instance_means_the_server_of_that_name_and_never_a_pattern() {
    let web = facts("web-1", "live", &[]);
    assert!(Selector::of_instance("web-1:9100").matches(&web));
    assert!(Selector::of_instance("WEB-1.example.com:9100").matches(&web));
    assert!(Selector::of_instance("127.0.0.1:22").matches(&web));
    for hostile in ["*", "web-?:9100", "*:9100", "web-*", ""] {
        assert!(!Selector::of_instance(hostile).matches(&web), "{hostile}");
    }
}

#[test]
fn all_conditions_of_a_selector_must_hold() {
    let web = facts("web-1", "live", &[("role", "web")]);
    let db = facts("db-1", "live", &[("role", "db")]);
    let both = vec![web, db.clone()];
    let role = |role: &str| BTreeMap::from([("role".to_owned(), role.to_owned())]);
    let choose = |selector: Selector| {
        selector.choose(both.clone()).into_iter().map(|f| f.target.name).collect::<Vec<_>>()
    };
    assert_eq!(choose(Selector { tags: role("web"), ..Selector::default() }), ["web-1"]);
    let names = vec!["db-*".to_owned(), "web-*".to_owned()];
    assert_eq!(choose(Selector { names: names.clone(), ..Selector::default() }).len(), 2);
    assert_eq!(choose(Selector { names, tags: role("db"), ..Selector::default() }), ["db-1"]);
    let elsewhere = Some("test".to_owned());
    assert!(choose(Selector { environment: elsewhere, ..Selector::default() }).is_empty());
    let windows = Some(OsType::Windows);
    assert!(choose(Selector { os_type: windows, ..Selector::default() }).is_empty());
    let ids = vec![db.target.resource_id];
    assert_eq!(choose(Selector { ids, ..Selector::default() }), ["db-1"]);
    assert!(Selector::default().is_everything() && choose(Selector::default()).len() == 2);
}
