//! What every command is given, and how it may end.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::Global;
use crate::client::saved::Sessions;
use crate::client::{self, Client};
use crate::config;
use crate::output::{self, Format};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Done, and the answer is good.
    Good,
    /// Refused or failed.
    Failed,
    /// The audit log was tampered with.
    Tampered,
    /// Nobody can tell.
    CannotTell,
    /// It could not be done, where 1 says something of what was done.
    Fault,
}

impl End {
    /// The exit code of wrong usage.
    pub const USAGE: u8 = 2;

    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Failed => 1,
            Self::Tampered | Self::Fault => 2,
            Self::CannotTell => 3,
        }
    }

    /// Good when something holds, failed otherwise.
    #[must_use]
    pub const fn when(holds: bool) -> Self {
        if holds { Self::Good } else { Self::Failed }
    }
}

/// What every command is given.
#[derive(Clone)]
pub struct Context {
    /// How results are printed.
    pub format: Format,
    server: String,
    key: Option<String>,
    timeout: Duration,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Context {
    /// From what holds for every command.
    #[must_use]
    pub fn new(global: &Global) -> Self {
        Self {
            format: global.output,
            server: global.server.clone(),
            key: global.key.clone(),
            timeout: Duration::from_secs(global.timeout),
        }
    }

    /// A client of the server, as whoever the key or the saved session belongs to.
    ///
    /// # Errors
    /// When the server's address is none, or the saved sessions cannot be read.
    pub fn client(&self) -> Result<Client> {
        let client = self.client_of_nobody()?;
        let key = match &self.key {
            Some(key) => Some(key.clone()),
            None => self.sessions()?.get(&client.address()).map(|session| session.token.clone()),
        };
        Ok(Client::new(&self.server, key, self.timeout)?)
    }

    /// A client that shows no key.
    ///
    /// # Errors
    /// When the server's address is none.
    pub fn client_of_nobody(&self) -> Result<Client, client::Error> {
        Client::new(&self.server, None, self.timeout)
    }

    /// The saved sessions.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn sessions(&self) -> Result<Sessions> {
        Sessions::open(&config::config_dir())
    }

    /// Prints a result: the API's JSON unchanged, or what people read.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn show(&self, value: &Value, human: impl FnOnce(&Value) -> String) -> Result<End> {
        match self.format {
            Format::Json => output::json(value)?,
            Format::Human => output::result(&human(value)),
        }
        Ok(End::Good)
    }

    /// A line for people that scripts do not want.
    pub fn remark(&self, line: &str) {
        if self.format == Format::Human {
            output::note(line);
        }
    }
}
