//! What a wallet asks for in an authorization request: scopes and `authorization_details`
//! (OpenID4VCI 1.0, sections 5.1.1 and 5.1.2).

use vouchsafe_protocol::oauth::authorization_details::{self, DetailsError};
use vouchsafe_protocol::oauth::{AuthorizationRequest, ErrorCode, OAuthError};

use crate::core::Core;

/// What is asked for. Unknown scopes are left out, as section 5.1.2 demands.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Credential configurations that scopes name.
    scopes: Vec<String>,
    /// Credential configurations of `authorization_details`.
    pub details: Vec<String>,
}

impl Wanted {
    /// Reads a request.
    pub fn read(core: &Core, request: &AuthorizationRequest) -> Result<Self, OAuthError> {
        let known = |id: &str| core.configuration(id).is_some();
        let details = match &request.authorization_details {
            None => Vec::new(),
            Some(_) if !core.settings.rules().authorization_details => {
                return Err(DetailsError::Type.into());
            }
            Some(text) => authorization_details::parse(text, &core.settings.issuer)?,
        };
        if !details.iter().all(|id| known(id)) {
            return Err(ErrorCode::InvalidAuthorizationDetails.into());
        }
        let scopes = request.scopes.iter().filter(|id| known(id));
        Ok(Self {
            scopes: scopes.map(str::to_owned).collect(),
            details,
        })
    }

    /// The credential types that are asked for.
    pub fn types(&self, core: &Core) -> Vec<String> {
        let mut types = Vec::new();
        for id in self.scopes.iter().chain(&self.details) {
            if let Some((kind, _)) = core.configuration(id)
                && !types.contains(&kind.id)
            {
                types.push(kind.id.clone());
            }
        }
        types
    }

    /// Whether a card of this type may be the answer: it is asked for, or nothing is. Details are
    /// answered (OpenID4VCI 1.0, section 6.2), so one of them is of this card where there are any; a
    /// scope beside them does not stand for them.
    pub fn check(&self, core: &Core, credential_type: &str) -> Result<(), OAuthError> {
        let fits = |id: &String| core.is_configuration_of(id, credential_type);
        let (asked, error) = match self.details.is_empty() {
            true => (&self.scopes, ErrorCode::InvalidScope),
            false => (&self.details, ErrorCode::InvalidAuthorizationDetails),
        };
        match asked.is_empty() || asked.iter().any(fits) {
            true => Ok(()),
            false => Err(error.into()),
        }
    }
}
