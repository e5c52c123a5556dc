use super::*;

fn classify(action: &str) -> Classified {
    Table::shipped().classify(action)
}

#[test]
fn the_shipped_table_is_read_whole() {
    let table = Table::parse(SHIPPED).unwrap();
    assert!(table.rows().count() > 150);
    for (key, row) in table.rows() {
        assert!(key.contains('.'), "{key}");
        assert!(!row.description.is_empty(), "{key}");
    }
}

#[test]
fn behaviour_2_the_class_comes_from_the_typed_action_and_not_from_words() {
    for (action, tier, kind) in [
        ("kubectl.drain", Tier::High, Kind::Write),
        ("host.drain", Tier::High, Kind::Write),
        ("kubectl.patch", Tier::High, Kind::Write),
        ("kubectl.apply", Tier::High, Kind::Write),
        ("database.drop", Tier::Critical, Kind::Write),
        ("host.service.restart", Tier::Medium, Kind::Write),
        ("host.user.read", Tier::Read, Kind::Read),
        ("host.shell", Tier::Medium, Kind::Write),
        ("argocd.sync", Tier::Medium, Kind::Write),
        ("helm.uninstall", Tier::High, Kind::Write),
        ("aws.terminate-instances", Tier::High, Kind::Write),
        ("aws.describe-instances", Tier::Read, Kind::Read),
        ("vault.revoke", Tier::High, Kind::Write),
    ] {
        let row = classify(action);
        assert_eq!((row.tier, row.kind, row.known), (tier, kind, true), "{action}");
    }
}

#[test]
fn behaviour_2_an_action_nobody_listed_is_a_write_of_tier_high() {
    for action in ["drain node 7", "", "*", "host", "host.", "HOST.READ", "host.read ", "aws."] {
        let row = classify(action);
        assert_eq!(
            (row.tier, row.category, row.kind, row.irreversible, row.known),
            (Tier::High, Category::Default, Kind::Write, true, false),
            "{action:?}"
        );
    }
}

#[test]
fn the_longest_pattern_wins_and_an_exact_key_before_any_pattern() {
    assert_eq!(classify("aws.put-object").tier, Tier::Medium);
    assert_eq!(classify("aws.put-role-policy").tier, Tier::High);
    assert_eq!(classify("aws.modify-db-instance").category, Category::Database);
    assert_eq!(classify("aws.modify-image-attribute").category, Category::Default);
    assert_eq!(classify("aws.attach-role-policy").tier, Tier::High);
}

#[test]
fn the_category_of_a_plan_is_the_one_of_its_heaviest_write() {
    let of = |keys: &[&str]| category(&keys.iter().map(|key| classify(key)).collect::<Vec<_>>());
    assert_eq!(of(&["database.read", "host.service.restart"]), Category::Compute);
    assert_eq!(of(&["host.shell", "host.firewall.change"]), Category::Security);
    assert_eq!(of(&["host.firewall.change", "database.failover"]), Category::Database);
    assert_eq!(of(&["database.read"]), Category::Database);
    assert_eq!(of(&[]), Category::Default);
}

#[test]
fn a_table_that_contradicts_itself_is_refused() {
    let of = |row: &str| Table::parse(&format!("version: 1\nactions:\n  a.b: {row}\n"));
    assert!(of("{ tier: low, category: compute, kind: write, description: x }").is_ok());
    for row in [
        "{ tier: read, category: compute, kind: write, description: x }",
        "{ tier: low, category: compute, kind: read, description: x }",
        "{ tier: read, category: compute, kind: read, irreversible: true, description: x }",
        "{ tier: lowest, category: compute, kind: write, description: x }",
        "{ tier: low, category: compute, kind: write, description: x, extra: 1 }",
    ] {
        assert!(of(row).is_err(), "{row}");
    }
    let row = "{ tier: low, category: compute, kind: write, description: x }";
    let twice = format!("version: 1\nactions:\n  a.b: {row}\n  a.b: {row}\n");
    assert!(Table::parse(&twice).is_err());
}
