//! Where code declares the estate.

use api::check::document;
use api::permission::{ReadEstate, WriteEstate, WriteFindings};
use api::problem::Answer;
use api::{App, Can, Change, Problem, object};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use db::jobs::NewJob;
use model::Timestamp;
use model::id::{CredentialId, DeclaredId, EnvironmentId, JobId, RepositoryId, ResourceId};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{answer, sized};
use crate::declared;
use crate::remediation::Tool;
use crate::store::declared::{self as store, SCAN, SYNC};

/// The routes of this room.
pub(super) fn routes() -> OpenApiRouter<App> {
    object::routes::<Repository>()
        .merge(object::routes::<Declared>())
        .routes(routes!(sync_source))
        .routes(routes!(scan_source))
}

impl PartialSchema for Tool {
    fn schema() -> RefOr<Schema> {
        let words = Self::ALL.iter().map(|tool| tool.word());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What the declarations are written in."))
            .enum_values(Some(words))
            .into()
    }
}

impl ToSchema for Tool {}

object! {
    /// A source of declared infrastructure.
    Repository (RepositoryIn, RepositoryOut) {
        word: "iac_repository", plural: "iac repositories", path: "/iac-repositories",
        table: "countersign.iac_repositories", tag: "estate", verbs: All,
        id: RepositoryId, read: ReadEstate, write: WriteEstate,
        example: {
            "environment_id": "env_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b", "name": "shop-infra",
            "repository_url": "https://git.example.com/shop/infra.git", "branch": "main",
            "tool": "terraform"
        }
    }
    given {
        /// The environment it declares.
        #[schema(value_type = String)]
        environment_id: EnvironmentId => Id.filter();
        /// What people call it.
        #[schema(min_length = 1, max_length = 255)]
        name: String => Text.filter().sort().search();
        /// Where it is cloned from.
        #[schema(max_length = 500)]
        repository_url: Option<String> => Text.filter().search();
        /// The branch that counts.
        #[serde(default = "main_branch")]
        #[schema(min_length = 1, max_length = 100)]
        branch: String => Text.filter();
        /// The directory or the file of it that declares; all of it when absent.
        #[schema(max_length = 500)]
        path: Option<String> => Text.filter();
        /// Where the document is that declares, when it is in no repository: a state of Terraform's,
        /// a template or manifests, as `s3://bucket/key`, `gs://bucket/object`,
        /// `az://account/container/blob` or `https://…`.
        #[schema(max_length = 2000)]
        state_url: Option<String> => Text;
        /// What it is written in.
        tool: Tool => Text.filter().sort();
        /// The sealed secret it is read with: `user:password` or a token of a repository or of a
        /// place on the web, the keys of a store.
        #[schema(value_type = Option<String>)]
        credential_id: Option<CredentialId> => Id.filter();
        /// The sealed secret its repository is read with where the document is elsewhere
        /// (`state_url`), as `user:password` or a token: for who changed what, and which file declares
        /// it.
        #[schema(value_type = Option<String>)]
        repository_credential_id: Option<CredentialId> => Id.filter();
        /// The resource of the estate its tools run on: reached over its connection, and judged by
        /// its environment.
        #[schema(value_type = Option<String>)]
        resource_id: Option<ResourceId> => Id.filter();
        /// Where a checkout of its code lies there.
        #[schema(max_length = 1000)]
        directory: Option<String> => Text.filter();
        /// How often what it declares is read, in seconds; only when asked for when absent.
        #[schema(minimum = 60, maximum = 2_592_000)]
        sync_interval_seconds: Option<i32> => Integer;
        /// How often it is compared with what is there, in seconds; only when asked for when absent.
        #[schema(minimum = 60, maximum = 2_592_000)]
        scan_interval_seconds: Option<i32> => Integer;
        /// The sealed secret that what is there is read with: a kubeconfig, or the keys of an AWS
        /// account as JSON (`access_key_id`, `secret_access_key`, perhaps `session_token`, and a
        /// `role_arn` with its `external_id` to become).
        #[schema(value_type = Option<String>)]
        scan_credential_id: Option<CredentialId> => Id.filter();
        /// The stack of a template.
        #[schema(max_length = 128)]
        stack: Option<String> => Text;
        /// The region it is in.
        #[schema(max_length = 32)]
        region: Option<String> => Text;
    }
    kept {
        /// When it was read last.
        last_sync_at: Option<Timestamp> => Time.filter();
        /// What was read then: a commit, or the SHA-256 of a document.
        revision: Option<String> => Text;
        /// The newest commit of its branch that was told as a change event.
        head: Option<String> => Text;
        /// Why it could not be read since then.
        last_error: Option<String> => Text;
        /// Why it could not be compared with what is there.
        last_scan_error: Option<String> => Text;
        /// When it is read next by itself.
        next_sync_at: Option<Timestamp> => Time;
        /// When it is compared next by itself.
        next_scan_at: Option<Timestamp> => Time;
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    check(wanted) {
        sized("/name", &wanted.name, 1..=255)?;
        let optional = [
            ("/path", &wanted.path, 500),
            ("/state_url", &wanted.state_url, 2000),
            ("/stack", &wanted.stack, 128),
            ("/region", &wanted.region, 32),
        ];
        for (path, text, most) in optional {
            text.as_deref().map_or(Ok(()), |text| sized(path, text, 1..=most))?;
        }
        for (path, url) in
            [("/state_url", &wanted.state_url), ("/repository_url", &wanted.repository_url)]
        {
            if url.as_deref().is_some_and(holds_a_login) {
                let message = "must not hold a password: keep it as a credential";
                return Err(Problem::invalid(path, "secret", message));
            }
        }
        for (path, seconds) in [
            ("/sync_interval_seconds", wanted.sync_interval_seconds),
            ("/scan_interval_seconds", wanted.scan_interval_seconds),
        ] {
            if seconds.is_some_and(|seconds| !(60..=2_592_000).contains(&seconds)) {
                let message = "must be 60 to 2592000";
                return Err(Problem::invalid(path, "range", message));
            }
        }
        sized("/branch", &wanted.branch, 1..=100)?;
        wanted.repository_url.as_deref().map_or(Ok(()), |url| sized("/repository_url", url, 1..=500))?;
        match wanted.directory.as_deref() {
            Some(directory) if !directory.starts_with('/') => {
                Err(Problem::invalid("/directory", "relative", "must be a path from the root"))
            }
            Some(directory) => sized("/directory", directory, 1..=1000),
            None => Ok(()),
        }
    }
}

object! {
    /// What code declares at one address of it.
    Declared (DeclaredIn, DeclaredOut) {
        word: "iac_resource", plural: "iac resources", path: "/iac-resources",
        table: "countersign.iac_resources", tag: "estate", verbs: All,
        id: DeclaredId, read: ReadEstate, write: WriteEstate,
        known_by: [iac_repository_id, address],
        example: {
            "iac_repository_id": "rep_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "address": "aws_security_group.web", "resource_type": "aws_security_group",
            "resource_id": "res_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "declared_state": {"ingress": [{"from_port": 443, "to_port": 443}]}
        }
    }
    given {
        /// What it is declared as.
        #[schema(min_length = 1, max_length = 100)]
        resource_type: String => Text.filter();
        /// The real thing, once it was seen.
        #[schema(value_type = Option<String>)]
        resource_id: Option<ResourceId> => Id.filter();
        /// What it is declared to be.
        #[schema(value_type = Object)]
        declared_state: Value => Json;
    }
    once {
        /// In which source.
        #[schema(value_type = String)]
        iac_repository_id: RepositoryId => Id.filter();
        /// Where in its code.
        #[schema(min_length = 1, max_length = 255)]
        address: String => Text.filter().sort().search();
    }
    derived {
        /// SHA-256 of the declared state's canonical form.
        state_hash: String => Sha256;
    }
    kept {
        /// The file of the repository that declares it, where that is known.
        declared_in: Option<String> => Text.filter();
        /// When it was read last.
        last_sync_at: Timestamp => Time.filter();
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter();
    }
    check(wanted) {
        sized("/resource_type", &wanted.resource_type, 1..=100)?;
        sized("/address", &wanted.address, 1..=255)?;
        document("/declared_state", &wanted.declared_state)
    }
    complete(fields) {
        let state = fields.get("declared_state").unwrap_or(&Value::Null);
        let hash = declared::hash(state).to_string();
        fields.insert("state_hash".to_owned(), hash.into());
    }
}

/// Work that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceJobOut {
    /// The job. What came of it the source says.
    #[schema(value_type = String)]
    job_id: JobId,
}

