use super::*;

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_bundled_context_has_its_hash_and_can_be_processed() {
    for bundled in BUNDLED {
        assert_eq!(
            hexadecimal(&crypto::sha256(bundled.text.as_bytes())),
            bundled.sha256,
            "{}",
            bundled.url
        );
        let document =
            serde_json::json!({"@context": bundled.url, "@type": "https://example.com/T"});
        let options = crate::jsonld::Options {
            any_form: true,
            ..crate::jsonld::Options::default()
        };
        let quads = crate::jsonld::to_quads(&document, &Contexts::bundled(), &options);
        assert_eq!(quads.map(|quads| quads.len()), Ok(1), "{}", bundled.url);
    }
}

/// Whatever bundled contexts a document names, an IRI has one name: a type or claim that was signed
/// cannot be read under another one. A signature covers IRIs alone.
#[test]
fn cat_169_no_two_names_of_bundled_contexts_mean_the_same() {
    let mut names: BTreeMap<String, BTreeMap<String, &str>> = BTreeMap::new();
    let mut vocabularies = Vec::new();
    for bundled in BUNDLED {
        let document: Value = serde_json::from_str(bundled.text).expect("JSON");
        let mut found = Vec::new();
        collect(&document["@context"], &BTreeMap::new(), &mut found);
        for (name, iri) in found {
            if name == "@vocab" {
                vocabularies.push(iri.clone());
            }
            names.entry(iri).or_default().insert(name, bundled.url);
        }
    }
    assert!(names.len() > 400, "{}", names.len());
    assert_eq!(vocabularies.len(), 2);
    for (iri, names) in &names {
        // ODRL calls an id `uid`: the form of documents has a rule for it.
        assert!(names.len() == 1 || iri == "@id", "{iri} {names:?}");
        for vocabulary in &vocabularies {
            if let Some(local) = iri.strip_prefix(vocabulary.as_str()) {
                assert!(
                    local.is_empty() || names.contains_key(local),
                    "{iri} {names:?}"
                );
            }
        }
    }
}

/// Every name in a context and in the contexts of its terms, with the IRI that it means.
fn collect(context: &Value, outer: &BTreeMap<String, String>, found: &mut Vec<(String, String)>) {
    let id = |value: &Value| value.as_str().or(value["@id"].as_str()).map(str::to_owned);
    if let Value::Array(items) = context {
        items.iter().for_each(|item| collect(item, outer, found));
    }
    let Value::Object(map) = context else { return };
    let mut known = outer.clone();
    known.extend(
        map.iter()
            .filter_map(|(name, value)| Some((name.clone(), id(value)?))),
    );
    for (name, value) in map {
        let iri = id(value).or_else(|| {
            let vocabulary = map.get("@vocab").and_then(Value::as_str);
            name.contains(':')
                .then(|| name.clone())
                .or_else(|| Some(format!("{}{name}", vocabulary?)))
        });
        if let Some(iri) = iri
            && (!name.starts_with('@') || name == "@vocab")
        {
            found.push((name.clone(), meant(&iri, &known)));
        }
        if value.is_object() {
            collect(&value["@context"], &known, found);
        }
    }
}

fn meant(text: &str, known: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for _ in 0..4 {
        let Some((prefix, suffix)) = text.split_once(':') else {
            break;
        };
        match known.get(prefix) {
            Some(iri) if !suffix.starts_with("//") => text = format!("{iri}{suffix}"),
            Some(_) | None => break,
        }
    }
    text
}

#[test]
fn hashes_are_those_that_the_recommendations_print() {
    let printed = [
        // Verifiable Credentials Data Model 2.0, appendix B.1.
        (
            "https://www.w3.org/ns/credentials/v2",
            "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
        ),
        // Verifiable Credential Data Integrity 1.0, section 2.5.
        (
            "https://w3id.org/security/data-integrity/v2",
            "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
        ),
        (
            "https://w3id.org/security/multikey/v1",
            "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
        ),
        (
            "https://w3id.org/security/jwk/v1",
            "0f14b62f6071aafe00df265770ea0c7508e118247d79b7d861a406d2aa00bece",
        ),
    ];
    for (url, hash) in printed {
        let bundled = BUNDLED
            .iter()
            .find(|bundled| bundled.url == url)
            .expect("bundled");
        assert_eq!(bundled.sha256, hash, "{url}");
    }
}

