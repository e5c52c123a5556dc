//! Where code declares the estate.

use api::object;
use api::permission::{ReadEstate, WriteEstate};
use model::Timestamp;
use model::id::{CredentialId, EnvironmentId, RepositoryId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sized;

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
    }
    kept {
        /// When it was read last.
        last_sync_at: Option<Timestamp> => Time.filter();
        /// When it was added.
        created_at: Timestamp => Time.filter().sort();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    check(wanted) {
        sized("/name", &wanted.name, 1..=255)?;
        sized("/branch", &wanted.branch, 1..=100)?;
        wanted.repository_url.as_deref().map_or(Ok(()), |url| sized("/repository_url", url, 1..=500))
    }
}

fn main_branch() -> String {
    "main".to_owned()
}
