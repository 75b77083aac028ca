//! What the authenticator says (section 6.1).

use vouchsafe_credentials::cbor::Item;
use vouchsafe_credentials::cose::key_from_item;
use vouchsafe_credentials::crypto::{PublicKey, constant_time_eq};

use super::{MAX_CREDENTIAL_ID, RelyingParty, WebauthnError, is_offered};

const UP: u8 = 0x01;
const UV: u8 = 0x04;
const BE: u8 = 0x08;
const BS: u8 = 0x10;
const AT: u8 = 0x40;
const ED: u8 = 0x80;
/// An array of two items (RFC 8949, section 3.1): lets two items in a row be read as one.
const ARRAY_OF_TWO: u8 = 0x82;

/// Authenticator data that belong to the site and to a verified person.
#[derive(Debug)]
pub struct AuthenticatorData<'a> {
    /// Whether copies of the key may exist elsewhere.
    pub backup_eligible: bool,
    /// Whether they exist now.
    pub backed_up: bool,
    /// How often the key signed; 0 where the authenticator does not count.
    pub sign_count: u32,
    /// The new credential, in a registration.
    pub attested: Option<Attested<'a>>,
}

/// Attested credential data (section 6.5.1).
#[derive(Debug)]
pub struct Attested<'a> {
    /// The credential id.
    pub credential_id: &'a [u8],
    /// Its public key.
    pub key: PublicKey,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads them and checks site, presence, verification and backup flags (section 7.1, steps 13
    /// to 18; section 7.2, steps 16 to 19).
    pub fn read(site: &RelyingParty, bytes: &'a [u8]) -> Result<Self, WebauthnError> {
        let (id_hash, rest) = split(bytes, 32)?;
        let (flags, rest) = split(rest, 1)?;
        let (count, rest) = split(rest, 4)?;
        let flags = flags[0];
        if !constant_time_eq(id_hash, &site.id_hash()) {
            return Err(WebauthnError::RelyingParty);
        }
        if flags & UP == 0 || flags & UV == 0 {
            return Err(WebauthnError::UserVerification);
        }
        if flags & BE == 0 && flags & BS != 0 {
            return Err(WebauthnError::Malformed);
        }
        let attested = match flags & AT {
            0 => {
                extensions(flags, rest)?;
                None
            }
            _ => Some(attested(flags, rest)?),
        };
        let count: [u8; 4] = count.try_into().map_err(|_| WebauthnError::Malformed)?;
        Ok(Self {
            backup_eligible: flags & BE != 0,
            backed_up: flags & BS != 0,
            sign_count: u32::from_be_bytes(count),
            attested,
        })
    }
}

fn attested(flags: u8, rest: &[u8]) -> Result<Attested<'_>, WebauthnError> {
    let (_aaguid, rest) = split(rest, 16)?;
    let (length, rest) = split(rest, 2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    if length == 0 || length > MAX_CREDENTIAL_ID {
        return Err(WebauthnError::Malformed);
    }
    let (credential_id, rest) = split(rest, length)?;
    let malformed = |_| WebauthnError::Malformed;
    let key = if flags & ED == 0 {
        key(Item::parse(rest).map_err(malformed)?)?
    } else {
        let both = [&[ARRAY_OF_TWO], rest].concat();
        let both = Item::parse(&both).map_err(malformed)?;
        let [key_item, extensions] = both.array_of::<2>().map_err(malformed)?;
        extensions.map().map_err(malformed)?;
        key(key_item)?
    };
    Ok(Attested { credential_id, key })
}

fn key(item: Item<'_>) -> Result<PublicKey, WebauthnError> {
    let key = key_from_item(item).map_err(|_| WebauthnError::Key)?;
    is_offered(&key).then_some(key).ok_or(WebauthnError::Key)
}

/// Extensions were not asked for; what is there is one map and nothing behind it.
fn extensions(flags: u8, rest: &[u8]) -> Result<(), WebauthnError> {
    let well_formed = match flags & ED {
        0 => rest.is_empty(),
        _ => Item::parse(rest).is_ok_and(|item| item.map().is_ok()),
    };
    well_formed.then_some(()).ok_or(WebauthnError::Malformed)
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), WebauthnError> {
    bytes.split_at_checked(at).ok_or(WebauthnError::Malformed)
}
