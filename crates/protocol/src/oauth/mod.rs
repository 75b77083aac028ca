//! OAuth 2.0: what an authorization server and its clients say, and the checks on it.
