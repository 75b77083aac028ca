//! A picture of a journey: SVG without scripts or anything from elsewhere.
//!
//! Steps stand below each other in the order of the file. Ways to a step further down or up run in
//! lanes on the left; refusals stand on the right of their step.

use std::fmt::Write;

use super::lint::{may_be_skipped, run_edges};
use super::model::{Journey, Step, StepKind, Target};

const BOX_W: usize = 320;
const BOX_H: usize = 54;
const CONDITION_H: usize = 18;
const PILL_H: usize = 22;
const GAP: usize = 38;
const LANE_W: usize = 14;
const LABEL_W: usize = 156;
const PILL_W: usize = 250;
const MARGIN: usize = 24;
const TITLE_H: usize = 64;
/// The longest condition that is shown, in characters.
const CONDITION: usize = 39;

const STYLE: &str = "\
.j{--paper:#faf8f4;--surface:#fff;--ink:#1b2130;--soft:#555d70;--line:#dcd8cf;--act:#0b5d5e;--ok:#1d7246;--stop:#b3261e}\
@media(prefers-color-scheme:dark){.j{--paper:#12151c;--surface:#1a1f29;--ink:#e9ebf1;--soft:#aab2c5;--line:#2c3442;--act:#67cdc6;--ok:#6fcf97;--stop:#ff8a80}}\
.j text{font:14px system-ui,sans-serif;fill:var(--ink)}.j .t{font-size:20px;font-weight:600}.j .s{fill:var(--soft);font-size:12px}\
.j .n{font-weight:600}.j .c{font:12px ui-monospace,monospace;fill:var(--soft)}\
.j .b{fill:var(--surface);stroke:var(--line);stroke-width:1.5}.j .f{stroke:var(--ok)}.j .d{stroke:var(--stop)}\
.j .p{fill:none;stroke:var(--stop);stroke-opacity:.5}.j .x{fill:var(--stop);font-size:12px}\
.j .w{fill:none;stroke:var(--soft);stroke-width:1.5}.j .k{stroke-dasharray:4 4}.j .h{fill:var(--soft)}.j .o{fill:var(--act);font-size:12px}";

struct Row {
    y: usize,
    height: usize,
    /// Of the box.
    step: usize,
    /// Where ways from elsewhere come in: below those that leave.
    way_in: usize,
}

/// A way to a step that is not the following one.
struct Way {
    from: usize,
    to: usize,
    label: String,
    lane: usize,
}

/// Draws a journey.
#[must_use]
pub fn draw(journey: &Journey) -> String {
    let rows = rows(journey);
    let ways = ways(journey);
    let lanes = ways.iter().map(|way| way.lane + 1).max().unwrap_or(0);
    let left = MARGIN
        + if lanes == 0 {
            0
        } else {
            lanes * LANE_W + LABEL_W
        };
    let width = left + BOX_W + PILL_W + 2 * MARGIN;
    let height = rows.last().map_or(TITLE_H, |row| row.y + row.height) + MARGIN;
    let mut svg = String::new();
    let title = escaped(&format!("{} {}", journey.id, journey.version));
    _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"j\" role=\"img\" aria-label=\"{title}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto-start-reverse\"><path class=\"h\" d=\"M0 0 8 4 0 8z\"/></marker></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"var(--paper)\"/>\n\
         <text class=\"t\" x=\"{left}\" y=\"32\">{}</text><text class=\"s\" x=\"{left}\" y=\"50\">{}</text>\n",
        escaped(&journey.id),
        escaped(&subtitle(journey)),
    );
    for (at, (step, row)) in journey.steps.iter().zip(&rows).enumerate() {
        forward(&mut svg, journey, &rows, at, left);
        step_box(&mut svg, step, row, left);
        refusals(&mut svg, step, at, row, left + BOX_W + MARGIN);
    }
    for (number, way) in ways.iter().enumerate() {
        draw_way(&mut svg, way, number, &ways, &rows, left);
    }
    svg.push_str("</svg>\n");
    svg
}

fn subtitle(journey: &Journey) -> String {
    let mut parts = vec![format!("version {}", journey.version)];
    if !journey.clients.is_empty() {
        parts.push(format!("for {}", journey.clients.join(", ")));
    }
    if !journey.after.is_empty() {
        parts.push(format!("after {}", journey.after.join(", ")));
    }
    if let Some(level) = journey.require_acr {
        parts.push(format!("at least {level}"));
    }
    if let Some(visits) = journey.limits.max_visits {
        parts.push(format!("each step at most {visits} times"));
    }
    parts.join(" · ")
}

