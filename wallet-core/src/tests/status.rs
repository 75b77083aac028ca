//! Whether issuers still stand by their cards.

use serde_json::json as value;
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::jws::{self, Header, TokenType};
use vouchsafe_credentials::sd_jwt_vc::IssuerKey;
use vouchsafe_credentials::status_list::{
    Bits, STATUS_LIST_CWT, Status, StatusCwtInput, StatusList, StatusRef, StatusTokenInput,
    sign_status_list, sign_status_list_cwt,
};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::http::{HttpResponse, Method};

use super::{Authority, Leaf, NOW, World, json};
use crate::WalletError;
use crate::credential::CredentialId;
use crate::status::{CardStatus, StatusFetch, StatusStep};
use crate::storage::{Collection, Storage as _};

mod looking;

const LIST: &str = "https://club.example.com/statuslists/1";

/// What the host of the list says.
struct Script {
    sub: &'static str,
    issued_at: UnixTime,
    expires_at: UnixTime,
    ttl_s: u32,
    statuses: &'static [(u64, Status)],
}

impl Default for Script {
    fn default() -> Self {
        Self {
            sub: LIST,
            issued_at: NOW,
            expires_at: NOW.plus(86_400),
            ttl_s: 3_600,
            statuses: &[],
        }
    }
}

impl Script {
    fn list(&self) -> StatusList {
        let mut list = StatusList::new(Bits::Four, 64).unwrap();
        for (index, status) in self.statuses {
            list.set(*index, *status).unwrap();
        }
        list
    }

    async fn signed(&self, leaf: &Leaf) -> HttpResponse {
        let input = StatusTokenInput {
            uri: self.sub,
            issuer: Some(super::issuer::URL),
            list: &self.list(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            ttl_s: self.ttl_s,
            key: IssuerKey::X5c(&leaf.chain),
        };
        jwt(sign_status_list(&input, &leaf.key).await.unwrap())
    }
}

fn answer(kind: &str, body: Vec<u8>) -> HttpResponse {
    HttpResponse {
        status: 200,
        headers: [("content-type", kind)].into_iter().collect(),
        body,
    }
}

fn jwt(token: String) -> HttpResponse {
    answer("application/statuslist+jwt", token.into_bytes())
}

fn redirect(to: &str) -> HttpResponse {
    HttpResponse {
        status: 302,
        headers: [("location", to)].into_iter().collect(),
        body: Vec::new(),
    }
}

fn at(idx: u64) -> Option<StatusRef> {
    let uri = LIST.to_owned();
    Some(StatusRef { uri, idx })
}

impl World {
    /// A wallet with a card whose copies stand in one list, from index 3 on.
    async fn with_status() -> Self {
        let mut world = Self::new();
        world.issuer.batch = 3;
        world.issuer.status = |copy| at(3 + copy as u64);
        world.add().await.unwrap();
        world
    }

    fn due(&self) -> Vec<StatusFetch> {
        self.wallet.status_lists_due().unwrap()
    }

    fn the_due(&self) -> StatusFetch {
        let mut due = self.due();
        assert_eq!(due.len(), 1);
        due.remove(0)
    }

    async fn hear(&self, script: &Script) -> Result<StatusStep, WalletError> {
        let response = script.signed(&self.issuer.leaf).await;
        self.the_due().receive(&response)
    }

    fn card_state(&self) -> CardStatus {
        let mut cards = self.wallet.cards(&["en"]).unwrap();
        assert_eq!(cards.len(), 1);
        cards.remove(0).status
    }

    /// The state that the person sees before the card is shown, and the suggested cards.
    async fn asked(&self) -> Vec<(CredentialId, CardStatus)> {
        let consent = self.ask().await.unwrap().consent(&["en"]);
        assert_eq!(consent.suggested.picks.len(), 1);
        let cards = consent.questions[0].cards.iter();
        cards
            .map(|card| (card.credential.clone(), card.status))
            .collect()
    }

