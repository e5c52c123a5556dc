//! Leaves to break a policy for a while.

use api::check::sized;
use api::object;
use api::permission::{Propose, ReadPolicy};
use api::problem::Problem;
use model::Timestamp;
use model::id::{ApprovalId, ExceptionId, FindingId, ProviderPolicyId, ResourceId};

object! {
    /// A leave to break a policy for a while. It is born pending, and only an approval makes it
    /// more than that.
    Exception (ExceptionIn, ExceptionOut) {
        word: "exception", plural: "exceptions", path: "/exceptions",
        table: "countersign.exceptions", tag: "policy", verbs: Append,
        id: ExceptionId, read: ReadPolicy, write: Propose,
        example: {
            "policy_id": "ppl_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "resource_id": "res_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "reason": "the vendor's appliance speaks TLS 1.1 until it is replaced in June",
            "expires_at": "2027-06-30T00:00:00Z", "recertify_at": "2027-04-01T00:00:00Z"
        }
    }
    given {
        /// Which policy; any when absent.
        #[schema(value_type = Option<String>)]
        policy_id: Option<ProviderPolicyId> => Id.filter();
        /// For which resource; all when absent.
        #[schema(value_type = Option<String>)]
        resource_id: Option<ResourceId> => Id.filter();
        /// For which finding; any when absent.
        #[schema(value_type = Option<String>)]
        finding_id: Option<FindingId> => Id.filter();
        /// Why.
        #[schema(min_length = 1, max_length = 2000)]
        reason: String => Text.search();
        /// Until when.
        expires_at: Timestamp => Time.filter().sort();
        /// When somebody must look whether it is still right.
        recertify_at: Option<Timestamp> => Time.filter();
    }
    kept {
        /// `pending`, `approved`, `rejected`, `expired`.
        status: String => Text.filter().sort();
        /// The approval it stands on.
        #[schema(value_type = Option<String>)]
        approval_id: Option<ApprovalId> => Id.filter();
        /// When it was asked for.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    maker created_by;
    check(wanted) {
        sized("/reason", &wanted.reason, 1..=2000)?;
        if wanted.policy_id.is_none() && wanted.resource_id.is_none() && wanted.finding_id.is_none()
        {
            let message = "name a policy, a resource or a finding it is about";
            return Err(Problem::invalid("/policy_id", "missing", message));
        }
        match wanted.recertify_at {
            Some(at) if at > wanted.expires_at => {
                let message = "must not be after expires_at";
                Err(Problem::invalid("/recertify_at", "out_of_range", message))
            }
            _ => Ok(()),
        }
    }
}
