//! Asking the person at the terminal.

use std::io::{IsTerminal as _, Read as _, Write as _};

use anyhow::{Context as _, Result, bail};
use rustix::termios::{self, LocalModes, OptionalActions};

/// Asks for a secret without showing it; without a terminal the first line of standard input.
///
/// # Errors
/// When there is none.
pub fn secret(what: &str) -> Result<String> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return line_of(&mut stdin.lock());
    }
    show(&format!("{what}: "))?;
    let before = termios::tcgetattr(&stdin).context("the terminal cannot be asked")?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    termios::tcsetattr(&stdin, OptionalActions::Now, &hidden).context("the terminal is deaf")?;
    let read = line_of(&mut stdin.lock());
    termios::tcsetattr(&stdin, OptionalActions::Now, &before).context("the terminal is deaf")?;
    show("\n")?;
    read
}

/// Asks a question that is answered by `yes` alone.
///
/// # Errors
/// When nobody can be asked.
pub fn confirm(question: &str, without: &str) -> Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        bail!("{question}: nobody can be asked here; {without}");
    }
    show(&format!("{question} (yes/no) "))?;
    Ok(line_of(&mut stdin.lock())?.trim() == "yes")
}

/// All of standard input.
///
/// # Errors
/// When it cannot be read or is no UTF-8.
pub fn standard_input() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).context("cannot read standard input")?;
    Ok(text)
}

fn line_of(input: &mut impl std::io::BufRead) -> Result<String> {
    let mut line = String::new();
    input.by_ref().read_line(&mut line).context("cannot read standard input")?;
    let line = line.trim_end_matches(['\n', '\r']).to_owned();
    if line.is_empty() {
        bail!("standard input gave nothing");
    }
    Ok(line)
}

fn show(text: &str) -> Result<()> {
    let mut stderr = std::io::stderr().lock();
    stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).context("cannot write")
}
