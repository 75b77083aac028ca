//! Credential types: what a type of credential contains and how it is shown.
