//! A source looked at: its documents fetched and told apart, and compared with what is there.
//!
//! What the command line does for whoever runs it and the server does by itself: the same.

pub mod aws;
pub mod clouds;
pub mod declaring;
pub mod document;
pub mod kubernetes;
pub mod place;
pub mod trail;

use connect_aws::Aws;
use connect_kubernetes::Cluster;
use sense::drift::cloudformation::{self, BadTemplate};
use sense::drift::compare::{BadState, Comparison, Engine, Resource};
use sense::drift::diff::Scope;
use sense::drift::rules::Rules;
use sense::drift::seal::Sealer;

/// Why the two sides could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stack of a template cannot be read.
    #[error("the stack {name} cannot be read")]
    Stack {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: connect_aws::Error,
    },
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] BadTemplate),
    /// The cluster cannot be read.
    #[error(transparent)]
    Cluster(#[from] connect_kubernetes::Error),
    /// What is declared or there cannot be read.
    #[error(transparent)]
    State(#[from] BadState),
}

/// How values are compared and shown.
#[derive(Debug, Clone, Copy)]
pub struct By<'r> {
    /// What counts as the same.
    pub rules: &'r Rules,
    /// What secrets are compared and shown by.
    pub sealer: &'r Sealer,
}

impl<'r> By<'r> {
    /// Compares what is declared, as far as it is.
    #[must_use]
    pub const fn declared(self) -> Engine<'r> {
        Engine { rules: self.rules, scope: Scope::Declared, sealer: self.sealer }
    }
}

/// A template against the resources of its stack.
///
/// # Errors
/// When the template or the stack cannot be read. A resource that cannot be is not checked.
pub async fn stack(
    account: &Aws,
    name: &str,
    template: &str,
    by: By<'_>,
) -> Result<Comparison, Error> {
    let unread = |source| Error::Stack { name: name.to_owned(), source };
    let stack = aws::stack(account, name).await.map_err(unread)?;
    let mut declared = cloudformation::read(template, &stack)?;
    let live = aws::of_stack(account, &mut declared).await;
    let done = by.declared().compare(&declared, &live)?;
    // What belongs to no stack was left out.
    Ok(Comparison { undeclared: Vec::new(), ..done })
}

/// Manifests against the objects of a cluster.
///
/// # Errors
/// When the cluster cannot be read. An object that cannot be is not checked.
pub async fn cluster(
    cluster: &Cluster,
    namespace: &str,
    mut declared: Vec<Resource<'static>>,
    by: By<'_>,
) -> Result<Comparison, Error> {
    let live = kubernetes::read(cluster, namespace, &mut declared).await?;
    let engine = by.declared();
    let done = engine.compare(&declared, &live)?;
    let sides = (declared.as_slice(), &live);
    let done = kubernetes::settle(cluster, &engine, sides, done).await?;
    // Only what is declared was asked for.
    Ok(Comparison { undeclared: Vec::new(), ..done })
}
