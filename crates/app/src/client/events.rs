//! A stream of events that survives broken connections.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::Response;

use super::sse::{Event, Parser};
use super::{Client, Error};

/// How long to wait before connecting again.
const PAUSE: Duration = Duration::from_millis(500);
/// How often to try before giving up: a server that restarts is back by then.
const TRIES: u32 = 60;

/// Events from wherever they were left off.
#[derive(Debug)]
pub struct Events<'c> {
    client: &'c Client,
    path: Vec<String>,
    last: Option<i64>,
    response: Option<Response>,
    parser: Parser,
    ready: VecDeque<Event>,
    tries: u32,
}

impl Client {
    /// The events at `path`, from the beginning the server chooses.
    #[must_use]
    pub fn events(&self, path: &[&str]) -> Events<'_> {
        Events {
            client: self,
            path: path.iter().map(|&part| part.to_owned()).collect(),
            last: None,
            response: None,
            parser: Parser::default(),
            ready: VecDeque::new(),
            tries: 0,
        }
    }
}

impl Events<'_> {
    /// The next event; none when the server ended the stream in order. Asking once more resumes
    /// after the last event.
    ///
    /// # Errors
    /// When the server refuses, or cannot be reached for half a minute.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.last = event.id.or(self.last);
                return Ok(Some(event));
            }
            let Some(response) = &mut self.response else {
                self.connect().await?;
                continue;
            };
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    self.tries = 0;
                    self.ready.extend(self.parser.push(&bytes));
                }
                Ok(None) => {
                    self.response = None;
                    return Ok(None);
                }
                // Cut off in the middle: resumed after the last whole event.
                Err(_) => self.response = None,
            }
        }
    }

    async fn connect(&mut self) -> Result<(), Error> {
        self.parser = Parser::default();
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        loop {
            if self.tries > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            self.tries += 1;
            match self.client.open_stream(&path, self.last).await {
                Ok(response) => {
                    self.response = Some(response);
                    return Ok(());
                }
                // Nobody there from the start is no interruption.
                Err(Error::Unreachable { source, .. })
                    if (self.last.is_some() || !source.is_connect()) && self.tries < TRIES => {}
                Err(Error::Problem(problem)) if problem.status == 503 && self.tries < TRIES => {}
                Err(error) => return Err(error),
            }
        }
    }
}
