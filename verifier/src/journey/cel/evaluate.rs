//! The value of an expression. Strict: a variable that is missing, or values that do not go
//! together, are errors wherever they are met; `||` and `&&` stop at the first side that decides.
//!
//! Each part of the tree is looked at once at most, so the budget of an evaluation is the size of
//! its expression, which reading bounds, and of the lists that it looks through.

use serde_json::{Number, Value};
use vouchsafe_protocol::oidc::acr::AcrWish;

use super::check::level;
use super::tree::{Node, Operator, Part, TextTest};

/// The longest list or text that an evaluation looks through.
const LONGEST_LIST: usize = 4096;

/// Why an expression has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// A variable, a field or an element is not there.
    #[error("a variable is missing")]
    Missing,
    /// Values do not go together.
    #[error("values of wrong types")]
    Type,
    /// A number became too large, or a list is.
    #[error("beyond the limits of an evaluation")]
    Limit,
}

/// Makes the keyed hash of a value that `user.binding` is compared with.
pub trait Hasher {
    /// The hash of `value` under the name of its binding.
    fn hash(&self, name: &str, value: &Value) -> String;
}

type Evaluated = Result<Value, EvaluationError>;

pub(super) fn value(node: &Node, variables: &Value, hasher: &dyn Hasher) -> Evaluated {
    Evaluation { variables, hasher }.value(node)
}

struct Evaluation<'e> {
    variables: &'e Value,
    hasher: &'e dyn Hasher,
}

impl Evaluation<'_> {
    fn value(&self, node: &Node) -> Evaluated {
        match &node.part {
            Part::Null => Ok(Value::Null),
            Part::Bool(value) => Ok(Value::Bool(*value)),
            Part::Int(value) => Ok(Value::from(*value)),
            Part::Double(value) => Number::from_f64(*value)
                .map(Value::Number)
                .ok_or(EvaluationError::Limit),
            Part::Text(text) => Ok(Value::String(text.clone())),
            Part::List(items) => items.iter().map(|item| self.value(item)).collect(),
            Part::Name(name) => member(self.variables, name),
            Part::Field(of, field) => member(&self.value(of)?, field),
            Part::Has(of, field) => match self.value(of)? {
                Value::Object(members) => Ok(members
                    .get(field)
                    .is_some_and(|value| !value.is_null())
                    .into()),
                _ => Err(EvaluationError::Type),
            },
            Part::At(of, index) => element(&self.value(of)?, &self.value(index)?),
            Part::Not(of) => Ok((!self.truth(of)?).into()),
            Part::Negative(of) => negative(&self.value(of)?),
            Part::Two(operator, a, b) => self.two(*operator, a, b),
            Part::Choice(condition, then, otherwise) => {
                let chosen = if self.truth(condition)? {
                    then
                } else {
                    otherwise
                };
                self.value(chosen)
            }
            Part::Size(of) => size(&self.value(of)?),
            Part::TextTest(test, of, text) => {
                let (of, text) = (self.text(of)?, self.text(text)?);
                Ok(match test {
                    TextTest::StartsWith => of.starts_with(&text),
                    TextTest::EndsWith => of.ends_with(&text),
                    TextTest::Contains => of.contains(&text),
                }
                .into())
            }
            Part::AtLeast(of, wished) => at_least(&self.value(of)?, &self.text(wished)?),
        }
    }

    fn truth(&self, node: &Node) -> Result<bool, EvaluationError> {
        self.value(node)?.as_bool().ok_or(EvaluationError::Type)
    }

    fn text(&self, node: &Node) -> Result<String, EvaluationError> {
        match self.value(node)? {
            Value::String(text) if text.len() <= LONGEST_LIST => Ok(text),
            Value::String(_) => Err(EvaluationError::Limit),
            _ => Err(EvaluationError::Type),
        }
    }

    fn two(&self, operator: Operator, a: &Node, b: &Node) -> Evaluated {
        // An error on the side that decides is an error: CEL would let the other side win.
        match operator {
            Operator::And => return Ok((self.truth(a)? && self.truth(b)?).into()),
            Operator::Or => return Ok((self.truth(a)? || self.truth(b)?).into()),
            Operator::Equal => return Ok(self.equal(a, b)?.into()),
            Operator::Differs => return Ok((!self.equal(a, b)?).into()),
            _ => {}
        }
        let (a, b) = (self.value(a)?, self.value(b)?);
        match operator {
            Operator::In => contained(&a, &b),
            Operator::Plus => sum(&a, &b, i64::checked_add, |a, b| a + b),
            Operator::Minus => sum(&a, &b, i64::checked_sub, |a, b| a - b),
            _ => {
                let order = ordered(&a, &b)?;
                Ok(match operator {
                    Operator::Less => order.is_lt(),
                    Operator::LessOrEqual => order.is_le(),
                    Operator::Greater => order.is_gt(),
                    _ => order.is_ge(),
                }
                .into())
            }
        }
    }

    fn equal(&self, a: &Node, b: &Node) -> Result<bool, EvaluationError> {
        let (hash, plain) = match (binding(a), binding(b)) {
            (Some(_), Some(_)) => return Err(EvaluationError::Type),
            (Some(name), None) => ((a, name), b),
            (None, Some(name)) => ((b, name), a),
            (None, None) => return same(&self.value(a)?, &self.value(b)?),
        };
        let stored = self.text(hash.0)?;
        let presented = self.value(plain)?;
        // Only a text or a whole number names somebody: `null` is no presented value.
        if !presented.is_string() && !presented.is_i64() && !presented.is_u64() {
            return Err(EvaluationError::Type);
        }
        let hashed = self.hasher.hash(hash.1, &presented);
        let same = subtle::ConstantTimeEq::ct_eq(hashed.as_bytes(), stored.as_bytes());
        Ok(same.into())
    }
}

