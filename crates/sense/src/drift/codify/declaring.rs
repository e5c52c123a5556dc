//! Which file of a configuration declares what: the resources of a directory and of the modules it
//! calls that lie beside.

use std::collections::BTreeMap;

use hcl_edit::structure::Block;

use super::Sources;
use super::hcl::{ENDS, MOST_MODULES, joined, parse};

/// The most resources that are looked for.
const MOST: usize = 50_000;
/// How many directories are read, each as often as it is called.
const MOST_LOOKS: usize = 1_000;

/// The file of each resource of the configuration in a directory, by its address, without the keys of
/// what is repeated. What cannot be read declares nothing.
#[must_use]
pub fn declaring(sources: &Sources, directory: &str) -> BTreeMap<String, String> {
    let mut walk = Walk { sources, looked: 0, modules: Vec::new(), found: BTreeMap::new() };
    if let Some(directory) = joined("", directory) {
        walk.below(&directory);
    }
    walk.found
}

/// An address without the keys of what is repeated: `module.a.aws_instance.web` of
/// `module.a["x.y"].aws_instance.web[0]`.
#[must_use]
pub fn unkeyed(address: &str) -> String {
    let (mut plain, mut within, mut quoted, mut escaped) = (String::new(), false, false, false);
    for one in address.chars() {
        match one {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if within => quoted = !quoted,
            '[' if !within => within = true,
            ']' if within && !quoted => within = false,
            _ if !within => plain.push(one),
            _ => (),
        }
    }
    plain
}

struct Walk<'s> {
    sources: &'s Sources,
    looked: usize,
    /// The modules that lead here, each with the directory that calls it.
    modules: Vec<(String, String)>,
    found: BTreeMap<String, String>,
}

impl Walk<'_> {
    fn below(&mut self, directory: &str) {
        self.looked += 1;
        let mut called = Vec::new();
        for (path, text) in self.sources.of(directory) {
            if !ENDS.iter().any(|end| path.ends_with(end)) {
                continue;
            }
            let Ok(body) = parse(text) else { continue };
            for block in body.get_blocks("resource") {
                if let [kind, name] = &*labels(block)
                    && self.found.len() < MOST
                {
                    let within = self.modules.iter().map(|(name, _)| format!("module.{name}."));
                    let address = within.chain([format!("{kind}.{name}")]).collect::<String>();
                    self.found.entry(address).or_insert_with(|| path.to_owned());
                }
            }
            for block in body.get_blocks("module") {
                let source = block.body.get_attribute("source").and_then(|it| it.value.as_str());
                let beside = source.filter(|it| it.starts_with("./") || it.starts_with("../"));
                let leads = beside.and_then(|source| joined(directory, source));
                if let ([name], Some(leads)) = (&*labels(block), leads) {
                    called.push((name.clone(), leads));
                }
            }
        }
        for (name, leads) in called {
            // Terraform lets no module call itself; a repository may hold anything.
            let round = leads == directory || self.modules.iter().any(|(_, from)| *from == leads);
            if !round && self.modules.len() < MOST_MODULES && self.looked < MOST_LOOKS {
                self.modules.push((name, directory.to_owned()));
                self.below(&leads);
                self.modules.pop();
            }
        }
    }
}

fn labels(block: &Block) -> Vec<String> {
    block.labels.iter().map(|label| label.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Sources {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Sources::new(files.collect())
    }

    #[test]
    fn a_resource_is_declared_where_its_block_stands_in_modules_too() {
        let web = "resource \"aws_security_group\" \"web\" {}\nmodule \"net\" {\n  source = \
                   \"../../modules/net\"\n}\nmodule \"far\" {\n  source = \"hashicorp/consul\"\n}\n";
        let all = sources(&[
            ("infra/prod/web.tf", web),
            ("infra/prod/broken.tf", "resource \"aws_instance\" \"x\" {"),
            ("infra/prod/more/x.tf", "resource \"aws_instance\" \"other\" {}\n"),
            ("modules/net/main.tofu", "resource \"aws_vpc\" \"main\" {\n  count = 2\n}\n"),
        ]);
        let found = declaring(&all, "infra/prod/");
        let found: Vec<_> = found.iter().map(|(one, file)| (&**one, &**file)).collect();
        let expected = [
            ("aws_security_group.web", "infra/prod/web.tf"),
            ("module.net.aws_vpc.main", "modules/net/main.tofu"),
        ];
        assert_eq!(found, expected);
        assert!(declaring(&all, "../out").is_empty());
    }

    #[test]
    fn modules_that_call_each_other_end() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let call = |to: &&str| format!("module \"{to}\" {{\n  source = \"../{to}\"\n}}\n");
        let calls: String = names.iter().map(call).collect();
        let files = names.map(|name| (format!("{name}/x.tf"), calls.clone()));
        let all = Sources::new(files.into_iter().collect());
        assert!(declaring(&all, "a").is_empty());
    }

    #[test]
    fn an_address_loses_its_keys_and_nothing_else() {
        for (address, plain) in [
            ("aws_instance.web", "aws_instance.web"),
            ("aws_instance.web[0]", "aws_instance.web"),
            ("module.a[\"x.y]\"].aws_instance.web[\"b\\\"]c\"]", "module.a.aws_instance.web"),
            ("ConfigMap/default/x", "ConfigMap/default/x"),
        ] {
            assert_eq!(unkeyed(address), plain);
        }
    }
}
