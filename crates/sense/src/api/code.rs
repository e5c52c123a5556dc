//! Where code declares the estate.

use api::check::document;
use api::object;
use api::permission::{ReadEstate, WriteEstate};
use api::problem::Problem;
use model::Timestamp;
use model::id::{CredentialId, DeclaredId, EnvironmentId, RepositoryId, ResourceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::sized;
use crate::declared;

/// What the declarations are written in.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tool {
    /// Terraform.
    Terraform,
    /// `OpenTofu`.
    Opentofu,
    /// AWS `CloudFormation`.
    Cloudformation,
    /// Kubernetes manifests.
    Kubernetes,
}

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
        /// What it is written in.
        tool: Tool => Text.filter().sort();
        /// The sealed secret it is read with.
        #[schema(value_type = Option<String>)]
        credential_id: Option<CredentialId> => Id.filter();
        /// The resource of the estate its tools run on: reached over its connection, and judged by
        /// its environment.
        #[schema(value_type = Option<String>)]
        resource_id: Option<ResourceId> => Id.filter();
        /// Where its code lies there.
        #[schema(max_length = 1000)]
        directory: Option<String> => Text.filter();
        /// Which file or folder below it declares; all of it when absent.
        #[schema(max_length = 1000)]
        document: Option<String> => Text.filter();
        /// The stack that a template belongs to.
        #[schema(max_length = 128)]
        stack_name: Option<String> => Text.filter();
    }
    kept {
        /// When it was read last.
        last_sync_at: Option<Timestamp> => Time.filter();
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    check(wanted) {
        sized("/name", &wanted.name, 1..=255)?;
        sized("/branch", &wanted.branch, 1..=100)?;
        let texts = [
            ("/repository_url", &wanted.repository_url, 500),
            ("/document", &wanted.document, 1000),
            ("/stack_name", &wanted.stack_name, 128),
        ];
        for (path, text, longest) in texts {
            text.as_deref().map_or(Ok(()), |text| sized(path, text, 1..=longest))?;
        }
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

fn main_branch() -> String {
    "main".to_owned()
}
