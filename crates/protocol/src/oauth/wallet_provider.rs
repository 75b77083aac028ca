//! Who may attest wallets and keys: the providers of wallets that a service trusts.
//!
//! Wallet attestations (OpenID4VCI 1.0, appendix E) and key attestations (appendix D) are signed
//! by the same parties and name their keys in the same ways, so both are resolved here.

use vouchsafe_credentials::crypto::{CryptoProvider, PublicKey};
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::jws::Unverified;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Role, TrustAnchors, X509Error, verify_chain};

/// A provider of wallets that is trusted to attest them.
#[derive(Debug, Clone)]
pub struct WalletProvider {
    name: String,
    anchors: TrustAnchors,
    keys: JwkSet,
}

impl WalletProvider {
    /// A provider known by certificate authorities, by keys, or by both.
    ///
    /// # Errors
    /// [`NotAProvider`] when there is neither, or the anchors are of another role than
    /// [`Role::WalletProvider`].
    pub fn new(
        name: impl Into<String>,
        anchors: TrustAnchors,
        keys: JwkSet,
    ) -> Result<Self, NotAProvider> {
        if anchors.role() != Role::WalletProvider || (anchors.is_empty() && keys.keys().is_empty())
        {
            return Err(NotAProvider);
        }
        Ok(Self {
            name: name.into(),
            anchors,
            keys,
        })
    }

    /// The name that the configuration gives it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A provider without anything to know it by, or with anchors of another role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a wallet provider needs trust anchors of its role or keys")]
pub struct NotAProvider;

/// Why no trusted key was found for an attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttesterError {
    /// Neither `x5c` nor `kid`.
    #[error("the attestation names no key")]
    NoKey,
    /// No provider has a key of this `kid` and algorithm.
    #[error("the attestation names a key that no trusted provider has")]
    UnknownKey,
    /// No provider vouches for the chain; the reason of the last one that was asked.
    #[error("the certificate chain of the attestation is refused: {0}")]
    Chain(X509Error),
}

/// The key that must have signed an attestation, and whose it is.
#[derive(Debug, Clone)]
pub struct AttesterKey<'a> {
    /// The provider.
    pub provider: &'a WalletProvider,
    /// Its key.
    pub key: PublicKey,
}

/// All providers that a service trusts.
#[derive(Debug, Clone, Default)]
pub struct WalletProviders(Vec<WalletProvider>);

impl WalletProviders {
    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The provider with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&WalletProvider> {
        self.0.iter().find(|provider| provider.name == name)
    }

    /// The key that the header of an attestation names, if a provider is trusted with it: the
    /// leaf of `x5c`, or the key of this `kid`.
    ///
    /// A chain decides alone when it is there and some provider is known by certificates: a
    /// `kid` beside it is not asked.
    ///
    /// # Errors
    /// [`AttesterError`].
    pub fn key_of(
        &self,
        attestation: &Unverified<'_>,
        now: UnixTime,
        crypto: &dyn CryptoProvider,
    ) -> Result<AttesterKey<'_>, AttesterError> {
        let mut with_anchors = self.0.iter().filter(|p| !p.anchors.is_empty()).peekable();
        if let Some(chain) = attestation.x5c()
            && with_anchors.peek().is_some()
        {
            let mut refusal = X509Error::Untrusted;
            for provider in with_anchors {
                // HAIP 1.0, section 4.4.1: the anchor is not part of x5c, the leaf not self-signed.
                let role = Role::WalletProvider;
                match verify_chain(chain, &provider.anchors, role, now, crypto) {
                    Ok(leaf) => {
                        let key = leaf.public_key().clone();
                        return Ok(AttesterKey { provider, key });
                    }
                    Err(error) => refusal = error,
                }
            }
            return Err(AttesterError::Chain(refusal));
        }
        let kid = attestation.kid().ok_or(AttesterError::NoKey)?;
        let found = self.0.iter().find_map(|provider| {
            let mut keys = provider
                .keys
                .verification_keys(attestation.algorithm(), Some(kid));
            let key = keys.next()?.clone();
            Some(AttesterKey { provider, key })
        });
        found.ok_or(AttesterError::UnknownKey)
    }
}

