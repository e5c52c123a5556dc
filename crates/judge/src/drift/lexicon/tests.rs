use proptest::prelude::*;

use super::*;

fn count(text: &str) -> [u32; 4] {
    let Words { emergency, security, performance, debug } = Lexicon::shipped().count(text);
    [emergency, security, performance, debug]
}

#[test]
fn whole_words_count_whatever_their_case() {
    assert_eq!(count("HOTFIX: Urgent fix for CVE-2024-1234"), [2, 1, 0, 1]);
    assert_eq!(count("prefix suffixed debugger bugs securityfix unslow"), [0, 0, 0, 0]);
    assert_eq!(count("make the queries less slow: a bottleneck"), [0, 0, 2, 0]);
    assert_eq!(count("(critical)issue/patch"), [1, 1, 0, 1]);
    assert_eq!(count(""), [0, 0, 0, 0]);
}

#[test]
fn the_words_of_the_analysers_pages_all_count() {
    for (at, words) in [
        "urgent critical emergency hotfix",
        "security vulnerability patch cve",
        "performance optimize slow bottleneck",
        "debug fix bug issue",
    ]
    .into_iter()
    .enumerate()
    {
        let mut expected = [0; 4];
        expected[at] = 4;
        assert_eq!(count(words), expected, "{words}");
    }
}

#[test]
fn a_text_made_to_count_counts_for_little() {
    assert_eq!(count(&"fix ".repeat(100_000)), [0, 0, 0, 16]);
    let padded = |before: usize| format!("{}fix", " ".repeat(before));
    assert_eq!(count(&padded(LONGEST_TEXT - 3)), [0, 0, 0, 1]);
    assert_eq!(count(&padded(LONGEST_TEXT - 2)), [0, 0, 0, 0], "beyond what is read");
    let cut = format!("{}bugle", " ".repeat(LONGEST_TEXT - 3));
    assert_eq!(count(&cut), [0, 0, 0, 0], "a word that is cut is another one");
    assert_eq!(count(&"a".repeat(1_000_000)), [0, 0, 0, 0]);
}

#[test]
fn the_last_known_name_of_a_path_is_its_kind() {
    for (path, kind) in [
        ("desired_capacity", Some(PropertyKind::Capacity)),
        ("Properties.DesiredCapacity", Some(PropertyKind::Capacity)),
        ("spec.replicas", Some(PropertyKind::Capacity)),
        ("ingress[0].cidr_blocks[1]", Some(PropertyKind::Network)),
        ("ingress[0].description", Some(PropertyKind::Labels)),
        ("policy.Statement[0].Action", Some(PropertyKind::Identity)),
        ("tags[\"environment\"]", Some(PropertyKind::Labels)),
        ("metadata.annotations.policy", Some(PropertyKind::Labels)),
        ("spec.template.spec.containers[0].image", Some(PropertyKind::Version)),
        ("storage_encrypted", Some(PropertyKind::Protection)),
        ("frobnication", None),
        ("", None),
        ("..[[]]..", None),
    ] {
        assert_eq!(Lexicon::shipped().kind(path), kind, "{path}");
    }
}

#[test]
fn lists_that_contradict_are_refused() {
    let read = |words: &str| {
        Lexicon::read(&format!("version: 1\nproperties: {{}}\nwords: {words}")).map(|_| ())
    };
    assert_eq!(read("{ debug: [fix] }"), Ok(()));
    assert!(read("{ debug: [fix], emergency: [fix] }").unwrap_err().contains("two lists"));
    assert!(read("{ debug: [Fix] }").unwrap_err().contains("lower case"));
    assert!(read("{ debug: [two words] }").unwrap_err().contains("lower case"));
    assert!(read("{ humour: [joke] }").is_err());
}

proptest! {
    #[test]
    fn any_text_is_counted_within_bounds(text in "\\PC{0,300}") {
        prop_assert!(count(&text).iter().all(|count| *count <= MOST_WORDS));
        prop_assert_eq!(Lexicon::shipped().kind(&text), Lexicon::shipped().kind(&text));
    }

    #[test]
    fn the_case_of_a_text_says_nothing(text in "(fix|urgent|cve|slow|bug|x|[ .,-]){0,20}") {
        prop_assert_eq!(count(&text), count(&text.to_uppercase()));
    }
}
