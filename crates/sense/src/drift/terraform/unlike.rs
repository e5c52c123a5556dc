//! Two large states without what is the same in both, to the byte: most of it, as a rule. Neither is
//! ever held whole.

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
    let (mut ours, mut theirs) = (Blocks::of(declared)?, Blocks::of(live)?);
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
                let here = ahead.pop_front()?;
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
    Some(Unlike { declared: ours.with(&declared)?, live: theirs.with(&live)?, same })
}

/// The place of the declaration that a block is of, among those that come next.
fn found(
    there: &One,
    ahead: &mut VecDeque<One>,
    ours: &mut Blocks<impl Read>,
    kept: &dyn Fn(&str) -> bool,
) -> Option<Option<usize>> {
    for place in 0..AHEAD {
        if ahead.len() == place {
            let Some(one) = ours.next(kept)? else { break };
            ahead.push_back(one);
        }
        if ahead.get(place).is_some_and(|one| one.name == there.name) {
            return Some(Some(place));
        }
    }
    Some(None)
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
                None => blocks.more()?,
            }
        };
        blocks.at = at;
        blocks.expect(b':')?;
        blocks.blank()?;
        blocks.head = blocks.read.get(..blocks.at)?.to_vec();
        blocks.expect(b'[')?;
        // Whatever the name stands in, an object within the state or a text, this does not close.
        is_state(&blocks.head, b"}").then_some(blocks)
    }

    /// Reads on: what is not passed yet is at least doubled, so that large blocks are not gone through
    /// more than twice.
    fn more(&mut self) -> Option<()> {
        if self.place != Place::First {
            self.read.drain(..self.at);
            self.at = 0;
        }
        let most = self.read.len().max(WINDOW) as u64;
        let read = (&mut self.from).take(most).read_to_end(&mut self.read).ok()?;
        self.all = read == 0;
        Some(())
    }

    fn rest(&self) -> &[u8] {
        self.read.get(self.at..).unwrap_or_default()
    }

    /// Passes the space that JSON knows; gives what comes then.
    fn blank(&mut self) -> Option<u8> {
        loop {
            let blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
            let blanks = self.rest().iter().position(|byte| !blank(byte));
            self.at += blanks.unwrap_or(self.rest().len());
            match self.rest().first() {
                Some(byte) => return Some(*byte),
                None if self.all => return None,
                None => self.more()?,
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.blank()? == byte).then(|| self.at += 1)
    }

    /// Goes to where the next block begins; whether there is one.
    fn go(&mut self) -> Option<bool> {
        match self.place {
            Place::Before => return Some(true),
            Place::End => return Some(false),
            Place::First | Place::Behind => (),
        }
        if self.blank()? == b']' {
            (self.at, self.place) = (self.at + 1, Place::End);
            return Some(false);
        }
        if self.place == Place::Behind {
            self.expect(b',')?;
        }
        self.blank()?;
        self.place = Place::Before;
        Some(true)
    }

    /// Passes the next block, when it is this one.
    fn takes(&mut self, block: &str) -> Option<bool> {
        if !self.go()? {
            return Some(false);
        }
        while !self.all && self.rest().len() < block.len() {
            self.more()?;
        }
        let same = self.rest().starts_with(block.as_bytes());
        if same {
            (self.at, self.place) = (self.at + block.len(), Place::Behind);
        }
        Some(same)
    }

    /// The next block, and nothing behind the last one.
    fn next(&mut self, kept: &dyn Fn(&str) -> bool) -> Option<Option<One>> {
        if !self.go()? {
            return Some(None);
        }
        loop {
            let rest = self.rest();
            let mut blocks = Deserializer::from_slice(rest).into_iter::<Block<'_>>();
            match blocks.next()? {
                Ok(block) => {
                    let text = rest.get(..blocks.byte_offset())?;
                    let one = One {
                        text: std::str::from_utf8(text).ok()?.to_owned(),
                        name: block.full_name(),
                        resources: block.declares(),
                        kept: kept(block.kind()),
                    };
                    (self.at, self.place) = (self.at + one.text.len(), Place::Behind);
                    return Some(Some(one));
                }
                Err(error) if error.is_eof() && !self.all => self.more()?,
                Err(_) => return None,
            }
        }
    }

    /// The state with these blocks instead; nothing when it does not end as a state does.
    fn with(mut self, blocks: &[String]) -> Option<String> {
        while !self.all {
            self.more()?;
        }
        let (head, tail) = (self.head.as_slice(), self.rest());
        if self.place != Place::End || !is_state(head, tail) {
            return None;
        }
        let (head, tail) = (std::str::from_utf8(head).ok()?, std::str::from_utf8(tail).ok()?);
        Some([head, "[", &blocks.join(","), "]", tail].concat())
    }
}
