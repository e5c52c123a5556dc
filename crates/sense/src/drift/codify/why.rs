//! Why something stays out of the code.

/// Why something stays out of the code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The resource is gone.
    #[error("the resource is gone: take its declaration out, or restore it")]
    Deleted,
    /// Nothing declares it.
    #[error("nothing declares the resource: import it, or remove it")]
    Unmanaged,
    /// It has another address.
    #[error("the resource has another address: a `moved` block says so")]
    Moved,
    /// It is not in these files.
    #[error("the resource is not declared in these files")]
    NotFound,
    /// It is there more than once.
    #[error("the resource is declared more than once")]
    Ambiguous,
    /// Its block stands for several.
    #[error(
        "one block declares several resources (`count`, `for_each`): a change would be for all"
    )]
    Repeated,
    /// Blocks inside are made by a loop.
    #[error("a `dynamic` block makes it")]
    Dynamic,
    /// Its module comes from elsewhere.
    #[error("its module comes from {0:?}, which is not in this directory")]
    RemoteModule(String),
    /// Its module lies outside.
    #[error("its module lies at {0:?}, outside of this directory")]
    Outside(String),
    /// Its module is used more than once.
    #[error("its module is used more than once: a change would be for all")]
    SharedModule,
    /// Something computes it.
    #[error("the code computes it: {0}")]
    Computed(String),
    /// A secret.
    #[error("it is a secret, of which only a digest is known")]
    Secret,
    /// The provider computes it.
    #[error("the provider computes it: nothing in the code can say it")]
    Provider,
    /// It is not known how it is written.
    #[error(
        "the code does not say it so far, and it is not known whether it would be an attribute or a block"
    )]
    Unknown,
    /// The code was changed meanwhile.
    #[error("the code says something else than what was declared when this was found")]
    Ahead,
    /// It is written in a way that is not edited.
    #[error("it is written in a way that cannot be changed in place")]
    Form,
    /// Terraform's JSON.
    #[error("its configuration is written in JSON, which is not changed")]
    JsonSyntax,
    /// Something else writes what is deployed.
    #[error("Kustomize puts these manifests together: what to change is not known")]
    Generated,
    /// A source cannot be read.
    #[error("its source cannot be read: {0}")]
    Unreadable(String),
}

impl Why {
    /// The reason in one word, for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Unmanaged => "unmanaged",
            Self::Moved => "moved",
            Self::NotFound => "not_found",
            Self::Ambiguous => "ambiguous",
            Self::Repeated => "repeated",
            Self::Dynamic => "dynamic",
            Self::RemoteModule(_) => "remote_module",
            Self::Outside(_) => "outside",
            Self::SharedModule => "shared_module",
            Self::Computed(_) => "computed",
            Self::Secret => "secret",
            Self::Provider => "provider",
            Self::Unknown => "unknown_property",
            Self::Ahead => "ahead",
            Self::Form => "form",
            Self::JsonSyntax => "json_syntax",
            Self::Generated => "generated",
            Self::Unreadable(_) => "unreadable",
        }
    }
}
