mod answers;
mod provider;
mod ways;

use std::sync::Arc;

use serde_json::{Value, json};
use vouchsafe_credentials::{random::Rng, testing::SeededRng, time::Clock};
use zeroize::Zeroizing;

use self::provider::Provider;
use super::*;
use crate::config::{DevConfig, FetchConfig};
use crate::fetch::Fetcher;
use crate::jose::{JwtKey, SigningAlg};

const REDIRECT: &str = "https://our.example/callback";

fn secret() -> ClientAuthentication {
    ClientAuthentication::Secret(Zeroizing::new("s3cr:t&%".to_owned()), None)
}

/// A relying party at a provider of a test.
fn party(provider: &Provider, change: impl FnOnce(&mut ProviderSettings)) -> Upstream {
    let mut settings = ProviderSettings {
        issuer: provider.issuer.clone(),
        client_id: "us here".to_owned(),
        authentication: secret(),
        scopes: vec!["openid".to_owned(), "profile".to_owned()],
        user_info: false,
        redirect_uri: REDIRECT.to_owned(),
    };
    change(&mut settings);
    let dev = DevConfig {
        loopback_http: true,
    };
    let fetcher = Fetcher::new(&FetchConfig::default(), &dev).unwrap();
    let rng: Arc<dyn Rng> = Arc::new(SeededRng::new(7));
    let clock: Arc<dyn Clock> = provider.clock.clone();
    Upstream::new(settings, fetcher, clock, rng)
}

/// One sign-in from end to end.
async fn sign_in(
    party: &Upstream,
    provider: &Provider,
    ask: &Ask,
) -> Result<Identity, UpstreamError> {
    let start = party.begin(ask).await?;
    let callback = provider.browser(&start.url).await;
    party
        .finish(start.pending, Callback::parse(REDIRECT, &callback)?)
        .await
}

#[tokio::test]
async fn a_person_signs_in() {
    let provider = Provider::start().await;
    let us = party(&provider, |settings| settings.user_info = true);
    let identity = sign_in(&us, &provider, &Ask::default()).await.unwrap();
    assert_eq!(identity.issuer(), provider.issuer);
    assert_eq!(identity.subject(), "person 1");
    assert_eq!(identity.claim("given_name"), Some(&json!("Ada")));
    // What the provider signed comes before what it says.
    assert_eq!(identity.claim("member"), Some(&json!("signed")));
    assert_eq!(identity.claim("nothing"), None);
    assert_eq!(identity.amr().collect::<Vec<_>>(), ["pwd"]);
    assert!(!format!("{identity:?}").contains("Ada"));
}

#[tokio::test]
async fn metadata_and_keys_are_fetched_once_an_hour() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    for _ in 0..3 {
        sign_in(&us, &provider, &Ask::default()).await.unwrap();
    }
    assert_eq!(provider.fetched(), (1, 1));
    provider.clock.advance(3_600);
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    assert_eq!(provider.fetched(), (2, 2));
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_believed_for_a_while() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    provider.change(|is| is.described_status = 503);
    provider.clock.advance(3_600);
    // It is asked once, and not again at once.
    for _ in 0..3 {
        sign_in(&us, &provider, &Ask::default()).await.unwrap();
    }
    assert_eq!(provider.fetched(), (2, 2));
    provider.clock.advance(5);
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    assert_eq!(provider.fetched(), (3, 3));
    // A key that is not known is asked for, and that is a fault for a moment.
    let new = JwtKey::generate(SigningAlg::Es256).unwrap();
    let known = new.public_jwk().clone();
    let old = provider.exchange_key(new);
    let error = sign_in(&us, &provider, &Ask::default()).await.unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
    assert_eq!(provider.fetched(), (3, 3));
    provider.exchange_key(old);
    // Not for ever.
    provider.clock.advance(5 * 3_600);
    let error = sign_in(&us, &provider, &Ask::default()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Status(503)));
    // What it does say counts at once.
    provider.clock.advance(5);
    provider.change(|is| {
        is.described_status = 200;
        is.published.push(known);
    });
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    provider.clock.advance(3_600);
    provider
        .change(|is| is.metadata = Box::new(|document| document["issuer"] = json!("https://x")));
    let error = sign_in(&us, &provider, &Ask::default()).await.unwrap_err();
    assert!(matches!(
        error,
        UpstreamError::Discovery(DiscoveryError::Issuer)
    ));
}

