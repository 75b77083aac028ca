//! `relatedResource`: digests of resources that this program holds (VCDM 2.0, section 5.3).

use std::sync::LazyLock;

use vouchsafe_credentials::problem::Problem as Kind;
use vouchsafe_credentials::vcdm::Credential;
use vouchsafe_credentials_jsonld::contexts::Contexts;

use super::problem::Refusal;

static HELD: LazyLock<Contexts> = LazyLock::new(Contexts::bundled);

/// An earlier edition of a context, published under the URL of the one that is bundled. Issuers
/// who named it named the resource rightly at the time; what is read is the bundled one.
struct Edition {
    url: &'static str,
    /// SHA-256 and SHA-384 of its bytes.
    digests: [&'static [u8]; 2],
}

/// The edition that the VCDM 2.0 test suite of W3C names.
const EARLIER: [Edition; 1] = [Edition {
    url: "https://www.w3.org/ns/credentials/v2",
    digests: [
        &[
            0x24, 0xa1, 0x8c, 0x90, 0xe9, 0x85, 0x6d, 0x52, 0x61, 0x11, 0xf2, 0x93, 0x76, 0xe3,
            0x02, 0xd9, 0x70, 0xb2, 0xbd, 0x10, 0x18, 0x2e, 0x33, 0x95, 0x99, 0x95, 0xb0, 0x20,
            0x7d, 0x70, 0x43, 0xb9,
        ],
        &[
            0x35, 0x23, 0x9c, 0x36, 0x99, 0x9d, 0x21, 0x55, 0x31, 0x20, 0x91, 0xaf, 0x19, 0x4a,
            0x1e, 0xdb, 0x61, 0x63, 0x4d, 0x6a, 0xd7, 0x89, 0xa5, 0xe5, 0xb1, 0x9f, 0x2a, 0xeb,
            0xdd, 0x76, 0x2d, 0xd9, 0xd1, 0xdc, 0xaa, 0xda, 0x40, 0xed, 0xa7, 0xef, 0x92, 0x1c,
            0x6b, 0x8c, 0x0a, 0xe1, 0x07, 0xa0,
        ],
    ],
}];

/// Compares the digests of related resources that are bundled contexts. Others are not compared:
/// nothing is fetched because a credential names it.
pub(super) fn check(credential: &Credential) -> Result<(), Refusal> {
    for resource in credential.related_resources() {
        let held = HELD.text(resource.id());
        let earlier = |edition: &Edition| {
            edition.url == resource.id() && resource.is_one_of(&edition.digests)
        };
        if held.is_some_and(|bytes| !resource.matches(bytes)) && !EARLIER.iter().any(earlier) {
            return Err(Refusal::invalid(
                Kind::CryptographicSecurity,
                "related_resource_digest",
                "a digest is not that of the related resource",
            ));
        }
    }
    Ok(())
}
