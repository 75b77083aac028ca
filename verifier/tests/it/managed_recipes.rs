//! The lines of the guide for administrators, as they are written there.

use std::collections::BTreeMap;

use axum::http::Method;

use crate::world::admin::{ADMINISTRATION, Admin, tag};
use crate::world::registrar::with_more;
use crate::world::steps::log_in;

const GUIDE: &str = include_str!("../../../docs/operating.md");

/// How a shell keeps the entity tag of an answer: what is before and behind the words of `curl`.
const TAG: (&str, &str) = ("TAG=$(curl", r" | sed -n 's/^etag: //Ip' | tr -d '\r')");

/// The words of a command as a shell reads them; `known` are its variables.
fn words(command: &str, known: &BTreeMap<&str, String>) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in command.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, c) if c.is_whitespace() => words.push(std::mem::take(&mut word)),
            (_, c) => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    let filled = |word: String| {
        let fill = |word: String, (name, value): (&&str, &String)| {
            word.replace(&format!("${name}"), value)
        };
        known.iter().fold(word, fill)
    };
    words.into_iter().map(filled).collect()
}

struct Recipe {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

fn recipe(words: &[String]) -> Recipe {
    let mut method = Method::GET;
    let (mut path, mut headers, mut body) = (String::new(), Vec::new(), None);
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-X" => method = words.next().unwrap().parse().unwrap(),
            "-H" => {
                let (name, value) = words.next().unwrap().split_once(": ").unwrap();
                headers.push((name.to_lowercase(), value.to_owned()));
            }
            "-si" => {}
            "-d" => body = words.next().cloned(),
            url => {
                path = url
                    .strip_prefix("https://login.example")
                    .unwrap()
                    .to_owned()
            }
        }
    }
    Recipe {
        method,
        path,
        headers,
        body,
    }
}

#[tokio::test]
async fn the_guide_for_administrators_is_followed_word_by_word() {
    let (_, section) = GUIDE.split_once("## Administration over REST\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```console\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    let commands: Vec<&str> = blocks
        .flat_map(|block| block.trim_start_matches("$ ").split("\n$ "))
        .map(str::trim_end)
        .filter(|command| command.starts_with("curl") || command.starts_with(TAG.0))
        .collect();
    assert_eq!(commands.len(), 6);
    with_more(ADMINISTRATION, async |world| {
        let admin = Admin::new(&world).await;
        let wallet = world.person("M-1").await;
        let shop = log_in(
            &mut world.browser(),
            &wallet,
            &world.shop(),
            "openid membership",
        )
        .await;
        let mut known = BTreeMap::from([("SUB", shop.sub().to_owned())]);
        for command in &commands {
            let reads_tag = command.strip_prefix(TAG.0).map(|command| {
                let curl = command.strip_suffix(TAG.1);
                format!("curl{}", curl.expect("the line of the header is cut out"))
            });
            let line = reads_tag.as_deref().unwrap_or(command);
            let recipe = recipe(&words(line, &known));
            let own = |(name, _): &&(String, String)| name != "authorization";
            let headers: Vec<(&str, &str)> = recipe
                .headers
                .iter()
                .filter(own)
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let request = (recipe.method.clone(), recipe.path.as_str());
            let answer = admin.send(request, &headers, recipe.body.as_deref()).await;
            assert!(answer.status.is_success(), "{command}: {}", answer.body);
            if reads_tag.is_some() {
                known.insert("TAG", tag(&answer));
            }
            if recipe.path.starts_with("/v1/sessions?") {
                let id = answer.json()["items"][0]["id"].as_str().unwrap().to_owned();
                known.insert("SESSION", id);
            }
        }
        assert_eq!(
            world
                .count("SELECT COUNT(*) FROM login_sessions WHERE ended_at IS NULL")
                .await,
            0
        );
    })
    .await;
}
