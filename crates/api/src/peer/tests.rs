use super::*;

fn client(trusted: &[&str], connected: &str, forwarded: &[&str]) -> String {
    let proxies = Proxies::new(trusted.iter().map(|network| network.parse().unwrap()).collect());
    let mut headers = HeaderMap::new();
    for value in forwarded {
        headers.append(FORWARDED, value.parse().unwrap());
    }
    proxies.client(connected.parse().unwrap(), &headers).to_string()
}

#[test]
fn w4_an_address_is_believed_of_trusted_proxies_alone() {
    let edge = ["10.0.0.0/8", "fd00::/8"];
    // Nobody is trusted: the connection counts.
    assert_eq!(client(&[], "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
    assert_eq!(client(&edge, "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
    // A proxy says who asks; what the asker wrote before is theirs.
    assert_eq!(client(&edge, "10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
    assert_eq!(client(&edge, "10.0.0.1", &["127.0.0.1, 198.51.100.7"]), "198.51.100.7");
    assert_eq!(client(&edge, "10.0.0.1", &["127.0.0.1", "198.51.100.7"]), "198.51.100.7");
    // One proxy behind the other.
    assert_eq!(client(&edge, "10.0.0.1", &["198.51.100.7, 10.2.0.9"]), "198.51.100.7");
    assert_eq!(client(&edge, "fd00::1", &["2001:db8::5, fd00::2"]), "2001:db8::5");
    assert_eq!(client(&edge, "::ffff:10.0.0.1", &["::ffff:198.51.100.7"]), "198.51.100.7");
    // Without a word, or with one that is no address, it is the proxy.
    assert_eq!(client(&edge, "10.0.0.1", &[]), "10.0.0.1");
    assert_eq!(client(&edge, "10.0.0.1", &["198.51.100.7, unknown"]), "10.0.0.1");
}
