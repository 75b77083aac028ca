//! SD-JWT VCs, verified with what was given on the command line.

use anyhow::{Context, Result, anyhow};
use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::AwsLc;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json::parse_object;
use vouchsafe_credentials::jws::{TokenType, Unverified};
use vouchsafe_credentials::sd_jwt::SdJwt;
use vouchsafe_credentials::sd_jwt_vc::{
    IssuerAuthority, IssuerMethod, IssuerTrust, KeyBindingPolicy, Policy, StatusMethod,
    StatusPolicy, TrustedIssuer, verify_presented,
};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Role;

use super::against::Means;
use super::verify::{HOLDER, No, STATUS, Verdict};

/// Verifies: the signature by the DID in `kid` or below a given authority, `iss` with it, the
/// times, each disclosure, and the key binding of a presentation.
pub fn judge(compact: &str, means: &Means, now: UnixTime) -> Result<Verdict, No> {
    let parts = SdJwt::parse(compact).map_err(|error| (error.code(), error.into()))?;
    let jwt = Unverified::parse(parts.issuer_signed(), TokenType::SdJwtVc)
        .map_err(|error| (error.code(), error.into()))?;
    let claims = payload(parts.issuer_signed()).map_err(|error| ("sd_jwt_payload", error))?;
    let vct = claims.get("vct").and_then(Value::as_str);
    let types = vec![vct.unwrap_or_default().to_owned()];
    let issuers = believed(jwt.kid(), jwt.x5c().is_some(), &types, means)?;
    let trust = IssuerTrust::new(issuers).map_err(|error| ("did_not_offline", error.into()))?;
    let shown = parts.key_binding().is_some();
    let policy = Policy {
        trust: &trust,
        types: &types,
        key_binding: key_binding(shown, means)?,
        status: StatusPolicy::WhenPresent,
        now,
    };
    let owed =
        verify_presented(compact, &policy, &AwsLc).map_err(|error| (error.code(), error.into()))?;
    let mut unchecked = Vec::new();
    if owed.status_ref().is_some() {
        unchecked.push(STATUS);
    }
    if !shown && claims.contains_key("cnf") {
        unchecked.push(HOLDER);
    }
    let issuer = match &owed.issuer().authority {
        IssuerAuthority::Did(_) => owed.issuer().trusted.clone(),
        IssuerAuthority::X509 { subject, .. } => subject.clone(),
        IssuerAuthority::Iaca { anchor } => anchor.clone(),
    };
    Ok(Verdict::of(vec![issuer], unchecked))
}

/// Who may have signed it: the DID that names the key, under its own name or one that was given
/// for it, or whoever the given authorities vouch for.
fn believed(
    kid: Option<&str>,
    has_chain: bool,
    types: &[String],
    means: &Means,
) -> Result<Vec<TrustedIssuer>, No> {
    let issuer = |id: &str, method| TrustedIssuer {
        id: id.to_owned(),
        method,
        types: types.to_vec(),
        status: StatusMethod::SameIssuer,
    };
    if has_chain {
        let Some(anchors) = means.anchors(Role::Issuer) else {
            let what =
                "it brings a certificate: name the authority that must vouch for it (--anchor)";
            return Err(("issuer_untrusted", anyhow!(what)));
        };
        let subject = None;
        return Ok(vec![issuer(
            "the given authorities",
            IssuerMethod::X509 { anchors, subject },
        )]);
    }
    let Some(url) = kid.filter(|kid| kid.starts_with("did:")) else {
        let what = "it names no key that can be found offline";
        return Err(("key", anyhow!(what)));
    };
    let did = url.split('#').next().unwrap_or_default();
    let named = means.delegations.iter().filter(|one| one.controller == did);
    let mut ids: Vec<_> = named.map(|one| one.issuer.as_str()).collect();
    ids.push(did);
    ids.sort_unstable();
    ids.dedup();
    let method = || IssuerMethod::Did(did.to_owned());
    Ok(ids.into_iter().map(|id| issuer(id, method())).collect())
}

/// A presentation is for somebody and of a moment: without both it cannot be judged.
fn key_binding(shown: bool, means: &Means) -> Result<KeyBindingPolicy<'_>, No> {
    match (means.domain.as_deref(), means.challenge.as_deref()) {
        (Some(audience), Some(nonce)) => Ok(KeyBindingPolicy::Required { audience, nonce }),
        _ if shown => {
            let what = "it is shown to somebody: give their --domain and --challenge";
            Err(("key_binding_not_checked", anyhow!(what)))
        }
        (None, None) => Ok(KeyBindingPolicy::Forbidden),
        _ => {
            let what = "--domain and --challenge go together";
            Err(("key_binding_not_checked", anyhow!(what)))
        }
    }
}

