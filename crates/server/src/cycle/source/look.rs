//! What a source declares, compared with what is there, by this server itself.

use std::sync::Arc;
use std::time::Duration;

use connect::Outbound;
use connect_aws::{Aws, Credentials};
use connect_clouds::azure::{self, Azure, Place};
use connect_clouds::google::{self, Google};
use connect_kubernetes::{Cluster, Kubeconfig};
use model::Clock;
use model::audit::Event;
use model::secret::Secret;
use sense::change_event::Happened;
use sense::drift::Drift;
use sense::drift::compare::Comparison;
use sense::drift::rules::Rules;
use sense::drift::seal::{Sealer, kept};
use sense::report::fold;
use sense::scan::{self, Against, Scan};
use sense::store::change_event::place;
use sense::store::declared::Source;
use sense::store::{ignore, report, scan as store};
use serde::Deserialize;
use serde_json::json;
use survey::By;
use survey::clouds::{self, Cloud};
use survey::document::{self, Content};
use survey::trail::{self, Trail};
use tokio::runtime::Handle;

use super::{Fault, Work, commits, documents, said, secrets};

/// How many drifts are recorded at a time.
const BATCH: usize = 500;
/// How long comparing may take.
const LONGEST: Duration = Duration::from_secs(1_800);
/// As whom a role is taken.
const SESSION: &str = "countersign";
/// How large an answer of a cloud may be, in bytes, and how long one may take.
const OF_CLOUDS: (Duration, usize) = (Duration::from_secs(60), 64 << 20);

/// The keys of an AWS account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    access_key_id: String,
    secret_access_key: String,
    #[serde(default)]
    session_token: Option<String>,
    /// The role to become.
    #[serde(default)]
    role_arn: Option<String>,
    #[serde(default)]
    external_id: Option<String>,
    /// Where AWS is, when it is not AWS.
    #[serde(default)]
    endpoint: Option<String>,
}

/// An application of Azure's with its secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    tenant_id: String,
    client_id: String,
    client_secret: String,
    /// Who gives tokens, when it is not the public cloud's.
    #[serde(default)]
    authority: Option<String>,
    /// Where Azure is, when it is not the public cloud.
    #[serde(default)]
    endpoint: Option<String>,
}

/// Tools whose states are compared with what the inventory of a cloud has.
const OF_STATES: [&str; 2] = ["terraform", "opentofu"];

/// Compares and records.
pub(super) async fn look(work: &Work<'_>) -> Result<(), Fault> {
    let Some(credential) = work.source.scan_credential else {
        let text = if OF_STATES.contains(&work.source.tool.as_str()) {
            "Terraform is not run by the server: scan this source where Terraform runs, with \
             `countersign drift scan --record`; or give it a scan_credential_id of Azure or of \
             Google Cloud, whose inventories its state is compared with"
        } else {
            "the source has no scan_credential_id, which what is there is read with"
        };
        return Err(Fault::Said(text.to_owned()));
    };
    let fetched = documents::fetch(work).await?;
    let unknown = commits::tell(work, &fetched.history, &fetched.declaring).await?;
    let asked = Asked {
        text: fetched.document?.text,
        source: work.source.clone(),
        secret: secrets::open(work, credential).await?,
        sealer: secrets::sealer(work).await?,
        outbound: work.outbound.clone(),
        clock: Arc::clone(&work.app.clock),
    };
    // Comparing large documents takes what a thread of requests has not.
    let runtime = Handle::current();
    let compared = tokio::task::spawn_blocking(move || {
        runtime.block_on(tokio::time::timeout(LONGEST, asked.compare()))
    });
    let compared =
        compared.await.map_err(|_| Fault::Said("comparing it was given up".to_owned()))?;
    let late = || Fault::Said(format!("it was not compared in {} minutes", LONGEST.as_secs() / 60));
    let (found, against, account) = compared.map_err(|_| late())??;
    let left = counting(work, &found).await?;
    let trail = match account {
        Some(account) => trail::of(&account, &left, work.app.clock.now()).await,
        None => Trail::default(),
    };
    let remarks: Vec<String> = unknown.into_iter().chain(trail.unknown).collect();
    let remark = Some(remarks.join("; ")).filter(|remark| !remark.is_empty());
    record(work, Outcome { found, left, against, happened: trail.happened, remark }).await
}

