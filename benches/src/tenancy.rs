//! One large tenant's 90 days beside many small ones: how fast it is read and filled, what the
//! wall between tenants costs, and whether plans hold when tenants become many.

mod import;
mod plans;
mod read;
mod store;

use anyhow::Result;

use self::store::fill::{self, Estate};
use self::store::wall;

use crate::deployment::{Postgres, Service};
use crate::load::Target;
use crate::report::Report;
use crate::setting::Setting;
use crate::stats::number;

/// Small tenants the latencies are measured beside.
const NEIGHBOURS: i64 = 200;
/// Small tenants when plans are first looked at, and when they are looked at again.
const FEW: i64 = 10;
const MANY: i64 = 1_000;

/// What is measured, and as whom.
struct Ground<'a> {
    setting: &'a Setting,
    postgres: &'a Postgres,
    admin: &'a crate::store::Admin,
    /// The large tenant's API; its path is not used.
    target: Target,
    estate: Estate,
}

/// Fills a database and measures it.
pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let postgres = Postgres::start_explaining(&setting.dir.join("tenancy-pg")).await?;
    let admin = crate::store::admin(postgres.admin_url())?;
    let service =
        Service::start(setting, &setting.dir.join("tenancy"), Some(postgres.url())).await?;
    let people = service.administrator().await?;
    let (key, _) = people.key("measurements", &["admin"]).await?;
    let target = Target { address: service.address, path: String::new(), key: Some(key) };
    let scale = if setting.quick { 0.005 } else { setting.scale };
    let estate = fill::large(&admin, &people, scale).await?;
    fill::small(&admin, 0, FEW).await?;
    let ground = Ground { setting, postgres: &postgres, admin: &admin, target, estate };
    told(report, &ground, scale).await?;

    let few = plans::take(&ground).await?;
    fill::small(&admin, FEW, NEIGHBOURS).await?;
    read::measure(&ground, report).await?;
    wall::measure(&ground, report).await?;
    fill::small(&admin, NEIGHBOURS, MANY).await?;
    let many = plans::take(&ground).await?;
    plans::tell(report, &few, &many);
    import::measure(&ground, report).await?;

    service.end().await?;
    admin.close().await;
    postgres.stop().await;
    Ok(())
}

async fn told(report: &mut Report, ground: &Ground<'_>, scale: f64) -> Result<()> {
    let rows = &ground.estate.rows;
    report.heading(
        "Tenancy",
        &format!(
            "One large tenant with 90 days of data, at {} of the full size (4.5 M findings, 18 M \
             correlations, 9 M predictions, 45 M audit events): {} findings, a tenth of them open, \
             with {} correlations, {} predictions, {} audit events and {} resources; beside it \
             {NEIGHBOURS} small tenants of {} findings each, and {MANY} for the plans. Rows are \
             made by the database, so their texts are alike; {} on disk. PostgreSQL has the \
             settings the product gives it, and what it does not hold the system's cache does.",
            number(scale),
            number(rows.findings as f64),
            number(rows.correlations as f64),
            number(rows.predictions as f64),
            number(rows.events as f64),
            number(rows.resources as f64),
            fill::SMALL,
            crate::store::size(ground.admin).await?,
        ),
    );
    Ok(())
}
