//! What the demo says when it runs.

use std::io::IsTerminal;

use vouchsafe_pages::qr;

use super::reach::{Addresses, Lan, Reach};
use super::services::Running;

/// Says where everything is.
#[expect(
    clippy::print_stdout,
    reason = "the addresses are this command's result"
)]
pub fn announce(running: &Running, json: bool) {
    let Addresses {
        shop,
        verifier,
        issuer,
        wallet,
        ..
    } = &running.addresses;
    if json {
        let mut line = serde_json::json!({ "shop": shop, "wallet": wallet, "verifier": verifier, "issuer": issuer, "issuer_api_key": running.api_key });
        if let Some(key) = &running.numbers_key {
            line["numbers"] = format!("{verifier}/admin").into();
            line["numbers_api_key"] = key.as_str().into();
        }
        if let Some(console) = &running.console {
            line["console"] = console.as_str().into();
        }
        if let Some(invitation) = &running.invitation {
            line["wallet_invitation"] = invitation.as_str().into();
        }
        if let (Reach::Lan(lan), Some(at)) = (&running.reach, running.addresses.authority) {
            line["authority"] = format!("http://{at}").into();
            line["authority_sha256"] = lan.fingerprint.as_str().into();
        }
        println!("{line}");
        return;
    }
    match &running.reach {
        Reach::Loopback => {
            println!("The demo is running on this machine alone. Nothing is kept when it ends.");
        }
        Reach::Lan(_) => println!(
            "The demo is running for everybody in this network. Nothing is kept when it ends."
        ),
        Reach::Public(_) => println!(
            "The demo is running for everybody whom the proxy lets through. Nothing is kept when it ends."
        ),
    }
    println!();
    println!("  shop              {shop}    start here: \"Get one at the club\", then come back");
    println!("  wallet            {wallet}    your cards, and who saw what");
    println!("  sign-in service   {verifier}/account    what you agreed to");
    println!("  issuer            {issuer}/docs    the club's REST interface");
    if let Some(key) = &running.numbers_key {
        println!("  numbers           {verifier}/admin    how logins went; the key is {key}");
    }
    if let Some(console) = &running.console {
        println!(
            "  console           {console}    offers and cards at the club; the link works once"
        );
    }
    println!();
    match &running.reach {
        Reach::Loopback => {}
        Reach::Lan(lan) => explain_lan(lan, running),
        Reach::Public(_) => explain_proxy(&running.addresses),
    }
    if let Some(invitation) = &running.invitation {
        println!("Make the wallet, on the phone if you like: the link works until there is one.");
        println!();
        draw(invitation);
        println!("  {invitation}");
        println!();
    }
    println!(
        "Press Ctrl-C to end it. `vouchsafe demo --headless` plays the story without a browser."
    );
}

#[expect(
    clippy::print_stdout,
    reason = "the addresses are this command's result"
)]
fn explain_lan(lan: &Lan, running: &Running) {
    let Some(at) = running.addresses.authority else {
        return;
    };
    let page = format!("http://{at}");
    println!("A phone must trust the certificate of this demo first. Open this page on it:");
    println!();
    draw(&page);
    println!("  {page}");
    println!("  SHA-256 {}", lan.fingerprint);
    println!();
    println!(
        "The certificate works for {} alone, for a week; remove it afterwards.",
        lan.address
    );
    println!();
}

/// One proxy that people have, as an example.
#[expect(
    clippy::print_stdout,
    reason = "the addresses are this command's result"
)]
fn explain_proxy(addresses: &Addresses) {
    println!("Your proxy leads there, and keeps the name (as a Caddyfile):");
    println!();
    let names = [
        &addresses.shop,
        &addresses.verifier,
        &addresses.issuer,
        &addresses.wallet,
    ];
    for (name, at) in names.into_iter().zip(addresses.listen) {
        let name = name.trim_start_matches("https://");
        println!("  {name} {{ reverse_proxy {at} }}");
    }
    println!();
}

/// Dark on light, whatever the colours of the terminal are.
#[expect(clippy::print_stdout, reason = "the code is this command's result")]
fn draw(link: &str) {
    let Ok(blocks) = qr::blocks(link) else {
        return;
    };
    let (begin, end) = match std::io::stdout().is_terminal() {
        true => ("\u{1b}[38;5;16;48;5;231m", "\u{1b}[0m"),
        false => ("", ""),
    };
    for line in blocks.lines() {
        println!("  {begin}{line}{end}");
    }
    println!();
}
