//! What else happened around a finding, and what things cost.

use api::check::{decimal, object as an_object, share};
use api::object;
use api::permission::{ReadFindings, WriteFindings};
use api::problem::{Answer, Problem};
use jiff::civil::Date;
use model::Timestamp;
use model::id::{ContextId, CorrelationId, CostId, FindingId, ResourceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::sized;

/// The longest span that is kept, in seconds: ten years.
const LONGEST_SPAN_S: f64 = 315_576_000.0;

object! {
    /// Something that happened elsewhere and belongs to a finding.
    Correlation (CorrelationIn, CorrelationOut) {
        word: "correlation", plural: "correlations", path: "/correlations",
        table: "countersign.correlations", tag: "findings", verbs: Record,
        id: CorrelationId, read: ReadFindings, write: WriteFindings,
        example: {
            "finding_id": "fnd_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "correlation_type": "git_commit", "external_id": "4f1c2d9",
            "external_system": "github", "event_data": {"message": "raise the pool size"},
            "correlation_score": 0.75, "temporal_offset": -540.0
        }
    }
    given {
        /// The finding.
        #[schema(value_type = String)]
        finding_id: FindingId => Id.filter();
        /// `git_commit`, `incident_ticket`, `monitoring_alert` …
        #[schema(min_length = 1, max_length = 50)]
        correlation_type: String => Text.filter();
        /// What the other system calls it.
        #[schema(min_length = 1, max_length = 255)]
        external_id: String => Text.filter().search();
        /// `github`, `jira`, `prometheus` …
        #[schema(min_length = 1, max_length = 50)]
        external_system: String => Text.filter();
        /// What is known of it.
        #[schema(value_type = Object)]
        event_data: Value => Json;
        /// How closely it belongs to the finding, 0 to 1.
        #[schema(minimum = 0, maximum = 1)]
        correlation_score: Option<f64> => Number.filter();
        /// Seconds from the finding to it; negative is before.
        temporal_offset: Option<f64> => Seconds;
    }
    kept {
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
    }
    check(wanted) {
        sized("/correlation_type", &wanted.correlation_type, 1..=50)?;
        sized("/external_id", &wanted.external_id, 1..=255)?;
        sized("/external_system", &wanted.external_system, 1..=50)?;
        an_object("/event_data", &wanted.event_data)?;
        share("/correlation_score", wanted.correlation_score)?;
        span("/temporal_offset", wanted.temporal_offset)
    }
}

/// What was going on.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContextType {
    /// Something was broken.
    Incident,
    /// Something was rolled out.
    Deployment,
    /// Somebody was at work.
    Maintenance,
    /// Somebody was attacked.
    SecurityEvent,
}

/// How bad an incident was.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Impact {
    /// Hardly.
    Low,
    /// Noticeably.
    Medium,
    /// Badly.
    High,
}

object! {
    /// An incident, a deployment or a window around a finding.
    OperationalContext (OperationalContextIn, OperationalContextOut) {
        word: "operational_context", plural: "operational contexts",
        path: "/operational-contexts", table: "countersign.operational_context",
        tag: "findings", verbs: Record,
        id: ContextId, read: ReadFindings, write: WriteFindings,
        example: {
            "finding_id": "fnd_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b", "context_type": "deployment",
            "context_data": {"service": "checkout", "release": "1.4"},
            "incident_impact": "low", "time_window": 3600.0
        }
    }
    given {
        /// The finding.
        #[schema(value_type = String)]
        finding_id: FindingId => Id.filter();
        /// What was going on.
        context_type: ContextType => Text.filter();
        /// What is known of it.
        #[schema(value_type = Object)]
        context_data: Value => Json;
        /// How bad it was.
        incident_impact: Option<Impact> => Text.filter();
        /// How long before and after the finding it counts, in seconds.
        #[schema(minimum = 0)]
        time_window: Option<f64> => Seconds;
    }
    kept {
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
    }
    check(wanted) {
        an_object("/context_data", &wanted.context_data)?;
        span("/time_window", wanted.time_window)
    }
}

object! {
    /// What a service, or a resource of it, cost on a day.
    Cost (CostIn, CostOut) {
        word: "cost", plural: "costs", path: "/costs",
        table: "countersign.cost_timeseries", tag: "findings", verbs: All,
        id: CostId, read: ReadFindings, write: WriteFindings,
        known_by: [service, resource_id, day],
        example: {
            "service": "compute", "resource_id": "res_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "day": "2026-03-01", "amount": "12.50", "currency": "USD"
        }
    }
    given {
        /// The provider's service.
        #[schema(min_length = 1, max_length = 255)]
        service: String => Text.filter().search();
        /// The resource; the service as a whole when absent.
        #[schema(value_type = Option<String>)]
        resource_id: Option<ResourceId> => Id.filter();
        /// The day.
        #[schema(value_type = String, format = Date)]
        day: Date => Date.filter().sort();
        /// How much, as a decimal number.
        #[schema(pattern = r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$")]
        amount: String => Decimal.sort();
        /// In which currency, ISO 4217.
        #[schema(pattern = "^[A-Z]{3}$")]
        currency: String => Text.filter();
    }
    kept {
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter();
    }
    check(wanted) {
        sized("/service", &wanted.service, 1..=255)?;
        decimal("/amount", &wanted.amount)?;
        let letters = wanted.currency.bytes().all(|byte| byte.is_ascii_uppercase());
        if wanted.currency.len() == 3 && letters {
            return Ok(());
        }
        Err(Problem::invalid("/currency", "shape", "must be three capital letters, such as USD"))
    }
}

/// Refuses a span nobody means.
fn span(path: &str, seconds: Option<f64>) -> Answer<()> {
    if seconds.is_none_or(|seconds| seconds.abs() <= LONGEST_SPAN_S) {
        return Ok(());
    }
    Err(Problem::invalid(path, "out_of_range", "must be within ten years, in seconds"))
}
