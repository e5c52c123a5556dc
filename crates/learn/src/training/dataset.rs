//! Labelled rows: named features, classes, and what is known of where and when each row is from.

use std::collections::BTreeSet;

use model::Digest;

use super::softmax::MAX_CLASSES;

/// The most features a row may have.
pub const MAX_FEATURES: usize = 1_024;
/// The most rows a data set may have.
pub const MAX_ROWS: usize = 2_000_000;
/// The longest name of a feature or a class, in bytes.
pub const MAX_NAME: usize = 255;

/// One labelled row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// A number per feature; NaN where it is not known.
    pub values: Vec<f64>,
    /// The position of its class.
    pub label: usize,
    /// How much it counts; 1 as a rule.
    pub weight: f64,
    /// When it happened, in seconds since 1970.
    pub time: Option<i64>,
    /// Whose it is: a tenant, as a rule.
    pub group: Option<String>,
    /// What was said of it so far, by whatever decides today: a probability per class.
    pub stated: Option<Vec<f64>>,
}

impl Row {
    /// A row that counts once and of which nothing else is known.
    #[must_use]
    pub const fn new(values: Vec<f64>, label: usize) -> Self {
        Self { values, label, weight: 1.0, time: None, group: None, stated: None }
    }
}

/// Why rows make no data set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatasetError {
    /// Names are missing, empty, too long, or there twice.
    #[error("{0}")]
    Names(String),
    /// A row cannot be used.
    #[error("row {row}: {problem}")]
    Row {
        /// Which, counted from 1.
        row: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// There are no rows, or too many.
    #[error("a data set has 1 to {MAX_ROWS} rows, not {0}")]
    Size(usize),
}

/// Labelled rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    features: Vec<String>,
    classes: Vec<String>,
    rows: Vec<Row>,
}

impl Dataset {
    /// Of rows whose values stand in the order of `features` and whose labels are positions in
    /// `classes`.
    ///
    /// # Errors
    /// When names repeat, a row has another number of values, or a number is infinite.
    pub fn new(
        features: Vec<String>,
        classes: Vec<String>,
        rows: Vec<Row>,
    ) -> Result<Self, DatasetError> {
        named("features", &features, 1..=MAX_FEATURES)?;
        named("classes", &classes, 2..=MAX_CLASSES)?;
        if rows.is_empty() || rows.len() > MAX_ROWS {
            return Err(DatasetError::Size(rows.len()));
        }
        let first = &rows[0];
        let known = (first.time.is_some(), first.group.is_some(), first.stated.is_some());
        for (at, row) in rows.iter().enumerate() {
            let fault = |problem: String| DatasetError::Row { row: at + 1, problem };
            if row.values.len() != features.len() {
                let (found, wanted) = (row.values.len(), features.len());
                return Err(fault(format!("has {found} values for {wanted} features")));
            }
            if let Some(bad) = row.values.iter().position(|value| value.is_infinite()) {
                return Err(fault(format!("{} is infinite", features[bad])));
            }
            if row.label >= classes.len() {
                return Err(fault("its label is no class".to_owned()));
            }
            if !(row.weight.is_finite() && row.weight > 0.0) {
                return Err(fault("its weight is no positive number".to_owned()));
            }
            if (row.time.is_some(), row.group.is_some(), row.stated.is_some()) != known {
                let which = "a time, a group or what was stated is there for some rows alone";
                return Err(fault(which.to_owned()));
            }
            if row.stated.as_ref().is_some_and(|stated| !distribution(stated, classes.len())) {
                let message = "what was stated of it are no probabilities of the classes";
                return Err(fault(message.to_owned()));
            }
        }
        Ok(Self { features, classes, rows })
    }

    /// The names of the features, in the order of values.
    #[must_use]
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// The names of the classes, in the order of labels.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The label of each row.
    #[must_use]
    pub fn labels(&self) -> Vec<usize> {
        self.rows.iter().map(|row| row.label).collect()
    }

    /// How many rows of each class there are.
    #[must_use]
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for row in &self.rows {
            counts[row.label] += 1;
        }
        counts
    }

    /// The rows at some positions, in that order.
    #[must_use]
    pub fn at(&self, positions: &[usize]) -> Self {
        Self {
            features: self.features.clone(),
            classes: self.classes.clone(),
            rows: positions.iter().map(|at| self.rows[*at].clone()).collect(),
        }
    }

    /// SHA-256 over a canonical form: names with their lengths, then each row's bits.
    ///
    /// Two data sets have the same hash when they hold the same rows in the same order. All NaN are
    /// one value, and so are the two zeros.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut bytes = b"countersign data set 1\0".to_vec();
        for names in [&self.features, &self.classes] {
            number(&mut bytes, names.len());
            names.iter().for_each(|name| text(&mut bytes, name));
        }
        number(&mut bytes, self.rows.len());
        for row in &self.rows {
            row.values.iter().for_each(|value| bits(&mut bytes, *value));
            number(&mut bytes, row.label);
            bits(&mut bytes, row.weight);
            bytes.push(u8::from(row.time.is_some()));
            bytes.extend(row.time.unwrap_or_default().to_be_bytes());
            bytes.push(u8::from(row.group.is_some()));
            text(&mut bytes, row.group.as_deref().unwrap_or_default());
            let stated = row.stated.as_deref().unwrap_or_default();
            number(&mut bytes, stated.len());
            stated.iter().for_each(|value| bits(&mut bytes, *value));
        }
        Digest::of(&bytes)
    }
}

fn number(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend((number as u64).to_be_bytes());
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    number(bytes, text.len());
    bytes.extend(text.as_bytes());
}

fn bits(bytes: &mut Vec<u8>, value: f64) {
    // Adding 0 makes the negative zero the other one.
    let value = if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() };
    bytes.extend(value.to_be_bytes());
}

/// Whether numbers are probabilities of `classes` classes that sum to 1, but for rounding.
pub(crate) fn distribution(numbers: &[f64], classes: usize) -> bool {
    let total: f64 = numbers.iter().sum();
    numbers.len() == classes
        && numbers.iter().all(|number| (0.0..=1.0).contains(number))
        && (total - 1.0).abs() < 1e-6
}

/// Refuses names that are empty, too long, or there twice.
pub(crate) fn named(
    what: &str,
    names: &[String],
    count: std::ops::RangeInclusive<usize>,
) -> Result<(), DatasetError> {
    if !count.contains(&names.len()) {
        let (from, to) = (count.start(), count.end());
        let message = format!("there are {} {what}, not {from} to {to}", names.len());
        return Err(DatasetError::Names(message));
    }
    let mut seen = BTreeSet::new();
    for name in names {
        if name.is_empty() || name.len() > MAX_NAME {
            let message = format!("a name among the {what} has not 1 to {MAX_NAME} bytes");
            return Err(DatasetError::Names(message));
        }
        if !seen.insert(name) {
            return Err(DatasetError::Names(format!("{name:?} is there twice among the {what}")));
        }
    }
    Ok(())
}
