//! Cards of an issuer that needs no protocol.

use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::{Algorithm, PublicKey, Signer, SigningKey};
use vouchsafe_credentials::did;
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame, HashAlg};
use vouchsafe_credentials::sd_jwt_vc::{
    IssueInput, IssuerAuthority, IssuerIdentity, IssuerKey, issue,
};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vp::dcql::DcqlQuery;

use super::NOW;
use crate::secure_area::KeyId;
use crate::testing::GivenCard;

/// What a card is like.
#[derive(Debug, Clone)]
pub(crate) struct Like {
    pub(crate) vct: &'static str,
    pub(crate) also: Vec<String>,
    pub(crate) issuer: &'static str,
    pub(crate) member: bool,
    pub(crate) not_before: Option<UnixTime>,
    pub(crate) expires_at: Option<UnixTime>,
    pub(crate) added_at: UnixTime,
}

impl Like {
    pub(crate) fn of(vct: &'static str) -> Self {
        Self {
            vct,
            also: Vec::new(),
            issuer: "https://club.example.com",
            member: true,
            not_before: None,
            expires_at: None,
            added_at: NOW,
        }
    }
}

/// Issues a card for a key.
pub(crate) async fn card(like: &Like, key: KeyId, holder: &PublicKey) -> GivenCard {
    let rng = SeededRng::new(41);
    let signer = SigningKey::generate(Algorithm::Es256, &rng);
    let did = did::jwk::encode(signer.public_key());
    let kid = format!("{did}#0");
    let mut claims = Map::new();
    claims.insert("member".to_owned(), like.member.into());
    claims.insert("name".to_owned(), "CANARY-NAME".into());
    let frame = Frame::new().hide(&ClaimPath::of_keys(&["member"])).unwrap();
    let frame = frame.hide(&ClaimPath::of_keys(&["name"])).unwrap();
    let input = IssueInput {
        vct: like.vct,
        issuer: None,
        key: IssuerKey::Did(&kid),
        issued_at: None,
        not_before: like.not_before,
        expires_at: like.expires_at,
        holder_key: Some(holder),
        status: None,
        claims,
        frame: &frame,
        hash: HashAlg::Sha256,
    };
    GivenCard {
        compact: standing_for(&like.also, issue(input, &signer, &rng).await.unwrap()),
        issuer: IssuerIdentity {
            trusted: like.issuer.to_owned(),
            authority: IssuerAuthority::Did(did),
        },
        credential_issuer: like.issuer.to_owned(),
        vct: like.vct.to_owned(),
        key,
        added_at: like.added_at,
    }
}

/// The card with further types. Our issuer gives none out; a stored card is not verified again.
fn standing_for(also: &[String], compact: String) -> String {
    if also.is_empty() {
        return compact;
    }
    let parts: Vec<&str> = compact.splitn(3, '.').collect();
    let mut payload: Value = serde_json::from_slice(&b64url_decode(parts[1]).unwrap()).unwrap();
    payload["aka_vcts"] = json!(also);
    let payload = b64url(payload.to_string().as_bytes());
    format!("{}.{payload}.{}", parts[0], parts[2])
}

/// A query for `member` of cards of these types.
pub(crate) fn query(types: &[&str]) -> DcqlQuery {
    let query: Value = json!({ "credentials": [{
        "id": "card",
        "format": "dc+sd-jwt",
        "multiple": true,
        "meta": { "vct_values": types },
        "claims": [{ "path": ["member"], "values": [true] }],
    }]});
    DcqlQuery::parse(&query).unwrap()
}
