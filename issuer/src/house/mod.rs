//! Several issuers in one process: a tenant is an issuer of its own, with its own address, database,
//! master secret, signing keys, types, API keys and audit log. Nothing of one is within reach of
//! another, because no part knows more than one: the house passes each request to the issuer whose
//! authority it names, and that is all it does.

mod apart;
mod authority;
mod config;

pub use config::{Hosted, HouseConfig, HouseHttp, TenantConfig};

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tower::ServiceExt;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::config::ConfigError;
use vouchsafe_service::http::{Problem, standard};
use vouchsafe_service::shutdown::Shutdown;
use vouchsafe_service::tenant::Tenant;

use crate::app::{Issuer, OpenError};
use crate::config::Config;
use crate::paths;
use crate::ports::Ports;
use authority::Authorities;

/// Why the house does not open.
#[derive(Debug, thiserror::Error)]
pub enum HouseError {
    /// The configuration is wrong.
    #[error("the configuration is wrong")]
    Config(#[from] ConfigError),
    /// Two tenants have something that only one may have.
    #[error("the tenants {one} and {other} have the same {what}")]
    Shared {
        /// What it is.
        what: &'static str,
        /// One of them.
        one: Tenant,
        /// The other one.
        other: Tenant,
    },
    /// A tenant does not open.
    #[error("the tenant {tenant} cannot be opened")]
    Open {
        /// Which one.
        tenant: Tenant,
        /// Why.
        #[source]
        error: Box<OpenError>,
    },
}

/// Several issuers behind one listener.
#[derive(Debug, Clone)]
pub struct House {
    residents: Arc<[(Tenant, Issuer)]>,
    authorities: Arc<Authorities>,
}

/// What answers requests: a router for each tenant, and one for those who name nobody.
#[derive(Clone)]
struct Doors {
    house: House,
    routers: Arc<[Router]>,
    strangers: Router,
}

impl House {
    /// Opens every tenant of a configuration that was read from `file`, or none.
    pub async fn open(
        config: &HouseConfig,
        file: &Path,
        ports: &Ports,
    ) -> Result<Self, HouseError> {
        Self::of(config.tenants(file)?, ports).await
    }

    /// Opens these tenants, or none.
    pub async fn of(tenants: Vec<(Tenant, Config)>, ports: &Ports) -> Result<Self, HouseError> {
        apart::check(&tenants, ports.clock.now())?;
        let mut authorities = Authorities::default();
        for (number, (tenant, config)) in tenants.iter().enumerate() {
            if let Err(holder) = authorities.add(&config.http.public_url, number) {
                return Err(HouseError::Shared {
                    what: "authority",
                    one: tenants.get(holder).map_or(tenant, |(one, _)| one).clone(),
                    other: tenant.clone(),
                });
            }
        }
        let mut residents: Vec<(Tenant, Issuer)> = Vec::new();
        for (tenant, config) in tenants {
            let opened = tenant.scope(Issuer::open(config, ports.clone())).await;
            let issuer = opened.map_err(|error| HouseError::Open {
                tenant: tenant.clone(),
                error: Box::new(error),
            })?;
            residents.push((tenant, issuer));
        }
        Ok(Self {
            residents: residents.into(),
            authorities: Arc::new(authorities),
        })
    }

    /// Checks everything that can be checked without a database.
    pub fn check(config: &HouseConfig, file: &Path, now: UnixTime) -> Result<(), HouseError> {
        let tenants = config.tenants(file)?;
        for (tenant, config) in &tenants {
            let failed = |error: ConfigError| HouseError::Open {
                tenant: tenant.clone(),
                error: Box::new(error.into()),
            };
            config.settings().map_err(failed)?;
        }
        apart::check(&tenants, now)
    }

    /// Who lives here.
    pub fn residents(&self) -> impl Iterator<Item = (&Tenant, &Issuer)> {
        self.residents
            .iter()
            .map(|(tenant, issuer)| (tenant, issuer))
    }

    /// Everything that the process answers.
    pub fn router(&self) -> Router {
        let routers: Vec<Router> = self
            .residents()
            .map(|(_, issuer)| issuer.router())
            .collect();
        let doors = Doors {
            house: self.clone(),
            routers: routers.into(),
            strangers: self.strangers(),
        };
        Router::new().fallback(enter).with_state(doors)
    }

    /// The background work of every tenant, each in its own name, until asked to stop.
    pub async fn run_background(&self, shutdown: Shutdown) {
        let running = self.residents().map(|(tenant, issuer)| {
            let shutdown = shutdown.clone();
            tenant.scope(async move { issuer.run_background(shutdown).await })
        });
        futures::future::join_all(running).await;
    }

    /// Closes every tenant's database.
    pub async fn close(&self) {
        for (tenant, issuer) in self.residents() {
            tenant.scope(issuer.close()).await;
        }
    }

    /// What is answered to who names nobody of the house: whether the process lives and is ready,
    /// and nothing of any tenant.
    fn strangers(&self) -> Router {
        let misdirected = any(misdirected);
        let router = Router::new()
            .route(paths::HEALTHZ, get(async || StatusCode::OK))
            .route(paths::READYZ, get(ready))
            .route("/", misdirected.clone())
            .route("/{*path}", misdirected)
            .with_state(self.clone());
        match self.residents().next() {
            None => router,
            Some((_, first)) => standard(router, &first.config().http.public_url, first.ids()),
        }
    }
}

async fn enter(State(doors): State<Doors>, request: Request) -> Response {
    let Doors {
        house,
        routers,
        strangers,
    } = doors;
    let answer = match house.authorities.of(&request) {
        Err(_) => {
            let detail = "The request does not say once for which host it is.";
            return Problem::new(StatusCode::BAD_REQUEST, "invalid_host", detail).into_response();
        }
        Ok(None) => strangers.oneshot(request).await,
        Ok(Some(number)) => match (house.residents.get(number), routers.get(number)) {
            (Some((tenant, _)), Some(router)) => {
                tenant.scope(router.clone().oneshot(request)).await
            }
            (_, _) => strangers.oneshot(request).await,
        },
    };
    answer.unwrap_or_else(|never| match never {})
}

/// RFC 9110, section 15.5.20. There is no default tenant.
async fn misdirected() -> Problem {
    Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "misdirected_request",
        "Nobody here has this host name.",
    )
}

/// 200 when every tenant is ready.
async fn ready(State(house): State<House>) -> StatusCode {
    let asked = house
        .residents()
        .map(|(tenant, issuer)| tenant.scope(issuer.ready()));
    let answers = futures::future::join_all(asked).await;
    match answers.iter().all(|status| *status == StatusCode::OK) {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    }
}