fn rows(journey: &Journey) -> Vec<Row> {
    let mut y = TITLE_H + 8;
    let mut rows = Vec::with_capacity(journey.steps.len());
    for (at, step) in journey.steps.iter().enumerate() {
        let condition = if step.when.is_some() { CONDITION_H } else { 0 };
        let outs = ways_of(journey, at).len() * 15;
        let step_height = (BOX_H + condition).max(outs + 24);
        let height = step_height.max(denied(step, at).len() * PILL_H);
        rows.push(Row {
            y,
            height,
            step: step_height,
            way_in: y + 30.max(outs + 20),
        });
        y += height + GAP;
    }
    rows
}

/// The ways from a step, but for the one to the following step.
fn ways_of(journey: &Journey, from: usize) -> Vec<(String, usize)> {
    let mut ways: Vec<(String, usize)> = Vec::new();
    let Some(step) = journey.steps.get(from) else {
        return ways;
    };
    for (label, target) in run_edges(step, from) {
        let Target::Step(to) = target else { continue };
        if to == from + 1 {
            continue;
        }
        match ways.iter_mut().find(|way| way.1 == to) {
            Some(way) => way.0 = format!("{}, {label}", way.0),
            None => ways.push((label, to)),
        }
    }
    ways
}

fn ways(journey: &Journey) -> Vec<Way> {
    let mut ways: Vec<Way> = Vec::new();
    for from in 0..journey.steps.len() {
        for (label, to) in ways_of(journey, from) {
            let (top, bottom) = (from.min(to), from.max(to));
            let free = (0..).find(|lane| {
                ways.iter()
                    .filter(|way| way.lane == *lane)
                    .all(|way| way.from.max(way.to) < top || way.from.min(way.to) > bottom)
            });
            let lane = free.unwrap_or_default();
            ways.push(Way {
                from,
                to,
                label,
                lane,
            });
        }
    }
    ways
}

/// The arrow to the following step, with what it means.
fn forward(svg: &mut String, journey: &Journey, rows: &[Row], at: usize, left: usize) {
    let (Some(step), Some(row), Some(next)) =
        (journey.steps.get(at), rows.get(at), rows.get(at + 1))
    else {
        return;
    };
    let mut labels: Vec<String> = run_edges(step, at)
        .into_iter()
        .filter(|(_, to)| *to == Target::Step(at + 1))
        .map(|(label, _)| label)
        .collect();
    let skipped = may_be_skipped(step);
    if labels.is_empty() && !skipped {
        return;
    }
    let only_skipped = labels.is_empty();
    if skipped {
        labels.push("otherwise".to_owned());
    }
    if labels == ["ok"] {
        labels.clear();
    }
    let x = left + BOX_W / 2;
    let (from, to) = (row.y + row.step, next.y);
    let dashed = if only_skipped { " k" } else { "" };
    _ = writeln!(
        svg,
        "<path class=\"w{dashed}\" marker-end=\"url(#a)\" d=\"M{x} {from}V{to}\"/><text class=\"o\" x=\"{}\" y=\"{}\">{}</text>",
        x + 10,
        to - GAP / 2 + 4,
        escaped(&labels.join(", ")),
    );
}

fn step_box(svg: &mut String, step: &Step, row: &Row, left: usize) {
    let height = row.step;
    let class = match &step.kind {
        StepKind::Finish { .. } => "b f",
        StepKind::Deny { .. } => "b d",
        _ => "b",
    };
    let detail = shortened(&detail(&step.kind), 44);
    let (x, y) = (left + 16, row.y);
    _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{left}\" y=\"{y}\" width=\"{BOX_W}\" height=\"{height}\" rx=\"12\"/>\
         <text class=\"n\" x=\"{x}\" y=\"{}\">{}</text><text class=\"s\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
         <text class=\"s\" x=\"{x}\" y=\"{}\">{}</text>",
        y + 22,
        escaped(&step.id),
        left + BOX_W - 16,
        y + 22,
        step.kind.name(),
        y + 41,
        escaped(&detail),
    );
    if let Some(when) = &step.when {
        let text: Vec<&str> = when.source().split_whitespace().collect();
        let text = shortened(&text.join(" "), CONDITION - 3);
        _ = writeln!(
            svg,
            "<text class=\"c\" x=\"{x}\" y=\"{}\">if {}</text>",
            y + 59,
            escaped(&text)
        );
    }
}

