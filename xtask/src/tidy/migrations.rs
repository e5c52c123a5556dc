//! What a migration may do beside a running service: nothing that holds a large table for long, and
//! nothing that the program before this one would stumble over.
//!
//! The migrator itself waits for locks a moment at a time (`db::migrate`); these rules see to it
//! that what it then holds is held for a moment, too. New tables of the same migration are nobody's
//! yet, and free.

use std::collections::BTreeSet;

/// The last migration from before the rules: nothing that has it was released.
const BASELINE: u32 = 38;

/// Where a migration stands that takes away what nobody uses any more.
const CONTRACT: &str = "-- contract: ";

/// What is wrong with a migration, each with the line its statement begins on.
pub(super) fn faults(name: &str, text: &str) -> Vec<(usize, String)> {
    let number = name.split('_').next().and_then(|number| number.parse::<u32>().ok());
    if number.is_some_and(|number| number <= BASELINE) {
        return Vec::new();
    }
    let statements = statements(text);
    let made: BTreeSet<String> =
        statements.iter().filter_map(|one| one.after("CREATE TABLE")).collect();
    let alone = text.starts_with("-- no-transaction");
    let mut faults = Vec::new();
    if alone && statements.len() != 1 {
        let message = "a migration without a transaction has one statement: of several, some would \
                       be done when another fails";
        faults.push((1, message.to_owned()));
    }
    let mut changed: BTreeSet<String> = BTreeSet::new();
    let validates = statements.iter().any(|one| one.code.contains(" VALIDATE CONSTRAINT "));
    for one in &statements {
        let mut refuse = |message: &str| faults.push((one.line, message.to_owned()));
        for message in one.faults(&made, alone, text.contains(CONTRACT)) {
            refuse(&message);
        }
        if let Some(table) = one.altered().filter(|table| !made.contains(table)) {
            if validates && !one.code.contains(" VALIDATE CONSTRAINT ") {
                refuse(
                    "VALIDATE CONSTRAINT takes as long as the table is large: in a migration of its own",
                );
            }
            changed.insert(table);
        }
    }
    if changed.len() > 1 {
        let tables = changed.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!("it holds several tables at once ({tables}): one migration a table");
        faults.push((1, message));
    }
    faults
}

/// A statement in upper case, without comments and with single blanks; texts are `''`.
struct Statement {
    line: usize,
    code: String,
    /// What is between dollars: the body of a function, or of a block.
    bodies: Vec<String>,
}

const DROPPED: &str = "the program before this one may use it: drop it a release later, with a \
                       line `-- contract: why nobody needs it`";
const REWRITTEN: &str = "every row would be written anew";
const INDEXED: &str = "make the index CONCURRENTLY first, and ADD CONSTRAINT … USING INDEX it";

/// Default values that are one value for the whole statement.
const STABLE: [&str; 3] = ["NOW()", "CURRENT_TIMESTAMP", "CURRENT_DATE"];

impl Statement {
    /// The name that follows some words, with IF [NOT] EXISTS and ONLY left out.
    fn after(&self, words: &str) -> Option<String> {
        let rest = self.code.strip_prefix(words)?;
        let name = rest
            .split([' ', '('])
            .find(|word| !["", "IF", "NOT", "EXISTS", "ONLY", "CONCURRENTLY"].contains(word))?;
        Some(name.trim_end_matches(';').to_owned())
    }

    fn altered(&self) -> Option<String> {
        self.after("ALTER TABLE ")
    }

    fn begins(&self, words: &[&str]) -> bool {
        words.iter().any(|words| self.code.starts_with(words))
    }

