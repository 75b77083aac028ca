//! Envelopes: every refusal by its code.

mod credentials;
mod formats;
mod presentations;
mod support;
