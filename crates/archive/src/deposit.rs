//! Depositing: a piece is packed, put into the store, read back and recorded.

use model::Digest;
use model::audit::Event;
use model::id::{ArchiveId, TenantId};
use serde::Deserialize;
use uuid::Uuid;

use crate::error::Error;
use crate::pack::{self, Damage, Lines, Manifest, Row};
use crate::run::Archiver;
use crate::store::catalogue::{self, Piece, Stored};
use crate::store::rows::{self, Hand};
use crate::subject::{Reach, named};

impl Archiver {
    /// Packs a planned piece, puts it into the store, reads it back and records it, with these
    /// events besides its own. Gives how many rows it holds.
    ///
    /// # Errors
    /// When the database or the store fails, or what is read back is not what was put there.
    pub async fn put(&self, tenant: TenantId, piece: &Piece, also: &[Event]) -> Result<u64, Error> {
        let id = piece.archive_id();
        let mut tx = self.db.tenant(tenant).await?;
        let now = tx.now().await?;
        let rows = match (piece.first_seq, piece.end_seq, named(&piece.subject)) {
            (Some(first), Some(end), _) => rows::of_log(&mut tx, first, end).await?,
            (_, _, Some(subject)) => rows::of(&mut tx, subject, &piece.roots, Hand::Read).await?,
            (_, _, None) => Vec::new(),
        };
        tx.rollback().await?;
        let ids = match named(&piece.subject).map(|subject| subject.reach) {
            Some(Reach::Months { .. }) => Some(ids_digest(&rows)?),
            Some(Reach::Roots) | None => None,
        };
        let (lines, object) = on_a_thread(move || {
            let lines = Lines::of(rows);
            let object = lines.compress()?;
            Ok((lines, object))
        })
        .await?;
        let sha256 = Digest::of(&object);
        let key = pack::keyed(&pack::object_key(tenant, &piece.subject, id), sha256);
        let manifest = Manifest {
            format: pack::FORMAT.to_owned(),
            archive: id,
            tenant,
            subject: piece.subject.clone(),
            class: piece.class.clone(),
            object: key.clone(),
            sha256,
            bytes: u64::try_from(object.len()).unwrap_or(u64::MAX),
            content_sha256: lines.digest(),
            rows: lines.counts.clone(),
            made_at: now,
        };
        let beside = manifest.to_bytes()?;
        let beside_digest = Digest::of(&beside);
        let manifest_key = pack::manifest_key(&key);
        self.objects.put(&key, object).await?;
        self.objects.put(&manifest_key, beside).await?;
        self.read_back(id, &key, manifest.sha256, manifest.content_sha256).await?;
        let back = self.objects.get(&manifest_key).await?;
        check(id, &manifest_key, beside_digest, &back)?;
        let stored = Stored {
            object_key: key,
            sha256: manifest.sha256,
            manifest_sha256: beside_digest,
            content_sha256: manifest.content_sha256,
            ids_sha256: ids,
            bytes: manifest.bytes,
            counts: manifest.rows,
        };
        self.record(tenant, piece, &stored, also).await?;
        Ok(lines.rows())
    }

    /// Reads an object back; it must have these checksums. Gives its lines.
    pub(crate) async fn read_back(
        &self,
        archive: ArchiveId,
        key: &str,
        sha256: Digest,
        content: Digest,
    ) -> Result<Vec<u8>, Error> {
        let back = self.objects.get(key).await?;
        check(archive, key, sha256, &back)?;
        let damaged = |damage| Error::Damaged { archive, key: key.to_owned(), damage };
        let lines = on_a_thread(move || Ok(pack::decompress(&back))).await?.map_err(damaged)?;
        check(archive, key, content, &lines)?;
        Ok(lines)
    }

    async fn record(
        &self,
        tenant: TenantId,
        piece: &Piece,
        stored: &Stored,
        also: &[Event],
    ) -> Result<(), Error> {
        let mut tx = self.db.tenant(tenant).await?;
        catalogue::stored(&mut tx, piece.archive_id(), stored).await?;
        let rows: u64 = stored.counts.values().sum();
        let event = self
            .event("archive.stored", piece)
            .with("rows", rows)
            .with("sha256", stored.sha256.to_string())
            .with("content_sha256", stored.content_sha256.to_string())
            .with("object", stored.object_key.clone());
        tx.audit(&event).await?;
        tx.audit_many(also).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn check(archive: ArchiveId, key: &str, expected: Digest, bytes: &[u8]) -> Result<(), Error> {
    let found = Digest::of(bytes);
    if found == expected {
        return Ok(());
    }
    let damage = Damage::Checksum { expected, found };
    Err(Error::Damaged { archive, key: key.to_owned(), damage })
}

/// The SHA-256 over the ids of rows, in order, joined by commas.
fn ids_digest(rows: &[Row]) -> Result<Digest, Error> {
    #[derive(Deserialize)]
    struct WithId {
        id: Uuid,
    }
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows {
        ids.push(serde_json::from_str::<WithId>(&row.json)?.id);
    }
    ids.sort_unstable();
    let text: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    Ok(Digest::of(text.join(",").as_bytes()))
}

/// Packing takes longer than a task may hold its thread.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Pack(std::io::Error::other(error)))?
        .map_err(Error::Pack)
}
