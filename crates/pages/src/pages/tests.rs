//! What every page keeps to.

use super::*;

/// What the login pages show, each value between brackets.
const CONTEXT: &str = r#"{
    "app": "⟪App⟫", "app_host": "⟪app.example⟫", "purpose": "⟪Purpose⟫", "csrf": "c",
    "facts": ["⟪Fact⟫"], "stays_days": 3, "wallet_link": "⟪openid4vp:⟫", "qr": "<svg></svg>",
    "seconds": 60, "wrong": "unknown", "tries": 2, "number": 42, "browser": "⟪Browser⟫",
    "system": "⟪System⟫", "address": "⟪192.0.2.1⟫", "started_at": 1795443900,
    "reference": "⟪AB12⟫", "code": "⟪WDJB-MJHT⟫", "kind": "declined", "key": "finished",
    "for_device": true, "for_account": true, "external_id": true, "scanned": true, "qr_link": "/q", "again_link": "/a",
    "leave_link": "/l", "fields": [], "confirmation": "c", "refresh": 3,
    "enter_link": "/e", "confirm_link": "/c", "number_link": "/n", "cancel_link": "/x",
    "identify_link": "/i", "link": "/k", "choices": [{"query": "q", "purpose": "⟪P⟫"}],
    "means": [{"kind": "credential", "type": "⟪T⟫", "created_at": 0, "remove_link": "/r"}],
    "here": "/h", "back_link": "/b", "action": "/f",
    "responsible": {"name": "⟪N⟫", "contact": "⟪C⟫", "policy": "⟪https:⟫", "address": "⟪A⟫",
        "country": "⟪NO⟫", "storage": ["⟪NO⟫", "⟪DE⟫"], "recipients": ["⟪R⟫", "⟪S⟫"], "kept_days": 2, "expires_days": 11},
    "agree_link": "/g", "notice": "n",
    "attributes": [{"name": "a", "id": "i", "field": "value", "label": "⟪L⟫", "known": true, "kind": "text", "longest": 5,
        "typed": "⟪v⟫", "wrong": "too-long", "purpose": "⟪P⟫", "keep_days": 3, "source": "self", "agreed_at": 0,
        "expires_at": 1, "shown": "⟪v⟫", "save_link": "/s", "remove_link": "/r"},
        {"name": "b", "id": "j", "field": "value", "label": "⟪L⟫", "kind": "bool", "typed": "yes", "purpose": "⟪P⟫",
        "keep_days": 1, "save_link": "/s"},
        {"name": "c", "id": "k", "field": "value", "label": "⟪L⟫", "kind": "choice", "typed": "", "purpose": "⟪P⟫",
        "options": [{"value": "o", "label": "⟪O⟫", "chosen": true}], "keep_days": 2, "known": true, "source": "wallet",
        "assurance": "⟪https://i⟫", "agreed_at": 0, "expires_at": 1, "yes_no": true, "yes": true, "remove_link": "/r"},
        {"name": "d", "id": "l", "field": "value", "label": "⟪L⟫", "kind": "date", "typed": "", "purpose": "⟪P⟫",
        "first": "1900-01-01", "last": "2026-01-01", "keep_days": 9, "save_link": "/s"}],
    "ask_link": "/q", "turn": "3", "card_first": true, "card_failed": true,
    "ask_fields": [{"name": "a", "id": "i", "field": "value-a", "label": "⟪L⟫", "kind": "text", "longest": 5,
        "typed": "⟪v⟫", "wrong": "empty", "purpose": "⟪P⟫", "keep_days": 3, "card": true}],
    "export_link": "/e", "delete_link": "/d",
    "consents": [{"app": "⟪App⟫", "purpose": "⟪P⟫", "given_at": 0, "facts": ["⟪F⟫", "⟪G⟫"],
        "offline": true, "receipt": "⟪r⟫", "receipt_link": "/r", "signed_link": "/s", "history": [], "withdraw_link": "/w"},
        {"app": "⟪App⟫", "purpose": "⟪P⟫", "given_at": 0, "facts": ["⟪F⟫", "⟪G⟫"],
        "receipt": "⟪r⟫", "history": [{"state": "withdrawn", "at": 1}, {"state": "expired", "at": 1}, {"state": "replaced", "at": 1}, {"state": "revoked", "at": 1}]}],
    "sessions": [{"current": true, "auth_time": 0, "apps": ["⟪App⟫", "⟪App⟫"], "end_link": "/e"},
        {"away": true, "auth_time": 0, "end_link": "/e"}]
}"#;

