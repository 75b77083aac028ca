//! Both ways with didwebvh-rs 0.8: logs that it writes, logs that we write, and the same logs altered.

use didwebvh_rs::prelude::{
    CreateDIDConfig, DIDWebVHState, KeyType, LogEntryMethods as _, Multibase, Parameters, Secret,
    UpdateDIDConfig, Witnesses, create_did, generate_did_key, update_did,
};
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{
    Algorithm, Multikey, Portable, Signer as _, SigningKey, sha256,
};
use vouchsafe_credentials::data_integrity::{
    EddsaJcs2022, ProofOptions, ProofPurpose, SuiteSigner, add_proof,
};
use vouchsafe_credentials::did::webvh::{Log, Place};
use vouchsafe_credentials::did::{Did, ErrorCode, Resolution, ResolutionError, ResolutionOptions};
use vouchsafe_credentials::jcs;
use vouchsafe_credentials::multibase::base58btc;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::vcdm::DateTimeStamp;

use crate::mdoc_parties::{NOW, run};

/// What a controller publishes.
struct Published {
    did: String,
    log: String,
    witness: Option<String>,
}

impl Published {
    fn ours(&self) -> Result<Resolution, ResolutionError> {
        self.ours_at(&ResolutionOptions::default())
    }

    fn ours_at(&self, options: &ResolutionOptions) -> Result<Resolution, ResolutionError> {
        let place = Place::parse(&Did::parse(&self.did).unwrap())?;
        let witness = self.witness.as_deref().map(str::as_bytes);
        Log::verify(self.log.as_bytes(), &place, NOW, &Portable)?
            .resolve(witness, options, &Portable)
    }

    /// The document as they resolve it, and whether it is deactivated.
    fn theirs(&self) -> Result<(Value, bool), String> {
        run(async {
            let mut state = DIDWebVHState::default();
            let (entry, metadata) = state
                .resolve_log_owned(&self.did, &self.log, self.witness.as_deref())
                .await
                .map_err(|error| error.to_string())?;
            let document = entry.get_did_document().map_err(|e| e.to_string())?;
            Ok((document, metadata.deactivated))
        })
    }

    /// Both resolve it, to the same document.
    fn accepted(&self) {
        let (theirs, deactivated) = self.theirs().unwrap();
        assert!(!deactivated);
        let ours = self.ours().unwrap();
        assert_eq!(sorted(ours.document.unwrap().as_json()), sorted(&theirs));
    }

    fn refused(&self, what: &str) {
        assert_eq!(
            self.ours().unwrap_err().code,
            ErrorCode::InvalidDid,
            "{what}"
        );
        assert!(self.theirs().is_err(), "{what}");
    }

    fn replaced(&self, from: &str, to: &str) -> Self {
        assert!(self.log.contains(from), "{from}");
        Self {
            did: self.did.clone(),
            log: self.log.replacen(from, to, 1),
            witness: self.witness.clone(),
        }
    }

    /// One thing altered in the last entry.
    fn altered_last(&self, alter: impl FnOnce(&mut Value)) -> Self {
        let mut lines: Vec<_> = self.log.lines().map(str::to_owned).collect();
        let mut last: Value = serde_json::from_str(&lines.pop().unwrap()).unwrap();
        alter(&mut last);
        lines.push(last.to_string());
        Self {
            did: self.did.clone(),
            log: lines.join("\n"),
            witness: self.witness.clone(),
        }
    }

    /// An altered text, time, parameter, key and signature; an entry less; another DID.
    fn twins(&self) {
        self.refused_twin("state", |last| last["state"]["extra"] = json!(true));
        self.refused_twin("time", |last| {
            last["versionTime"] = json!("2025-12-31T23:59:59Z");
        });
        self.refused_twin("parameters", |last| last["parameters"]["ttl"] = json!(1));
        self.refused_twin("version", |last| {
            let text = last["versionId"].as_str().unwrap().to_owned();
            last["versionId"] = json!(format!("9{}", &text[1..]));
        });
        self.refused_twin("no proof", |last| last["proof"] = json!([]));
        self.refused_twin("proof", |last| {
            let text = last["proof"][0]["proofValue"].as_str().unwrap().to_owned();
            let (rest, end) = text.split_at(text.len() - 1);
            let other = if end == "2" { "3" } else { "2" };
            last["proof"][0]["proofValue"] = json!(format!("{rest}{other}"));
        });
        if let Some((_, tail)) = self.log.trim_end().split_once('\n') {
            let shortened = Self {
                did: self.did.clone(),
                log: tail.to_owned(),
                witness: self.witness.clone(),
            };
            shortened.refused("the first entry is missing");
        }
        let moved = Self {
            did: self.did.replace(":example.", ":evil."),
            log: self.log.clone(),
            witness: self.witness.clone(),
        };
        moved.refused("another DID");
    }

