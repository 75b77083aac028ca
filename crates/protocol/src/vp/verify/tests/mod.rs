//! The whole way of a presentation, and every attack on it with its own reason.

mod agreed;
mod api;
mod binding;
mod credential;
mod mdoc;
mod transaction;
mod way;
mod world;
