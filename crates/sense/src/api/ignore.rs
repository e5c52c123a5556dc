//! Differences that do not count, over HTTP: who said so, why, and until when.

use api::permission::{ReadFindings, WriteEstate};
use api::{Problem, object};
use model::Timestamp;
use model::id::{IgnoreRuleId, RepositoryId};

use super::sized;
use crate::drift::path::Pattern;

object! {
    /// A difference that does not count: what is recorded later and what is scanned leaves it out.
    IgnoreRule (IgnoreRuleIn, IgnoreRuleOut) {
        word: "drift_ignore_rule", plural: "drift ignore rules", path: "/drift-ignore-rules",
        table: "countersign.drift_ignore_rules", tag: "findings", verbs: All,
        id: IgnoreRuleId, read: ReadFindings, write: WriteEstate,
        example: {
            "iac_repository_id": "rep_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "resource_type": "aws_autoscaling_group", "address": "module.web.*",
            "property_path": "desired_capacity", "reason": "the autoscaler changes it",
            "expires_at": "2036-03-01T10:00:00Z"
        }
    }
    given {
        /// The source it is about; all when absent.
        #[schema(value_type = Option<String>)]
        iac_repository_id: Option<RepositoryId> => Id.filter();
        /// The type of resources, with `*` and `?`.
        #[serde(default = "all")]
        #[schema(min_length = 1, max_length = 100)]
        resource_type: String => Text.filter().search();
        /// The address in the code, with `*` and `?`.
        #[serde(default = "all")]
        #[schema(min_length = 1, max_length = 1000)]
        address: String => Text.filter().search();
        /// The property, and what lies in it; `*` is any step, `**` any number of them. Absent,
        /// whatever differs of the resource, that it is gone included.
        #[schema(max_length = 500)]
        property_path: Option<String> => Text;
        /// Why it does not count.
        #[schema(min_length = 1, max_length = 1000)]
        reason: String => Text.search();
        /// Until when; for good when absent.
        expires_at: Option<Timestamp> => Time.filter();
    }
    kept {
        /// When it was made.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter();
    }
    maker created_by;
    check(wanted) {
        sized("/resource_type", &wanted.resource_type, 1..=100)?;
        sized("/address", &wanted.address, 1..=1000)?;
        sized("/reason", &wanted.reason, 1..=1000)?;
        let Some(path) = wanted.property_path.as_deref() else { return Ok(()) };
        sized("/property_path", path, 1..=500)?;
        match Pattern::parse(path) {
            Ok(_) => Ok(()),
            Err(error) => Err(Problem::invalid("/property_path", "shape", error.to_string())),
        }
    }
}

fn all() -> String {
    "*".to_owned()
}
