//! `age_over_NN` (ISO/IEC 18013-5:2021, section 7.2.5).

use super::Elements;
use crate::cbor::Value;

/// The `NN` of `age_over_NN`.
pub(super) fn threshold(element: &str) -> Option<u8> {
    let digits = element.strip_prefix("age_over_")?;
    let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    two.then(|| digits.parse().ok()).flatten()
}

fn statements<'e>(
    elements: &'e Elements,
    namespace: &'e str,
) -> impl Iterator<Item = (u8, bool)> + 'e {
    let own = elements
        .namespaces()
        .filter(move |(name, _)| *name == namespace);
    own.flat_map(|(_, elements)| elements)
        .filter_map(|(name, value)| match (threshold(name), value) {
            (Some(threshold), Value::Bool(value)) => Some((threshold, *value)),
            _ => None,
        })
}

/// Whether the statements of a document say that its holder is `age` or older. `None` when they
/// leave it open: "not over 21" says nothing about 18.
#[must_use]
pub fn age_over(elements: &Elements, namespace: &str, age: u8) -> Option<bool> {
    let mut answer = None;
    for (threshold, over) in statements(elements, namespace) {
        let follows = match over {
            true => threshold >= age,
            false => threshold <= age,
        };
        match (follows, answer) {
            (false, _) => {}
            (true, Some(known)) if known != over => return None,
            (true, _) => answer = Some(over),
        }
    }
    answer
}

/// The `NN` of the element with which a holder answers a request for `age_over_NN`: the nearest
/// that is true at or above the age, else the nearest that is false at or below it.
#[must_use]
pub fn nearest_age_over(elements: &Elements, namespace: &str, age: u8) -> Option<u8> {
    let all = || statements(elements, namespace);
    let above = all().filter(|(threshold, over)| *over && *threshold >= age);
    let below = || all().filter(|(threshold, over)| !*over && *threshold <= age);
    let above = above.map(|(threshold, _)| threshold).min();
    above.or_else(|| below().map(|(threshold, _)| threshold).max())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(statements: &[(&str, Value)]) -> Elements {
        let mut all = Elements::new();
        for (name, value) in statements {
            assert!(all.add("n", name, value.clone()));
        }
        all
    }

    #[test]
    fn cat_155_only_a_statement_that_settles_the_age_counts() {
        let over = |statements: &[(&str, Value)], age| age_over(&elements(statements), "n", age);
        let yes = |name| (name, Value::Bool(true));
        let no = |name| (name, Value::Bool(false));
        assert_eq!(over(&[yes("age_over_18")], 18), Some(true));
        assert_eq!(over(&[yes("age_over_21")], 18), Some(true));
        assert_eq!(over(&[no("age_over_18")], 18), Some(false));
        assert_eq!(over(&[no("age_over_16")], 18), Some(false));
        // Not over 21, over 16: neither says whether over 18.
        assert_eq!(over(&[no("age_over_21")], 18), None);
        assert_eq!(over(&[yes("age_over_16")], 18), None);
        assert_eq!(over(&[yes("age_over_16"), no("age_over_21")], 18), None);
        assert_eq!(over(&[], 18), None);
        assert_eq!(
            over(&[("age_over_18", Value::Text("true".into()))], 18),
            None
        );
        assert_eq!(over(&[("age_over_18", Value::from(1))], 18), None);
        for name in [
            "age_over_",
            "age_over_1",
            "age_over_018",
            "age_over_1x",
            "age_over_+8",
            "Age_over_18",
        ] {
            assert_eq!(over(&[yes(name)], 18), None, "{name}");
        }
        // Statements that contradict each other say nothing.
        assert_eq!(over(&[yes("age_over_21"), no("age_over_16")], 18), None);
        assert_eq!(
            age_over(&elements(&[yes("age_over_18")]), "other", 18),
            None
        );
    }

    #[test]
    fn the_nearest_statement_is_the_answer() {
        let all = [13, 16, 18, 21, 65].map(|age| (age, Value::Bool(age <= 18)));
        let mut set = Elements::new();
        for (age, value) in all {
            assert!(set.add("n", &format!("age_over_{age}"), value));
        }
        for (asked, answer) in [
            (12, 13),
            (13, 13),
            (15, 16),
            (17, 18),
            (18, 18),
            (21, 21),
            (30, 21),
            (66, 65),
        ] {
            assert_eq!(nearest_age_over(&set, "n", asked), Some(answer), "{asked}");
        }
        // 19 and 20 lie between "over 18" and "not over 21".
        assert_eq!(nearest_age_over(&set, "n", 19), None);
        assert_eq!(nearest_age_over(&set, "m", 18), None);
    }
}
