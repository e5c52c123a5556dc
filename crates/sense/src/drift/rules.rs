//! Which differences are none: what ships in `content/drift`, and what a tenant adds.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::Deserialize;

use super::ChangeType;
use super::form::Form;
use super::path::{BadPattern, Path, Pattern, SPECIAL, Step, fits};

#[cfg(test)]
mod tests;

/// What ships, the general before the particular: what comes later overrides.
const SHIPPED: [(&str, &str); 6] = [
    ("general", include_str!("../../../../content/drift/general.yaml")),
    ("terraform", include_str!("../../../../content/drift/terraform.yaml")),
    ("aws", include_str!("../../../../content/drift/aws.yaml")),
    ("clouds", include_str!("../../../../content/drift/clouds.yaml")),
    ("cloudformation", include_str!("../../../../content/drift/cloudformation.yaml")),
    ("kubernetes", include_str!("../../../../content/drift/kubernetes.yaml")),
];

static OURS: LazyLock<Rules> = LazyLock::new(|| {
    let rules = SHIPPED.iter().flat_map(|(name, text)| {
        let file: File = serde_saphyr::from_str(text)
            .unwrap_or_else(|error| unreachable!("content/drift/{name}.yaml: {error}"));
        file.rules.into_iter().map(move |rule| Rule { family: file.family, ..rule })
    });
    Rules::of(rules).unwrap_or_else(|error| unreachable!("content/drift: {error}"))
});

model::words! {
    /// The language a resource is declared in.
    Family {
        /// Terraform and OpenTofu: `aws_instance`.
        Terraform = "terraform",
        /// CloudFormation: `AWS::EC2::Instance`.
        CloudFormation = "cloudformation",
        /// Kubernetes: `Deployment`.
        Kubernetes = "kubernetes",
    }
}

impl Family {
    /// The language a type of resources is of, by how it is written.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        if kind.contains("::") {
            Self::CloudFormation
        } else if kind.contains('_') {
            Self::Terraform
        } else {
            Self::Kubernetes
        }
    }
}

model::words! {
    /// Why a difference does not count.
    Reason {
        /// The provider computes it from the rest.
        Computed = "computed",
        /// The provider, or a controller, changes it in the course of its work.
        Managed = "managed",
        /// It says again what another property says.
        Repeated = "repeated",
        /// It is about the tool, not about the resource.
        Tool = "tool",
        /// Somebody said so.
        Ignored = "ignored",
    }
}

/// Why a rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// A path of it cannot be read.
    #[error("a rule for {types:?} cannot be used")]
    Path {
        /// Its types.
        types: Vec<String>,
        /// What is wrong with the path.
        #[source]
        source: BadPattern,
    },
    /// It says nothing about its paths.
    #[error(
        "the rule for {types:?} says nothing: give it `ignore`, `repeats`, `echoes`, `as`, `default`, `secret` or `blank`"
    )]
    Idle {
        /// Its types.
        types: Vec<String>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for whoever reads the file")]
    version: u32,
    #[serde(default)]
    family: Option<Family>,
    rules: Vec<Rule>,
}

/// Resources that say a property of another one as well.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeats {
    /// Their type.
    pub r#type: String,
    /// The property by which they name the other one's id.
    pub by: String,
}

/// What holds for places in the states of resources of some types.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// The language its types are of; all when absent.
    #[serde(skip)]
    pub family: Option<Family>,
    /// The types, with `*` and `?`.
    pub types: Vec<String>,
    /// The places, as [`Pattern`]s.
    pub paths: Vec<String>,
    /// They are not compared, and why.
    pub ignore: Option<Reason>,
    /// Which changes `ignore` is about; all of them when empty.
    pub change: Vec<ChangeType>,
    /// They are not compared where a declared resource of this type says them already: what
    /// changes shows there.
    pub repeats: Option<Repeats>,
    /// They say again what the same places within this property say: a change is told there.
    pub echoes: Option<String>,
    /// How what is there is read before it is compared.
    #[serde(rename = "as")]
    pub form: Option<Form>,
    /// What holds when nothing is said.
    pub default: Option<serde_json::Value>,
    /// What is there is a secret.
    pub secret: bool,
    /// What is empty there is the same as nothing.
    pub blank: bool,
    /// Where the rule comes from.
    pub source: String,
}

