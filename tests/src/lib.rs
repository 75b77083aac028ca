//! Whole-system tests: end to end, interop, faults.
