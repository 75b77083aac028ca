//! RDF Dataset Canonicalization (RDFC-1.0, section 4).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use vouchsafe_credentials::crypto::{sha256, sha384};

use super::issuer::Issuer;
use super::write::{plain, write_quad};
use super::{Canonical, HashAlgorithm, Quad, RdfError, Term, WorkLimits};

/// Deepest recursion of Hash N-Degree Quads: it goes along paths of nodes that look alike.
const MAX_DEPTH: usize = 256;
/// Steps that every dataset may take, however small.
const FREE_STEPS: usize = 1 << 16;
/// Hashing this many bytes is one more step.
const BYTES_PER_STEP: usize = 256;

/// RDFC-1.0.
///
/// # Errors
/// Where the dataset is larger or takes more work than `limits`.
pub fn canonicalize(
    quads: &[Quad],
    hash: HashAlgorithm,
    limits: &WorkLimits,
) -> Result<Canonical, RdfError> {
    if quads.len() > limits.quads {
        return Err(RdfError::TooManyQuads);
    }
    if !quads.iter().any(mentions_blank) {
        return Ok(lines(quads, &HashMap::new()));
    }
    let mut state = State::new(quads, hash, limits);
    state.name_all()?;
    Ok(state.finish())
}

/// A dataset on its way to the canonical form (section 4.4.2).
struct State<'q> {
    quads: &'q [Quad],
    hash: HashAlgorithm,
    /// Blank nodes, by number.
    labels: Vec<&'q str>,
    /// The blank nodes of a statement: subject, object, graph.
    nodes: Vec<[Option<usize>; 3]>,
    /// The statements that mention a blank node.
    mentions: Vec<Vec<usize>>,
    /// Hash First Degree Quads of each blank node.
    first: Vec<String>,
    canonical: Issuer,
    steps: usize,
}

