//! The words of one command: which of them are read a second time by what the command runs.

use crate::runbook::problem::Fault;

/// A word of a command.
#[derive(Debug, Clone, Default)]
pub(super) struct Word {
    /// Its literal text; a placeholder counts as U+FFFC.
    pub(super) text: String,
    pub(super) quoted: bool,
    /// Whether it is where a redirection goes.
    pub(super) redirection: bool,
    /// Where its first placeholder is.
    placeholder: Option<usize>,
    /// Where it first reads a variable from outside.
    variable: Option<usize>,
}

impl Word {
    pub(super) fn placeholder(&mut self, offset: usize) {
        self.text.push('\u{fffc}');
        self.placeholder.get_or_insert(offset);
    }

    pub(super) fn variable(&mut self, offset: usize) {
        self.variable.get_or_insert(offset);
    }

    /// Where it holds a value from outside.
    fn outside(&self) -> Option<usize> {
        self.placeholder.or(self.variable)
    }

    /// Whether it is the file descriptor of a redirection that follows it.
    pub(super) fn descriptor(&self) -> bool {
        let digits = self.text.chars().all(|character| character.is_ascii_digit());
        let named = self.text.starts_with('{') && self.text.ends_with('}');
        !self.quoted && self.outside().is_none() && (digits || named)
    }

    fn program(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or(&self.text)
    }
}

/// Words after which another command follows.
const KEYWORDS: &[&str] = &["if", "then", "elif", "else", "do", "while", "until", "!", "{"];

/// Shells: what follows `-c` is a program.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "fish", "csh", "tcsh"];

/// Commands that read their words again as shell, or as the name of something to evaluate.
const EVALUATING: &[&str] = &[
    "eval",
    "source",
    ".",
    "trap",
    "let",
    "unset",
    "alias",
    "read",
    "mapfile",
    "readarray",
    "getopts",
    "ssh",
    "watch",
    "parallel",
    "at",
    "batch",
    "expect",
];

/// Programs with a language of their own, and the options that take a program in it.
const INTERPRETERS: &[&str] = &[
    "python",
    "python2",
    "python3",
    "perl",
    "ruby",
    "node",
    "php",
    "lua",
    "awk",
    "gawk",
    "mawk",
    "sed",
    "jq",
    "psql",
    "mysql",
    "mariadb",
    "sqlite3",
    "mongosh",
    "redis-cli",
    "tclsh",
];

/// Of these, the ones whose first plain word is a program or a script.
const PROGRAM_FIRST: &[&str] = &[
    "python", "python2", "python3", "perl", "ruby", "node", "php", "lua", "awk", "gawk", "mawk",
    "sed", "jq", "tclsh",
];

const PROGRAM_OPTIONS: &[&str] =
    &["-c", "-e", "-E", "-r", "--eval", "--expression", "--command", "--execute", "--print"];

/// A command that runs the rest of its words: options that take a word, and words before the rest.
struct Prefix {
    name: &'static str,
    with_word: &'static str,
    words: usize,
}

const PREFIXES: &[Prefix] = &[
    Prefix { name: "sudo", with_word: "ugphCTrtUDR", words: 0 },
    Prefix { name: "doas", with_word: "uC", words: 0 },
    Prefix { name: "env", with_word: "uC", words: 0 },
    Prefix { name: "nice", with_word: "n", words: 0 },
    Prefix { name: "ionice", with_word: "cnpPu", words: 0 },
    Prefix { name: "timeout", with_word: "ks", words: 1 },
    Prefix { name: "flock", with_word: "wE", words: 1 },
    Prefix { name: "chroot", with_word: "", words: 1 },
    Prefix { name: "stdbuf", with_word: "ioe", words: 0 },
    Prefix { name: "xargs", with_word: "IdEnLPsa", words: 0 },
    Prefix { name: "exec", with_word: "a", words: 0 },
    Prefix { name: "time", with_word: "fo", words: 0 },
    Prefix { name: "coproc", with_word: "", words: 0 },
    Prefix { name: "function", with_word: "", words: 1 },
    Prefix { name: "nohup", with_word: "", words: 0 },
    Prefix { name: "setsid", with_word: "", words: 0 },
    Prefix { name: "command", with_word: "", words: 0 },
    Prefix { name: "builtin", with_word: "", words: 0 },
    Prefix { name: "busybox", with_word: "", words: 0 },
];

