//! What is refused in a bundle before the engine sees it: what it cannot do, what it would misread,
//! and what would make the same input give different answers.

use std::collections::{BTreeMap, BTreeSet};

use super::token::{Kind, Token, tokens};
use super::{Files, PACKAGE, PolicyProblem, TEST_SUFFIX, problem};

mod builtins;

/// Most files in a bundle.
const MOST_FILES: usize = 64;
/// Most bytes in a bundle.
const MOST_BYTES: usize = 1 << 20;

const KEYWORDS: [&str; 14] = [
    "as", "default", "else", "every", "false", "if", "import", "in", "not", "null", "package",
    "some", "true", "with",
];

/// What a file declares.
struct Module<'a> {
    path: &'a str,
    tokens: Vec<Token<'a>>,
    package: String,
    imports: Vec<Import<'a>>,
    rules: BTreeSet<&'a str>,
}

struct Import<'a> {
    token: Token<'a>,
    path: String,
    name: &'a str,
}

/// Declared rules per package, over the whole bundle.
type Packages<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Every problem of a bundle that can be seen in its text.
pub(super) fn problems(files: &Files) -> Vec<PolicyProblem> {
    let bytes: usize = files.values().map(String::len).sum();
    if files.len() > MOST_FILES || bytes > MOST_BYTES {
        let message = format!("a bundle holds at most {MOST_FILES} files and {MOST_BYTES} bytes");
        return vec![problem("", &message)];
    }
    let mut problems = Vec::new();
    for path in files.keys().filter(|path| !well_named(path)) {
        problems.push(problem(path, "a bundle holds relative paths ending in .rego"));
    }
    for (path, _) in files.iter().filter(|(_, source)| source.contains('\0')) {
        problems.push(problem(path, "a zero byte has no place in a policy"));
    }
    let modules: Vec<_> = files.iter().map(|(path, source)| module(path, source)).collect();
    let mut packages = Packages::new();
    for module in &modules {
        packages.entry(&module.package).or_default().extend(&module.rules);
    }
    if !packages.get(PACKAGE).is_some_and(|rules| rules.contains("decision")) {
        let message = format!("no file declares the rule `decision` in package {PACKAGE}");
        problems.push(problem("", &message));
    }
    for module in &modules {
        check(module, &packages, &mut problems);
    }
    problems
}

fn well_named(path: &str) -> bool {
    path.ends_with(".rego")
        && !path.starts_with('/')
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && !path.contains('\\')
        && !path.chars().any(char::is_control)
}

/// Names of the tests a file declares, with the line each starts on, and the file's package.
pub(super) fn tests(source: &str) -> (String, Vec<(String, u32)>) {
    let module = module("", source);
    let mut found: Vec<(String, u32)> = Vec::new();
    for token in heads(&module.tokens) {
        if token.text.starts_with("test_") && found.iter().all(|(name, _)| name != token.text) {
            found.push((token.text.to_owned(), token.line));
        }
    }
    (module.package, found)
}

/// The rules a source declares in its package, for the one that decides.
pub(super) fn declared(files: &Files) -> BTreeSet<String> {
    files
        .iter()
        .map(|(path, source)| module(path, source))
        .filter(|module| module.package == PACKAGE)
        .flat_map(|module| module.rules.into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn module<'a>(path: &'a str, source: &'a str) -> Module<'a> {
    let tokens = tokens(source);
    let mut package = String::new();
    let mut imports = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Some(next) = tokens.get(at + 1) else { break };
        if token.first && token.named("package") {
            package = chain(&tokens, at + 1).0;
        } else if token.first && token.named("import") {
            let (path, after) = chain(&tokens, at + 1);
            let alias = tokens
                .get(after)
                .filter(|token| token.named("as"))
                .and_then(|_| tokens.get(after + 1))
                .map(|token| token.text);
            let last = tokens.get(after.saturating_sub(1)).map_or("", |token| token.text);
            imports.push(Import { token: *next, path, name: alias.unwrap_or(last) });
        }
    }
    let rules = heads(&tokens).map(|token| token.text).collect();
    Module { path, tokens, package, imports, rules }
}

/// Names that may begin a rule: first on their line, outside every bracket, after `default` or not.
fn heads<'a, 'b>(tokens: &'b [Token<'a>]) -> impl Iterator<Item = &'b Token<'a>> {
    let mut depth = 0_i32;
    tokens.iter().enumerate().filter_map(move |(at, token)| {
        let outside = depth == 0;
        if token.kind == Kind::Symbol {
            depth += match token.text {
                "{" | "(" | "[" => 1,
                "}" | ")" | "]" => -1,
                _ => 0,
            };
        }
        if !outside || !token.first || token.kind != Kind::Name {
            None
        } else if token.text == "default" {
            tokens.get(at + 1).filter(|next| next.kind == Kind::Name)
        } else {
            Some(token).filter(|token| !KEYWORDS.contains(&token.text))
        }
    })
}

