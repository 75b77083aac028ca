//! The console: pages for the organisation's operators under `/console/`.
//!
//! Pages are HTML forms and links; only passkeys need a script. A page calls the same functions as
//! the administration API does, and writes `operator:<id>` into the audit log.
//!
//! To add a page: a file here with its handler, a line in [`router`], a template in
//! `crates/pages/templates/console/`, texts in every language. The extractor says who may:
//! [`Visitor`] looks, [`Acting`] changes, [`Managing`] manages operators. A handler that changes
//! something reads its form with [`Visitor::form`].

mod account;
mod audit;
mod batch_new;
mod batch_page;
mod cards;
mod claims_form;
mod credential_change;
mod credential_end;
mod credential_page;
mod credential_renew;
mod credential_supersede;
mod credentials;
mod failure;
mod home;
mod invitation;
mod job_new;
mod job_page;
mod jobs;
mod keys;
mod moment;
mod offer_new;
mod offers;
mod operator_page;
mod operators;
mod passkey_json;
mod paths;
mod query;
mod sign_in;
mod upload;
mod upstream;
mod view;
mod visitor;
mod webhooks;

pub use failure::Failure;
pub use visitor::{Acting, Managing, Visitor};

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use vouchsafe_service::config::{ConfigError, PublicUrl};
use vouchsafe_service::http::{Csrf, limits};
use vouchsafe_service::keys::SymmetricKey;
use vouchsafe_service::operators::{Operators, Site};

use crate::config::ConsoleConfig;
use crate::core::Core;
use upstream::Provider;

/// What the pages of the console work with.
#[derive(Debug, Clone)]
pub struct Console {
    core: Core,
    operators: Operators,
    provider: Option<Provider>,
    csrf: Csrf,
}

impl Console {
    /// The console of a service. `csrf` is the key of its forms.
    ///
    /// # Errors
    /// [`ConfigError`] of `[console.upstream]`, or where nobody can sign in at this address.
    pub fn new(
        core: &Core,
        config: &ConsoleConfig,
        public_url: &PublicUrl,
        csrf: SymmetricKey,
    ) -> Result<Self, ConfigError> {
        let site = site(public_url, core.settings.name("en"))?;
        Ok(Self {
            provider: Provider::open(config, public_url, core)?,
            operators: Operators {
                db: core.db.clone(),
                audit: core.keys.audit.clone(),
                clock: Arc::clone(&core.clock),
                rng: Arc::clone(&core.rng),
                crypto: Arc::clone(&core.crypto),
                ids: core.ids.clone(),
                site,
            },
            csrf: Csrf::new(csrf, public_url),
            core: core.clone(),
        })
    }

    /// The operators, for the command line.
    pub fn operators(&self) -> &Operators {
        &self.operators
    }
}

/// How people sign in at an address.
///
/// # Errors
/// [`ConfigError`] where it is an IP address that others reach.
pub fn site(public_url: &PublicUrl, name: &str) -> Result<Site, ConfigError> {
    Site::of(public_url, name).ok_or_else(|| {
        ConfigError::setting(
            "console.enabled",
            "browsers know no passkeys at an IP address: give `http.public_url` a domain, or turn the console off",
        )
    })
}

/// The address of an invitation, below the public address.
pub fn invitation_path(secret: &str) -> String {
    paths::INVITATION.replace("{secret}", secret)
}

/// The pages.
pub fn router(console: Console) -> Router {
    let large = || DefaultBodyLimit::max(limits::ADMIN);
    Router::new()
        .route(paths::BARE, get(home::slash))
        .route(paths::HOME, get(home::page))
        .route(paths::SIGN_IN, get(sign_in::page))
        .route(paths::SIGN_IN_CHALLENGE, post(sign_in::challenge))
        .route(paths::SIGN_IN_PASSKEY, post(sign_in::passkey))
        .route(paths::SIGN_OUT, post(sign_in::out))
        .route(paths::UPSTREAM, post(upstream::begin))
        .route(paths::UPSTREAM_CALLBACK, get(upstream::callback))
        .route(
            paths::INVITATION,
            get(invitation::page).post(invitation::accept),
        )
        .route(paths::INVITATION_CHALLENGE, post(invitation::challenge))
        .route(paths::INVITATION_PASSKEY, post(invitation::passkey))
        .route(paths::ACCOUNT, get(account::page))
        .route(paths::ACCOUNT_CHALLENGE, post(account::challenge))
        .route(paths::ACCOUNT_PASSKEY, post(account::add))
        .route(paths::ACCOUNT_REMOVE, post(account::remove))
        .route(
            paths::OPERATORS,
            get(operators::page).post(operators::invite),
        )
        .route(
            paths::OPERATOR,
            get(operator_page::page).post(operators::change),
        )
        .route(paths::OPERATOR_REMOVE, get(operator_page::question))
        .route(paths::TYPES, get(cards::list))
        .route(paths::TYPE, get(cards::page))
        .route(paths::CARD_COLOURS, get(cards::colours))
        .route(paths::OFFERS, get(offers::page))
        .route(
            paths::OFFER_NEW,
            get(offer_new::page).post(offer_new::create).layer(large()),
        )
        .route(
            paths::BATCH_NEW,
            get(batch_new::page).post(batch_new::create).layer(large()),
        )
        .route(paths::BATCH, get(batch_page::page))
        .route(paths::CREDENTIALS, get(credentials::page))
        .route(paths::CREDENTIAL, get(credential_page::page))
        .route(
            paths::CREDENTIAL_CHANGE,
            get(credential_change::page).post(credential_change::apply),
        )
        .route(
            paths::CREDENTIAL_RENEW,
            get(credential_renew::page)
                .post(credential_renew::create)
                .layer(large()),
        )
        .route(
            paths::CREDENTIAL_END,
            get(credential_end::page).post(credential_end::apply),
        )
        .route(
            paths::CREDENTIAL_SUPERSEDE,
            get(credential_supersede::page).post(credential_supersede::apply),
        )
        .route(paths::JOBS, get(jobs::page))
        .route(
            paths::JOB_NEW,
            get(job_new::page).post(job_new::send).layer(large()),
        )
        .route(paths::JOB, get(job_page::page))
        .route(paths::JOB_CANCEL, post(job_page::cancel))
        .route(paths::KEYS, get(keys::page))
        .route(paths::WEBHOOKS, get(webhooks::list))
        .route(paths::WEBHOOK, get(webhooks::page))
        .route(paths::AUDIT, get(audit::page))
        .route(paths::AUDIT_CHECK, post(audit::check))
        .layer(from_fn_with_state(console.clone(), failure::layer))
        .with_state(console)
}