impl<'q> State<'q> {
    fn new(quads: &'q [Quad], hash: HashAlgorithm, limits: &WorkLimits) -> Self {
        let mut numbers: HashMap<&'q str, usize> = HashMap::new();
        let mut labels = Vec::new();
        let mut nodes = Vec::with_capacity(quads.len());
        let mut mentions: Vec<Vec<usize>> = Vec::new();
        let mut known = HashSet::with_capacity(quads.len());
        for (index, quad) in quads.iter().enumerate() {
            if !known.insert(quad) {
                // A dataset is a set: the same statement twice counts once.
                nodes.push([None; 3]);
                continue;
            }
            let mut number = |term: Option<&'q Term>| {
                let label = term?.blank_label()?;
                let number = *numbers.entry(label).or_insert_with(|| {
                    labels.push(label);
                    mentions.push(Vec::new());
                    labels.len() - 1
                });
                if mentions[number].last() != Some(&index) {
                    mentions[number].push(index);
                }
                Some(number)
            };
            nodes.push([
                number(Some(&quad.subject)),
                number(Some(&quad.object)),
                number(quad.graph.as_ref()),
            ]);
        }
        Self {
            quads,
            hash,
            labels,
            nodes,
            mentions,
            first: Vec::new(),
            canonical: Issuer::default(),
            steps: FREE_STEPS.saturating_add(limits.steps_per_quad.saturating_mul(quads.len())),
        }
    }

    fn digest(&self, text: &str) -> String {
        let mut out = String::with_capacity(96);
        let mut hexadecimal = |bytes: &[u8]| {
            for byte in bytes {
                out.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
                out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            }
        };
        match self.hash {
            HashAlgorithm::Sha256 => hexadecimal(&sha256(text.as_bytes())),
            HashAlgorithm::Sha384 => hexadecimal(&sha384(text.as_bytes())),
        }
        out
    }

    /// RDFC-1.0, section 7.1: the work is bounded, a poisoned dataset ends here.
    fn spend(&mut self, steps: usize) -> Result<(), RdfError> {
        self.steps = self.steps.checked_sub(steps).ok_or(RdfError::TooMuchWork)?;
        Ok(())
    }

    /// Names every blank node (section 4.4.3, steps 3 to 5).
    fn name_all(&mut self) -> Result<(), RdfError> {
        self.first = (0..self.labels.len())
            .map(|node| self.first_degree(node))
            .collect();
        let mut by_hash: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (node, hash) in self.first.iter().enumerate() {
            by_hash.entry(hash).or_default().push(node);
        }
        let mut shared = Vec::new();
        for nodes in by_hash.into_values() {
            match nodes.as_slice() {
                [node] => {
                    self.canonical.issue(*node);
                }
                _ => shared.push(nodes),
            }
        }
        for nodes in shared {
            let mut paths = Vec::new();
            for node in nodes {
                if self.canonical.get(node).is_some() {
                    continue;
                }
                let mut issuer = Issuer::default();
                issuer.issue(node);
                paths.push(self.n_degree(node, issuer, 0)?);
            }
            paths.sort_by(|(left, _), (right, _)| left.cmp(right));
            for (_, issuer) in paths {
                for node in issuer.order() {
                    self.canonical.issue(*node);
                }
            }
        }
        Ok(())
    }

    /// Hash First Degree Quads (section 4.6).
    fn first_degree(&self, node: usize) -> String {
        let own = self.labels[node];
        let mut lines: Vec<String> = self.mentions[node]
            .iter()
            .map(|index| {
                let mut line = String::with_capacity(160);
                write_quad(&mut line, &self.quads[*index], |label, out| {
                    out.push(if label == own { 'a' } else { 'z' });
                });
                line
            })
            .collect();
        lines.sort_unstable();
        self.digest(&lines.concat())
    }

    /// Hash Related Blank Node (section 4.7).
    fn related(
        &mut self,
        related: usize,
        quad: usize,
        issuer: &Issuer,
        position: char,
    ) -> Result<String, RdfError> {
        let mut input = String::with_capacity(128);
        input.push(position);
        if position != 'g' {
            input.push('<');
            plain(&mut input, &self.quads[quad].predicate);
            input.push('>');
        }
        if !self.push_name(&mut input, related, issuer) {
            input.push_str(&self.first[related]);
        }
        self.spend(input.len() / BYTES_PER_STEP)?;
        Ok(self.digest(&input))
    }

    /// Appends the canonical or the temporary name of a node; `false` if it has none.
    fn push_name(&self, out: &mut String, node: usize, issuer: &Issuer) -> bool {
        let (prefix, number) = match (self.canonical.get(node), issuer.get(node)) {
            (Some(number), _) => ("_:c14n", number),
            (None, Some(number)) => ("_:b", number),
            (None, None) => return false,
        };
        // Writing to a String does not fail.
        let _ = write!(out, "{prefix}{number}");
        true
    }

    /// Hash N-Degree Quads (section 4.8).
    fn n_degree(
        &mut self,
        node: usize,
        mut issuer: Issuer,
        depth: usize,
    ) -> Result<(String, Issuer), RdfError> {
        if depth > MAX_DEPTH {
            return Err(RdfError::TooMuchWork);
        }
        let groups = self.groups(node, &issuer)?;
        let mut data = String::new();
        for (hash, related) in groups {
            data.push_str(&hash);
            let (path, chosen) = self.shortest(related, &issuer, depth)?;
            data.push_str(&path);
            issuer = chosen;
        }
        self.spend(data.len() / BYTES_PER_STEP)?;
        Ok((self.digest(&data), issuer))
    }

    /// The neighbours of a node by their related hash (section 4.8.3, step 3).
    fn groups(
        &mut self,
        node: usize,
        issuer: &Issuer,
    ) -> Result<BTreeMap<String, Vec<usize>>, RdfError> {
        self.spend(1 + self.mentions[node].len())?;
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for at in 0..self.mentions[node].len() {
            let index = self.mentions[node][at];
            for (related, position) in self.nodes[index].into_iter().zip(['s', 'o', 'g']) {
                if let Some(related) = related
                    && related != node
                {
                    let hash = self.related(related, index, issuer, position)?;
                    groups.entry(hash).or_default().push(related);
                }
            }
        }
        Ok(groups)
    }

    /// The least path over all orders of `related` (section 4.8.3, step 5.4).
    fn shortest(
        &mut self,
        mut related: Vec<usize>,
        issuer: &Issuer,
        depth: usize,
    ) -> Result<(String, Issuer), RdfError> {
        let mut chosen: Option<(String, Issuer)> = None;
        related.sort_unstable();
        loop {
            self.spend(1 + related.len() + issuer.order().len())?;
            let least = chosen.as_ref().map(|(path, _)| path.as_str());
            if let Some(better) = self.path(&related, issuer.clone(), least, depth)? {
                chosen = Some(better);
            }
            if !next_permutation(&mut related) {
                break;
            }
        }
        // The first order always gives a path: there is none to be longer than.
        Ok(chosen.unwrap_or_else(|| (String::new(), issuer.clone())))
    }

    /// The path of one order; `None` as soon as it cannot be the least.
    fn path(
        &mut self,
        order: &[usize],
        mut issuer: Issuer,
        least: Option<&str>,
        depth: usize,
    ) -> Result<Option<(String, Issuer)>, RdfError> {
        let hopeless =
            |path: &str| least.is_some_and(|least| path.len() >= least.len() && path > least);
        let mut path = String::new();
        let mut unnamed = Vec::new();
        for node in order {
            if self.canonical.get(*node).is_none() && issuer.get(*node).is_none() {
                unnamed.push(*node);
                issuer.issue(*node);
            }
            self.push_name(&mut path, *node, &issuer);
            if hopeless(&path) {
                return Ok(None);
            }
        }
        for node in unnamed {
            let (hash, after) = self.n_degree(node, issuer, depth + 1)?;
            issuer = after;
            self.push_name(&mut path, node, &issuer);
            path.push('<');
            path.push_str(&hash);
            path.push('>');
            if hopeless(&path) {
                return Ok(None);
            }
        }
        let best = least.is_none_or(|least| path.as_str() < least);
        Ok(best.then_some((path, issuer)))
    }

    /// The lines under their canonical names, sorted.
    fn finish(self) -> Canonical {
        let names: HashMap<&str, String> = self
            .canonical
            .order()
            .iter()
            .enumerate()
            .map(|(number, node)| (self.labels[*node], format!("c14n{number}")))
            .collect();
        lines(self.quads, &names)
    }
}

