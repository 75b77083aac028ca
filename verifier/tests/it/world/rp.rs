//! An application: an ordinary OpenID Connect client.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::jose::{Expected, Expiry, Jwks, SigningAlg, TypeRule, verify};

use super::browser::{Answer, form, send};
use super::{NOW, OP};

pub const VERIFIER: &str = "a-code-verifier-of-more-than-forty-three-characters";

pub struct RelyingParty {
    router: Router,
    pub id: &'static str,
    pub secret: Option<&'static str>,
    pub redirect_uri: &'static str,
}

/// Tokens of one login.
pub struct Tokens {
    pub access_token: String,
    pub id_token: String,
    /// Verified claims of the ID token.
    pub claims: Value,
    pub userinfo: Value,
}

impl Tokens {
    pub fn sub(&self) -> &str {
        self.claims["sub"].as_str().unwrap()
    }

    pub fn sid(&self) -> &str {
        self.claims["sid"].as_str().unwrap()
    }
}

impl RelyingParty {
    pub fn new(
        router: Router,
        id: &'static str,
        secret: Option<&'static str>,
        redirect_uri: &'static str,
    ) -> Self {
        Self {
            router,
            id,
            secret,
            redirect_uri,
        }
    }

    /// The address of an authorization request; `extra` replaces or adds parameters.
    pub fn authorize(&self, scope: &str, extra: &[(&str, &str)]) -> String {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", self.id),
            ("redirect_uri", self.redirect_uri),
            ("scope", scope),
            ("state", "state-1"),
            ("nonce", "nonce-1"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        fields.retain(|(name, _)| !extra.iter().any(|(other, _)| other == name));
        fields.extend(extra.iter().filter(|(_, value)| !value.is_empty()));
        format!("{OP}/authorize?{}", form(&fields))
    }

    /// Pushes the authorization request and returns the address that follows.
    pub async fn push(&self, scope: &str, extra: &[(&str, &str)]) -> String {
        let answer = self.pushed(scope, extra).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        let pushed = answer.json();
        assert_eq!(pushed["expires_in"], 60);
        let uri = pushed["request_uri"].as_str().unwrap();
        assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"));
        let fields = [("client_id", self.id), ("request_uri", uri)];
        format!("{OP}/authorize?{}", form(&fields))
    }

    pub async fn pushed(&self, scope: &str, extra: &[(&str, &str)]) -> Answer {
        self.pushed_with(scope, extra, &[]).await
    }

    pub async fn pushed_with(
        &self,
        scope: &str,
        extra: &[(&str, &str)],
        proofs: &[&str],
    ) -> Answer {
        let address = Url::parse(&self.authorize(scope, extra)).unwrap();
        let fields: Vec<(String, String)> = address.query_pairs().into_owned().collect();
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .filter(|(name, _)| name != "client_id")
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.post_with("/par", &fields, proofs).await
    }

    /// The code of a redirect back, after the checks that every client makes.
    pub fn code(&self, answer: &Answer) -> String {
        let (code, _) = self.answer(answer);
        code.unwrap_or_else(|| panic!("a code in {}", answer.location()))
    }

    /// The error of a redirect back.
    pub fn error(&self, answer: &Answer) -> String {
        let (_, error) = self.answer(answer);
        error.unwrap_or_else(|| panic!("an error in {}", answer.location()))
    }

    fn answer(&self, answer: &Answer) -> (Option<String>, Option<String>) {
        // Catalogue 368: 303 and nothing else.
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let location = Url::parse(&answer.location()).unwrap();
        assert!(
            answer.location().starts_with(self.redirect_uri),
            "{location}"
        );
        let get = |wanted: &str| {
            location
                .query_pairs()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        // Catalogue 361: `iss` in every answer.
        assert_eq!(get("iss").as_deref(), Some(OP));
        assert_eq!(get("state").as_deref(), Some("state-1"));
        (get("code"), get("error"))
    }

    pub async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.post("/token", fields).await
    }

    /// A form to an endpoint for applications, authenticated.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(path, fields, &[]).await
    }

    /// The same with DPoP proofs.
    pub async fn post_with(&self, path: &str, fields: &[(&str, &str)], proofs: &[&str]) -> Answer {
        let mut request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for proof in proofs {
            request = request.header("dpop", *proof);
        }
        let mut fields = fields.to_vec();
        match self.secret {
            Some(secret) => {
                let basic = BASE64_STANDARD.encode(format!("{}:{secret}", self.id));
                request = request.header(header::AUTHORIZATION, format!("Basic {basic}"));
            }
            None => fields.push(("client_id", self.id)),
        }
        send(
            &self.router,
            request.body(Body::from(form(&fields))).unwrap(),
        )
        .await
    }

