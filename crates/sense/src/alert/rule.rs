//! Alert rules: what is to be done with an alert that just came in.
//!
//! Rules are asked in the order of their priority, lower first; the first that matches decides.
//! An alert no rule matches is kept for a person.

#[cfg(test)]
mod tests;

use model::finding::RuleAction;
use model::id::AlertRuleId;
use model::level::Severity;

/// A rule, as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id; among equal priorities the older rule is asked first.
    pub id: AlertRuleId,
    /// What people call it.
    pub name: String,
    /// Lower is asked first.
    pub priority: i32,
    /// A glob over the alert's name: `*` is any text, `?` one character; case does not matter.
    pub alert_name_pattern: String,
    /// A glob over the severity: the sender's word, or our reading of it.
    pub severity_pattern: String,
    /// What to do.
    pub action: RuleAction,
    /// Whether it is asked at all.
    pub enabled: bool,
}

/// What was ruled, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling {
    /// What to do.
    pub action: RuleAction,
    /// The rule that matched; `None` when none did.
    pub rule: Option<AlertRuleId>,
}

/// The enabled rules of a tenant, in the order they are asked.
#[derive(Debug, Clone, Default)]
pub struct Ruleset(Vec<Compiled>);

#[derive(Debug, Clone)]
struct Compiled {
    id: AlertRuleId,
    action: RuleAction,
    name: Glob,
    severity: Glob,
}

impl Ruleset {
    /// Puts rules in order and leaves out the disabled.
    #[must_use]
    pub fn new(mut rules: Vec<Rule>) -> Self {
        rules.retain(|rule| rule.enabled);
        rules.sort_by_key(|rule| (rule.priority, rule.id));
        let compile = |rule: &Rule| Compiled {
            id: rule.id,
            action: rule.action,
            name: Glob::new(&rule.alert_name_pattern),
            severity: Glob::new(&rule.severity_pattern),
        };
        Self(rules.iter().map(compile).collect())
    }

    /// What to do with an alert of this name and severity.
    #[must_use]
    pub fn decide(&self, name: &str, severity_raw: &str, severity: Severity) -> Ruling {
        let matches = |rule: &&Compiled| {
            rule.name.matches(name)
                && (rule.severity.matches(severity_raw) || rule.severity.matches(severity.word()))
        };
        self.0.iter().find(matches).map_or(
            Ruling { action: RuleAction::Manual, rule: None },
            |rule| Ruling { action: rule.action, rule: Some(rule.id) },
        )
    }
}

/// A glob over a whole text, without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(Vec<char>);

impl Glob {
    /// Takes a pattern of `*`, `?` and characters that stand for themselves.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        let mut characters: Vec<char> = pattern.chars().flat_map(char::to_lowercase).collect();
        characters.dedup_by(|next, last| *next == '*' && *last == '*');
        Self(characters)
    }

    /// Whether it matches the whole of `text`, in time proportional to both lengths multiplied.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        let (mut at, mut read) = (0, 0);
        // The last star, and how much text it covers so far: the only point to go back to.
        let mut star: Option<(usize, usize)> = None;
        while let Some(character) = text.get(read) {
            match self.0.get(at) {
                Some('*') => {
                    star = Some((at, read));
                    at += 1;
                }
                Some(wanted) if *wanted == '?' || wanted == character => {
                    at += 1;
                    read += 1;
                }
                _ => {
                    let Some((place, covered)) = star else { return false };
                    star = Some((place, covered + 1));
                    at = place + 1;
                    read = covered + 1;
                }
            }
        }
        self.0.iter().skip(at).all(|rest| *rest == '*')
    }
}
