use super::*;

fn canonical(text: &str) -> Canonical {
    let quads = parse_nquads(text, 1_000).expect("N-Quads");
    canonicalize(&quads, HashAlgorithm::Sha256, &WorkLimits::default()).expect("canonical form")
}

#[test]
fn names_do_not_matter() {
    let one = "_:x <http://a/p> _:y .\n_:y <http://a/q> \"v\" .\n";
    let other = "_:n <http://a/q> \"v\" .\n_:m <http://a/p> _:n .\n_:m <http://a/p> _:n .\n";
    assert_eq!(canonical(one).nquads, canonical(other).nquads);
}
