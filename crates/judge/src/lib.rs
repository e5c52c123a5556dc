//! Risk and policy: what an intent could cost and what the rules say.

pub mod action;
pub mod api;
pub mod autonomy;
pub mod beta;
pub mod blast;
pub mod constants;
pub mod counterfactual;
pub mod decimal;
pub mod drift;
pub mod evaluate;
pub mod exact;
pub mod outside;
pub mod policy;
pub mod risk;
pub mod standing;
pub mod store;
