//! Rebuilds the crate when the console was built anew: `rust-embed` embeds its files.

use std::path::Path;

fn main() {
    let dist = Path::new("../../web/dist");
    // What is not there counts as changed each time: everything above this crate would be compiled
    // again by every build without Node. Where it cannot be made, that is all that happens.
    let _made = std::fs::create_dir_all(dist);
    println!("cargo:rerun-if-changed={}", dist.display());
}
