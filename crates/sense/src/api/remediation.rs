//! Remediations over HTTP, to be read. They are asked for where the gate is asked.

use api::object;
use api::permission::ReadFindings;
use model::Timestamp;
use model::id::{ActorId, ExecutionId, FindingId, RemediationId, RepositoryId};
use serde_json::Value;

object! {
    /// Putting drift right, once: which findings, by what means, and how far it got.
    Remedied (RemediedIn, RemediedOut) {
        word: "remediation", plural: "remediations", path: "/remediations",
        table: "countersign.remediations", tag: "findings", verbs: Read,
        id: RemediationId, read: ReadFindings, write: ReadFindings,
        example: {}
    }
    given {}
    kept {
        /// The source that declares.
        #[schema(value_type = String)]
        iac_repository_id: RepositoryId => Id.filter();
        /// `auto_revert` brings the cloud back to the code, `codify_iac` changes the code.
        kind: String => Text.filter();
        /// The findings it is about.
        #[schema(value_type = Vec<String>)]
        finding_ids: Vec<FindingId> => Ids.asked_as("finding_id");
        /// Why, in the words of whoever asked.
        reason: String => Text;
        /// `preparing`, `asked`, `checking`, `published`, `resolved` or `failed`.
        state: String => Text.filter();
        /// Who asked for it.
        #[schema(value_type = String)]
        requested_by: ActorId => Id.filter();
        /// The execution that worked out the change.
        #[schema(value_type = Option<String>)]
        preparation_id: Option<ExecutionId> => Id;
        /// The execution that is the change.
        #[schema(value_type = Option<String>)]
        execution_id: Option<ExecutionId> => Id;
        /// The execution that looked for drift after it.
        #[schema(value_type = Option<String>)]
        check_id: Option<ExecutionId> => Id;
        /// What the preparation said, by the names of the change's variables.
        #[schema(value_type = Option<Object>)]
        prepared: Option<Value> => Json;
        /// Why it came to nothing.
        error: Option<String> => Text;
        /// When it was asked for.
        created_at: Timestamp => Time.filter().age();
        /// When it got further last.
        updated_at: Timestamp => Time.filter();
        /// When it was over.
        ended_at: Option<Timestamp> => Time;
    }
    check(_wanted) { Ok(()) }
}
