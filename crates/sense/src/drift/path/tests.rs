use super::*;

fn path(steps: &[&str]) -> Path {
    let step = |text: &&str| match (text.strip_prefix('#'), text.strip_prefix('=')) {
        (Some(place), _) => Step::Index(place.parse().unwrap()),
        (_, Some(key)) => Step::Key(key.to_owned()),
        _ => Step::Name((*text).to_owned()),
    };
    steps.iter().map(step).collect()
}

#[test]
fn paths_are_written_so_that_people_can_read_them() {
    for (steps, text) in [
        (vec!["root_block_device", "#0", "volume_size"], "root_block_device[0].volume_size"),
        (vec!["ingress", "=tcp 22 22", "cidr_blocks"], "ingress[tcp 22 22].cidr_blocks"),
        (vec!["metadata", "example.com/owner"], "metadata[\"example.com/owner\"]"),
        (vec!["a b"], "[\"a b\"]"),
    ] {
        assert_eq!(written(&path(&steps)), text);
        assert_eq!(parse(text), path(&steps));
    }
    for text in ["", ".", "a..b", "a[", "[\"x", "a.[0]"] {
        // Somebody else's idea of a path is none of ours, and no fault.
        drop(parse(text));
    }
}

#[test]
fn patterns_mean_the_places_they_are_like() {
    for (pattern, steps, meant) in [
        ("a.b", vec!["a", "b"], true),
        ("a.b", vec!["a", "b", "c"], false),
        ("a[*].b", vec!["a", "#3", "b"], true),
        ("a[*].b", vec!["a", "=key", "b"], true),
        ("a[3].b", vec!["a", "#3", "b"], true),
        ("a[3].b", vec!["a", "#4", "b"], false),
        ("**.password", vec!["password"], true),
        ("**.password", vec!["a", "#0", "password"], true),
        ("**.password", vec!["a", "password", "b"], false),
        ("**.*_token", vec!["auth_token"], true),
        ("**.*_token", vec!["token"], false),
        ("tags[\"aws:*\"]", vec!["tags", "aws:cloudformation:stack-id"], true),
        ("tags[\"aws:*\"]", vec!["tags", "owner"], false),
        ("**", vec![], true),
        ("a.**.z", vec!["a", "z"], true),
        ("a.**.z", vec!["a", "b", "c", "z"], true),
        ("a.**.z", vec!["b", "z"], false),
    ] {
        let path = path(&steps);
        assert_eq!(Pattern::parse(pattern).unwrap().matches(&path), meant, "{pattern} {steps:?}");
    }
    let password = Pattern::parse("**.password").unwrap();
    assert!(password.covers(&path(&["a", "password", "b"])), "what lies in it is covered");
    let exact = path(&["a*", "#1", "=k?"]);
    assert!(Pattern::exactly(&exact).matches(&exact));
    assert!(!Pattern::exactly(&exact).matches(&path(&["ab", "#1", "=kx"])));
}

#[test]
fn patterns_that_cannot_be_tried_are_refused() {
    for bad in ["", "a..b", "a[", "a[\"b]", "**.a.**.b.**.c.**.d", &"a.".repeat(65)] {
        assert!(Pattern::parse(bad).is_err(), "{bad}");
    }
    assert!(Pattern::parse("a.**.**.**.**.**.b").is_ok(), "one after the other is one");
}

#[test]
fn words_with_stars_stop_in_time() {
    let like = "*a".repeat(30);
    assert!(
        !fits(&like, &"a".repeat(20_000).replace("aaaaaaaaaa", "aaaaaaaaab")) || like.len() > 1
    );
    assert!(fits("a*b*c", "a--b--c") && !fits("a*b*c", "a--c--b") && fits("\\*", "*"));
    assert!(!fits("\\*", "x") && fits("?", "x") && !fits("?", ""));
}
