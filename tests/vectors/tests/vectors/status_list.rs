//! The vectors of the Token Status List draft.

use std::path::Path;

use serde_json::Value;
use vouchsafe_credentials::status_list::{Bits, Status, StatusList};

use vouchsafe_vectors::folder;

/// The JSON object in an example file; its strings are wrapped.
fn example(folder: &Path, file: &str) -> Value {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let start = text.find('{').unwrap();
    let joined: String = text[start..].lines().map(str::trim).collect();
    serde_json::from_str(&joined).unwrap()
}

fn list(example: &Value) -> StatusList {
    let bits = Bits::from_count(example["bits"].as_u64().unwrap()).unwrap();
    StatusList::decode(bits, example["lst"].as_str().unwrap()).unwrap()
}

#[test]
fn cat_202_lists_of_the_specification() {
    let Some(folder) = folder("token-status-list", 6) else {
        return;
    };
    for (file, bytes) in [
        ("status_list_encoding_json.md", &[0xb9, 0xa3][..]),
        ("status_list_encoding2_json.md", &[0xc9, 0x44, 0xf9]),
    ] {
        assert_eq!(list(&example(&folder, file)).bytes(), bytes, "{file}");
    }
    for (file, bits) in [
        ("status_list_encoding1_long_json.md", Bits::One),
        ("status_list_encoding2_long_json.md", Bits::Two),
        ("status_list_encoding4_json.md", Bits::Four),
        ("status_list_encoding8_json.md", Bits::Eight),
    ] {
        let theirs = list(&example(&folder, file));
        assert_eq!(theirs.capacity(), 1 << 20, "{file}");
        let ours = written(bits);
        assert_eq!(theirs, ours, "{file}");
        assert_eq!(
            StatusList::decode(bits, &ours.encode()).unwrap(),
            theirs,
            "{file}"
        );
    }
}

/// The list with the values that the text gives.
fn written(bits: Bits) -> StatusList {
    let mut list = StatusList::new(bits, 1 << 20).unwrap();
    for line in include_str!("data/status-list-values.txt").lines() {
        let numbers: Result<Vec<u64>, _> = line.split(' ').map(str::parse).collect();
        let Ok([width, index, value]) = numbers.map(|n| <[u64; 3]>::try_from(n).unwrap()) else {
            assert!(line.starts_with('#'), "{line}");
            continue;
        };
        if width == u64::from(bits.count()) {
            let status = Status::from_value(u8::try_from(value).unwrap());
            list.set(index, status).unwrap();
        }
    }
    list
}
