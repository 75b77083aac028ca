//! The vectors of the specifications, one file for each set.

#![expect(
    clippy::unwrap_used,
    reason = "all of this binary is tests; the helpers between them are not marked as such"
)]

mod data_integrity;
mod did_key;
mod did_webvh;
mod jcs;
mod mdoc;
mod selective;
mod status_list;
mod vc_di_bbs;
mod vc_di_ecdsa;
mod vc_di_eddsa;
