//! The formats that a type can be issued in.

use super::{ClaimSpec, CredentialType};
use crate::sd_jwt::{ClaimPath, PathElement};

/// A format of credentials, by its identifier in OpenID4VCI 1.0, appendix A.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// `dc+sd-jwt`
    SdJwtVc,
    /// `mso_mdoc`
    Mdoc,
    /// `ldp_vc`
    LdpVc,
    /// `jwt_vc_json`
    JwtVc,
}

impl Format {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::SdJwtVc, Self::Mdoc, Self::LdpVc, Self::JwtVc];

    /// Its identifier.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SdJwtVc => "dc+sd-jwt",
            Self::Mdoc => "mso_mdoc",
            Self::LdpVc => "ldp_vc",
            Self::JwtVc => "jwt_vc_json",
        }
    }

    /// The format with this identifier.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

impl CredentialType {
    /// The formats that its file describes.
    pub fn formats(&self) -> impl Iterator<Item = Format> {
        Format::ALL.into_iter().filter(|format| match format {
            Format::SdJwtVc => true,
            Format::Mdoc => self.mdoc.is_some(),
            Format::LdpVc | Format::JwtVc => self.w3c.is_some(),
        })
    }

    /// The credential configuration id of a format, also its scope: the id of the type for SD-JWT
    /// VC, and with a dot and the format for the others. No id of a type has a dot, so one
    /// configuration never has the name of another.
    #[must_use]
    pub fn configuration_id(&self, format: Format) -> String {
        match format {
            Format::SdJwtVc => self.id.clone(),
            Format::Mdoc | Format::LdpVc | Format::JwtVc => {
                format!("{}.{}", self.id, format.name())
            }
        }
    }

    /// The id of the type and the format of a configuration id.
    #[must_use]
    pub fn split_configuration_id(id: &str) -> Option<(&str, Format)> {
        match id.split_once('.') {
            None => Some((id, Format::SdJwtVc)),
            Some((kind, name)) => {
                let format = Format::from_name(name);
                let format = format.filter(|format| *format != Format::SdJwtVc);
                Some((kind, format?))
            }
        }
    }

    /// Whether every credential of the type has the claim: it is required, and so is all that it
    /// stands in. What stands in an array may be missing with its elements.
    #[must_use]
    pub fn is_mandatory(&self, claim: &ClaimSpec) -> bool {
        let path = claim.path.elements();
        let is_required = |length: usize| {
            let above = path
                .get(..length)
                .map(|above| ClaimPath::new(above.to_vec()));
            let spec = self
                .claims
                .iter()
                .find(|spec| Some(&spec.path) == above.as_ref());
            spec.is_some_and(|spec| spec.required)
        };
        let is_key = |element: &PathElement| matches!(element, PathElement::Key(_));
        path.iter().all(is_key) && (1..=path.len()).all(is_required)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mdl() -> CredentialType {
        let text = include_str!("../../../../specs/credential-types/mdl.toml");
        CredentialType::from_toml(text).unwrap()
    }

    #[test]
    fn every_format_has_a_configuration_of_its_own() {
        let mdl = mdl();
        let ids: Vec<String> = mdl.formats().map(|one| mdl.configuration_id(one)).collect();
        assert_eq!(
            ids,
            ["mdl", "mdl.mso_mdoc", "mdl.ldp_vc", "mdl.jwt_vc_json"]
        );
        for (id, format) in ids.iter().zip(Format::ALL) {
            let split = CredentialType::split_configuration_id(id);
            assert_eq!(split, Some(("mdl", format)));
        }
        for bad in ["mdl.", "mdl.dc+sd-jwt", "mdl.mso_mdoc.", "mdl.MSO_MDOC"] {
            assert_eq!(CredentialType::split_configuration_id(bad), None, "{bad}");
        }
        let membership = include_str!("../../../../specs/credential-types/membership.toml");
        let membership = CredentialType::from_toml(membership).unwrap();
        assert_eq!(membership.formats().collect::<Vec<_>>(), [Format::SdJwtVc]);
    }

    #[test]
    fn mandatory_is_what_every_credential_has() {
        let mdl = mdl();
        let is_mandatory = |names: &[&str]| {
            let element = |name: &&str| match *name {
                "[]" => PathElement::Any,
                name => PathElement::Key(name.to_owned()),
            };
            let path = ClaimPath::new(names.iter().map(element).collect());
            let claim = mdl.claims.iter().find(|claim| claim.path == path);
            mdl.is_mandatory(claim.unwrap())
        };
        assert!(is_mandatory(&["family_name"]));
        assert!(is_mandatory(&["driving_privileges"]));
        assert!(!is_mandatory(&["height"]));
        // Required in each element, but the list may be empty.
        let code = ["driving_privileges", "[]", "vehicle_category_code"];
        assert!(!is_mandatory(&code));
    }
}