#[test]
fn a_message_page_is_escaped_and_speaks_the_language() {
    let pages = Pages::new().unwrap();
    let context = serde_json::json!({
        "title": "<script>alert(1)</script>",
        "message": "a & b",
        "reference": "AB12CD",
    });
    let Html(page) = pages.render("message", Locale::De, context).unwrap();
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>alert"));
    assert!(page.contains("lang=\"de\" dir=\"ltr\"") && page.contains("AB12CD"));
}

#[test]
fn a_page_runs_in_the_direction_of_its_language() {
    let pages = Pages::new().unwrap();
    let context = serde_json::json!({"title": "t", "message": "m"});
    for locale in Locale::ALL {
        let Html(page) = pages.render("message", locale, &context).unwrap();
        let start = format!("<html lang=\"{locale}\" dir=\"{}\">", locale.direction());
        assert!(page.contains(&start), "{locale}: {page}");
    }
}

/// The wallet lets a person choose; each language stands there under its own name.
#[test]
fn every_language_can_be_chosen() {
    let pages = Pages::new().unwrap();
    let context = serde_json::json!({"issuers": [], "csrf": "c"});
    let Html(page) = pages
        .render("wallet/settings", Locale::En, context)
        .unwrap();
    for locale in Locale::ALL {
        let button = format!(
            "value=\"{locale}\" lang=\"{locale}\">{}<",
            locale.own_name()
        );
        assert!(page.contains(&button), "{locale}: {page}");
    }
}

/// A pseudo-locale: each text stands between brackets, each value of a context between others.
/// What is outside of both was written into a template and stays English everywhere.
#[test]
fn nothing_on_the_login_pages_escapes_translation() {
    let pages = Pages::with_texts(Catalogue::shared().unwrap(), |text| format!("⟦{text}⟧"));
    let pages = pages.unwrap();
    let context = |more: serde_json::Value| {
        let mut all: serde_json::Map<_, _> = serde_json::from_str(CONTEXT).unwrap();
        all.extend(more.as_object().cloned().unwrap_or_default());
        all
    };
    for (name, more) in [
        ("choose", serde_json::json!({})),
        ("qr", serde_json::json!({})),
        ("qr", serde_json::json!({"scanned": false})),
        ("number", serde_json::json!({})),
        ("number_shown", serde_json::json!({})),
        ("failed", serde_json::json!({})),
        ("failed", serde_json::json!({"leave_csrf": "c"})),
        ("message", serde_json::json!({})),
        ("account", serde_json::json!({})),
        ("agree", serde_json::json!({})),
        ("agree", serde_json::json!({"guest": true})),
        ("account", serde_json::json!({"consents": []})),
        ("ask", serde_json::json!({})),
        ("ask", serde_json::json!({"card_first": false})),
        (
            "ask",
            serde_json::json!({"offered": {"label": "⟪L⟫", "shown": "⟪v⟫", "assurance": "⟪i⟫",
            "purpose": "⟪P⟫", "keep_days": 2}}),
        ),
        ("ask_wallet", serde_json::json!({})),
        ("account_delete", serde_json::json!({})),
        ("identify", serde_json::json!({})),
        ("link", serde_json::json!({})),
        ("message", serde_json::json!({"key": "linked"})),
        ("message", serde_json::json!({"key": "link-over"})),
        ("message", serde_json::json!({"key": "link-stopped"})),
        ("failed", serde_json::json!({"kind": "unmatched"})),
        ("failed", serde_json::json!({"kind": "unlinked"})),
        ("failed", serde_json::json!({"kind": "invitation-over"})),
        ("logout", serde_json::json!({})),
        ("device", serde_json::json!({})),
        ("device_confirm", serde_json::json!({})),
        ("form_post", serde_json::json!({})),
        (
            "choose",
            serde_json::json!({"passkey_link": "/p", "passkey_challenge": "/c"}),
        ),
        ("choose", serde_json::json!({"passkey_card": true})),
        (
            "identify",
            serde_json::json!({"typed": true, "passkey_link": "/p", "passkey_challenge": "/c"}),
        ),
        (
            "passkey",
            serde_json::json!({"passkey_link": "/p", "passkey_challenge": "/c", "passkey_refused": true}),
        ),
        ("account", serde_json::json!({"passkeys": true})),
        (
            "account",
            serde_json::json!({"authenticator": {"add_link": "/a"}}),
        ),
        (
            "account",
            serde_json::json!({"authenticator": {"created_at": 0, "used_at": 1, "remove_link": "/r"}}),
        ),
        (
            "code",
            serde_json::json!({"code_link": "/c", "wrong": true}),
        ),
        (
            "authenticator",
            serde_json::json!({"confirm_link": "/c", "begun": "b", "app_link": "otpauth://totp/x", "secret": "⟪AB⟫"}),
        ),
        ("failed", serde_json::json!({"kind": "code"})),
        (
            "account",
            serde_json::json!({"holds": [{"app": "⟪Shop⟫", "ends_at": 0, "cancel_link": "/h"}]}),
        ),
        (
            "new_passkey",
            serde_json::json!({"passkey_link": "/p", "passkey_challenge": "/c", "passkey_refused": true}),
        ),
        (
            "wait",
            serde_json::json!({"until": 0, "last": 1, "link": "⟪https://l⟫", "cancel_link": "/n"}),
        ),
    ] {
        let name = format!("verifier/{name}");
        for locale in Locale::ALL {
            let page = pages.render(&name, locale, context(more.clone()));
            let Html(page) = page.unwrap_or_else(|e| panic!("{name}: {e:?}"));
            let words = untranslated(&page);
            assert!(words.is_empty(), "{name} in {locale}: {words:?}");
        }
    }
}