#[derive(Debug, Clone)]
struct Compiled {
    rule: Rule,
    patterns: Vec<Pattern>,
}

/// The rules that count.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    all: Vec<Compiled>,
}

impl Rules {
    /// What ships.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &OURS
    }

    /// These rules.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn of(rules: impl IntoIterator<Item = Rule>) -> Result<Self, BadRule> {
        let all = rules.into_iter().map(|rule| {
            let types = || rule.types.clone();
            let idle = rule.ignore.is_none()
                && rule.form.is_none()
                && rule.default.is_none()
                && rule.repeats.is_none()
                && rule.echoes.is_none()
                && !rule.secret
                && !rule.blank;
            if idle {
                return Err(BadRule::Idle { types: types() });
            }
            let patterns: Result<Vec<_>, _> =
                rule.paths.iter().map(|path| Pattern::parse(path)).collect();
            let patterns = patterns.map_err(|source| BadRule::Path { types: types(), source })?;
            Ok(Compiled { rule, patterns })
        });
        Ok(Self { all: all.collect::<Result<_, _>>()? })
    }

    /// These and, stronger, those of somebody else.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        Self { all: self.all.iter().chain(&others.all).cloned().collect() }
    }

    /// The rules about resources of one type.
    #[must_use]
    pub fn about(&self, kind: &str) -> KindRules<'_> {
        let family = Family::of(kind);
        let about = |compiled: &&Compiled| {
            let rule = &compiled.rule;
            rule.family.is_none_or(|of| of == family)
                && rule.types.iter().any(|like| fits(like, kind))
        };
        KindRules::of(self.all.iter().filter(about))
    }

    /// Whether others repeat what resources of this type say, so that these count though nothing of
    /// them differs.
    #[must_use]
    pub fn repeated(&self, kind: &str) -> bool {
        let mut repeats = self.all.iter().filter_map(|compiled| compiled.rule.repeats.as_ref());
        repeats.any(|repeats| repeats.r#type == kind)
    }
}

/// The rules about resources of one type, by what they are asked for: each is asked at every
/// property of every resource that changed.
#[derive(Debug, Clone)]
pub struct KindRules<'r> {
    /// Those that say how a place is compared, the weaker first.
    saying: Vec<&'r Compiled>,
    repeating: Vec<&'r Compiled>,
    echoing: Vec<&'r Compiled>,
    secrets: Secrets<'r>,
    /// Where texts may be documents.
    documents: Vec<&'r Pattern>,
}

/// Where secrets are.
#[derive(Debug, Clone, Default)]
struct Secrets<'r> {
    /// In what is called so, wherever it is.
    names: HashSet<&'r str>,
    /// In what is called like this, wherever it is: begins so, ends so, or more than that.
    begins: Vec<&'r str>,
    ends: Vec<&'r str>,
    like: Vec<&'r str>,
    /// In these places.
    places: Vec<&'r Pattern>,
}

impl<'r> Secrets<'r> {
    fn add(&mut self, pattern: &'r Pattern) {
        let Some(word) = pattern.anywhere() else {
            self.places.push(pattern);
            return;
        };
        let plain = |word: &&str| !word.contains(SPECIAL);
        if plain(&word) {
            self.names.insert(word);
        } else if let Some(begin) = word.strip_suffix('*').filter(plain) {
            self.begins.push(begin);
        } else if let Some(end) = word.strip_prefix('*').filter(plain) {
            self.ends.push(end);
        } else {
            self.like.push(word);
        }
    }

    fn called(&self, step: &Step) -> bool {
        let like = |name: &str| {
            self.ends.iter().any(|end| name.ends_with(end))
                || self.begins.iter().any(|begin| name.starts_with(begin))
                || self.names.contains(name)
                || self.like.iter().any(|like| fits(like, name))
        };
        match step {
            Step::Name(name) | Step::Key(name) => like(name),
            Step::Index(place) => like(&place.to_string()),
        }
    }
}

