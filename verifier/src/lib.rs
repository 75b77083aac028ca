//! The login service: an OpenID Provider in front of OpenID4VP.