    async fn does_not_hear(&self, response: HttpResponse, code: &str) {
        let before = self.card_state();
        let error = self.the_due().receive(&response).err().unwrap();
        assert_eq!(error.code(), code);
        assert!(
            !format!("{error:?}").contains("club.example.com"),
            "{error:?}"
        );
        assert_eq!(self.card_state(), before, "{code}");
        // Nobody is asked again at once because it failed.
        assert!(self.due().is_empty(), "{code}");
        self.clock.advance(300);
    }
}

const UNKNOWN: CardStatus = CardStatus::NotChecked { valid_at: None };

#[tokio::test]
async fn what_an_issuer_took_back_is_shown_before_the_card_is() {
    let world = World::with_status().await;
    assert_eq!(world.card_state(), UNKNOWN);
    assert_eq!(world.asked().await[0].1, UNKNOWN);
    world.hear(&Script::default()).await.unwrap();
    let valid = CardStatus::Valid { checked_at: NOW };
    assert_eq!(world.card_state(), valid);
    assert_eq!(world.asked().await[0].1, valid);
    // What the list said is too old by now: it is not called valid any more.
    world.clock.advance(3_600);
    let old = CardStatus::NotChecked {
        valid_at: Some(NOW),
    };
    assert_eq!(world.card_state(), old);
    let now = NOW.plus(3_600);
    for (status, seen) in [
        (Status::Suspended, CardStatus::Suspended { checked_at: now }),
        (
            Status::Other(5),
            CardStatus::Unclear {
                checked_at: now.plus(3_600),
            },
        ),
        (
            Status::Invalid,
            CardStatus::Revoked {
                checked_at: now.plus(7_200),
            },
        ),
    ] {
        let statuses: &'static [_] = Box::leak(Box::new([(3, status), (4, status), (5, status)]));
        let at = world.wallet.now();
        let script = Script {
            issued_at: at,
            expires_at: at.plus(86_400),
            statuses,
            ..Script::default()
        };
        world.hear(&script).await.unwrap();
        assert_eq!(world.card_state(), seen);
        world.clock.advance(3_600);
    }
    // It stays so however old the list is, and it can be shown all the same: the verifier judges.
    world.clock.advance(43_200);
    assert!(matches!(world.card_state(), CardStatus::Revoked { .. }));
}

#[tokio::test]
async fn the_only_card_can_be_shown_though_it_was_revoked() {
    let world = World::with_status().await;
    let script = Script {
        statuses: &[
            (3, Status::Invalid),
            (4, Status::Invalid),
            (5, Status::Invalid),
        ],
        ..Script::default()
    };
    world.hear(&script).await.unwrap();
    let asked = world.asked().await;
    assert_eq!(asked[0].1, CardStatus::Revoked { checked_at: NOW });
    let text = serde_json::to_value(asked[0].1).unwrap();
    assert_eq!(
        text,
        value!({"state": "revoked", "checked_at": NOW.seconds()})
    );
    let asking = world.ask().await.unwrap();
    let suggested = asking.consent(&["en"]).suggested;
    asking.respond(&suggested).await.unwrap();
}

#[tokio::test]
async fn a_revoked_card_is_not_offered_beside_a_good_one() {
    let mut world = World::with_status().await;
    world.clock.advance(1);
    world.issuer.status = |copy| at(20 + copy as u64);
    let good = world.add().await.unwrap().cards.remove(0);
    let bad = Script {
        issued_at: NOW,
        statuses: &[
            (20, Status::Invalid),
            (21, Status::Invalid),
            (22, Status::Invalid),
        ],
        ..Script::default()
    };
    // Not known yet: both are offered.
    assert_eq!(world.asked().await.len(), 2);
    world.hear(&bad).await.unwrap();
    let asked = world.asked().await;
    assert_eq!(asked.len(), 1);
    assert_ne!(asked[0].0, good);
    assert!(matches!(asked[0].1, CardStatus::Valid { .. }));
}

#[tokio::test]
async fn cat_463_a_good_list_is_asked_once_and_says_nothing_of_the_card() {
    let world = World::with_status().await;
    let fetch = world.the_due();
    let request = fetch.request();
    assert_eq!((request.method, request.url.as_str()), (Method::Get, LIST));
    let names: Vec<_> = request.headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["accept"]);
    assert!(request.body.is_empty());
    drop(fetch);
    world.hear(&Script::default()).await.unwrap();
    for _ in 0..3 {
        let asking = world.ask().await.unwrap();
        let suggested = asking.consent(&["en"]).suggested;
        let submitting = asking.respond(&suggested).await.unwrap();
        submitting.receive(&world.verifier.accepted()).unwrap();
        assert!(world.due().is_empty());
    }
    world.clock.advance(3_599);
    assert!(world.due().is_empty());
    world.clock.advance(1);
    assert_eq!(world.due().len(), 1);
    // What was heard outlives the process.
    let again = world.reopen(super::PASSPHRASE).await.unwrap();
    let card = again.cards(&["en"]).unwrap().remove(0);
    assert_eq!(card.status.known_at(), Some(NOW));
}

