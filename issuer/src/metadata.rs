//! What the service says about itself. Nothing is listed that is not enforced.

use vouchsafe_credentials::credential_type::{CredentialType, Format};
use vouchsafe_protocol::oauth::attestation;
use vouchsafe_protocol::oauth::authorization_details::OPENID_CREDENTIAL;
use vouchsafe_protocol::oauth::client_auth::AuthMethod;
use vouchsafe_protocol::oauth::metadata::AuthorizationServerMetadata;
use vouchsafe_protocol::oauth::token::{AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE, REFRESH_TOKEN};
use vouchsafe_protocol::vci::CredentialIssuerMetadata;
use vouchsafe_protocol::vci::encryption;
use vouchsafe_protocol::vci::metadata::{BatchIssuance, CredentialConfiguration, Display};

use crate::core::Core;
use crate::handlers::wire::PROOF_ALGORITHMS;
use crate::paths;
use crate::profile::Use;
use crate::proof_types;
use crate::settings::{ClientAuth, Encryption, Settings};

/// Credential issuer metadata (OpenID4VCI 1.0, section 12.2.4).
pub fn issuer(core: &Core) -> CredentialIssuerMetadata {
    let settings = &core.settings;
    let configurations = core.types.values().flat_map(|kind| {
        let configurations = core
            .formats(kind)
            .map(|one| (one, configuration(core, kind, one)));
        configurations.filter_map(|(format, configuration)| {
            Some((kind.configuration_id(format), configuration?))
        })
    });
    let display = settings.names.iter().map(|(locale, name)| Display {
        name: Some(name.clone()),
        locale: Some(locale.clone()),
        ..Display::default()
    });
    CredentialIssuerMetadata {
        credential_issuer: settings.issuer.clone(),
        // Absent: the issuer is its own authorization server.
        authorization_servers: None,
        credential_endpoint: settings.url(paths::CREDENTIAL),
        nonce_endpoint: Some(settings.url(paths::NONCE)),
        deferred_credential_endpoint: Some(settings.url(paths::DEFERRED)),
        notification_endpoint: Some(settings.url(paths::NOTIFICATION)),
        credential_request_encryption: match settings.encryption.requests {
            Encryption::Off => None,
            level => {
                let key = core.keys.sealed_requests.current(core.clock.now());
                let required = level == Encryption::Required;
                Some(encryption::request_metadata(&[key], required))
            }
        },
        credential_response_encryption: match settings.encryption.responses {
            Encryption::Off => None,
            level => Some(encryption::response_metadata(level == Encryption::Required)),
        },
        // Section 12.2.4: present exactly where more than one proof is accepted.
        batch_credential_issuance: (settings.batch_size >= 2).then(|| BatchIssuance {
            batch_size: u64::from(settings.batch_size),
        }),
        display: Some(display.collect()),
        credential_configurations_supported: configurations.collect(),
    }
}

/// A type in a format; `None` while no key of the format is in use.
fn configuration(
    core: &Core,
    kind: &CredentialType,
    format: Format,
) -> Option<CredentialConfiguration> {
    let key = core.signing.of(format).at(core.clock.now()).ok()?;
    let algorithm = key.signer.algorithm();
    let id = kind.configuration_id(format);
    let proofs = &PROOF_ALGORITHMS;
    let mut configuration = match format {
        Format::SdJwtVc => {
            let algorithms = [algorithm.name()];
            CredentialConfiguration::of_type(kind, &id, &algorithms, proofs)
        }
        Format::Mdoc => {
            let mdoc = kind.mdoc()?;
            CredentialConfiguration::of_mdoc(kind, mdoc, algorithm, proofs)
        }
        Format::LdpVc | Format::JwtVc => return None,
    };
    if configuration.proof_types_supported.is_some() {
        let types = proof_types::supported(&core.settings, &kind.id);
        configuration.proof_types_supported = Some(types);
    }
    if let Some(policy) = core.settings.reuse_policy(&kind.id) {
        let shown = configuration.credential_metadata.get_or_insert_default();
        shown.credential_reuse_policy = serde_json::to_value(policy).ok();
    }
    Some(configuration)
}