    fn refused_twin(&self, what: &str, alter: impl FnOnce(&mut Value)) {
        self.altered_last(alter).refused(what);
    }
}

/// Services in one order; `https://host/` and `https://host` are one endpoint.
fn sorted(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(services) = document.get_mut("service").and_then(Value::as_array_mut) {
        for service in services.iter_mut() {
            let endpoint = service["serviceEndpoint"].as_str().unwrap();
            service["serviceEndpoint"] = json!(endpoint.trim_end_matches('/'));
        }
        services.sort_by_key(|service| service["id"].to_string());
    }
    document
}

fn document(multikey: &str) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": "{DID}",
        "verificationMethod": [{
            "id": "{DID}#key-0", "type": "Multikey", "controller": "{DID}", "publicKeyMultibase": multikey,
        }],
        "authentication": ["{DID}#key-0"],
        "assertionMethod": ["{DID}#key-0"],
    })
}

/// A log that they write.
struct Theirs(DIDWebVHState);

impl Theirs {
    fn key() -> Secret {
        generate_did_key(KeyType::Ed25519).unwrap().1
    }

    fn multikey(key: &Secret) -> Multibase {
        Multibase::new(key.get_public_keymultibase().unwrap())
    }

    fn hash(key: &Secret) -> Multibase {
        Multibase::new(key.get_public_keymultibase_hash().unwrap())
    }

    fn create(key: &Secret, parameters: Parameters, witnesses: &[Secret]) -> Self {
        let multikey = Self::multikey(key);
        let mut config = CreateDIDConfig::builder()
            .address("https://example.com/people/erika")
            .authorization_key(key.clone())
            .did_document(document(multikey.as_str()))
            .parameters(Parameters {
                update_keys: Some(vec![multikey].into()),
                ..parameters
            })
            .version_time("2025-01-01T00:00:00Z".parse().unwrap());
        for witness in witnesses {
            config = config.witness_secret(did_key(witness), witness.clone());
        }
        let made = run(create_did(config.build().unwrap())).unwrap();
        let mut state = DIDWebVHState::from_log_entries(vec![made.log_entry().clone()]);
        state.set_witness_proofs(made.witness_proofs().clone());
        state.validate().unwrap().assert_complete().unwrap();
        Self(state)
    }

    fn update(
        self,
        time: &str,
        key: &Secret,
        change: impl FnOnce(Update) -> Update,
        witnesses: &[Secret],
    ) -> Self {
        let mut update = change(
            UpdateDIDConfig::builder()
                .state(self.0)
                .signing_key(key.clone()),
        );
        if !time.is_empty() {
            update = update.version_time(time.parse().unwrap());
        }
        for witness in witnesses {
            update = update.witness_secret(did_key(witness), witness.clone());
        }
        let done = run(update_did(update.build().unwrap())).unwrap();
        Self(done.into_state())
    }

    fn published(&self) -> Published {
        let entries = self.0.log_entries();
        let lines = entries
            .iter()
            .map(|entry| serde_json::to_string(&entry.log_entry).unwrap());
        let last = entries.last().unwrap().get_state();
        let proofs = self.0.witness_proofs();
        Published {
            did: last["id"].as_str().unwrap().to_owned(),
            log: lines.map(|line| line + "\n").collect(),
            witness: (proofs.get_total_count() > 0).then(|| serde_json::to_string(proofs).unwrap()),
        }
    }
}

type Update = didwebvh_rs::update::UpdateDIDConfigBuilder;

