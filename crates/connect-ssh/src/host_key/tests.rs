//! Pinned keys.

use model::id::{ConnectionId, ResourceId};
use model::level::EnvironmentClass;
use model::plan::Target;
use russh::keys::{Algorithm, EcdsaCurve, PublicKey, PublicKeyOrCertificate};

use super::Pinned;

const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
const ANOTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

fn pinned(lines: &[&str]) -> Result<Pinned, usize> {
    Pinned::of(&Target {
        resource_id: ResourceId::generate(),
        connection_id: ConnectionId::generate(),
        name: "host".to_owned(),
        host: "host".to_owned(),
        port: 22,
        username: "root".to_owned(),
        transport: "ssh".to_owned(),
        credential_id: None,
        credential_version: None,
        host_keys: lines.iter().map(|line| (*line).to_owned()).collect(),
        guard_dir: None,
        environment: EnvironmentClass::Test,
    })
}

fn shown(line: &str) -> PublicKeyOrCertificate {
    PublicKeyOrCertificate::from(PublicKey::from_openssh(line).unwrap())
}

#[test]
fn h1_only_a_pinned_key_is_known_whatever_its_comment() {
    let with_comment = format!("{ED25519} somebody@host\n");
    assert!(pinned(&[ANOTHER, &with_comment]).unwrap().holds(&shown(ED25519)));
    assert!(!pinned(&[ANOTHER]).unwrap().holds(&shown(ED25519)));
    assert!(!pinned(&[]).unwrap().holds(&shown(ED25519)));
}

#[test]
fn h1_an_unreadable_pin_is_a_fault_and_not_skipped() {
    assert_eq!(pinned(&[ED25519, "ssh-ed25519 nonsense"]).unwrap_err(), 2);
    assert_eq!(pinned(&["host.example.org"]).unwrap_err(), 1);
}

#[test]
fn pinned_kinds_are_asked_for_first_and_nothing_is_compressed() {
    let pins = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5TRXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwUdhOig4vkbqAcEc=";
    let preferred = pinned(&[pins, ED25519]).unwrap().preferred();
    let nist = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };
    assert_eq!(preferred.key[..2], [nist.clone(), Algorithm::Ed25519]);
    assert_eq!(preferred.key.iter().filter(|key| **key == nist).count(), 1);
    assert!(preferred.host_key_certificates.is_empty());
    assert_eq!(preferred.compression.len(), 1);
}
