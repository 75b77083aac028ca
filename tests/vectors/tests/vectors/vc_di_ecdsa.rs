//! The vectors of Data Integrity ECDSA Cryptosuites 1.0.

mod sd;

use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_vectors::Run;

use crate::data_integrity::{Canonical, Steps, json, whole};

#[tokio::test]
async fn vectors_of_vc_di_ecdsa() {
    let Some(run) = Run::open("vc-di-ecdsa", 104) else {
        return;
    };
    signed_whole(&run).await;
    sd::both(&run).await;
    run.close();
}

/// `ecdsa-rdfc-2019` and `ecdsa-jcs-2019`.
async fn signed_whole(run: &Run) {
    for curve in ["p256", "p384"] {
        let _ = json(run, &format!("{curve}KeyPair.json"));
        let upper = curve.to_uppercase();
        let algorithm = if curve == "p256" {
            Algorithm::Es256
        } else {
            Algorithm::Es384
        };
        for (folder, suffix, unsigned, canonical) in [
            (
                format!("ecdsa-rdfc-2019-{curve}"),
                format!("ECDSA{upper}"),
                "unsigned.json",
                Canonical::Rdfc,
            ),
            (
                format!("ecdsa-rdfc-2019-{curve}/employ"),
                format!("ECDSA{upper}"),
                "employmentAuth.json",
                Canonical::Rdfc,
            ),
            (
                format!("ecdsa-jcs-2019-{curve}"),
                format!("JCSECDSA{upper}"),
                "unsigned.json",
                Canonical::Jcs,
            ),
        ] {
            let steps = Steps {
                folder: &folder,
                suffix: &suffix,
                unsigned,
                canonical,
                algorithm,
                key: None,
            };
            whole(run, &steps).await;
        }
    }
}