/// What the rules say of one place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'r> {
    /// It is not compared.
    pub ignore: Option<Reason>,
    /// Changes there that do not count.
    pub passing: &'r [ChangeType],
    /// How what is there is read.
    pub form: Option<&'r Form>,
    /// What holds when nothing is said.
    pub default: Option<&'r serde_json::Value>,
    /// What is empty is the same as nothing.
    pub blank: bool,
}

impl<'r> KindRules<'r> {
    fn of(rules: impl Iterator<Item = &'r Compiled>) -> Self {
        let rules: Vec<&Compiled> = rules.collect();
        let those = |asked: fn(&Rule) -> bool| {
            rules.iter().copied().filter(|one| asked(&one.rule)).collect::<Vec<_>>()
        };
        let mut secrets = Secrets::default();
        for pattern in those(|rule| rule.secret).iter().flat_map(|one| &one.patterns) {
            secrets.add(pattern);
        }
        let documents = those(|rule| matches!(rule.form, Some(Form::Json | Form::Yaml)));
        Self {
            saying: those(|rule| {
                rule.ignore.is_some() || rule.form.is_some() || rule.default.is_some() || rule.blank
            }),
            repeating: those(|rule| rule.repeats.is_some()),
            echoing: those(|rule| rule.echoes.is_some()),
            secrets,
            documents: documents.into_iter().flat_map(|one| &one.patterns).collect(),
        }
    }

    /// How the text of a document at this place is read, when one may be there.
    #[must_use]
    pub fn document(&self, path: &[Step]) -> Option<&'r Form> {
        let any = self.documents.iter().any(|pattern| pattern.matches(path));
        let form = if any { self.say(path).form } else { None };
        form.filter(|form| matches!(form, Form::Json | Form::Yaml))
    }

    /// What they say of this place.
    #[must_use]
    pub fn say(&self, path: &[Step]) -> Said<'r> {
        let mut said = Said::default();
        for compiled in &self.saying {
            let rule = &compiled.rule;
            if compiled.patterns.iter().any(|pattern| pattern.matches(path)) {
                if rule.change.is_empty() {
                    said.ignore = rule.ignore.or(said.ignore);
                } else if rule.ignore.is_some() {
                    said.passing = &rule.change;
                }
                said.form = rule.form.as_ref().or(said.form);
                said.default = rule.default.as_ref().or(said.default);
                said.blank |= rule.blank;
            }
        }
        said
    }

    /// Which other resources say what is at this place, or what it lies in.
    #[must_use]
    pub fn repeats(&self, path: &[Step]) -> Vec<&'r Repeats> {
        let about = self.repeating.iter().filter_map(|compiled| {
            let repeats = compiled.rule.repeats.as_ref()?;
            compiled.patterns.iter().any(|pattern| pattern.covers(path)).then_some(repeats)
        });
        about.collect()
    }

    /// The place that says the same first, when there is one.
    #[must_use]
    pub fn echoed(&self, path: &[Step]) -> Option<Path> {
        let echoes = self.echoing.iter().find_map(|compiled| {
            let echoes = compiled.rule.echoes.as_ref()?;
            compiled.patterns.iter().any(|pattern| pattern.covers(path)).then_some(echoes)
        })?;
        let inside = path.iter().skip(1).cloned();
        Some(std::iter::once(Step::Name(echoes.clone())).chain(inside).collect())
    }

    /// Whether what is at this place, or what it lies in, is a secret.
    #[must_use]
    pub fn secret(&self, path: &[Step]) -> bool {
        path.iter().any(|step| self.secrets.called(step)) || self.secret_in(path)
    }

    /// The same of a place when what it lies in has been asked about already.
    #[must_use]
    pub fn secret_within(&self, path: &[Step]) -> bool {
        path.last().is_some_and(|step| self.secrets.called(step)) || self.secret_in(path)
    }

    fn secret_in(&self, path: &[Step]) -> bool {
        self.secrets.places.iter().any(|pattern| pattern.covers(path))
    }
}
