//! Steps on hosts over SSH, behind the target guard.
//!
//! A step is sent as a script over standard input and run detached on the host, under a token that
//! can be taken once. What the host then holds for the token decides what happened, not what became
//! of our connection. The shell side is in `guard/*.sh`.

mod answer;
mod connection;
mod guard;
mod host_key;
mod pool;
mod scan;
mod settings;
mod ssh;
#[cfg(feature = "testing")]
pub mod testing;

pub use scan::{ScannedKey, scan};
pub use settings::Settings;
pub use ssh::Ssh;
