//! Environments over HTTP.

use std::collections::BTreeMap;

use api::object;
use api::permission::{ReadEstate, WriteEstate};
use api::problem::Problem;
use model::Timestamp;
use model::id::EnvironmentId;
use model::level::EnvironmentClass;
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

use super::{plain, sized, tags};

/// Whose cloud it is in.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CloudProvider {
    /// Microsoft Azure.
    Azure,
    /// Amazon Web Services.
    Aws,
    /// Google Cloud.
    Gcp,
    /// IBM Cloud.
    Ibm,
    /// A cluster of its own.
    Kubernetes,
    /// Machines of its own.
    Host,
    /// Anybody else.
    Other,
}

object! {
    /// A deployment environment.
    Environment (EnvironmentIn, EnvironmentOut) {
        word: "environment", plural: "environments", path: "/environments",
        table: "countersign.environments", tag: "estate", verbs: Keep,
        id: EnvironmentId, read: ReadEstate, write: WriteEstate,
        known_by: [slug],
        example: {
            "name": "Shop, live in Frankfurt", "slug": "shop-live", "class": "prod",
            "cloud_provider": "aws", "region": "eu-central-1", "account_id": "123456789012",
            "cluster_id": "shop-1", "namespace": "shop", "argocd_project": "shop",
            "grafana_org_id": "7", "tags": {"team": "payments"}, "is_active": true
        }
    }
    given {
        /// What people call it.
        #[schema(min_length = 1, max_length = 255)]
        name: String => Text.filter().sort().search();
        /// Its name in selectors and policies, unique.
        #[schema(min_length = 1, max_length = 100)]
        slug: String => Text.filter().sort().search();
        /// `dev`, `test`, `staging`, `prod`, or a common word for one of them: what policy knows of
        /// it.
        #[serde(deserialize_with = "class")]
        #[schema(value_type = String)]
        class: EnvironmentClass => Text.filter().sort();
        /// Whose cloud it is in.
        cloud_provider: Option<CloudProvider> => Text.filter();
        /// The provider's region.
        #[schema(max_length = 100)]
        region: Option<String> => Text.filter();
        /// The account, project or subscription.
        #[schema(max_length = 100)]
        account_id: Option<String> => Text.filter();
        /// The Kubernetes cluster.
        #[schema(max_length = 255)]
        cluster_id: Option<String> => Text.filter();
        /// The namespace in it.
        #[schema(max_length = 255)]
        namespace: Option<String> => Text.filter();
        /// The project in Argo CD.
        #[schema(max_length = 255)]
        argocd_project: Option<String> => Text.filter();
        /// The organisation in Grafana.
        #[schema(max_length = 100)]
        grafana_org_id: Option<String> => Text.filter();
        /// Free labels.
        #[serde(default)]
        tags: BTreeMap<String, String> => Json;
        /// Whether it is in use; true when absent.
        #[serde(default = "active")]
        is_active: bool => Boolean.filter();
    }
    kept {
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    check(wanted) {
        sized("/name", &wanted.name, 1..=255)?;
        plain("/slug", &wanted.slug, 100, "._-")?;
        let words = [
            ("/region", &wanted.region, 100),
            ("/account_id", &wanted.account_id, 100),
            ("/cluster_id", &wanted.cluster_id, 255),
            ("/namespace", &wanted.namespace, 255),
            ("/argocd_project", &wanted.argocd_project, 255),
            ("/grafana_org_id", &wanted.grafana_org_id, 100),
        ];
        for (path, word, longest) in words {
            word.as_deref().map_or(Ok::<(), Problem>(()), |word| sized(path, word, 1..=longest))?;
        }
        tags("/tags", &wanted.tags)
    }
}

const fn active() -> bool {
    true
}

/// Never a default: policy decides by class.
fn class<'de, D: Deserializer<'de>>(from: D) -> Result<EnvironmentClass, D::Error> {
    let word = String::deserialize(from)?;
    EnvironmentClass::from_alias(&word)
        .ok_or_else(|| de::Error::custom("must be dev, test, staging or prod"))
}