#[tokio::test]
async fn cat_458_no_list_is_asked_for_ten_minutes_after_a_card_was_shown() {
    let world = World::with_status().await;
    assert_eq!(world.due().len(), 1);
    let asking = world.ask().await.unwrap();
    let suggested = asking.consent(&["en"]).suggested;
    // It may have arrived.
    drop(asking.respond(&suggested).await.unwrap());
    assert!(world.due().is_empty());
    world.clock.advance(599);
    assert!(world.due().is_empty());
    world.clock.advance(1);
    assert_eq!(world.due().len(), 1);
    // A clock that was ahead then does not keep the lists away.
    world.clock.advance(-3_600);
    assert_eq!(world.due().len(), 1);
}

#[tokio::test]
async fn cat_206_212_a_list_that_lies_is_not_heard() {
    let world = World::with_status().await;
    let lies = Script {
        sub: "https://club.example.com/statuslists/2",
        ..Script::default()
    };
    let other = lies.signed(&world.issuer.leaf).await;
    world.does_not_hear(other, "status_token_uri").await;
    let stranger = Authority::new("Stranger").leaf("The Club", "club.example.com");
    let forged = Script::default().signed(&stranger).await;
    world.does_not_hear(forged, "status_token_chain").await;
    let club = Authority::new("Club CA").leaf("Other", "other.example.com");
    let forged = Script::default().signed(&club).await;
    world.does_not_hear(forged, "status_token_chain").await;
    let plain = json(
        200,
        &value!({"status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXQ"}}),
    );
    world.does_not_hear(plain, "status_list_media_type").await;
    world
        .does_not_hear(jwt("x.y.z".to_owned()), "status_token_jwt")
        .await;
    world
        .does_not_hear(json(404, &value!({})), "status_list_not_available")
        .await;
    assert_eq!(world.card_state(), UNKNOWN);
    let unreachable = world.the_due().unreachable();
    assert_eq!(unreachable.code(), "status_list_unreachable");
}

#[tokio::test]
async fn cat_208_209_211_lists_end_and_no_older_one_comes_back() {
    let world = World::with_status().await;
    let ended = Script {
        expires_at: NOW,
        ..Script::default()
    };
    let response = ended.signed(&world.issuer.leaf).await;
    world.does_not_hear(response, "status_token_expired").await;
    // Now it is five minutes later; this one ends a minute from now, whatever its `ttl` says.
    let short = Script {
        issued_at: NOW.plus(300),
        expires_at: NOW.plus(360),
        ..Script::default()
    };
    world.hear(&short).await.unwrap();
    assert!(matches!(world.card_state(), CardStatus::Valid { .. }));
    world.clock.advance(60);
    assert!(matches!(
        world.card_state(),
        CardStatus::NotChecked { valid_at: Some(_) }
    ));
    // Not before five minutes are over.
    assert!(world.due().is_empty());
    world.clock.advance(240);
    let older = Script::default().signed(&world.issuer.leaf).await;
    world.does_not_hear(older, "status_token_rollback").await;
}

