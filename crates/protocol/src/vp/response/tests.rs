use proptest::prelude::*;
use serde_json::json;
use url::Url;

use super::*;
use crate::http::UrlRule;

const STRICT: UrlRule = UrlRule::PublicHttps;

fn parse(body: &str) -> Result<PostedResponse, FormError> {
    PostedResponse::parse(body.as_bytes())
}

#[test]
fn encrypted_responses_round_trip() {
    let sent = EncryptedResponse::new("a.b.c.d.e".to_owned());
    assert_eq!(
        parse(&sent.to_form()),
        Ok(PostedResponse::Encrypted(sent.clone()))
    );
    assert_eq!(format!("{sent:?}"), "EncryptedResponse(…)");
    let with_more = format!("future=1&{}", sent.to_form());
    assert_eq!(parse(&with_more), Ok(PostedResponse::Encrypted(sent)));
}

/// What stands beside a response is compared with the transaction, not dropped.
#[test]
fn a_state_beside_a_response_is_kept() {
    let read = |body: &str| match parse(body).unwrap() {
        PostedResponse::Encrypted(response) => response.state_beside().cloned(),
        PostedResponse::Error(_) => panic!("an error"),
    };
    assert_eq!(read("response=a.b.c.d.e"), None);
    let state = State::parse("s-1").unwrap();
    assert_eq!(read("response=a.b.c.d.e&state=s-1"), Some(state));
    let malformed = parse("response=a.b.c.d.e&state=%20");
    assert_eq!(malformed, Err(FormError::State));
}

#[test]
fn errors_round_trip_with_their_state() {
    let reply_to = ReplyTo {
        response_uri: Url::parse("https://verifier.example/r").unwrap(),
        state: Some(State::parse("s-1").unwrap()),
    };
    for code in ErrorCode::ALL {
        let read = parse(&error_form(code, &reply_to)).unwrap();
        let expected = WalletError {
            code: Some(code),
            state: reply_to.state.clone(),
        };
        assert_eq!(read, PostedResponse::Error(expected));
    }
    let unknown = parse("error=tea_time").unwrap();
    let expected = WalletError {
        code: None,
        state: None,
    };
    assert_eq!(unknown, PostedResponse::Error(expected));
}

#[test]
fn cat_301_unencrypted_presentations_are_refused() {
    assert_eq!(
        parse("vp_token=%7B%7D&state=s"),
        Err(FormError::NotEncrypted)
    );
    assert_eq!(
        parse("response=a.b.c.d.e&vp_token=%7B%7D"),
        Err(FormError::NotEncrypted)
    );
    assert_eq!(
        parse("error=x&vp_token=%7B%7D"),
        Err(FormError::NotEncrypted)
    );
}

#[test]
fn bodies_that_are_refused() {
    for (body, error) in [
        ("", FormError::NeitherResponseNorError),
        ("state=s", FormError::NeitherResponseNorError),
        ("response=a&error=b", FormError::NeitherResponseNorError),
        ("response=a&response=a", FormError::DuplicateParameter),
        ("error=a&error=a", FormError::DuplicateParameter),
        ("error=a&state=b&state=b", FormError::DuplicateParameter),
        ("error=a&state=b%20c", FormError::State),
        ("response=%FF", FormError::NotUtf8),
    ] {
        assert_eq!(parse(body), Err(error), "{body}");
    }
    let large = vec![b'a'; MAX_BODY_BYTES + 1];
    assert_eq!(PostedResponse::parse(&large), Err(FormError::TooLarge));
}

#[test]
fn answers_round_trip() {
    let answer = DirectPostAnswer {
        redirect_uri: Some(Url::parse("https://verifier.example/cb#response_code=x").unwrap()),
        consent_uri: Some(Url::parse("https://verifier.example/consents/t").unwrap()),
    };
    let body = answer.to_json().to_string();
    assert_eq!(DirectPostAnswer::parse(body.as_bytes(), STRICT), Ok(answer));
    let empty = DirectPostAnswer::parse(b"{\"future\":1}", STRICT);
    assert_eq!(empty, Ok(DirectPostAnswer::default()));
    assert_eq!(DirectPostAnswer::default().to_json(), json!({}));
}

#[test]
fn answers_that_are_refused() {
    for (body, error) in [
        ("", AnswerError::Json),
        ("[]", AnswerError::Json),
        ("{\"a\":1,\"a\":1}", AnswerError::Json),
        ("{\"redirect_uri\":1}", AnswerError::Url),
        ("{\"redirect_uri\":null}", AnswerError::Url),
        ("{\"redirect_uri\":\"/cb\"}", AnswerError::Url),
        (
            "{\"redirect_uri\":\"javascript:alert(1)\"}",
            AnswerError::Url,
        ),
        (
            "{\"redirect_uri\":\"http://verifier.example/\"}",
            AnswerError::Url,
        ),
        ("{\"consent_uri\":\"file:///etc\"}", AnswerError::Url),
    ] {
        assert_eq!(
            DirectPostAnswer::parse(body.as_bytes(), STRICT),
            Err(error),
            "{body}"
        );
    }
    let large = vec![b' '; MAX_ANSWER_BYTES + 1];
    assert_eq!(
        DirectPostAnswer::parse(&large, STRICT),
        Err(AnswerError::TooLarge)
    );
}

proptest! {
    #[test]
    fn bodies_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = PostedResponse::parse(&body);
        let _ = DirectPostAnswer::parse(&body, STRICT);
    }

    #[test]
    fn forms_never_panic(body in "((response|error|state|vp_token|x)=[a-zA-Z0-9.%&+-]{0,20}&?){0,4}") {
        let _ = parse(&body);
    }
}
