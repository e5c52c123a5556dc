//! Which side is compared with which.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use sense::drift::compare::{Comparison, Elsewhere, Engine, Live, NotChecked, Resource};
use sense::drift::diff::Scope;
use sense::drift::rules::Rules;
use sense::drift::seal::Sealer;
use sense::scan::Against as Sure;
use survey::clouds::{self, Cloud};
use survey::document::Content;
use survey::{By, aws};

use super::input::Input;
use super::{Against, Scan, live};

/// The two sides of a scan.
pub(super) struct Sides<'s> {
    /// What declares.
    pub(super) declared: &'s Input,
    /// What is there, when that is a document.
    pub(super) against: Option<&'s Input>,
    /// What was asked.
    pub(super) scan: &'s Scan,
}

impl Sides<'_> {
    /// What differs, and how sure that is.
    pub(super) async fn compare(
        &self,
        rules: &Rules,
        sealer: &Sealer,
    ) -> Result<(Comparison, Sure)> {
        let engine = Engine { rules, scope: Scope::Whole, sealer };
        let by = By { rules, sealer };
        let unlike = || format!("{} cannot be compared", self.declared.name());
        let against = self.against.map(Input::content).transpose()?;
        let in_aws = self.scan.against == Some(Against::Aws);
        let in_cluster = self.scan.against == Some(Against::Kubernetes);
        if let Some(cloud) = self.cloud()? {
            return Box::pin(self.inventory(&cloud, &engine, by)).await;
        }
        match (self.declared.content()?, against) {
            (Content::Manifests(declared), None) if in_cluster => self.cluster(declared, by).await,
            (Content::Manifests(_), _) => {
                bail!("manifests are compared with a cluster: give --against kubernetes")
            }
            _ if in_cluster => bail!("a cluster is compared with manifests"),
            (Content::Template(text), None) if in_aws => self.stack(text, by).await,
            (Content::Template(_), _) => {
                bail!("a template is compared with what is there: give --against aws and --stack")
            }
            (Content::State(known), None) if in_aws => {
                let mut done =
                    Comparison { not_checked: only_named(&known), ..Comparison::default() };
                self.unmanaged(&engine, &known, &mut done).await?;
                Ok((done, Sure::Api))
            }
            (Content::State(_), Some(Content::Plan(plan))) | (Content::Plan(plan), None) => {
                let mut done = plan.drifts(&engine).with_context(unlike)?;
                if in_aws {
                    self.unmanaged(&engine, &plan.known, &mut done).await?;
                }
                Ok((done, Sure::Provider))
            }
            (Content::State(declared), Some(Content::State(resources))) => {
                let live = Live { resources, ..Live::default() };
                Ok((engine.compare(&declared, &live).with_context(unlike)?, Sure::Document))
            }
            (Content::State(_), None) => bail!(
                "a state says what was declared: say with --against what it is to be compared with"
            ),
            (Content::State(_), Some(Content::Template(_) | Content::Manifests(_))) => {
                bail!("a state is compared with a state or a plan")
            }
            (Content::Plan(_), Some(_)) => {
                bail!("a plan says by itself what drifted: leave --against out")
            }
        }
    }

    /// A template against the resources of its stack.
    async fn stack(&self, text: &str, by: By<'_>) -> Result<(Comparison, Sure)> {
        let name = self.scan.stack.as_deref().context("name the template's stack with --stack")?;
        let account = live::aws(self.scan.region.as_deref())?;
        let done = survey::stack(&account, name, text, by).await;
        Ok((done.map_err(|error| self.named(error))?, Sure::Api))
    }

    /// Manifests against the objects of a cluster.
    async fn cluster(
        &self,
        declared: Vec<Resource<'static>>,
        by: By<'_>,
    ) -> Result<(Comparison, Sure)> {
        let (file, context) = (self.scan.kubeconfig.as_deref(), self.scan.context.as_deref());
        let (cluster, namespace) = live::cluster(file, context)?;
        let done = survey::cluster(&cluster, &namespace, declared, by).await;
        Ok((done.map_err(|error| self.named(error))?, Sure::DryRun))
    }

    /// Why they could not be compared, with the name of the document where it is at fault.
    fn named(&self, error: survey::Error) -> anyhow::Error {
        let document = self.declared.name();
        let told = match &error {
            survey::Error::Template(_) => Some(format!("{document} cannot be read")),
            survey::Error::State(_) => Some(format!("{document} cannot be compared")),
            survey::Error::Stack { .. } | survey::Error::Cluster(_) => None,
        };
        let error = anyhow::Error::new(error);
        match told {
            Some(told) => error.context(told),
            None => error,
        }
    }

    /// What is there of the known types that no state names.
    async fn unmanaged(
        &self,
        engine: &Engine<'_>,
        known: &[Resource<'_>],
        done: &mut Comparison,
    ) -> Result<()> {
        let account = live::aws(self.scan.region.as_deref())?;
        beyond(engine, aws::unmanaged(&account, known).await, done)
    }

    /// A state against the inventory of a cloud; of a plan, which says by itself what drifted, what
    /// it does not know.
    async fn inventory(
        &self,
        cloud: &Cloud,
        engine: &Engine<'_>,
        by: By<'_>,
    ) -> Result<(Comparison, Sure)> {
        let unlike = || format!("{} cannot be compared", self.declared.name());
        match self.declared.content()? {
            Content::State(declared) => {
                let done = clouds::state(cloud, declared, by).await;
                Ok((done.with_context(unlike)?, Sure::Api))
            }
            Content::Plan(plan) => {
                let mut done = plan.drifts(engine).with_context(unlike)?;
                beyond(engine, clouds::unmanaged(cloud, &plan.known).await, &mut done)?;
                Ok((done, Sure::Provider))
            }
            Content::Template(_) | Content::Manifests(_) => {
                bail!(
                    "the inventories of Azure and Google Cloud are compared with states and plans"
                )
            }
        }
    }

    /// The cloud whose inventory is asked, when one is.
    fn cloud(&self) -> Result<Option<Cloud>> {
        Ok(match self.scan.against {
            Some(Against::Azure) => Some(live::azure()?),
            Some(Against::Google) => Some(live::google()?),
            Some(Against::Aws | Against::Kubernetes | Against::File(_)) | None => None,
        })
    }
}

/// What is there and nobody declares.
fn beyond(engine: &Engine<'_>, found: aws::Unmanaged, done: &mut Comparison) -> Result<()> {
    for resource in &found.resources {
        let nothing = Elsewhere::of(&[]);
        done.drifts.extend(engine.compare_one(None, Some(resource), &nothing)?);
    }
    done.not_checked.extend(found.not_checked);
    done.undeclared = found.kinds;
    Ok(())
}

/// The properties of a state are read by Terraform's providers, not by us.
fn only_named(known: &[Resource<'_>]) -> Vec<NotChecked> {
    let kinds: BTreeSet<&str> = known.iter().map(|resource| resource.kind.as_ref()).collect();
    let not = |kind: &str| NotChecked {
        kind: kind.to_owned(),
        id: None,
        why: "properties are read by Terraform: scan the configuration, or a plan".to_owned(),
        failed: false,
    };
    kinds.into_iter().map(not).collect()
}
