//! Types of expressions, before anything runs: variables that do not exist, fields that do not
//! exist, comparisons that can never hold.

use std::collections::BTreeSet;

use vouchsafe_protocol::oidc::acr::Acr;

use super::Problem;
use super::tree::{Node, Operator, Part};
use super::variables::{GROUPS, Type, VARIABLES, fields, first, named};
use crate::journey::mistake::{Code, nearest};

/// What an expression may rely on.
#[derive(Debug, Default)]
pub(in crate::journey) struct Known<'j> {
    /// The ids of all steps, for `"id" in done`.
    pub steps: BTreeSet<&'j str>,
    /// The ids of the cards that may have been shown; `None` where a named query is asked, whose
    /// cards the file does not say.
    pub cards: Option<BTreeSet<String>>,
}

/// The level that is meant by a short name or the whole value.
pub(super) fn level(name: &str) -> Option<Acr> {
    let short = |acr: &Acr| acr.as_str().rsplit(':').next() == Some(name);
    Acr::from_wire(name).or_else(|| Acr::ALL.into_iter().find(short))
}

/// The type of an expression, and what is wrong with it.
pub(super) fn check(root: &Node, source: &str, known: &Known<'_>) -> (Type, Vec<Problem>) {
    let mut checker = Checker {
        source,
        known,
        problems: Vec::new(),
    };
    let kind = checker.node(root);
    (kind, checker.problems)
}

