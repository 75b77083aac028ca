//! JSON-LD for credentials: expansion with bundled contexts, RDFC-1.0, and the Data Integrity
//! suites that need them. Pure: nothing here reads a file, a socket or the clock.