/// A zlib stream of `matches` times 258 zeros and one more (RFC 1951, section 3.2.6).
fn bomb(matches: usize) -> Vec<u8> {
    // The last block, fixed codes, a literal 0, length 258 at distance 1 again and again, the end.
    let start = "1".to_owned() + "10" + "00110000";
    let bits = start + &("11000101".to_owned() + "00000").repeat(matches) + "0000000";
    let mut bytes = vec![0x78, 0x9c];
    for eight in bits.as_bytes().chunks(8) {
        let bit = |(place, bit): (usize, &u8)| (bit - b'0') << place;
        bytes.push(eight.iter().enumerate().map(bit).sum());
    }
    bytes.extend([0; 4]);
    bytes
}

#[tokio::test]
async fn cat_203_a_list_that_unpacks_to_more_than_it_may_is_refused() {
    let world = World::with_status().await;
    let list = bomb(17 * 1024 * 1024 / 258);
    assert!(list.len() < 256 * 1024);
    let payload = value!({
        "sub": LIST, "iat": NOW, "exp": NOW.plus(600), "ttl": 60,
        "status_list": {"bits": 1, "lst": b64url(&list)},
    });
    let leaf = &world.issuer.leaf;
    let header = Header::new(TokenType::StatusList).with_x5c(&leaf.chain);
    let token = jws::sign(&header, &payload, &leaf.key).await.unwrap();
    world
        .does_not_hear(jwt(token), "status_list_too_large")
        .await;
    let large = answer(
        "application/statuslist+jwt",
        vec![b'a'; 4 * 1024 * 1024 + 1],
    );
    world.does_not_hear(large, "status_list_too_large").await;
}

#[tokio::test]
async fn cat_215_redirects_stay_at_the_host_and_end() {
    let world = World::with_status().await;
    for elsewhere in [
        "https://tracker.example.org/statuslists/1",
        "http://club.example.com/statuslists/1",
        "https://club.example.com:8443/statuslists/1",
        "https://127.0.0.1/statuslists/1",
    ] {
        world
            .does_not_hear(redirect(elsewhere), "status_list_redirected")
            .await;
    }
    let mut fetch = world.the_due();
    for _ in 0..3 {
        let Ok(StatusStep::Send(next)) = fetch.receive(&redirect("/moved")) else {
            panic!("not followed")
        };
        assert_eq!(
            next.request().url.as_str(),
            "https://club.example.com/moved"
        );
        fetch = next;
    }
    let error = fetch.receive(&redirect("/moved")).err().unwrap();
    assert_eq!(error.code(), "status_list_redirected");
    world.clock.advance(300);
    let Ok(StatusStep::Send(moved)) = world.the_due().receive(&redirect("/moved")) else {
        panic!("not followed")
    };
    // It is the list of the card wherever it lies.
    let list = Script::default().signed(&world.issuer.leaf).await;
    assert!(matches!(moved.receive(&list), Ok(StatusStep::Done)));
    assert!(matches!(world.card_state(), CardStatus::Valid { .. }));
}

#[tokio::test]
async fn cat_200_a_place_that_the_list_does_not_have_is_not_valid() {
    let mut world = World::new();
    world.issuer.status = |_| at(9_999);
    world.add().await.unwrap();
    world.hear(&Script::default()).await.unwrap();
    assert_eq!(world.card_state(), UNKNOWN);
    world.clock.advance(300);
    assert!(
        world.due().is_empty(),
        "the list is asked no more often for it"
    );
}

