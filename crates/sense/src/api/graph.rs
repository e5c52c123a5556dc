//! The estate as a graph: services, and how resources hang together.

use api::object;
use api::permission::{ReadEstate, WriteEstate};
use model::Timestamp;
use model::id::{EdgeId, ResourceId, ServiceId};

use super::{sized, texts};

object! {
    /// A service of the catalogue, with where to look when it is in trouble.
    Service (ServiceIn, ServiceOut) {
        word: "service", plural: "services", path: "/services",
        table: "countersign.services", tag: "estate", verbs: All,
        id: ServiceId, read: ReadEstate, write: WriteEstate,
        known_by: [name],
        example: {
            "name": "checkout", "owner_team": "payments", "environments": ["shop-live"],
            "argo_apps": ["checkout"], "helm_releases": ["checkout"],
            "promql_queries": ["sum(rate(http_requests_total{job=\"checkout\",code=~\"5..\"}[5m]))"],
            "traceql_queries": ["{ resource.service.name = \"checkout\" && status = error }"],
            "grafana_dashboards": ["checkout-overview"]
        }
    }
    given {
        /// What people call it, unique.
        #[schema(min_length = 1, max_length = 255)]
        name: String => Text.filter().sort().search();
        /// The team that answers for it.
        #[serde(default)]
        #[schema(max_length = 255)]
        owner_team: String => Text.filter().search();
        /// The environments it runs in, by slug.
        #[serde(default)]
        environments: Vec<String> => Texts.filter();
        /// Its applications in Argo CD.
        #[serde(default)]
        argo_apps: Vec<String> => Texts.filter();
        /// Its releases in Helm.
        #[serde(default)]
        helm_releases: Vec<String> => Texts.filter();
        /// What to ask Prometheus about it.
        #[serde(default)]
        promql_queries: Vec<String> => Texts;
        /// What to ask Tempo about it.
        #[serde(default)]
        traceql_queries: Vec<String> => Texts;
        /// Its dashboards in Grafana, by uid.
        #[serde(default)]
        grafana_dashboards: Vec<String> => Texts;
    }
    kept {
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
        /// When it was changed last.
        updated_at: Timestamp => Time.filter().sort();
    }
    check(wanted) {
        sized("/name", &wanted.name, 1..=255)?;
        sized("/owner_team", &wanted.owner_team, 0..=255)?;
        texts("/environments", &wanted.environments, 100)?;
        texts("/argo_apps", &wanted.argo_apps, 255)?;
        texts("/helm_releases", &wanted.helm_releases, 255)?;
        texts("/promql_queries", &wanted.promql_queries, 4000)?;
        texts("/traceql_queries", &wanted.traceql_queries, 4000)?;
        texts("/grafana_dashboards", &wanted.grafana_dashboards, 255)
    }
}

object! {
    /// How two resources hang together.
    ResourceEdge (ResourceEdgeIn, ResourceEdgeOut) {
        word: "resource_edge", plural: "resource edges", path: "/resource-edges",
        table: "countersign.resource_edges", tag: "estate", verbs: Record,
        id: EdgeId, read: ReadEstate, write: WriteEstate,
        example: {
            "from_id": "res_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "to_id": "res_0190a3c4-5b6d-7e8f-9a0b-1c2d3e4f5a6b",
            "relation": "depends_on"
        }
    }
    given {
        /// The resource the relation starts at.
        #[schema(value_type = String)]
        from_id: ResourceId => Id.filter();
        /// The resource it leads to.
        #[schema(value_type = String)]
        to_id: ResourceId => Id.filter();
        /// `depends_on`, `contains`, `reaches` …
        #[schema(min_length = 1, max_length = 100)]
        relation: String => Text.filter();
    }
    kept {
        /// When it was added.
        created_at: Timestamp => Time.filter().age();
    }
    check(wanted) { sized("/relation", &wanted.relation, 1..=100) }
}