/// The names joined by dots from `at` on, and the place after them.
fn chain(tokens: &[Token<'_>], at: usize) -> (String, usize) {
    let mut path = String::new();
    let mut next = at;
    while let Some(name) = tokens.get(next).filter(|token| token.kind == Kind::Name) {
        path.push_str(name.text);
        next += 1;
        let dotted = tokens.get(next).is_some_and(|dot| dot.is(".") && dot.start == name.end)
            && tokens.get(next + 1).is_some_and(|token| token.kind == Kind::Name);
        if !dotted {
            break;
        }
        path.push('.');
        next += 1;
    }
    (path, next)
}

fn check(module: &Module<'_>, packages: &Packages<'_>, problems: &mut Vec<PolicyProblem>) {
    let testing = module.path.ends_with(TEST_SUFFIX);
    let mut refuse = |token: &Token<'_>, message: String| {
        let (file, line, column) = (module.path.to_owned(), token.line, token.column);
        problems.push(PolicyProblem { file, line, column, message });
    };
    if let Some(first) = module.tokens.first().filter(|_| reserved(&module.package)) {
        refuse(first, "packages under `countersign` are reserved".to_owned());
    }
    if let Some(first) = module.tokens.first().filter(|_| testing && module.package == PACKAGE) {
        refuse(first, format!("tests live in a package of their own, not in {PACKAGE}"));
    }
    for import in &module.imports {
        if !importable(&import.path, packages) {
            refuse(&import.token, format!("nothing in the bundle declares `{}`", import.path));
        }
    }
    for (at, token) in module.tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| module.tokens.get(at));
        let after = module.tokens.get(at + 1);
        if token.is("$") && after.is_some_and(|next| next.kind == Kind::Text) {
            refuse(token, "string interpolation is not supported: use sprintf".to_owned());
        }
        if token.is("(") && before.is_some_and(|before| before.is("]") && before.end == token.start)
        {
            refuse(token, "a call through brackets is not supported".to_owned());
        }
        if token.is("(") && before.is_some_and(|before| misread(before, token)) {
            let message = "`(` with a gap before it is read as a call of what stands before it: \
                           close the gap, or write the expression without parentheses";
            refuse(token, message.to_owned());
        }
        if token.named("with") && !testing {
            refuse(token, "`with` is supported in tests only".to_owned());
        }
        if token.kind == Kind::Name && !before.is_some_and(|before| before.is(".")) {
            reference(module, packages, at, &mut refuse);
        }
        if token.kind == Kind::Name
            && KEYWORDS.contains(&token.text)
            && before.is_some_and(|before| before.is(".") && before.end == token.start)
        {
            let word = token.text;
            refuse(token, format!("`.{word}` is not supported: write [\"{word}\"]"));
        }
    }
}

fn reserved(package: &str) -> bool {
    package == "countersign" || package.starts_with("countersign.")
}

/// Whether the engine would take `paren` for the call of a name it does not belong to.
fn misread(before: &Token<'_>, paren: &Token<'_>) -> bool {
    let callable =
        (before.kind == Kind::Name && !KEYWORDS.contains(&before.text)) || before.is("]");
    callable && before.end != paren.start
}

/// Looks at a name that begins a reference: is the function known, is the data there?
fn reference(
    module: &Module<'_>,
    packages: &Packages<'_>,
    at: usize,
    refuse: &mut impl FnMut(&Token<'_>, String),
) {
    let Some(token) = module.tokens.get(at) else { return };
    let (path, after) = chain(&module.tokens, at);
    let called = module.tokens.get(after).is_some_and(|next| next.is("("));
    let imported = module.imports.iter().any(|import| import.token.start == token.start);
    let head = token.text;
    if imported || KEYWORDS.contains(&head) {
        return;
    }
    if head == "data" {
        if !module.path.ends_with(TEST_SUFFIX) && path != "data" && !importable(&path, packages) {
            refuse(token, format!("nothing in the bundle declares `{path}`"));
        }
    } else if called {
        let own = !path.contains('.')
            && packages.get(module.package.as_str()).is_some_and(|rules| rules.contains(head));
        let aliased = module.imports.iter().any(|import| import.name == head);
        // What is refused stays refused under whatever else may bear its name.
        let verdict =
            if own || aliased { builtins::known(&path) } else { builtins::supported(&path) };
        if let Err(why) = verdict {
            refuse(token, why);
        }
    }
}

/// Whether an import or a reference to data leads somewhere.
fn importable(path: &str, packages: &Packages<'_>) -> bool {
    match path.split_once('.').map_or((path, ""), |split| split) {
        ("rego", "v1") | ("input", _) => true,
        ("future", rest) => matches!(
            rest,
            "keywords" | "keywords.if" | "keywords.in" | "keywords.every" | "keywords.contains"
        ),
        ("data", rest) => packages.iter().any(|(package, rules)| {
            *package == rest
                || package.starts_with(&format!("{rest}."))
                || rest
                    .strip_prefix(package)
                    .and_then(|tail| tail.strip_prefix('.'))
                    .and_then(|tail| tail.split('.').next())
                    .is_some_and(|rule| rules.contains(rule))
        }),
        _ => false,
    }
}
