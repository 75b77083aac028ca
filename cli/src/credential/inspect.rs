//! `vouchsafe credential inspect`: what a credential is, who says so, what it tells and what it
//! keeps, what is proven and what was not asked. In words for people.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::against::Against;
use super::explain::{Explanation, Fact, explain};
use super::format;
use super::output::{self, Mark, Palette, harmless};
use super::verify::{No, judge};

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The credential; standard input by default.
    input: Option<PathBuf>,
    #[command(flatten)]
    against: Against,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Explains.
pub async fn run(options: Options) -> Result<()> {
    let input = format::read(&super::read(options.input.as_deref())?)?;
    let mut explanation = explain(&input)?;
    let means = options.against.read()?;
    let (refusal, mut unchecked) = match judge(&input, &means).await {
        Ok(verdict) => {
            // A certificate says whose it is; the claims need not, and a presentation has them
            // inside.
            let proven = || verdict.issuers.join(", ");
            explanation.issuer = explanation.issuer.or_else(|| Some(proven()));
            (None, verdict.unchecked)
        }
        Err(refusal) => (Some(refusal), Vec::new()),
    };
    unchecked.push("whether you should believe who made it; that is for you to decide");
    if options.json {
        return output::json(&json!({
            "verified": refusal.is_none(),
            "code": refusal.map(|(code, _)| code),
            "notChecked": unchecked,
            "credential": explanation,
        }));
    }
    for line in lines(
        &explanation,
        refusal.as_ref(),
        &unchecked,
        Palette::of_terminal(),
    ) {
        output::line(&line)?;
    }
    Ok(())
}

/// The text.
fn lines(
    it: &Explanation,
    refusal: Option<&No>,
    unchecked: &[&str],
    palette: Palette,
) -> Vec<String> {
    let mut lines = Vec::new();
    let specific = |name: &&String| !name.starts_with("Verifiable");
    let kinds = it.kinds.iter().filter(specific).map(|name| harmless(name));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    let what = match kinds.is_empty() {
        true => "A card without a name of its own".to_owned(),
        false => kinds,
    };
    lines.push(palette.paint(Mark::Strong, &what));
    lines.push(palette.paint(Mark::Soft, &format!("  format: {}", harmless(&it.format))));
    let issuer = it
        .issuer
        .as_deref()
        .map_or_else(|| "not said".to_owned(), harmless);
    lines.push(format!("  who says so: {issuer}"));
    if let Some(presenter) = &it.presenter {
        lines.push(format!("  who shows it: {}", harmless(presenter)));
    }
    lines.push(format!("  {}", period(it)));
    lines.push(String::new());
    lines.push(palette.paint(Mark::Strong, "Whoever sees it learns"));
    if it.shown.is_empty() {
        lines.push("  nothing that can be read here".to_owned());
    }
    for Fact {
        name,
        value,
        optional,
    } in &it.shown
    {
        let note = match optional {
            true => palette.paint(Mark::Soft, "  (could be left out)"),
            false => String::new(),
        };
        lines.push(format!("  {}: {}{note}", harmless(name), short(value)));
    }
    if it.hidden > 0 {
        let hidden = format!("  kept back: {}", output::more_facts(it.hidden));
        lines.push(palette.paint(Mark::Good, &hidden));
    }
    lines.push(String::new());
    lines.push(palette.paint(Mark::Strong, "What is proven"));
    match refusal {
        None => {
            let text = "  it is unchanged since its maker signed it, and in force today";
            lines.push(palette.paint(Mark::Good, text));
        }
        Some((code, why)) => {
            let text = format!("  nothing: the check ended with {code}");
            lines.push(palette.paint(Mark::Bad, &text));
            lines.push(format!("  {}", harmless(&format!("{why:#}"))));
        }
    }
    if it.bound_to_key {
        lines.push("  it belongs to one key: who copies it cannot show it as theirs".to_owned());
    }
    lines.push(String::new());
    lines.push(palette.paint(Mark::Strong, "What was not checked"));
    for what in unchecked {
        lines.push(palette.paint(Mark::Warn, &format!("  {what}")));
    }
    lines
}

/// A value in one line of the terminal: of a picture, its beginning.
fn short(value: &str) -> String {
    const LONGEST: usize = 160;
    let mut characters = value.chars();
    let start: String = characters.by_ref().take(LONGEST).collect();
    match characters.count() {
        0 => harmless(&start),
        more => format!("{}… and {more} more characters", harmless(&start)),
    }
}

fn period(it: &Explanation) -> String {
    match (&it.from, &it.until) {
        (None, None) => "in force: no end is given".to_owned(),
        (Some(from), None) => format!("in force: from {}, no end", harmless(from)),
        (None, Some(until)) => format!("in force: until {}", harmless(until)),
        (Some(from), Some(until)) => {
            format!(
                "in force: from {} until {}",
                harmless(from),
                harmless(until)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_does_not_flood_the_terminal() {
        assert_eq!(short(&"ä".repeat(160)), "ä".repeat(160));
        let long = short(&"ä".repeat(100_000));
        assert_eq!(long, "ä".repeat(160) + "… and 99840 more characters");
    }

    #[test]
    fn a_credential_is_explained_without_words_of_the_field() {
        let document = json!({
            "type": ["VerifiableCredential", "MembershipCredential"],
            "issuer": {"id": "did:example:club"},
            "validUntil": "2030-01-01T00:00:00Z",
            "credentialSubject": {"name": "Ada\u{1b}[2J", "tier": "gold"}
        });
        let explanation = explain(&format::Input::Document(document)).unwrap();
        let text = lines(
            &explanation,
            Some(&("proof_missing", anyhow::anyhow!("no\u{1b} proof"))),
            &["x"],
            Palette::new(false),
        );
        let text = text.join("\n");
        assert!(text.starts_with("MembershipCredential\n"));
        assert!(text.contains("who says so: did:example:club"));
        assert!(text.contains("credentialSubject.tier: gold"));
        assert!(text.contains("nothing: the check ended with proof_missing"));
        assert!(
            !text.contains('\u{1b}'),
            "a credential cannot write to the terminal"
        );
        for word in ["presentation", "holder", "SD-JWT"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
