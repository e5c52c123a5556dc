//! What is there: read from AWS, or from a cluster.

pub(super) mod aws;
pub(super) mod kubernetes;
