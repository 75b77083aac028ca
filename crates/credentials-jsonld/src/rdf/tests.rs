use proptest::prelude::*;

use super::*;

fn canonical(text: &str) -> Canonical {
    let quads = parse_nquads(text, 1_000).expect("N-Quads");
    canonicalize(&quads, HashAlgorithm::Sha256, &WorkLimits::default()).expect("canonical form")
}

#[test]
fn names_and_order_and_repetition_do_not_matter() {
    let one = "_:x <http://a/p> _:y .\n_:y <http://a/q> \"v\" .\n";
    let other = "_:n <http://a/q> \"v\" .\n_:m <http://a/p> _:n .\n_:m <http://a/p> _:n .\n";
    assert_eq!(canonical(one).nquads, canonical(other).nquads);
    assert_eq!(canonical(one).labels["y"], canonical(other).labels["n"]);
}

#[test]
fn the_inner_hash_is_a_choice() {
    let quads =
        parse_nquads("_:x <http://a/p> \"1\" .\n_:y <http://a/p> \"2\" .\n", 10).expect("N-Quads");
    let limits = WorkLimits::default();
    let with = |hash| {
        canonicalize(&quads, hash, &limits)
            .expect("canonical")
            .labels
    };
    assert_eq!(
        with(HashAlgorithm::Sha256).len(),
        with(HashAlgorithm::Sha384).len()
    );
}

/// `size` blank nodes, each connected with each.
fn clique(size: usize) -> String {
    let mut text = String::new();
    for from in 0..size {
        for to in 0..size {
            if from != to {
                text.push_str(&format!("_:n{from} <http://a/p> _:n{to} .\n"));
            }
        }
    }
    text
}

#[test]
fn poisoned_graphs_end_early() {
    for size in [8, 12, 40, 100] {
        let quads = parse_nquads(&clique(size), 10_000).expect("N-Quads");
        let result = canonicalize(&quads, HashAlgorithm::Sha256, &WorkLimits::default());
        assert_eq!(result, Err(RdfError::TooMuchWork), "{size}");
    }
    // A ring is as deep as it is long.
    let ring: String = (0..4_000)
        .map(|at| format!("_:n{at} <http://a/p> _:n{} .\n", (at + 1) % 4_000))
        .collect();
    let quads = parse_nquads(&ring, 10_000).expect("N-Quads");
    let result = canonicalize(&quads, HashAlgorithm::Sha256, &WorkLimits::default());
    assert_eq!(result, Err(RdfError::TooMuchWork));
}

#[test]
fn small_symmetric_graphs_are_no_poison() {
    assert_eq!(canonical(&clique(3)).nquads.len(), 6);
    let ring: String = (0..20)
        .map(|at| format!("_:n{at} <http://a/p> _:n{} .\n", (at + 1) % 20))
        .collect();
    assert_eq!(canonical(&ring).nquads.len(), 20);
}

#[test]
fn more_statements_than_allowed_are_refused() {
    let quads =
        parse_nquads("_:x <http://a/p> \"1\" .\n_:y <http://a/p> \"2\" .\n", 10).expect("N-Quads");
    let limits = WorkLimits {
        quads: 1,
        ..WorkLimits::default()
    };
    assert_eq!(
        canonicalize(&quads, HashAlgorithm::Sha256, &limits),
        Err(RdfError::TooManyQuads)
    );
    assert_eq!(
        parse_nquads("_:x <http://a/p> _:y .\n_:x <http://a/p> _:y .\n", 1),
        Err(RdfError::TooManyQuads)
    );
}

#[test]
fn other_texts_are_no_nquads() {
    for text in [
        "<http://a/s> <http://a/p> <http://a/o>",
        "<http://a/s> <http://a/p> .",
        "\"s\" <http://a/p> <http://a/o> .",
        "<http://a/s> _:p <http://a/o> .",
        "<http://a/s> \"p\" <http://a/o> .",
        "<relative> <http://a/p> <http://a/o> .",
        "<http://a/ s> <http://a/p> <http://a/o> .",
        "<http://a/s> <http://a/p> \"open .",
        "<http://a/s> <http://a/p> \"x\\q\" .",
        "<http://a/s> <http://a/p> \"\\uD800\" .",
        "<http://a/s> <http://a/p> \"x\"@ .",
        "<http://a/s> <http://a/p> \"x\"@1 .",
        "<http://a/s> <http://a/p> \"x\"^^\"y\" .",
        "<http://a/s> <http://a/p> <http://a/o> \"g\" .",
        "<http://a/s> <http://a/p> <http://a/o> . more",
        "_: <http://a/p> <http://a/o> .",
    ] {
        assert_eq!(parse_nquads(text, 10), Err(RdfError::Syntax), "{text}");
    }
    assert_eq!(parse_nquads("# comment\n\n \t\n", 10), Ok(Vec::new()));
}

