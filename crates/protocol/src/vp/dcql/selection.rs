//! Choosing among the matches: the smallest answer, or what the person has picked.

use super::{
    CandidateMatch, ClaimPointer, DcqlQuery, Matches, QueryId, QueryMatches, SetMatches, check_sets,
};

/// One credential to present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The Credential Query it answers.
    pub query: QueryId,
    /// Its place in the list given to [`find_matches`](super::find_matches).
    pub candidate: usize,
    /// The claims to disclose.
    pub claims: Vec<ClaimPointer>,
}

/// A set of credentials that answers the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    picks: Vec<Pick>,
}

impl Selection {
    /// What to present, in the order of the query.
    pub fn picks(&self) -> &[Pick] {
        &self.picks
    }
}

/// Why a choice does not answer the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// The candidate does not answer that Credential Query.
    #[error("the chosen credential does not answer the query")]
    NoSuchMatch,
    /// Two credentials where one is asked for, or the same one twice.
    #[error("more credentials chosen than asked for")]
    TooMany,
    /// Something required is missing.
    #[error("the choice is incomplete")]
    Incomplete,
}

impl Matches {
    /// The candidates of every Credential Query.
    pub fn queries(&self) -> &[QueryMatches] {
        &self.queries
    }

    /// The use cases and the options that can be fulfilled.
    pub fn sets(&self) -> &[SetMatches] {
        &self.sets
    }

    /// Leaves out what no preferred candidate answers where a preferred one answers the same: of a
    /// Credential Query the other candidates, of a use case the other options, but for those that one
    /// of the `needed` lists (see [`Matches::smallest_with`]) is answered by alone. What can be
    /// answered stays what it was, and what is suggested has as few others in it as it can.
    pub fn prefer(&mut self, is_preferred: impl Fn(usize) -> bool, needed: &[&[QueryId]]) {
        self.avoided.clear();
        for entry in &mut self.queries {
            let candidates = &mut entry.candidates;
            if candidates.iter().any(|one| is_preferred(one.candidate)) {
                candidates.retain(|one| is_preferred(one.candidate));
            } else {
                self.avoided.push(entry.query.clone());
            }
        }
        let is_whole = |option: &Vec<QueryId>| !option.iter().any(|id| self.avoided.contains(id));
        let has = |option: &Vec<QueryId>, ids: &[QueryId]| option.iter().any(|id| ids.contains(id));
        let answered = |ids: &[QueryId]| {
            let mut options = self.sets.iter().flat_map(|set| &set.options);
            options.any(|option| is_whole(option) && has(option, ids))
        };
        let alone: Vec<&[QueryId]> = needed
            .iter()
            .copied()
            .filter(|ids| !answered(ids))
            .collect();
        let mut left_out = Vec::new();
        for set in &mut self.sets {
            if !set.options.iter().any(is_whole) {
                continue;
            }
            let stays = |option: &Vec<QueryId>| {
                is_whole(option) || alone.iter().any(|ids| has(option, ids))
            };
            left_out.extend(
                set.options
                    .extract_if(.., |option| !stays(option))
                    .flatten(),
            );
        }
        // Nor is anything asked that serves no use case any more.
        let options = || self.sets.iter().flat_map(|set| &set.options);
        left_out.retain(|id| !options().any(|option| option.contains(id)));
        for entry in &mut self.queries {
            if left_out.contains(&entry.query) {
                entry.candidates.clear();
            }
        }
    }

    /// The answer that reveals the fewest values: for each required use case the
    /// cheapest option, of each Credential Query the cheapest candidate, and
    /// nothing that the verifier does not insist on. Where it insists on nothing,
    /// the cheapest of all options: an answer shows something.
    pub fn smallest(&self) -> Selection {
        self.smallest_with(&[])
    }

