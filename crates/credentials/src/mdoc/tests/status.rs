//! Settling the status, with lists of both kinds.

use std::collections::BTreeSet;

use super::*;
use crate::status_list::{
    Bits, IdentifierListInput, IdentifierRef, Status, StatusCheck, StatusCwtInput, StatusList,
    StatusRef, VerifiedIdentifierList, VerifiedStatusList, sign_identifier_list,
    sign_status_list_cwt, verify_identifier_list, verify_status_list_cwt,
};

const LIST: &str = "https://mdl.example/status/1";
const IDENTIFIERS: &str = "https://mdl.example/identifiers/1";

fn reference() -> MsoStatus {
    MsoStatus {
        status_list: Some(StatusRef {
            uri: LIST.into(),
            idx: 5,
        }),
        identifier_list: Some(IdentifierRef {
            uri: IDENTIFIERS.into(),
            id: vec![1, 2, 3],
        }),
    }
}

fn owed(world: &World, status: &MsoStatus) -> StatusOwed {
    let issued = world.issue_with(|input| input.status = Some(leak(status.clone())));
    let held = world.held(&issued.unwrap());
    assert_eq!(held.status(), Some(status));
    let response = world.present(&held, &["family_name"]);
    let owed = world.check_with(&response, |policy| policy.status = StatusPolicy::Required);
    owed.unwrap()
}

fn list(
    world: &World,
    issuer: &crate::sd_jwt_vc::IssuerIdentity,
    status: Status,
) -> VerifiedStatusList {
    let mut list = StatusList::new(Bits::Two, 16).unwrap();
    list.set(5, status).unwrap();
    let input = StatusCwtInput {
        uri: LIST,
        list: &list,
        issued_at: NOW,
        expires_at: NOW.plus(DAY),
        ttl_s: 600,
        chain: &world.chain,
    };
    let token = ready(sign_status_list_cwt(&input, &world.signer.key)).unwrap();
    verify_status_list_cwt(&token, &check(world, issuer, LIST), &Portable).unwrap()
}

fn identifiers(
    world: &World,
    issuer: &crate::sd_jwt_vc::IssuerIdentity,
    revoked: &[&[u8]],
) -> VerifiedIdentifierList {
    let revoked: BTreeSet<_> = revoked.iter().map(|id| id.to_vec()).collect();
    let input = IdentifierListInput {
        uri: IDENTIFIERS,
        revoked: &revoked,
        issued_at: NOW,
        expires_at: NOW.plus(DAY),
        ttl_s: 600,
        chain: &world.chain,
    };
    let token = ready(sign_identifier_list(&input, &world.signer.key)).unwrap();
    verify_identifier_list(&token, &check(world, issuer, IDENTIFIERS), &Portable).unwrap()
}

fn check<'a>(
    world: &'a World,
    issuer: &'a crate::sd_jwt_vc::IssuerIdentity,
    uri: &'a str,
) -> StatusCheck<'a> {
    StatusCheck {
        uri,
        issuer,
        trust: &world.trust,
        newest_seen: None,
        min_refresh_s: 60,
        now: NOW,
    }
}

#[test]
fn a_status_is_settled_by_every_list_it_names() {
    let world = World::new();
    let status = reference();
    let issuer = owed(&world, &status).issuer().clone();
    let valid = list(&world, &issuer, Status::Valid);
    let absent = identifiers(&world, &issuer, &[&[9]]);
    let both = owed(&world, &status).settle(Some(&valid), Some(&absent), NOW);
    assert!(both.is_ok());
    for (list, absent) in [(Some(&valid), None), (None, Some(&absent))] {
        let refused = owed(&world, &status).settle(list, absent, NOW).unwrap_err();
        assert_eq!(refused.code(), "status_not_checked");
        // Only who says so takes one for both.
        let one = owed(&world, &status).settle_by_one(list, absent, NOW);
        assert!(one.is_ok());
    }
    let none = owed(&world, &status).settle_by_one(None, None, NOW);
    assert_eq!(none.unwrap_err().code(), "status_not_checked");
    let code = |list: Option<&VerifiedStatusList>, ids: Option<&VerifiedIdentifierList>| {
        owed(&world, &status)
            .settle(list, ids, NOW)
            .expect_err("must be refused")
            .code()
    };
    assert_eq!(code(None, None), "status_not_checked");
    let revoked = list(&world, &issuer, Status::Invalid);
    let suspended = list(&world, &issuer, Status::Suspended);
    let listed = identifiers(&world, &issuer, &[&[1, 2, 3]]);
    assert_eq!(code(Some(&revoked), None), "credential_revoked");
    assert_eq!(code(Some(&suspended), None), "credential_suspended");
    assert_eq!(code(None, Some(&listed)), "credential_revoked");
    // Both must agree where both are given.
    assert_eq!(code(Some(&valid), Some(&listed)), "credential_revoked");
    assert_eq!(code(Some(&revoked), Some(&absent)), "credential_revoked");
    // A list that ran out says nothing.
    let late = NOW.plus(DAY);
    let expired = owed(&world, &status)
        .settle(Some(&valid), None, late)
        .unwrap_err();
    assert_eq!(expired.code(), "status_token_expired");
    let expired = owed(&world, &status)
        .settle(None, Some(&absent), late)
        .unwrap_err();
    assert_eq!(expired.code(), "status_token_expired");
}

#[test]
fn lists_of_others_settle_nothing() {
    let world = World::new();
    let status = reference();
    let issuer = owed(&world, &status).issuer().clone();
    let valid = list(&world, &issuer, Status::Valid);
    let absent = identifiers(&world, &issuer, &[]);
    let only_list = MsoStatus {
        identifier_list: None,
        ..reference()
    };
    let refused = owed(&world, &only_list).settle(Some(&valid), Some(&absent), NOW);
    assert_eq!(refused.unwrap_err().code(), "status_wrong_list");
    let mut elsewhere = reference();
    elsewhere.status_list.as_mut().unwrap().uri = "https://mdl.example/status/2".into();
    elsewhere.identifier_list.as_mut().unwrap().uri = "https://mdl.example/identifiers/2".into();
    let refused = owed(&world, &elsewhere).settle(Some(&valid), None, NOW);
    assert_eq!(refused.unwrap_err().code(), "status_wrong_list");
    let refused = owed(&world, &elsewhere).settle(None, Some(&absent), NOW);
    assert_eq!(refused.unwrap_err().code(), "status_wrong_list");
    // Of an issuer with the same lists but another certificate.
    let other = World::new();
    let mut theirs = issuer.clone();
    theirs.trusted = "https://other.example".into();
    let foreign = owed(&other, &status);
    assert_ne!(*foreign.issuer(), issuer);
    assert_eq!(
        foreign.settle(Some(&valid), None, NOW).unwrap_err().code(),
        "status_wrong_list"
    );
    // A document without a status takes no list, and is refused where one is required.
    let plain = world.response();
    let refused = world
        .check_with(&plain, |_| ())
        .unwrap()
        .settle(Some(&valid), None, NOW);
    assert_eq!(refused.unwrap_err().code(), "status_wrong_list");
    let refused = world.check_with(&plain, |policy| policy.status = StatusPolicy::Required);
    assert_eq!(refused.unwrap_err().code(), "status_missing");
}
