//! N4: a repository is somebody else's, and so is what it says.

use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use connect::Outbound;
use connect::outbound::Rules;
use tokio::net::TcpListener;

use super::*;

#[test]
fn n4_addresses_that_are_no_address_over_https_are_refused() {
    for url in [
        "ext::sh -c touch% /tmp/x",
        "ext::sh",
        "file:///etc",
        "/etc/passwd",
        "../shop",
        "--upload-pack=touch /tmp/x",
        "--upload-pack=x",
        "-oProxyCommand=x",
        "ssh://git@example.com/shop.git",
        "git@example.com:shop.git",
        "git://example.com/shop.git",
        "git+ssh://example.com/shop.git",
        "ftp://example.com/shop.git",
        "https://user:password@example.com/shop.git",
        "https://user@example.com/shop.git",
        "https://example.com/shop.git?x=1",
        "https://example.com/shop.git#x",
        "https://example.com/a b",
        "https://example.com/\nx",
        "",
    ] {
        let error = Source::new(url, None).unwrap_err();
        assert!(matches!(error, BadSource::Url(_) | BadSource::Tail), "{url}: {error:?}");
    }
    for branch in ["", "-x..y", "a..b", "a b", "a~1", "*", "a*", "x.lock", "a\nb", "@{u}", "/x"] {
        let refused = Source::new("https://example.com/shop.git", Some(branch));
        assert_eq!(refused.unwrap_err(), BadSource::Branch, "{branch}");
    }
    assert!(Source::new("https://example.com/shop.git", Some("release/1.x")).is_ok());
}

#[tokio::test]
async fn n4_a_repository_inside_is_not_asked() {
    let server = Server::start(None).await;
    let public = Git::new(&Outbound::new(Rules::default()).unwrap(), Limits::default());
    let port = server.address().port();
    for host in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "169.254.169.254"] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/shop");
            let error = public.tip(&Source::new(&url, None).unwrap()).await.unwrap_err();
            assert!(matches!(error, Error::Call(outbound::Error::Unreachable)), "{url}: {error:?}");
        }
    }
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn n4_redirections_lead_nowhere() {
    let server = Server::start(None).await;
    server.repository("shop").await.commit(&[("a", "1")], "first", 1_700_000_000).await;
    let inside = server.url("shop");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/shop", listener.local_addr().unwrap());
    let routes = Router::new().fallback(move |uri: axum::http::Uri| {
        let tail = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let to = format!("{inside}{}", tail.trim_start_matches("/shop"));
        async move { Redirect::temporary(&to) }
    });
    let task = tokio::spawn(async move { axum::serve(listener, routes).await });
    let error = git().fetch(&Source::new(&url, None).unwrap(), last(1)).await.unwrap_err();
    assert!(matches!(error, Error::Redirected), "{error:?}");
    assert_eq!(server.asked(), Vec::<String>::new());
    task.abort();
}

