//! OpenID Connect: the provider side.
