//! Lists made and signed here: none with a key that may be published exists.

mod lote;
mod properties;
mod rules;

use super::{Checkpoint, ListKind, ListPolicy, TrustListError};
use crate::time::UnixTime;
use crate::x509::tests::{Node, ca, make, params};
use crate::x509::{Role, TrustAnchors};

/// 2027-01-15T08:00:00Z, the time the certificates of these tests are valid around.
pub(in crate::trust) const NOW: UnixTime = UnixTime(1_800_000_000);
pub(in crate::trust) const ISSUED: &str = "2027-01-10T00:00:00Z";
pub(in crate::trust) const NEXT: &str = "2027-06-10T00:00:00Z";
pub(in crate::trust) const PID: &str = "http://uri.etsi.org/19602/SvcType/PID/Issuance";

/// A scheme operator with a signer below its authority, and an issuer to be listed.
pub(in crate::trust) struct Scheme {
    pub root: Node,
    pub signer: Node,
    pub listed: Node,
    pub operators: TrustAnchors,
}

impl Scheme {
    pub(in crate::trust) fn new() -> Self {
        let root = make(ca("Scheme root"), None);
        let signer = make(params("Scheme signer"), Some(&root));
        let mut operators = TrustAnchors::new(Role::ListOperator);
        operators.add_der(&root.der).unwrap();
        Self {
            listed: make(ca("PID provider"), None),
            root,
            signer,
            operators,
        }
    }

    pub(in crate::trust) fn policy(&self, kind: ListKind) -> ListPolicy<'_> {
        ListPolicy {
            kind,
            territory: None,
            operators: &self.operators,
            known: None,
            now: NOW,
        }
    }
}

pub(in crate::trust) fn known(sequence: u64) -> Option<Checkpoint> {
    Some(Checkpoint {
        sequence,
        digest: [7; 32],
    })
}

pub(in crate::trust) fn code<T: std::fmt::Debug>(
    result: Result<T, TrustListError>,
) -> &'static str {
    result.unwrap_err().code()
}
