//! Lists of assets, project by project, to their last page.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::Google;
use crate::calls::{Ask, Tally, encoded};
use crate::error::Error;
use crate::reading::{Live, NotChecked, Reading, Wanted};
use crate::shape::{self, at};
use crate::table::{Kind, Table};

/// "Cloud Asset Inventory quotas": 100 lists a minute for a project.
const LISTS: (&str, f64, f64) = ("cloud asset inventory", 1.6, 20.0);

/// A resource that is asked for.
struct Asked<'a> {
    wanted: &'a Wanted,
    kind: &'static Kind,
    id: String,
}

impl Google {
    /// Reads these resources, and of their types what nobody asked for in the same projects. Types
    /// that are not known are left out.
    pub async fn read(&self, wanted: &[Wanted]) -> Reading {
        let tally = Tally::default();
        let mut reading = Reading::default();
        let mut projects: BTreeMap<String, Vec<Asked<'_>>> = BTreeMap::new();
        for wanted in wanted {
            let Some(kind) = Table::google().kind(&wanted.kind) else { continue };
            let id = normal(&wanted.id);
            match project(&id).or(wanted.project.as_deref()).filter(|project| plain(project)) {
                Some(project) => {
                    let project = project.to_owned();
                    projects.entry(project).or_default().push(Asked { wanted, kind, id });
                }
                None => reading.not_checked.push(NotChecked {
                    kind: wanted.kind.clone(),
                    id: Some(wanted.id.clone()),
                    why: "the project it is in is not known".to_owned(),
                    failed: false,
                }),
            }
        }
        let mut unlisted: BTreeMap<&str, String> = BTreeMap::new();
        for (project, asked) in &projects {
            let kinds: BTreeMap<&str, &Kind> =
                asked.iter().map(|asked| (asked.kind.kind.as_str(), asked.kind)).collect();
            match Box::pin(self.assets(&tally, project, &kinds)).await {
                Ok(rows) => laid(asked, &kinds, &rows, &mut reading),
                Err(error) => {
                    let why = error.why();
                    reading.not_checked.extend(asked.iter().map(|asked| NotChecked {
                        kind: asked.wanted.kind.clone(),
                        id: Some(asked.wanted.id.clone()),
                        why: why.clone(),
                        failed: true,
                    }));
                    let told = kinds.values().filter(|kind| kind.ours.is_some());
                    unlisted.extend(told.map(|kind| (kind.kind.as_str(), why.clone())));
                }
            }
        }
        for (kind, why) in unlisted {
            reading.listed.remove(kind);
            reading.unlisted.push(NotChecked {
                kind: kind.to_owned(),
                id: None,
                why: format!("what nobody declares could not be looked for: {why}"),
                failed: true,
            });
        }
        reading.calls = tally.calls();
        reading.throttled = tally.throttled();
        reading
    }

    /// Everything a project has of these types: what an asset holds, with its name, its place and
    /// its project.
    async fn assets(
        &self,
        tally: &Tally,
        project: &str,
        kinds: &BTreeMap<&str, &Kind>,
    ) -> Result<Vec<Value>, Error> {
        let call = "a list of Cloud Asset Inventory";
        let limits = self.calls.limits();
        let types: BTreeSet<&str> = kinds.values().map(|kind| kind.resource.as_str()).collect();
        let types = types.iter().map(|kind| format!("&assetTypes={}", encoded(kind.as_bytes())));
        let list = format!(
            "{}/v1/projects/{}/assets?contentType=RESOURCE&pageSize={}{}",
            self.inventory,
            encoded(project.as_bytes()),
            limits.page,
            types.collect::<String>(),
        );
        let (mut rows, mut token) = (Vec::new(), None);
        for _ in 0..limits.most_pages {
            let url = match &token {
                None => list.clone(),
                Some(token) => format!("{list}&pageToken={token}"),
            };
            let ask = Ask { call, quota: LISTS, url: &url, body: None };
            let mut answer = self.calls.ask(tally, &ask).await?;
            // A page of nothing has no list.
            let page = match answer.get_mut("assets").map(Value::take) {
                None => Vec::new(),
                Some(Value::Array(page)) => page,
                Some(_) => return Err(Error::Unreadable { call, fault: "it has no assets" }),
            };
            rows.extend(page.iter().filter_map(|asset| row(asset, project)));
            let next = answer.get("nextPageToken").and_then(Value::as_str);
            let next = next.filter(|next| !next.is_empty()).map(|next| encoded(next.as_bytes()));
            if next.is_none() {
                return Ok(rows);
            }
            if next == token {
                return Err(Error::Endless { call, fault: "the next page is the same again" });
            }
            token = next;
        }
        Err(Error::Endless { call, fault: "it has more pages than are read" })
    }
}

