//! The parser. Of our own, because `serde_json` keeps the last of two equal members,
//! rounds numbers, and changes how it hands numbers out with the features of its build.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{JsonError, MAX_DEPTH, number};

pub(super) fn parse(text: &str) -> Result<Value, JsonError> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    parser.skip_space();
    if parser.at == text.len() {
        Ok(value)
    } else {
        Err(JsonError::Syntax)
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    /// `depth` arrays and objects are open around this value.
    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.skip_space();
        match self.peek().ok_or(JsonError::Syntax)? {
            b'{' => self.object(depth.saturating_add(1)),
            b'[' => self.array(depth.saturating_add(1)),
            b'"' => Ok(Value::String(self.string()?.into_owned())),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Null),
            _ => Err(JsonError::Syntax),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut members = Map::new();
        if self.open(b'}', depth)? {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            let name = self.string()?.into_owned();
            self.skip_space();
            self.expect(b':')?;
            let value = self.value(depth)?;
            // RFC 7493, section 2.3: names are compared after escapes are resolved.
            if members.insert(name, value).is_some() {
                return Err(JsonError::DuplicateKey);
            }
            if self.close(b'}')? {
                return Ok(Value::Object(members));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut items = Vec::new();
        if self.open(b']', depth)? {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.close(b']')? {
                return Ok(Value::Array(items));
            }
        }
    }

    /// Steps over the opening bracket; true when the closing one follows at once.
    fn open(&mut self, end: u8, depth: usize) -> Result<bool, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        self.step(1);
        self.skip_space();
        let empty = self.peek() == Some(end);
        self.step(usize::from(empty));
        Ok(empty)
    }

    /// After an element: true at the closing bracket, false at a comma.
    fn close(&mut self, end: u8) -> Result<bool, JsonError> {
        self.skip_space();
        let next = self.peek().ok_or(JsonError::Syntax)?;
        if next != end && next != b',' {
            return Err(JsonError::Syntax);
        }
        self.step(1);
        Ok(next == end)
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.expect(b'"')?;
        let plain = self.plain();
        if self.peek() == Some(b'"') {
            self.step(1);
            return Ok(Cow::Borrowed(plain));
        }
        let mut out = String::from(plain);
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.step(1);
                    return Ok(Cow::Owned(out));
                }
                Some(b'\\') => {
                    self.step(1);
                    out.push(self.escape()?);
                }
                // RFC 8259, section 7: control characters must be escaped.
                Some(_) | None => return Err(JsonError::Syntax),
            }
            out.push_str(self.plain());
        }
    }

    /// The characters up to the next quotation mark, backslash or control character.
    fn plain(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .bytes()
            .position(|b| b == b'"' || b == b'\\' || b < 0x20);
        let plain = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.step(plain.len());
        plain
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let kind = self.peek().ok_or(JsonError::Syntax)?;
        self.step(1);
        Ok(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(JsonError::Syntax),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        if !(0xd800..=0xdbff).contains(&first) {
            return char::from_u32(first.into()).ok_or(JsonError::Unicode);
        }
        // RFC 7493, section 2.1: no lone surrogates.
        if !self.rest().starts_with("\\u") {
            return Err(JsonError::Unicode);
        }
        self.step(2);
        let pair = [first, self.hex4()?];
        match char::decode_utf16(pair).next() {
            Some(Ok(character)) => Ok(character),
            Some(Err(_)) | None => Err(JsonError::Unicode),
        }
    }

    fn hex4(&mut self) -> Result<u16, JsonError> {
        let digits = self.rest().get(..4).ok_or(JsonError::Syntax)?;
        // `from_str_radix` takes a sign.
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(JsonError::Syntax);
        }
        self.step(4);
        u16::from_str_radix(digits, 16).map_err(|_| JsonError::Syntax)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let rest = self.rest();
        let length = number::length(rest.as_bytes()).ok_or(JsonError::Syntax)?;
        self.step(length);
        let text = rest.get(..length).ok_or(JsonError::Syntax)?;
        number::parse(text).map(Value::Number)
    }

    fn literal(&mut self, text: &str, value: Value) -> Result<Value, JsonError> {
        if !self.rest().starts_with(text) {
            return Err(JsonError::Syntax);
        }
        self.step(text.len());
        Ok(value)
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(JsonError::Syntax);
        }
        self.step(1);
        Ok(())
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.step(1);
        }
    }

    /// What was not read yet. `at` is a place between two characters.
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn step(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
