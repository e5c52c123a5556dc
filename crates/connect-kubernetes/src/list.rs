//! Lists, page by page to their end.

use serde::Deserialize;
use serde_json::Value;

use connect::outbound;

use crate::cluster::{Ask, Cluster, Error};
use crate::object::Kind;

/// How often a list is begun anew when its pages have become too old to go on.
const BEGINNINGS: u32 = 3;

/// All objects of a kind, of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The objects, each with `apiVersion` and `kind`.
    pub objects: Vec<Value>,
    /// The moment: a watch from here on misses nothing.
    pub resource_version: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    items: Option<Vec<Value>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PageMetadata {
    resource_version: String,
    #[serde(rename = "continue")]
    next: String,
}

impl Cluster {
    /// The objects of a kind that fit a label selector (`app=web,tier!=test`), in one namespace or
    /// in all.
    ///
    /// # Errors
    /// When any page of it cannot be read: part of a list is none.
    pub async fn list(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: Option<&str>,
    ) -> Result<Listed, Error> {
        let resource = self.resource(kind).await?;
        let path = resource.path(namespace.filter(|_| resource.namespaced))?;
        let mut page = self.limits.page.max(1);
        let mut begun = 0;
        'begin: loop {
            begun += 1;
            let mut listed = Listed { objects: Vec::new(), resource_version: String::new() };
            let mut next = String::new();
            loop {
                let mut ask = Ask::get(&path).with("limit", page.to_string());
                if let Some(selector) = selector {
                    ask = ask.with("labelSelector", selector);
                }
                if !next.is_empty() {
                    ask = ask.with("continue", next);
                }
                let answer = match self.json(&ask, None).await {
                    // The rest of what was begun is forgotten there.
                    Err(Error::Expired) if begun < BEGINNINGS => continue 'begin,
                    Err(Error::Call(outbound::Error::TooLarge { .. })) if page > 1 => {
                        page = page.div_ceil(2);
                        begun -= 1;
                        continue 'begin;
                    }
                    answer => answer?,
                };
                let read: Page = serde_json::from_value(answer).map_err(|_| Error::Malformed)?;
                let items = read.items.ok_or(Error::Malformed)?;
                if listed.objects.len() + items.len() > self.limits.most_objects {
                    return Err(Error::TooMany { most: self.limits.most_objects });
                }
                listed.objects.extend(items.into_iter().map(|item| whole(item, kind)));
                listed.resource_version = read.metadata.resource_version;
                next = read.metadata.next;
                if next.is_empty() {
                    return Ok(listed);
                }
            }
        }
    }
}

/// An object of a list, which leaves out what the list says of all.
fn whole(mut item: Value, kind: &Kind) -> Value {
    if let Some(object) = item.as_object_mut() {
        object.entry("apiVersion").or_insert_with(|| kind.api_version().into());
        object.entry("kind").or_insert_with(|| kind.kind.clone().into());
    }
    item
}
