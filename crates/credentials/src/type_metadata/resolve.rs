//! A type with everything it inherits (SD-JWT VC, "Extending Type Metadata").

use async_trait::async_trait;

use super::{
    ClaimMetadata, Disclosable, FetchFailed, Integrity, MAX_DOCUMENT_BYTES, TypeDisplay,
    TypeMetadata, TypeMetadataError,
};

/// Most types that extend each other.
pub const MAX_EXTENDS: usize = 8;

/// Where type metadata comes from: a guarded fetcher with a cache, or a registry.
///
/// An implementation asks `https` alone, with caps on size, time and redirects, and never gives
/// the body of an error ("Retrieving Documents and Resources via HTTP"). It may answer from a
/// cache under the integrity value.
#[async_trait]
pub trait TypeMetadataFetch: Send + Sync {
    /// The octets of the document of this type.
    async fn fetch(&self, vct: &str, integrity: Option<&Integrity>)
    -> Result<Vec<u8>, FetchFailed>;
}

/// A type with everything it inherits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveType {
    /// The type, and the types it extends, nearest first. That a type stands here authorises
    /// nobody to issue it.
    pub types: Vec<String>,
    /// How it is shown: of the nearest type that says so.
    pub display: Vec<TypeDisplay>,
    /// Its claims, inherited ones first.
    pub claims: Vec<ClaimMetadata>,
}

/// Fetches the document of `vct` and of every type it extends, and puts them together.
///
/// `integrity` is the credential's `vct#integrity`.
///
/// # Errors
/// See [`TypeMetadataError`]: all documents or none.
pub async fn resolve(
    vct: &str,
    integrity: Option<&Integrity>,
    fetch: &dyn TypeMetadataFetch,
) -> Result<EffectiveType, TypeMetadataError> {
    let mut documents: Vec<TypeMetadata> = Vec::new();
    let (mut vct, mut integrity) = (vct.to_owned(), integrity.cloned());
    loop {
        // "Circular `extends` Dependencies of Types".
        if documents.iter().any(|known| known.vct == vct) {
            return Err(TypeMetadataError::Cycle);
        }
        if documents.len() >= MAX_EXTENDS {
            return Err(TypeMetadataError::TooDeep);
        }
        let document = one(&vct, integrity.as_ref(), fetch).await?;
        let next = document.extends.clone();
        documents.push(document);
        match next {
            Some(extends) => (vct, integrity) = (extends.vct, extends.integrity),
            None => return merge(documents),
        }
    }
}

async fn one(
    vct: &str,
    integrity: Option<&Integrity>,
    fetch: &dyn TypeMetadataFetch,
) -> Result<TypeMetadata, TypeMetadataError> {
    let octets = fetch.fetch(vct, integrity).await?;
    if octets.len() > MAX_DOCUMENT_BYTES {
        return Err(TypeMetadataError::TooLarge);
    }
    // Before anything in it is looked at.
    if let Some(integrity) = integrity {
        integrity
            .check(&octets)
            .map_err(TypeMetadataError::Integrity)?;
    }
    let document = TypeMetadata::parse(&octets)?;
    // "Retrieving Type Metadata": identical to the reference.
    if document.vct == vct {
        Ok(document)
    } else {
        Err(TypeMetadataError::WrongType)
    }
}

/// From the type that extends none to the one that was asked for.
fn merge(documents: Vec<TypeMetadata>) -> Result<EffectiveType, TypeMetadataError> {
    let types = documents.iter().map(|one| one.vct.clone()).collect();
    let mut effective = EffectiveType {
        types,
        display: Vec::new(),
        claims: Vec::new(),
    };
    for document in documents.into_iter().rev() {
        if let Some(display) = document.display {
            effective.display = display;
        }
        for claim in document.claims {
            let same = |known: &&mut ClaimMetadata| known.path == claim.path;
            match effective.claims.iter_mut().find(same) {
                Some(known) => extend(known, claim)?,
                None => effective.claims.push(claim),
            }
        }
    }
    Ok(effective)
}

/// "Extending Claim Metadata": the child's properties take precedence, but not against `sd` and
/// `mandatory` of the extended type.
fn extend(base: &mut ClaimMetadata, child: ClaimMetadata) -> Result<(), TypeMetadataError> {
    let ClaimMetadata {
        path: _,
        display,
        mandatory,
        sd,
        svg_id,
    } = child;
    if base.mandatory == Some(true) && mandatory == Some(false) {
        return Err(TypeMetadataError::ContradictsMandatory);
    }
    let fixed = !matches!(base.sd, None | Some(Disclosable::Allowed));
    if fixed && sd.is_some() && sd != base.sd {
        return Err(TypeMetadataError::ContradictsSd);
    }
    base.display = display.or(base.display.take());
    base.mandatory = mandatory.or(base.mandatory);
    base.sd = sd.or(base.sd);
    base.svg_id = svg_id.or(base.svg_id.take());
    Ok(())
}

impl EffectiveType {
    /// The texts for a language tag such as `de-AT`: the same tag, the same language, English,
    /// or the first.
    #[must_use]
    pub fn display_for(&self, locale: &str) -> Option<&TypeDisplay> {
        let language = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
        let same = |one: &&TypeDisplay| one.locale.eq_ignore_ascii_case(locale);
        let near = |one: &&TypeDisplay| language(&one.locale) == language(locale);
        let english = |one: &&TypeDisplay| language(&one.locale) == "en";
        let all = || self.display.iter();
        all()
            .find(same)
            .or_else(|| all().find(near))
            .or_else(|| all().find(english))
            .or_else(|| self.display.first())
    }
}
