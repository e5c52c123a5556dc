//! Two large states without what is the same in both, to the byte: most of it, as a rule. Only what
//! differs is held.

use std::collections::VecDeque;
use std::io::Read;

use serde::Deserialize;
use serde_json::Deserializer;

use super::state::Block;

#[cfg(test)]
mod tests;

/// What is read at once, in bytes.
const WINDOW: usize = 1 << 18;
/// The most that may stand before the resources, in bytes: the outputs.
const HEAD: usize = 1 << 24;
/// How many declarations are looked through for the one that a block is of: blocks stand in the
/// order of their names, and few are gone at once.
const AHEAD: usize = 16;
/// The name of the list of resources.
const LIST: &[u8] = b"\"resources\"";
/// Stands in for what the list holds where all but that is read.
const MARK: &str = "\"the resources\"";

/// What is left of two states.
#[derive(Debug, PartialEq, Eq)]
pub struct Unlike {
    /// The declared state, without what is the same.
    pub declared: String,
    /// The live state, without what is the same.
    pub live: String,
    /// How many resources are the same and were left out of both.
    pub same: usize,
}

/// What differs in two states of version 4. Blocks of the types that `kept` names are left in both.
/// Nothing when one of them is no state, is broken, or cannot be read: [`super::Document::read`] says
/// why.
#[must_use]
pub fn unlike(declared: impl Read, live: impl Read, kept: &dyn Fn(&str) -> bool) -> Option<Unlike> {
    compared(Blocks::of(declared)?, Blocks::of(live)?, kept).ok()
}

/// Why a text is not read here.
struct NoState;

fn compared(
    mut ours: Blocks<impl Read>,
    mut theirs: Blocks<impl Read>,
    kept: &dyn Fn(&str) -> bool,
) -> Result<Unlike, NoState> {
    let (mut declared, mut live, mut same) = (Vec::new(), Vec::new(), 0);
    let mut ahead = VecDeque::new();
    loop {
        if ahead.is_empty() {
            ahead.extend(ours.next(kept)?);
        }
        let front: Option<&One> = ahead.front();
        let there = match front {
            // An object of JSON is no beginning of another one: what starts with it is the same.
            Some(one) if !one.kept && theirs.takes(&one.text)? => {
                same += one.resources;
                ahead.pop_front();
                continue;
            }
            _ => theirs.next(kept)?,
        };
        let Some(there) = there else { break };
        match found(&there, &mut ahead, &mut ours, kept)? {
            None => live.push(there.text),
            Some(place) => {
                declared.extend(ahead.drain(..place).map(|one| one.text));
                let here = ahead.pop_front().ok_or(NoState)?;
                if !here.kept && here.text == there.text {
                    same += here.resources;
                } else {
                    declared.push(here.text);
                    live.push(there.text);
                }
            }
        }
    }
    declared.extend(ahead.into_iter().map(|one| one.text));
    while let Some(one) = ours.next(kept)? {
        declared.push(one.text);
    }
    Ok(Unlike { declared: ours.with(&declared)?, live: theirs.with(&live)?, same })
}

