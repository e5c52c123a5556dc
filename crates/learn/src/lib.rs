//! What verified outcomes teach: the posterior of each category, the record of what came of each
//! intent, and models that learn classes from labelled rows.

pub mod api;
pub mod calibration;
pub mod posterior;
pub mod store;
pub mod training;
