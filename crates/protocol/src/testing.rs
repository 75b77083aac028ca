//! Helpers of this crate's own tests.

use serde_json::Value;
use vouchsafe_credentials::crypto::Signer;
use vouchsafe_credentials::encoding::b64url;

/// Signs any header and payload, also those that `jws::sign` would never write.
pub(crate) async fn sign_raw(header: &Value, claims: &Value, signer: &dyn Signer) -> String {
    let input = format!(
        "{}.{}",
        b64url(header.to_string().as_bytes()),
        b64url(claims.to_string().as_bytes())
    );
    let signature = signer
        .sign(input.as_bytes())
        .await
        .expect("software keys sign");
    format!("{input}.{}", b64url(&signature))
}
