//! SQL of this room: rules, holds, the catalogue, the rows that go and the copies that come back.

pub mod candidates;
pub mod catalogue;
pub mod copies;
pub mod holds;
pub mod rows;
pub mod rules;
