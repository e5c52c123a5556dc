//! The SSH connector against real and hostile servers.

#[path = "it/connections.rs"]
mod connections;
#[path = "it/guard.rs"]
mod guard;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/peer.rs"]
mod peer;
#[path = "it/recorder.rs"]
mod recorder;
#[path = "it/scripts.rs"]
mod scripts;
#[path = "it/shells.rs"]
mod shells;
