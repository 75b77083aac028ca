//! SD-JWT based verifiable credentials: issue, verify, key binding.
