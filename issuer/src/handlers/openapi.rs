//! `GET /openapi.json`: the description of the administration API.

use axum::response::Response;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::admin::{
    audit_list, credentials_list, credentials_read, credentials_resume, credentials_revoke,
    credentials_suspend, offer_batches_create, offers_approve, offers_create, offers_deny,
    offers_list, offers_read, types_list, types_put, types_read, webhook_deliveries,
    webhook_replay, webhooks_create, webhooks_delete, webhooks_list, webhooks_rotate,
};
use super::wire::json_public;
use crate::core::Core;

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
        (name = "webhooks", description = "Who is told of events, signed as Standard Webhooks describes"),
        (name = "audit", description = "What was done, by whom")
    ),
    modifiers(&ApiKey)
)]
struct Api;

struct ApiKey;

impl Modify for ApiKey {
    fn modify(&self, api: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A key of this service, `vsk_…`"))
            .build();
        api.components
            .get_or_insert_default()
            .add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
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
        .routes(routes!(audit_list::handler))
        .routes(routes!(webhooks_create::handler, webhooks_list::handler))
        .routes(routes!(webhooks_delete::handler))
        .routes(routes!(webhooks_rotate::handler))
        .routes(routes!(webhook_deliveries::handler))
        .routes(routes!(webhook_replay::handler))
}

/// The description alone.
pub fn document() -> OpenApi {
    routes().into_openapi()
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
