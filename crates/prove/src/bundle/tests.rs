//! Exports, verified without the database.

use super::*;
use crate::testing::{World, ring};
use crate::verify::report::Kind;

async fn exported(count: usize) -> (World, Directory, Policy) {
    let world = World::new().await;
    world.logged(count).await;
    let policy = world.policy();
    let to = Directory::new(world.files.path().join("export"));
    export(&world.log_directory(), &policy, &to).unwrap();
    (world, to, policy)
}

#[tokio::test]
async fn an_export_verifies_offline_also_after_the_log_has_grown() {
    let (world, bundle, policy) = exported(300).await;
    let report = verify_bundle(&bundle, &policy, None).unwrap();
    assert_eq!((report.ok, report.size, report.tenant), (true, 300, world.test.tenant));
    world.logged(500).await;
    let report = verify_bundle(&bundle, &policy, None).unwrap();
    assert!(report.ok);
    let nobody = Policy::of(ring(&[66]).verifiers(&world.origin()).unwrap());
    assert!(matches!(verify_bundle(&bundle, &nobody, None), Err(BundleError::Policy(_))));
}

#[tokio::test]
async fn l9_every_flipped_bit_of_a_tile_and_changed_byte_of_a_bundle_is_found() {
    let (_world, bundle, policy) = exported(2).await;
    for (path, stride) in [("tile/0/000.p/2", 1), ("tile/entries/000.p/2", 61)] {
        let good = bundle.read(path).unwrap().unwrap();
        for bit in (0..good.len() * 8).step_by(stride) {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(bundle.path().join(path), &bad).unwrap();
            let found = verify_bundle(&bundle, &policy, None).is_ok_and(|report| report.ok);
            assert!(!found, "bit {bit} of {path}");
        }
        std::fs::write(bundle.path().join(path), &good).unwrap();
    }
    assert!(verify_bundle(&bundle, &policy, None).unwrap().ok);
}

#[tokio::test]
async fn a_changed_entry_or_upper_tile_is_named_and_a_missing_one_is_an_error() {
    let (_world, bundle, policy) = exported(600).await;
    let entries = bundle.read("tile/entries/001").unwrap().unwrap();
    let mut changed = entries.clone();
    changed[100] ^= 1;
    std::fs::write(bundle.path().join("tile/entries/001"), &changed).unwrap();
    let bad = verify_bundle(&bundle, &policy, None).unwrap().first_bad.unwrap();
    assert_eq!((bad.seq, bad.kind), (256, Kind::LeafMismatch));
    std::fs::write(bundle.path().join("tile/entries/001"), &entries).unwrap();
    let upper = bundle.read("tile/1/000.p/2").unwrap().unwrap();
    std::fs::write(bundle.path().join("tile/1/000.p/2"), vec![0; upper.len()]).unwrap();
    assert!(!verify_bundle(&bundle, &policy, None).unwrap().ok);
    std::fs::remove_file(bundle.path().join("tile/0/001")).unwrap();
    assert!(matches!(verify_bundle(&bundle, &policy, None), Err(BundleError::Missing { .. })));
}
