//! Rules of security groups. EC2 gathers them by protocol and ports; the resource type has one for
//! each place they let through.

use serde_json::{Map, Value};

use crate::tree::{list_at, text_at};

/// The rules of a list of permissions, each with what it lets through: `side` is `Source` or
/// `Destination`. The same permissions always give the same list.
pub(super) fn flat(permissions: &Value, side: &str) -> Value {
    let mut rules = Vec::new();
    for permission in crate::tree::as_list(Some(permissions.clone())) {
        let through = protocol(&permission);
        let places = [
            ("ipRanges", "cidrIp", "CidrIp".to_owned()),
            ("ipv6Ranges", "cidrIpv6", "CidrIpv6".to_owned()),
            ("prefixListIds", "prefixListId", format!("{side}PrefixListId")),
            ("groups", "groupId", format!("{side}SecurityGroupId")),
        ];
        for (list, from, to) in places {
            for place in list_at(&permission, list) {
                let Some(which) = text_at(&place, from) else { continue };
                let mut rule = through.clone();
                rule.insert(to.clone(), which.into());
                if let Some(description) = text_at(&place, "description") {
                    rule.insert("Description".to_owned(), description.into());
                }
                rules.push(Value::Object(rule));
            }
        }
    }
    rules.sort_by_key(Value::to_string);
    Value::Array(rules)
}

/// Protocol and ports, which all protocols (`-1`) do not have.
fn protocol(permission: &Value) -> Map<String, Value> {
    let mut rule = Map::new();
    let protocol = text_at(permission, "ipProtocol").unwrap_or_default();
    if protocol != "-1" {
        for (from, to) in [("fromPort", "FromPort"), ("toPort", "ToPort")] {
            let port = text_at(permission, from).and_then(|port| port.parse::<i64>().ok());
            if let Some(port) = port {
                rule.insert(to.to_owned(), port.into());
            }
        }
    }
    rule.insert("IpProtocol".to_owned(), protocol.into());
    rule
}
