//! How what is there is reached, as the environment and the options say.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use connect::outbound::{Outbound, Rules as Ways};
use connect_aws::{Aws, Credentials};
use connect_kubernetes::{Cluster, Kubeconfig, Limits};
use model::secret::Secret;

use crate::wiring::SystemClock;

/// AWS as the environment says: keys, region, and an endpoint of one's own.
pub(super) fn aws(region: Option<&str>) -> Result<Aws> {
    let given = |name: &str| {
        let value = std::env::var_os(name).and_then(|value| value.into_string().ok());
        value.filter(|value| !value.is_empty())
    };
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
    let outbound =
        Outbound::new(ways.at_most(64 << 20).within(std::time::Duration::from_secs(60)))?;
    let clock = Arc::new(SystemClock);
    let limits = connect_aws::Limits::default();
    Ok(Aws::new(outbound, credentials, &region, endpoint.as_deref(), clock, limits)?)
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
