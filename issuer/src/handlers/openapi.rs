//! `GET /openapi.json`: the description of the administration API.

use axum::response::Response;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{
    ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme,
};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admin::{
    audit_list, credentials_expire, credentials_list, credentials_read, credentials_renew,
    credentials_resume, credentials_revoke, credentials_supersede, credentials_suspend,
    offer_batches_create, offers_approve, offers_create, offers_deny, offers_list, offers_read,
    status_jobs_cancel, status_jobs_create, status_jobs_list, status_jobs_read, token, types_list,
    types_put, types_read, webhook_deliveries, webhook_replay, webhooks_create, webhooks_delete,
    webhooks_list, webhooks_rotate,
};
use super::openapi_answers::Answers;
use super::wire::json_public;
use crate::core::Core;
use crate::handlers::admin::caller::Scope;
use crate::paths;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Vouchsafe issuer: administration",
        description = "Prepare credentials for persons, and suspend, resume and revoke them.",
        license(name = "Apache-2.0 OR MIT")
    ),
    tags(
        (name = "offers", description = "Credentials that wait for a person"),
        (name = "credential types", description = "What credentials say and how they are shown"),
        (name = "credentials", description = "Credentials that were issued"),
        (name = "status jobs", description = "Many credentials at once"),
        (name = "webhooks", description = "Who is told of events, signed as Standard Webhooks describes"),
        (name = "audit", description = "What was done, by whom"),
        (name = "access", description = "Access tokens for clients, beside API keys")
    ),
    modifiers(&Access)
)]
struct Api;

/// What opens the interface: a key or an access token, both as bearer.
struct Access;

impl Modify for Access {
    fn modify(&self, api: &mut OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A key of this service, `vsk_…`, or an access token of a client, `vst_…`",
            ))
            .build();
        let basic = HttpBuilder::new()
            .scheme(HttpAuthScheme::Basic)
            .description(Some(
                "`client_id` and secret of a client, at `/oauth2/token` alone. Clients with keys send \
                 an assertion in the body instead (`private_key_jwt`, RFC 7523)",
            ))
            .build();
        let flow = ClientCredentials::new(paths::ADMIN_TOKEN, scopes());
        let flow = OAuth2::with_description(
            [Flow::ClientCredentials(flow)],
            "Client credentials (RFC 6749, section 4.4)",
        );
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(bearer));
        components.add_security_scheme("client_basic", SecurityScheme::Http(basic));
        components.add_security_scheme("client_credentials", SecurityScheme::OAuth2(flow));
    }
}

fn scopes() -> Scopes {
    Scopes::from_iter(Scope::ALL.map(|scope| (scope.as_str(), scope.describe())))
}

/// The routes of the administration API, with their description.
pub fn routes() -> OpenApiRouter<Core> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(offers_create::handler, offers_list::handler))
        .routes(routes!(offer_batches_create::handler))
        .routes(routes!(offers_read::handler))
        .routes(routes!(offers_approve::handler))
        .routes(routes!(offers_deny::handler))
        .routes(routes!(types_list::handler))
        .routes(routes!(types_read::handler, types_put::handler))
        .routes(routes!(credentials_list::handler))
        .routes(routes!(credentials_read::handler))
        .routes(routes!(credentials_suspend::handler))
        .routes(routes!(credentials_resume::handler))
        .routes(routes!(credentials_revoke::handler))
        .routes(routes!(credentials_expire::handler))
        .routes(routes!(credentials_renew::handler))
        .routes(routes!(credentials_supersede::handler))
        .routes(routes!(
            status_jobs_create::handler,
            status_jobs_list::handler
        ))
        .routes(routes!(status_jobs_read::handler))
        .routes(routes!(status_jobs_cancel::handler))
        .routes(routes!(audit_list::handler))
        .routes(routes!(webhooks_create::handler, webhooks_list::handler))
        .routes(routes!(webhooks_delete::handler))
        .routes(routes!(webhooks_rotate::handler))
        .routes(routes!(webhook_deliveries::handler))
        .routes(routes!(webhook_replay::handler))
        .routes(routes!(token::handler))
}

/// The description alone.
pub fn document() -> OpenApi {
    let mut api = routes().into_openapi();
    // Behind the routes: it looks at every operation.
    Answers.modify(&mut api);
    api
}

/// Answers with the description.
pub async fn handler() -> Response {
    json_public(&document())
}

#[cfg(test)]
mod tests {
    /// The committed description is the one that the code makes. To renew it:
    /// `UPDATE_OPENAPI=1 cargo test -p vouchsafe-issuer openapi`.
    #[test]
    fn committed_openapi_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/openapi/issuer.json");
        let mut now = serde_json::to_string_pretty(&super::document()).unwrap();
        now.push('\n');
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == now, "specs/openapi/issuer.json is not current");
    }
}
