//! The leaf that ties the loop: router, cycle, tasks, login, events.

pub mod login;
