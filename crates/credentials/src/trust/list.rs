//! A list, and the rules that hold for every form of it.

use super::{ListKind, TrustListError};
use crate::time::UnixTime;
use crate::x509::{Role, TrustAnchors, X509Error};

/// How far the clocks of operators may be ahead, in seconds.
const SKEW_S: i64 = 300;
/// TS 119 602, section 6.3.15, and TS 119 612, section 5.3.15: the next update is at most six
/// months away; in seconds, with a week for different months.
const LONGEST_S: i64 = (184 + 7) * 24 * 60 * 60;

/// What a relying party demands of a list.
#[derive(Clone, Copy, Debug)]
pub struct ListPolicy<'p> {
    /// The kind of list.
    pub kind: ListKind,
    /// The territory the list must be of (ISO 3166-1 alpha-2, or `EU`), if one is demanded.
    pub territory: Option<&'p str>,
    /// Who may sign it: anchors and listed signers of the role [`Role::ListOperator`].
    pub operators: &'p TrustAnchors,
    /// The newest list known from the same source.
    pub known: Option<Checkpoint>,
    /// The time now.
    pub now: UnixTime,
}

/// What must be remembered of a list so that an older one is refused. Keep it on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Checkpoint {
    /// The sequence number.
    pub sequence: u64,
    /// SHA-256 of what is signed: the payload of a JWS, the canonical octets of an XML document.
    /// The same list signed once more has the same digest.
    pub digest: [u8; 32],
}

/// One service of a trusted entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedService {
    /// Name of the entity.
    pub entity: String,
    /// Type of the service, a URI.
    pub service_type: String,
    /// What its certificates are anchors for.
    pub roles: &'static [Role],
    /// Its certificates (DER).
    pub certificates: Vec<Vec<u8>>,
}

/// A list of trusted entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustList {
    /// What it is about.
    pub kind: ListKind,
    /// Name of the scheme operator.
    pub operator: String,
    /// Its territory, as written.
    pub territory: Option<String>,
    /// Remembers it.
    pub checkpoint: Checkpoint,
    /// When it was issued.
    pub issued_at: UnixTime,
    /// Until when it may be used.
    pub next_update: UnixTime,
    /// The services that count: of a type of this kind, and in force.
    pub services: Vec<ListedService>,
    /// How many services do not count: another type, withdrawn, not yet started, identified by
    /// something else than certificates, or by one that cannot be read.
    pub left_out: usize,
}

/// A service as a list writes it.
pub(super) struct Candidate<'c> {
    pub entity: &'c str,
    pub service_type: String,
    pub status: Option<&'c str>,
    pub since: Option<UnixTime>,
    /// DER; empty when the service is identified in another way.
    pub certificates: Vec<Vec<u8>>,
}

impl ListedService {
    fn has_readable_certificates(&self) -> bool {
        let mut anchors = TrustAnchors::new(Role::Issuer);
        let readable = |der: &Vec<u8>| anchors.add_any_der(der).is_ok();
        !self.certificates.is_empty() && self.certificates.iter().all(readable)
    }
}

impl TrustList {
    /// The certificates of all services with this role, as anchors: authorities vouch for others,
    /// end-entity certificates for themselves alone.
    ///
    /// # Errors
    /// A certificate that is none.
    pub fn anchors(&self, role: Role) -> Result<TrustAnchors, X509Error> {
        let mut anchors = TrustAnchors::new(role);
        let with_role = self.services.iter().filter(|s| s.roles.contains(&role));
        for der in with_role.flat_map(|service| &service.certificates) {
            anchors.add_any_der(der)?;
        }
        Ok(anchors)
    }

    /// Whether it may still be used. Past its next update nothing on it is trusted.
    #[must_use]
    pub fn usable_at(&self, now: UnixTime) -> bool {
        now < self.next_update
    }

    /// Keeps a service that counts, counts one that does not.
    pub(super) fn add(&mut self, candidate: Candidate<'_>, now: UnixTime) {
        let Candidate {
            entity,
            service_type,
            status,
            since,
            certificates,
        } = candidate;
        let roles = self.kind.roles(&service_type);
        let counts = self.kind.counts(status) && since.is_none_or(|since| since <= now);
        let service = ListedService {
            entity: entity.to_owned(),
            service_type,
            roles,
            certificates,
        };
        if counts && !roles.is_empty() && service.has_readable_certificates() {
            self.services.push(service);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// Sequence and dates (TS 119 602, sections 6.3.3, 6.3.14, 6.3.15).
    pub(super) fn check(&self, policy: &ListPolicy<'_>) -> Result<(), TrustListError> {
        if self.issued_at > policy.now.plus(SKEW_S) {
            return Err(TrustListError::NotYetIssued);
        }
        if !self.usable_at(policy.now) || self.next_update <= self.issued_at {
            return Err(TrustListError::Outdated);
        }
        if self.next_update.since(self.issued_at) > LONGEST_S {
            return Err(TrustListError::NextUpdateTooFar);
        }
        if let Some(wanted) = policy.territory
            && self.territory.as_deref() != Some(wanted)
        {
            return Err(TrustListError::Territory);
        }
        match policy.known {
            Some(known) if self.checkpoint.sequence < known.sequence => {
                Err(TrustListError::Rollback)
            }
            Some(known)
                if self.checkpoint.sequence == known.sequence
                    && self.checkpoint.digest != known.digest =>
            {
                Err(TrustListError::Fork)
            }
            Some(_) | None => Ok(()),
        }
    }
}
