//! A list of a table that grows large is sorted only by what an index holds.

use super::Source;

/// Tables with few rows a tenant, whatever its size: they are sorted as they are read.
const SMALL: [&str; 16] = [
    "chat_sessions",
    "drift_metrics_daily",
    "environments",
    "exceptions",
    "iac_repositories",
    "invitations",
    "llm_providers",
    "ml_models",
    "ml_performance_metrics",
    "notification_channels",
    "oidc_providers",
    "policies",
    "schedules",
    "services",
    "terminal_sessions",
    "user_sessions",
];

/// Names each column a list may be sorted by that no index of its table begins with.
pub(super) fn sorted(sources: &[Source], migrations: &str, breaches: &mut Vec<String>) {
    let migrations = migrations.split_whitespace().collect::<Vec<_>>().join(" ");
    for source in sources.iter().filter(|source| !source.is_test()) {
        let mut table = None;
        for (at, line) in source.lines() {
            if let Some((_, rest)) = line.split_once("table: \"countersign.") {
                table = rest.split('"').next();
            }
            let Some(table) = table.filter(|table| !SMALL.contains(table)) else { continue };
            let Some(column) = sort_of(line) else { continue };
            if !indexed(&migrations, table, column) {
                breaches.push(format!(
                    "{}:{at}: lists are sorted by {column}, and no index of {table} is on \
                     (tenant_id, {column}, …): make one, let it be `.age()`, or do not sort by it",
                    source.path
                ));
            }
        }
    }
}

/// The column of a line that declares one to sort by.
fn sort_of(line: &str) -> Option<&str> {
    let (name, rest) = line.trim().split_once(": ")?;
    (rest.contains(" => ") && rest.contains(".sort()")).then(|| name.trim_start_matches("r#"))
}

fn indexed(migrations: &str, table: &str, column: &str) -> bool {
    let begins = |after: &str| {
        after
            .strip_prefix(&format!("(tenant_id, {column}"))
            .is_some_and(|rest| rest.starts_with([' ', ',', ')']))
    };
    let index = format!(" ON countersign.{table} ");
    let made = format!("CREATE TABLE countersign.{table} (");
    migrations.split(&index).skip(1).any(begins)
        || migrations
            .split(&made)
            .nth(1)
            .and_then(|rest| rest.split(';').next())
            .is_some_and(|body| body.split("UNIQUE ").skip(1).any(begins))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches_of(code: &str, migrations: &str) -> usize {
        let source = Source { path: "crates/x/src/a.rs".to_owned(), text: code.to_owned() };
        let mut breaches = Vec::new();
        sorted(&[source], migrations, &mut breaches);
        breaches.len()
    }

    #[test]
    fn what_is_sorted_by_is_the_beginning_of_an_index_after_the_tenant() {
        let code = "table: \"countersign.things\", x\n  r#type: String => Text.filter().sort();";
        let other = "CREATE INDEX a ON countersign.things (tenant_id, typed);";
        let index = "CREATE INDEX a ON countersign.things\n  (tenant_id, type DESC, id);";
        let unique = "CREATE TABLE countersign.things ( CONSTRAINT a UNIQUE (tenant_id, type) );";
        assert_eq!(breaches_of(code, other), 1);
        assert_eq!(breaches_of(code, index), 0);
        assert_eq!(breaches_of(code, unique), 0);
        assert_eq!(breaches_of(&code.replace("sort", "age"), other), 0);
        assert_eq!(breaches_of(&code.replace("things", "services"), other), 0);
    }
}