    /// The same where of each of these lists one Credential Query must be answered: for each that no
    /// pick answers the cheapest option with one of them. A list that no option answers changes nothing.
    pub fn smallest_with(&self, needed: &[&[QueryId]]) -> Selection {
        let mut chosen = self.required(Vec::new());
        self.add_needed(&mut chosen, needed);
        // What is needed may be one of several options of what is required.
        let mut other = Vec::new();
        self.add_needed(&mut other, needed);
        let other = self.required(other);
        if self.total(&other) < self.total(&chosen) {
            chosen = other;
        }
        // Section 6.4.2: what is not required may be returned.
        if chosen.is_empty() {
            self.add_cheapest(&mut chosen, self.options());
        }
        let picks = self
            .queries
            .iter()
            .filter(|entry| chosen.contains(&&entry.query))
            .filter_map(|entry| entry.best().map(|best| pick(entry, best)))
            .collect();
        Selection { picks }
    }

    fn options(&self) -> impl Iterator<Item = &Vec<QueryId>> {
        self.sets.iter().flat_map(|set| &set.options)
    }

    /// What is chosen, and for each required use case the cheapest option beside it.
    fn required<'a>(&'a self, mut chosen: Vec<&'a QueryId>) -> Vec<&'a QueryId> {
        for set in self.sets.iter().filter(|set| set.required) {
            self.add_cheapest(&mut chosen, set.options.iter());
        }
        chosen
    }

    fn add_needed<'a>(&'a self, chosen: &mut Vec<&'a QueryId>, needed: &[&[QueryId]]) {
        for ids in needed {
            if chosen.iter().any(|id| ids.contains(id)) {
                continue;
            }
            let answers = |option: &&Vec<QueryId>| option.iter().any(|id| ids.contains(id));
            self.add_cheapest(chosen, self.options().filter(answers));
        }
    }

    /// Adds the option that costs the least beside what is chosen; of some that cost the same one that is
    /// chosen already, else the first.
    fn add_cheapest<'a>(
        &self,
        chosen: &mut Vec<&'a QueryId>,
        options: impl Iterator<Item = &'a Vec<QueryId>>,
    ) {
        let more = |option: &&Vec<QueryId>| {
            let new = option.iter().filter(|id| !chosen.contains(id));
            let new: Vec<&QueryId> = new.collect();
            let avoided = new.iter().filter(|id| self.avoided.contains(id)).count();
            let cost: usize = new.iter().map(|id| self.cost(id)).sum();
            (avoided, cost, !new.is_empty())
        };
        let found = options.min_by_key(more);
        for id in found.into_iter().flatten() {
            if !chosen.contains(&id) {
                chosen.push(id);
            }
        }
    }

    fn total(&self, chosen: &[&QueryId]) -> (usize, usize, usize) {
        let avoided = chosen.iter().filter(|id| self.avoided.contains(id));
        let cost = chosen.iter().map(|id| self.cost(id)).sum();
        (avoided.count(), cost, chosen.len())
    }

    /// The answer that the person has put together: pairs of Credential Query
    /// and candidate.
    pub fn select(
        &self,
        query: &DcqlQuery,
        choice: &[(QueryId, usize)],
    ) -> Result<Selection, SelectionError> {
        let mut picks: Vec<Pick> = Vec::with_capacity(choice.len());
        for (id, candidate) in choice {
            let entry = self.entry(id).ok_or(SelectionError::NoSuchMatch)?;
            let matched = entry
                .candidates
                .iter()
                .find(|matched| matched.candidate == *candidate)
                .ok_or(SelectionError::NoSuchMatch)?;
            let mut same_query = picks.iter().filter(|pick| pick.query == *id);
            // Section 8.1: without `multiple` "the array MUST contain only one Presentation".
            if same_query.any(|pick| !entry.multiple || pick.candidate == *candidate) {
                return Err(SelectionError::TooMany);
            }
            picks.push(pick(entry, matched));
        }
        let answered: Vec<&QueryId> = picks.iter().map(|pick| &pick.query).collect();
        check_sets(query, &answered).map_err(|_| SelectionError::Incomplete)?;
        Ok(Selection { picks })
    }

    fn entry(&self, id: &QueryId) -> Option<&QueryMatches> {
        self.queries.iter().find(|entry| entry.query == *id)
    }

    fn cost(&self, id: &QueryId) -> usize {
        self.entry(id)
            .and_then(QueryMatches::best)
            .map_or(0, |best| best.revealed)
    }
}

fn pick(entry: &QueryMatches, matched: &CandidateMatch) -> Pick {
    Pick {
        query: entry.query.clone(),
        candidate: matched.candidate,
        claims: matched.claims.clone(),
    }
}