/// Variables that change what later commands mean.
const STEERING: &[&str] = &["IFS", "PATH", "ENV", "BASH_ENV", "PS4", "PROMPT_COMMAND", "SHELLOPTS"];

/// Checks the words of one command.
pub(super) fn check(words: &[Word]) -> Vec<Fault> {
    if words.iter().all(|word| word.outside().is_none()) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        if !first.quoted && KEYWORDS.contains(&first.text.as_str()) {
            rest = after;
        } else if let Some(name) = assigned(first) {
            if let Some(offset) = first.placeholder.filter(|_| steers(name)) {
                faults.push(Fault::new(
                    offset,
                    "placeholder_steers_shell",
                    format!("{name} changes what the shell itself does"),
                ));
            }
            rest = after;
        } else if let Some(prefix) = PREFIXES.iter().find(|prefix| prefix.name == first.program()) {
            if prefix.name == "env" {
                faults.extend(after_option(after, &["-S", "--split-string"]));
            }
            if prefix.name == "flock" {
                faults.extend(after_option(after, &["-c", "--command"]));
            }
            rest = past_options(after, prefix);
        } else {
            break;
        }
    }
    if let Some((name, arguments)) = rest.split_first() {
        faults.extend(run(name, arguments));
    }
    faults
}

/// The name a word assigns to.
fn assigned(word: &Word) -> Option<&str> {
    let (name, _) = word.text.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let mut characters = name.chars();
    let plain = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|other| other.is_ascii_alphanumeric() || other == '_');
    plain.then_some(name)
}

pub(super) fn steers(name: &str) -> bool {
    STEERING.contains(&name) || name.starts_with("LD_") || name.starts_with("BASH_FUNC")
}

fn past_options<'a>(words: &'a [Word], prefix: &Prefix) -> &'a [Word] {
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        let Some(option) = first.text.strip_prefix('-').filter(|_| first.placeholder.is_none())
        else {
            break;
        };
        let takes_word = !option.starts_with('-')
            && option.chars().last().is_some_and(|last| prefix.with_word.contains(last));
        rest = if takes_word { after.get(1..).unwrap_or_default() } else { after };
        if option == "-" {
            break;
        }
    }
    rest.get(prefix.words..).unwrap_or_default()
}