/// What was found of a project, laid beside what was asked for.
fn laid(asked: &[Asked<'_>], kinds: &BTreeMap<&str, &Kind>, rows: &[Value], reading: &mut Reading) {
    let mut there: HashMap<(&str, String), usize> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        for kind in kinds.values().filter(|kind| is(kind, row)) {
            if let Some(id) = id(kind, row) {
                there.insert((&kind.kind, id), place);
            }
        }
    }
    let mut met = BTreeSet::new();
    for asked in asked {
        let Some(place) = there.get(&(asked.kind.kind.as_str(), asked.id.clone())) else {
            continue;
        };
        let Some(row) = rows.get(*place) else { continue };
        met.insert(*place);
        reading.resources.push(Live {
            kind: asked.kind.kind.clone(),
            id: asked.wanted.id.clone(),
            attributes: shape::object(row, &asked.kind.attributes),
        });
    }
    let beyond = rows.iter().enumerate().filter(|(place, _)| !met.contains(place));
    for (_, row) in beyond {
        let kind = kinds.values().find(|kind| is(kind, row)).filter(|kind| kind.tells(row));
        if let Some((kind, id)) = kind.and_then(|kind| Some((kind, id(kind, row)?))) {
            reading.undeclared.push(Live {
                kind: kind.kind.clone(),
                id,
                attributes: shape::object(row, &kind.attributes),
            });
        }
    }
    let told = kinds.values().filter(|kind| kind.ours.is_some());
    reading.listed.extend(told.map(|kind| kind.kind.clone()));
}

fn is(kind: &Kind, row: &Value) -> bool {
    row.get("type").and_then(Value::as_str) == Some(&kind.resource) && kind.fits(row)
}

/// An asset as it is looked into: `data` is the resource, `asset` its name without the service in
/// front and with the id of the project where the inventory writes its number.
fn row(asset: &Value, project: &str) -> Option<Value> {
    let name = asset.get("name")?.as_str()?;
    // `//compute.googleapis.com/projects/…`
    let path =
        name.strip_prefix("//").and_then(|name| name.split_once('/')).map(|(_, path)| path)?;
    let number = asset.get("ancestors").and_then(|all| all.get(0)).and_then(Value::as_str);
    let path = match number.and_then(|number| path.strip_prefix(number)) {
        Some(rest) if rest.starts_with('/') => format!("projects/{project}{rest}"),
        _ => path.to_owned(),
    };
    Some(json!({
        "type": asset.get("assetType")?,
        "asset": path,
        "project": project,
        "location": at(asset, "resource.location"),
        "data": asset.get("resource")?.get("data")?,
    }))
}

/// What Terraform would call an asset.
fn id(kind: &Kind, row: &Value) -> Option<String> {
    let id = at(row, kind.id.as_deref().unwrap_or("asset"))?;
    Some(normal(id.as_str()?))
}

/// An id without what is written in several ways: the service of a self link in front; clusters are
/// in zones, in regions and in locations; services of Knative in namespaces that are projects.
fn normal(id: &str) -> String {
    let id = match (id.contains("://"), id.find("projects/")) {
        (true, Some(begin)) => id.get(begin..).unwrap_or(id),
        _ => id,
    };
    let parts: Vec<&str> = id.split('/').collect();
    match parts.as_slice() {
        ["locations", place, "namespaces", project, rest @ ..] => {
            format!("projects/{project}/locations/{place}/{}", rest.join("/"))
        }
        ["projects", project, "zones" | "regions", place, "clusters", name] => {
            format!("projects/{project}/locations/{place}/clusters/{name}")
        }
        _ => id.to_owned(),
    }
}

/// The project an id names.
fn project(id: &str) -> Option<&str> {
    id.strip_prefix("projects/")?.split('/').next()
}

/// Whether a text can be the id of a project: it becomes a part of an address.
fn plain(project: &str) -> bool {
    let byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte);
    (1..=100).contains(&project.len()) && !project.starts_with('.') && project.bytes().all(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_however_they_are_written() {
        for (written, same) in [
            ("projects/p/zones/z/instances/i", "projects/p/zones/z/instances/i"),
            (
                "https://www.googleapis.com/compute/v1/projects/p/global/networks/n",
                "projects/p/global/networks/n",
            ),
            ("projects/p/zones/z/clusters/c", "projects/p/locations/z/clusters/c"),
            ("locations/l/namespaces/p/services/s", "projects/p/locations/l/services/s"),
            ("shop-bucket", "shop-bucket"),
        ] {
            assert_eq!(normal(written), same);
        }
    }

    #[test]
    fn a_project_is_one_and_no_part_of_another_address() {
        for (project, good) in [
            ("shop-prod", true),
            ("example.com:shop", true),
            ("123456789", true),
            ("", false),
            ("..", false),
            ("a/b", false),
            ("a?b", false),
            ("a%2f", false),
        ] {
            assert_eq!(plain(project), good, "{project}");
        }
    }
}
