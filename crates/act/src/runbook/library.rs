//! The runbooks that ship to begin from. They are nobody's until somebody imports one.

macro_rules! runbooks {
    ($($name:literal,)+) => {
        /// Their texts, by their names.
        pub const LIBRARY: &[(&str, &str)] = &[$((
            $name,
            include_str!(concat!("../../../../content/runbooks/", $name, ".yaml")),
        ),)+];
    };
}

runbooks! {
    "clear-stale-lock",
    "disk-cleanup",
    "restart-service",
    "restart-supervised-service",
}
