use serde_json::{Value, json};

use super::{CHILD, PARENT, Table, child, parent};
use crate::type_metadata::*;

async fn refused(documents: &[Value], vct: &str) -> &'static str {
    resolve(vct, None, &Table::of(documents))
        .await
        .unwrap_err()
        .code()
}

#[tokio::test]
async fn a_type_inherits() {
    let table = Table::of(&[parent(), child()]);
    let integrity = Integrity::parse(&Integrity::of(child().to_string().as_bytes())).unwrap();
    let effective = resolve(CHILD, Some(&integrity), &table).await.unwrap();
    assert_eq!(effective.types, [CHILD, PARENT]);
    // Display is inherited as a whole, claims one by one.
    assert_eq!(
        effective.display_for("de-AT").unwrap().name.as_str(),
        "Eltern"
    );
    assert_eq!(effective.display_for("fr").unwrap().name.as_str(), "Parent");
    let claim = |path: &str| {
        let mut all = effective.claims.iter();
        all.find(|claim| claim.path.first_key() == Some(path))
            .unwrap()
    };
    assert_eq!(effective.claims.len(), 4);
    assert_eq!(claim("name").sd, Some(Disclosable::Always));
    assert_eq!(claim("name").mandatory, Some(true));
    let labels = claim("name").display.as_ref().unwrap();
    assert_eq!(labels.len(), 1);
    assert_eq!(labels[0].label.as_str(), "Nom");
    assert_eq!(claim("nick").sd, Some(Disclosable::Never));
}

#[tokio::test]
async fn cat_031_an_altered_document_is_refused() {
    let integrity = Integrity::parse(&Integrity::of(child().to_string().as_bytes())).unwrap();
    // The document of the credential's type, and the one that it extends.
    let mut other_child = child();
    other_child["name"] = json!("x");
    let mut other_parent = parent();
    other_parent["name"] = json!("x");
    for documents in [[parent(), other_child], [other_parent, child()]] {
        let table = Table::of(&documents);
        let answer = resolve(CHILD, Some(&integrity), &table).await;
        assert_eq!(answer.unwrap_err().code(), "type_metadata_integrity");
    }
    // It is checked before the document is looked at.
    let mut table = Table::default();
    table.put(CHILD, b"no JSON at all");
    let answer = resolve(CHILD, Some(&integrity), &table).await;
    assert_eq!(answer.unwrap_err().code(), "type_metadata_integrity");
}

#[tokio::test]
async fn a_document_about_another_type_is_refused() {
    let mut table = Table::of(&[parent()]);
    table.put(CHILD, parent().to_string().as_bytes());
    let answer = resolve(CHILD, None, &table).await;
    assert_eq!(answer.unwrap_err().code(), "type_metadata_wrong_type");
}

#[tokio::test]
async fn cycles_and_long_chains_are_refused() {
    let extends = |vct: &str, next: &str| json!({"vct": vct, "extends": next});
    assert_eq!(
        refused(&[extends("a", "a")], "a").await,
        "type_metadata_cycle"
    );
    let ring = [extends("a", "b"), extends("b", "c"), extends("c", "a")];
    assert_eq!(refused(&ring, "a").await, "type_metadata_cycle");
    let long: Vec<_> = (0..1000)
        .map(|n| extends(&n.to_string(), &(n + 1).to_string()))
        .collect();
    let table = Table::of(&long);
    let answer = resolve("0", None, &table).await;
    assert_eq!(answer.unwrap_err().code(), "type_metadata_too_deep");
    assert_eq!(table.asked(), MAX_EXTENDS);
    // As many as are allowed.
    let mut enough: Vec<_> = long[..MAX_EXTENDS - 1].to_vec();
    enough.push(json!({"vct": (MAX_EXTENDS - 1).to_string()}));
    assert_eq!(
        resolve("0", None, &Table::of(&enough))
            .await
            .unwrap()
            .types
            .len(),
        MAX_EXTENDS
    );
}

#[tokio::test]
async fn all_documents_or_none() {
    let mut lonely = child();
    lonely.as_object_mut().unwrap().remove("extends#integrity");
    assert_eq!(refused(&[lonely], CHILD).await, "type_metadata_unavailable");
}

#[tokio::test]
async fn contradictions_are_refused() {
    for (name, value, wanted) in [
        (
            "name",
            json!({"sd": "never"}),
            "type_metadata_contradicts_sd",
        ),
        (
            "name",
            json!({"sd": "allowed"}),
            "type_metadata_contradicts_sd",
        ),
        (
            "kind",
            json!({"sd": "always"}),
            "type_metadata_contradicts_sd",
        ),
        (
            "name",
            json!({"mandatory": false}),
            "type_metadata_contradicts_mandatory",
        ),
    ] {
        let mut claim = value;
        claim["path"] = json!([name]);
        let child = json!({"vct": CHILD, "extends": PARENT, "claims": [claim]});
        assert_eq!(refused(&[parent(), child], CHILD).await, wanted);
    }
    for claim in [
        json!({"path": ["name"], "sd": "always", "mandatory": true}),
        json!({"path": ["nick"], "sd": "always"}),
        json!({"path": ["nick"], "mandatory": false}),
    ] {
        let child = json!({"vct": CHILD, "extends": PARENT, "claims": [claim]});
        assert!(
            resolve(CHILD, None, &Table::of(&[parent(), child]))
                .await
                .is_ok()
        );
    }
}

/// SD-JWT VC, "Credential Type Extension and Issuer Authorization".
#[tokio::test]
async fn cat_029_a_type_that_extends_a_trusted_one_is_another_type() {
    use crate::sd_jwt_vc::{IssuerMethod, StatusMethod, TrustedIssuer};
    let table = Table::of(&[parent(), child()]);
    let effective = resolve(CHILD, None, &table).await.unwrap();
    assert!(effective.types.iter().any(|one| one == PARENT));
    let issuer = TrustedIssuer {
        id: "https://issuer.example".to_owned(),
        method: IssuerMethod::Did("did:example:1".to_owned()),
        types: vec![PARENT.to_owned()],
        status: StatusMethod::SameIssuer,
    };
    assert!(issuer.may_issue(PARENT));
    assert!(!issuer.may_issue(&effective.types[0]));
}
