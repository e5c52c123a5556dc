//! House rules and test runs.

fn main() {}
