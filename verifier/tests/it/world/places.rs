//! A database of places in the MaxMind DB format 2.0, made of networks of documentation.

use std::net::Ipv4Addr;
use std::path::PathBuf;

/// A network of 256 addresses, and where it is.
pub struct Net {
    pub net: Ipv4Addr,
    pub country: &'static str,
    pub latitude: f64,
    pub longitude: f64,
}

pub const NORWAY: Net = Net {
    net: Ipv4Addr::new(192, 0, 2, 0),
    country: "NO",
    latitude: 59.9,
    longitude: 10.7,
};

pub const AMERICA: Net = Net {
    net: Ipv4Addr::new(198, 51, 100, 0),
    country: "US",
    latitude: 40.7,
    longitude: -74.0,
};

/// Writes the database; it lives as long as the folder.
pub fn write(folder: &tempfile::TempDir, nets: &[Net]) -> PathBuf {
    let path = folder.path().join("places.mmdb");
    std::fs::write(&path, database(nets)).unwrap();
    path
}

#[derive(Clone, Copy)]
enum Record {
    Empty,
    Node(usize),
    Data(usize),
}

fn database(nets: &[Net]) -> Vec<u8> {
    let mut nodes = vec![[Record::Empty; 2]];
    let mut data = Vec::new();
    for net in nets {
        let place = data.len();
        data.extend(record(net));
        let bits = u32::from(net.net);
        let mut node = 0;
        for depth in 0..24 {
            let side = (bits >> (31 - depth) & 1) as usize;
            if depth == 23 {
                nodes[node][side] = Record::Data(place);
            } else if let Record::Node(next) = nodes[node][side] {
                node = next;
            } else {
                nodes.push([Record::Empty; 2]);
                nodes[node][side] = Record::Node(nodes.len() - 1);
                node = nodes.len() - 1;
            }
        }
    }
    let count = nodes.len();
    let mut file = Vec::new();
    for record in nodes.into_iter().flatten() {
        let number = match record {
            Record::Empty => count,
            Record::Node(node) => node,
            Record::Data(place) => count + 16 + place,
        };
        file.extend(&(number as u32).to_be_bytes()[1..]);
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    file.extend(metadata(count as u32));
    file
}

fn record(net: &Net) -> Vec<u8> {
    let country = map(&[("iso_code", text(net.country))]);
    let location = map(&[
        ("latitude", double(net.latitude)),
        ("longitude", double(net.longitude)),
    ]);
    map(&[("country", country), ("location", location)])
}

fn metadata(nodes: u32) -> Vec<u8> {
    map(&[
        (
            "binary_format_major_version",
            number(5, &2u16.to_be_bytes()),
        ),
        (
            "binary_format_minor_version",
            number(5, &0u16.to_be_bytes()),
        ),
        (
            "build_epoch",
            [vec![8, 2], 1u64.to_be_bytes().to_vec()].concat(),
        ),
        ("database_type", text("Places of documentation")),
        ("description", map(&[])),
        ("ip_version", number(5, &4u16.to_be_bytes())),
        ("languages", vec![0, 4]),
        ("node_count", number(6, &nodes.to_be_bytes())),
        ("record_size", number(5, &24u16.to_be_bytes())),
    ])
}

fn number(kind: u8, bytes: &[u8]) -> Vec<u8> {
    [&[kind << 5 | bytes.len() as u8], bytes].concat()
}

fn text(text: &str) -> Vec<u8> {
    // From 29 bytes on the length stands in a byte of its own.
    match text.len() {
        short @ ..29 => number(2, text.as_bytes())
            .into_iter()
            .take(short + 1)
            .collect(),
        long => [&[2 << 5 | 29, (long - 29) as u8], text.as_bytes()].concat(),
    }
}

fn double(value: f64) -> Vec<u8> {
    number(3, &value.to_be_bytes())
}

fn map(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![7 << 5 | fields.len() as u8];
    for (name, value) in fields {
        bytes.extend(text(name));
        bytes.extend(value);
    }
    bytes
}