/// What came of a look.
struct Outcome {
    found: Comparison,
    /// What drifted and counts.
    left: Vec<Drift>,
    against: Against,
    /// Who made it drift.
    happened: Vec<Happened>,
    /// What is not known.
    remark: Option<String>,
}

/// What drifted, but for what does not count.
async fn counting(work: &Work<'_>, found: &Comparison) -> Result<Vec<Drift>, Fault> {
    let mut tx = work.app.db.tenant(work.tenant).await?;
    let ignored = ignore::active(&mut tx, work.source.id).await?;
    tx.rollback().await?;
    Ok(found.drifts.iter().filter_map(|drift| ignored.left(plain(drift))).collect())
}

/// What is to be compared, and with what.
struct Asked {
    text: String,
    source: Source,
    secret: Secret,
    sealer: Sealer,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
}

impl Asked {
    /// What differs, how sure that is, and the account that was asked.
    async fn compare(&self) -> Result<(Comparison, Against, Option<Aws>), Fault> {
        let by = By { rules: Rules::shipped(), sealer: &self.sealer };
        let content = document::read(&self.text).map_err(|error| said(&error))?;
        let (found, against, account) = match (self.source.tool.as_str(), content) {
            ("cloudformation", Content::Template(text)) => {
                let Some(stack) = &self.source.stack else {
                    return Err(Fault::Said("the source names no stack".to_owned()));
                };
                let account = self.account().await?;
                let found = survey::stack(&account, stack, text, by).await;
                (found, Against::Api, Some(account))
            }
            ("kubernetes", Content::Manifests(declared)) => {
                let (cluster, namespace) = self.cluster()?;
                let found = survey::cluster(&cluster, &namespace, declared, by).await;
                (found, Against::DryRun, None)
            }
            (tool, Content::State(declared)) if OF_STATES.contains(&tool) => {
                let cloud = self.cloud()?;
                let found = Box::pin(clouds::state(&cloud, declared, by)).await;
                (found.map_err(survey::Error::State), Against::Api, None)
            }
            (tool, _) => {
                return Err(Fault::Said(format!("the source is said to be {tool}, and is not")));
            }
        };
        Ok((found.map_err(|error| said(&error))?, against, account))
    }

    async fn account(&self) -> Result<Aws, Fault> {
        let wrong = "the scan credential is no JSON with the keys of an AWS account";
        let text = self.secret.expose_str().unwrap_or_default();
        // What is wrong with it would tell what it holds.
        let keys: Keys = serde_json::from_str(text).map_err(|_| Fault::Said(wrong.to_owned()))?;
        let Some(region) = &self.source.region else {
            return Err(Fault::Said("the source names no region".to_owned()));
        };
        let with = |credentials: Credentials| {
            let outbound = self.outbound.limited(OF_CLOUDS.0, OF_CLOUDS.1);
            let (clock, limits) = (Arc::clone(&self.clock), connect_aws::Limits::default());
            let endpoint = keys.endpoint.as_deref();
            Aws::new(outbound, credentials, region, endpoint, clock, limits)
                .map_err(|error| said(&error))
        };
        let own = with(Credentials {
            access_key_id: keys.access_key_id.clone(),
            secret_access_key: Secret::from(keys.secret_access_key.clone()),
            session_token: keys.session_token.clone().map(Secret::from),
            expires_at: None,
        })?;
        let Some(role) = &keys.role_arn else { return Ok(own) };
        let become_it = own.assume_role(role, keys.external_id.as_deref(), SESSION).await;
        with(become_it.map_err(|error| said(&error))?)
    }

    /// The cloud the scan credential is of: a file of Google's says by its `type` what it is.
    fn cloud(&self) -> Result<Cloud, Fault> {
        let wrong = "the scan credential is neither JSON with `tenant_id`, `client_id` and \
                     `client_secret` of Azure nor the key of a service account of Google's: AWS is \
                     read by stacks, and by Terraform itself";
        let outbound = self.outbound.limited(OF_CLOUDS.0, OF_CLOUDS.1);
        let (clock, limits) = (Arc::clone(&self.clock), connect_clouds::Limits::default());
        let text = self.secret.expose_str().unwrap_or_default();
        if let Ok(application) = serde_json::from_str::<Application>(text) {
            let usual = Place::default();
            let place = Place {
                authority: application.authority.unwrap_or(usual.authority),
                manager: application.endpoint.unwrap_or(usual.manager),
            };
            let credentials = azure::Credentials::Secret {
                tenant: application.tenant_id,
                client: application.client_id,
                secret: Secret::from(application.client_secret),
            };
            let azure = Azure::new(outbound, credentials, &place, clock, limits);
            return azure.map(Cloud::Azure).map_err(|error| said(&error));
        }
        let credentials = google::Credentials::File(self.secret.clone());
        let google = Google::new(outbound, credentials, None, clock, limits);
        // What is wrong with it would tell what it holds.
        google.map(Cloud::Google).map_err(|_| Fault::Said(wrong.to_owned()))
    }