fn did_key(key: &Secret) -> String {
    format!("did:key:{}", Theirs::multikey(key))
}

#[test]
fn we_resolve_what_they_create_rotate_and_deactivate() {
    let [a, b, c] = [(); 3].map(|()| Theirs::key());
    // The next key is announced by its hash, so an entry is signed by a key that is new in it.
    let announced = Parameters {
        next_key_hashes: Some(vec![Theirs::hash(&b)].into()),
        ..Default::default()
    };
    let log = Theirs::create(&a, announced, &[]);
    log.published().accepted();
    log.published().twins();
    let log = log.update(
        "2025-02-01T00:00:00Z",
        &b,
        |update| {
            let hashes = vec![Theirs::hash(&c)];
            update
                .update_keys(vec![Theirs::multikey(&b)])
                .next_key_hashes(hashes)
        },
        &[],
    );
    let second = log.published();
    second.accepted();
    second.twins();
    // A key that nobody announced.
    let stranger = Theirs::multikey(&Theirs::key());
    second
        .replaced(Theirs::hash(&b).as_str(), Theirs::hash(&c).as_str())
        .refused("announced");
    second.refused_twin("update keys", |last| {
        last["parameters"]["updateKeys"] = json!([stranger]);
    });
    let document = json!({"id": second.did, "@context": ["https://www.w3.org/ns/did/v1"]});
    let log = log.update(
        "2025-03-01T00:00:00Z",
        &c,
        |update| {
            let update = update
                .update_keys(vec![Theirs::multikey(&c)])
                .next_key_hashes(vec![]);
            update.document(document)
        },
        &[],
    );
    log.published().accepted();
    log.published().twins();
    let log = log.update(
        "2025-04-01T00:00:00Z",
        &c,
        |update| update.deactivate(true),
        &[],
    );
    let end = log.published();
    assert!(end.theirs().unwrap().1);
    let ours = end.ours().unwrap();
    assert!(ours.document_metadata.deactivated() && ours.document.is_none());
    end.refused_twin("active again", |last| {
        last["parameters"]["deactivated"] = json!(false);
    });
    // The version before is still there for who names it.
    let mut before = ResolutionOptions::default();
    before.version_number = Some(3);
    assert!(end.ours_at(&before).unwrap().document.is_some());
}

#[test]
fn we_ask_the_witnesses_that_they_ask() {
    let key = Theirs::key();
    let witnesses = [(); 3].map(|()| Theirs::key());
    let list = Witnesses::builder()
        .threshold(2)
        .witnesses(witnesses.iter().map(Theirs::multikey))
        .build()
        .unwrap();
    let watched = Parameters {
        witness: Some(list.into()),
        ..Default::default()
    };
    let log = Theirs::create(&key, watched, &witnesses);
    log.published().accepted();
    let published = log
        .update(
            "2025-02-01T00:00:00Z",
            &key,
            |update| update.ttl(60),
            &witnesses,
        )
        .published();
    published.accepted();
    let with = |witness: Option<String>| Published {
        did: published.did.clone(),
        log: published.log.clone(),
        witness,
    };
    with(None).refused("no proofs");
    with(Some("[]".to_owned())).refused("an empty list");
    let proofs: Value = serde_json::from_str(published.witness.as_deref().unwrap()).unwrap();
    let altered = |alter: fn(&mut Vec<Value>)| {
        let mut proofs = proofs.clone();
        for version in proofs.as_array_mut().unwrap() {
            alter(version["proof"].as_array_mut().unwrap());
        }
        with(Some(proofs.to_string()))
    };
    // Two of three are enough, one is not, nor is one twice.
    altered(|proofs| proofs.truncate(2)).accepted();
    altered(|proofs| proofs.truncate(1)).refused("one of three");
    altered(|proofs| {
        proofs.truncate(1);
        proofs.push(proofs[0].clone());
    })
    .refused("one twice");
    let mut of_another_version = proofs.clone();
    for version in of_another_version.as_array_mut().unwrap() {
        let id = format!("1{}", version["versionId"].as_str().unwrap());
        version["versionId"] = json!(id);
    }
    with(Some(of_another_version.to_string())).refused("another version");
}

/// A log that we write.
struct Ours {
    entries: Vec<Value>,
    did: String,
}

