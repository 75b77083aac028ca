//! A change of many credentials, carried out in the background.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;

use super::credential::Change;
use super::ids::{CredentialId, RecordId, StatusJobId};

/// What a job does to each credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Valid or suspended to revoked.
    Revoke,
    /// Valid to suspended.
    Suspend,
    /// Suspended to valid.
    Resume,
}

impl Action {
    /// The name in the database and in the administration API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
        }
    }

    /// The action with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "revoke" => Some(Self::Revoke),
            "suspend" => Some(Self::Suspend),
            "resume" => Some(Self::Resume),
            _ => None,
        }
    }

    /// The same as a change of one credential.
    pub const fn change(self) -> Change {
        match self {
            Self::Revoke => Change::Revoke,
            Self::Suspend => Change::Suspend,
            Self::Resume => Change::Resume,
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Nothing was done yet.
    Waiting,
    /// Steps were done, others are to come.
    Running,
    /// Everything was looked at.
    Done,
    /// Somebody stopped it. What was done stays done.
    Cancelled,
}

impl JobState {
    /// The name in the database and in the administration API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "waiting" => Some(Self::Waiting),
            "running" => Some(Self::Running),
            "done" => Some(Self::Done),
            "cancelled" => Some(Self::Cancelled),
            _ => None,
        }
    }
}

/// Which credentials a job is about: those that fit everything that is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Of this type.
    pub credential_type: Option<String>,
    /// Issued at this moment or after it, UNIX seconds.
    pub issued_from: i64,
    /// Issued before this moment, UNIX seconds. Never behind the second in which the job was made:
    /// what is issued later is its business only in the place of what it is about.
    pub issued_before: i64,
    /// When the job was made, UNIX seconds.
    pub made_at: i64,
    /// Of these records, in the order of their ids; none: of all.
    pub records: Option<Vec<String>>,
}

/// How far a job came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Records that are finished.
    pub records: usize,
    /// The last credential that was looked at, of the record or of all.
    pub after: Option<CredentialId>,
}

impl Cursor {
    /// Nothing was looked at.
    pub const START: Self = Self {
        records: 0,
        after: None,
    };

    /// The text in the database.
    pub fn text(&self) -> String {
        let after = self.after.as_ref().map_or("", CredentialId::as_str);
        format!("{}/{after}", self.records)
    }

    /// Reads the text in the database.
    pub fn parse(text: &str) -> Option<Self> {
        let (records, after) = text.split_once('/')?;
        Some(Self {
            records: records.parse().ok()?,
            after: match after {
                "" => None,
                after => Some(CredentialId::parse(after).ok()?),
            },
        })
    }
}

impl Plan {
    /// Where the walk is: in the credentials of one record, or of all. `None`: at its end.
    pub fn place(&self, cursor: &Cursor) -> Result<Option<Option<RecordId>>, super::ids::IdError> {
        match &self.records {
            None if cursor.records == 0 => Ok(Some(None)),
            None => Ok(None),
            Some(records) => match records.get(cursor.records) {
                None => Ok(None),
                Some(id) => Ok(Some(Some(RecordId::parse(id)?))),
            },
        }
    }
}

/// A job as it is stored.
#[derive(Debug, Clone)]
pub struct StatusJob {
    /// Its id.
    pub id: StatusJobId,
    /// What it does.
    pub action: Action,
    /// To which credentials.
    pub plan: Plan,
    /// Why, in words of the organisation; may be empty.
    pub reason: String,
    /// Whether an event is sent for each credential.
    pub tell_each: bool,
    /// Who asked for it, as in the audit log.
    pub actor: String,
    /// Where it stands.
    pub state: JobState,
    /// How far it came.
    pub cursor: Cursor,
    /// Credentials that it was about when it was made.
    pub total: i64,
    /// Credentials that it changed.
    pub done: i64,
    /// When it was made.
    pub created_at: UnixTime,
    /// When its first step was done.
    pub started_at: Option<UnixTime>,
    /// When it ended.
    pub finished_at: Option<UnixTime>,
}

impl StatusJob {
    /// Credentials that had another status when their turn came: somebody changed them between the
    /// count and the step. Known when the job is done.
    pub fn failed(&self) -> i64 {
        match self.state {
            JobState::Done => (self.total - self.done).max(0),
            JobState::Waiting | JobState::Running | JobState::Cancelled => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back() {
        let id = CredentialId::parse("0190a6f0-0000-7000-8000-000000000001").unwrap();
        for cursor in [
            Cursor::START,
            Cursor {
                records: 7,
                after: None,
            },
            Cursor {
                records: 0,
                after: Some(id),
            },
        ] {
            assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        }
        for bad in [
            "",
            "/",
            "1",
            "x/",
            "-1/",
            "0/x",
            "0/0190A6F0-0000-7000-8000-000000000001",
        ] {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_come_back() {
        for action in [Action::Revoke, Action::Suspend, Action::Resume] {
            assert_eq!(Action::parse(action.as_str()), Some(action));
        }
        for state in [
            JobState::Waiting,
            JobState::Running,
            JobState::Done,
            JobState::Cancelled,
        ] {
            assert_eq!(JobState::parse(state.as_str()), Some(state));
        }
    }

    #[test]
    fn a_walk_over_records_ends_behind_the_last() {
        let records = vec!["0190a6f0-0000-7000-8000-000000000001".to_owned()];
        let mut plan = Plan {
            credential_type: None,
            issued_from: 0,
            issued_before: 10,
            made_at: 10,
            records: Some(records),
        };
        let mut cursor = Cursor::START;
        assert!(matches!(plan.place(&cursor), Ok(Some(Some(_)))));
        cursor.records = 1;
        assert_eq!(plan.place(&cursor), Ok(None));
        plan.records = None;
        assert_eq!(plan.place(&cursor), Ok(None));
        assert_eq!(plan.place(&Cursor::START), Ok(Some(None)));
        plan.records = Some(vec!["x".to_owned()]);
        assert!(plan.place(&Cursor::START).is_err());
    }
}