fn payload(jwt: &str) -> Result<Map<String, Value>> {
    let payload = jwt.split('.').nth(1).context("the token has no payload")?;
    Ok(parse_object(&b64url_decode(payload)?)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vouchsafe_credentials::crypto::{Algorithm, Signer as _, SigningKey};
    use vouchsafe_credentials::did::key;
    use vouchsafe_credentials::encoding::b64url;
    use vouchsafe_credentials::vcdm::Delegation;
    use vouchsafe_service::random::OsRandom;

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    struct World {
        key: SigningKey,
        did: String,
    }

    impl World {
        fn new() -> Self {
            let key = SigningKey::generate(Algorithm::EdDsa, &OsRandom);
            let did = key::encode(key.public_key());
            Self { key, did }
        }

        /// A token by this key with these claims changed, and these disclosures after it.
        async fn token(&self, change: Value, tail: &str) -> String {
            let fragment = self.did.trim_start_matches("did:key:");
            let kid = format!("{}#{fragment}", self.did);
            let header = json!({"alg": "EdDSA", "typ": "dc+sd-jwt", "kid": kid});
            let mut claims = json!({"iss": self.did, "vct": "urn:x", "family_name": "King"});
            for (name, value) in change.as_object().unwrap() {
                claims[name] = value.clone();
            }
            let part = |value: &Value| b64url(value.to_string().as_bytes());
            let input = format!("{}.{}", part(&header), part(&claims));
            let signature = self.key.sign(input.as_bytes()).await.unwrap();
            format!("{input}.{}~{tail}", b64url(&signature))
        }
    }

    fn means(delegations: &[Delegation]) -> Means {
        Means {
            delegations: delegations.to_vec(),
            ..Means::default()
        }
    }

    fn code(token: &str, means: &Means) -> &'static str {
        judge(token, means, NOW).unwrap_err().0
    }

    #[tokio::test]
    async fn what_was_not_checked_is_not_called_good() {
        let world = World::new();
        let good = world.token(json!({}), "").await;
        let verdict = judge(&good, &means(&[]), NOW).unwrap();
        assert_eq!(verdict.issuers, std::slice::from_ref(&world.did));
        assert!(verdict.unchecked.is_empty());
        // A claim that nobody signed.
        let forged = b64url(br#"["c2FsdHNhbHRzYWx0c2FsdA","age_over_18",true]"#);
        let forged = world.token(json!({}), &format!("{forged}~")).await;
        assert!(judge(&forged, &means(&[]), NOW).is_err());
        for (change, wanted) in [
            (json!({"exp": 1_577_836_800}), "expired"),
            (json!({"nbf": 1_900_000_000}), "not_yet_valid"),
            (
                json!({"iss": "https://government.example"}),
                "issuer_mismatch",
            ),
        ] {
            let token = world.token(change.clone(), "").await;
            let code = code(&token, &means(&[]));
            assert!(code.contains(wanted), "{change}: {code}");
        }
        let another = World::new();
        let altered = good.replace(&good[..20], &another.token(json!({}), "").await[..20]);
        assert_eq!(altered, good, "the headers begin alike");
        let signature = world.token(json!({"family_name": "Kong"}), "").await;
        let (signed, _) = good.rsplit_once('.').unwrap();
        let (_, other) = signature.rsplit_once('.').unwrap();
        assert!(judge(&format!("{signed}.{other}"), &means(&[]), NOW).is_err());
    }

    #[tokio::test]
    async fn another_name_counts_when_it_was_given() {
        let world = World::new();
        let token = world
            .token(json!({"iss": "https://club.example"}), "")
            .await;
        let mut given = [Delegation {
            issuer: "https://club.example".to_owned(),
            controller: world.did.clone(),
        }];
        let verdict = judge(&token, &means(&given), NOW).unwrap();
        assert_eq!(verdict.issuers, ["https://club.example"]);
        given[0].controller = World::new().did;
        assert!(judge(&token, &means(&given), NOW).is_err());
    }

    #[tokio::test]
    async fn status_and_holder_are_said_to_be_open() {
        let world = World::new();
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let list = json!({"status_list": {"uri": "https://club.example/1", "idx": 1}});
        let change = json!({"cnf": {"jwk": jwk}, "status": list});
        let token = world.token(change.clone(), "").await;
        let verdict = judge(&token, &means(&[]), NOW).unwrap();
        assert_eq!(verdict.unchecked, [STATUS, HOLDER]);
        // A presentation, and one that should be.
        let shown = world.token(change, "e30.e30.AA").await;
        assert_eq!(code(&shown, &means(&[])), "key_binding_not_checked");
        let asked = Means {
            challenge: Some("n".to_owned()),
            domain: Some("d".to_owned()),
            ..means(&[])
        };
        assert!(judge(&token, &asked, NOW).is_err());
        assert!(judge(&shown, &asked, NOW).is_err());
    }
}
