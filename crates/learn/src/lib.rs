//! What verified outcomes teach: the posterior of each category, and the record of what came of
//! each intent.

pub mod api;
pub mod posterior;
pub mod store;
