//! The client against a fake API server, and the fake against kubectl.

#[cfg(test)]
#[path = "it/apply.rs"]
mod apply;
#[cfg(test)]
#[path = "it/calls.rs"]
mod calls;
#[cfg(test)]
#[path = "it/harness.rs"]
mod harness;
#[cfg(test)]
#[path = "it/kubectl.rs"]
mod kubectl;
#[cfg(test)]
#[path = "it/reading.rs"]
mod reading;
#[cfg(test)]
#[path = "it/watching.rs"]
mod watching;