    fn faults(&self, made: &BTreeSet<String>, alone: bool, contract: bool) -> Vec<String> {
        let mut faults = Vec::new();
        let mut refuse = |message: &str| faults.push(message.to_owned());
        let ours =
            |table: &Option<String>| table.as_ref().is_some_and(|table| made.contains(table));
        let index = self.begins(&["CREATE INDEX ", "CREATE UNIQUE INDEX "]);
        let concurrently = self.code.contains(" INDEX CONCURRENTLY ");
        if alone && !concurrently {
            refuse("only an index is made or dropped without a transaction, CONCURRENTLY");
        }
        if concurrently && !alone {
            refuse(
                "CONCURRENTLY works without a transaction: begin the file with `-- no-transaction`",
            );
        }
        if concurrently && !self.code.contains(" IF ") {
            refuse("say IF NOT EXISTS, or IF EXISTS: it may be begun again");
        }
        let on = self.code.split_once(" ON ").map(|(_, rest)| rest.trim_start_matches("ONLY "));
        let on = on.and_then(|rest| rest.split([' ', '(']).next()).map(str::to_owned);
        if index && !concurrently && !ours(&on) {
            refuse(
                "nobody could write while this index is made: CREATE INDEX CONCURRENTLY IF NOT EXISTS, in a migration of its own",
            );
        }
        if self.altered().is_some() && !ours(&self.altered()) {
            faults.extend(self.alterations(contract));
        }
        let mut refuse = |message: &str| faults.push(message.to_owned());
        for words in ["UPDATE ", "DELETE FROM ", "TRUNCATE "] {
            if self.begins(&[words]) && !ours(&self.after(words)) {
                refuse("rows of a table in use are changed in batches, by a job");
            }
        }
        if self.begins(&["DROP TABLE ", "DROP VIEW ", "DROP FUNCTION "]) && !contract {
            refuse(DROPPED);
        }
        if self.begins(&["LOCK ", "CLUSTER", "VACUUM", "REINDEX", "REFRESH MATERIALIZED"]) {
            refuse("this holds a table for as long as it takes");
        }
        if self.code.contains("LOCK_TIMEOUT") || self.code.contains("STATEMENT_TIMEOUT") {
            refuse("the migrator says how long is waited, for every migration alike");
        }
        let does = |body: &String| {
            ["ALTER TABLE", "CREATE INDEX", "UPDATE ", "DELETE FROM", "EXECUTE"]
                .iter()
                .any(|words| body.contains(words))
        };
        if self.begins(&["DO "]) && self.bodies.iter().any(does) {
            refuse("what a block does cannot be looked at: write the statements out");
        }
        faults
    }

    /// What is wrong with `ALTER TABLE` of a table in use, each of its parts by itself.
    fn alterations(&self, contract: bool) -> Vec<String> {
        let mut faults = Vec::new();
        for part in parts(&self.code) {
            let mut refuse = |message: &str| faults.push(message.to_owned());
            let has = |words: &str| part.contains(words);
            if has(" ADD CONSTRAINT ") {
                let index = ["UNIQUE", "PRIMARY KEY", "EXCLUDE"].iter().any(|kind| has(kind));
                if index && !has(" USING INDEX ") {
                    refuse(INDEXED);
                } else if !index && !has(" NOT VALID") {
                    refuse(
                        "every row would be looked at under the lock: NOT VALID here, VALIDATE CONSTRAINT in the next migration",
                    );
                }
            } else if has(" ADD ") {
                faults.extend(column(&part));
            }
            let mut refuse = |message: &str| faults.push(message.to_owned());
            if has(" ALTER ") && (has(" TYPE ") || has(" SET EXPRESSION")) {
                refuse(
                    "every row would be written anew: add a column, fill it by a job, and drop the old one later",
                );
            }
            if has(" SET NOT NULL") {
                refuse(
                    "every row would be looked at under the lock: ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID, and VALIDATE it in the next migration",
                );
            }
            if has(" SET TABLESPACE")
                || has(" SET LOGGED")
                || has(" SET UNLOGGED")
                || has(" SET ACCESS METHOD")
            {
                refuse(REWRITTEN);
            }
            if has(" RENAME ") {
                refuse("the program before this one knows the old name: add the new one beside it");
            }
            if has(" DROP ")
                && !has(" DROP CONSTRAINT ")
                && !has(" DROP NOT NULL")
                && !has(" DROP DEFAULT")
                && !contract
            {
                refuse(DROPPED);
            }
        }
        faults
    }
}

/// What is wrong with a column that is added to a table in use.
fn column(part: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut refuse = |message: &str| faults.push(message.to_owned());
    let default = part.split_once(" DEFAULT ").map(|(_, value)| {
        STABLE.iter().fold(value.to_owned(), |value, stable| value.replace(stable, "''"))
    });
    if default.as_ref().is_some_and(|value| value.contains('(')) {
        refuse(
            "every row would be written anew for a default that differs by row: a constant, or fill it by a job",
        );
    }
    if part.contains(" NOT NULL") && default.is_none() {
        refuse(
            "rows that are there have no value for it, nor has the program before this one: give it a DEFAULT",
        );
    }
    for (word, why) in [
        (" GENERATED ", REWRITTEN),
        ("SERIAL", REWRITTEN),
        (
            " REFERENCES ",
            "ADD CONSTRAINT … FOREIGN KEY … NOT VALID, and VALIDATE it in the next migration",
        ),
        (" CHECK ", "ADD CONSTRAINT … CHECK … NOT VALID, and VALIDATE it in the next migration"),
        (" UNIQUE", INDEXED),
        (" PRIMARY KEY", INDEXED),
    ] {
        if part.contains(word) {
            refuse(why);
        }
    }
    faults
}

