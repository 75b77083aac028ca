//! `GET /openapi.json`: the description of the REST interface.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{events, manage, numbers, read, redeem, remove, start, support};
use crate::app::App;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Vouchsafe login service",
        description = "Ask wallets without OpenID Connect: a question, a code to scan, a result. And for those who run it: applications, sessions, keys and what is in force.",
        license(name = "Apache-2.0 OR MIT")
    ),
    tags(
        (name = "verifications", description = "Questions to wallets"),
        (name = "numbers", description = "What was counted"),
        (name = "support", description = "For those who help people"),
        (name = "clients", description = "The applications that people log in to"),
        (name = "sessions", description = "Who is logged in"),
        (name = "keys", description = "Keys that sign for applications"),
        (name = "trust", description = "Whose cards are believed"),
        (name = "queries", description = "What wallets are asked"),
    ),
    components(schemas(events::StatusEvent)),
    modifiers(&Access)
)]
struct Api;

/// What opens the interface: a key as bearer.
struct Access;

impl Modify for Access {
    fn modify(&self, api: &mut OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A key of this service, `vsk_…`"))
            .build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(bearer));
    }
}

/// The routes of verifications, with their description.
pub fn verifications() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start::handle))
        .routes(routes!(read::handle, remove::handle))
        .routes(routes!(redeem::handle))
        .routes(routes!(events::handle))
}

/// The routes for those who run a business on it, with their description.
pub fn for_business() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(numbers::handle))
        .routes(routes!(support::handle))
}

/// The description of verifications, numbers and administration, as far as each is there.
fn described([asked, counted, administered]: [bool; 3]) -> OpenApi {
    let parts = [
        (asked, verifications as fn() -> OpenApiRouter<App>),
        (counted, for_business),
        (administered, manage::router),
    ];
    let there = parts.into_iter().filter(|(there, _)| *there);
    let all = there.fold(
        OpenApiRouter::with_openapi(Api::openapi()),
        |all, (_, part)| all.merge(part()),
    );
    all.into_openapi()
}

/// Answers with the description of what is there.
pub async fn handle(State(app): State<App>) -> Response {
    let described = described([
        app.settings.verifications.enabled(),
        app.settings.numbers.is_some(),
        app.settings.administration.is_some(),
    ]);
    let kept = [(header::CACHE_CONTROL, "public, max-age=300")];
    (kept, Json(described)).into_response()
}

#[cfg(test)]
mod tests {
    /// The committed description is the one that the code makes. To renew it:
    /// `UPDATE_OPENAPI=1 cargo test -p vouchsafe-verifier openapi`.
    #[test]
    fn committed_openapi_is_current() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../specs/openapi/verifier.json"
        );
        let mut now = serde_json::to_string_pretty(&super::described([true; 3])).unwrap();
        now.push('\n');
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == now,
            "specs/openapi/verifier.json is not current"
        );
    }
}
