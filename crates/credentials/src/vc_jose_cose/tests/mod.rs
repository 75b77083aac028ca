//! Envelopes: every refusal by its code.

mod binding;
mod credentials;
mod formats;
mod presentations;
mod support;
