use super::*;

fn valid() -> Value {
    json!({
        "credentials": [{
            "id": "a",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["t"]},
            "trusted_authorities": [{"type": "aki", "values": ["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}],
            "claims": [{"id": "x", "path": ["x"], "values": ["v", 1, true]}, {"id": "y", "path": ["y"]}],
            "claim_sets": [["x"], ["x", "y"]]
        }],
        "credential_sets": [{"options": [["a"]]}]
    })
}

/// The valid query with the element at `pointer` replaced.
fn with(pointer: &str, value: Value) -> Result<DcqlQuery, DcqlError> {
    let mut json = valid();
    *json.pointer_mut(pointer).expect("an existing place") = value;
    DcqlQuery::parse(&json)
}

/// The valid query without the member `name` of the object at `pointer`.
fn without(pointer: &str, name: &str) -> Result<DcqlQuery, DcqlError> {
    let mut json = valid();
    let object = json.pointer_mut(pointer).and_then(Value::as_object_mut);
    object
        .and_then(|object| object.remove(name))
        .expect("an existing member");
    DcqlQuery::parse(&json)
}

#[test]
fn a_query_is_read_in_full() {
    let query = query(valid());
    let entry = query.credential("a").expect("the query");
    assert_eq!(entry.format(), &Format::SdJwtVc);
    assert_eq!(
        entry.meta(),
        &Meta::SdJwtVc {
            vct_values: vec!["t".to_owned()]
        }
    );
    assert!(!entry.multiple());
    assert!(entry.requires_holder_binding());
    assert_eq!(
        entry
            .claim_options()
            .iter()
            .map(Vec::len)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    let [TrustedAuthority::AuthorityKeyIdentifier(ids)] = entry.trusted_authorities().unwrap()
    else {
        panic!("one authority of type aki");
    };
    assert_eq!(ids[0].len(), 20);
    let [set] = query.credential_sets().unwrap() else {
        panic!("one set")
    };
    assert!(set.required());
    assert_eq!(query.as_json(), &valid());
}

#[test]
fn unknown_properties_are_ignored() {
    let mut json = valid();
    json["purpose"] = json!("x");
    json["credentials"][0]["future"] = json!({"a": 1});
    json["credentials"][0]["claims"][0]["intent_to_retain"] = json!(true);
    json["credential_sets"][0]["purpose"] = json!(7);
    assert!(DcqlQuery::parse(&json).is_ok());
}

#[test]
fn members_that_are_required() {
    use DcqlError as E;
    let credentials = "/credentials/0";
    assert_eq!(
        without("", "credentials"),
        Err(E::NotANonEmptyArray("credentials"))
    );
    assert_eq!(
        without(credentials, "id"),
        Err(E::NotAString("credentials.id"))
    );
    assert_eq!(without(credentials, "format"), Err(E::NotAString("format")));
    assert_eq!(without(credentials, "meta"), Err(E::NotAnObject("meta")));
    assert_eq!(
        without(credentials, "claims"),
        Err(E::ClaimSetsWithoutClaims)
    );
    assert_eq!(
        without("/credentials/0/meta", "vct_values"),
        Err(E::NotANonEmptyArray("meta.vct_values"))
    );
    assert_eq!(
        without("/credentials/0/trusted_authorities/0", "type"),
        Err(E::NotAString("trusted_authorities.type"))
    );
    assert_eq!(
        without("/credentials/0/claims/0", "id"),
        Err(E::ClaimWithoutId)
    );
    assert_eq!(
        without("/credentials/0/claims/0", "path"),
        Err(E::Path(PathError::NotAnArray))
    );
    assert_eq!(
        without("/credential_sets/0", "options"),
        Err(E::NotANonEmptyArray("options"))
    );
}

#[test]
fn arrays_must_not_be_empty() {
    for place in [
        "/credentials",
        "/credentials/0/meta/vct_values",
        "/credentials/0/trusted_authorities",
        "/credentials/0/trusted_authorities/0/values",
        "/credentials/0/claims",
        "/credentials/0/claims/0/values",
        "/credentials/0/claim_sets",
        "/credentials/0/claim_sets/0",
        "/credential_sets",
        "/credential_sets/0/options",
        "/credential_sets/0/options/0",
    ] {
        let empty = with(place, json!([]));
        assert!(
            matches!(empty, Err(DcqlError::NotANonEmptyArray(_))),
            "{place}: {empty:?}"
        );
        assert!(with(place, json!({})).is_err(), "{place}");
        assert!(
            with(place, json!(null)).is_err(),
            "{place}: null is not absence"
        );
        assert!(with(place, json!("a")).is_err(), "{place}");
    }
}

#[test]
fn cat_332_identifiers() {
    for bad in ["", "a b", "a.b", "ä", "a/b", "a\n"] {
        assert!(with("/credentials/0/id", json!(bad)).is_err(), "{bad:?}");
        assert!(
            with("/credentials/0/claims/0/id", json!(bad)).is_err(),
            "{bad:?}"
        );
    }
    assert!(with("/credentials/0/id", json!("a".repeat(129))).is_err());
    assert_eq!(
        with("/credentials/0/claims/1/id", json!("x")),
        Err(DcqlError::DuplicateIdentifier("claims.id"))
    );
    let mut twice = valid();
    let again = twice["credentials"][0].clone();
    twice["credentials"].as_array_mut().unwrap().push(again);
    assert_eq!(
        DcqlQuery::parse(&twice),
        Err(DcqlError::DuplicateIdentifier("credentials.id"))
    );
    assert_eq!(
        with("/credentials/0/claim_sets/0/0", json!("z")),
        Err(DcqlError::UnknownReference("claim_sets"))
    );
    assert_eq!(
        with("/credential_sets/0/options/0/0", json!("b")),
        Err(DcqlError::UnknownReference("options"))
    );
}

/// For their size, before anything in them is read.
#[test]
fn cat_332_oversized_queries_are_refused_at_once() {
    let entry = valid()["credentials"][0].clone();
    let many: Vec<Value> = (0..1000)
        .map(|number| {
            let mut entry = entry.clone();
            entry["id"] = json!(format!("q{number}"));
            entry
        })
        .collect();
    let claims: Vec<Value> = (0..1000)
        .map(|n| json!({"id": format!("c{n}"), "path": ["x"]}))
        .collect();
    let large = DcqlError::TooLarge;
    let long = Value::from(vec!["x"; 10_000]);
    let sets = Value::from(vec![json!(["x"]); 10_000]);
    for (place, value, error) in [
        ("/credentials", Value::from(many), large("credentials")),
        (
            "/credentials/0/claims",
            Value::from(claims),
            large("claims"),
        ),
        (
            "/credentials/0/claims/0/path",
            long.clone(),
            DcqlError::Path(PathError::TooLong),
        ),
        ("/credentials/0/claims/0/values", long, large("values")),
        (
            "/credentials/0/claim_sets",
            sets.clone(),
            large("claim_sets"),
        ),
        ("/credential_sets/0/options", sets, large("options")),
    ] {
        assert_eq!(with(place, value), Err(error), "{place}");
    }
}

#[test]
fn values_are_strings_integers_or_booleans() {
    for bad in [json!([1.5]), json!([null]), json!([["a"]]), json!([{}])] {
        assert_eq!(
            with("/credentials/0/claims/0/values", bad),
            Err(DcqlError::BadValue)
        );
    }
}

#[test]
fn flags_are_booleans() {
    for name in ["multiple", "require_cryptographic_holder_binding"] {
        for bad in [json!("true"), json!(1), json!(null)] {
            let mut json = valid();
            json["credentials"][0][name] = bad;
            assert_eq!(DcqlQuery::parse(&json), Err(DcqlError::NotABoolean(name)));
        }
    }
    let mut json = valid();
    json["credential_sets"][0]["required"] = json!(0);
    assert_eq!(
        DcqlQuery::parse(&json),
        Err(DcqlError::NotABoolean("required"))
    );
}

#[test]
fn authority_key_identifiers_are_strict_base64url() {
    for bad in ["s9tIpPmhxdiuNkHMEWNpYim8S8Y=", "+/", "a"] {
        let refused = with("/credentials/0/trusted_authorities/0/values/0", json!(bad));
        assert_eq!(refused, Err(DcqlError::BadKeyIdentifier), "{bad}");
    }
}

#[test]
fn mdoc_paths_are_two_strings() {
    let mdoc = |path: Value| {
        DcqlQuery::parse(&json!({"credentials": [{
            "id": "m", "format": "mso_mdoc", "meta": {"doctype_value": "org.iso.18013.5.1.mDL"},
            "claims": [{"path": path}]
        }]}))
    };
    assert!(mdoc(json!(["org.iso.18013.5.1", "given_name"])).is_ok());
    for bad in [
        json!(["a"]),
        json!(["a", "b", "c"]),
        json!(["a", 0]),
        json!([null, "a"]),
    ] {
        assert_eq!(mdoc(bad), Err(DcqlError::MdocPath));
    }
}

#[test]
fn cat_310_queries_that_a_login_must_not_use() {
    assert_eq!(require_login_profile(&query(valid())), Ok(()));
    let changed = |name: &str, value: Value| {
        let mut json = valid();
        json["credentials"][0][name] = value;
        require_login_profile(&query(json))
    };
    assert_eq!(
        changed("require_cryptographic_holder_binding", json!(false)),
        Err(ProfileError::NoHolderBinding)
    );
    assert_eq!(
        changed("format", json!("jwt_vc_json")),
        Err(ProfileError::Format)
    );
    assert_eq!(
        changed(
            "claims",
            json!([{"id": "x", "path": ["x"]}, {"id": "y", "path": ["x"]}])
        ),
        Err(ProfileError::DuplicateClaim)
    );
    assert_eq!(
        changed(
            "trusted_authorities",
            json!([{"type": "etsi_tl", "values": ["https://l.example"]}])
        ),
        Err(ProfileError::Authority)
    );
}

/// The examples of the specification, where `VOUCHSAFE_VECTORS` names their folder.
#[test]
fn vectors_query_lang() {
    let Ok(folder) = std::env::var("VOUCHSAFE_VECTORS") else {
        println!("skipped: vectors, 7 files");
        return;
    };
    let folder = std::path::Path::new(&folder).join("openid4vp/query_lang");
    let mut read = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        let json = vouchsafe_credentials::json::parse_strict(&text).unwrap();
        let parsed = DcqlQuery::parse(&json);
        assert!(parsed.is_ok(), "{}: {parsed:?}", path.display());
        read += 1;
    }
    assert_eq!(read, 7);
}