/// What the wallet's pages show.
const WALLET: &str = r#"{
    "csrf": "c", "wallet_name": "⟪Ada⟫", "guarded": true, "session": "s", "next": "/", "minutes": 2,
    "invitation": "i", "shortest": 8, "fingerprint": "⟪AB⟫", "wallet": "https://w", "host": "⟪h⟫",
    "title": "⟪t⟫", "message": "⟪m⟫", "reference": "⟪r⟫", "issuers": ["⟪https://i⟫"], "asks_statuses": true, "unreadable": ["a"], "added": true, "later": true,
    "card": {"id": "a", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "facts": [{"label": "⟪l⟫", "value": "⟪v⟫"}],
        "added_at": 0, "expires_at": 1, "fresh": 3, "copies": 9, "soon": true, "status": {"state": "revoked", "at": 1}},
    "cards": [{"id": "a", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "facts": [], "expired": true},
        {"id": "c", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "facts": [], "status": {"state": "revoked", "at": 1}},
        {"id": "d", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "facts": [], "status": {"state": "suspended", "at": 1}},
        {"id": "e", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "facts": [], "status": {"state": "unclear", "at": 1}},
        {"id": "f", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "facts": [], "soon": true},
        {"id": "b", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "facts": [{"label": "⟪l⟫", "value": "⟪v⟫"}], "expires_at": 1}],
    "offer": {"issuer": "⟪Club⟫", "host": "⟪h⟫", "trust": "listed", "sign_in": true, "code_missing": true,
        "tx_code": {"numeric": true, "description": "⟪d⟫"}, "cards": [{"title": "⟪Card⟫", "facts": ["⟪f⟫"]}]},
    "consent": {"verifier": {"name": "⟪Shop⟫", "host": "⟪h⟫", "calls_itself": "⟪x⟫", "trust": {"reason": "certificate"}},
        "approvals": [{"amount": "⟪1.00⟫", "currency": "⟪EUR⟫", "payee": "⟪Shop⟫", "reference": "⟪7⟫"}],
        "purpose": "⟪p⟫"}, "incomplete": true,
    "questions": [{"id": "q", "optional": true, "cards": [{"credential": "a", "title": "⟪Card⟫", "issuer": "⟪Club⟫",
        "choice": "checkbox", "learns": [{"label": "⟪l⟫", "value": "⟪v⟫", "always": true}], "keeps": ["⟪k⟫"], "linkable": true, "status": {"state": "suspended", "at": 1}},
        {"credential": "b", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "learns": [], "keeps": [], "status": {"state": "not_checked", "at": 1}},
        {"credential": "c", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "learns": [], "keeps": [], "status": {"state": "valid", "at": 1}, "soon": true},
        {"credential": "d", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "learns": [], "keeps": [], "status": {"state": "unclear"}}]},
        {"id": "r", "several": true, "cards": [{"credential": "a", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "learns": [], "keeps": []}]}],
    "parties": [{"name": "⟪Shop⟫", "host": "⟪h⟫"}, {"name": "⟪Club⟫", "host": "⟪i⟫"}], "party": "⟪h⟫", "export": "/history.json",
    "entry": {"id": "e", "at": 0, "kind": "presented", "party": "⟪Shop⟫", "host": "⟪h⟫", "purpose": "⟪p⟫",
        "cards": ["⟪Card⟫"], "facts": ["⟪f⟫", "⟪g⟫"], "result": "completed", "can_withdraw": true, "can_erase": true,
        "can_report": true},
    "entries": [{"id": "e", "at": 0, "kind": "presented", "party": "⟪Shop⟫", "host": "⟪h⟫", "cards": ["⟪Card⟫"],
        "facts": ["⟪f⟫", "⟪g⟫"], "result": "completed", "can_withdraw": true},
        {"id": "f", "at": 0, "kind": "issued", "party": "⟪Club⟫", "host": "⟪i⟫", "cards": [], "facts": [], "result": "failed",
        "code": "⟪c⟫", "withdrawn_at": 1}, {"id": "g", "at": 0, "kind": "deleted", "party": "⟪Club⟫", "host": "⟪i⟫", "cards": [],
        "facts": [], "result": "unknown"}],
    "waiting": [{"id": "a", "title": "⟪Card⟫", "issuer": "⟪Club⟫", "since": 0, "credential_issuer": "⟪https://i⟫"}], "new": 1, "here_already": 2, "count_waiting": 3, "history": 4,
    "kind": "erase", "text": "⟪text⟫", "mail": "mailto:?a", "shown": true
}"#;

