//! How long and how much: the limits of the SSH connector.

use std::time::Duration;

/// Limits of the SSH connector.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long connecting, key exchange and login may take together.
    pub connect_timeout: Duration,
    /// How long the host may take to open a session, and to answer a question about a token.
    pub reply_timeout: Duration,
    /// How much longer than its timeout a step may take until we stop listening: the host stops the
    /// step itself and needs time to do so and to send what is left of the output.
    pub step_grace: Duration,
    /// How long to wait for a free session when all are taken.
    pub session_wait: Duration,
    /// Sessions at a time on one connection. sshd's `MaxSessions` is 10 by default.
    pub sessions_per_connection: usize,
    /// Connections to one host with one login.
    pub connections_per_host: usize,
    /// A connection nobody used for this long is closed.
    pub idle_timeout: Duration,
    /// A silent connection is asked for a sign of life this often; three unanswered questions end
    /// it.
    pub keepalive: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            reply_timeout: Duration::from_secs(30),
            step_grace: Duration::from_secs(60),
            session_wait: Duration::from_secs(60),
            sessions_per_connection: 8,
            connections_per_host: 4,
            idle_timeout: Duration::from_secs(60),
            keepalive: Duration::from_secs(15),
        }
    }
}
