//! Why a log continues itself: consistency proofs between two of its sizes (RFC 6962, 2.1.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bundle::{BundleError, claimed};
use crate::directory::Directory;
use crate::merkle::Hash;
use crate::merkle::proof::{ProofError, consistency, subtree_hash};
use crate::publish::{published, read};
use crate::tile::reader::{Reader, TileError};

/// Why there is no proof between two sizes.
#[derive(Debug, thiserror::Error)]
pub enum ContinuationError {
    /// The log is not published, or cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] BundleError),
    /// A tile is missing.
    #[error("a tile of the log cannot be read")]
    Tile(#[from] TileError),
    /// The later size is smaller.
    #[error("a log does not become shorter")]
    Shrunk(#[from] ProofError),
    /// No checkpoint covers so many events yet.
    #[error("{size} events are signed, and {asked} were asked for")]
    NotYet {
        /// How many are signed.
        size: u64,
        /// How many were asked for.
        asked: u64,
    },
}

/// The hashes that show, beside the roots of both, that the log of `to` entries begins with that of
/// `from`. Any sizes do that the published log has reached, whether they were signed or not.
///
/// # Errors
/// When the log has not reached `to`, `to` is below `from`, or a tile is missing.
pub fn between(log: &Directory, from: u64, to: u64) -> Result<Vec<Hash>, ContinuationError> {
    let (note, edge) =
        published(log).map_err(BundleError::File)?.ok_or(BundleError::NoCheckpoint)?;
    let latest = claimed(&note)?;
    if to > latest.size {
        return Err(ContinuationError::NotYet { size: latest.size, asked: to });
    }
    // Every node a proof asks for is a perfect subtree of the newest tree as well.
    let tile = |place| read(log, place);
    let mut reader = match edge {
        Some(edge) if edge.root() == latest.root => Reader::with_edge(&edge, tile),
        _ => Reader::new(latest.size, tile),
    };
    hashes(&mut reader, from, to)
}

/// The same out of the tiles a reader gives.
pub(crate) fn hashes<R, E>(reader: &mut Reader<R>, from: u64, to: u64) -> Result<Vec<Hash>, E>
where
    R: FnMut(crate::tile::Place) -> Option<Vec<u8>>,
    E: From<ProofError> + From<TileError>,
{
    consistency(from, to)?.into_iter().map(|subtree| Ok(subtree_hash(subtree, reader)?)).collect()
}

/// Hashes as `.tlog-proof` files have them: base64, a line each.
#[must_use]
pub fn lines(hashes: &[Hash]) -> String {
    hashes.iter().map(|hash| STANDARD.encode(hash) + "\n").collect()
}

#[cfg(test)]
mod tests;
