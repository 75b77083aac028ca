//! Formats that are bound to the holder's key: `dc+sd-jwt` and `mso_mdoc`.

use anyhow::{Context, Result, ensure};
use vouchsafe_credentials::crypto::{PublicKey, Signer};
use vouchsafe_credentials::did::resolve_local;
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::mdoc::{self, DigestAlgorithm, KeyAuthorizations, Validity};
use vouchsafe_credentials::sd_jwt::HashAlg;
use vouchsafe_credentials::sd_jwt_vc::{self, IssuerKey};
use vouchsafe_credentials::x509::Chain;
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::IssuerKey as PrivateKey;

use super::card::Card;
use super::{Format, Options};

/// Issues.
pub async fn issue(options: &Options, key: &PrivateKey, card: Card) -> Result<String> {
    let signer = key
        .signature_signer()
        .context("a BLS12-381 key signs with bbs-2023 alone (--format ldp_vc)")?;
    let holder = options.holder.as_deref().map(holder_key).transpose()?;
    let chain = chain(options, signer)?;
    match options.format {
        Format::MsoMdoc => {
            let holder = holder.context(
                "an mdoc belongs to a key: name it with --holder DID (`vouchsafe credential generate-key` says it)",
            )?;
            let chain = chain.context(
                "an mdoc brings the certificate of its signer: --certificate FILE (`vouchsafe credential generate-certificate` makes one to try with)",
            )?;
            mdoc(&card, &holder, &chain, signer).await
        }
        _ => sd_jwt_vc(&card, key, holder.as_ref(), chain.as_ref(), signer).await,
    }
}

async fn sd_jwt_vc(
    card: &Card,
    key: &PrivateKey,
    holder: Option<&PublicKey>,
    chain: Option<&Chain>,
    signer: &dyn Signer,
) -> Result<String> {
    ensure!(
        holder.is_some() || !card.kind.key_binding,
        "the type `{}` belongs to a key: name it with --holder DID (`vouchsafe credential generate-key` says it)",
        card.kind.id
    );
    let (did, url) = (key.did(), key.verification_method());
    let input = sd_jwt_vc::IssueInput {
        vct: &card.kind.vct,
        // A certificate says itself whose it is.
        issuer: chain.is_none().then_some(did.as_str()),
        key: chain.map_or(IssuerKey::Did(&url), IssuerKey::X5c),
        issued_at: Some(card.from),
        not_before: None,
        expires_at: Some(card.until),
        holder_key: holder,
        status: None,
        claims: card.claims.claims.clone(),
        frame: &card.claims.frame,
        hash: HashAlg::default(),
    };
    Ok(sd_jwt_vc::issue(input, signer, &OsRandom).await?)
}

async fn mdoc(
    card: &Card,
    holder: &PublicKey,
    chain: &Chain,
    signer: &dyn Signer,
) -> Result<String> {
    let format = card.kind.mdoc().with_context(|| {
        format!(
            "the type `{}` does not say how it is an mdoc: its file has no [mdoc]",
            card.kind.id
        )
    })?;
    let input = mdoc::IssueInput {
        doctype: &format.doctype,
        elements: &format.elements(&card.claims),
        validity: Validity {
            signed: card.from,
            valid_from: card.from,
            valid_until: card.until,
            expected_update: None,
        },
        device_key: holder,
        key_authorizations: &KeyAuthorizations::default(),
        status: None,
        chain,
        digest_algorithm: DigestAlgorithm::default(),
    };
    Ok(b64url(&mdoc::issue(input, signer, &OsRandom).await?))
}

fn holder_key(did: &str) -> Result<PublicKey> {
    let (key, _url) = resolve_local(did)
        .context("--holder is the DID of a key, did:key:… or did:jwk:…, that signs")?;
    Ok(key)
}

fn chain(options: &Options, signer: &dyn Signer) -> Result<Option<Chain>> {
    let Some(file) = &options.certificate else {
        return Ok(None);
    };
    let pem = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let chain = Chain::from_pem(&pem)
        .with_context(|| format!("{} holds no certificate", file.display()))?;
    ensure!(
        chain.leaf_public_key()? == *signer.public_key(),
        "{} is the certificate of another key than --key",
        file.display()
    );
    Ok(Some(chain))
}
