//! What every endpoint shares: state, problems, permission extractors, paging, idempotency.
#![warn(missing_docs)]

pub mod body;
pub mod caller;
pub mod change;
pub mod check;
pub mod etag;
pub mod idempotency;
pub mod identity;
pub mod lines;
pub mod object;
pub mod page;
pub mod peer;
pub mod permission;
pub mod problem;
pub mod state;
pub mod strict;
pub mod suspicious;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod together;

pub use body::Body;
pub use caller::{Caller, Can};
pub use change::Change;
pub use page::{PageOut, Paging};
pub use problem::Problem;
pub use state::App;
