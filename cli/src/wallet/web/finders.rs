//! How many shapes on a picture look like the corner of a code.
//!
//! What looks for codes (`rqrr`) tries every shape with every two others, and copies the picture for
//! each try: a picture full of them would keep it busy for ever. Its own test is repeated here in a
//! time that grows with the pixels alone: runs of dark and light as 1:1:3:1:1 in a line, whose last
//! dark part is another area than the middle, which has a tenth to seven tenths of its size.

use std::collections::BTreeSet;

/// Whether there are more than `most` of them. `dark` is asked for columns and lines of the picture.
pub(super) fn more_than(
    most: usize,
    (width, height): (usize, usize),
    dark: impl Fn(usize, usize) -> bool,
) -> bool {
    let areas = Areas::of(width, height, &dark);
    let mut rings = BTreeSet::new();
    for y in 0..height {
        let mut runs = Runs::default();
        for x in 0..=width {
            // After the end of a line it is light.
            let Some(place) = runs.push(x, x < width && dark(x, y)) else {
                continue;
            };
            let (ring, stone) = (areas.at(place.right, y), areas.at(place.stone, y));
            let part = areas.size(stone).saturating_mul(100) / areas.size(ring).max(1);
            if ring != stone && (10..70).contains(&part) {
                rings.insert(ring);
                if rings.len() > most {
                    return true;
                }
            }
        }
    }
    false
}

/// Where a line has such runs.
struct Place {
    stone: usize,
    right: usize,
}

/// The last five runs of a line.
#[derive(Default)]
struct Runs {
    lengths: [usize; 5],
    changes: usize,
    length: usize,
    dark: bool,
}

impl Runs {
    /// Takes the next pixel, and says where the runs are that end with it.
    fn push(&mut self, x: usize, dark: bool) -> Option<Place> {
        if x == 0 {
            self.dark = dark;
        }
        if dark == self.dark {
            self.length += 1;
            return None;
        }
        self.lengths.rotate_left(1);
        let [.., last] = &mut self.lengths;
        *last = std::mem::replace(&mut self.length, 1);
        self.changes += 1;
        self.dark = dark;
        let [a, b, middle, c, d] = self.lengths;
        if dark || self.changes < 5 {
            return None;
        }
        let one = (a + b + c + d) / 4;
        let off = one * 3 / 4;
        let fits = |length: usize, times: usize| length.abs_diff(times * one) <= off;
        let all = fits(a, 1) && fits(b, 1) && fits(middle, 3) && fits(c, 1) && fits(d, 1);
        all.then(|| Place {
            stone: x - middle - c - d,
            right: x - d,
        })
    }
}

/// Areas of one shade that hang together along their sides.
struct Areas {
    width: usize,
    /// For each pixel the number of its area.
    numbers: Vec<u32>,
    /// Pixels of each area.
    sizes: Vec<usize>,
}

impl Areas {
    fn of(width: usize, height: usize, dark: &impl Fn(usize, usize) -> bool) -> Self {
        let mut parents: Vec<u32> = Vec::new();
        let mut numbers: Vec<u32> = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let shade = dark(x, y);
                let here = numbers.len();
                let number = |back: usize| numbers.get(here - back).copied();
                let left = if x > 0 && dark(x - 1, y) == shade {
                    number(1)
                } else {
                    None
                };
                let up = if y > 0 && dark(x, y - 1) == shade {
                    number(width)
                } else {
                    None
                };
                let own = match (left, up) {
                    (Some(left), Some(up)) => join(&mut parents, left, up),
                    (Some(one), None) | (None, Some(one)) => one,
                    (None, None) => {
                        let new = u32::try_from(parents.len()).unwrap_or(u32::MAX);
                        parents.push(new);
                        new
                    }
                };
                numbers.push(own);
            }
        }
        let mut sizes = vec![0; parents.len()];
        for number in &mut numbers {
            *number = root(&mut parents, *number);
            if let Some(size) = sizes.get_mut(index(*number)) {
                *size += 1;
            }
        }
        Self {
            width,
            numbers,
            sizes,
        }
    }

    fn at(&self, x: usize, y: usize) -> u32 {
        self.numbers.get(y * self.width + x).copied().unwrap_or(0)
    }

    fn size(&self, number: u32) -> usize {
        self.sizes.get(index(number)).copied().unwrap_or(0)
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The number that stands for an area.
fn root(parents: &mut [u32], mut number: u32) -> u32 {
    loop {
        let parent = parents.get(index(number)).copied().unwrap_or(number);
        if parent == number {
            return number;
        }
        // Each look makes the way shorter.
        let above = parents.get(index(parent)).copied().unwrap_or(parent);
        if let Some(own) = parents.get_mut(index(number)) {
            *own = above;
        }
        number = above;
    }
}

/// Makes two areas one.
fn join(parents: &mut [u32], one: u32, other: u32) -> u32 {
    let (one, other) = (root(parents, one), root(parents, other));
    let (low, high) = (one.min(other), one.max(other));
    if let Some(parent) = parents.get_mut(index(high)) {
        *parent = low;
    }
    low
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// So many corners beside and below each other, each of 7 by 7 points of `scale` pixels.
    pub(in crate::wallet::web) fn corners(
        across: usize,
        down: usize,
        scale: usize,
    ) -> (usize, usize, impl Fn(usize, usize) -> bool) {
        let dark = move |x: usize, y: usize| {
            let (x, y) = (x / scale % 9, y / scale % 9);
            let ring = |x: usize| x == 1 || x == 7;
            let inside = |x: usize| (1..=7).contains(&x);
            let stone = (3..=5).contains(&x) && (3..=5).contains(&y);
            stone || (inside(x) && inside(y) && (ring(x) || ring(y)))
        };
        (across * 9 * scale, down * 9 * scale, dark)
    }

    #[test]
    fn every_corner_is_counted_once() {
        for scale in [1, 2, 5] {
            let (width, height, dark) = corners(4, 3, scale);
            assert!(more_than(11, (width, height), &dark), "{scale}");
            assert!(!more_than(12, (width, height), &dark), "{scale}");
        }
    }

    #[test]
    fn nothing_else_is_a_corner() {
        assert!(!more_than(0, (0, 0), |_, _| true));
        for plain in [true, false] {
            assert!(!more_than(0, (50, 50), |_, _| plain));
        }
        // Stripes as wide as those of a corner hang together with nothing, or with everything.
        assert!(!more_than(0, (70, 70), |x, _| [0, 2, 3, 4, 6].contains(&(x % 7))));
        assert!(!more_than(0, (64, 64), |x, y| (x + y) % 2 == 0));
    }
}
