//! The issuing service: OpenID4VCI, its authorization server, admin REST, status lists.