fn mentions_blank(quad: &Quad) -> bool {
    let blank = |term: &Term| matches!(term, Term::Blank(_));
    blank(&quad.subject) || blank(&quad.object) || quad.graph.as_ref().is_some_and(blank)
}

/// The lines of a dataset, sorted, its blank nodes under these names.
fn lines(quads: &[Quad], names: &HashMap<&str, String>) -> Canonical {
    let mut nquads: Vec<String> = quads
        .iter()
        .map(|quad| {
            let mut line = String::with_capacity(160);
            write_quad(&mut line, quad, |label, out| {
                plain(out, names.get(label).map_or(label, String::as_str));
            });
            line
        })
        .collect();
    nquads.sort_unstable();
    nquads.dedup();
    let labels = names
        .iter()
        .map(|(label, name)| ((*label).to_owned(), name.clone()))
        .collect();
    Canonical { nquads, labels }
}

/// The next order of `items` in lexicographic order; `false` after the last one.
fn next_permutation(items: &mut [usize]) -> bool {
    let Some(pivot) = items.windows(2).rposition(|pair| pair[0] < pair[1]) else {
        return false;
    };
    let Some(successor) = items.iter().rposition(|item| *item > items[pivot]) else {
        return false;
    };
    items.swap(pivot, successor);
    items[pivot + 1..].reverse();
    true
}