struct Checker<'c> {
    source: &'c str,
    known: &'c Known<'c>,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn problem(&mut self, code: Code, at: usize, message: String, hint: String) -> Type {
        self.problems.push(Problem {
            code,
            offset: at,
            message,
            hint,
        });
        // Whatever it is meant to be: one mistake is said once.
        Type::Any
    }

    fn node(&mut self, node: &Node) -> Type {
        match &node.part {
            Part::Null => Type::Any,
            Part::Bool(_) => Type::Bool,
            Part::Int(_) => Type::Int,
            Part::Double(_) => Type::Double,
            Part::Text(_) => Type::Text,
            Part::List(items) => {
                let kinds: Vec<Type> = items.iter().map(|item| self.node(item)).collect();
                let texts = kinds.iter().all(|kind| *kind == Type::Text);
                if texts { Type::Texts } else { Type::List }
            }
            Part::Name(name) => self.name(name, node.at),
            Part::Field(of, field) => self.field(of, field, node.at),
            Part::Has(of, field) => {
                self.field(of, field, node.at);
                Type::Bool
            }
            Part::At(of, index) => self.index(of, index),
            Part::Not(of) => {
                self.expect(of, &[Type::Bool]);
                Type::Bool
            }
            Part::Negative(of) => self.expect(of, &[Type::Int, Type::Double]),
            Part::Two(operator, a, b) => self.two(*operator, a, b, node.at),
            Part::Choice(condition, then, otherwise) => {
                self.expect(condition, &[Type::Bool]);
                let (then, otherwise) = (self.node(then), self.node(otherwise));
                if then == otherwise { then } else { Type::Any }
            }
            Part::Size(of) => {
                let sized = [Type::Text, Type::Texts, Type::List, Type::Claims];
                self.expect(of, &sized);
                Type::Int
            }
            Part::TextTest(_, of, text) => {
                self.expect(of, &[Type::Text]);
                self.expect(text, &[Type::Text]);
                Type::Bool
            }
            Part::AtLeast(of, wished) => self.at_least(of, wished),
        }
    }

    fn name(&mut self, name: &str, at: usize) -> Type {
        if let Some(kind) = first(name) {
            return kind;
        }
        let known = GROUPS
            .into_iter()
            .chain(["cred", "done", "now", "attempt", "acr"]);
        let hint = match nearest(name, known) {
            Some(near) => format!("`{near}` is meant perhaps"),
            None => "there are request, session, user, device, risk, cred, done, now and attempt"
                .to_owned(),
        };
        let message = format!("there is no variable `{name}`");
        self.problem(Code::UnknownVariable, at, message, hint)
    }

    fn field(&mut self, of: &Node, field: &str, at: usize) -> Type {
        // The tree places a field at its dot, or at the name before it.
        let at = self.source.get(at..).map_or(at, |rest| {
            at + rest.find(field).filter(|skip| *skip < 64).unwrap_or(0)
        });
        match self.node(of) {
            Type::Any => Type::Any,
            Type::Claims => Type::Any,
            Type::Bindings => Type::Binding,
            Type::Group(group) => {
                let found = named(&format!("{group}.{field}"));
                found.unwrap_or_else(|| self.no_field(group, group, field, at))
            }
            Type::Card => {
                let found = named(&format!("cred.*.{field}"));
                found.unwrap_or_else(|| self.no_field("cred.ID", "cred.*", field, at))
            }
            Type::Cards => {
                let missing = self
                    .known
                    .cards
                    .as_ref()
                    .filter(|cards| !cards.contains(field));
                if let Some(cards) = missing {
                    let ids: Vec<&str> = cards.iter().map(String::as_str).collect();
                    let hint = match nearest(field, ids.iter().copied()) {
                        Some(near) => format!("`cred.{near}` is meant perhaps"),
                        None if ids.is_empty() => "no step asks for a card".to_owned(),
                        None => format!(
                            "the queries of this journey have the ids {}",
                            ids.join(", ")
                        ),
                    };
                    let message = format!("no query of this journey has the id `{field}`");
                    return self.problem(Code::UnknownVariable, at, message, hint);
                }
                Type::Card
            }
            other => {
                let message = format!("{} has no field `{field}`", other.one());
                let hint = "fields stand behind groups, cards and claims".to_owned();
                self.problem(Code::WrongType, at, message, hint)
            }
        }
    }

    fn no_field(&mut self, shown: &str, group: &str, field: &str, at: usize) -> Type {
        let names: Vec<&str> = fields(group).collect();
        let hint = match nearest(field, names.iter().copied()) {
            Some(near) => format!("`{shown}.{near}` is meant perhaps"),
            None => format!("`{shown}` has {}", names.join(", ")),
        };
        let message = format!("`{shown}` has no field `{field}`");
        self.problem(Code::UnknownVariable, at, message, hint)
    }

    fn index(&mut self, of: &Node, index: &Node) -> Type {
        match self.node(of) {
            Type::Texts => {
                self.expect(index, &[Type::Int]);
                Type::Text
            }
            Type::List => {
                self.expect(index, &[Type::Int]);
                Type::Any
            }
            Type::Claims => {
                self.expect(index, &[Type::Text]);
                Type::Any
            }
            Type::Bindings => {
                self.expect(index, &[Type::Text]);
                Type::Binding
            }
            Type::Any => {
                self.expect(index, &[Type::Int, Type::Text]);
                Type::Any
            }
            other => {
                let message = format!("{} has no elements", other.one());
                let hint = "`[…]` stands behind lists and claims".to_owned();
                self.problem(Code::WrongType, of.at, message, hint)
            }
        }
    }

    /// The type of a part that must have one of `wanted`.
    fn expect(&mut self, node: &Node, wanted: &[Type]) -> Type {
        let kind = self.node(node);
        if kind == Type::Any || wanted.contains(&kind) {
            return kind;
        }
        let wants: Vec<String> = wanted.iter().map(|kind| kind.one()).collect();
        let wants = wants.join(" or ");
        let message = format!("{} where {wants} is needed", kind.one());
        let hint = match wanted {
            [Type::Bool] => "compare it: `… == …`, `… > 0`, `\"x\" in …`".to_owned(),
            _ => format!("write {wants}"),
        };
        self.problem(Code::WrongType, node.at, message, hint)
    }

    fn two(&mut self, operator: Operator, a: &Node, b: &Node, at: usize) -> Type {
        match operator {
            Operator::And | Operator::Or => {
                self.expect(a, &[Type::Bool]);
                self.expect(b, &[Type::Bool]);
                Type::Bool
            }
            Operator::Equal | Operator::Differs => {
                let kinds = (self.node(a), self.node(b));
                if !comparable(kinds.0, kinds.1) {
                    self.not_comparable(kinds, at);
                }
                self.values(a, b);
                self.values(b, a);
                Type::Bool
            }
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => {
                let ordered = [Type::Int, Type::Double, Type::Text];
                let before = self.problems.len();
                let kinds = (self.expect(a, &ordered), self.expect(b, &ordered));
                if self.problems.len() == before && !comparable(kinds.0, kinds.1) {
                    self.not_comparable(kinds, at);
                }
                Type::Bool
            }
            Operator::In => self.contained(a, b, at),
            Operator::Plus | Operator::Minus => {
                let numbers = [Type::Int, Type::Double];
                let (a, b) = (self.expect(a, &numbers), self.expect(b, &numbers));
                if a == b { a } else { Type::Any }
            }
        }
    }

    fn not_comparable(&mut self, (a, b): (Type, Type), at: usize) {
        let message = format!("{} is never compared with {}", a.one(), b.one());
        let hint = match (a, b) {
            (Type::Text, Type::Int | Type::Bool) | (Type::Int | Type::Bool, Type::Text) => {
                "quotes make a text: `18` is a number, `\"18\"` is none".to_owned()
            }
            (Type::Texts, Type::Text) | (Type::Text, Type::Texts) => {
                "a text is in a list: `\"x\" in list`".to_owned()
            }
            _ => "compare values of one type".to_owned(),
        };
        self.problem(Code::WrongType, at, message, hint);
    }

    /// A variable with few values is compared with one of them.
    fn values(&mut self, variable: &Node, other: &Node) {
        let (Some(name), Part::Text(text)) = (variable.path(), &other.part) else {
            return;
        };
        let declared = VARIABLES.iter().find(|variable| variable.name == name);
        let Some(values) = declared.map(|variable| variable.values) else {
            return;
        };
        if !values.is_empty() && !values.contains(&text.as_str()) {
            let message = format!("`{name}` is never \"{text}\"");
            let hint = format!("it is {}", values.join(", "));
            self.problem(Code::WrongType, other.at, message, hint);
        }
    }

    fn contained(&mut self, item: &Node, list: &Node, at: usize) -> Type {
        let kind = self.node(item);
        if let Part::List(options) = &list.part {
            for option in options {
                self.values(item, option);
                let option_kind = self.node(option);
                if !comparable(kind, option_kind) {
                    self.not_comparable((kind, option_kind), option.at);
                }
            }
            return Type::Bool;
        }
        match self.expect(list, &[Type::Texts, Type::List, Type::Claims]) {
            Type::Texts | Type::Claims if !comparable(kind, Type::Text) => {
                self.not_comparable((kind, Type::Text), at);
            }
            _ => {}
        }
        if let (Some("done"), Part::Text(step)) = (list.path().as_deref(), &item.part)
            && !self.known.steps.contains(step.as_str())
        {
            let message = format!("there is no step `{step}`");
            let steps = self.known.steps.iter().copied();
            let hint = match nearest(step, steps) {
                Some(near) => format!("`{near}` is meant perhaps"),
                None => "`done` has ids of steps of this file".to_owned(),
            };
            self.problem(Code::UnknownVariable, item.at, message, hint);
        }
        Type::Bool
    }

    fn at_least(&mut self, of: &Node, wished: &Node) -> Type {
        self.expect(of, &[Type::Texts, Type::Text]);
        let known = match &wished.part {
            Part::Text(name) => level(name).is_some(),
            _ => false,
        };
        if !known {
            let message = "the second part of `acr.at_least` is a level".to_owned();
            let hint = "one of \"1fa\", \"mfa\", \"vc-xdev\", \"vc\", \"vc-hw\"".to_owned();
            self.problem(Code::WrongType, wished.at, message, hint);
        }
        Type::Bool
    }
}

impl Node {
    /// The name of a variable with dots, if it is one.
    fn path(&self) -> Option<String> {
        match &self.part {
            Part::Name(name) => Some(name.clone()),
            Part::Field(of, field) => Some(format!("{}.{field}", of.path()?)),
            _ => None,
        }
    }
}

fn comparable(a: Type, b: Type) -> bool {
    let number = |kind| matches!(kind, Type::Int | Type::Double);
    let list = |kind| matches!(kind, Type::Texts | Type::List);
    match (a, b) {
        (Type::Any, _) | (_, Type::Any) => true,
        // A hash is compared with a value, which is hashed first; two hashes say nothing.
        (Type::Binding, other) | (other, Type::Binding) => {
            matches!(other, Type::Text | Type::Int)
        }
        (Type::Group(_) | Type::Card | Type::Cards | Type::Bindings, _)
        | (_, Type::Group(_) | Type::Card | Type::Cards | Type::Bindings) => false,
        (a, b) => a == b || (number(a) && number(b)) || (list(a) && list(b)),
    }
}
