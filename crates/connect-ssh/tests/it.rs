//! The SSH connector against real and hostile servers.

#[cfg(test)]
#[path = "it/connections.rs"]
mod connections;
#[cfg(test)]
#[path = "it/guard.rs"]
mod guard;
#[cfg(test)]
#[path = "it/hostile.rs"]
mod hostile;
#[cfg(test)]
#[path = "it/peer.rs"]
mod peer;
#[cfg(test)]
#[path = "it/recorder.rs"]
mod recorder;
#[cfg(test)]
#[path = "it/scripts.rs"]
mod scripts;
#[cfg(test)]
#[path = "it/shells.rs"]
mod shells;
