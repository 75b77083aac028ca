//! A question about what was counted, and its answer.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oauth::params::{Params, ParamsError};
use vouchsafe_service::db::DbError;

use super::counts::Key;
use super::tiles::{Now, StepNumbers, Tile, steps, tiles, tiles_of_channel, tiles_of_journey};
use crate::app::Parts;
use crate::store::{numbers, presence, sessions};

/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// Days without a question.
const USUAL_DAYS: i64 = 30;
/// Days of the longest question.
const MOST_DAYS: i64 = 800;
/// Stages of journeys: there whether anything was counted or not.
const STAGES: [&str; 4] = ["awareness", "consideration", "decision", "retention"];

/// By what numbers are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The day.
    Day,
    /// The stage of the journey.
    Stage,
    /// The journey.
    Journey,
    /// How the wallet was reached.
    Channel,
    /// The application.
    Client,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    since: UnixTime,
    until: UnixTime,
    by: Option<By>,
    journey: Option<String>,
    client: Option<String>,
}

/// The numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Numbers {
    /// The first day.
    #[schema(example = "2026-11-01")]
    pub since: String,
    /// The last day.
    #[schema(example = "2026-11-30")]
    pub until: String,
    /// Over all of them.
    pub tiles: Vec<Tile>,
    /// The same for each group, where one was asked for.
    pub groups: Vec<Group>,
    /// The steps of the journey, where one was asked for.
    pub steps: Vec<StepNumbers>,
}

/// The numbers of a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its numbers.
    pub tiles: Vec<Tile>,
}

/// Which parameter does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// One that is not known here.
    #[error("a parameter is unknown; known are since, until, by, journey and client")]
    Unknown,
    /// One that is there twice.
    #[error("a parameter is there twice")]
    Repeated,
    /// One that is no text.
    #[error("a parameter is no text that anything here could have as a name")]
    Text,
    /// A day that is none.
    #[error("the parameter {0} is no day like 2026-11-01")]
    Day(&'static str),
    /// No day before the end, or one too long before it.
    #[error("the parameter since must be a day from 0 to 799 days before until")]
    Range,
    /// Nothing that numbers are grouped by.
    #[error("the parameter by is none of day, stage, journey, channel and client")]
    By,
}

impl Asked {
    /// Reads the parameters; unknown ones, and ones that are there twice, do not fit.
    pub fn parse(query: &str, now: UnixTime) -> Result<Self, Unfit> {
        let mut given = BTreeMap::new();
        let repeated = |error| match error {
            ParamsError::Duplicate => Unfit::Repeated,
            _ => Unfit::Text,
        };
        let params = Params::parse(query).map_err(repeated)?;
        for (name, value) in params.iter() {
            // Catalogue 107: PostgreSQL has no text with a zero in it.
            if value.chars().any(char::is_control) {
                return Err(Unfit::Text);
            }
            let known = ["since", "until", "by", "journey", "client"];
            let name = known.into_iter().find(|known| *known == name);
            let name = name.ok_or(Unfit::Unknown)?;
            given.insert(name, value.to_owned());
        }
        let date = |name: &'static str| match given.get(name).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => day(text).map(Some).ok_or(Unfit::Day(name)),
        };
        let today = UnixTime(now.0 - now.0.rem_euclid(DAY_S));
        let last = date("until")?.unwrap_or(today);
        let since = date("since")?.unwrap_or(last.plus(-(USUAL_DAYS - 1) * DAY_S));
        let until = last.plus(DAY_S);
        let days = until.since(since) / DAY_S;
        let by = match given.get("by").map(String::as_str) {
            None | Some("") => None,
            Some(name) => Some(By::of(name).ok_or(Unfit::By)?),
        };
        let text = |name: &str| given.get(name).filter(|text| !text.is_empty()).cloned();
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(Unfit::Range);
        }
        Ok(Self {
            since,
            until,
            by,
            journey: text("journey"),
            client: text("client"),
        })
    }

    /// The same question by something else.
    #[must_use]
    pub fn grouped(self, by: Option<By>) -> Self {
        Self { by, ..self }
    }

    /// The same question about a journey.
    #[must_use]
    pub fn of_journey(self, journey: &str) -> Self {
        Self {
            journey: Some(journey.to_owned()),
            ..self
        }
    }

    /// The first day and the last.
    #[must_use]
    pub fn days(&self) -> (String, String) {
        (shown(self.since), shown(self.until.plus(-1)))
    }

    /// What was counted, by the day. One at a time: the rows of two years are many.
    pub async fn rows(&self, app: &Parts) -> Result<Vec<(Key, i64)>, DbError> {
        let _turn = app.numbers.asking.lock().await;
        let of = (self.journey.as_deref(), self.client.as_deref());
        numbers::between(&app.db, self.since, self.until, of).await
    }
}

impl By {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "day" => Self::Day,
            "stage" => Self::Stage,
            "journey" => Self::Journey,
            "channel" => Self::Channel,
            "client" => Self::Client,
            _ => return None,
        })
    }

    fn name(self, key: &Key) -> String {
        match self {
            Self::Day => shown(UnixTime(key.hour)),
            Self::Stage => key.stage.clone(),
            Self::Journey => key.journey.clone(),
            Self::Channel => key.channel.clone(),
            Self::Client => key.client.clone(),
        }
    }
}

