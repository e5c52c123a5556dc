//! N2 with the system's resolver and a name server, in a network of the test's own.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::net::{IpAddr, UdpSocket};
use std::process::Command;
use std::sync::{Arc, Mutex};

use super::fake::FakeSite;
use super::{Error, outbound};

const INSIDE: &str = "COUNTERSIGN_NETWORK_OF_ITS_OWN";
const THIS: &str = "outbound::tests::names::n2_a_name_server_that_changes_its_mind_moves_nothing";

/// A name server for two names, whose answers nobody may keep.
#[derive(Debug)]
struct FakeNameServer {
    asked: Arc<Mutex<Vec<(String, u8)>>>,
}

/// Record types: an address of version 4, and of version 6.
const A: u8 = 1;
const AAAA: u8 = 28;

impl FakeNameServer {
    /// Answers at the address that the resolver was told of.
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:53").expect("a network of the test's own");
        let server = Self { asked: Arc::default() };
        let asked = Arc::clone(&server.asked);
        std::thread::spawn(move || {
            let mut turns = HashMap::new();
            let mut packet = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut packet) {
                let (name, kind, end) = question(&packet[..length]);
                let turn = turns.entry((name.clone(), kind)).or_insert(0);
                *turn += 1;
                let addresses = addresses(&name, kind, *turn);
                asked.lock().unwrap().push((name, kind));
                socket.send_to(&reply(&packet[..end], kind, &addresses), from).unwrap();
            }
        });
        server
    }

    /// How often the addresses of this name were asked for.
    fn asked(&self, name: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(of, kind)| of == name && *kind == A).count()
    }
}

/// The name and record type a packet asks for, and where the question ends.
fn question(packet: &[u8]) -> (String, u8, usize) {
    let (mut at, mut labels) = (12, Vec::new());
    while packet[at] != 0 {
        let end = at + 1 + usize::from(packet[at]);
        labels.push(std::str::from_utf8(&packet[at + 1..end]).unwrap());
        at = end;
    }
    (labels.join("."), packet[at + 2], at + 5)
}

/// 127.0.0.2 plays the public site, the other addresses the inside.
fn addresses(name: &str, kind: u8, turn: u32) -> Vec<IpAddr> {
    let all: &[&str] = match (name, kind, turn) {
        ("moving.example", A, 1) | ("mixed.example", A, _) => &["127.0.0.2"],
        ("moving.example", A, _) => &["127.0.0.1"],
        ("mixed.example", AAAA, _) => &["::1"],
        _ => &[],
    };
    all.iter().map(|ip| ip.parse().unwrap()).collect()
}

fn reply(question: &[u8], kind: u8, addresses: &[IpAddr]) -> Vec<u8> {
    let mut reply = question.to_vec();
    reply[2..4].copy_from_slice(&[0x81, 0x80]);
    reply[6..12].copy_from_slice(&[0, u8::try_from(addresses.len()).unwrap(), 0, 0, 0, 0]);
    for address in addresses {
        let bytes = match address {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        // The name of the question, this type, of the Internet, and good for no time.
        reply.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 0]);
        reply.extend([0, u8::try_from(bytes.len()).unwrap()]);
        reply.extend(bytes);
    }
    reply
}

/// Runs this test again where the loopback, the resolver's settings and port 53 are its own. False
/// where this machine lets nobody have that.
fn in_a_network_of_its_own() -> bool {
    let dir = tempfile::tempdir().unwrap();
    let resolver = dir.path().join("resolv.conf");
    std::fs::write(&resolver, "nameserver 127.0.0.1\noptions attempts:1\n").unwrap();
    let order = dir.path().join("nsswitch.conf");
    std::fs::write(&order, "hosts: dns\n").unwrap();
    let unshared = |script: &str, rest: &[&OsStr]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "--mount", "sh", "-ec", script, "sh"]);
        command.args(rest).env(INSIDE, "1").output()
    };
    let prepare = "ip link set lo up
        mount --bind \"$1\" /etc/resolv.conf
        mount --bind \"$2\" /etc/nsswitch.conf";
    let files = [resolver.as_os_str(), order.as_os_str()];
    if !unshared(prepare, &files).is_ok_and(|tried| tried.status.success()) {
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let arguments = [files[0], files[1], program.as_os_str(), OsStr::new(THIS)];
    let run = format!("{prepare}\nexec \"$3\" --exact \"$4\" --nocapture");
    let ran = unshared(&run, &arguments).unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    let failed = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && told.contains("1 passed"), "{told}\n{failed}");
    true
}

#[tokio::test]
async fn n2_a_name_server_that_changes_its_mind_moves_nothing() {
    if std::env::var_os(INSIDE).is_none() {
        if !in_a_network_of_its_own() {
            println!("not run: this machine lets no process have a network of its own");
        }
        return;
    }
    let names = FakeNameServer::start();
    let public = FakeSite::on("127.0.0.2").await;
    let port = public.address.port();
    let inside = FakeSite::on_port("127.0.0.1", port).await;
    let calls = outbound(&["127.0.0.2:*"]);

    let moving = format!("http://moving.example:{port}/");
    assert_eq!(calls.get(&moving).await.unwrap().body, b"hello");
    assert_eq!(names.asked("moving.example"), 1, "one look-up a call");
    assert_eq!(calls.get(&moving).await.unwrap_err(), Error::Unreachable, "the name moved inside");
    assert_eq!(names.asked("moving.example"), 2, "each call looks up anew");

    let mixed = format!("http://mixed.example:{port}/");
    assert_eq!(calls.get(&mixed).await.unwrap_err(), Error::Unreachable);
    assert_eq!(public.heads().len(), 1);
    assert_eq!(inside.heads(), Vec::<String>::new());

    // The names do lead there, where that is allowed.
    let lax = outbound(&["127.0.0.0/8:*", "[::1]:*"]);
    assert_eq!(lax.get(&moving).await.unwrap().body, b"hello");
    assert_eq!(lax.get(&mixed).await.unwrap().body, b"hello");
    assert_eq!((inside.heads().len(), public.heads().len()), (1, 2));
}
