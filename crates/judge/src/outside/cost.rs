//! What a new resource costs a month: the price table of document 003, in US dollars.

use super::{Outside, ResourceType};
use crate::decimal::Decimal;

const PRICES: [(ResourceType, &str, u32); 17] = [
    (ResourceType::Vm, "Standard_D2s_v3", 70),
    (ResourceType::Vm, "Standard_D4s_v3", 140),
    (ResourceType::Vm, "Standard_D8s_v3", 280),
    (ResourceType::Vm, "Standard_D16s_v3", 560),
    (ResourceType::StorageAccount, "50GB", 5),
    (ResourceType::StorageAccount, "100GB", 10),
    (ResourceType::StorageAccount, "1TB", 100),
    (ResourceType::StorageAccount, "10TB", 900),
    (ResourceType::Database, "Basic", 15),
    (ResourceType::Database, "Standard", 50),
    (ResourceType::Database, "Premium", 200),
    (ResourceType::KubernetesCluster, "Small", 100),
    (ResourceType::KubernetesCluster, "Medium", 300),
    (ResourceType::KubernetesCluster, "Large", 600),
    (ResourceType::FunctionApp, "Consumption", 0),
    (ResourceType::FunctionApp, "Premium", 75),
    (ResourceType::VirtualNetwork, "default", 0),
];

/// The price of what is provisioned; `None` when the table does not know its size.
pub(super) fn monthly(intent: &Outside) -> Option<Decimal> {
    let Outside::ProvisionResource(one) = intent else { return None };
    let row = PRICES.iter().find(|(kind, size, _)| *kind == one.resource_type && *size == one.size);
    row.and_then(|(_, _, price)| Decimal::of(f64::from(*price)))
}

/// The higher of two estimates; one alone, when there is only one.
pub(super) fn higher(one: Option<Decimal>, other: Option<Decimal>) -> Option<Decimal> {
    match (one, other) {
        (Some(one), Some(other)) => {
            let less = one.compare(other).is_some_and(std::cmp::Ordering::is_lt);
            Some(if less { other } else { one })
        }
        (one, other) => one.or(other),
    }
}
