//! JSON-LD for credentials: expansion with bundled contexts, RDFC-1.0, and the Data Integrity
//! suites that need them. Pure: nothing here reads a file, a socket or the clock.
//!
//! - [`bbs`]: the BBS signature scheme
//! - [`contexts`]: the context documents that exist for us, each with its hash; an unknown one is refused
//! - [`jsonld`]: JSON-LD 1.1 expansion in safe mode (nothing is ever dropped), RDF, skolemization
//! - [`rdf`]: quads, N-Quads, RDF Dataset Canonicalization (RDFC-1.0)

pub mod bbs;
pub mod contexts;
pub mod jsonld;
pub mod rdf;
