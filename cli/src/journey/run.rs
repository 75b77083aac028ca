//! `vouchsafe journey simulate`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use vouchsafe_verifier::journey::{self, Ended, SimulatedCase, Simulation, What};

use crate::credential::output::{self, Mark, Palette};

/// Runs a journey on a case.
pub fn simulate(file: &Path, input: &Path, expect: Option<&str>, json: bool) -> Result<()> {
    let journey = super::checked(file)?;
    let case = super::text(input)?;
    let case: SimulatedCase =
        serde_json::from_str(&case).with_context(|| format!("{}: is no case", input.display()))?;
    let simulation = journey::simulate(&journey, &case)?;
    if json {
        output::json(&simulation)?;
    } else {
        output::line(&shown(&simulation, Palette::of_terminal()))?;
    }
    let end = end(&simulation.ended);
    if let Some(expected) = expect {
        ensure!(end == expected, "it ends with {end}, not with {expected}");
    }
    Ok(())
}

fn end(ended: &Ended) -> String {
    match ended {
        Ended::Login(_) => "login".to_owned(),
        Ended::Refused(refusal) => format!("deny:{}", refusal.code),
    }
}

fn shown(simulation: &Simulation, palette: Palette) -> String {
    let Simulation {
        journey,
        version,
        hash,
        plan: _,
        trace,
        ended,
        claims,
    } = simulation;
    let hash = hash.get(..12).unwrap_or_default();
    let mut text = palette.paint(Mark::Strong, &format!("{journey} {version} ({hash})"));
    for (number, line) in trace.iter().enumerate() {
        let rule = line.rule.split_once('#').map_or("", |(_, rule)| rule);
        let word = format!("{:<13}", line.what.word());
        let word = match line.what {
            What::Skipped => palette.paint(Mark::Soft, &word),
            What::Runs | What::Reused | What::Ended { .. } | What::Over => word,
        };
        let then = line.then.as_deref().unwrap_or("…");
        text.push_str(&format!(
            "\n{:>3}  {:<18} {:<9} {word} {:<28} → {then}",
            number + 1,
            line.step,
            line.kind,
            rule
        ));
    }
    match ended {
        Ended::Login(login) => {
            text.push('\n');
            text.push_str(&palette.paint(Mark::Good, "login"));
            text.push_str(&format!("  acr {}  amr {}", login.acr, login.amr.join(" ")));
            for (name, value) in claims {
                text.push_str(&format!(
                    "\n       {name}: {}",
                    output::harmless(&value.to_string())
                ));
            }
        }
        Ended::Refused(refusal) => {
            text.push('\n');
            text.push_str(&palette.paint(Mark::Bad, "no login"));
            text.push_str(&format!("  {}", refusal.code));
            if let Some(show) = &refusal.show {
                text.push_str(&format!("  shows {}", output::harmless(show)));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_stand_in_order_each_with_its_rule() {
        let journey = journey::template("kiosk").unwrap();
        let journey = journey::read(journey.text).unwrap();
        let case = r#"{"now":1,"request":{"client":"kiosk"},"answers":{"card":{"outcome":"no_credential"}}}"#;
        let simulation = journey::simulate(&journey, &serde_json::from_str(case).unwrap()).unwrap();
        let text = shown(&simulation, Palette::new(false));
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert!(lines[0].starts_with("kiosk 1 ("));
        assert_eq!(
            &lines[1..],
            [
                "  1  card               present   runs          card.when                    → …",
                "  2  card               present   no_credential card.on.no_credential        → help",
                "  3  help               deny      over          help.deny                    → deny:no_credential",
                "no login  no_credential  shows ask_the_staff",
            ]
        );
    }
}
