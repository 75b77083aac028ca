//! Claims of a type, ready for every format.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use vouchsafe_credentials::credential_type::{CredentialType, Prepared};
use vouchsafe_credentials::time::UnixTime;

/// Largest file of a type, in bytes.
const MAX_TYPE: u64 = 1024 * 1024;
/// Types that go by their name.
const SHIPPED: [(&str, &str); 4] = [
    (
        "age",
        include_str!("../../../../specs/credential-types/age.toml"),
    ),
    (
        "mdl",
        include_str!("../../../../specs/credential-types/mdl.toml"),
    ),
    (
        "membership",
        include_str!("../../../../specs/credential-types/membership.toml"),
    ),
    (
        "pid",
        include_str!("../../../../specs/credential-types/pid.toml"),
    ),
];

/// A type, claims that fit it, and from when until when they hold.
pub struct Card {
    pub kind: CredentialType,
    pub claims: Prepared,
    pub from: UnixTime,
    pub until: UnixTime,
}

impl Card {
    /// Reads the type and checks the claims against it.
    pub fn prepare(file: &Path, claims: Value, now: UnixTime) -> Result<Self> {
        let kind = read_type(file)?;
        let Value::Object(claims) = claims else {
            bail!("the claims are a JSON object, such as {{\"given_name\": \"Ada\"}}");
        };
        let claims = kind
            .prepare(claims)
            .with_context(|| format!("the claims do not fit the type `{}`", kind.id))?;
        Ok(Self {
            from: now,
            until: now.plus(kind.validity_s),
            kind,
            claims,
        })
    }

    /// Says what the type asks for and this command cannot give.
    pub fn warn(&self) {
        if self.kind.status {
            eprintln!("note: it cannot be withdrawn: only the issuing service keeps a status list");
        }
    }
}

/// A type that comes with the program, or that of a file.
pub fn read_type(file: &Path) -> Result<CredentialType> {
    let shipped = SHIPPED.iter().find(|(name, _)| file == Path::new(name));
    let text = match shipped {
        Some((_, text)) => (*text).to_owned(),
        None => read_text(file)?,
    };
    CredentialType::from_toml(&text)
        .with_context(|| format!("{} describes no type of credential", file.display()))
}

fn read_text(file: &Path) -> Result<String> {
    use std::io::Read as _;
    let cannot = || {
        let names = SHIPPED.map(|(name, _)| name).join(", ");
        let file = file.display();
        format!("--type {file}: neither one of {names} nor a file that can be read")
    };
    let open = std::fs::File::open(file).with_context(cannot)?;
    let mut text = String::new();
    let mut limited = open.take(MAX_TYPE);
    limited.read_to_string(&mut text).with_context(cannot)?;
    Ok(text)
}
