//! A business: a wine shop that lets people prove their age and sign in with
//! their membership card.
//!
//! It is what any relying party would be: an ordinary OpenID Connect client
//! library (`openidconnect`), a session of its own and a back-channel logout
//! endpoint. Nothing here knows what a credential is. The club that issues the
//! cards has its counter in the same program ([`Club`]): it drives the issuer
//! over REST, as an organisation's own system would.

mod app;
mod club;
mod config;
mod handlers;
mod http;
mod logout_token;
mod oidc;
mod visitors;

pub use app::{Shop, ShopError};
pub use config::{Club, Config, Secret};
pub use handlers::elsewhere::ELSEWHERE_COOKIE;
