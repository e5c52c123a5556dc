//! Resources over HTTP.

use std::collections::BTreeMap;

use api::object;
use api::permission::{ReadEstate, WriteEstate};
use api::problem::Problem;
use model::Timestamp;
use model::id::{EnvironmentId, ResourceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::environment::CloudProvider;
use super::{plain, sized, tags};
use crate::inventory::OsType;

/// Whether a resource is there.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// It is, and may be a target.
    #[default]
    Active,
    /// It is gone; it is kept for the record.
    Retired,
}

object! {
    /// One real thing of the estate: a server, a database, a bucket.
    Resource (ResourceIn, ResourceOut) {
        word: "resource", plural: "resources", path: "/resources",
        table: "countersign.resources", tag: "estate", verbs: Keep,
        id: ResourceId, read: ReadEstate, write: WriteEstate,
        known_by: [provider, external_id],
        example: {
            "environment_id": "env_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "external_id": "i-0abcd1234ef567890", "provider": "aws", "kind": "server",
            "type": "aws_instance", "name": "web-7", "hostname": "web-7.example.com",
            "os_type": "linux", "group_name": "web", "location": "eu-central-1a",
            "owner_team": "payments", "tags": {"role": "web"}, "status": "active"
        }
    }
    given {
        /// The environment it is in.
        #[schema(value_type = String)]
        environment_id: EnvironmentId => Id.filter();
        /// What people call it; alerts find it by this or its host name.
        #[schema(min_length = 1, max_length = 255)]
        name: String => Text.filter().sort().search();
        /// Its name in the network.
        #[schema(max_length = 253)]
        hostname: Option<String> => Text.filter().search();
        /// `linux` or `windows`.
        #[schema(value_type = Option<String>)]
        os_type: Option<OsType> => Text.filter();
        /// The group its provider keeps it in.
        #[schema(max_length = 255)]
        group_name: Option<String> => Text.filter();
        /// Where it is, in its provider's words.
        #[schema(max_length = 255)]
        location: Option<String> => Text.filter();
        /// The team that owns it.
        #[schema(max_length = 100)]
        owner_team: Option<String> => Text.filter().search();
        /// Free labels.
        #[serde(default)]
        tags: BTreeMap<String, String> => Json;
        /// Whether it is there; active when absent.
        #[serde(default)]
        status: Status => Text.filter();
    }
    once {
        /// What its provider calls it, unique there; its name when absent.
        #[schema(max_length = 500)]
        external_id: Option<String> => Text.filter().search();
        /// Whose it is; a machine of one's own when absent.
        #[serde(default = "host")]
        provider: CloudProvider => Text.filter();
        /// `server`, `database`, `bucket` …
        #[serde(default = "server")]
        #[schema(min_length = 1, max_length = 100)]
        kind: String => Text.filter();
        /// The provider's type of it.
        #[serde(default = "host_type")]
        #[schema(min_length = 1, max_length = 100)]
        r#type: String => Text.filter();
    }
    kept {
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter();
    }
    maker created_by;
    check(wanted) {
        // A host's name ends up in places where other characters would mean something.
        if wanted.kind == "server" {
            plain("/name", &wanted.name, 100, "._-")?;
        }
        sized("/name", &wanted.name, 1..=255)?;
        if let Some(hostname) = &wanted.hostname {
            plain("/hostname", hostname, 253, "._:-")?;
        }
        let words = [
            ("/group_name", &wanted.group_name, 255),
            ("/location", &wanted.location, 255),
            ("/owner_team", &wanted.owner_team, 100),
            ("/external_id", &wanted.external_id, 500),
        ];
        for (path, word, longest) in words {
            word.as_deref().map_or(Ok::<(), Problem>(()), |word| sized(path, word, 1..=longest))?;
        }
        sized("/kind", &wanted.kind, 1..=100)?;
        sized("/type", &wanted.r#type, 1..=100)?;
        tags("/tags", &wanted.tags)
    }
    complete(fields) {
        if fields.get("external_id").is_none_or(serde_json::Value::is_null)
            && let Some(name) = fields.get("name").cloned()
        {
            fields.insert("external_id".to_owned(), name);
        }
    }
}

const fn host() -> CloudProvider {
    CloudProvider::Host
}

fn server() -> String {
    "server".to_owned()
}

fn host_type() -> String {
    "host".to_owned()
}
