//! Agreement of a document with its statements: the second lock beside the form of documents.
//!
//! A signature covers statements, and the rules of credentials, presentations and proofs are checked on members
//! of the JSON. [`crate::jsonld`] refuses every form in which the two could differ. Here they are compared: what
//! those rules read must be what the statements say, neither more nor less, whatever let a document through. It
//! knows no context: the IRIs of the data models stand in [`vocabulary`].

mod statements;
#[cfg(test)]
mod tests;
mod vocabulary;

use serde_json::Value;

use crate::rdf::{Quad, Term};
use statements::{Differs, Node, Statements};
use vocabulary as iri;

/// The JSON of a document and its statements do not say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the statements of the document are not what its JSON says")]
pub struct Disagreement;

/// Compares what the rules of credentials, presentations and proofs read of `document` with its statements,
/// which stand in the order of the document. Documents of other kinds have no such rules.
///
/// # Errors
/// [`Disagreement`].
pub fn check(document: &Value, quads: &[Quad]) -> Result<(), Disagreement> {
    let kinds = Kinds::of(document);
    if !kinds.any() {
        return Ok(());
    }
    let statements = Statements::new(quads);
    document_in(&statements, None, document).map_err(|Differs| Disagreement)
}

/// Which rules a document is read by.
struct Kinds {
    credential: bool,
    presentation: bool,
    proof: bool,
}

impl Kinds {
    fn of(document: &Value) -> Self {
        let named = |wanted: &str| statements::items(document.get("type")).any(|one| one == wanted);
        Self {
            credential: named("VerifiableCredential"),
            presentation: named("VerifiablePresentation"),
            proof: named("DataIntegrityProof"),
        }
    }

    const fn any(&self) -> bool {
        self.credential || self.presentation || self.proof
    }
}

/// A document as the one node of a graph that nothing in it points at.
fn document_in<'q>(
    statements: &Statements<'q>,
    graph: Option<&'q Term>,
    document: &Value,
) -> Result<(), Differs> {
    let kinds = Kinds::of(document);
    let root = statements.root(graph, document)?;
    root.types(document)?;
    if kinds.credential {
        credential(&root, document)?;
    }
    if kinds.presentation {
        presentation(statements, &root, document)?;
    }
    if kinds.proof {
        proof(&root, document)?;
    }
    Ok(())
}

/// What `vcdm::Credential`, the policy and the status list read.
fn credential(root: &Node<'_, '_>, document: &Value) -> Result<(), Differs> {
    root.links(iri::ISSUER, document.get("issuer"))?;
    for (name, predicate) in iri::PERIOD {
        root.texts(predicate, document.get(name))?;
    }
    for (item, entry) in root.links(iri::STATUS, document.get("credentialStatus"))? {
        status_entry(&entry, item)?;
    }
    for (item, subject) in root.links(iri::SUBJECT, document.get("credentialSubject"))? {
        status_list(&subject, item)?;
    }
    for (item, resource) in root.links(iri::RELATED, document.get("relatedResource"))? {
        for (name, predicate) in iri::DIGESTS {
            resource.texts(predicate, item.get(name))?;
        }
    }
    confirmation(root, document)
}

/// Other types of status are refused by who checks a status.
fn status_entry(node: &Node<'_, '_>, entry: &Value) -> Result<(), Differs> {
    node.types(entry)?;
    if !node.has_type(iri::STATUS_ENTRY) {
        return Ok(());
    }
    for (name, predicate) in iri::STATUS_TEXTS {
        node.texts(predicate, entry.get(name))?;
    }
    node.links(iri::STATUS_LIST, entry.get("statusListCredential"))?;
    Ok(())
}

fn status_list(node: &Node<'_, '_>, subject: &Value) -> Result<(), Differs> {
    let named = statements::items(subject.get("type")).any(|one| one == "BitstringStatusList");
    if named != node.has_type(iri::STATUS_BITSTRING) {
        return Err(Differs);
    }
    if named {
        for (name, predicate) in iri::LIST_TEXTS {
            node.texts(predicate, subject.get(name))?;
        }
    }
    Ok(())
}

/// `cnf`, whatever a context makes of its name.
fn confirmation(root: &Node<'_, '_>, document: &Value) -> Result<(), Differs> {
    let said = root.predicates().any(|predicate| {
        let local = predicate.rsplit(['#', '/']).next();
        local == Some("cnf")
    });
    if said != document.get("cnf").is_some() {
        return Err(Differs);
    }
    for (item, key) in root.links_where_known(iri::CNF, document.get("cnf"))? {
        key.links(iri::KID, item.get("kid"))?;
        key.json(iri::JWK, item.get("jwk"))?;
    }
    Ok(())
}

/// What `vcdm::Presentation` reads; its credentials are read as such.
fn presentation(
    statements: &Statements<'_>,
    root: &Node<'_, '_>,
    document: &Value,
) -> Result<(), Differs> {
    root.links(iri::HOLDER, document.get("holder"))?;
    let credentials = document.get("verifiableCredential");
    for (item, graph) in root.graphs(iri::CREDENTIAL_OF, credentials)? {
        document_in(statements, Some(graph), item)?;
    }
    Ok(())
}

/// What `data_integrity::Proof` reads of proof options.
fn proof(root: &Node<'_, '_>, options: &Value) -> Result<(), Differs> {
    for (name, predicate) in iri::PROOF_TEXTS {
        root.texts(predicate, options.get(name))?;
    }
    root.links(iri::METHOD, options.get("verificationMethod"))?;
    root.links(iri::PREVIOUS, options.get("previousProof"))?;
    let purpose = match options.get("proofPurpose") {
        None => None,
        Some(name) => Some(name.as_str().and_then(iri::purpose).ok_or(Differs)?),
    };
    root.link_to(iri::PURPOSE, purpose)
}