#[tokio::test]
async fn cat_218_an_address_inside_a_network_is_not_asked() {
    let mut world = World::new();
    world.issuer.status = |_| {
        let uri = "http://169.254.169.254/statuslists/1".to_owned();
        Some(StatusRef { uri, idx: 1 })
    };
    world.add().await.unwrap();
    assert!(world.due().is_empty());
    assert_eq!(world.card_state(), UNKNOWN);
}

/// A request of the day after.
fn later(claims: &mut serde_json::Value) {
    claims["iat"] = value!(NOW.plus(60_000));
    claims["exp"] = value!(NOW.plus(90_000));
}

#[tokio::test]
async fn cat_217_a_card_that_has_ended_has_ended_whatever_a_list_says() {
    let mut world = World::with_status().await;
    let long = Script {
        expires_at: NOW.plus(9 * 86_400),
        ttl_s: 43_200,
        ..Script::default()
    };
    world.hear(&long).await.unwrap();
    world.clock.advance(86_400);
    let card = world.wallet.cards(&["en"]).unwrap().remove(0);
    assert!(card.expired && !card.expires_soon);
    assert!(world.due().is_empty());
    world.verifier.edit_request = later;
    world
        .refused_request("no_matching_card", Some("access_denied"))
        .await;
}

#[tokio::test]
async fn a_card_that_ends_soon_says_so() {
    let mut world = World::with_status().await;
    world.clock.advance(86_400 / 4 * 3);
    assert!(!world.wallet.cards(&["en"]).unwrap()[0].expires_soon);
    world.clock.advance(1);
    assert!(world.wallet.cards(&["en"]).unwrap()[0].expires_soon);
    world.verifier.edit_request = later;
    let consent = world.ask().await.unwrap().consent(&["en"]);
    assert!(consent.questions[0].cards[0].expires_soon);
}

#[tokio::test]
async fn nothing_is_asked_where_the_setting_is_off() {
    let mut world = World::with_status().await;
    world.config.status.ask = false;
    let wallet = world.reopen(super::PASSPHRASE).await.unwrap();
    assert!(wallet.status_lists_due().unwrap().is_empty());
    assert!(!wallet.asks_statuses());
    assert_eq!(wallet.cards(&["en"]).unwrap()[0].status, UNKNOWN);
}

#[tokio::test]
async fn a_deleted_card_leaves_nothing_of_its_status() {
    let world = World::with_status().await;
    let count = || world.storage.list(Collection::Index).unwrap().len();
    let card = world.wallet.cards(&["en"]).unwrap().remove(0);
    let before = count();
    let late = world.the_due();
    world.hear(&Script::default()).await.unwrap();
    assert_eq!(count(), before + 1);
    world.wallet.delete(&card.id).await.unwrap();
    let after = count();
    assert!(after < before);
    // Nor does an answer that comes after it.
    let list = Script::default().signed(&world.issuer.leaf).await;
    late.receive(&list).unwrap();
    assert_eq!(count(), after);
}

#[tokio::test]
async fn the_status_of_an_mdoc_is_a_cwt_of_its_authority() {
    let mut world = World::new();
    world.issuer.offered = vec!["licence"];
    world.issuer.status = |_| at(7);
    world.add().await.unwrap();
    let script = Script {
        statuses: &[(7, Status::Suspended)],
        ..Script::default()
    };
    let signed = async |leaf: &Leaf| {
        let input = StatusCwtInput {
            uri: LIST,
            list: &script.list(),
            issued_at: NOW,
            expires_at: NOW.plus(86_400),
            ttl_s: 3_600,
            chain: &leaf.chain,
        };
        let token = sign_status_list_cwt(&input, &leaf.key).await.unwrap();
        answer(STATUS_LIST_CWT, token)
    };
    let forged = signed(&Authority::iaca().document_signer()).await;
    world.does_not_hear(forged, "status_token_chain").await;
    let list = signed(&world.issuer.document_signer).await;
    world.the_due().receive(&list).unwrap();
    let checked_at = NOW.plus(300);
    assert_eq!(world.card_state(), CardStatus::Suspended { checked_at });
}
