//! An expression as it runs: a flat list of operations on a stack. Jumps are relative, so that a
//! piece of code can be moved; there is no tree whose depth a drop could fall through.

use rust_decimal::Decimal as Amount;

use super::filter::table::Filter;
use crate::flow::lang::pattern::Pattern;

/// The code that an expression runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program {
    pub(super) code: Box<[Instruction]>,
    pub(super) consts: Box<[Lit]>,
    pub(super) paths: Box<[DataPath]>,
    pub(super) patterns: Box<[Pattern]>,
    /// True if it runs without a stack.
    pub(super) is_straight: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    /// Pushes a constant.
    Const(u32),
    /// Pushes the value of a path.
    Path(u32),
    /// Pushes what is not there: an argument left out, an `else` left out.
    Missing,
    /// Negates a number.
    Neg,
    /// Negates the truth.
    Not,
    /// Takes two, pushes one.
    Binary(Binary),
    /// Takes a value and a key or an index, pushes what is there.
    Item,
    /// Takes so many, pushes a list.
    List(u32),
    /// Takes one, pushes whether it is such.
    Is(Test),
    /// Takes so many arguments and a value, pushes one.
    Filter(Filter, u8),
    /// Takes a text, pushes what the groups of a pattern find in it.
    Match(u32),
    /// Skips so many.
    Jump(u32),
    /// Takes one and skips so many if it is false.
    JumpUnless(u32),
    /// Skips so many and keeps the value if it is false; takes it otherwise.
    And(u32),
    /// Skips so many and keeps the value if it is true; takes it otherwise.
    Or(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Concat,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
}

impl Binary {
    pub(super) fn is_arithmetic(self) -> bool {
        matches!(self, Self::Add | Self::Sub | Self::Mul | Self::Div | Self::FloorDiv | Self::Rem)
    }

    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::FloorDiv => "//",
            Self::Rem => "%",
            Self::Concat => "~",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::In => "in",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    Defined,
    None,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lit {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// One of more digits than a float holds.
    Decimal(Amount),
    Str(Box<str>),
}

/// A path that is known before the expression runs: `context.cart.items[0].name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DataPath {
    pub(super) root: Box<str>,
    pub(super) steps: Box<[PathStep]>,
    pub(super) text: Box<str>,
    pub(super) optional: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathStep {
    Key(Box<str>),
    Index(i64),
}

impl DataPath {
    /// Its first name: `context` of `context.name`.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The name after the first, if it is a name: `name` of `context.name`.
    pub(crate) fn key(&self) -> Option<&str> {
        match self.steps.first() {
            Some(PathStep::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// The name after that, likewise.
    pub(crate) fn second_key(&self) -> Option<&str> {
        match &*self.steps {
            [PathStep::Key(_), PathStep::Key(key), ..] => Some(key),
            _ => None,
        }
    }

    /// The whole as one writes it.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// True if its author expects it to be undefined at times: it has a `default`, or is asked
    /// `is defined`.
    pub(crate) fn is_optional(&self) -> bool {
        self.optional
    }
}

/// A path while it is read.
pub(super) struct PathBuilder {
    root: Box<str>,
    steps: Vec<PathStep>,
    text: String,
}

impl PathBuilder {
    pub(super) fn new(root: &str) -> Self {
        Self { root: root.into(), steps: Vec::new(), text: root.to_owned() }
    }

    pub(super) fn push(&mut self, step: PathStep) {
        match &step {
            PathStep::Key(key) if super::token::is_name(key) => {
                self.text.push('.');
                self.text.push_str(key);
            }
            PathStep::Key(key) => self.text.push_str(&format!("[{key:?}]")),
            PathStep::Index(index) => self.text.push_str(&format!("[{index}]")),
        }
        self.steps.push(step);
    }

    pub(super) fn build(self) -> DataPath {
        let Self { root, steps, text } = self;
        DataPath { root, steps: steps.into(), text: text.into(), optional: false }
    }
}
