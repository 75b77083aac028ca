//! Extended key usage per role (RFC 5280, section 4.2.1.12).

use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier as Oid;
use x509_cert::ext::pkix::ExtendedKeyUsage;

use super::{Role, X509Error};

const SERVER_AUTH: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.2");
const CODE_SIGNING: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.3");
const TIME_STAMPING: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.8");
const OCSP_SIGNING: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.9");
/// `id-mdl-kp-mdlDS`: document signer (ISO/IEC 18013-5:2021, table B.3).
const MDOC_DOCUMENT_SIGNER: Oid = Oid::new_unwrap("1.0.18013.5.1.2");
/// `id-mdl-kp-mdlReaderAuth` (ISO/IEC 18013-5:2021, table B.7).
const MDOC_READER: Oid = Oid::new_unwrap("1.0.18013.5.1.6");

/// `id-mdl-kp-mdlVICAL`: signer of lists of authorities (ISO/IEC 18013-5:2021, table C.5).
const MDOC_VICAL: Oid = Oid::new_unwrap("1.0.18013.5.1.8");
/// `id-kp-oauthStatusSigning` (Token Status List, "X.509 Certificate Extended Key Usage Extension").
const STATUS_SIGNING: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.3.30");

/// Purposes that say: this key is for something else than the role.
///
/// No profile names a purpose for who signs SD-JWT VCs: HAIP 1.0 leaves profiles of certificates
/// to ecosystems, and electronic seals, which sign attestations in the EU (ETSI EN 319 412-3),
/// often name e-mail protection or document signing. So a certificate without the extension
/// fits, and of those with it only the ones are refused that name nothing but foreign purposes.
const fn foreign(role: Role) -> &'static [Oid] {
    match role {
        // One certificate often signs the mdoc and the SD-JWT VC of the same data. Who may say
        // that a credential is revoked may not make one: a status provider of its own has
        // anchors of its own.
        Role::Issuer => &[
            SERVER_AUTH,
            CLIENT_AUTH,
            CODE_SIGNING,
            TIME_STAMPING,
            OCSP_SIGNING,
            MDOC_READER,
            MDOC_VICAL,
            STATUS_SIGNING,
        ],
        Role::Status => &[
            SERVER_AUTH,
            CLIENT_AUTH,
            CODE_SIGNING,
            TIME_STAMPING,
            OCSP_SIGNING,
            MDOC_READER,
            MDOC_VICAL,
        ],
        Role::WalletProvider | Role::ListOperator | Role::Registrar => &[
            SERVER_AUTH,
            CLIENT_AUTH,
            CODE_SIGNING,
            TIME_STAMPING,
            OCSP_SIGNING,
            MDOC_READER,
            MDOC_DOCUMENT_SIGNER,
            STATUS_SIGNING,
        ],
        // A verifier may show the certificate of its website.
        Role::VerifierAccess => &[
            CODE_SIGNING,
            TIME_STAMPING,
            OCSP_SIGNING,
            MDOC_DOCUMENT_SIGNER,
            MDOC_VICAL,
            STATUS_SIGNING,
        ],
        Role::MdocIssuer => &[],
    }
}

/// RFC 5280, section 4.2.1.12: with the extension, a key is for the purposes named there alone.
/// A leaf is refused when every purpose it names belongs to another role; purposes that are not
/// known here are those of an ecosystem, which the anchors stand for.
pub(super) fn check(leaf: &Certificate, role: Role) -> Result<(), X509Error> {
    let extension = leaf.tbs_certificate().get_extension::<ExtendedKeyUsage>();
    let extension = extension.map_err(|_| X509Error::Malformed)?;
    let purposes = extension.map(|(_critical, ExtendedKeyUsage(purposes))| purposes);
    let fits = match (role, &purposes) {
        // ISO/IEC 18013-5:2021, table B.3: mandatory, and exactly this purpose.
        (Role::MdocIssuer, Some(purposes)) => purposes.contains(&MDOC_DOCUMENT_SIGNER),
        (Role::MdocIssuer, None) => false,
        (_, None) => true,
        (_, Some(purposes)) => purposes.iter().any(|one| !foreign(role).contains(one)),
    };
    if fits {
        Ok(())
    } else {
        Err(X509Error::WrongUsage)
    }
}
