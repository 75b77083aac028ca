//! Scores of logins as they are kept: not the score, but in which tenth of a power of ten it lies. So the
//! rows of an hour are few, and a threshold can be tried on what was.

/// The lowest class and the highest: from 0.0001 to 10000.
pub const CLASSES: std::ops::RangeInclusive<i32> = -40..=40;

/// From which score on a class is.
#[must_use]
pub fn edge(class: i32) -> f64 {
    10_f64.powf(f64::from(class) / 10.0)
}

/// The class of a score. What lies beyond is in the first or last one.
#[must_use]
pub fn class(score: f64) -> i32 {
    let reached = CLASSES.rev().find(|class| score >= edge(*class));
    reached.unwrap_or(*CLASSES.start())
}

/// The first class that lies above a threshold as a whole; the threshold is taken for its edge. `None`
/// where no score is kept so high.
#[must_use]
pub fn above(threshold: f64) -> Option<i32> {
    // An edge that was printed and typed in again is the edge.
    let mut classes = CLASSES;
    classes.find(|class| edge(*class) >= threshold * 0.999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_has_a_class_and_an_edge_is_in_its_own() {
        for class in CLASSES {
            assert_eq!(super::class(edge(class)), class);
        }
        assert_eq!((class(0.0), class(1e9), class(1.1)), (-40, 40, 0));
        assert_eq!(class(f64::NAN), -40);
    }

    #[test]
    fn a_threshold_is_taken_for_the_next_edge() {
        assert_eq!(above(1.0), Some(0));
        assert_eq!(above(1.01), Some(1));
        assert_eq!(above(edge(7)), Some(7));
        assert_eq!(above(1.2589), Some(1), "as it is printed");
        assert_eq!(above(1e9), None);
    }
}
