//! What comes in: alerts, rules and findings.
#![warn(missing_docs)]

pub mod alert;
pub mod api;
pub mod around;
pub mod change_event;
pub mod declared;
pub mod drift;
pub mod finding;
pub mod inventory;
pub mod remediation;
pub mod report;
pub mod scan;
pub mod sealing;
pub mod source;
pub mod store;
