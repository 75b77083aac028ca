//! The rules that hold for every form of a list: roles of services, status, dates.

use super::{NOW, Scheme, known};
use crate::time::UnixTime;
use crate::trust::{Checkpoint, ListKind, ListPolicy, TrustList, TrustListError};
use crate::x509::Role;

const KINDS: [ListKind; 5] = [
    ListKind::PidProviders,
    ListKind::WalletProviders,
    ListKind::AccessCertificates,
    ListKind::PublicAttestations,
    ListKind::QualifiedServices,
];

/// The role of every service on every list; whatever is not named has none.
#[test]
fn a_service_has_the_roles_of_its_list_alone() {
    use ListKind::{
        AccessCertificates, PidProviders, PublicAttestations, QualifiedServices, WalletProviders,
    };
    let credentials: &[Role] = &[Role::Issuer, Role::MdocIssuer];
    let services: [(&str, ListKind, &[Role]); 8] = [
        ("19602/SvcType/PID/Issuance", PidProviders, credentials),
        (
            "19602/SvcType/PID/Revocation",
            PidProviders,
            &[Role::Status],
        ),
        (
            "19602/SvcType/PubEAA/Issuance",
            PublicAttestations,
            credentials,
        ),
        (
            "19602/SvcType/PubEAA/Revocation",
            PublicAttestations,
            &[Role::Status],
        ),
        (
            "19602/SvcType/WalletSolution/Issuance",
            WalletProviders,
            &[Role::WalletProvider],
        ),
        (
            "19602/SvcType/WalletSolution/Revocation",
            WalletProviders,
            &[Role::Status],
        ),
        (
            "19602/SvcType/WRPAC/Issuance",
            AccessCertificates,
            &[Role::VerifierAccess],
        ),
        ("TrstSvc/Svctype/EAA/Q", QualifiedServices, credentials),
    ];
    for (service, its_kind, roles) in services {
        let uri = format!("http://uri.etsi.org/{service}");
        for kind in KINDS {
            let wanted = if kind == its_kind { roles } else { &[] };
            assert_eq!(kind.roles(&uri), wanted, "{kind:?} {service}");
            // The same name under another address, or with more behind it, is another type.
            for other in [
                service.to_owned(),
                format!("{uri}/"),
                uri.replace("http:", "https:"),
                uri.to_lowercase(),
            ] {
                assert!(kind.roles(&other).is_empty(), "{kind:?} {other}");
            }
        }
    }
    for kind in KINDS {
        for none in [
            "",
            "PID/Issuance",
            "http://uri.etsi.org/19602/SvcType/WRPAC/Revocation",
            "http://uri.etsi.org/TrstSvc/Svctype/CA/QC",
        ] {
            assert!(kind.roles(none).is_empty(), "{kind:?} {none}");
        }
    }
}

#[test]
fn a_status_counts_on_its_own_list_alone() {
    let notified = "http://uri.etsi.org/19602/PubEAAProvidersList/SvcStatus/notified";
    let granted = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted";
    let all = [
        None,
        Some(notified),
        Some(granted),
        Some("http://uri.etsi.org/19602/PubEAAProvidersList/SvcStatus/withdrawn"),
        Some("http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn"),
        Some("granted"),
        Some("notified"),
        Some(""),
    ];
    for kind in KINDS {
        let wanted = match kind {
            ListKind::PublicAttestations => Some(notified),
            ListKind::QualifiedServices => Some(granted),
            // Being on the list is the status.
            _ => None,
        };
        for status in all {
            assert_eq!(kind.counts(status), status == wanted, "{kind:?} {status:?}");
        }
    }
}

fn list(issued_at: UnixTime, next_update: UnixTime) -> TrustList {
    TrustList {
        kind: ListKind::PidProviders,
        operator: "Authority".to_owned(),
        territory: Some("EU".to_owned()),
        checkpoint: Checkpoint {
            sequence: 9,
            digest: [1; 32],
        },
        issued_at,
        next_update,
        services: Vec::new(),
        left_out: 0,
    }
}

#[test]
fn dates_are_enforced_to_the_second() {
    const HALF_YEAR: i64 = 16_502_400;
    let scheme = Scheme::new();
    let policy = scheme.policy(ListKind::PidProviders);
    for (issued, next, wanted) in [
        (0, 1, Ok(())),
        (0, 0, Err(TrustListError::Outdated)),
        (-10, -1, Err(TrustListError::Outdated)),
        (300, 301, Ok(())),
        (301, 400, Err(TrustListError::NotYetIssued)),
        (10, 10, Err(TrustListError::Outdated)),
        (10, 9, Err(TrustListError::Outdated)),
        (10, 11, Ok(())),
        (0, HALF_YEAR, Ok(())),
        (0, HALF_YEAR + 1, Err(TrustListError::NextUpdateTooFar)),
        (1 - HALF_YEAR, 1, Ok(())),
        (-HALF_YEAR, 1, Err(TrustListError::NextUpdateTooFar)),
    ] {
        let list = list(NOW.plus(issued), NOW.plus(next));
        assert_eq!(list.check(&policy), wanted, "{issued} {next}");
    }
}

#[test]
fn territory_and_sequence() {
    let scheme = Scheme::new();
    let same = |sequence| {
        let digest = [1; 32];
        Some(Checkpoint { sequence, digest })
    };
    for (territory, known, wanted) in [
        (None, None, Ok(())),
        (Some("EU"), None, Ok(())),
        (Some("DE"), None, Err(TrustListError::Territory)),
        (Some("eu"), None, Err(TrustListError::Territory)),
        (None, same(9), Ok(())),
        (None, same(8), Ok(())),
        (None, same(10), Err(TrustListError::Rollback)),
        (None, known(8), Ok(())),
        (None, known(9), Err(TrustListError::Fork)),
        (None, known(10), Err(TrustListError::Rollback)),
    ] {
        let policy = ListPolicy {
            territory,
            known,
            ..scheme.policy(ListKind::PidProviders)
        };
        let answer = list(NOW, NOW.plus(1)).check(&policy);
        assert_eq!(answer, wanted, "{territory:?} {known:?}");
    }
    let mut nowhere = list(NOW, NOW.plus(1));
    nowhere.territory = None;
    let policy = ListPolicy {
        territory: Some("EU"),
        ..scheme.policy(ListKind::PidProviders)
    };
    assert_eq!(nowhere.check(&policy), Err(TrustListError::Territory));
}
