//! How what is there is reached, as the environment and the options say.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use connect::outbound::{Outbound, Rules as Ways};
use connect_aws::{Aws, Credentials};
use connect_clouds::azure::{self, Azure, Place};
use connect_clouds::google::{self, Google};
use connect_kubernetes::{Cluster, Kubeconfig, Limits};
use model::secret::Secret;
use survey::clouds::Cloud;

use crate::wiring::SystemClock;

/// How large an answer of a cloud may be, in bytes, and how long one may take.
const OF_CLOUDS: (usize, Duration) = (64 << 20, Duration::from_secs(60));

/// What the environment says.
fn given(name: &str) -> Option<String> {
    let value = std::env::var_os(name).and_then(|value| value.into_string().ok());
    value.filter(|value| !value.is_empty())
}

/// AWS as the environment says: keys, region, and an endpoint of one's own.
pub(super) fn aws(region: Option<&str>) -> Result<Aws> {
    let needed = |name: &str| given(name).with_context(|| format!("{name} is not set"));
    let region = match region.map(str::to_owned).or_else(|| given("AWS_REGION")) {
        Some(region) => region,
        None => {
            given("AWS_DEFAULT_REGION").context("no region: give --region, or set AWS_REGION")?
        }
    };
    let secret = |text: String| Secret::new(text.into_bytes());
    let credentials = Credentials {
        access_key_id: needed("AWS_ACCESS_KEY_ID")?,
        secret_access_key: secret(needed("AWS_SECRET_ACCESS_KEY")?),
        session_token: given("AWS_SESSION_TOKEN").map(secret),
        expires_at: None,
    };
    let endpoint = given("AWS_ENDPOINT_URL");
    // Whoever runs this chose the endpoint.
    let ways = if endpoint.is_some() { Ways::default().anywhere() } else { Ways::default() };
    let outbound = Outbound::new(ways.at_most(OF_CLOUDS.0).within(OF_CLOUDS.1))?;
    let clock = Arc::new(SystemClock);
    let limits = connect_aws::Limits::default();
    Ok(Aws::new(outbound, credentials, &region, endpoint.as_deref(), clock, limits)?)
}

/// Azure as the environment says: an application with its secret or with the token of whoever
/// vouches for it, under the names of Azure's tools or of Terraform's provider; else the identity of
/// the machine.
pub(super) fn azure() -> Result<Cloud> {
    let either = |ours: &str, theirs: &str| given(ours).or_else(|| given(theirs));
    let tenant = either("AZURE_TENANT_ID", "ARM_TENANT_ID");
    let client = either("AZURE_CLIENT_ID", "ARM_CLIENT_ID");
    let secret = either("AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET").map(Secret::from);
    let vouched = either("AZURE_FEDERATED_TOKEN_FILE", "ARM_OIDC_TOKEN_FILE_PATH");
    let (authority, manager) =
        (given("AZURE_AUTHORITY_HOST"), given("AZURE_RESOURCE_MANAGER_ENDPOINT"));
    let needed = "AZURE_TENANT_ID and AZURE_CLIENT_ID say who a secret or a token is of";
    let machine = secret.is_none() && vouched.is_none();
    let credentials = if let Some(secret) = secret {
        let (tenant, client) = (tenant.context(needed)?, client.context(needed)?);
        azure::Credentials::Secret { tenant, client, secret }
    } else if let Some(file) = vouched {
        let (tenant, client) = (tenant.context(needed)?, client.context(needed)?);
        let token = std::fs::read(&file).with_context(|| format!("cannot read {file}"))?;
        let token = Secret::new(token.trim_ascii().to_vec());
        azure::Credentials::Federated { tenant, client, token }
    } else {
        let header = given("IDENTITY_HEADER").map(Secret::from);
        let endpoint = given("IDENTITY_ENDPOINT").and_then(|url| Some((url, header?)));
        azure::Credentials::Managed { client, endpoint }
    };
    let chosen = machine || authority.is_some() || manager.is_some();
    let usual = Place::default();
    let place = Place {
        authority: authority.unwrap_or(usual.authority),
        manager: manager.unwrap_or(usual.manager),
    };
    let (clock, limits) = (Arc::new(SystemClock), connect_clouds::Limits::default());
    Ok(Cloud::Azure(Azure::new(to_clouds(chosen)?, credentials, &place, clock, limits)?))
}

/// Google Cloud as the environment says: a token, a file of credentials, what `gcloud` left, or the
/// service account of the machine.
pub(super) fn google() -> Result<Cloud> {
    let endpoint = given("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDASSET");
    let file = given("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from).or_else(|| {
        let usual = Path::new(&std::env::var_os("HOME")?)
            .join(".config/gcloud/application_default_credentials.json");
        usual.is_file().then_some(usual)
    });
    let mut chosen = endpoint.is_some();
    let credentials = if let Some(token) = given("GOOGLE_OAUTH_ACCESS_TOKEN") {
        google::Credentials::Token(Secret::from(token))
    } else if let Some(file) = file {
        let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()));
        google::Credentials::File(Secret::new(text?))
    } else {
        chosen = true;
        let host = given("GCE_METADATA_HOST");
        google::Credentials::Machine(host.unwrap_or_else(|| "metadata.google.internal".to_owned()))
    };
    let (clock, limits) = (Arc::new(SystemClock), connect_clouds::Limits::default());
    let outbound = to_clouds(chosen)?;
    Ok(Cloud::Google(Google::new(outbound, credentials, endpoint.as_deref(), clock, limits)?))
}

/// Calls to clouds; also to addresses of this machine's own, where whoever runs this chose them.
fn to_clouds(chosen: bool) -> Result<Outbound> {
    let ways = if chosen { Ways::default().anywhere() } else { Ways::default() };
    Ok(Outbound::new(ways.at_most(OF_CLOUDS.0).within(OF_CLOUDS.1))?)
}

/// The cluster of a kubeconfig, and the namespace of objects that name none.
pub(super) fn cluster(file: Option<&Path>, context: Option<&str>) -> Result<(Cluster, String)> {
    let file = file.map(Path::to_owned).or_else(kubeconfig);
    let file = file.context("no kubeconfig: give --kubeconfig, or set KUBECONFIG")?;
    let name = file.display().to_string();
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
    let read = Kubeconfig::read(&text, context).with_context(|| format!("in {name}"))?;
    let beside = file.parent().unwrap_or_else(|| Path::new("."));
    let config = read
        .config(|named| std::fs::read(beside.join(named)).ok().map(Secret::new))
        .with_context(|| format!("in {name}"))?;
    let namespace = config.namespace.clone();
    // Whoever runs this chose the cluster.
    let outbound = Outbound::new(Ways::default().anywhere())?;
    Ok((Cluster::new(&outbound, config, Limits::default())?, namespace))
}

fn kubeconfig() -> Option<PathBuf> {
    let listed = std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty());
    if let Some(listed) = listed {
        return std::env::split_paths(&listed).next();
    }
    let usual = PathBuf::from(std::env::var_os("HOME")?).join(".kube/config");
    usual.is_file().then_some(usual)
}
