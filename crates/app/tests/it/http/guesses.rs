//! W4: guessing passwords over HTTP, from one address and from many.

use std::net::{Ipv4Addr, SocketAddr};

use futures::stream::{self, StreamExt as _};
use model::actor::Role;
use model::id::UserId;
use serde_json::json;
use server::login::password;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use super::harness::Site;

const PASSWORD: &str = "correct horse battery staple";
/// Where the person always logs in from.
const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Somebody who tries to log in from an address of their own: all of 127/8 is this machine.
async fn try_from(site: &Site, from: Ipv4Addr, tenant: &str, name: &str, password: &str) -> u16 {
    let server: SocketAddr = site.url.trim_start_matches("http://").parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(server).await.unwrap();
    let body = json!({"tenant": tenant, "username": name, "password": password}).to_string();
    let request = format!(
        "POST /api/v1/login HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    let waits = answer.to_lowercase().contains("\r\nretry-after: ");
    assert_eq!(status == 429, waits, "{answer}");
    status
}

/// How many of these guesses were looked at, and how many were told to wait; four at a time.
async fn guesses(
    site: &Site,
    tenant: &str,
    guesses: impl Iterator<Item = (Ipv4Addr, String)>,
) -> (usize, usize) {
    let tried = guesses.map(|(from, name)| async move {
        try_from(site, from, tenant, &name, "a wrong one").await
    });
    let answers: Vec<u16> = stream::iter(tried).buffer_unordered(4).collect().await;
    let many = |status| answers.iter().filter(|one| **one == status).count();
    assert_eq!(many(401) + many(429), answers.len(), "{answers:?}");
    (many(401), many(429))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w4_guesses_over_http_are_few_and_whoever_comes_from_home_gets_in() {
    let site = Site::start().await;
    let tenant: String = sqlx::query_scalar("SELECT slug FROM countersign.tenants WHERE id = $1")
        .bind(site.tenant().uuid())
        .fetch_one(site.test.admin())
        .await
        .unwrap();
    let actor = site.test.another_actor(site.tenant(), "ada", &[Role::Viewer]).await;
    let hash = password::hash(PASSWORD.to_owned()).await.unwrap();
    sqlx::query(
        "INSERT INTO countersign.users (tenant_id, id, actor_id, username, password_hash)
         VALUES ($1, $2, $3, 'ada', $4)",
    )
    .bind(site.tenant().uuid())
    .bind(UserId::generate().uuid())
    .bind(actor.id.uuid())
    .bind(hash)
    .execute(site.test.admin())
    .await
    .unwrap();
    assert_eq!(try_from(&site, HOME, &tenant, "ada", PASSWORD).await, 200);

    // A thousand at one account, from one address.
    let one = Ipv4Addr::new(127, 1, 0, 1);
    let at_ada = (0..1_000).map(|_| (one, "ada".to_owned()));
    let (looked_at, told) = guesses(&site, &tenant, at_ada).await;
    assert!((1..100).contains(&looked_at), "{looked_at} guesses counted, {told} did not");
    // The right word from there does not count now either.
    assert_eq!(try_from(&site, one, &tenant, "ada", PASSWORD).await, 429);

    // One at each of a thousand accounts, from one address.
    let two = Ipv4Addr::new(127, 1, 0, 2);
    let at_each = (0..1_000).map(|n| (two, format!("user-{n}")));
    let (looked_at, told) = guesses(&site, &tenant, at_each).await;
    assert!((1..300).contains(&looked_at), "{looked_at} guesses counted, {told} did not");

    // One from each of many addresses, at one account.
    let many = (0..250).map(|n| (Ipv4Addr::new(127, 2, 0, n), "ada".to_owned()));
    let (looked_at, told) = guesses(&site, &tenant, many).await;
    assert!((1..150).contains(&looked_at), "{looked_at} guesses counted, {told} did not");

    // None of it keeps out who comes from where they came from before.
    assert_eq!(try_from(&site, HOME, &tenant, "ada", PASSWORD).await, 200);
}
