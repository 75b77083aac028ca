//! The wallet without I/O of its own: issuance, presentation, keys, store, history.
