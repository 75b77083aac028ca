use super::*;

fn path(json: Value) -> ClaimsPath {
    ClaimsPath::parse(&json).expect("a valid path")
}

/// The example of section 7.3.
fn arthur() -> Value {
    json!({
        "name": "Arthur Dent",
        "address": {"street_address": "42 Market Street", "locality": "Milliways"},
        "degrees": [
            {"type": "Bachelor of Science", "university": "University of Betelgeuse"},
            {"type": "Master of Science", "university": "University of Betelgeuse"}
        ],
        "nationalities": ["British", "Betelgeusian"]
    })
}

fn selected(steps: Value) -> Result<Vec<Value>, PathError> {
    let root = arthur();
    let found = path(steps).select(&root)?;
    for (pointer, value) in &found {
        assert_eq!(pointer.find(&root), Some(*value));
    }
    Ok(found.into_iter().map(|(_, value)| value.clone()).collect())
}

#[test]
fn cat_110_paths_that_are_none() {
    for (json, error) in [
        (json!("name"), PathError::NotAnArray),
        (json!(null), PathError::NotAnArray),
        (json!([]), PathError::NotAnArray),
        (json!(["a", -1]), PathError::BadStep),
        (json!(["a", 1.5]), PathError::BadStep),
        (json!(["a", 1.0]), PathError::BadStep),
        (json!(["a", true]), PathError::BadStep),
        (json!(["a", {}]), PathError::BadStep),
        (json!([["a"]]), PathError::BadStep),
        (Value::from(vec!["a"; 17]), PathError::TooLong),
        (Value::from(vec!["a"; 10_000]), PathError::TooLong),
    ] {
        assert_eq!(ClaimsPath::parse(&json), Err(error), "{json}");
    }
    assert!(ClaimsPath::parse(&Value::from(vec!["a"; 16])).is_ok());
}

#[test]
fn the_examples_of_the_specification() {
    let address = json!({"street_address": "42 Market Street", "locality": "Milliways"});
    assert_eq!(selected(json!(["name"])), Ok(vec![json!("Arthur Dent")]));
    assert_eq!(selected(json!(["address"])), Ok(vec![address]));
    assert_eq!(
        selected(json!(["address", "street_address"])),
        Ok(vec![json!("42 Market Street")])
    );
    assert_eq!(
        selected(json!(["degrees", null, "type"])),
        Ok(vec![
            json!("Bachelor of Science"),
            json!("Master of Science")
        ])
    );
    assert_eq!(
        selected(json!(["nationalities", 1])),
        Ok(vec![json!("Betelgeusian")])
    );
}

#[test]
fn steps_that_do_not_fit_abort_and_missing_ones_select_nothing() {
    assert_eq!(
        selected(json!(["name", "first"])),
        Err(PathError::WrongKind)
    );
    assert_eq!(selected(json!(["name", 0])), Err(PathError::WrongKind));
    assert_eq!(
        selected(json!(["address", null])),
        Err(PathError::WrongKind)
    );
    assert_eq!(
        selected(json!(["nationalities", "0"])),
        Err(PathError::WrongKind)
    );
    assert_eq!(selected(json!([0])), Err(PathError::WrongKind));
    assert_eq!(
        selected(json!(["nationalities", 2])),
        Err(PathError::Nothing)
    );
    assert_eq!(
        selected(json!(["degrees", null, "year"])),
        Err(PathError::Nothing)
    );
    assert_eq!(selected(json!(["phone"])), Err(PathError::Nothing));
}

#[test]
fn selections_are_bounded() {
    let row: Vec<Value> = vec![json!(0); 100];
    let root = json!({"a": vec![Value::from(row); 100]});
    assert_eq!(
        path(json!(["a", null, null])).select(&root),
        Err(PathError::TooMany)
    );
}

#[test]
fn json_form_round_trips() {
    let json = json!(["degrees", null, 3, "type"]);
    assert_eq!(path(json.clone()).to_json(), json);
}