#[tokio::test]
async fn many_at_once_fetch_once() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    let ask = Ask::default();
    let many = || futures::future::join_all((0..20).map(|_| sign_in(&us, &provider, &ask)));
    many().await.into_iter().for_each(|one| drop(one.unwrap()));
    assert_eq!(provider.fetched(), (1, 1));
    // New keys too, and everybody who waits for them gets them.
    let new = JwtKey::generate(SigningAlg::Es256).unwrap();
    provider.change(|is| is.published = vec![new.public_jwk().clone()]);
    provider.exchange_key(new);
    provider.clock.advance(10);
    many().await.into_iter().for_each(|one| drop(one.unwrap()));
    assert_eq!(provider.fetched(), (1, 2));
    // A failure is one for everybody.
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    provider.change(|is| is.described_status = 503);
    let many = (0..20).map(|_| sign_in(&us, &provider, &ask));
    let many = futures::future::join_all(many).await;
    assert!(many.iter().all(Result::is_err));
    assert_eq!(provider.fetched(), (1, 0));
}

/// Whoever begins sign-ins by the dozen does not keep others from ending theirs.
#[tokio::test]
async fn who_begins_many_leaves_places_for_the_others() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    let ask = Ask::default();
    let start = us.begin(&ask).await.unwrap();
    let answer = provider.browser(&start.url).await;
    let pushes = party(&provider, |_| {});
    provider.change(|is| {
        is.pushes = true;
        is.push_takes = std::time::Duration::from_millis(200);
    });
    let flood = futures::future::join_all((0..12).map(|_| pushes.begin(&ask)));
    let finish = async {
        while provider.pushed() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let answer = Callback::parse(REDIRECT, &answer).unwrap();
        us.finish(start.pending, answer).await.unwrap();
        provider.pushed()
    };
    let (begun, pushed) = tokio::join!(flood, finish);
    assert!(begun.into_iter().all(|one| one.is_ok()));
    assert!(pushed < 12, "{pushed}");
}

#[test]
fn a_provider_is_configured() {
    let read = |more: Value| {
        let mut all =
            json!({"issuer": "https://op.example", "client_id": "us", "client_secret": "s"});
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        let config: ProviderConfig = serde_json::from_value(all).map_err(|e| e.to_string())?;
        config
            .settings("login", REDIRECT)
            .map_err(|error| error.to_string())
    };
    let settings = read(json!({"scopes": ["email", "openid"]})).unwrap();
    assert_eq!(settings.scopes, ["openid", "email"]);
    assert!(!format!("{settings:?}").contains("\"s\""));
    let settings = read(json!({"client_auth_method": "client_secret_post"})).unwrap();
    assert!(matches!(
        settings.authentication,
        ClientAuthentication::Secret(_, Some(SecretMethod::Post))
    ));
    for (bad, named) in [
        (json!({"issuer": "op.example"}), "login.issuer"),
        (json!({"issuer": "https://op.example?a"}), "login.issuer"),
        (json!({"issuer": "ftp://op.example"}), "login.issuer"),
        (json!({"client_id": ""}), "login.client_id"),
        (json!({"client_secret": ""}), "login.client_secret_file"),
        (json!({"client_secret": null}), "login.client_secret_file"),
        (
            json!({"client_key_file": "/k.pem"}),
            "login.client_key_file",
        ),
        (json!({"client_key_alg": "ES256"}), "login.client_key_alg"),
        (json!({"client_auth_method": "none"}), "none"),
        (
            json!({"client_auth_method": "private_key_jwt"}),
            "login.client_auth_method",
        ),
        (
            json!({"client_auth_method": "client_secret_post", "client_key_file": "/k.pem", "client_secret": null}),
            "login.client_auth_method",
        ),
        (json!({"scopes": ["two words"]}), "login.scopes"),
        (json!({"scope": "openid"}), "scope"),
    ] {
        let error = read(bad).unwrap_err();
        assert!(error.contains(named), "{error}");
    }
}

