use super::*;

#[test]
fn a_path_is_the_sources_when_it_lies_below_its_directory_or_is_its_file() {
    for (path, directory, expected) in [
        ("infra/prod/main.tf", Some("infra/prod"), true),
        ("infra/prod/main.tf", Some("./infra/prod/"), true),
        ("infra/production/main.tf", Some("infra/prod"), false),
        ("infra/prod/shop.yaml", Some("infra/prod/shop.yaml"), true),
        ("infra/prod/other.yaml", Some("infra/prod/shop.yaml"), false),
        ("README.md", None, true),
        ("README.md", Some(""), true),
    ] {
        assert_eq!(within(path, directory), expected, "{path} {directory:?}");
    }
}

#[test]
fn an_author_is_known_here_or_only_a_name() {
    let people = BTreeMap::from([("ada@example.com".to_owned(), "ada".to_owned())]);
    for (name, mail, expected) in [
        ("Ada L.", "Ada@example.com", "ada <Ada@example.com>"),
        // Whoever calls themselves like somebody is not that one.
        ("ada <ada@example.com>", "eve@example.org", "ada ada@example.com"),
        ("Eve\u{0}\u{1b}[2J", "", "Eve[2J"),
    ] {
        assert_eq!(author(name, mail, &people), expected);
    }
}
