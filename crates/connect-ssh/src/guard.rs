//! The guard's side of the wire: the commands sent to a host, and what its links say.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;
use std::time::Duration;

use model::connector::{Guard, Offsets};

/// File size limits come in blocks of this many bytes (POSIX `ulimit -f`).
const BLOCK: u64 = 512;

/// Longest token accepted; with its endings it stays below the 255 bytes of a file name.
const TOKEN_MAX: usize = 200;

static COMMON: &str = include_str!("guard/common.sh");
static START: LazyLock<String> = LazyLock::new(|| packed(include_str!("guard/start.sh")));
static LEADER: LazyLock<String> = LazyLock::new(|| packed_alone(include_str!("guard/leader.sh")));
static STATUS: LazyLock<String> = LazyLock::new(|| packed(include_str!("guard/status.sh")));
static FENCE: LazyLock<String> = LazyLock::new(|| packed(include_str!("guard/fence.sh")));
static FOLLOW: LazyLock<String> = LazyLock::new(|| packed(include_str!("guard/follow.sh")));
static KILL: LazyLock<String> = LazyLock::new(|| packed(include_str!("guard/kill.sh")));

/// The part every verb has, then the verb, without indentation and comments.
fn packed(verb: &str) -> String {
    packed_alone(&format!("{COMMON}\n{verb}"))
}

fn packed_alone(text: &str) -> String {
    let mut packed = String::with_capacity(text.len());
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        packed.push_str(line);
        packed.push('\n');
    }
    packed
}

/// What a host is asked to do about a token.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verb {
    /// Start the script that follows on standard input.
    Start { epoch: i64, timeout: Duration, output_cap: u64 },
    /// Say what is held.
    Status,
    /// Make sure it never starts.
    Fence { epoch: i64 },
    /// Follow it to its end.
    Follow { from: Offsets, patience: Duration },
    /// Stop it.
    Kill,
}

/// A word made for one call, so that nothing printed by anybody can be taken for the guard's.
#[derive(Debug, Clone)]
pub(crate) struct Nonce(String);

impl Nonce {
    /// A new one. The keys of `RandomState` come from the operating system.
    pub(crate) fn fresh() -> Self {
        let half = || RandomState::new().build_hasher().finish();
        // Two states of one thread differ by a counter only, which the hash spreads.
        Self(format!("{:016x}{:016x}", half(), half()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The command for a host. Only our own safe words are in it; a script never is.
///
/// # Errors
/// In words, when the token or the guard directory cannot be put into a command safely.
pub(crate) fn command(
    verb: Verb,
    token: &str,
    guard_dir: Option<&str>,
    nonce: &Nonce,
) -> Result<String, &'static str> {
    check_token(token)?;
    let guard_dir = guard_dir.unwrap_or_default();
    check_guard_dir(guard_dir)?;
    let (text, rest) = match verb {
        Verb::Start { epoch, timeout, output_cap } => (
            &START,
            format!("{epoch} {} {} '{}'", whole_seconds(timeout), output_cap / BLOCK + 1, *LEADER),
        ),
        Verb::Status => (&STATUS, String::new()),
        Verb::Fence { epoch } => (&FENCE, epoch.to_string()),
        Verb::Follow { from, patience } => {
            (&FOLLOW, format!("{} {} {}", from.stdout, from.stderr, whole_seconds(patience)))
        }
        Verb::Kill => (&KILL, String::new()),
    };
    Ok(format!(
        "sh -c '{}' countersign {} {token} '{guard_dir}' {rest}",
        text.as_str(),
        nonce.as_str()
    ))
}

/// Seconds, rounded up, at least one.
fn whole_seconds(duration: Duration) -> u64 {
    let up = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(up).max(1)
}

fn check_token(token: &str) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if token.is_empty() || token.len() > TOKEN_MAX || !token.chars().all(plain) {
        return Err("the token is not made of letters, digits, dot, dash and underscore");
    }
    if token.starts_with(['-', '.']) {
        return Err("the token starts with a dash or a dot");
    }
    // Names of the guard's own files beside a token.
    if [".rc", ".out", ".err", ".by"].iter().any(|ending| token.ends_with(ending)) {
        return Err("the token ends like a file of the guard");
    }
    Ok(())
}

/// Single quotes keep everything literal in every common login shell, save for quotes themselves,
/// and backslashes in fish.
fn check_guard_dir(guard_dir: &str) -> Result<(), &'static str> {
    if guard_dir.is_empty() {
        return Ok(());
    }
    if !guard_dir.starts_with('/') {
        return Err("the guard directory is not an absolute path");
    }
    if guard_dir.chars().any(|c| c.is_control() || matches!(c, '\'' | '\\' | '!')) {
        return Err("the guard directory holds quotes, backslashes or control characters");
    }
    Ok(())
}

/// What a token's link and its result say together.
///
/// # Errors
/// When the link or the result is not one the guard makes.
pub(crate) fn read(link: &str, result: &str, alive: &str) -> Result<Guard, Unreadable> {
    match result {
        "-" => {}
        _ => return read_result(result),
    }
    if link == "-" {
        return Ok(Guard::Absent);
    }
    let unreadable = || Unreadable(link.to_owned());
    let (state, rest) = link.split_once(':').ok_or_else(unreadable)?;
    let epoch = rest.split(':').next().and_then(|epoch| epoch.parse().ok());
    let epoch = epoch.ok_or_else(unreadable)?;
    match state {
        "started" => Ok(Guard::Started { epoch, alive: alive == "1" }),
        "fenced" => Ok(Guard::Fenced { epoch }),
        _ => Err(unreadable()),
    }
}

/// What a result says: `rc:<n>` or `rc:timeout`.
///
/// # Errors
/// When it is neither.
pub(crate) fn read_result(result: &str) -> Result<Guard, Unreadable> {
    match result.strip_prefix("rc:") {
        Some("timeout") => Ok(Guard::TimedOut),
        Some(code) => match code.parse::<u8>() {
            Ok(code) => Ok(Guard::Exited { code: i32::from(code) }),
            Err(_) => Err(Unreadable(result.to_owned())),
        },
        None => Err(Unreadable(result.to_owned())),
    }
}

/// The host holds something for a token that the guard does not make.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the guard on the host is not readable: {0:?}")]
pub(crate) struct Unreadable(pub(crate) String);

#[cfg(test)]
mod tests;
