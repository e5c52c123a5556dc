//! The leaf that ties the loop: router, cycle, tasks, login, events.

pub mod clock;
mod console;
pub mod cycle;
pub mod demo;
pub mod events;
pub mod health;
pub mod hosts;
pub mod login;
mod openapi;
mod overview;
pub mod router;
pub mod serve;
pub mod standing;
pub mod tasks;
