//! `relatedResource`: digests of resources that this program holds (VCDM 2.0, section 5.3).

use std::sync::LazyLock;

use vouchsafe_credentials::problem::Problem as Kind;
use vouchsafe_credentials::vcdm::Credential;
use vouchsafe_credentials_jsonld::contexts::Contexts;

use super::problem::Refusal;

static HELD: LazyLock<Contexts> = LazyLock::new(Contexts::bundled);

/// Compares the digests of related resources that are bundled contexts. Others are not compared:
/// nothing is fetched because a credential names it.
pub(super) fn check(credential: &Credential) -> Result<(), Refusal> {
    for resource in credential.related_resources() {
        let held = HELD.text(resource.id());
        if held.is_some_and(|bytes| !resource.matches(bytes)) {
            return Err(Refusal::invalid(
                Kind::CryptographicSecurity,
                "related_resource_digest",
                "a digest is not that of the related resource",
            ));
        }
    }
    Ok(())
}