fn term() -> impl Strategy<Value = Term> {
    prop_oneof![
        "[a-d]".prop_map(|label| Term::Blank(label.into())),
        "urn:[a-d]".prop_map(|iri| Term::Iri(iri.into())),
    ]
}

fn object() -> impl Strategy<Value = Term> {
    let literal = (
        any::<String>(),
        prop::option::of("[a-z]{2}(-[a-z0-9]{1,3})?"),
    )
        .prop_map(|(value, tag)| {
            let datatype = if tag.is_some() {
                "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
            } else {
                "http://www.w3.org/2001/XMLSchema#string"
            };
            Term::Literal(Literal {
                value: value.into(),
                datatype: datatype.into(),
                language: tag.map(Into::into),
            })
        });
    prop_oneof![2 => term(), 1 => literal]
}

fn quads() -> impl Strategy<Value = Vec<Quad>> {
    let quad = (term(), "urn:[p-q]", object(), prop::option::of(term())).prop_map(
        |(subject, predicate, object, graph)| Quad {
            subject,
            predicate: predicate.into(),
            object,
            graph,
        },
    );
    prop::collection::vec(quad, 0..12)
}

proptest! {
    #[test]
    fn what_is_written_is_read(quads in quads()) {
        let text: String = quads.iter().map(to_nquad).collect();
        prop_assert_eq!(parse_nquads(&text, 100), Ok(quads));
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>()) {
        let _ = parse_nquads(&text, 100);
        let _ = parse_nquads(&format!("<a:s> <a:p> \"{text}\" ."), 100);
    }

    #[test]
    fn other_labels_give_the_same_form(quads in quads()) {
        let limits = WorkLimits { steps_per_quad: 1 << 16, ..WorkLimits::default() };
        let rename = |term: &Term| match term {
            Term::Blank(label) => Term::Blank(match &**label { "a" => "x9", "b" => "a", "c" => "k", _ => "b" }.into()),
            other => other.clone(),
        };
        let mut renamed: Vec<Quad> = quads.iter().map(|quad| Quad {
            subject: rename(&quad.subject),
            predicate: quad.predicate.clone(),
            object: rename(&quad.object),
            graph: quad.graph.as_ref().map(rename),
        }).collect();
        renamed.reverse();
        let one = canonicalize(&quads, HashAlgorithm::Sha256, &limits).expect("small");
        let other = canonicalize(&renamed, HashAlgorithm::Sha256, &limits).expect("small");
        prop_assert_eq!(&one.nquads, &other.nquads);
        let again = canonicalize(&parse_nquads(&one.text(), 100).expect("ours"), HashAlgorithm::Sha256, &limits);
        prop_assert_eq!(again.expect("small").nquads, one.nquads);
    }
}

#[test]
fn cat_134_terms_of_any_text_stay_in_their_line() {
    let text: std::sync::Arc<str> = "x:y> \"a\" .\n<urn:victim> <urn:\\isAdmin".into();
    let literal = |language: Option<&std::sync::Arc<str>>| {
        Term::Literal(Literal {
            value: "v".into(),
            datatype: text.clone(),
            language: language.cloned(),
        })
    };
    let quad = |subject: Term, object: Term| Quad {
        subject,
        predicate: text.clone(),
        object,
        graph: Some(Term::Iri(text.clone())),
    };
    for quad in [
        quad(Term::Iri(text.clone()), literal(None)),
        quad(Term::Blank(text.clone()), literal(Some(&text))),
        quad(Term::Blank(text.clone()), Term::Blank(text.clone())),
    ] {
        let line = to_nquad(&quad);
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(!line.contains("<urn:victim>"), "{line}");
        let canonical = canonicalize(&[quad], HashAlgorithm::Sha256, &WorkLimits::default());
        let canonical = canonical.expect("canonical").text();
        assert_eq!(canonical.matches('\n').count(), 1, "{canonical}");
    }
}