#[test]
fn nothing_on_the_wallets_pages_escapes_translation() {
    let pages = Pages::with_texts(Catalogue::shared().unwrap(), |text| format!("⟦{text}⟧"));
    let pages = pages.unwrap();
    let nothing = serde_json::json!({
        "card": {"id": "a", "title": "⟪C⟫", "issuer": "⟪I⟫", "facts": [], "added_at": 0, "expired": true, "fresh": 0, "copies": 0},
        "cards": [], "waiting": [], "entries": [], "parties": [], "issuers": [], "questions": [], "shown": false, "kind": "report",
        "wallet_name": null, "guarded": false, "asks_statuses": false, "unreadable": [], "incomplete": false,
        "offer": {"issuer": "⟪C⟫", "host": "⟪h⟫", "trust": "confirmed", "cards": []},
        "consent": {"verifier": {"name": "⟪S⟫", "host": "⟪h⟫", "trust": {"reason": "origin"}}, "approvals": []},
        "entry": {"id": "e", "at": 0, "kind": "issued", "party": "⟪S⟫", "host": "⟪h⟫", "cards": [], "facts": [],
            "result": "declined", "withdrawn_at": 1},
    });
    let names: Vec<_> = TEMPLATES.get_dir("wallet").unwrap().files().collect();
    assert!(names.len() > 15);
    for file in names {
        let name = file.path().with_extension("");
        let name = name.to_str().unwrap();
        // Parts of pages, and what is no page.
        if ["text", "layout", "door"]
            .iter()
            .any(|part| name == format!("wallet/{part}"))
        {
            continue;
        }
        for problem in [
            None,
            Some("short"),
            Some("differs"),
            Some("long"),
            Some("wrong"),
            Some("wait"),
            Some("broken"),
        ] {
            for less in [false, true] {
                let mut all: serde_json::Map<_, _> = serde_json::from_str(WALLET).unwrap();
                all.extend(
                    less.then(|| nothing.as_object().cloned())
                        .flatten()
                        .unwrap_or_default(),
                );
                all.insert("problem".to_owned(), problem.into());
                for locale in Locale::ALL {
                    let page = pages.render(name, locale, &all);
                    let Html(page) = page.unwrap_or_else(|e| panic!("{name}: {e:?}"));
                    let mut words = untranslated(&page);
                    // A language is called by its own name everywhere.
                    words.retain(|word| Locale::ALL.iter().all(|one| one.own_name() != word));
                    assert!(words.is_empty(), "{name} in {locale}: {words:?}");
                    assert!(
                        !page.replace("fill=\"none\"", "").contains("none\""),
                        "{name}: nothing is written as a word"
                    );
                }
            }
        }
    }
}

/// The same of the templates alone, all of them.
#[test]
fn no_template_holds_words_of_its_own() {
    fn walk(folder: &Dir<'_>, found: &mut Vec<String>) {
        for file in folder.files() {
            let source = file.contents_utf8().unwrap();
            // Attributes that a template or a layout puts together are no words.
            let source = without(source, "{% set marks %}", "{% endset %}");
            let source = without(&source, "{% block main_attributes %}", "{% endblock %}");
            let source = without(&source, "{%", "%}");
            let source = without(&source, "{{", "}}");
            let words = untranslated(&source);
            found.extend(
                words
                    .iter()
                    .map(|word| format!("{:?}: {word}", file.path())),
            );
        }
        for inner in folder.dirs() {
            walk(inner, found);
        }
    }
    let mut found = Vec::new();
    walk(&TEMPLATES, &mut found);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(untranslated("<p>Hello <b>x</b></p>"), ["Hello", "x"]);
    assert_eq!(untranslated("<a aria-label=\"Close\">⟦ok⟧</a>"), ["Close"]);
}