/// Authorization server metadata (RFC 8414).
pub fn authorization_server(core: &Core) -> AuthorizationServerMetadata {
    let settings = &core.settings;
    let rules = settings.rules();
    let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let methods = auth_methods(settings);
    let where_used = |methods_of: &[AuthMethod], list: &[&str]| {
        let used = methods.iter().any(|method| methods_of.contains(method));
        if used { strings(list) } else { Vec::new() }
    };
    let assertions = [AuthMethod::PrivateKeyJwt];
    let attestations = [AuthMethod::AttestJwt, AuthMethod::AttestJwtDpop];
    // Without a registered wallet there is nobody who could use the code flow.
    let code_flow = !settings.clients.is_empty();
    let only_code_flow = |list: &[&str]| if code_flow { strings(list) } else { Vec::new() };
    let mut grants = vec![PRE_AUTHORIZED_CODE.to_owned()];
    if code_flow {
        grants.insert(0, AUTHORIZATION_CODE.to_owned());
    }
    if settings.refresh_tokens {
        grants.push(REFRESH_TOKEN.to_owned());
    }
    AuthorizationServerMetadata {
        issuer: settings.issuer.clone(),
        authorization_endpoint: code_flow.then(|| settings.url(paths::AUTHORIZE)),
        token_endpoint: settings.url(paths::TOKEN),
        pushed_authorization_request_endpoint: (code_flow && rules.par.on())
            .then(|| settings.url(paths::PAR)),
        require_pushed_authorization_requests: code_flow && rules.par == Use::Required,
        challenge_endpoint: settings
            .attestation_challenges
            .then(|| settings.url(paths::CHALLENGE)),
        jwks_uri: None,
        scopes_supported: core
            .types
            .values()
            .flat_map(|kind| core.configuration_ids(kind))
            .collect(),
        response_types_supported: only_code_flow(&["code"]),
        response_modes_supported: only_code_flow(&["query"]),
        grant_types_supported: grants,
        token_endpoint_auth_methods_supported: methods
            .iter()
            .map(|method| method.as_str().to_owned())
            .collect(),
        token_endpoint_auth_signing_alg_values_supported: where_used(
            &assertions,
            &PROOF_ALGORITHMS,
        ),
        client_attestation_signing_alg_values_supported: where_used(
            &attestations,
            &attestation::ALGORITHMS,
        ),
        client_attestation_pop_signing_alg_values_supported: where_used(
            &attestations,
            &attestation::ALGORITHMS,
        ),
        authorization_details_types_supported: if rules.authorization_details {
            strings(&[OPENID_CREDENTIAL])
        } else {
            Vec::new()
        },
        code_challenge_methods_supported: only_code_flow(&["S256"]),
        dpop_signing_alg_values_supported: if rules.dpop.on() {
            strings(&PROOF_ALGORITHMS)
        } else {
            Vec::new()
        },
        authorization_response_iss_parameter_supported: code_flow,
        pre_authorized_grant_anonymous_access_supported: settings.anonymous_access,
    }
}

/// The methods that somebody can use: those of the registered wallets, and none where a wallet may
/// go without a name.
fn auth_methods(settings: &Settings) -> Vec<AuthMethod> {
    let mut methods = Vec::new();
    if settings.anonymous_access {
        methods.push(AuthMethod::None);
    }
    for client in settings.clients.values() {
        let method = match &client.auth {
            ClientAuth::None => AuthMethod::None,
            ClientAuth::PrivateKeyJwt(_) => AuthMethod::PrivateKeyJwt,
            ClientAuth::Attested { combined: true, .. } => AuthMethod::AttestJwtDpop,
            ClientAuth::Attested {
                combined: false, ..
            } => AuthMethod::AttestJwt,
        };
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    methods
}
