//! The small words of a runbook that no other crate speaks.

model::words! {
    /// Whether a runbook may be used.
    #[derive(Default)]
    Status {
        /// Being written: people may run it, alerts do not.
        #[default]
        Draft = "draft",
        /// Alerts may start it.
        Active = "active",
        /// Nobody may run it.
        Disabled = "disabled",
    }
}

model::words! {
    /// What the targets of a runbook run.
    #[derive(Default)]
    TargetOs {
        /// A POSIX shell over SSH.
        #[default]
        Linux = "linux",
        /// Known, kept, and not run yet.
        Windows = "windows",
    }
}