#[test]
fn a_context_is_added_with_its_hash_alone() {
    let text = br#"{"@context": {"a": "https://example.com/a"}}"#;
    let mut contexts = Contexts::none();
    assert_eq!(
        contexts.add("https://example.com/c", text, &[0; 32]),
        Err(ContextError::HashMismatch)
    );
    assert_eq!(
        contexts.add("https://example.com/c", text, &crypto::sha256(text)),
        Ok(())
    );
    assert_eq!(
        contexts.add("https://example.com/c", text, &crypto::sha256(text)),
        Err(ContextError::Duplicate)
    );
    for wrong in [
        &b"{}"[..],
        b"[]",
        b"{\"@context\": 1}",
        b"{\"@context\": {}, \"@context\": {}}",
        b"x",
    ] {
        let result = contexts.add("https://example.com/d", wrong, &crypto::sha256(wrong));
        assert_eq!(result, Err(ContextError::Invalid));
    }
    assert_eq!(
        contexts.urls().collect::<Vec<_>>(),
        ["https://example.com/c"]
    );
    assert_eq!(contexts.text("https://example.com/c"), Some(&text[..]));
}

fn added(context: &Value) -> Contexts {
    let text = serde_json::json!({ "@context": context }).to_string();
    let mut contexts = Contexts::none();
    let hash = crypto::sha256(text.as_bytes());
    let result = contexts.add("https://example.com/c", text.as_bytes(), &hash);
    assert_eq!(result, Ok(()));
    contexts
}

#[test]
fn a_vocabulary_names_what_it_begins() {
    let contexts = added(&serde_json::json!({"@vocab": "https://e.example/v#"}));
    assert!(contexts.name("https://e.example/v#a"));
    assert!(!contexts.name("https://e.example/v#"));
    assert!(!contexts.name("https://e.example/v"));
    assert!(!contexts.name("https://e.example/w#a"));
}

/// A term of a document, of the context of that term, and so on eight times.
#[test]
fn names_in_the_contexts_of_terms_are_known() {
    let iri = |depth: usize| format!("https://e.example/#t{depth}");
    let mut context = serde_json::json!({});
    for depth in (0..12).rev() {
        let term = serde_json::json!({"@id": iri(depth), "@context": context});
        context = serde_json::json!({ "t": term });
    }
    let contexts = added(&context);
    for depth in 0..12 {
        assert_eq!(contexts.name(&iri(depth)), depth <= 8, "{depth}");
    }
}

/// A document that is the context of its own term has names all the same.
#[test]
fn names_of_contexts_without_an_end_are_known() {
    let inner = serde_json::json!([{"t": "https://e.example/#inner"}, "https://example.com/c"]);
    let term = serde_json::json!({"@id": "https://e.example/#t", "@context": inner});
    let contexts = added(&serde_json::json!({ "t": term }));
    assert!(contexts.name("https://e.example/#t"));
    assert!(!contexts.name("https://e.example/#other"));
}

#[test]
fn contexts_that_name_each_other_end() {
    let one = br#"{"@context": "https://example.com/2"}"#;
    let two = br#"{"@context": "https://example.com/1"}"#;
    let mut contexts = Contexts::none();
    contexts
        .add("https://example.com/1", one, &crypto::sha256(one))
        .expect("added");
    contexts
        .add("https://example.com/2", two, &crypto::sha256(two))
        .expect("added");
    let document =
        serde_json::json!({"@context": "https://example.com/1", "@type": "https://example.com/T"});
    let result = crate::jsonld::to_quads(&document, &contexts, &crate::jsonld::Options::default());
    assert_eq!(result, Err(crate::jsonld::JsonLdError::LimitExceeded));
}

/// Who names contexts in ever new orders makes ever new contexts, each with all terms of those before.
#[test]
fn the_cache_is_bounded() {
    let contexts = Contexts::bundled();
    let urls: Vec<&str> = BUNDLED.iter().map(|bundled| bundled.url).collect();
    let options = crate::jsonld::Options {
        any_form: true,
        ..crate::jsonld::Options::default()
    };
    let mut largest = 0;
    for start in 0..4 {
        for other in 0..urls.len() {
            let mut named = urls.clone();
            named.rotate_left(start);
            named.swap(0, other);
            let document = serde_json::json!({"@context": named, "@type": "https://example.com/T"});
            // Some orders are refused; what was processed of them is kept all the same.
            let _ = crate::jsonld::to_quads(&document, &contexts, &options);
            let cache = contexts.cache.read().expect("not poisoned");
            let terms = cache
                .contexts
                .values()
                .map(|context| context.terms.len())
                .sum();
            largest = largest.max(terms);
        }
    }
    assert!(largest > 10_000 && largest <= CACHE_TERMS, "{largest}");
    for number in 0..3 * CACHE_TERMS as u64 {
        let key = CacheKey {
            active: number,
            source: 0,
            override_protected: false,
            propagate: true,
        };
        contexts.remember(key, contexts.initial());
    }
    let cache = contexts.cache.read().expect("not poisoned");
    assert!(cache.contexts.len() <= CACHE_TERMS);
}
