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
    /// This name, this key or these digits of a place.
    Exactly(String),
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
                parts.push(if quoted { like(word.to_owned()) } else { part(word) });
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
            Step::Name(text) | Step::Key(text) => like(literal(text)),
            Step::Index(place) => Part::Exactly(place.to_string()),
        };
        Self(path.iter().map(step).collect())
    }

    /// The word of a pattern that means whatever is called so, wherever it is: `**.word`.
    pub(super) fn anywhere(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Deep, Part::Exactly(word) | Part::Like(word)] => Some(word),
            _ => None,
        }
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
                (Part::Exactly(own), Step::Name(text) | Step::Key(text)) => own == text,
                (Part::Exactly(own), Step::Index(place)) => {
                    own.starts_with(|first: char| first.is_ascii_digit())
                        && *own == place.to_string()
                }
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
        _ => like(word.to_owned()),
    }
}

fn like(word: String) -> Part {
    if word.contains(SPECIAL) { Part::Like(word) } else { Part::Exactly(word) }
}

/// What stands for something else in a word.
pub(super) const SPECIAL: [char; 3] = ['*', '?', '\\'];

/// A text in which nothing stands for anything else.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?")
}

/// Whether a text is like a word with `*` and `?` in it; `\` makes the next character itself.
#[must_use]
pub fn fits(like: &str, text: &str) -> bool {
    if !like.contains(SPECIAL) {
        return like == text;
    }
    // Most words with a `*` begin or end with it.
    if let Some(end) = like.strip_prefix('*').filter(|end| !end.contains(SPECIAL)) {
        return text.ends_with(end);
    }
    if let Some(begin) = like.strip_suffix('*').filter(|begin| !begin.contains(SPECIAL)) {
        return text.starts_with(begin);
    }
    let first = |text: &str, at: usize| text.get(at..).and_then(|rest| rest.chars().next());
    let (mut at, mut read) = (0, 0);
    // Where the last `*` stood, and how far it had read: the place to go on from when it fails.
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = first(text, read) {
        let (own, before) = match first(like, at) {
            Some('\\') => (first(like, at + 1), 1),
            other => (other, 0),
        };
        match own {
            Some('*') if before == 0 => {
                star = Some((at + 1, read));
                at += 1;
                continue;
            }
            Some('?') if before == 0 => at += 1,
            Some(own) if own == c => at += before + own.len_utf8(),
            Some(_) | None => {
                let Some((after, from)) = star else { return false };
                let from = from + first(text, from).map_or(1, char::len_utf8);
                star = Some((after, from));
                (at, read) = (after, from);
                continue;
            }
        }
        read += c.len_utf8();
    }
    like.get(at..).is_none_or(|rest| rest.chars().all(|c| c == '*'))
}