    pub async fn redeem(&self, code: &str) -> Answer {
        self.redeem_with(code, &[], &[]).await
    }

    /// The same with DPoP proofs and further parameters.
    pub async fn redeem_with(&self, code: &str, extra: &[(&str, &str)], proofs: &[&str]) -> Answer {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        fields.extend(extra);
        self.post_with("/token", &fields, proofs).await
    }

    /// Redeems a code and checks everything that a client checks.
    pub async fn tokens(&self, code: &str) -> Tokens {
        let answer = self.redeem(code).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let body = answer.json();
        let access_token = body["access_token"].as_str().unwrap().to_owned();
        let id_token = body["id_token"].as_str().unwrap().to_owned();
        assert_eq!(body["token_type"], "Bearer");
        let claims = self.id_token(&id_token).await;
        assert_eq!(claims["nonce"], "nonce-1");
        let userinfo = self.userinfo(&access_token).await;
        assert_eq!(userinfo.status, StatusCode::OK, "{}", userinfo.body);
        let userinfo = userinfo.json();
        assert_eq!(userinfo["sub"], claims["sub"]);
        Tokens {
            access_token,
            id_token,
            claims,
            userinfo,
        }
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    pub async fn refresh_with(
        &self,
        token: &str,
        extra: &[(&str, &str)],
        proofs: &[&str],
    ) -> Answer {
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        fields.extend(extra);
        self.post_with("/token", &fields, proofs).await
    }

    /// What introspection says about a token.
    pub async fn introspect(&self, token: &str) -> Value {
        let answer = self.post("/introspect", &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        answer.json()
    }

    pub async fn revoke(&self, token: &str) -> Answer {
        self.post("/revoke", &[("token", token)]).await
    }

    pub async fn userinfo(&self, access_token: &str) -> Answer {
        self.userinfo_with("Bearer", access_token, &[]).await
    }

    pub async fn userinfo_with(&self, scheme: &str, token: &str, proofs: &[&str]) -> Answer {
        let mut request =
            Request::get("/userinfo").header(header::AUTHORIZATION, format!("{scheme} {token}"));
        for proof in proofs {
            request = request.header("dpop", *proof);
        }
        send(&self.router, request.body(Body::empty()).unwrap()).await
    }

    /// Claims of an ID token.
    pub async fn id_token(&self, token: &str) -> Value {
        self.verified(token, TypeRule::JwtOrAbsent, NOW.plus(0))
            .await
    }

    /// Claims of a logout token.
    pub async fn logout_token(&self, token: &str) -> Value {
        self.verified(token, TypeRule::Exactly("logout+jwt"), NOW)
            .await
    }

    /// Claims of a security event.
    pub async fn security_event(&self, token: &str) -> Value {
        self.checked(
            token,
            TypeRule::Exactly("secevent+jwt"),
            NOW,
            Expiry::Absent,
        )
        .await
    }

    /// Claims of a signed receipt; nothing where it does not verify.
    pub async fn receipt(&self, token: &str) -> Option<Value> {
        let typ = TypeRule::Exactly("consent-receipt+jwt");
        self.check(token, typ, NOW, Expiry::Absent).await
    }

    async fn verified(&self, token: &str, typ: TypeRule, now: UnixTime) -> Value {
        self.checked(token, typ, now, Expiry::Ignored).await
    }

    async fn checked(&self, token: &str, typ: TypeRule, now: UnixTime, expiry: Expiry) -> Value {
        self.check(token, typ, now, expiry).await.unwrap()
    }

    async fn check(
        &self,
        token: &str,
        typ: TypeRule,
        now: UnixTime,
        expiry: Expiry,
    ) -> Option<Value> {
        let jwks = send(
            &self.router,
            Request::get("/jwks").body(Body::empty()).unwrap(),
        )
        .await;
        let keys = Jwks::parse(jwks.body.as_bytes()).unwrap();
        let expected = Expected {
            algorithms: &[SigningAlg::Rs256, SigningAlg::Es256],
            typ,
            issuer: OP,
            audience: self.id,
            expiry,
            now,
            leeway: 7 * 86_400,
        };
        let verified = verify(token, &keys, &expected).ok()?;
        Some(Value::Object(verified.claims().clone()))
    }
}
