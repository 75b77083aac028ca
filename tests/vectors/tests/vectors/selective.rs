//! What the vectors of `ecdsa-sd-2023` and `bbs-2023` have in common.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use vouchsafe_credentials_jsonld::contexts::Contexts;
use vouchsafe_credentials_jsonld::rdfc::Transformation;
use vouchsafe_credentials_jsonld::sd::{LabelMap, Parted, Pointer, Processor, Selection};
use vouchsafe_vectors::Run;

/// One walk through issuing, deriving and verifying.
pub struct Walk<'r> {
    pub run: &'r Run,
    /// The folder of the steps, with its slash.
    pub folder: &'static str,
    pub document: Value,
    pub mandatory: Vec<Pointer>,
    pub selective: Vec<String>,
    pub transformation: Transformation,
    pub processor: Processor,
}

pub fn json(run: &Run, file: &str) -> Value {
    serde_json::from_slice(&run.bytes(file)).unwrap()
}

pub fn hex_key<const N: usize>(text: &Value) -> [u8; N] {
    hex::decode(text.as_str().unwrap())
        .unwrap()
        .try_into()
        .unwrap()
}

pub fn texts(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

fn transformation(inline_vocab: bool) -> Transformation {
    let mut transformation = Transformation::new(Arc::new(Contexts::bundled()));
    transformation.options.inline_contexts = inline_vocab;
    transformation.options.inline_vocab = inline_vocab;
    transformation
}

/// With numbers as JavaScript has them: 7.0 is 7.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

/// A JavaScript `Map` from index to statement.
fn map_of(lines: &[String], keep: impl Fn(&usize) -> bool) -> Value {
    let entries = lines.iter().enumerate().filter(|(index, _)| keep(index));
    let entries: Vec<_> = entries.map(|(index, line)| json!([index, line])).collect();
    json!({ "dataType": "Map", "value": entries })
}

impl<'r> Walk<'r> {
    pub fn open(
        run: &'r Run,
        folder: &'static str,
        [document, mandatory, selective]: [&str; 3],
        inline_vocab: bool,
    ) -> Self {
        let mandatory = texts(&json(run, mandatory));
        // The steps of the card were made when its description read otherwise; the document that
        // they sign tells how.
        let mut unsigned = json(run, document);
        let mut signed = json(run, &format!("{folder}addSignedSDBase.json"));
        signed.as_object_mut().unwrap().shift_remove("proof");
        if unsigned.get("description").is_some() {
            unsigned["description"] = signed["description"].clone();
        }
        run.step(document, plain(&unsigned), plain(&signed));
        Self {
            run,
            folder,
            document: unsigned,
            mandatory: Pointer::parse_all(&mandatory).unwrap(),
            selective: texts(&json(run, selective)),
            processor: Processor::new(transformation(inline_vocab)),
            transformation: transformation(inline_vocab),
        }
    }

    pub fn has(&self, file: &str) -> bool {
        // The set of the BBS wind example has fewer steps.
        !(self.folder.is_empty()
            && [
                "derivedAllGroupData",
                "verifyNQuads",
                "verifyDerivedProofValue",
            ]
            .contains(&file))
    }

    pub fn json(&self, file: &str) -> Value {
        json(self.run, &format!("{}{file}.json", self.folder))
    }

    pub fn step(&self, what: &str, ours: &Value, theirs: &Value) {
        let what = format!("{}{what}", self.folder);
        self.run.step(&what, plain(ours), plain(theirs));
    }

    /// `addProofConfig`, its canonical form, and the members of the proof.
    pub fn options(&self) -> Map<String, Value> {
        let mut config = self.json("addProofConfig");
        let options = config.as_object_mut().unwrap();
        let context = options.shift_remove("@context").unwrap();
        self.step(
            "the context of the proof options",
            &self.document["@context"],
            &context,
        );
        let canonical = self
            .processor
            .canonicalize_options(&self.document, options.clone())
            .unwrap();
        let theirs = self
            .run
            .text(&format!("{}addProofConfigCanon.txt", self.folder));
        self.step(
            "addProofConfigCanon",
            &canonical.text().into(),
            &theirs.into(),
        );
        options.clone()
    }

    /// The document before and after its blank nodes got labels, and the groups of a base proof.
    pub fn base(&self, label: impl FnOnce(&LabelMap) -> LabelMap) -> Parted {
        let canonical = self.processor.canonicalize(&self.document).unwrap();
        self.step(
            "addBaseDocCanon",
            &json!(canonical.nquads),
            &self.json("addBaseDocCanon"),
        );

        let values = |pointer: &Pointer| {
            let text = pointer.to_string();
            json!({ "pointer": text, "value": self.document.pointer(&text).unwrap() })
        };
        let mut values: Vec<_> = self.mandatory.iter().map(values).collect();
        if self.folder.is_empty() {
            // This file is older than the credential around its subject.
            values.remove(0);
            for value in &mut values {
                let pointer = value["pointer"].as_str().unwrap();
                value["pointer"] = pointer.strip_prefix("/credentialSubject").unwrap().into();
            }
        }
        self.step(
            "addPointerValues",
            &values.into(),
            &self.json("addPointerValues"),
        );

        let parted = Parted::new(&self.processor, &self.document, &self.mandatory, label).unwrap();
        let lines = parted.labelled().nquads();
        self.step(
            "addBaseDocHMACCanon",
            &json!(lines),
            &self.json("addBaseDocHMACCanon"),
        );

        let transform = self.json("addBaseTransform");
        let pointers: Vec<_> = self.mandatory.iter().map(Pointer::to_string).collect();
        self.step(
            "mandatoryPointers",
            &json!(pointers),
            &transform["mandatoryPointers"],
        );
        let indexes = parted.mandatory_indexes();
        let mandatory = map_of(lines, |index| indexes.contains(index));
        self.step("mandatory", &mandatory, &transform["mandatory"]);
        let others = map_of(lines, |index| !indexes.contains(index));
        self.step("nonMandatory", &others, &transform["nonMandatory"]);
        let hash = hex::encode(parted.mandatory_hash());
        self.step(
            "mandatoryHash",
            &hash.into(),
            &self.json("addHashData")["mandatoryHash"],
        );
        parted
    }

    pub fn proof_hash(&self, ours: &[u8]) {
        let theirs = &self.json("addHashData")["proofHash"];
        self.step("proofHash", &hex::encode(ours).into(), theirs);
    }

    /// The groups of a derived proof; gives its label map and the indexes of its mandatory statements.
    pub fn groups(&self, parted: &Parted) -> (LabelMap, Vec<usize>, Vec<usize>) {
        let selective = Pointer::parse_all(&self.selective).unwrap();
        let disclosure = parted
            .disclose(&self.processor, &self.document, &self.mandatory, &selective)
            .unwrap();
        let lines = parted.labelled().nquads();
        let groups = self.json("derivedGroupIndexes");
        let mandatory = parted.mandatory_indexes();
        let others: Vec<_> = parted.others().map(|(index, _)| index).collect();
        self.step(
            "combinedIndexes",
            &json!(disclosure.combined),
            &groups["combinedIndexes"],
        );
        self.step(
            "mandatoryIndexes",
            &json!(mandatory),
            &groups["mandatoryIndexes"],
        );
        self.step(
            "nonMandatoryIndexes",
            &json!(others),
            &groups["nonMandatoryIndexes"],
        );
        self.step(
            "selectiveIndexes",
            &json!(disclosure.selected),
            &groups["selectiveIndexes"],
        );

        if self.has("derivedAllGroupData") {
            let all = self.json("derivedAllGroupData");
            self.step("derivedAllGroupData nquads", &json!(lines), &all["nquads"]);
            for (name, indexes) in [
                ("mandatory", mandatory),
                ("selective", &disclosure.selected),
                ("combined", &disclosure.combined),
            ] {
                let group = &all["groups"][name];
                let inside = map_of(lines, |index| indexes.contains(index));
                self.step(&format!("{name} matching"), &inside, &group["matching"]);
                let outside = map_of(lines, |index| !indexes.contains(index));
                self.step(
                    &format!("{name} nonMatching"),
                    &outside,
                    &group["nonMatching"],
                );
            }
            // The labels of their skolemization are random, those that they became are not.
            let theirs = all["labelMap"]["value"].as_array().unwrap();
            let mut theirs: Vec<_> = theirs.iter().map(|entry| entry[1].clone()).collect();
            theirs.sort_by_key(ToString::to_string);
            let mut ours: Vec<_> = parted.labelled().label_map().into_values().collect();
            ours.sort();
            self.step("labelMap", &json!(ours), &json!(theirs));
        }

        let unsigned = self.json("derivedUnsignedReveal");
        self.step("derivedUnsignedReveal", &disclosure.document, &unsigned);
        let pointers: Vec<_> = self.mandatory.iter().chain(&selective).cloned().collect();
        let selection = Selection::new(&self.document, &pointers).unwrap().unwrap();
        self.step("selectJsonLd", &selection.apply(&self.document), &unsigned);
        if self.has("verifyNQuads") {
            let found = self
                .processor
                .relabelled(&unsigned, &disclosure.labels)
                .unwrap();
            self.step("verifyNQuads", &json!(found), &self.json("verifyNQuads"));
        }
        (
            disclosure.labels,
            disclosure.mandatory,
            disclosure.selective,
        )
    }
}

/// A label map as the entries of a JavaScript `Map`.
pub fn entries(labels: &LabelMap) -> Value {
    labels.iter().map(|(from, to)| json!([from, to])).collect()
}

/// Every scalar of a document altered, one at a time, under a name that says where.
pub fn altered(document: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    collect(document, "", &mut places);
    places
        .into_iter()
        .filter(|place| !place.starts_with("/@context") && !place.starts_with("/proof"))
        .map(|place| {
            let mut copy = document.clone();
            let value = copy.pointer_mut(&place).unwrap();
            *value = match value {
                Value::String(text) => format!("{text}x").into(),
                Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
                Value::Bool(flag) => json!(!*flag),
                other => panic!("no scalar: {other}"),
            };
            (place, copy)
        })
        .collect()
}

fn collect(value: &Value, place: &str, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect(value, &format!("{place}/{name}"), places);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                collect(value, &format!("{place}/{index}"), places);
            }
        }
        _ => places.push(place.to_owned()),
    }
}