/// The beginning of a day, `2026-11-01`.
fn day(text: &str) -> Option<UnixTime> {
    let fits = text.len() == 10 && text.starts_with('2');
    let at: jiff::Timestamp = format!("{text}T00:00:00Z").parse().ok().filter(|_| fits)?;
    Some(UnixTime(at.as_second()))
}

fn shown(at: UnixTime) -> String {
    let at = jiff::Timestamp::from_second(at.0).unwrap_or_default();
    at.to_string().chars().take(10).collect()
}

/// Answers.
pub async fn ask(app: &Parts, asked: &Asked) -> Result<Numbers, DbError> {
    let rows = asked.rows(app).await?;
    let now = match (&asked.journey, &asked.client) {
        (None, None) => Some(now(app).await?),
        // A session is of no journey, and of many applications.
        _ => None,
    };
    let groups = asked.by.map(|by| groups(&rows, by, asked));
    let set = app.journeys.current();
    let steps = asked.journey.as_deref().map(|journey| {
        let mut all = set.all();
        let loaded = all.find(|one| one.journey.id == journey);
        let order = loaded.map(|one| one.journey.steps.iter().map(|step| step.id.as_str()));
        steps(
            &rows,
            journey,
            &order.into_iter().flatten().collect::<Vec<_>>(),
        )
    });
    let (since, until) = asked.days();
    Ok(Numbers {
        since,
        until,
        tiles: match asked.journey {
            None => tiles(&rows, now.as_ref()),
            Some(_) => tiles_of_journey(&rows),
        },
        groups: groups.unwrap_or_default(),
        steps: steps.unwrap_or_default(),
    })
}

/// What is looked up.
async fn now(app: &Parts) -> Result<Now, DbError> {
    let settings = app.settings.numbers.as_ref();
    Ok(Now {
        sessions: sessions::count_live(&app.db, app.now()).await?,
        presence: presence::count(&app.db, app.now()).await?,
        satisfaction: settings.is_some_and(|numbers| numbers.satisfaction),
    })
}

/// Everything of these days, and the same for each day and for each stage: one look into the database.
pub async fn overview(app: &Parts, asked: &Asked) -> Result<(Numbers, Vec<Group>), DbError> {
    let rows = asked.rows(app).await?;
    let all = asked.journey.is_none() && asked.client.is_none();
    let now = if all { Some(now(app).await?) } else { None };
    let (since, until) = asked.days();
    let numbers = Numbers {
        since,
        until,
        tiles: tiles(&rows, now.as_ref()),
        groups: groups(&rows, By::Day, asked),
        steps: Vec::new(),
    };
    Ok((numbers, groups(&rows, By::Stage, asked)))
}

fn groups(rows: &[(Key, i64)], by: By, asked: &Asked) -> Vec<Group> {
    let mut found: BTreeMap<String, Vec<(Key, i64)>> = BTreeMap::new();
    match by {
        By::Stage => {
            let stages = STAGES.iter().map(|stage| ((*stage).to_owned(), Vec::new()));
            found.extend(stages);
        }
        By::Day => {
            let days = (asked.since.0..asked.until.0).step_by(DAY_S.unsigned_abs() as usize);
            found.extend(days.map(|day| (shown(UnixTime(day)), Vec::new())));
        }
        By::Journey | By::Channel | By::Client => {}
    }
    // What has no channel is of none: beginnings and questions. Nor has what was judged an application.
    let fits = |row: &&(Key, i64)| !by.name(&row.0).is_empty();
    for row in rows.iter().filter(fits) {
        found.entry(by.name(&row.0)).or_default().push(row.clone());
    }
    let found = found.into_iter();
    found
        .map(|(name, rows)| Group {
            name,
            tiles: match by {
                By::Channel => tiles_of_channel(&rows),
                By::Journey | By::Stage => tiles_of_journey(&rows),
                By::Day | By::Client if asked.journey.is_some() => tiles_of_journey(&rows),
                By::Day | By::Client => tiles(&rows, None),
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_795_435_200);

    #[test]
    fn a_question_that_does_not_fit_is_none() {
        let good = [
            "",
            "by=stage",
            "since=2026-11-01&until=2026-11-30",
            "until=",
            "journey=a&client=b",
        ];
        for good in good {
            assert!(Asked::parse(good, NOW).is_ok(), "{good}");
        }
        let bad = [
            "by=person",
            "who=me",
            "by=day&by=day",
            "since=2026-11-31",
            "since=1",
            "since=2026-12-01&until=2026-11-01",
            "since=2000-01-01",
            "since=99999-01-01",
        ];
        for bad in bad {
            assert!(Asked::parse(bad, NOW).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_usual_question_is_about_thirty_days_with_today() {
        let asked = Asked::parse("by=day", NOW).unwrap();
        let groups = groups(&[], By::Day, &asked);
        assert_eq!(groups.len(), 30);
        assert_eq!(groups.last().unwrap().name, "2026-11-23");
        let stages = super::groups(&[], By::Stage, &asked);
        assert_eq!(stages.len(), 4);
    }

    #[test]
    fn by_day_too_a_journey_has_no_withdrawn_consents() {
        let asked = Asked::parse("by=day", NOW).unwrap();
        let known = |asked: &Asked| {
            let groups = groups(&[], By::Day, asked);
            let mut tiles = groups[0].tiles.iter();
            let tile = tiles.find(|tile| tile.id == "consent_withdrawn");
            tile.unwrap().among.is_some()
        };
        assert!(known(&asked));
        assert!(!known(&asked.clone().of_journey("age")));
    }
}
