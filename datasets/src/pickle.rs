//! Python's pickle, protocol 2: as much as the files of CIFAR-10's Python version use.
//!
//! A pickle is a program for a machine with a stack, and in Python it may call any function. Here it may put together
//! numbers, bytes, tuples, lists, one level of dicts and NumPy arrays of bytes; anything else is refused by name, and
//! nothing is ever called. Bytes are borrowed from the file and containers nest no deeper than a few levels, so that
//! memory and stack are bounded by the file's length.
//!
//! Format: CPython's `Lib/pickletools.py`.

use std::collections::HashMap;

/// More steps than this are refused: a file of 10,000 images takes about 40,000.
const MAX_STEPS: usize = 1_000_000;
/// Levels of tuples in tuples.
const MAX_DEPTH: usize = 3;

/// Why some bytes are not a pickle that can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PickleError {
    /// It is another format.
    #[error("it is not a Python pickle of protocol 2")]
    NotPickle,
    /// The bytes end early.
    #[error("it is truncated")]
    Truncated,
    /// Bytes after its end.
    #[error("it goes on after its end")]
    Oversized,
    /// Far longer a program than it should be.
    #[error("it has more than {MAX_STEPS} steps")]
    TooLong,
    /// It uses what CIFAR-10's files don't.
    #[error("it uses the pickle code {code:#04x} at byte {at}, which CIFAR-10's files don't")]
    Code {
        /// The code.
        code: u8,
        /// Where it stands.
        at: usize,
    },
    /// It names something else of Python than what makes an array.
    #[error("it asks for Python's `{0}`, which CIFAR-10's files don't: it may be malicious")]
    Global(String),
    /// A value of another kind than belongs there.
    #[error("it makes no sense at byte {0}")]
    Senseless(usize),
}

