//! Models that learn classes from labelled rows: training, evaluation, and what may replace what.
//!
//! Everything here is pure: rows and a seed come in, an artifact and figures go out. The same rows
//! and the same seed give the same bytes, on any machine: functions beyond the four operations come
//! from `libm`, nothing runs in parallel, and ties are broken by position.

pub mod artifact;
pub mod calibration;
pub mod champion;
pub mod dataset;
pub mod evaluate;
pub mod fit;
pub mod importance;
mod lbfgs;
pub mod logistic;
pub mod metrics;
pub mod ndjson;
pub mod onnx;
mod random;
pub mod shift;
#[cfg(any(test, feature = "testing"))]
pub mod simulator;
mod softmax;
pub mod split;
pub mod trees;

#[cfg(test)]
mod tests;