/// The name behind `user.binding.`.
fn binding(node: &Node) -> Option<&str> {
    let (of, name) = match &node.part {
        Part::Field(of, name) => (of, name),
        Part::At(of, index) => match &index.part {
            Part::Text(name) => (of, name),
            _ => return None,
        },
        _ => return None,
    };
    let Part::Field(user, field) = &of.part else {
        return None;
    };
    let is_user = matches!(&user.part, Part::Name(first) if first == "user");
    (is_user && field == "binding").then_some(name.as_str())
}

/// A `null` is a thing that is not there: absent claims must not compare with each other.
fn member(of: &Value, name: &str) -> Evaluated {
    match of {
        Value::Object(members) => match members.get(name) {
            None | Some(Value::Null) => Err(EvaluationError::Missing),
            Some(value) => Ok(value.clone()),
        },
        _ => Err(EvaluationError::Type),
    }
}

fn element(of: &Value, index: &Value) -> Evaluated {
    match (of, index) {
        (Value::Array(items), Value::Number(at)) => {
            let at = at.as_u64().and_then(|at| usize::try_from(at).ok());
            let item = at.and_then(|at| items.get(at));
            item.cloned().ok_or(EvaluationError::Missing)
        }
        (Value::Object(_), Value::String(name)) => member(of, name),
        _ => Err(EvaluationError::Type),
    }
}

fn negative(value: &Value) -> Evaluated {
    sum(&Value::from(0), value, i64::checked_sub, |a, b| a - b)
}

fn size(value: &Value) -> Evaluated {
    let size = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => return Err(EvaluationError::Type),
    };
    Ok(size.into())
}

fn sum(
    a: &Value,
    b: &Value,
    whole: impl Fn(i64, i64) -> Option<i64>,
    fraction: impl Fn(f64, f64) -> f64,
) -> Evaluated {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        let sum = whole(a, b).ok_or(EvaluationError::Limit)?;
        return Ok(sum.into());
    }
    let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) else {
        return Err(EvaluationError::Type);
    };
    let number = Number::from_f64(fraction(a, b));
    number.map(Value::Number).ok_or(EvaluationError::Limit)
}

/// Values of different types are no pair: an error, not a difference.
fn same(a: &Value, b: &Value) -> Result<bool, EvaluationError> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(a.is_null() && b.is_null()),
        (Value::Number(_), Value::Number(_)) => Ok(ordered(a, b)?.is_eq()),
        (Value::String(a), Value::String(b)) => Ok(a == b),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Array(a), Value::Array(b)) => Ok(a == b),
        _ => Err(EvaluationError::Type),
    }
}

fn ordered(a: &Value, b: &Value) -> Result<std::cmp::Ordering, EvaluationError> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Ok(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Ok(a.cmp(&b)),
            _ => {
                let pair = a.as_f64().zip(b.as_f64());
                let order = pair.and_then(|(a, b)| a.partial_cmp(&b));
                order.ok_or(EvaluationError::Type)
            }
        },
        _ => Err(EvaluationError::Type),
    }
}

fn contained(item: &Value, list: &Value) -> Evaluated {
    match list {
        Value::Array(items) if items.len() > LONGEST_LIST => Err(EvaluationError::Limit),
        Value::Array(items) => Ok(items.contains(item).into()),
        Value::Object(members) => {
            let name = item.as_str().ok_or(EvaluationError::Type)?;
            Ok(members.contains_key(name).into())
        }
        _ => Err(EvaluationError::Type),
    }
}

/// Whether the lowest of the levels that are named, which is the one that is demanded, is at least
/// `wished`. No level is named: no.
fn at_least(of: &Value, wished: &str) -> Evaluated {
    let wished = level(wished).ok_or(EvaluationError::Type)?;
    let named: Vec<&str> = match of {
        Value::String(one) => vec![one],
        Value::Array(several) => several
            .iter()
            .map(|one| one.as_str().ok_or(EvaluationError::Type))
            .collect::<Result<_, _>>()?,
        _ => return Err(EvaluationError::Type),
    };
    let lowest = AcrWish::new(&named, false).lowest();
    Ok(lowest.is_some_and(|lowest| lowest >= wished).into())
}