/// Words outside of the brackets, in texts and in attributes that are read to a person. Names
/// that are the same in every language are none.
fn untranslated(html: &str) -> Vec<String> {
    let mut read = String::new();
    let mut rest = html;
    while let Some((text, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').unwrap_or((tag, ""));
        read.push_str(text);
        for name in ["aria-label", "title", "alt", "placeholder"] {
            let value = tag.split_once(&format!(" {name}=\""));
            let value = value.and_then(|(_, value)| value.split('"').next());
            read.push(' ');
            read.push_str(value.unwrap_or_default());
        }
        rest = after;
    }
    read.push_str(rest);
    outside(&without(&read, "⟪", "⟫"))
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !["", "Vouchsafe", "UserInfo", "doctype"].contains(word))
        .map(str::to_owned)
        .collect()
}

/// `text` without what stands between brackets; a time stands inside of a sentence in its own.
fn outside(text: &str) -> String {
    let mut depth = 0_usize;
    let kept = text.chars().filter(|c| {
        match c {
            '⟦' => depth += 1,
            '⟧' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    });
    kept.collect()
}

/// `text` without what stands from `open` to `close`, as often as it does.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, inner)) = rest.split_once(open) {
        kept.push_str(before);
        rest = inner.split_once(close).map_or("", |(_, after)| after);
    }
    kept + rest
}

/// With `arbitrary_precision` of `serde_json` too: a time that the filter cannot read is an
/// error page in front of a person.
#[test]
fn a_time_in_a_context_is_written_in_words() {
    let mut pages = Pages::new().unwrap();
    let environment = Arc::get_mut(&mut pages.environment).unwrap();
    let template = "{{ at|datetime }}, {{ list[0] }}";
    environment.add_template("time.html", template).unwrap();
    let context = serde_json::json!({"at": 1_795_443_900, "list": [42]});
    let Html(page) = pages.render("time", Locale::En, context).unwrap();
    assert_eq!(page, "23 November 2026, 14:25 UTC, 42");
}

#[test]
fn times_are_written_in_words() {
    let catalogue = Catalogue::shared().unwrap();
    let text = date_time(&catalogue, Locale::En, 1_795_443_900).unwrap();
    assert_eq!(text, "23 November 2026, 14:25 UTC");
}

#[test]
fn times_are_written_as_each_language_writes_them() {
    let catalogue = Catalogue::shared().unwrap();
    for (locale, seconds, expected) in [
        (Locale::De, 1_795_443_900, "23. November 2026, 14:25 UTC"),
        (Locale::Fr, 1_795_443_900, "23 novembre 2026 à 14:25 UTC"),
        (Locale::Fr, 1_796_083_200, "1er décembre 2026 à 00:00 UTC"),
        (
            Locale::Es,
            1_795_443_900,
            "23 de noviembre de 2026, 14:25 UTC",
        ),
        (Locale::It, 1_795_443_900, "23 novembre 2026, ore 14:25 UTC"),
        (
            Locale::Ar,
            1_795_443_900,
            "23 نوفمبر 2026، الساعة 14:25 بتوقيت UTC",
        ),
    ] {
        let text = date_time(&catalogue, locale, seconds).unwrap();
        assert_eq!(
            text.replace(['\u{2068}', '\u{2069}'], ""),
            expected,
            "{locale}"
        );
    }
}

/// A key that a template names but the catalogue lacks would be an error
/// page in front of a person.
#[test]
fn every_text_that_a_template_names_exists() {
    fn walk(
        folder: &Dir<'_>,
        keys: &std::collections::BTreeSet<String>,
        missing: &mut Vec<String>,
    ) {
        for file in folder.files() {
            let source = file.contents_utf8().unwrap_or_default();
            for part in source.replace("asset(\"", "").split("t(\"").skip(1) {
                let key = part.split('"').next().unwrap_or_default();
                let dynamic = part[key.len()..]
                    .trim_start_matches('"')
                    .trim_start()
                    .starts_with('~');
                if !dynamic && !keys.contains(key) {
                    missing.push(format!("{}: {key}", file.path().display()));
                }
            }
        }
        for inner in folder.dirs() {
            walk(inner, keys, missing);
        }
    }
    let mut missing = Vec::new();
    walk(&TEMPLATES, &Catalogue::keys(Locale::En), &mut missing);
    assert!(missing.is_empty(), "{missing:?}");
}