/// The place of the declaration that a block is of, among those that come next.
fn found(
    there: &One,
    ahead: &mut VecDeque<One>,
    ours: &mut Blocks<impl Read>,
    kept: &dyn Fn(&str) -> bool,
) -> Result<Option<usize>, NoState> {
    for place in 0..AHEAD {
        if ahead.len() == place {
            let Some(one) = ours.next(kept)? else { break };
            ahead.push_back(one);
        }
        if ahead.get(place).is_some_and(|one| one.name == there.name) {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// A block of a state: the resources of one declaration.
struct One {
    text: String,
    /// Module, mode, type and name.
    name: String,
    /// How many resources it declares.
    resources: usize,
    /// It is not left out.
    kept: bool,
}

/// What must be around the list of resources.
#[derive(Deserialize)]
struct Around<'a> {
    version: u64,
    #[serde(default)]
    format_version: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    resources: [&'a str; 1],
}

/// Whether this, around the list, is a state.
fn is_state(head: &[u8], tail: &[u8]) -> bool {
    let text = [head, b"[", MARK.as_bytes(), b"]", tail].concat();
    let around = serde_json::from_slice::<Around<'_>>(&text);
    around.is_ok_and(|around| {
        let [mark] = around.resources;
        around.version == 4 && around.format_version.is_none() && MARK.trim_matches('"') == mark
    })
}

/// The blocks of a state, one after the other.
struct Blocks<R> {
    from: R,
    /// What was read and is not passed yet, from `at` on.
    read: Vec<u8>,
    at: usize,
    /// There is no more to be read.
    all: bool,
    /// What stands before the list of resources.
    head: Vec<u8>,
    place: Place,
}

/// Where in the list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Behind its bracket.
    First,
    /// Before a block.
    Before,
    /// Behind a block.
    Behind,
    /// Behind all of it.
    End,
}

impl<R: Read> Blocks<R> {
    /// Those of a text that begins as a state does.
    fn of(from: R) -> Option<Self> {
        let (read, head) = (Vec::new(), Vec::new());
        let mut blocks = Self { from, read, at: 0, all: false, head, place: Place::First };
        let at = loop {
            let found = blocks.read.windows(LIST.len()).position(|word| word == LIST);
            match found {
                Some(at) => break at + LIST.len(),
                None if blocks.all || blocks.read.len() > HEAD => return None,
                None => blocks.more().ok()?,
            }
        };
        blocks.at = at;
        blocks.expect(b':').ok()?;
        blocks.blank().ok()?;
        blocks.head = blocks.read.get(..blocks.at)?.to_vec();
        blocks.expect(b'[').ok()?;
        // Whatever the name stands in, an object within the state or a text, this does not close.
        is_state(&blocks.head, b"}").then_some(blocks)
    }

    /// Reads on: what is not passed yet is at least doubled, so that large blocks are not gone through
    /// more than twice.
    fn more(&mut self) -> Result<(), NoState> {
        if self.place != Place::First {
            self.read.drain(..self.at);
            self.at = 0;
        }
        let most = self.read.len().max(WINDOW) as u64;
        let read = (&mut self.from).take(most).read_to_end(&mut self.read);
        self.all = read.map_err(|_| NoState)? == 0;
        Ok(())
    }

    fn rest(&self) -> &[u8] {
        self.read.get(self.at..).unwrap_or_default()
    }

    /// Passes the space that JSON knows; gives what comes then.
    fn blank(&mut self) -> Result<u8, NoState> {
        loop {
            let blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
            let blanks = self.rest().iter().position(|byte| !blank(byte));
            self.at += blanks.unwrap_or_else(|| self.rest().len());
            match self.rest().first() {
                Some(byte) => return Ok(*byte),
                None if self.all => return Err(NoState),
                None => self.more()?,
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), NoState> {
        if self.blank()? != byte {
            return Err(NoState);
        }
        self.at += 1;
        Ok(())
    }

    /// Goes to where the next block begins; whether there is one.
    fn go(&mut self) -> Result<bool, NoState> {
        match self.place {
            Place::Before => return Ok(true),
            Place::End => return Ok(false),
            Place::First | Place::Behind => (),
        }
        if self.blank()? == b']' {
            (self.at, self.place) = (self.at + 1, Place::End);
            return Ok(false);
        }
        if self.place == Place::Behind {
            self.expect(b',')?;
        }
        self.blank()?;
        self.place = Place::Before;
        Ok(true)
    }

    /// Passes the next block, when it is this one.
    fn takes(&mut self, block: &str) -> Result<bool, NoState> {
        if !self.go()? {
            return Ok(false);
        }
        while !self.all && self.rest().len() < block.len() {
            self.more()?;
        }
        let same = self.rest().starts_with(block.as_bytes());
        if same {
            (self.at, self.place) = (self.at + block.len(), Place::Behind);
        }
        Ok(same)
    }

    /// The next block, and nothing behind the last one.
    fn next(&mut self, kept: &dyn Fn(&str) -> bool) -> Result<Option<One>, NoState> {
        if !self.go()? {
            return Ok(None);
        }
        loop {
            let rest = self.rest();
            let mut blocks = Deserializer::from_slice(rest).into_iter::<Block<'_>>();
            match blocks.next().ok_or(NoState)? {
                Ok(block) => {
                    let text = rest.get(..blocks.byte_offset()).ok_or(NoState)?;
                    let one = One {
                        text: std::str::from_utf8(text).map_err(|_| NoState)?.to_owned(),
                        name: block.full_name(),
                        resources: block.declares(),
                        kept: kept(block.kind()),
                    };
                    (self.at, self.place) = (self.at + one.text.len(), Place::Behind);
                    return Ok(Some(one));
                }
                Err(error) if error.is_eof() && !self.all => self.more()?,
                Err(_) => return Err(NoState),
            }
        }
    }

    /// The state with these blocks instead; nothing when it does not end as a state does.
    fn with(mut self, blocks: &[String]) -> Result<String, NoState> {
        while !self.all {
            self.more()?;
        }
        let (head, tail) = (self.head.as_slice(), self.rest());
        if self.place != Place::End || !is_state(head, tail) {
            return Err(NoState);
        }
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| NoState);
        Ok([text(head)?, "[", &blocks.join(","), "]", text(tail)?].concat())
    }
}
