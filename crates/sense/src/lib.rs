//! What comes in: alerts, rules and findings.
