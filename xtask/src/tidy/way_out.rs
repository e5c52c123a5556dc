//! One way out over HTTP: nobody but the outbound client makes connections to what a URL names.

/// Who may: the client itself; SSH, to the hosts of the inventory; the command line and the demo,
/// which speak to servers of whoever sits before them; load for measuring.
const MAY: [&str; 7] = [
    "crates/connect/src/outbound",
    "crates/connect-ssh/src/connection.rs",
    "crates/app/src/client.rs",
    "crates/app/src/client/",
    "crates/app/src/demo/",
    "benches/",
    "xtask/",
];

/// What makes a client or a connection, by itself or in a library.
const MAKES: [&str; 19] = [
    "reqwest::",
    "hyper::client",
    "hyper_util::client",
    "hyper::upgrade",
    "ureq::",
    "isahc::",
    "surf::",
    "curl::",
    "awc::",
    "attohttpc::",
    "object_store::http",
    "lettre::",
    "mail_send::",
    "tungstenite::",
    "UdpSocket",
    "TcpStream::connect",
    "TcpSocket",
    "lookup_host",
    "ToSocketAddrs",
];

/// The lines of a source, from 1, that make another way out.
pub(super) fn ways_out(path: &str, text: &str) -> Vec<usize> {
    if MAY.iter().any(|may| path.starts_with(may)) {
        return Vec::new();
    }
    let makes = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        MAKES.iter().any(|word| code.contains(word))
    };
    text.lines().enumerate().filter(|(_, line)| makes(line)).map(|(at, _)| at + 1).collect()
}

/// Libraries that bring a client of their own, and who may list them.
const CLIENTS: [(&str, &[&str]); 17] = [
    ("reqwest", &["crates/app/", "benches/"]),
    ("hyper", &["crates/connect/", "benches/"]),
    ("hyper-util", &["crates/connect/", "benches/"]),
    ("ureq", &[]),
    ("isahc", &[]),
    ("curl", &[]),
    ("awc", &[]),
    // Mail goes to a host that somebody named, as a webhook does.
    ("lettre", &[]),
    ("mail-send", &[]),
    ("tungstenite", &[]),
    ("tokio-tungstenite", &[]),
    ("async-nats", &[]),
    ("redis", &[]),
    ("kube", &[]),
    ("git2", &[]),
    // Over a transport of ours, without the client it has as a feature.
    ("gix", &["crates/connect-git/"]),
    ("hickory-resolver", &[]),
];

/// Features of the object store that bring its own client; what ends in `-base` does not.
const STORES: [&str; 4] = ["\"aws\"", "\"azure\"", "\"gcp\"", "\"http\""];
/// Features of git's library that do.
const GITS: [&str; 2] = ["http-transport", "http-client-"];

/// Whether a line of a manifest asks a library for the client it has as a feature.
pub(super) fn as_feature(line: &str) -> bool {
    let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
    let store = name == "object_store" && STORES.iter().any(|feature| line.contains(feature));
    let git = name.starts_with("gix") && GITS.iter().any(|feature| line.contains(feature));
    store || git
}

/// The lines of a member's manifest, from 1, that bring another client.
pub(super) fn clients(path: &str, text: &str) -> Vec<usize> {
    let brings = |line: &str| {
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
        let client = CLIENTS.iter().find(|(client, _)| *client == name);
        as_feature(line)
            || client.is_some_and(|(_, may)| !may.iter().any(|may| path.starts_with(may)))
    };
    text.lines().enumerate().filter(|(_, line)| brings(line)).map(|(at, _)| at + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n5_any_other_http_client_in_product_code_is_named() {
        let room = "crates/server/src/login/oidc.rs";
        for other in [
            "let client = reqwest::Client::builder().build()?;",
            "use reqwest::Client;",
            "let body = reqwest::get(url).await?;",
            "use hyper::client::conn::http1;",
            "use hyper_util::client::legacy::Client;",
            "let stream = tokio::net::TcpStream::connect(address).await?;",
            "let found = tokio::net::lookup_host(host).await?;",
            "ureq::get(url).call()?;",
            "let mail = lettre::AsyncSmtpTransport::<Tokio1Executor>::relay(host)?;",
            "let socket = UdpSocket::bind(address).await?;",
        ] {
            assert_eq!(ways_out(room, &format!("\n{other}\n")), [2], "{other}");
            assert!(ways_out("crates/connect/src/outbound/wire.rs", other).is_empty());
        }
        assert!(
            ways_out(room, "let reply = outbound.get(url).await?; // no reqwest::get").is_empty()
        );
    }

    #[test]
    fn n5_any_other_library_with_a_client_is_named() {
        for line in [
            "reqwest.workspace = true",
            "ureq = \"3\"",
            "hyper = { version = \"1\" }",
            "lettre = { version = \"0.11\", features = [\"smtp-transport\"] }",
            "async-nats = \"0.45\"",
        ] {
            assert_eq!(clients("crates/sense/Cargo.toml", line), [1], "{line}");
        }
        let line = "object_store = { version = \"0.14\", features = [\"fs\", \"aws\"] }";
        assert_eq!(clients("Cargo.toml", line), [1]);
        let line = "gix-transport = { version = \"0.62\", features = [\"http-client-curl\"] }";
        assert_eq!(clients("crates/connect-git/Cargo.toml", line), [1]);
        assert!(clients("crates/connect-git/Cargo.toml", "gix.workspace = true").is_empty());
        assert!(!as_feature("object_store = { version = \"0.14\", features = [\"aws-base\"] }"));
        assert!(clients("crates/connect/Cargo.toml", "hyper.workspace = true").is_empty());
        assert!(clients("crates/sense/Cargo.toml", "serde.workspace = true").is_empty());
    }
}
