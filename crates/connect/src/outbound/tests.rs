mod fake;
mod lines;
mod names;
mod tls;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use fake::{FakeResolver, FakeSite};

fn outbound(allowed: &[&str]) -> Outbound {
    let rules = allowed
        .iter()
        .fold(Rules::default(), |rules, allowance| rules.allowing(allowance.parse().unwrap()));
    Outbound::new(rules).unwrap()
}

#[tokio::test]
async fn n1_what_is_not_public_is_refused_however_it_is_written() {
    // The tests' machine listens on one of them: nothing may arrive there.
    let inside = FakeSite::on("127.0.0.1").await;
    let port = inside.address.port();
    let hosts = [
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[fd00:ec2::254]",
        "127.0.0.1",
        "127.1",
        "127.255.255.254",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "198.18.0.1",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fc00::1]",
        "[ff02::1]",
        "localhost",
        "localhost.",
        "LOCALHOST",
    ];
    let strict = outbound(&[]);
    let mut judged = 0;
    for host in hosts {
        for url in [
            format!("http://{host}:{port}/"),
            format!("https://{host}:{port}/"),
            format!("https://{host}/"),
        ] {
            assert_eq!(strict.get(&url).await.unwrap_err(), Error::Unreachable, "{url}");
        }
    }
    // The address alone is reason enough: here its port and a connection without TLS would do.
    for host in hosts {
        let Ok(url) = url::Url::parse(&format!("https://{host}/")) else { continue };
        let ip = match url.host() {
            Some(url::Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(url::Host::Ipv6(ip)) => IpAddr::V6(ip),
            Some(url::Host::Domain(_)) | None => continue,
        };
        assert!(!address::public(ip), "{host} is {ip}");
        judged += 1;
    }
    assert_eq!(judged, hosts.len() - 3, "all but the names");
    for zoned in ["https://[fe80::1%eth0]/", "https://[fe80::1%25eth0]/", "https://[::1%25lo]/"] {
        let refused = strict.get(zoned).await.unwrap_err();
        assert_eq!(refused, Error::Url(UrlFault::Malformed), "{zoned}");
    }
    assert_eq!(inside.heads(), Vec::<String>::new());
}