    fn cluster(&self) -> Result<(Cluster, String), Fault> {
        let text = self.secret.expose_str().unwrap_or_default();
        let read = Kubeconfig::read(text, None).map_err(|error| said(&error))?;
        // Files of this machine are not the tenant's.
        let config = read.config(|_| None).map_err(|error| said(&error))?;
        let namespace = config.namespace.clone();
        let cluster = Cluster::new(&self.outbound, config, connect_kubernetes::Limits::default());
        Ok((cluster.map_err(|error| said(&error))?, namespace))
    }
}

/// Records what was found as a scan of the source; what another one ended meanwhile is left at
/// that.
async fn record(work: &Work<'_>, outcome: Outcome) -> Result<(), Fault> {
    let Outcome { found, left, against, happened, remark } = outcome;
    let db = &work.app.db;
    let mut tx = db.tenant(work.tenant).await?;
    let begun = store::begin(&mut tx, work.source.id, against).await?;
    // Before its end, which has somebody look for what belongs to it.
    place(&mut tx, &happened).await?;
    let event = event(work, "drift_scan.begun", &begun).with("against", against.word());
    tx.audit(&event).await?;
    tx.commit().await?;
    let in_sync = found.in_sync + (found.drifts.len() - left.len());
    for batch in left.chunks(BATCH) {
        let reported = fold(batch.iter().map(|drift| scan::finding(&begun, drift)).collect());
        let mut tx = db.tenant(work.tenant).await?;
        if store::hold(&mut tx, begun.id).await?.is_none() {
            return Ok(());
        }
        let placed = report::place(&mut tx, &reported).await?;
        store::count(&mut tx, begun.id, placed.ids.len(), placed.new).await?;
        let event = Event::new(
            work.who.clone(),
            "finding.imported",
            "finding",
            &placed.ids.first().map(ToString::to_string).unwrap_or_default(),
        );
        let event = event
            .with("findings", placed.ids.len() as u64)
            .with("new", placed.new)
            .with("scan_id", begun.id.to_string());
        tx.audit(&event).await?;
        tx.commit().await?;
    }
    let mut tx = db.tenant(work.tenant).await?;
    if store::hold(&mut tx, begun.id).await?.is_none() {
        return Ok(());
    }
    let looked = store::Looked {
        in_sync: u32::try_from(in_sync).unwrap_or(u32::MAX),
        not_checked: &found.not_checked,
        undeclared: &found.undeclared,
        remark: remark.as_deref(),
    };
    let closed = store::finish(&mut tx, &begun, looked).await?;
    let mut event = event_of_end(work, &begun, (in_sync, found.not_checked.len(), closed.len()));
    if !happened.is_empty() || remark.is_some() {
        event = event.with("calls", happened.len() as u64).with("remark", json!(remark));
    }
    tx.audit(&event).await?;
    Ok(tx.commit().await?)
}

fn event(work: &Work<'_>, action: &str, scan: &Scan) -> Event {
    Event::new(work.who.clone(), action, "drift_scan", &scan.id)
        .with("iac_repository_id", scan.repository.to_string())
}

fn event_of_end(
    work: &Work<'_>,
    scan: &Scan,
    (in_sync, not_checked, closed): (usize, usize, usize),
) -> Event {
    event(work, "drift_scan.finished", scan)
        .with("in_sync", in_sync as u64)
        .with("not_checked", not_checked as u64)
        .with("closed", closed as u64)
}

/// A drift as a finding keeps it: of secrets that they are some.
fn plain(drift: &Drift) -> Drift {
    let mut drift = drift.clone();
    for state in [&mut drift.declared, &mut drift.actual] {
        *state = state.as_ref().map(kept);
    }
    for change in &mut drift.changes {
        change.declared = change.declared.as_ref().map(kept);
        change.actual = change.actual.as_ref().map(kept);
    }
    drift
}
