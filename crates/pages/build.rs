//! Templates, texts and assets are embedded: rebuild when one is added.

#![allow(
    clippy::print_stdout,
    reason = "this is how a build script speaks to cargo"
)]

fn main() {
    for folder in ["templates", "locales", "assets"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
