mod hostile;

use std::num::NonZeroU32;

use model::Timestamp;
use model::secret::Secret;

use super::*;
use crate::testing::Server;

fn last(commits: u32) -> NonZeroU32 {
    NonZeroU32::new(commits).unwrap()
}

fn git() -> Git {
    Git::new(&Server::way(), Limits::default())
}

fn paths(copy: &Copy, directory: &str) -> Vec<String> {
    copy.files(directory).unwrap().into_iter().map(|file| file.path).collect()
}

#[tokio::test]
async fn a_branch_is_fetched_and_its_files_are_read_below_a_directory() {
    let server = Server::start(None).await;
    let repository = server.repository("shop").await;
    let first =
        [("README.md", "shop"), ("infra/prod/a.yaml", "a: 1\n"), ("infra/b.yaml", "b: 2\n")];
    repository.commit(&first, "first", 1_700_000_000).await;
    repository.git(&["checkout", "--quiet", "-b", "release/1"]).await;
    let tip = repository.commit(&[("infra/c.yaml", "c: 3\n")], "second", 1_700_000_100).await;
    repository.git(&["checkout", "--quiet", "main"]).await;
    let main = Source::new(&server.url("shop"), None).unwrap();
    let release = Source::new(&server.url("shop"), Some("release/1")).unwrap();
    let copy = git().fetch(&main, last(1)).await.unwrap();
    assert_eq!(paths(&copy, ""), ["README.md", "infra/b.yaml", "infra/prod/a.yaml"]);
    assert_eq!(git().tip(&main).await.unwrap(), copy.revision());
    let copy = git().fetch(&release, last(1)).await.unwrap();
    assert_eq!(
        (copy.revision().as_str(), git().tip(&release).await.unwrap().as_str()),
        (&*tip, &*tip)
    );
    assert_eq!(paths(&copy, "infra"), ["b.yaml", "c.yaml", "prod/a.yaml"]);
    assert_eq!(paths(&copy, "./infra/prod/"), ["a.yaml"]);
    let files = copy.files("infra").unwrap();
    let texts: Vec<_> = copy.read(&files).unwrap();
    assert_eq!(texts, [b"b: 2\n".to_vec(), b"c: 3\n".to_vec(), b"a: 1\n".to_vec()]);
    for none in ["infra/test", "README.md", "infra/b.yaml/x", ".."] {
        assert!(matches!(copy.files(none), Err(Error::NoDirectory { .. })), "{none}");
    }
    let other = Source::new(&server.url("shop"), Some("release/2")).unwrap();
    assert!(matches!(git().tip(&other).await, Err(Error::NoBranch { .. })));
    assert!(matches!(git().fetch(&other, last(1)).await, Err(Error::NoBranch { .. })));
}

#[tokio::test]
async fn the_log_says_who_changed_which_files_when_and_why() {
    let server = Server::start(None).await;
    let repository = server.repository("shop").await;
    repository.commit(&[("a.tf", "1"), ("modules/x/x.tf", "1")], "first", 1_700_000_000).await;
    repository.commit(&[("a.tf", "2")], "open the port\n\nfor the probe", 1_700_000_100).await;
    repository.git(&["rm", "--quiet", "modules/x/x.tf"]).await;
    let newest = repository.commit(&[("modules/y.tf", "1")], "third", 1_700_000_200).await;
    let source = Source::new(&server.url("shop"), Some("main")).unwrap();
    let copy = git().fetch(&source, last(10)).await.unwrap();
    let log = copy.log(Part::ALL).unwrap();
    let told: Vec<(&str, Option<&[String]>)> =
        log.iter().map(|commit| (commit.message.trim(), commit.paths.as_deref())).collect();
    let names = |paths: &[&str]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        told,
        [
            ("third", Some(&*names(&["modules/x/x.tf", "modules/y.tf"]))),
            ("open the port\n\nfor the probe", Some(&*names(&["a.tf"]))),
            ("first", Some(&*names(&["a.tf", "modules/x/x.tf"]))),
        ]
    );
    let one = log.first().unwrap();
    assert_eq!((one.author.as_str(), one.mail.as_str()), ("Ada", "ada@example.com"));
    assert_eq!(
        (one.id.as_str(), one.at),
        (&*newest, Timestamp::from_second(1_700_000_200).unwrap())
    );
    let messages = |part| -> Vec<String> {
        let log = copy.log(part).unwrap();
        log.into_iter().map(|commit| commit.message.trim().to_owned()).collect()
    };
    let since = Timestamp::from_second(1_700_000_100).ok();
    assert_eq!(messages(Part { since, ..Part::ALL }), ["third"]);
    assert_eq!(messages(Part { most: 1, ..Part::ALL }), ["third"]);
    let after = log[2].id.as_str();
    let opened = "open the port\n\nfor the probe";
    assert_eq!(messages(Part { after: Some(after), ..Part::ALL }), ["third", opened]);
    assert_eq!(messages(Part { after: Some(&newest), ..Part::ALL }), [""; 0]);
    // One that was not fetched says nothing, nor does what is no commit's name.
    for unknown in ["no commit", "0123456789012345678901234567890123456789"] {
        assert_eq!(messages(Part { after: Some(unknown), ..Part::ALL }).len(), 3);
    }
    // Of the oldest that was fetched nobody knows what was before.
    let log = git().fetch(&source, last(2)).await.unwrap().log(Part::ALL).unwrap();
    assert_eq!(log.len(), 2);
    assert_eq!(log[1].paths, None);
}

#[tokio::test]
async fn a_login_opens_a_repository_and_is_printed_nowhere() {
    let server = Server::start(Some("deploy:s3cr3t-canary")).await;
    let repository = server.repository("shop").await;
    repository.commit(&[("a.tf", "1")], "first", 1_700_000_000).await;
    let source = Source::new(&server.url("shop"), None).unwrap();
    let login = |text: &str| source.clone().opened_by(Secret::from(text.to_owned()));
    let right = login("deploy:s3cr3t-canary\n");
    assert_eq!(paths(&git().fetch(&right, last(1)).await.unwrap(), ""), ["a.tf"]);
    for wrong in [source.clone(), login("deploy:other"), login("s3cr3t-canary")] {
        let error = git().fetch(&wrong, last(1)).await.unwrap_err();
        assert!(matches!(error, Error::Denied), "{error:?}");
        assert!(!format!("{wrong:?} {error:?} {error}").contains("canary"));
    }
    assert!(!format!("{right:?}").contains("canary"));
}
