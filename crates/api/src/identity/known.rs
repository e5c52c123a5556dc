//! Where the row of a token lies: a hint that saves looking across tenants on every request.
//!
//! Nothing is believed for being remembered. Whether the token counts (its hash, active, not
//! expired, of an active holder and tenant) is asked of the database each time, in the tenant the
//! hint names; a hint that leads nowhere is forgotten and the long way taken.

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use model::Digest;
use model::id::TenantId;
use uuid::Uuid;

/// Tokens remembered at most: far more than are in use at a time, and less than a megabyte.
const MOST: usize = 8_192;

/// The row of a key or session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) tenant: TenantId,
    pub(super) id: Uuid,
}

static PLACES: LazyLock<RwLock<HashMap<Digest, Place>>> = LazyLock::new(RwLock::default);

/// Where the token of this hash was found last.
pub(super) fn place(token: &Digest) -> Option<Place> {
    PLACES.read().unwrap_or_else(PoisonError::into_inner).get(token).copied()
}

/// Remembers where a token that counts lies.
pub(super) fn remember(token: Digest, place: Place) {
    let mut places = PLACES.write().unwrap_or_else(PoisonError::into_inner);
    // Beginning anew costs each token one look; keeping count of use would cost every request.
    if places.len() >= MOST {
        places.clear();
    }
    places.insert(token, place);
}

/// Forgets a token that no longer counts.
pub(super) fn forget(token: &Digest) {
    PLACES.write().unwrap_or_else(PoisonError::into_inner).remove(token);
}