#[tokio::test]
async fn n4_links_and_submodules_are_left_alone() {
    let server = Server::start(None).await;
    let inside = Server::start(None).await;
    let repository = server.repository("shop").await;
    let module = format!("[submodule \"x\"]\n\tpath = sub\n\turl = {}\n", inside.url("secret"));
    repository
        .commit(&[("a.yaml", "a: 1\n"), (".gitmodules", &module)], "first", 1_700_000_000)
        .await;
    std::os::unix::fs::symlink("/etc/passwd", repository.path.join("passwd.yaml")).unwrap();
    std::os::unix::fs::symlink("../..", repository.path.join("up")).unwrap();
    let tip = repository.git(&["rev-parse", "HEAD"]).await;
    let entry = format!("160000,{tip},sub");
    repository.git(&["update-index", "--add", "--cacheinfo", &entry]).await;
    repository.git(&["add", "passwd.yaml", "up"]).await;
    repository.git(&["commit", "--quiet", "-m", "links"]).await;
    let copy =
        git().fetch(&Source::new(&server.url("shop"), None).unwrap(), last(5)).await.unwrap();
    assert_eq!(paths(&copy, ""), [".gitmodules", "a.yaml"]);
    let room = tempfile::tempdir().unwrap();
    copy.unpack(room.path()).unwrap();
    let written = std::fs::read_dir(room.path()).unwrap().map(|entry| {
        let entry = entry.unwrap();
        assert!(entry.file_type().unwrap().is_file());
        entry.file_name().into_string().unwrap()
    });
    let mut written: Vec<String> = written.collect();
    written.sort();
    assert_eq!(written, [".gitmodules", "a.yaml"]);
    for link in ["up", "sub", "up/etc"] {
        assert!(matches!(copy.files(link), Err(Error::NoDirectory { .. })), "{link}");
    }
    assert_eq!(inside.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn n4_names_that_lead_out_are_refused() {
    let server = Server::start(None).await;
    let repository = server.repository("shop").await;
    repository.commit(&[("a", "1")], "first", 1_700_000_000).await;
    let blob = repository.git(&["hash-object", "-w", "a"]).await;
    for (branch, name) in [("up", ".."), ("here", "."), ("git", ".git"), ("case", ".GIT")] {
        let list = format!("100644 blob {blob}\t{name}\n");
        tokio::fs::write(repository.path.join(".git/list"), list).await.unwrap();
        let made = format!("git mktree < .git/list > .git/{branch}");
        let mut shell = tokio::process::Command::new("sh");
        shell.args(["-c", &made]).current_dir(&repository.path);
        assert!(shell.status().await.unwrap().success());
        let tree = tokio::fs::read_to_string(repository.path.join(".git").join(branch)).await;
        let tree = tree.unwrap();
        let commit = repository.git(&["commit-tree", "-m", "x", tree.trim()]).await;
        repository.git(&["update-ref", &format!("refs/heads/{branch}"), &commit]).await;
        let source = Source::new(&server.url("shop"), Some(branch)).unwrap();
        let copy = git().fetch(&source, last(1)).await.unwrap();
        assert!(matches!(copy.files(""), Err(Error::Path)), "{name}");
    }
}

#[tokio::test]
async fn n4_what_is_too_large_is_one_error() {
    let server = Server::start(None).await;
    let repository = server.repository("shop").await;
    // What cannot be compressed, and what can be very much.
    let noise: String = (0_u64..40_000)
        .map(|at| format!("{:x}", at.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)))
        .collect();
    let zeroes = "0".repeat(4 << 20);
    repository.commit(&[("noise", &noise), ("zeroes", &zeroes)], "first", 1_700_000_000).await;
    let source = Source::new(&server.url("shop"), None).unwrap();
    let with = |limits: Limits| Git::new(&Server::way(), limits);
    let limits = Limits::default();
    let packed = with(Limits { packed_bytes: 64 << 10, ..limits }).fetch(&source, last(1)).await;
    assert_eq!(packed.unwrap_err().to_string(), "the repository has more than 65536 bytes packed");
    let object = with(Limits { object_bytes: 1 << 20, ..limits }).fetch(&source, last(1)).await;
    let object = object.unwrap_err().to_string();
    assert_eq!(object, "the repository has more than 1048576 bytes in one object");
    let copy = with(Limits { files: 1, ..limits }).fetch(&source, last(1)).await.unwrap();
    let files = copy.files("").unwrap_err().to_string();
    assert_eq!(files, "the repository has more than 1 files");
    let copy =
        with(Limits { read_bytes: 1 << 20, ..limits }).fetch(&source, last(1)).await.unwrap();
    let read = copy.read(&copy.files("").unwrap()).unwrap_err().to_string();
    assert_eq!(read, "the repository has more than 1048576 bytes in files");
}

#[tokio::test]
async fn n4_what_is_no_git_is_one_error_and_so_is_silence() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/shop", listener.local_addr().unwrap());
    let routes = Router::new().fallback(async || "001e# service=git-upload-pack\n0000 hello");
    let task = tokio::spawn(async move { axum::serve(listener, routes).await });
    let error = git().fetch(&Source::new(&url, None).unwrap(), last(1)).await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    task.abort();
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/shop", silent.local_addr().unwrap());
    let limits = Limits { within: Duration::from_millis(200), ..Limits::default() };
    let patient = Git::new(&Server::way(), limits);
    let error = patient.fetch(&Source::new(&url, None).unwrap(), last(1)).await.unwrap_err();
    let late = matches!(error, Error::TooSlow { .. } | Error::Call(outbound::Error::TooSlow));
    assert!(late, "{error:?}");
}
