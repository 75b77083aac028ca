//! The measurements, one file each.

mod batch;
mod bbs;
mod durable;
mod growth;
pub mod issuance;
mod login;
mod mdoc;
mod process;
mod rdfc;
mod refusals;
mod sd_jwt;
mod selective;
mod session;
mod size;
mod status_check;
mod status_publish;
mod status_service;
mod wallet_open;

use anyhow::Result;

use crate::report::Results;
use crate::slices::Plan;

/// A measurement: its name in the goals, what it is, and how it is done.
pub struct Row {
    /// `P1`.
    pub name: &'static str,
    /// In words.
    pub what: &'static str,
    /// Measures.
    pub measure: fn(&Plan) -> Result<Results>,
}

/// All of them.
pub fn all() -> Vec<Row> {
    vec![
        Row {
            name: "P1",
            what: "SD-JWT VC issue, 10 claims, ES256",
            measure: sd_jwt::issue,
        },
        Row {
            name: "P2",
            what: "SD-JWT VC verify, 3 of 10 disclosed, key binding",
            measure: sd_jwt::verify,
        },
        Row {
            name: "P3",
            what: "mdoc issue, 10 elements; verify, 3 disclosed, device signature",
            measure: mdoc::measure,
        },
        Row {
            name: "P4",
            what: "OpenID4VCI issuance by the running issuer",
            measure: issuance::measure,
        },
        Row {
            name: "P5",
            what: "batches of a hundred credentials by the running issuer",
            measure: batch::measure,
        },
        Row {
            name: "P6",
            what: "OpenID4VP login through OpenID Connect by the running verifier",
            measure: login::measure,
        },
        Row {
            name: "P7",
            what: "a login with a cached session beside oidc-provider, and among a million accounts",
            measure: session::measure,
        },
        Row {
            name: "P8",
            what: "BBS proofs, 3 of 10 messages disclosed",
            measure: bbs::measure,
        },
        Row {
            name: "P8",
            what: "ecdsa-sd-2023 and bbs-2023, 3 of 10 claims disclosed",
            measure: selective::measure,
        },
        Row {
            name: "P10",
            what: "status lists of a million entries, published",
            measure: status_publish::measure,
        },
        Row {
            name: "P11",
            what: "a status checked against a list at hand",
            measure: status_check::measure,
        },
        Row {
            name: "P12",
            what: "a wallet of ten thousand cards opened, and a query matched",
            measure: wallet_open::measure,
        },
        Row {
            name: "P13",
            what: "issuance that waits for the disk, by the wall clock",
            measure: durable::measure,
        },
        Row {
            name: "P14",
            what: "latency of issuance at half of what the issuer can do, by the wall clock",
            measure: durable::latency,
        },
        Row {
            name: "P15",
            what: "memory of the issuer, and how long it takes to start (P16)",
            measure: process::measure,
        },
        Row {
            name: "P17",
            what: "size of the program",
            measure: size::measure,
        },
        Row {
            name: "P19",
            what: "the issuer's work with a thousand and with a million credentials",
            measure: growth::measure,
        },
        Row {
            name: "rdfc",
            what: "eddsa-rdfc-2022 issue and verify beside ssi (feature `ssi`)",
            measure: rdfc::measure,
        },
        Row {
            name: "T1",
            what: "what the time of a refusal tells about an account",
            measure: refusals::measure,
        },
    ]
}