fn detail(kind: &StepKind) -> String {
    use super::model::{Channel, Question};
    match kind {
        StepKind::Identify { accept } => accept.iter().copied().collect::<Vec<_>>().join(", "),
        StepKind::Present(present) => {
            let question = match &present.question {
                Question::Named(name) => format!("query {name}"),
                Question::Dcql(query) => {
                    let ids = query.credentials().iter();
                    ids.map(|entry| entry.id().as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                }
            };
            let channels = present.channels.iter().map(|channel| match channel {
                Channel::DcApi => "browser",
                Channel::SameDevice => "this device",
                Channel::Qr => "QR",
            });
            let channels: Vec<&str> = channels.collect();
            match channels.as_slice() {
                [] => question,
                channels => format!("{question} · {}", channels.join(", ")),
            }
        }
        StepKind::Passkey { register: true } => "a new one".to_owned(),
        StepKind::Passkey { register: false } | StepKind::Totp => String::new(),
        StepKind::Upstream { providers } => providers.join(", "),
        StepKind::Ask(ask) => {
            let names = ask.fields.iter().map(|field| field.name.as_str());
            names.collect::<Vec<_>>().join(", ")
        }
        StepKind::Consent { receipt: true } => "with a receipt".to_owned(),
        StepKind::Consent { receipt: false } => String::new(),
        StepKind::Risk { model } => model.clone(),
        StepKind::Decide { cases } => {
            let cases = cases.iter().map(|case| case.when.source());
            cases.collect::<Vec<_>>().join(" | ")
        }
        StepKind::Webhook { url, .. } => url.clone(),
        StepKind::Link { means } => means.clone(),
        StepKind::Issue { credential_type } => credential_type.clone(),
        StepKind::Notify {
            notify,
            revoke,
            emit,
        } => {
            let told: Vec<&str> = notify.iter().chain(emit).map(String::as_str).collect();
            match revoke.as_slice() {
                [] => told.join(", "),
                revoke => format!("ends {} · {}", revoke.join(", "), told.join(", ")),
            }
        }
        StepKind::Wait { seconds, .. } => format!("{seconds} s"),
        StepKind::Deny { code, .. } => code.clone(),
        StepKind::Finish { claims } => claims.keys().cloned().collect::<Vec<_>>().join(", "),
    }
}

/// The refusals that are written at a step: outcomes by their code.
fn denied(step: &Step, at: usize) -> Vec<(String, String)> {
    let mut denied: Vec<(String, String)> = Vec::new();
    for (label, target) in run_edges(step, at) {
        let Target::Deny(code) = target else { continue };
        match denied.iter_mut().find(|(_, known)| *known == code) {
            Some((labels, _)) => *labels = format!("{labels}, {label}"),
            None => denied.push((label, code)),
        }
    }
    denied
}

fn refusals(svg: &mut String, step: &Step, at: usize, row: &Row, left: usize) {
    for (number, (labels, code)) in denied(step, at).iter().enumerate() {
        let y = row.y + number * PILL_H;
        let text = if labels == code {
            code.clone()
        } else {
            format!("{labels} → {code}")
        };
        _ = writeln!(
            svg,
            "<rect class=\"p\" x=\"{left}\" y=\"{}\" width=\"{PILL_W}\" height=\"{}\" rx=\"9\"/><text class=\"x\" x=\"{}\" y=\"{}\">{}</text>",
            y + 1,
            PILL_H - 4,
            left + 10,
            y + 14,
            escaped(&shortened(&text, 36)),
        );
    }
}

fn draw_way(svg: &mut String, way: &Way, number: usize, ways: &[Way], rows: &[Row], left: usize) {
    let (Some(from), Some(to)) = (rows.get(way.from), rows.get(way.to)) else {
        return;
    };
    let earlier = ways[..number].iter();
    let earlier = earlier.filter(|other| other.from == way.from).count();
    let y1 = from.y + 18 + earlier * 15;
    let y2 = to.way_in;
    let x = left - LABEL_W - way.lane * LANE_W;
    // Rounded corners of 6.
    let (start, b) = if y2 > y1 {
        (y1 + 6, y2 - 6)
    } else {
        (y1 - 6, y2 + 6)
    };
    _ = writeln!(
        svg,
        "<path class=\"w\" marker-end=\"url(#a)\" d=\"M{left} {y1}H{h}Q{x} {y1} {x} {start}V{b}Q{x} {y2} {h} {y2}H{end}\"/>\
         <text class=\"o\" x=\"{tx}\" y=\"{ty}\" text-anchor=\"end\">{label}</text>",
        h = x + 6,
        end = left - 2,
        tx = left - 6,
        ty = y1 - 3,
        label = escaped(&shortened(&way.label, 24)),
    );
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let start: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{start}…")
}

/// Text of a file in XML: no markup, no control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
