//! Whose word an application is known by.

/// Whose word an application is known by. People are told unless it is the operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is in the configuration.
    Configured,
    /// An administrator keeps it, over REST.
    Managed,
    /// It registered with a token of the operator.
    Registered,
    /// It registered without one: nobody vouches for it.
    Open,
    /// It is known by a document at its `client_id`.
    Document,
}

impl Standing {
    /// Whether nobody here vouches for it.
    #[must_use]
    pub const fn is_unvouched(self) -> bool {
        match self {
            Self::Configured | Self::Managed | Self::Registered => false,
            Self::Open | Self::Document => true,
        }
    }

    /// Whether those who run the service chose it, with its addresses.
    #[must_use]
    pub const fn is_of_operator(self) -> bool {
        match self {
            Self::Configured | Self::Managed => true,
            Self::Registered | Self::Open | Self::Document => false,
        }
    }
}