fn multikey(key: &SigningKey) -> String {
    Multikey::Signature(key.public_key().clone()).encode()
}

fn hash(text: &str) -> String {
    let multihash = [&[0x12, 0x20][..], &sha256(text.as_bytes())].concat();
    base58btc(&multihash)[1..].to_owned()
}

impl Ours {
    fn create(mut parameters: Value, key: &SigningKey) -> Self {
        parameters["scid"] = json!("{SCID}");
        parameters["method"] = json!("did:webvh:1.0");
        let did = "did:webvh:{SCID}:example.com:people:erika";
        let state = document(&multikey(key)).to_string().replace("{DID}", did);
        let entry = json!({
            "versionId": "{SCID}",
            "versionTime": "2025-01-01T00:00:00Z",
            "parameters": parameters,
            "state": serde_json::from_str::<Value>(&state).unwrap(),
        });
        let scid = hash(&jcs::canonicalize(&entry).unwrap());
        let entry = entry.to_string().replace("{SCID}", &scid);
        let mut log = Self {
            entries: Vec::new(),
            did: did.replace("{SCID}", &scid),
        };
        log.push(serde_json::from_str(&entry).unwrap(), key);
        log
    }

    fn push(&mut self, mut entry: Value, key: &SigningKey) {
        let number = self.entries.len() + 1;
        let hash = hash(&jcs::canonicalize(&entry).unwrap());
        entry["versionId"] = json!(format!("{number}-{hash}"));
        let method = format!("did:key:{0}#{0}", multikey(key));
        let mut options = ProofOptions::new(method, ProofPurpose::AssertionMethod);
        options.created = Some(DateTimeStamp::from_time(NOW.plus(-86_400 * 1000)));
        let (signer, rng) = (SuiteSigner::Signature(key), SeededRng::new(5));
        let mut signed = run(add_proof(&entry, &options, &EddsaJcs2022, signer, &rng)).unwrap();
        signed["proof"] = json!([signed["proof"]]);
        self.entries.push(signed);
    }

    fn update(&mut self, month: u32, parameters: Value, key: &SigningKey) {
        let last = self.entries.last().unwrap();
        let entry = json!({
            "versionId": last["versionId"],
            "versionTime": format!("2025-{month:02}-01T00:00:00Z"),
            "parameters": parameters,
            "state": last["state"],
        });
        self.push(entry, key);
    }

    fn published(&self) -> Published {
        let lines = self.entries.iter().map(|entry| format!("{entry}\n"));
        Published {
            did: self.did.clone(),
            log: lines.collect(),
            witness: None,
        }
    }
}

#[test]
fn they_resolve_what_we_create_rotate_and_deactivate() {
    let key = |seed| SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(seed));
    let (a, b, c) = (key(1), key(2), key(3));
    let first = json!({"updateKeys": [multikey(&a)], "nextKeyHashes": [hash(&multikey(&b))]});
    let mut log = Ours::create(first, &a);
    log.published().accepted();
    log.published().twins();
    let next = json!({"updateKeys": [multikey(&b)], "nextKeyHashes": [hash(&multikey(&c))]});
    log.update(2, next, &b);
    log.published().accepted();
    log.published().twins();
    // By a key that was announced for nobody, and by the one before.
    for (updates, signer) in [(&a, &a), (&b, &a), (&a, &c)] {
        let mut wrong = Ours {
            entries: log.entries.clone(),
            did: log.did.clone(),
        };
        let parameters = json!({"updateKeys": [multikey(updates)], "nextKeyHashes": []});
        wrong.update(3, parameters, signer);
        wrong.published().refused("a key that was not announced");
    }
    log.update(
        3,
        json!({"updateKeys": [multikey(&c)], "nextKeyHashes": []}),
        &c,
    );
    log.published().accepted();
    log.update(4, json!({"deactivated": true, "updateKeys": []}), &c);
    let end = log.published();
    assert!(end.theirs().unwrap().1);
    let ours = end.ours().unwrap();
    assert!(ours.document_metadata.deactivated() && ours.document.is_none());
    end.refused_twin("active again", |last| {
        last["parameters"]["deactivated"] = json!(false);
    });
}
