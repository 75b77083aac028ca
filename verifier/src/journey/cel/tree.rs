//! From the crate's syntax tree to ours, which has what journeys use and nothing else.

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators};
use cel::parser::Parser;

use super::{LONGEST, Problem};
use crate::journey::mistake::Code;

/// The most parts of an expression; each is evaluated once at most.
const MOST_NODES: usize = 256;
/// How deep brackets and operators may lie in each other.
const DEEPEST: usize = 24;

/// A part of an expression, and the byte where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub at: usize,
    pub part: Part,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    List(Vec<Node>),
    /// A variable by its first name.
    Name(String),
    /// `of.field`
    Field(Box<Node>, String),
    /// `has(of.field)`
    Has(Box<Node>, String),
    /// `of[at]`
    At(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Negative(Box<Node>),
    Two(Operator, Box<Node>, Box<Node>),
    /// `if ? then : otherwise`
    Choice(Box<Node>, Box<Node>, Box<Node>),
    /// `size(of)`, `of.size()`
    Size(Box<Node>),
    /// `of.startsWith(text)` and its like.
    TextTest(TextTest, Box<Node>, Box<Node>),
    /// `acr.at_least(of, level)`
    AtLeast(Box<Node>, Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    And,
    Or,
    Equal,
    Differs,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Plus,
    Minus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

impl Node {
    /// The variables below, by the first part of their names.
    pub(super) fn names(&self, into: &mut BTreeSet<String>) {
        match &self.part {
            Part::Name(name) => _ = into.insert(name.clone()),
            Part::Null | Part::Bool(_) | Part::Int(_) | Part::Double(_) | Part::Text(_) => {}
            Part::List(items) => items.iter().for_each(|item| item.names(into)),
            Part::Field(of, _)
            | Part::Has(of, _)
            | Part::Not(of)
            | Part::Negative(of)
            | Part::Size(of) => of.names(into),
            Part::At(a, b) | Part::Two(_, a, b) | Part::TextTest(_, a, b) | Part::AtLeast(a, b) => {
                a.names(into);
                b.names(into);
            }
            Part::Choice(a, b, c) => {
                a.names(into);
                b.names(into);
                c.names(into);
            }
        }
    }
}

/// What an expression reads, as `group.field`; a whole group by its name alone.
pub(super) fn paths(node: &Node, into: &mut BTreeSet<String>) {
    match &node.part {
        Part::Name(name) => _ = into.insert(name.clone()),
        Part::Field(of, field) | Part::Has(of, field) => match &of.part {
            Part::Name(name) => _ = into.insert(format!("{name}.{field}")),
            _ => paths(of, into),
        },
        Part::Null | Part::Bool(_) | Part::Int(_) | Part::Double(_) | Part::Text(_) => {}
        Part::List(items) => items.iter().for_each(|item| paths(item, into)),
        Part::Not(of) | Part::Negative(of) | Part::Size(of) => paths(of, into),
        Part::At(a, b) | Part::Two(_, a, b) | Part::TextTest(_, a, b) | Part::AtLeast(a, b) => {
            paths(a, into);
            paths(b, into);
        }
        Part::Choice(a, b, c) => {
            paths(a, into);
            paths(b, into);
            paths(c, into);
        }
    }
}

/// Reads an expression. What could make the parser work hard is refused before it.
pub(super) fn read(source: &str) -> Result<Node, Problem> {
    within_budget(source)?;
    let (tree, info) = Parser::new()
        .parse_with_source_info(source)
        .map_err(|errors| {
            let first = errors.errors.first();
            let (line, column) = first.map_or((0, 0), |error| error.pos);
            Problem {
                code: Code::BadCel,
                offset: offset(source, line, column),
                message: first.map_or_else(|| "not CEL".to_owned(), |error| error.msg.clone()),
                hint: "conditions are written in CEL: `risk.level == \"high\" && !session.exists`"
                    .to_owned(),
            }
        })?;
    let mut reader = Reader {
        info: &info,
        left: MOST_NODES,
    };
    reader.node(&tree, DEEPEST).map_err(|refused| {
        let Refused { at, why } = refused;
        match why {
            Why::Size => too_large(),
            Why::Feature(what) => Problem {
                code: Code::UnsupportedCel,
                offset: at,
                message: format!("journeys do not use {what}"),
                hint: "operators, `in`, `has()`, `size()`, `startsWith()`, `endsWith()`, `contains()` and `acr.at_least()` are there".to_owned(),
            },
        }
    })
}

fn too_large() -> Problem {
    Problem {
        code: Code::CelTooLarge,
        offset: 0,
        message: "the expression is too large".to_owned(),
        hint: "use a `decide` step with several cases".to_owned(),
    }
}

fn within_budget(source: &str) -> Result<(), Problem> {
    let mut depth = 0_usize;
    let mut deepest = 0;
    let mut marks = 0;
    for c in source.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '.' | '!' | '-' | '+' | '*' | '/' | '%' | '?' | ',' | '&' | '|' | '<' | '>' | '=' => {
                marks += 1;
            }
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if source.len() <= LONGEST && deepest <= DEEPEST && marks <= MOST_NODES {
        return Ok(());
    }
    Err(too_large())
}

/// The byte at a line and a column, both from 1.
fn offset(source: &str, line: isize, column: isize) -> usize {
    let before = usize::try_from(line - 1).unwrap_or_default();
    let start: usize = source
        .split_inclusive('\n')
        .take(before)
        .map(str::len)
        .sum();
    let column = usize::try_from(column - 1).unwrap_or_default();
    (start + column).min(source.len())
}

struct Refused {
    at: usize,
    why: Why,
}

enum Why {
    Size,
    Feature(String),
}

struct Reader<'i> {
    info: &'i SourceInfo,
    left: usize,
}

impl Reader<'_> {
    fn node(&mut self, tree: &IdedExpr, depth: usize) -> Result<Node, Refused> {
        let at = self.info.offset_for(tree.id);
        let at = at.map_or(0, |(start, _)| start as usize);
        let spent = self.left.checked_sub(1).zip(depth.checked_sub(1));
        let (left, depth) = spent.ok_or(Refused { at, why: Why::Size })?;
        self.left = left;
        let part = self.part(&tree.expr, at, depth)?;
        Ok(Node { at, part })
    }

    fn part(&mut self, expr: &Expr, at: usize, depth: usize) -> Result<Part, Refused> {
        let feature = |what: &str| {
            let why = Why::Feature(what.to_owned());
            Err(Refused { at, why })
        };
        match expr {
            Expr::Unspecified => feature("empty expressions"),
            Expr::Comprehension(_) => {
                feature("macros that loop (`all`, `exists`, `map`, `filter`)")
            }
            Expr::Map(_) => feature("map literals"),
            Expr::Struct(_) => feature("messages"),
            Expr::Ident(name) => Ok(Part::Name(name.clone())),
            Expr::Literal(literal) => match literal {
                LiteralValue::Boolean(value) => Ok(Part::Bool(*value.inner())),
                LiteralValue::Double(value) => Ok(Part::Double(*value.inner())),
                LiteralValue::Int(value) => Ok(Part::Int(*value.inner())),
                LiteralValue::String(value) => Ok(Part::Text(value.inner().to_owned())),
                LiteralValue::Null => Ok(Part::Null),
                LiteralValue::Bytes(_) => feature("bytes"),
                LiteralValue::UInt(_) => feature("unsigned numbers"),
            },
            Expr::List(list) => {
                let items = list.elements.iter().map(|item| self.node(item, depth));
                Ok(Part::List(items.collect::<Result<_, _>>()?))
            }
            Expr::Select(SelectExpr {
                operand,
                field,
                test,
            }) => {
                let of = Box::new(self.node(operand, depth)?);
                let field = field.clone();
                Ok(match test {
                    true => Part::Has(of, field),
                    false => Part::Field(of, field),
                })
            }
            Expr::Call(call) => self.call(call, at, depth),
        }
    }

    fn call(&mut self, call: &CallExpr, at: usize, depth: usize) -> Result<Part, Refused> {
        let CallExpr {
            func_name,
            target,
            args,
        } = call;
        if let (Some(target), "at_least", [of, level]) =
            (target.as_deref(), func_name.as_str(), args.as_slice())
            && matches!(&target.expr, Expr::Ident(name) if name == "acr")
        {
            let of = Box::new(self.node(of, depth)?);
            let level = Box::new(self.node(level, depth)?);
            return Ok(Part::AtLeast(of, level));
        }
        let mut parts = Vec::with_capacity(3);
        for part in target.iter().map(AsRef::as_ref).chain(args) {
            parts.push(Box::new(self.node(part, depth)?));
        }
        let unknown = || {
            let why = Why::Feature(format!("`{func_name}` in this way"));
            Refused { at, why }
        };
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(of), None, None, None) => match func_name.as_str() {
                operators::LOGICAL_NOT => Ok(Part::Not(of)),
                operators::NEGATE => Ok(Part::Negative(of)),
                "size" => Ok(Part::Size(of)),
                _ => Err(unknown()),
            },
            (Some(a), Some(b), None, None) if target.is_some() => {
                let test = text_test(func_name).ok_or_else(unknown)?;
                Ok(Part::TextTest(test, a, b))
            }
            (Some(of), Some(index), None, None) if func_name == operators::INDEX => {
                Ok(Part::At(of, index))
            }
            (Some(a), Some(b), None, None) => {
                let operator = operator(func_name).ok_or_else(unknown)?;
                Ok(Part::Two(operator, a, b))
            }
            (Some(condition), Some(then), Some(otherwise), None)
                if func_name == operators::CONDITIONAL =>
            {
                Ok(Part::Choice(condition, then, otherwise))
            }
            _ => Err(unknown()),
        }
    }
}

fn text_test(name: &str) -> Option<TextTest> {
    Some(match name {
        "startsWith" => TextTest::StartsWith,
        "endsWith" => TextTest::EndsWith,
        "contains" => TextTest::Contains,
        _ => return None,
    })
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        operators::LOGICAL_AND => Operator::And,
        operators::LOGICAL_OR => Operator::Or,
        operators::EQUALS => Operator::Equal,
        operators::NOT_EQUALS => Operator::Differs,
        operators::LESS => Operator::Less,
        operators::LESS_EQUALS => Operator::LessOrEqual,
        operators::GREATER => Operator::Greater,
        operators::GREATER_EQUALS => Operator::GreaterOrEqual,
        operators::IN => Operator::In,
        operators::ADD => Operator::Plus,
        operators::SUBSTRACT => Operator::Minus,
        _ => return None,
    })
}