/// The parts of an `ALTER TABLE`, between the commas outside brackets, a blank in front of each.
fn parts(code: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::from(" ")], 0_i32);
    for character in code.chars() {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if character == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
}

/// A text's statements.
fn statements(text: &str) -> Vec<Statement> {
    let mut all = Vec::new();
    let (mut code, mut bodies, mut line, mut begun) = (String::new(), Vec::new(), 1, 1);
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let token = token(rest);
        match next {
            '-' | '/' if token.len() > 1 => code.push(' '),
            '\'' => code.push_str("''"),
            '$' if token.len() > 1 => {
                code.push_str(" $$ ");
                bodies.push(token.to_uppercase());
            }
            ';' => {
                let words: Vec<&str> = code.split_whitespace().collect();
                if !words.is_empty() {
                    let code = words.join(" ");
                    all.push(Statement { line: begun, code, bodies: std::mem::take(&mut bodies) });
                }
                code.clear();
            }
            _ => {
                if code.trim().is_empty() && !next.is_whitespace() {
                    begun = line;
                }
                code.extend(next.to_uppercase());
            }
        }
        line += token.matches('\n').count();
        rest = rest.get(token.len()..).unwrap_or_default();
    }
    if !code.trim().is_empty() {
        let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
        all.push(Statement { line: begun, code, bodies });
    }
    all
}

