//! Guessing a passphrase gets slower: for whoever guesses, and a little for everybody elsewhere.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

/// So many wrong ones in a row are free.
const FREE: u32 = 5;
/// The first wait; each further wrong one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// Doublings at most: a little more than an hour.
const MOST_DOUBLINGS: u32 = 7;
/// So many wrong ones from elsewhere, by whomever, are free.
const FREE_TOGETHER: u32 = 20;
/// The wait for everybody elsewhere after each further one. It does not grow: whoever guesses from
/// many addresses slows the owner down and shuts nobody out.
const WAIT_TOGETHER: Duration = Duration::from_secs(10);
/// Networks that are remembered; the one that was silent longest gives way.
const MOST_NETWORKS: usize = 1024;

/// Who gives a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Who {
    /// An IPv4 address, or a /64 of IPv6.
    pub(super) network: IpAddr,
    /// Whether that is this machine, where nobody else slows the owner down.
    pub(super) here: bool,
}

/// Wrong passphrases since the last right one, by network.
#[derive(Debug, Default)]
pub(super) struct Tries {
    networks: HashMap<IpAddr, Count>,
    elsewhere: u32,
    elsewhere_until: Option<Instant>,
}

#[derive(Debug)]
struct Count {
    wrong: u32,
    last: Instant,
    until: Option<Instant>,
}

impl Tries {
    /// How long they may not try; a right passphrase does not count in that time either.
    pub(super) fn wait(&self, who: Who) -> Option<Duration> {
        let own = self.networks.get(&who.network);
        let own = own.and_then(|count| count.until);
        let together = self.elsewhere_until.filter(|_| !who.here);
        let until = own.max(together)?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Counts a try.
    pub(super) fn count(&mut self, who: Who, right: bool) {
        if right {
            self.networks.remove(&who.network);
            self.elsewhere = 0;
            self.elsewhere_until = None;
            return;
        }
        let now = Instant::now();
        self.make_room(who.network);
        let count = self.networks.entry(who.network).or_insert(Count {
            wrong: 0,
            last: now,
            until: None,
        });
        count.last = now;
        count.wrong = count.wrong.saturating_add(1);
        if let Some(beyond) = count.wrong.checked_sub(FREE) {
            count.until = Some(now + FIRST_WAIT * (1 << beyond.min(MOST_DOUBLINGS)));
        }
        if !who.here {
            self.elsewhere = self.elsewhere.saturating_add(1);
            if self.elsewhere >= FREE_TOGETHER {
                self.elsewhere_until = Some(now + WAIT_TOGETHER);
            }
        }
    }

    fn make_room(&mut self, network: IpAddr) {
        if self.networks.len() < MOST_NETWORKS || self.networks.contains_key(&network) {
            return;
        }
        let silent = self.networks.iter().min_by_key(|(_, count)| count.last);
        let silent = silent.map(|(network, _)| *network);
        silent.and_then(|network| self.networks.remove(&network));
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn from(last: u8) -> Who {
        Who {
            network: IpAddr::V4(Ipv4Addr::new(192, 168, 1, last)),
            here: false,
        }
    }

    const HERE: Who = Who {
        network: IpAddr::V4(Ipv4Addr::LOCALHOST),
        here: true,
    };

    #[tokio::test(start_paused = true)]
    async fn guesses_get_slower_and_a_right_one_ends_that() {
        for who in [from(1), HERE] {
            let mut tries = Tries::default();
            for _ in 1..FREE {
                tries.count(who, false);
                assert_eq!(tries.wait(who), None);
            }
            for expected in [30, 60, 120] {
                tries.count(who, false);
                assert_eq!(tries.wait(who), Some(Duration::from_secs(expected)));
            }
            for _ in 0..50 {
                tries.count(who, false);
            }
            assert_eq!(tries.wait(who), Some(FIRST_WAIT * 128));
            tokio::time::advance(FIRST_WAIT * 128).await;
            assert_eq!(tries.wait(who), None);
            tries.count(who, true);
            tries.count(who, false);
            assert_eq!(tries.wait(who), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn cat_446_whoever_guesses_shuts_nobody_else_out() {
        let mut tries = Tries::default();
        for _ in 0..FREE {
            tries.count(from(66), false);
        }
        assert!(tries.wait(from(66)).is_some());
        assert_eq!(tries.wait(from(1)), None);
        assert_eq!(tries.wait(HERE), None);
        // From many addresses: everybody elsewhere waits a little, and never longer.
        for round in 0..200_u32 {
            let [.., last] = round.to_be_bytes();
            tries.count(from(last), false);
        }
        assert_eq!(tries.wait(from(201)), Some(WAIT_TOGETHER));
        assert_eq!(tries.wait(HERE), None);
        tokio::time::advance(WAIT_TOGETHER).await;
        assert_eq!(tries.wait(from(201)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_networks_are_remembered_and_no_more() {
        let mut tries = Tries::default();
        for number in 0..2000_u32 {
            let who = Who {
                network: IpAddr::V4(Ipv4Addr::from(number)),
                here: false,
            };
            tokio::time::advance(Duration::from_millis(1)).await;
            tries.count(who, false);
        }
        assert_eq!(tries.networks.len(), MOST_NETWORKS);
        let last = IpAddr::V4(Ipv4Addr::from(1999));
        assert!(tries.networks.contains_key(&last));
    }
}
