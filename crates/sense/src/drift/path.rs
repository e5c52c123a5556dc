//! Where in a state something is, and which places are meant.
//!
//! A path is written `root_block_device[0].volume_size`, with what a list is keyed by in brackets,
//! as in `ingress[tcp 22-22].cidr_blocks`, and with names that are no plain words quoted, as in
//! `annotations["example.com/owner"]`. A pattern is written the same way: `*` and `[*]` are any one
//! step, `**` any number of them, and a name may hold `*` and `?`.

#[cfg(test)]
mod tests;

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A member of an object.
    Name(String),
    /// An element of a list, by what it is keyed by.
    Key(String),
    /// An element of a list, by its place.
    Index(usize),
}

/// A place in a value: the steps that lead there.
pub type Path = Vec<Step>;

/// A path as it is written.
#[must_use]
pub fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Name(name) if plain(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Step::Name(name) => {
                text.push_str(&format!("[{}]", serde_json::Value::from(name.as_str())));
            }
            Step::Key(key) => {
                let key = key.replace(['[', ']'], "");
                text.push_str(&format!("[{key}]"));
            }
            Step::Index(place) => text.push_str(&format!("[{place}]")),
        }
    }
    text
}

/// The path that was written so. What is no path is taken as one name.
#[must_use]
pub fn parse(text: &str) -> Path {
    steps(text).unwrap_or_else(|| vec![Step::Name(text.to_owned())])
}

fn steps(text: &str) -> Option<Path> {
    let mut path = Path::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix("[\"") {
            let end = inside.find("\"]")?;
            let name = serde_json::from_str(&format!("\"{}\"", inside.get(..end)?)).ok()?;
            path.push(Step::Name(name));
            rest = inside.get(end + 2..)?;
        } else if let Some(inside) = rest.strip_prefix('[') {
            let (key, after) = inside.split_once(']')?;
            let place = key.parse().map(Step::Index);
            path.push(place.unwrap_or_else(|_| Step::Key(key.to_owned())));
            rest = after;
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, after) = name.split_at(end);
            if name.is_empty() {
                return None;
            }
            path.push(Step::Name(name.to_owned()));
            rest = after;
        }
    }
    Some(path)
}

fn plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '@' | '$'))
}

/// Which places are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Any number of steps, also none.
    Deep,
    /// Any one step.
    Any,
    /// A name, a key or the digits of a place, with `*` and `?` in it.
    Like(String),
}

/// Why a pattern cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path {text:?} is none: {why}")]
pub struct BadPattern {
    text: String,
    why: &'static str,
}

/// The most steps a pattern may have.
const MOST_STEPS: usize = 64;
/// How many of them may be `**`: each multiplies what trying a pattern costs.
const MOST_DEEP: usize = 3;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it is empty, a bracket or quote is not closed, or it has too many steps.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let bad = |why| BadPattern { text: text.chars().take(200).collect(), why };
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (word, after) = match inside.strip_prefix('"') {
                    Some(quoted) => quoted.split_once("\"]"),
                    None => inside.split_once(']'),
                }
                .ok_or_else(|| bad("a bracket is not closed"))?;
                let quoted = inside.starts_with('"');
                parts.push(if quoted { Part::Like(word.to_owned()) } else { part(word) });
                rest = after;
            } else {
                rest = rest.strip_prefix('.').unwrap_or(rest);
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                if word.is_empty() {
                    return Err(bad("a name is empty"));
                }
                parts.push(part(word));
                rest = after;
            }
            if parts.len() > MOST_STEPS {
                return Err(bad("it has too many steps"));
            }
        }
        if parts.is_empty() {
            return Err(bad("it is empty"));
        }
        parts.dedup_by(|one, other| *one == Part::Deep && *other == Part::Deep);
        if parts.iter().filter(|part| **part == Part::Deep).count() > MOST_DEEP {
            return Err(bad("it has more than three `**`"));
        }
        Ok(Self(parts))
    }

    /// The pattern that means exactly this place.
    #[must_use]
    pub fn exactly(path: &[Step]) -> Self {
        let step = |step: &Step| match step {
            Step::Name(text) | Step::Key(text) => Part::Like(literal(text)),
            Step::Index(place) => Part::Like(place.to_string()),
        };
        Self(path.iter().map(step).collect())
    }

    /// Whether this place is meant.
    #[must_use]
    pub fn matches(&self, path: &[Step]) -> bool {
        matches(&self.0, path, Whole::Yes)
    }

    /// Whether this place or one it lies in is meant.
    #[must_use]
    pub fn covers(&self, path: &[Step]) -> bool {
        matches(&self.0, path, Whole::OrInside)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    OrInside,
}

fn matches(parts: &[Part], path: &[Step], whole: Whole) -> bool {
    match (parts.split_first(), path.split_first()) {
        (None, rest) => rest.is_none() || whole == Whole::OrInside,
        (Some((Part::Deep, parts)), None) => matches(parts, path, whole),
        (Some((Part::Deep, later)), Some((_, inside))) => {
            matches(later, path, whole) || matches(parts, inside, whole)
        }
        (Some(_), None) => false,
        (Some((part, parts)), Some((step, inside))) => {
            let fits = match (part, step) {
                (Part::Any, _) => true,
                (Part::Like(like), Step::Name(text) | Step::Key(text)) => fits(like, text),
                (Part::Like(like), Step::Index(place)) => fits(like, &place.to_string()),
                (Part::Deep, _) => false,
            };
            fits && matches(parts, inside, whole)
        }
    }
}

fn part(word: &str) -> Part {
    match word {
        "**" => Part::Deep,
        "*" => Part::Any,
        _ => Part::Like(word.to_owned()),
    }
}

/// A text in which nothing stands for anything else.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?")
}

/// Whether a text is like a word with `*` and `?` in it; `\` makes the next character itself.
#[must_use]
pub fn fits(like: &str, text: &str) -> bool {
    let like: Vec<char> = like.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut read) = (0, 0);
    // Where the last `*` stood, and how far it had read: the place to go on from when it fails.
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(read) {
        let (own, width) = match like.get(at) {
            Some('\\') => (like.get(at + 1), 2),
            other => (other, 1),
        };
        let special = width == 1;
        match own {
            Some('*') if special => {
                star = Some((at + 1, read));
                at += 1;
                continue;
            }
            Some('?') if special => (),
            Some(own) if own == c => (),
            Some(_) | None => {
                let Some((after, from)) = star else { return false };
                star = Some((after, from + 1));
                (at, read) = (after, from + 1);
                continue;
            }
        }
        at += width;
        read += 1;
    }
    like.get(at..).is_none_or(|rest| rest.iter().all(|c| *c == '*'))
}
