//! What can go wrong on the way to the archive and back.

use api::Problem;
use model::id::ArchiveId;
use model::objects::ObjectError;

use crate::pack::Damage;

/// Why something was not archived or not brought back. Nothing is lost by it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] db::Error),
    /// The object store failed.
    #[error("the object store failed")]
    Objects(#[from] ObjectError),
    /// An object is not what was put there.
    #[error("{archive}: the object {key} {damage}")]
    Damaged {
        /// The piece of the archive.
        archive: ArchiveId,
        /// Where the object is.
        key: String,
        /// What is wrong with it.
        damage: Damage,
    },
    /// An object cannot be made.
    #[error("an object of the archive cannot be made")]
    Pack(#[source] std::io::Error),
    /// A row has no id, or a manifest no JSON.
    #[error("a row or a manifest is not as expected")]
    Json(#[from] serde_json::Error),
    /// Another process is at it.
    #[error("another process archives at present")]
    Busy,
    /// Something of a tenant that is closed cannot be removed.
    #[error("{subject} cannot be removed: {why} keeps them")]
    Kept {
        /// What.
        subject: &'static str,
        /// The constraint that keeps it: a hold's, or that of something that refers to it.
        why: String,
    },
    /// The piece holds nothing yet.
    #[error("{archive} is not stored yet")]
    NotStored {
        /// The piece of the archive.
        archive: ArchiveId,
    },
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Db(error) => error.into(),
            error @ Error::Damaged { .. } => Self::conflict("archive_damaged", error.to_string()),
            Error::Objects(error @ ObjectError::NotFound { .. }) => {
                Self::conflict("archive_damaged", error.to_string())
            }
            Error::Objects(error @ ObjectError::Unavailable { .. }) => {
                Self::unavailable(error.to_string())
            }
            error @ Error::NotStored { .. } => {
                Self::conflict("not_archived_yet", error.to_string())
            }
            error @ Error::Busy => Self::conflict("archive_busy", error.to_string()),
            error @ (Error::Pack(_) | Error::Json(_) | Error::Kept { .. }) => {
                Self::internal(&error)
            }
        }
    }
}
