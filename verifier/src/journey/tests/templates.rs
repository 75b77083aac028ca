use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateCase {
    name: String,
    case: SimulatedCase,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    end: String,
    ran: Vec<String>,
    acr: Option<String>,
    amr: Option<Vec<String>>,
    claims: Option<serde_json::Map<String, Value>>,
}

#[test]
fn each_template_is_without_mistakes_and_ends_as_its_cases_say() {
    assert_eq!(templates().len(), 10);
    for template in templates() {
        let journey = read(template.text).unwrap_or_else(|m| panic!("{}: {m:?}", template.name));
        assert_eq!(journey.id, template.name);
        let cases: Vec<TemplateCase> = serde_json::from_str(template.cases).unwrap();
        assert!(cases.len() >= 3, "{}", template.name);
        for TemplateCase { name, case, expect } in cases {
            let name = format!("{}: {name}", template.name);
            let found = simulate(&journey, &case).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(end(&found.ended), expect.end, "{name}: {:#?}", found.trace);
            assert_eq!(ran(&found.trace), expect.ran, "{name}");
            if let Some(acr) = expect.acr {
                assert_eq!(login(&found).acr, acr, "{name}");
            }
            if let Some(amr) = expect.amr {
                assert_eq!(login(&found).amr, amr, "{name}");
            }
            if let Some(claims) = expect.claims {
                assert_eq!(found.claims, claims, "{name}");
            }
        }
    }
}

#[test]
fn a_template_is_found_by_its_name() {
    assert!(template("kiosk").is_some());
    assert!(template("../kiosk").is_none());
}

#[test]
fn pictures_are_xml_whose_text_is_only_text() {
    for template in templates() {
        let svg = draw(&read(template.text).unwrap());
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert_eq!(
            svg.matches("<rect class=\"b").count(),
            read(template.text).unwrap().steps.len()
        );
    }
    let evil = with_steps(
        "clients = ['<script>alert(1)</script>', '\"&']\n[[step]]\nid = \"a\"\nkind = \"deny\"\ncode = \"x\"\nwhen = '''request.client == \"</text><script>\"'''\n[[step]]\nid = \"b\"\nkind = \"deny\"\ncode = \"x\"\n",
    );
    let svg = draw(&read(&evil).unwrap());
    assert!(
        !svg.contains("<script") && svg.contains("&lt;script&gt;"),
        "{svg}"
    );
}
