//! The template engine, set so that nothing but a quoted word can come out of it.

use std::collections::BTreeMap;

use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, filters};

use super::value;
use crate::runbook::expression;

/// Steps the engine may take for one expression; a filter chain takes a few dozen.
const FUEL: u64 = 10_000;

/// The name under which words are written; only it is known to the formatter.
const ESCAPE: &str = "sh";

/// Why an expression has no usable value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EvaluateError {
    #[error("it is not defined")]
    Undefined,
    #[error("it is {0}, not a single value")]
    NotAWord(String),
    #[error("{0}")]
    Other(String),
}

impl EvaluateError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined_variable",
            Self::NotAWord(_) => "not_a_word",
            Self::Other(_) => "expression_failed",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Engine {
    environment: Environment<'static>,
}

impl Engine {
    pub(crate) fn new() -> Self {
        // Empty: no functions, no globals, no loader, no filters but those named here.
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(40);
        environment.set_auto_escape_callback(|_| AutoEscape::Custom(ESCAPE.into()));
        environment.set_formatter(|out, state, value| {
            if !matches!(state.auto_escape(), AutoEscape::Custom(name) if name == ESCAPE) {
                return Err(minijinja::Error::new(
                    minijinja::ErrorKind::InvalidOperation,
                    "values are written as shell words only",
                ));
            }
            // Whether a value calls itself safe is not asked.
            let text = text_of(value).map_err(|error| {
                minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, error.to_string())
            })?;
            Ok(out.write_str(&value::quote(&text))?)
        });
        add_filters(&mut environment);
        Self { environment }
    }

    /// The value of an expression as text.
    pub(crate) fn text(
        &self,
        source: &str,
        values: &BTreeMap<String, Value>,
    ) -> Result<String, EvaluateError> {
        text_of(&self.value(source, values)?)
    }

    /// The value of an expression.
    pub(crate) fn value(
        &self,
        source: &str,
        values: &BTreeMap<String, Value>,
    ) -> Result<Value, EvaluateError> {
        let failed = |error: &minijinja::Error| match error.kind() {
            minijinja::ErrorKind::UndefinedError => EvaluateError::Undefined,
            _ => EvaluateError::Other(expression::detail(error)),
        };
        self.environment
            .compile_expression(source)
            .and_then(|compiled| compiled.eval(Value::from(values.clone())))
            .map_err(|error| failed(&error))
    }

    /// A text as one shell word, through the engine's escaping.
    pub(crate) fn word(&self, text: &str) -> Result<String, minijinja::Error> {
        self.render("{{ word }}", "word", text)
    }

    /// Renders a template over one variable.
    pub(crate) fn render(
        &self,
        template: &str,
        name: &str,
        text: &str,
    ) -> Result<String, minijinja::Error> {
        let values = BTreeMap::from([(name.to_owned(), Value::from(text))]);
        self.environment.render_named_str("command", template, Value::from(values))
    }
}

fn text_of(value: &Value) -> Result<String, EvaluateError> {
    match value.kind() {
        ValueKind::Undefined => Err(EvaluateError::Undefined),
        ValueKind::String => Ok(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Number | ValueKind::Bool => Ok(value.to_string()),
        other => Err(EvaluateError::NotAWord(other.to_string())),
    }
}

fn add_filters(environment: &mut Environment<'static>) {
    environment.add_filter("abs", filters::abs);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("default", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("float", filters::float);
    environment.add_filter("int", filters::int);
    environment.add_filter("join", filters::join);
    environment.add_filter("last", filters::last);
    environment.add_filter("length", filters::length);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("replace", filters::replace);
    environment.add_filter("round", filters::round);
    environment.add_filter("split", filters::split);
    environment.add_filter("string", filters::string);
    environment.add_filter("title", filters::title);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("upper", filters::upper);
    // Lint refuses it; should it ever come here, it changes nothing.
    environment.add_filter("safe", filters::safe);
    environment.add_test("defined", minijinja::tests::is_defined);
    environment.add_test("undefined", minijinja::tests::is_undefined);
    environment.add_test("none", minijinja::tests::is_none);
    environment.add_test("string", minijinja::tests::is_string);
    environment.add_test("number", minijinja::tests::is_number);
    environment.add_test("startingwith", minijinja::tests::is_startingwith);
    environment.add_test("endingwith", minijinja::tests::is_endingwith);
}
