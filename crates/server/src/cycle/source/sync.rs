//! What a source declares, read and kept.

use model::audit::Event;
use sense::drift::cloudformation::{self, Stack};
use sense::drift::compare::{Engine, Resource};
use sense::drift::diff::Scope;
use sense::drift::rules::Rules;
use sense::drift::seal::Sealer;
use sense::store::declared::{self, Found, Kept};
use survey::declaring::Declaring;
use survey::document::{self, Content};

use super::{Fault, Work, commits, documents, said, secrets};

/// Reads a source and keeps what changed.
pub(super) async fn sync(work: &Work<'_>) -> Result<(), Fault> {
    let fetched = documents::fetch(work).await?;
    let unknown = commits::tell(work, &fetched.history, &fetched.declaring).await?;
    let (document, declaring) = (fetched.document?, fetched.declaring);
    let sealer = secrets::sealer(work).await?;
    let tool = work.source.tool.clone();
    let text = document.text;
    let read = tokio::task::spawn_blocking(move || found(&text, &tool, &sealer, &declaring));
    let found =
        read.await.map_err(|_| Fault::Said("reading the document was given up".to_owned()))??;
    let mut tx = work.app.db.tenant(work.tenant).await?;
    let kept = declared::keep(&mut tx, work.source.id, &found, &document.revision).await?;
    // What is the same is no event: a source may be read every minute.
    if kept != Kept::default() {
        let event = Event::new(
            work.who.clone(),
            "iac_repository.synced",
            "iac_repository",
            &work.source.id,
        )
        .with("revision", document.revision)
        .with("new", kept.new)
        .with("changed", kept.changed)
        .with("gone", kept.gone);
        tx.audit(&event).await?;
    }
    tx.commit().await?;
    unknown.map_or(Ok(()), |why| Err(Fault::Said(why)))
}

/// The resources a document declares.
fn found(
    text: &str,
    tool: &str,
    sealer: &Sealer,
    declaring: &Declaring,
) -> Result<Vec<Found>, Fault> {
    let content = document::read(text).map_err(|error| said(&error))?;
    let resources: Vec<Resource<'_>> = match (tool, content) {
        ("terraform" | "opentofu", Content::State(resources)) => resources,
        ("cloudformation", Content::Template(text)) => {
            // Without its stack: what only that knows stays open.
            cloudformation::read(text, &Stack::default()).map_err(|error| said(&error))?
        }
        ("kubernetes", Content::Manifests(resources)) => resources,
        (tool, other) => {
            let holds = match other {
                Content::State(_) => "a state of Terraform's",
                Content::Plan(_) => "a plan of Terraform's",
                Content::Template(_) => "a template of CloudFormation",
                Content::Manifests(_) => "manifests of Kubernetes",
            };
            return Err(Fault::Said(format!("the source is said to be {tool}, and holds {holds}")));
        }
    };
    let engine = Engine { rules: Rules::shipped(), scope: Scope::Whole, sealer };
    let found = resources.iter().map(|resource| {
        let state = engine.declared(resource).map_err(|error| said(&error))?;
        let address = resource.name();
        let file = declaring.file(&address).map(str::to_owned);
        Ok(Found { kind: resource.kind.to_string(), address, state, file })
    });
    found.collect()
}