impl FromIterator<WalletProvider> for WalletProviders {
    fn from_iter<T: IntoIterator<Item = WalletProvider>>(providers: T) -> Self {
        Self(providers.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    use serde_json::json;
    use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer, SigningKey};
    use vouchsafe_credentials::jws::{Header, TokenType, sign};
    use vouchsafe_credentials::testing::SeededRng;
    use vouchsafe_credentials::x509::Chain;

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    struct Authority(CertifiedIssuer<'static, KeyPair>);

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    impl Authority {
        fn new(name: &str) -> Self {
            let mut params = params(name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            Self(CertifiedIssuer::self_signed(params, key).unwrap())
        }

        fn leaf(&self) -> (SigningKey, Vec<u8>) {
            let key = KeyPair::generate().unwrap();
            let leaf = params("Wallets").signed_by(&key, &self.0).unwrap();
            let key = SigningKey::from_pkcs8_der(&key.serialize_der()).unwrap();
            (key, leaf.der().to_vec())
        }

        fn anchors(&self, role: Role) -> TrustAnchors {
            let mut anchors = TrustAnchors::new(role);
            anchors.add_der(self.0.der()).unwrap();
            anchors
        }
    }

    fn no_anchors() -> TrustAnchors {
        TrustAnchors::new(Role::WalletProvider)
    }

    fn known_by_ca(name: &str, authority: &Authority) -> WalletProvider {
        let anchors = authority.anchors(Role::WalletProvider);
        WalletProvider::new(name, anchors, JwkSet::default()).unwrap()
    }

    fn known_by_key(name: &str, key: &SigningKey, kid: &str) -> WalletProvider {
        let mut jwk = key.public_key().to_jwk();
        jwk["kid"] = kid.into();
        let keys = JwkSet::from_value(&json!({ "keys": [jwk] })).unwrap();
        WalletProvider::new(name, no_anchors(), keys).unwrap()
    }

    async fn attestation(header: Header, key: &SigningKey) -> String {
        sign(&header, &json!({ "sub": "wallet" }), key)
            .await
            .unwrap()
    }

    fn with_chain(certificates: Vec<Vec<u8>>) -> Header {
        let chain = Chain::from_der(certificates).unwrap();
        Header::new(TokenType::ClientAttestation).with_x5c(&chain)
    }

    fn ask(providers: &WalletProviders, jwt: &str) -> Result<(String, PublicKey), AttesterError> {
        let unverified = Unverified::parse(jwt, TokenType::ClientAttestation).unwrap();
        let AttesterKey { provider, key } = providers.key_of(&unverified, NOW, &Portable)?;
        Ok((provider.name().to_owned(), key))
    }

    #[tokio::test]
    async fn cat_254_only_a_chain_to_an_anchor_of_a_provider() {
        let (known, stranger) = (Authority::new("Known"), Authority::new("Stranger"));
        let providers: WalletProviders = [
            known_by_ca("other", &Authority::new("Other")),
            known_by_ca("known", &known),
        ]
        .into_iter()
        .collect();
        let (key, leaf) = known.leaf();
        let good = attestation(with_chain(vec![leaf.clone()]), &key).await;
        let (name, found) = ask(&providers, &good).unwrap();
        assert_eq!((name.as_str(), &found), ("known", Signer::public_key(&key)));
        let with_anchor = vec![leaf, known.0.der().to_vec()];
        let (other_key, other_leaf) = stranger.leaf();
        let own = KeyPair::generate().unwrap();
        let itself = params("Self").self_signed(&own).unwrap().der().to_vec();
        for (chain, key, why) in [
            (with_anchor, &key, X509Error::AnchorInChain),
            (vec![other_leaf], &other_key, X509Error::Untrusted),
            (vec![itself], &key, X509Error::SelfSigned),
        ] {
            let jwt = attestation(with_chain(chain), key).await;
            assert_eq!(ask(&providers, &jwt), Err(AttesterError::Chain(why)));
        }
    }

    #[tokio::test]
    async fn a_chain_is_not_replaced_by_a_kid() {
        let known = Authority::new("Known");
        let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
        let providers: WalletProviders = [known_by_ca("a", &known), known_by_key("b", &key, "1")]
            .into_iter()
            .collect();
        let (_, foreign) = Authority::new("Stranger").leaf();
        let jwt = attestation(with_chain(vec![foreign.clone()]).with_kid("1"), &key).await;
        let refused = AttesterError::Chain(X509Error::Untrusted);
        assert_eq!(ask(&providers, &jwt), Err(refused));
        // Where nobody is known by certificates, a chain beside `kid` says nothing.
        let providers: WalletProviders = [known_by_key("b", &key, "1")].into_iter().collect();
        assert_eq!(ask(&providers, &jwt).unwrap().0, "b");
    }

    #[tokio::test]
    async fn cat_254_only_the_key_of_this_kid() {
        let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
        let providers: WalletProviders = [known_by_key("b", &key, "1")].into_iter().collect();
        let named = |kid: &str| Header::new(TokenType::ClientAttestation).with_kid(kid);
        let jwt = attestation(named("1"), &key).await;
        assert_eq!(ask(&providers, &jwt).unwrap().1, *Signer::public_key(&key));
        let jwt = attestation(named("2"), &key).await;
        assert_eq!(ask(&providers, &jwt), Err(AttesterError::UnknownKey));
        let jwt = attestation(Header::new(TokenType::ClientAttestation), &key).await;
        assert_eq!(ask(&providers, &jwt), Err(AttesterError::NoKey));
        let other = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(2));
        let jwt = attestation(named("1"), &other).await;
        assert_eq!(ask(&providers, &jwt), Err(AttesterError::UnknownKey));
        assert_eq!(
            ask(&WalletProviders::default(), &jwt),
            Err(AttesterError::UnknownKey)
        );
    }

    #[test]
    fn a_provider_is_known_by_something_of_its_role() {
        let authority = Authority::new("Known");
        let none = JwkSet::default();
        assert!(WalletProvider::new("a", no_anchors(), none.clone()).is_err());
        let issuers = authority.anchors(Role::Issuer);
        assert!(WalletProvider::new("a", issuers, none.clone()).is_err());
        let wallets = authority.anchors(Role::WalletProvider);
        assert!(WalletProvider::new("a", wallets, none).is_ok());
    }
}