#[tokio::test]
async fn a_key_authenticates_us() {
    let provider = Provider::start().await;
    let key = JwtKey::generate(SigningAlg::Es256).unwrap();
    provider.change(|is| {
        is.auth_method = "private_key_jwt";
        is.client_keys = json!({"keys": [key.public_jwk()]});
    });
    let us = party(&provider, |settings| {
        settings.authentication = ClientAuthentication::PrivateKeyJwt(Box::new(key));
    });
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    let them = party(&provider, |settings| {
        let key = JwtKey::generate(SigningAlg::Es256).unwrap();
        settings.authentication = ClientAuthentication::PrivateKeyJwt(Box::new(key));
    });
    let refused = sign_in(&them, &provider, &Ask::default()).await;
    assert!(matches!(refused, Err(UpstreamError::Refused(code)) if code == "invalid_client"));
}

#[tokio::test]
async fn a_secret_goes_where_the_provider_takes_it() {
    let provider = Provider::start().await;
    provider.change(|is| is.auth_method = "client_secret_post");
    let us = party(&provider, |_| {});
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    // Neither way: nothing is sent.
    let provider = Provider::start().await;
    provider.change(|is| is.auth_method = "tls_client_auth");
    let us = party(&provider, |_| {});
    let refused = sign_in(&us, &provider, &Ask::default()).await;
    let expected = DiscoveryError::NotSupported("the configured client authentication");
    assert!(matches!(refused, Err(UpstreamError::Discovery(error)) if error == expected));
    // Where it takes both, what is registered counts.
    let provider = Provider::start().await;
    let both = json!(["client_secret_basic", "client_secret_post"]);
    provider.change(|is| {
        is.auth_method = "client_secret_post";
        is.metadata = Box::new(move |document| {
            document["token_endpoint_auth_methods_supported"] = both.clone();
        });
    });
    let as_registered = |method| {
        party(&provider, move |settings| {
            let ClientAuthentication::Secret(_, registered) = &mut settings.authentication else {
                panic!("a secret");
            };
            *registered = method;
        })
    };
    let us = as_registered(Some(SecretMethod::Post));
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    for other in [None, Some(SecretMethod::Basic)] {
        let refused = sign_in(&as_registered(other), &provider, &Ask::default()).await;
        assert!(matches!(refused, Err(UpstreamError::Refused(code)) if code == "invalid_client"));
    }
}

#[tokio::test]
async fn a_request_is_pushed_where_the_provider_takes_it() {
    for method in [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ] {
        pushed_with(method).await;
    }
    // A refusal is one of the request, and it is told apart from one of the code.
    let provider = Provider::start().await;
    provider.change(|is| {
        is.pushes = true;
        is.auth_method = "client_secret_post";
        is.metadata = Box::new(|document| {
            document["token_endpoint_auth_methods_supported"] = json!(["client_secret_basic"]);
        });
    });
    let refused = party(&provider, |_| {}).begin(&Ask::default()).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), "request_refused");
    assert!(matches!(refused, UpstreamError::RequestRefused(code) if code == "invalid_client"));
}

/// The provider refuses a form in which anything comes twice.
async fn pushed_with(method: &'static str) {
    let provider = Provider::start().await;
    let key = JwtKey::generate(SigningAlg::Es256).unwrap();
    provider.change(|is| {
        is.pushes = true;
        is.auth_method = method;
        is.client_keys = json!({"keys": [key.public_jwk()]});
    });
    let us = party(&provider, |settings| {
        if method == "private_key_jwt" {
            settings.authentication = ClientAuthentication::PrivateKeyJwt(Box::new(key));
        }
    });
    let start = us.begin(&Ask::default()).await.unwrap();
    let names: Vec<String> = url::Url::parse(&start.url)
        .unwrap()
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    assert_eq!(names, ["client_id", "request_uri"]);
    let callback = provider.browser(&start.url).await;
    us.finish(start.pending, Callback::parse(REDIRECT, &callback).unwrap())
        .await
        .unwrap();
}
