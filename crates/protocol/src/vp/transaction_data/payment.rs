//! A payment.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_credentials::text::PlainText;

use super::TransactionDataError;
use super::currency::minor_units;

/// A payment that a person approves. Each text is shown whole, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    payee: String,
    amount: String,
    currency: String,
    reference: Option<String>,
}

const PAYEE_CHARS: usize = 70;
const REFERENCE_CHARS: usize = 100;

impl Payment {
    /// `type` of the transaction data.
    pub const TYPE: &'static str = "urn:vouchsafe:transaction:payment:1";

    /// Takes the members of a payment out of an object: `payee`, `amount` (a decimal with the minor units of
    /// its currency, `"12.50"`), `currency` (ISO 4217) and, where there is one, `reference`.
    ///
    /// # Errors
    /// [`TransactionDataError::Member`] for one that is missing, of the wrong type, or without a value
    /// that can be shown as it is.
    pub fn take(object: &mut Map<String, Value>) -> Result<Self, TransactionDataError> {
        let mut text = |name: &'static str| match object.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(TransactionDataError::Member(name)),
        };
        let (payee, amount) = (text("payee")?, text("amount")?);
        let (currency, reference) = (text("currency")?, text("reference")?);
        let missing = TransactionDataError::Member;
        let payee = payee.filter(|text| is_shown_whole(text, PAYEE_CHARS));
        let currency = currency.ok_or(missing("currency"))?;
        let units = minor_units(&currency).ok_or(missing("currency"))?;
        let amount = amount.filter(|amount| is_amount(amount, units));
        let fits = |text: &String| is_shown_whole(text, REFERENCE_CHARS);
        if reference.as_ref().is_some_and(|text| !fits(text)) {
            return Err(TransactionDataError::Member("reference"));
        }
        Ok(Self {
            payee: payee.ok_or(missing("payee"))?,
            amount: amount.ok_or(missing("amount"))?,
            currency,
            reference,
        })
    }

    pub(super) fn write(&self, object: &mut Map<String, Value>) {
        let Self {
            payee,
            amount,
            currency,
            reference,
        } = self;
        let mut set = |name: &str, value: &str| object.insert(name.to_owned(), value.into());
        set("payee", payee);
        set("amount", amount);
        set("currency", currency);
        if let Some(reference) = reference {
            set("reference", reference);
        }
    }

    /// The members, as an application writes them.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        self.write(&mut object);
        object
    }

    /// Who is paid.
    #[must_use]
    pub fn payee(&self) -> &str {
        &self.payee
    }

    /// How much, as a decimal.
    #[must_use]
    pub fn amount(&self) -> &str {
        &self.amount
    }

    /// In which currency (ISO 4217).
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// What for, in the words of who asks.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

/// Not empty, not long, one line without anything that nobody sees: what is signed is what is read.
fn is_shown_whole(text: &str, most: usize) -> bool {
    let chars = text.chars().count();
    (1..=most).contains(&chars) && PlainText::new(text).as_str() == text
}

/// Up to twelve digits without a leading zero, and after a dot as many as the currency has: all of them, and
/// where it has two, none will do. An amount of another length could be read as another one. Nothing is no amount.
fn is_amount(text: &str, units: usize) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, parts) = match text.split_once('.') {
        None => (text, None),
        Some((whole, parts)) => (whole, Some(parts)),
    };
    let parts_fit = match parts {
        None => matches!(units, 0 | 2),
        Some(parts) => units > 0 && parts.len() == units && digits(parts),
    };
    (1..=12).contains(&whole.len())
        && digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && parts_fit
        && text.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}