/// The next comment, text or body as a whole, or the next character.
fn token(rest: &str) -> &str {
    let until = |from: usize, end: &str| {
        let tail = rest.get(from..).unwrap_or_default();
        tail.find(end).map_or(rest, |at| rest.get(..from + at + end.len()).unwrap_or(rest))
    };
    if rest.starts_with("--") {
        return until(2, "\n");
    }
    if rest.starts_with("/*") {
        return until(2, "*/");
    }
    if rest.starts_with('\'') {
        return until(1, "'");
    }
    if let Some(tail) = rest.strip_prefix('$')
        && let Some(end) = tail.find('$')
        && tail.get(..end).is_some_and(|tag| tag.chars().all(|c| c.is_alphanumeric() || c == '_'))
    {
        let tag = rest.get(..end + 2).unwrap_or_default();
        return until(tag.len(), tag);
    }
    let first = rest.chars().next().map_or(0, char::len_utf8);
    rest.get(..first).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        faults("0100_new.sql", text).into_iter().map(|(_, message)| message).collect()
    }

    #[test]
    fn o2_a_statement_that_would_hold_up_writers_is_named() {
        for (statement, part) in [
            ("CREATE INDEX i ON countersign.findings (kind);", "CONCURRENTLY"),
            (
                "CREATE UNIQUE INDEX i\n  ON countersign.findings USING btree (kind);",
                "CONCURRENTLY",
            ),
            ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a.b (c);", "-- no-transaction"),
            ("-- no-transaction\nCREATE INDEX CONCURRENTLY i ON a.b (c);", "IF NOT EXISTS"),
            ("-- no-transaction\nALTER TABLE a.b ADD COLUMN c int;", "only an index"),
            (
                "-- no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS i;\nDROP INDEX CONCURRENTLY IF EXISTS j;",
                "one statement",
            ),
            ("ALTER TABLE a.b ADD COLUMN c uuid DEFAULT gen_random_uuid();", "differs by row"),
            (
                "alter table only a.b add column c timestamptz default clock_timestamp();",
                "differs by row",
            ),
            ("ALTER TABLE a.b ADD c int NOT NULL;", "give it a DEFAULT"),
            ("ALTER TABLE a.b ADD COLUMN c int, ADD COLUMN d bigserial;", "written anew"),
            (
                "ALTER TABLE a.b ADD COLUMN c int GENERATED ALWAYS AS (d + 1) STORED;",
                "written anew",
            ),
            ("ALTER TABLE a.b ADD COLUMN c int CONSTRAINT x REFERENCES a.d (c);", "FOREIGN KEY"),
            ("ALTER TABLE a.b ADD COLUMN c int CONSTRAINT x CHECK (c > 0);", "CHECK"),
            ("ALTER TABLE a.b ADD CONSTRAINT x CHECK (c > 0);", "NOT VALID"),
            ("ALTER TABLE a.b ADD CONSTRAINT x FOREIGN KEY (c) REFERENCES a.d (c);", "NOT VALID"),
            ("ALTER TABLE a.b ADD CONSTRAINT x UNIQUE (c, d);", "USING INDEX"),
            (
                "ALTER TABLE a.b DROP CONSTRAINT x, ADD CONSTRAINT x CHECK (c IN (1, 2));",
                "NOT VALID",
            ),
            ("ALTER TABLE a.b ALTER COLUMN c TYPE bigint;", "written anew"),
            ("ALTER TABLE a.b ALTER c SET NOT NULL;", "IS NOT NULL"),
            ("ALTER TABLE a.b RENAME COLUMN c TO d;", "old name"),
            ("ALTER TABLE a.b DROP COLUMN c;", "-- contract"),
            ("DROP TABLE a.b;", "-- contract"),
            (
                "ALTER TABLE a.b ADD CONSTRAINT x CHECK (c > 0) NOT VALID;\nALTER TABLE a.b VALIDATE CONSTRAINT x;",
                "of its own",
            ),
            ("UPDATE a.b SET c = 1;", "in batches"),
            ("DELETE FROM a.b WHERE c = 'x;y';", "in batches"),
            ("LOCK TABLE a.b;", "as long as it takes"),
            ("SET LOCAL lock_timeout = 0;", "the migrator"),
            ("DO $$ BEGIN EXECUTE 'ALTER TABLE a.b ADD c int'; END $$;", "a block"),
            (
                "ALTER TABLE a.b ADD COLUMN c int;\nALTER TABLE a.d ADD COLUMN c int;",
                "several tables",
            ),
        ] {
            let found = messages(statement);
            assert_eq!(found.len(), 1, "{statement}: {found:?}");
            assert!(found[0].contains(part), "{statement}: {found:?}");
            assert_eq!(faults("0038_old.sql", statement), [], "before the rules: {statement}");
        }
        assert_eq!(faults("0100_a.sql", "-- one\n\n-- two\nDROP TABLE\n a.b;")[0].0, 4);
    }

    #[test]
    fn o2_what_holds_up_nobody_may_be_done() {
        for statement in [
            "ALTER TABLE a.b ADD COLUMN c int;",
            "ALTER TABLE a.b ADD COLUMN c int NOT NULL DEFAULT 0, ADD COLUMN d jsonb DEFAULT '{}'::jsonb;",
            "ALTER TABLE a.b ADD COLUMN c timestamptz NOT NULL DEFAULT now();",
            "ALTER TABLE a.b ADD CONSTRAINT x CHECK (c IN (1, 2)) NOT VALID;",
            "ALTER TABLE a.b VALIDATE CONSTRAINT x;",
            "ALTER TABLE a.b ADD CONSTRAINT x UNIQUE USING INDEX y;",
            "ALTER TABLE a.b ALTER COLUMN c DROP NOT NULL, DROP CONSTRAINT x;",
            "-- no-transaction\n-- It is large.\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a.b (c);",
            "-- contract: nothing has read it since 0.4\nALTER TABLE a.b DROP COLUMN c;",
            "CREATE TABLE a.new (c uuid DEFAULT gen_random_uuid());\nCREATE INDEX i ON a.new (c);\n\
             ALTER TABLE a.new ADD CONSTRAINT x CHECK (c <> 'a;b');\nUPDATE a.new SET c = NULL;",
            "CREATE FUNCTION a.f() RETURNS void LANGUAGE sql AS $$ UPDATE a.b SET c = 1; $$;",
            "-- UPDATE a.b SET c = 1;\n/* DROP TABLE a.b; */\nGRANT SELECT ON a.b TO d;",
            "COMMENT ON TABLE a.b IS 'DROP TABLE a.b; it''s gone';",
        ] {
            assert_eq!(messages(statement), Vec::<String>::new(), "{statement}");
        }
    }
}