/// Read what a source declares, now.
///
/// What came of it the source says: `last_sync_at` and `revision`, or `last_error`.
#[utoipa::path(post, path = "/iac-repositories/{id}/sync", tag = "estate",
    params(("id" = String, Path, description = "The source")),
    responses((status = 202, body = SourceJobOut), (status = "4XX", body = Problem)))]
async fn sync_source(
    State(app): State<App>,
    caller: Can<WriteEstate>,
    Path(id): Path<RepositoryId>,
) -> Answer<(StatusCode, Json<SourceJobOut>)> {
    let change = Change::begin(&app, &caller).await?;
    queue(change, id, SYNC, "iac_repository.sync_asked").await
}

/// Compare what a source declares with what is there, now.
///
/// Where the source names the resource its tools run on, they are asked there. Otherwise templates are
/// compared with AWS and manifests with a cluster; Terraform has to run somewhere. What came of it is a
/// drift scan of the source's, or its `last_scan_error`.
#[utoipa::path(post, path = "/iac-repositories/{id}/scan", tag = "findings",
    params(("id" = String, Path, description = "The source")),
    responses((status = 202, body = SourceJobOut), (status = "4XX", body = Problem)))]
async fn scan_source(
    State(app): State<App>,
    caller: Can<WriteFindings>,
    Path(id): Path<RepositoryId>,
) -> Answer<(StatusCode, Json<SourceJobOut>)> {
    let change = Change::begin(&app, &caller).await?;
    queue(change, id, SCAN, "iac_repository.scan_asked").await
}

async fn queue(
    mut change: Change<'_>,
    id: RepositoryId,
    subject: &str,
    action: &str,
) -> Answer<(StatusCode, Json<SourceJobOut>)> {
    answer("iac repository", store::source(&mut change, id).await)?;
    let params = json!({"iac_repository_id": id});
    let job_id = change.enqueue(NewJob::new(subject, params)).await?;
    let event = change.event(action, "iac_repository", &id).with("job_id", job_id.to_string());
    change.commit(event).await?;
    Ok((StatusCode::ACCEPTED, Json(SourceJobOut { job_id })))
}

/// Whether an address holds a password.
fn holds_a_login(url: &str) -> bool {
    let authority = url.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next());
    let user = authority.flatten().and_then(|authority| authority.rsplit_once('@'));
    user.is_some_and(|(user, _)| user.contains(':'))
}

fn main_branch() -> String {
    "main".to_owned()
}
