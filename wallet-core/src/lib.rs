//! The wallet without I/O of its own.
//!
//! A host (a phone app, the command line, a web page) supplies storage, time
//! and randomness, sends the requests that the sessions hand out and gives the
//! answers back.
pub mod storage;
