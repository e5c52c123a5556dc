//! The object store: a directory, each write on disk before it counts. And single objects of
//! others' stores, read.

mod remote;

use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use model::Digest;
use model::connector::Pending;
use model::objects::{ObjectError, Objects, Upload};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{Error, MultipartUpload, ObjectStoreExt as _, PutPayload};

pub use remote::{BadRemote, Remote, Unread};

/// A directory of objects.
#[derive(Debug)]
pub struct Directory {
    store: LocalFileSystem,
}

impl Directory {
    /// Opens the directory, making it if it is not there.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub fn open(root: &Path) -> Result<Self, ObjectError> {
        let unavailable =
            |reason: String| ObjectError::Unavailable { key: root.display().to_string(), reason };
        std::fs::create_dir_all(root).map_err(|error| unavailable(error.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(root)
            .map_err(|error| unavailable(error.to_string()))?
            .with_fsync(true);
        Ok(Self { store })
    }
}

fn refused(key: &str, error: &Error) -> ObjectError {
    match error {
        Error::NotFound { .. } => ObjectError::NotFound { key: key.to_owned() },
        other => ObjectError::Unavailable { key: key.to_owned(), reason: other.to_string() },
    }
}

fn parse(key: &str) -> Result<Key, ObjectError> {
    Key::parse(key).map_err(|error| ObjectError::Unavailable {
        key: key.to_owned(),
        reason: error.to_string(),
    })
}

impl Objects for Directory {
    fn put<'a>(&'a self, key: &'a str, bytes: Vec<u8>) -> Pending<'a, Result<Digest, ObjectError>> {
        Box::pin(async move {
            let digest = Digest::of(&bytes);
            let path = parse(key)?;
            self.store
                .put(&path, PutPayload::from(bytes))
                .await
                .map_err(|error| refused(key, &error))?;
            Ok(digest)
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Vec<u8>, ObjectError>> {
        Box::pin(async move {
            let path = parse(key)?;
            let found = self.store.get(&path).await.map_err(|error| refused(key, &error))?;
            let bytes = found.bytes().await.map_err(|error| refused(key, &error))?;
            Ok(bytes.to_vec())
        })
    }

    fn upload<'a>(
        &'a self,
        key: &'a str,
    ) -> Pending<'a, Result<Box<dyn Upload + 'a>, ObjectError>> {
        Box::pin(async move {
            let path = parse(key)?;
            let begun = self.store.put_multipart(&path).await;
            let upload = begun.map_err(|error| refused(key, &error))?;
            let digest = Context::new(&SHA256);
            Ok(Box::new(Parts { key, upload, digest }) as Box<dyn Upload + 'a>)
        })
    }
}

/// A file that is written in parts and gets its name at the end.
struct Parts<'a> {
    key: &'a str,
    upload: Box<dyn MultipartUpload>,
    digest: Context,
}

impl Upload for Parts<'_> {
    fn write(&mut self, bytes: Vec<u8>) -> Pending<'_, Result<(), ObjectError>> {
        Box::pin(async move {
            self.digest.update(&bytes);
            let put = self.upload.put_part(PutPayload::from(bytes)).await;
            put.map_err(|error| refused(self.key, &error))
        })
    }

    fn finish(&mut self) -> Pending<'_, Result<Digest, ObjectError>> {
        Box::pin(async move {
            self.upload.complete().await.map_err(|error| refused(self.key, &error))?;
            let digest = self.digest.clone().finish();
            let unreadable = |_| ObjectError::Unavailable {
                key: self.key.to_owned(),
                reason: "its hash has another length".to_owned(),
            };
            Digest::try_from(digest.as_ref()).map_err(unreadable)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_object_is_read_back_with_the_hash_it_was_given() {
        let dir = tempfile::tempdir().unwrap();
        let store = Directory::open(&dir.path().join("objects")).unwrap();
        let digest = store.put("t/evidence/e/1.json", b"{}".to_vec()).await.unwrap();
        assert_eq!(digest, Digest::of(b"{}"));
        assert_eq!(store.get("t/evidence/e/1.json").await.unwrap(), b"{}");
    }

    #[tokio::test]
    async fn an_object_of_many_parts_is_one_and_without_its_end_none() {
        let dir = tempfile::tempdir().unwrap();
        let store = Directory::open(dir.path()).unwrap();
        let mut upload = store.upload("t/evidence/e/2.json").await.unwrap();
        upload.write(b"one ".to_vec()).await.unwrap();
        assert!(matches!(
            store.get("t/evidence/e/2.json").await,
            Err(ObjectError::NotFound { .. })
        ));
        upload.write(b"two".to_vec()).await.unwrap();
        assert_eq!(upload.finish().await.unwrap(), Digest::of(b"one two"));
        assert_eq!(store.get("t/evidence/e/2.json").await.unwrap(), b"one two");
    }

    #[tokio::test]
    async fn a_missing_object_and_a_climbing_key_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = Directory::open(dir.path()).unwrap();
        assert!(matches!(store.get("t/none").await, Err(ObjectError::NotFound { .. })));
        assert!(store.put("t/../../etc/passwd", Vec::new()).await.is_err());
    }
}
