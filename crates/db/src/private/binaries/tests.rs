//! Finding and choosing an installation.

use super::*;

fn installation(bin_dir: &str, number: i32) -> Installation {
    Installation {
        bin_dir: bin_dir.into(),
        version: Some(number.to_string()),
        number,
        unusable: needed_version(number).map(|needed| Unusable::Old { needed }),
    }
}

#[test]
fn versions_are_read_as_the_programs_print_them() {
    let number = |said: &str| parse_version(said).map(|(_, number)| number);
    assert_eq!(number("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(150_018));
    assert_eq!(number("postgres (PostgreSQL) 18.4"), Some(180_004));
    assert_eq!(number("postgres (PostgreSQL) 19beta1"), Some(190_000));
    assert_eq!(number("EnterpriseDB"), None);
    assert_eq!(number(""), None);
}

#[test]
fn a_new_cluster_takes_the_newest_and_an_old_one_its_own_major_version() {
    let found = [installation("/18", 180_004), installation("/15", 150_018)];
    assert_eq!(choose(&found, None).unwrap().bin_dir, Path::new("/18"));
    assert_eq!(choose(&found, Some(15)).unwrap().bin_dir, Path::new("/15"));
    let error = choose(&found, Some(16)).unwrap_err().to_string();
    assert!(error.contains("postgresql-16"), "{error}");
}

#[test]
fn an_old_release_is_named_with_what_is_needed() {
    let error = choose(&[installation("/old", 150_013)], None).unwrap_err().to_string();
    assert!(error.contains("/old") && error.contains("15.14"), "{error}");
}

#[test]
fn a_directory_without_the_programs_says_which_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let found = find(Some(dir.path()), None);
    assert_eq!(found[0].unusable, Some(Unusable::Missing { program: "postgres".to_owned() }));
}