#[test]
fn n1_the_table_lets_through_what_is_public() {
    let public = ["1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"];
    let public = public.iter().chain(&["2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]);
    for ip in public {
        assert!(address::public(ip.parse().unwrap()), "{ip}");
    }
}

#[tokio::test]
async fn n1_a_name_that_leads_inside_is_refused_like_one_that_leads_nowhere() {
    let inside = FakeSite::on("127.0.0.1").await;
    let port = inside.address.port();
    let resolvers = [
        FakeResolver::answering(&[&["127.0.0.1"]]),
        FakeResolver::answering(&[&["::1"]]),
        FakeResolver::answering(&[&["64:ff9b::7f00:1"]]),
        FakeResolver::answering(&[&["10.1.2.3"]]),
        FakeResolver::answering(&[&[]]),
        FakeResolver::answering(&[]),
    ];
    let mut said = Vec::new();
    for resolver in resolvers {
        let strict = outbound(&[]).looking_up(resolver);
        for url in [format!("https://intranet.example:{port}/"), "https://intranet.example/".into()]
        {
            said.push(strict.get(&url).await.unwrap_err().to_string());
        }
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(inside.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn n2_what_was_vetted_is_connected_to_and_nothing_else() {
    // 127.0.0.2 plays the public site, 127.0.0.1 the inside.
    let public = FakeSite::on("127.0.0.2").await;
    let inside = FakeSite::on("127.0.0.1").await;
    let url = format!("http://rebinding.example:{}/", public.address.port());
    let resolver = FakeResolver::answering(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let calls = outbound(&["127.0.0.2:*"]).looking_up(Arc::clone(&resolver) as Arc<dyn Lookup>);

    assert_eq!(calls.get(&url).await.unwrap().body, b"hello");
    assert_eq!(resolver.asked().len(), 1, "one look-up a call");
    assert_eq!(calls.get(&url).await.unwrap_err(), Error::Unreachable, "the name moved inside");
    assert_eq!(public.heads().len(), 1);
    assert_eq!(inside.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn n2_a_name_with_addresses_of_both_kinds_is_refused() {
    let public = FakeSite::on("127.0.0.2").await;
    let url = format!("http://mixed.example:{}/", public.address.port());
    for mixed in [["127.0.0.2", "127.0.0.1"], ["::1", "127.0.0.2"], ["127.0.0.2", "fd00::1"]] {
        let calls = outbound(&["127.0.0.2:*"]).looking_up(FakeResolver::answering(&[&mixed]));
        assert_eq!(calls.get(&url).await.unwrap_err(), Error::Unreachable, "{mixed:?}");
    }
    assert_eq!(public.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn n3_a_redirection_is_an_answer_and_not_followed() {
    let site = FakeSite::on("127.0.0.1").await;
    let reply = outbound(&["127.0.0.1:*"]).get(&site.url("/elsewhere")).await.unwrap();
    assert_eq!(reply.status, StatusCode::FOUND);
    assert_eq!(site.heads().len(), 1);
}

#[tokio::test]
async fn n3_schemes_ports_users_and_line_breaks_are_refused() {
    let calls = outbound(&[]);
    let urls = [
        ("ftp://example.com/", Error::Url(UrlFault::Scheme)),
        ("file:///etc/passwd", Error::Url(UrlFault::Scheme)),
        ("gopher://127.0.0.1:6379/_FLUSHALL", Error::Url(UrlFault::Scheme)),
        ("https://user:secret@example.com/", Error::Url(UrlFault::UserInfo)),
        ("https://user@example.com/", Error::Url(UrlFault::UserInfo)),
        ("https://@example.com/", Error::Url(UrlFault::UserInfo)),
        ("https://example.com/a\r\nx: y", Error::Url(UrlFault::Malformed)),
        ("https://example.com/a\tb", Error::Url(UrlFault::Malformed)),
        ("https://exam\nple.com/", Error::Url(UrlFault::Malformed)),
        ("https:\\\\example.com\\", Error::Url(UrlFault::Malformed)),
        (" https://example.com/", Error::Url(UrlFault::Malformed)),
        ("https://exämple.com/", Error::Url(UrlFault::Malformed)),
        ("https:///", Error::Url(UrlFault::Malformed)),
        ("example.com", Error::Url(UrlFault::Malformed)),
    ];
    for (url, expected) in urls {
        assert_eq!(calls.get(url).await.unwrap_err(), expected, "{url}");
    }
    // The port is refused before anything is sent, on public addresses too, and so is plain HTTP.
    for url in
        ["https://1.1.1.1:22/", "https://1.1.1.1:25/", "http://1.1.1.1/", "http://1.1.1.1:443/"]
    {
        assert_eq!(calls.get(url).await.unwrap_err(), Error::Unreachable, "{url}");
    }
    let permits = |port, tls| {
        let ip = "1.1.1.1".parse().unwrap();
        Rules::default().permits(None, &Meant { ip, port, tls })
    };
    assert!(permits(443, true) && permits(8443, true));
    for (port, tls) in [(443, false), (80, true), (80, false), (22, true), (25, true), (5432, true)]
    {
        assert!(!permits(port, tls), "{port} {tls}");
    }
    let site = FakeSite::on("127.0.0.1").await;
    let url = site.url("/");
    let call = Call::get(&url).header("x-note", "a\r\nhost: other");
    assert_eq!(outbound(&["127.0.0.1:*"]).send(call).await.unwrap_err(), Error::Header);
    assert_eq!(site.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn n3_answers_that_are_too_large_packed_or_no_answers_are_cut() {
    let site = FakeSite::on("127.0.0.1").await;
    let calls = outbound(&["127.0.0.1:*"]);
    let most_bytes = 1 << 20;
    for (path, expected) in [
        ("/declared", Error::TooLarge { most_bytes }),
        ("/endless", Error::TooLarge { most_bytes }),
        ("/packed", Error::Malformed),
        ("/headers", Error::Malformed),
        ("/noise", Error::Malformed),
    ] {
        assert_eq!(calls.get(&site.url(path)).await.unwrap_err(), expected, "{path}");
    }
}

#[tokio::test]
async fn n3_an_answer_that_drips_or_does_not_come_ends_in_time() {
    let site = FakeSite::on("127.0.0.1").await;
    let rules = Rules::default().allowing("127.0.0.1:*".parse().unwrap());
    let hasty = Outbound::new(rules.within(Duration::from_millis(50))).unwrap();
    for path in ["/drip", "/silence"] {
        assert_eq!(hasty.get(&site.url(path)).await.unwrap_err(), Error::TooSlow, "{path}");
    }
}

#[tokio::test]
async fn a_call_says_what_it_was_told_and_gets_the_whole_answer() {
    let site = FakeSite::on("127.0.0.1").await;
    let url = site.url("/a/b?c=d#e");
    let call = Call::post(&url, "text/plain", b"body".to_vec())
        .secret_header("authorization", model::secret::Secret::from("Bearer t".to_owned()));
    let reply = outbound(&["127.0.0.1:*"]).send(call).await.unwrap();
    assert_eq!((reply.status, reply.body.as_slice()), (StatusCode::OK, b"hello".as_slice()));
    let heads = site.heads();
    let expected = format!(
        "POST /a/b?c=d HTTP/1.1\r\nhost: {}\r\nuser-agent: countersign\r\naccept-encoding: \
         identity\r\ncontent-type: text/plain\r\nauthorization: Bearer t\r\ncontent-length: \
         4\r\n\r\n",
        site.address
    );
    assert_eq!(heads, [expected]);
}

#[test]
fn an_allowance_names_a_network_its_ports_and_perhaps_a_tenant() {
    let (tenant, other) = (TenantId::generate(), TenantId::generate());
    let permits = |allowance: &str, tenant, ip: &str, port, tls| {
        let rules = Rules::default().allowing(allowance.parse().unwrap());
        rules.permits(tenant, &Meant { ip: ip.parse().unwrap(), port, tls })
    };
    assert!(permits("10.2.0.0/16", None, "10.2.3.4", 443, true));
    assert!(permits("10.2.0.0/16", None, "::ffff:10.2.3.4", 443, false));
    assert!(!permits("10.2.0.0/16", None, "10.3.0.1", 443, true));
    assert!(!permits("10.2.0.0/16", None, "10.2.3.4", 22, true));
    assert!(permits("10.2.0.7:8200", None, "10.2.0.7", 8200, false));
    assert!(!permits("10.2.0.7:8200", None, "10.2.0.7", 443, true));
    assert!(permits("[fd00:1::/32]:*", None, "fd00:1::9", 25, false));
    assert!(permits("fd00:1::/32", None, "fd00:1::9", 8443, true));
    let of_one = format!("{tenant}=10.2.0.0/16:*");
    assert!(permits(&of_one, Some(tenant), "10.2.3.4", 1, false));
    assert!(!permits(&of_one, Some(other), "10.2.3.4", 1, false));
    assert!(!permits(&of_one, None, "10.2.3.4", 1, false));
    for text in ["10.2.0.7:8200", "[fd00:1::/32]:*", &of_one] {
        let allowance: Allowance = text.parse().unwrap();
        assert_eq!(allowance.to_string().parse(), Ok(allowance));
    }
    for wrong in ["", "10.2", "10.2.0.0/33", "10.2.0.0/16:port", "[fd00::/8", "x=10.0.0.0/8"] {
        assert!(wrong.parse::<Allowance>().is_err(), "{wrong}");
    }
}