/// What a command does with its words.
fn run(name: &Word, arguments: &[Word]) -> Vec<Fault> {
    if let Some(offset) = name.outside() {
        return vec![
            Fault::new(offset, "placeholder_as_command", "a value decides which command runs")
                .hint("name the command in the runbook"),
        ];
    }
    let program = name.program();
    let mut faults = Vec::new();
    // Wherever it stands: better one `echo eval` refused than one `coproc x eval` missed.
    if let Some(index) = arguments.iter().position(|word| word.text == "eval") {
        let again_read = arguments.iter().skip(index).filter_map(Word::outside);
        faults.extend(again_read.map(|offset| again(offset, "eval reads its words a second time")));
    }
    if EVALUATING.contains(&program) {
        faults.extend(arguments.iter().filter_map(|word| {
            let offset = word.outside()?;
            Some(again(offset, &format!("{program} reads its words a second time")))
        }));
    }
    if matches!(program, "test" | "[") && has(arguments, &["-v", "-R"]) {
        faults.extend(arguments.iter().filter_map(|word| {
            Some(again(word.placeholder?, "[ -v ] evaluates the name it is given"))
        }));
    }
    if program == "printf" && has(arguments, &["-v"]) {
        faults.extend(after_option(arguments, &["-v"]));
    }
    if matches!(program, "export" | "readonly" | "declare" | "typeset" | "local") {
        faults.extend(declared(program, arguments));
    }
    if matches!(program, "su" | "runuser" | "script") {
        faults.extend(after_option(arguments, &["-c", "--command", "--session-command"]));
    }
    if INTERPRETERS.contains(&program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'))
        || INTERPRETERS.contains(&program)
    {
        faults.extend(interpreted(program, arguments));
    }
    if program == "find" {
        for (index, word) in arguments.iter().enumerate() {
            if matches!(word.text.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir") {
                faults.extend(check(arguments.get(index + 1..).unwrap_or_default()));
            }
        }
    }
    faults.extend(shells(name, arguments));
    faults
}

/// Shells anywhere among the words: `docker exec x sh -c …` runs one too.
fn shells(name: &Word, arguments: &[Word]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let words: Vec<&Word> = std::iter::once(name).chain(arguments).collect();
    for (index, word) in words.iter().enumerate() {
        if !SHELLS.contains(&word.program()) {
            continue;
        }
        let mut rest = words.iter().skip(index + 1);
        while let Some(option) = rest.next() {
            let text = option.text.as_str();
            if text == "-o" || text == "+o" {
                rest.next();
            } else if text.starts_with('-') && !text.starts_with("--") && text.contains('c') {
                // Options may stand between `-c` and the program.
                let program = rest.find(|word| !word.text.starts_with('-'));
                faults.extend(program.and_then(|word| word.outside()).map(|offset| {
                    Fault::new(offset, "nested_shell", "a value inside the program of sh -c")
                        .hint("give it as an argument: sh -c '… \"$1\"' sh {{ x }}")
                }));
                break;
            } else if !text.starts_with('-') && !text.starts_with('+') {
                // The first plain word is a script; only as the command itself is that sure.
                if index == 0 {
                    faults.extend(option.placeholder.map(|offset| {
                        Fault::new(offset, "nested_shell", "a value decides which script runs")
                    }));
                }
                break;
            }
        }
    }
    faults
}

fn declared(program: &str, arguments: &[Word]) -> Vec<Fault> {
    let options = arguments.iter().any(|word| {
        word.text.starts_with('-') && !matches!(word.text.as_str(), "-x" | "-r" | "-g" | "-p")
    });
    arguments
        .iter()
        .filter_map(|word| {
            let offset = word.placeholder?;
            match assigned(word) {
                Some(name) if !options && !steers(name) => None,
                _ => Some(again(offset, &format!("{program} evaluates what it declares"))),
            }
        })
        .collect()
}

fn interpreted(program: &str, arguments: &[Word]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut named = false;
    let mut plain_seen = false;
    let mut rest = arguments.iter();
    let family = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    while let Some(word) = rest.next() {
        let text = word.text.as_str();
        let (option, joined) = text.split_once('=').map_or((text, false), |(o, _)| (o, true));
        // Options may be bundled: `perl -ne`, `sed -ne`.
        let takes_program = text.starts_with('-')
            && (PROGRAM_OPTIONS.contains(&option)
                || (program == "node" && text == "-p")
                || (!text.starts_with("--")
                    && text.chars().last().is_some_and(|last| matches!(last, 'e' | 'c' | 'E'))));
        if takes_program {
            named = true;
            let program_word = if joined { Some(word) } else { rest.next() };
            faults.extend(program_word.and_then(Word::outside).map(in_program));
        } else if matches!(text, "-f" | "--file" | "-v" | "-F" | "--arg" | "--argjson") {
            named |= matches!(text, "-f" | "--file");
            rest.next();
            if matches!(text, "--arg" | "--argjson") {
                rest.next();
            }
        } else if text.starts_with('-') {
            faults.extend(
                word.outside()
                    .filter(|_| text.starts_with("-e") || text.starts_with("-c"))
                    .map(in_program),
            );
        } else if !plain_seen {
            plain_seen = true;
            let first = PROGRAM_FIRST.contains(&program) || PROGRAM_FIRST.contains(&family);
            if first && !named {
                faults.extend(word.outside().map(in_program));
            }
        } else if program == "sqlite3" {
            faults.extend(word.outside().map(in_program));
        }
    }
    faults
}

fn in_program(offset: usize) -> Fault {
    Fault::new(offset, "placeholder_in_program", "a value inside a program of another language")
        .hint("give it as an argument of the program")
}

fn again(offset: usize, message: &str) -> Fault {
    Fault::new(offset, "evaluated_again", message)
        .hint("use a command that takes words as they are")
}

fn has(words: &[Word], wanted: &[&str]) -> bool {
    words.iter().any(|word| wanted.contains(&word.text.as_str()))
}

/// Faults of the word after one of these options, and of one joined to it with `=`.
fn after_option(words: &[Word], options: &[&str]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let (option, joined) =
            word.text.split_once('=').map_or((word.text.as_str(), false), |(o, _)| (o, true));
        if !options.contains(&option) {
            continue;
        }
        let taken = if joined { Some(word) } else { words.get(index + 1) };
        faults.extend(
            taken
                .and_then(Word::outside)
                .map(|offset| again(offset, "its value is read as a command")),
        );
    }
    faults
}
