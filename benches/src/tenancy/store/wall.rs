//! What the wall between tenants costs: the same statement behind row-level security and without.

use std::time::Instant;

use anyhow::Result;
use sqlx::{Executor as _, PgConnection};

use crate::report::Report;
use crate::stats::{median, number, shown};
use crate::store;
use crate::tenancy::Ground;

/// Statements as the API makes them; each names its tenant by itself, as all of ours do.
const STATEMENTS: [(&str, &str); 4] = [
    (
        "counts of open findings",
        "SELECT kind, severity_rank, environment_id, count(*) FROM countersign.findings
         WHERE tenant_id = $1 AND status = 'open' GROUP BY kind, severity_rank, environment_id",
    ),
    (
        "findings a day, 90 days",
        "SELECT (first_seen AT TIME ZONE 'UTC')::date AS day, severity_rank, count(*), count(resolved_at)
         FROM countersign.findings
         WHERE tenant_id = $1 AND first_seen >= now() - interval '90 days' GROUP BY day, severity_rank",
    ),
    (
        "a page of findings",
        "SELECT * FROM countersign.findings WHERE tenant_id = $1 ORDER BY id DESC LIMIT 21",
    ),
    (
        "a page of correlations",
        "SELECT * FROM countersign.correlations WHERE tenant_id = $1 ORDER BY id DESC LIMIT 21",
    ),
];

/// The one thing that is not the same on both sides: a part of a text is looked for by a function.
/// The pattern is a parameter, as the application's is.
const SEARCH: [&str; 2] = [
    "SELECT i FROM countersign.findings_like($2, 10001) AS i WHERE $1::uuid IS NOT NULL",
    "SELECT id FROM countersign.findings WHERE tenant_id = $1 AND title ILIKE $2 LIMIT 10001",
];
const PATTERN: &str = "%no such thing%";

/// Turns of what takes long, and of what takes next to nothing: a single one of those says little.
const TURNS: [usize; 2] = [40, 1_000];
/// What takes less counts as next to nothing, in milliseconds.
const SHORT_MS: f64 = 2.0;
/// Turns that warm up: after five the planner may keep a plan.
const WARM: usize = 10;

/// Runs each statement in turns on both sides of the wall.
pub(in crate::tenancy) async fn measure(ground: &Ground<'_>, report: &mut Report) -> Result<()> {
    let tenant = ground.estate.tenant;
    let inside_pool = store::admin(ground.postgres.url())?;
    let mut inside = inside_pool.acquire().await?;
    let mut outside = ground.admin.acquire().await?;
    for connection in [&mut *inside, &mut *outside] {
        // One process each: what is compared is work, not how it is shared out. Statements are
        // prepared, and the planner keeps a plan or not, as on the application's connections.
        connection.execute("SET max_parallel_workers_per_gather = 0").await?;
    }
    let enter = sqlx::AssertSqlSafe(format!("SET app.tenant_id = '{tenant}'"));
    inside.execute(enter).await?;
    let mut rows = Vec::new();
    let mut worst = f64::NEG_INFINITY;
    let same = STATEMENTS.map(|(name, statement)| (name, [statement; 2]));
    let all = same.into_iter().chain([("a text looked for in titles", SEARCH)]);
    for (name, statements) in all {
        if statements == SEARCH {
            // A plan kept for any text is the wrong one for a rare text or for a common one: the
            // function plans each, and so does the other side.
            outside.execute("SET plan_cache_mode = force_custom_plan").await?;
        }
        let mut found = [Vec::new(), Vec::new()];
        let mut turns = TURNS[0] + WARM;
        let mut turn = 0;
        while turn < turns {
            let sides = [&mut *inside, &mut *outside].into_iter().zip(statements);
            for ((side, statement), into) in sides.zip(&mut found) {
                let ms = timed(side, statement, tenant).await?;
                if turn >= WARM {
                    into.push(ms);
                } else if turn + 1 == WARM && ms < SHORT_MS {
                    turns = TURNS[1] + WARM;
                }
            }
            turn += 1;
        }
        let [behind, without] = &found;
        let costs = (median(behind) / median(without) - 1.0) * 100.0;
        worst = worst.max(costs);
        eprintln!("wall, {name}: {costs} %");
        let mut row = vec![name.to_owned(), shown(behind), shown(without)];
        row.push(format!("{costs:+.1} %"));
        rows.push(row);
    }
    report.text_line(&format!(
        "**The wall.** The same statement with the tenant named in it, {} times in turns, {} times \
         where it takes less than {SHORT_MS} ms: as the application's role behind row-level security, \
         and as a superuser, who passes by it. A text is looked for behind the wall by the function \
         that may use the index, and planned for that text on both sides: a plan kept for any text \
         is quicker for a rare one and reads everything for a common one. Milliseconds seen by the client, one process each; prepared, as the application's \
         connections ask.",
        TURNS[0], TURNS[1]
    ));
    report.table(&["", "behind the wall", "without", "more"], &rows);
    let told = format!("{} % at most", number(worst));
    report.goal("tenancy", "row-level security costs < 15 %", told, worst < 15.0);
    // A pool waits for what was taken from it.
    drop((inside, outside));
    inside_pool.close().await;
    Ok(())
}

async fn timed(
    side: &mut PgConnection,
    statement: &'static str,
    tenant: uuid::Uuid,
) -> Result<f64> {
    let begin = Instant::now();
    let mut query = sqlx::query(statement).bind(tenant);
    if SEARCH.contains(&statement) {
        query = query.bind(PATTERN);
    }
    query.fetch_all(side).await?;
    Ok(begin.elapsed().as_secs_f64() * 1_000.0)
}
