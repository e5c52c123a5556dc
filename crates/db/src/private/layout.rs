//! Where things are in a data directory, and the passwords kept there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::Error;
use crate::migrate::APP_ROLE;

/// `sun_path` holds 108 bytes, the last of them NUL.
pub(super) const MAX_SOCKET_PATH: usize = 107;

/// The superuser made by initdb. Its only way in is the socket.
pub(super) const ADMIN_ROLE: &str = "countersign_admin";

/// The one database.
pub(super) const DATABASE: &str = "countersign";

const PORT: u16 = 5432;

/// The passwords of the two logins. Only this file has them.
#[derive(Clone)]
pub(super) struct Passwords {
    pub(super) admin: String,
    pub(super) app: String,
}

/// The paths below one data directory.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

pub(super) fn file(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::File { action, path, source }
}

impl Layout {
    /// The layout of a directory that exists.
    pub(super) fn of(data_dir: &Path) -> Result<Self, Error> {
        // PostgreSQL resolves paths against its own directory, so ours must be absolute.
        let root = data_dir.canonicalize().map_err(file("find", data_dir))?;
        Ok(Self { root })
    }

    /// The layout of a directory that may not exist yet.
    pub(super) fn planned(data_dir: &Path) -> Self {
        Self::of(data_dir).unwrap_or_else(|_| {
            let root = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
            Self { root }
        })
    }

    /// Creates the directory where it is missing, and checks that the socket path fits.
    pub(super) fn create(data_dir: &Path) -> Result<Self, Error> {
        // Others may pass through: the server runs as another user when this program is root.
        // What is in it protects itself.
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o755);
        builder.create(data_dir).map_err(file("create", data_dir))?;
        let layout = Self::of(data_dir)?;
        layout.check_socket_path()?;
        make_private_dir(&layout.base())?;
        Ok(layout)
    }

    pub(super) fn check_socket_path(&self) -> Result<(), Error> {
        let path = self.socket_dir().join(format!(".s.PGSQL.{PORT}"));
        let length = path.as_os_str().as_bytes().len();
        if length > MAX_SOCKET_PATH {
            return Err(Error::PathTooLong { path, length });
        }
        Ok(())
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Everything the server itself owns.
    pub(super) fn base(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// The cluster: PGDATA.
    pub(super) fn cluster(&self) -> PathBuf {
        self.base().join("data")
    }

    /// Only its owner may enter it, and with it reach the socket.
    pub(super) fn socket_dir(&self) -> PathBuf {
        self.base().join("run")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    fn password_file(&self) -> PathBuf {
        self.root.join("database-passwords")
    }

    /// The major version the cluster was made by; `None` when there is no cluster yet.
    pub(super) fn cluster_version(&self) -> Result<Option<u32>, Error> {
        let path = self.cluster().join("PG_VERSION");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file("read", &path)(error)),
        };
        let version = text.trim().parse().map_err(|_| Error::Directory {
            what: format!("{} says {:?}, which is no version", path.display(), text.trim()),
            remedy: "restore the data directory from a backup".to_owned(),
        })?;
        Ok(Some(version))
    }

    /// The passwords of the cluster, made up when there is no cluster yet.
    pub(super) fn passwords(&self) -> Result<Passwords, Error> {
        if let Some(passwords) = self.read_passwords()? {
            return Ok(passwords);
        }
        let path = self.password_file();
        if self.cluster_version()?.is_some() {
            return Err(Error::Directory {
                what: format!("the cluster is there but {} is not", path.display()),
                remedy: "restore that file from a backup".to_owned(),
            });
        }
        let passwords = Passwords { admin: random_password()?, app: random_password()? };
        write_private(&path, &format!("{}\n{}\n", passwords.admin, passwords.app))?;
        Ok(passwords)
    }

    pub(super) fn read_passwords(&self) -> Result<Option<Passwords>, Error> {
        let path = self.password_file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file("read", &path)(error)),
        };
        let mut lines = text.lines().map(str::to_owned);
        match (lines.next(), lines.next()) {
            (Some(admin), Some(app)) => Ok(Some(Passwords { admin, app })),
            _ => Err(Error::Directory {
                what: format!("{} does not hold two passwords", path.display()),
                remedy: "restore that file from a backup".to_owned(),
            }),
        }
    }

    /// The connection strings of the application and of the administrator.
    pub(super) fn urls(&self, passwords: &Passwords) -> (String, String) {
        let url = |role: &str, password: &str| {
            PgConnectOptions::new_without_pgpass()
                .socket(self.socket_dir())
                .port(PORT)
                .username(role)
                .password(password)
                .database(DATABASE)
                .to_url_lossy()
                .to_string()
        };
        (url(APP_ROLE, &passwords.app), url(ADMIN_ROLE, &passwords.admin))
    }
}

/// Creates a directory only its owner may enter; an existing one is left as it is.
pub(super) fn make_private_dir(path: &Path) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(file("create", path)(error)),
    }
}

/// Writes a file only its owner may read, whole or not at all.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let draft = path.with_extension("draft");
    let write = || -> std::io::Result<()> {
        let mut out =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        out.set_permissions(fs::Permissions::from_mode(0o600))?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        fs::rename(&draft, path)?;
        path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
    };
    write().map_err(file("write", path))
}

fn random_password() -> Result<String, Error> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Error::Privileges {
        what: "the system gives no randomness".to_owned(),
        remedy: "see whether /dev/urandom is readable".to_owned(),
    })?;
    Ok(hex::encode(bytes))
}
