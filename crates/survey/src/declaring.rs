//! Which file of a repository declares what.

use std::collections::BTreeMap;

use sense::drift::cloudformation;
use sense::drift::codify::{self, Sources, unkeyed};
use sense::drift::manifest;
use sense::drift::value::Value;

/// The files that declare, by what they do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declaring(BTreeMap<String, String>);

impl Declaring {
    /// Of files written for `tool`, by their paths in the repository; a configuration of Terraform's
    /// is that of `directory`. A file that cannot be read declares nothing.
    #[must_use]
    pub fn of(tool: &str, files: BTreeMap<String, String>, directory: &str) -> Self {
        match tool {
            "kubernetes" => Self(each(&files, |text| {
                let objects = manifest::read(text).unwrap_or_default();
                objects.iter().map(sense::drift::compare::Resource::name).collect()
            })),
            "cloudformation" => Self(each(&files, |text| {
                let template = cloudformation::document(text).ok();
                match template.as_ref().and_then(|template| template.get("Resources")) {
                    Some(Value::Map(all)) => all.iter().map(|(name, _)| name.to_string()).collect(),
                    _ => Vec::new(),
                }
            })),
            _ => Self(codify::declaring(&Sources::new(files), directory)),
        }
    }

    /// The file that declares a resource.
    #[must_use]
    pub fn file(&self, address: &str) -> Option<&str> {
        let file = self.0.get(address).or_else(|| self.0.get(&unkeyed(address)));
        file.map(String::as_str)
    }

    /// What is declared, each with its file.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(address, file)| (address.as_str(), file.as_str()))
    }
}

/// What each file declares; of several that declare the same the first by name.
fn each(
    files: &BTreeMap<String, String>,
    declares: impl Fn(&str) -> Vec<String>,
) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (path, text) in files {
        for address in declares(text) {
            found.entry(address).or_insert_with(|| path.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tool: &str, files: &[(&str, &str)]) -> Vec<(String, String)> {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let declaring = Declaring::of(tool, files.collect(), "infra");
        let all = declaring.all().map(|(one, file)| (one.to_owned(), file.to_owned()));
        all.collect()
    }

    #[test]
    fn every_tool_says_which_file_declares_what() {
        let object =
            |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name} }}\n");
        let two = format!("{}---\n{}", object("a"), object("b"));
        let is = |address: &str, file: &str| (address.to_owned(), file.to_owned());
        let found = of("kubernetes", &[("k8s/a.yaml", &two), ("k8s/broken.yaml", "a: [")]);
        let files: Vec<&str> = found.iter().map(|(_, file)| file.as_str()).collect();
        assert_eq!(files, ["k8s/a.yaml", "k8s/a.yaml"], "{found:?}");
        let template = "Resources:\n  Web: { Type: AWS::SQS::Queue }\n";
        let found = of("cloudformation", &[("stacks/shop.yaml", template)]);
        assert_eq!(found, [is("Web", "stacks/shop.yaml")]);
        let block = "resource \"aws_vpc\" \"main\" {}\n";
        let found = of("terraform", &[("infra/net.tf", block), ("other/x.tf", block)]);
        assert_eq!(found, [is("aws_vpc.main", "infra/net.tf")]);
        let files = BTreeMap::from([("infra/net.tf".to_owned(), block.to_owned())]);
        let declaring = Declaring::of("opentofu", files, "infra");
        assert_eq!(declaring.file("aws_vpc.main[0]"), Some("infra/net.tf"));
        assert_eq!(declaring.file("aws_vpc.other"), None);
    }
}