/// What a pickle makes.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    Nothing,
    Truth(bool),
    Number(i64),
    Bytes(&'a [u8]),
    Tuple(Vec<Value<'a>>),
    /// Of numbers, bytes and the like.
    List(Vec<Value<'a>>),
    Dict(Vec<(&'a [u8], Value<'a>)>),
    Global(Global),
    /// NumPy's type of bytes.
    ByteType,
    /// `None` until it has been given its contents.
    Array(Option<Array<'a>>),
}

/// What may be named of Python.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Global {
    Reconstruct,
    NdArray,
    DataType,
}

/// A NumPy array of bytes, row by row.
#[derive(Debug, Clone)]
pub(crate) struct Array<'a> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) bytes: &'a [u8],
}

/// Reads the value that a pickle makes.
pub(crate) fn read(bytes: &[u8]) -> Result<Value<'_>, PickleError> {
    if !bytes.starts_with(b"\x80\x02") {
        return Err(PickleError::NotPickle);
    }
    let mut machine = Machine { bytes, at: 2, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    for _ in 0..MAX_STEPS {
        if let Some(value) = machine.step()? {
            return if machine.at == bytes.len() { Ok(value) } else { Err(PickleError::Oversized) };
        }
    }
    Err(PickleError::TooLong)
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value<'a>>,
    /// Heights of the stack that later codes go back to.
    marks: Vec<usize>,
    /// Values to use again; containers are not among them, since they would have to be shared.
    memo: HashMap<u32, Value<'a>>,
}

impl<'a> Machine<'a> {
    /// Does what the next code says; the last one gives the value.
    fn step(&mut self) -> Result<Option<Value<'a>>, PickleError> {
        let at = self.at;
        let [code] = self.take_array()?;
        let value = match code {
            b'.' => return self.pop().map(Some),
            b'(' => {
                self.marks.push(self.stack.len());
                return Ok(None);
            }
            b'q' => return self.remember(1).map(|()| None),
            b'r' => return self.remember(4).map(|()| None),
            b'a' | b'e' => return self.append(code == b'e').map(|()| None),
            b's' | b'u' => return self.set_items(code == b'u').map(|()| None),
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            b'N' => Value::Nothing,
            b'\x88' => Value::Truth(true),
            b'\x89' => Value::Truth(false),
            b'K' => Value::Number(self.unsigned(1)?.into()),
            b'M' => Value::Number(self.unsigned(2)?.into()),
            b'J' => Value::Number(i32::from_le_bytes(self.take_array()?).into()),
            b'U' => self.string(1)?,
            b'T' => self.string(4)?,
            b')' => Value::Tuple(Vec::new()),
            b'\x85' => self.tuple_of(1)?,
            b'\x86' => self.tuple_of(2)?,
            b'\x87' => self.tuple_of(3)?,
            b't' => {
                let items = self.pop_to_mark()?;
                self.tuple(items)?
            }
            b']' => Value::List(Vec::new()),
            b'}' => Value::Dict(Vec::new()),
            b'c' => Value::Global(self.global()?),
            b'R' => self.call()?,
            b'b' => self.build()?,
            _ => return Err(PickleError::Code { code, at }),
        };
        self.stack.push(value);
        Ok(None)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], PickleError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..len).ok_or(PickleError::Truncated)?;
        self.at += len;
        Ok(taken)
    }

    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        self.take(N)?.first_chunk().copied().ok_or(PickleError::Truncated)
    }

    /// An unsigned number of `width` bytes, at most 4.
    fn unsigned(&mut self, width: usize) -> Result<u32, PickleError> {
        let bytes = self.take(width)?;
        Ok(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    }

    /// A string with a length of `width` bytes before it.
    fn string(&mut self, width: usize) -> Result<Value<'a>, PickleError> {
        let len = self.unsigned(width)?;
        self.take(len as usize).map(Value::Bytes)
    }

    fn line(&mut self) -> Result<&'a [u8], PickleError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|&byte| byte == b'\n').ok_or(PickleError::Truncated)?;
        let line = self.take(len)?;
        self.take(1)?;
        Ok(line)
    }

    fn global(&mut self) -> Result<Global, PickleError> {
        match (self.line()?, self.line()?) {
            (b"numpy.core.multiarray", b"_reconstruct") => Ok(Global::Reconstruct),
            (b"numpy", b"ndarray") => Ok(Global::NdArray),
            (b"numpy", b"dtype") => Ok(Global::DataType),
            (module, name) => {
                let words = [module, name].map(|word| word[..word.len().min(60)].escape_ascii().to_string());
                Err(PickleError::Global(words.join(".")))
            }
        }
    }

    /// The topmost value above the last mark.
    fn pop(&mut self) -> Result<Value<'a>, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let value = if self.stack.len() > floor { self.stack.pop() } else { None };
        value.ok_or(PickleError::Senseless(self.at))
    }

    /// All values above the last mark, and the mark.
    fn pop_to_mark(&mut self) -> Result<Vec<Value<'a>>, PickleError> {
        let floor = self.marks.pop().ok_or(PickleError::Senseless(self.at))?;
        Ok(self.stack.split_off(floor)) // never below a mark: see `pop`
    }

    fn tuple_of(&mut self, len: usize) -> Result<Value<'a>, PickleError> {
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            items.push(self.pop()?);
        }
        items.reverse();
        self.tuple(items)
    }

    fn tuple(&self, items: Vec<Value<'a>>) -> Result<Value<'a>, PickleError> {
        let tuple = Value::Tuple(items);
        match tuple.depth() {
            Some(0..=MAX_DEPTH) => Ok(tuple),
            _ => Err(PickleError::Senseless(self.at)),
        }
    }

    /// Adds one value, or all above the mark, to the list below.
    fn append(&mut self, many: bool) -> Result<(), PickleError> {
        let items = if many { self.pop_to_mark()? } else { vec![self.pop()?] };
        match self.stack.last_mut() {
            Some(Value::List(list)) if items.iter().all(|item| item.depth() == Some(0)) => {
                list.extend(items);
                Ok(())
            }
            _ => Err(PickleError::Senseless(self.at)),
        }
    }

    /// Adds one key and value, or all above the mark, to the dict below.
    fn set_items(&mut self, many: bool) -> Result<(), PickleError> {
        let mut items = if many { self.pop_to_mark()? } else { vec![self.pop()?, self.pop()?] };
        if !many {
            items.reverse();
        }
        let senseless = || PickleError::Senseless(self.at);
        let Some(Value::Dict(dict)) = self.stack.last_mut() else { return Err(senseless()) };
        let mut items = items.into_iter();
        while let Some(key) = items.next() {
            match (key, items.next()) {
                (_, None | Some(Value::Dict(_))) => return Err(senseless()),
                (Value::Bytes(key), Some(value)) => dict.push((key, value)),
                _ => return Err(senseless()),
            }
        }
        Ok(())
    }

    fn remember(&mut self, width: usize) -> Result<(), PickleError> {
        let key = self.unsigned(width)?;
        let value = self.stack.last().ok_or(PickleError::Senseless(self.at))?;
        if !matches!(value, Value::Tuple(_) | Value::List(_) | Value::Dict(_) | Value::Array(_)) {
            self.memo.insert(key, value.clone());
        }
        Ok(())
    }

    fn recall(&mut self, width: usize) -> Result<Value<'a>, PickleError> {
        let key = self.unsigned(width)?;
        self.memo.get(&key).cloned().ok_or(PickleError::Senseless(self.at))
    }

    /// What calling a function with a tuple would make. `_reconstruct` makes an empty array, `dtype` a type.
    fn call(&mut self) -> Result<Value<'a>, PickleError> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let Value::Tuple(arguments) = arguments else { return Err(PickleError::Senseless(self.at)) };
        match (function, arguments.as_slice()) {
            (Value::Global(Global::Reconstruct), [Value::Global(Global::NdArray), ..]) => {
                Ok(Value::Array(None))
            }
            (Value::Global(Global::DataType), [Value::Bytes(b"u1"), ..]) => Ok(Value::ByteType),
            _ => Err(PickleError::Senseless(self.at)),
        }
    }

    /// An object with its state. An array's is (1, (rows, columns), type, column by column?, bytes).
    fn build(&mut self) -> Result<Value<'a>, PickleError> {
        let (state, object) = (self.pop()?, self.pop()?);
        let Value::Tuple(state) = state else { return Err(PickleError::Senseless(self.at)) };
        match (object, state.as_slice()) {
            (Value::ByteType, _) => Ok(Value::ByteType),
            (
                Value::Array(None),
                [
                    Value::Number(1),
                    Value::Tuple(size),
                    Value::ByteType,
                    Value::Truth(false),
                    Value::Bytes(bytes),
                ],
            ) => {
                let &[Value::Number(rows), Value::Number(columns)] = size.as_slice() else {
                    return Err(PickleError::Senseless(self.at));
                };
                let [rows, columns] = [rows, columns].map(usize::try_from);
                match (rows, columns) {
                    (Ok(rows), Ok(columns)) => Ok(Value::Array(Some(Array { rows, columns, bytes }))),
                    _ => Err(PickleError::Senseless(self.at)),
                }
            }
            _ => Err(PickleError::Senseless(self.at)),
        }
    }
}

impl Value<'_> {
    /// Levels of tuples; `None` if there is anything in it that neither tuples nor lists may hold.
    fn depth(&self) -> Option<usize> {
        match self {
            Value::Tuple(items) => items.iter().try_fold(1, |depth, item| Some(depth.max(1 + item.depth()?))),
            Value::List(_) | Value::Dict(_) | Value::Array(_) => None,
            _ => Some(0),
        }
    }
}
