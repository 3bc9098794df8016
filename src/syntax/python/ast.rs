//! The part of Python's syntax that the evaluator knows. What it does not know is [`ExprKind::Unknown`]
//! or [`StmtKind::Unknown`], never an error.

use std::sync::Arc;

use crate::source::Span;

/// A name.
pub type Name = Arc<str>;

/// An expression with its place.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `None`.
    None,
    /// `True`, `False`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text, decoded; adjacent literals are joined.
    Text(Arc<str>),
    /// An f-string.
    Format(Vec<Expr>),
    /// A variable.
    Name(Name),
    /// `a.b`.
    Attribute(Box<Expr>, Name),
    /// `a[b]`.
    Item(Box<Expr>, Box<Expr>),
    /// `a[b:c]` with whole numbers, either left out.
    Slice(Box<Expr>, [Option<Box<Expr>>; 2]),
    /// `f(…)`.
    Call(Box<Expr>, Vec<Argument>),
    /// `[…]`, `(…)` or `{…}`.
    Sequence(SequenceKind, Vec<Expr>),
    /// `{a: b, **c}`; a key of `None` is a double star.
    Dict(Vec<(Option<Expr>, Expr)>),
    /// `a + b` and the like.
    Binary(Box<Expr>, Arc<str>, Box<Expr>),
    /// `-a`, `+a`, `~a`.
    Unary(Arc<str>, Box<Expr>),
    /// `not a`.
    Not(Box<Expr>),
    /// `a < b`, one comparison; chains are joined by `and`.
    Compare(Box<Expr>, Comparison, Box<Expr>),
    /// `a and b`.
    And(Box<Expr>, Box<Expr>),
    /// `a or b`.
    Or(Box<Expr>, Box<Expr>),
    /// `yes if test else no`: test, yes, no.
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `lambda …: …`, or a nested definition.
    Lambda(Arc<Function>),
    /// A comprehension.
    Comprehension(Box<Comprehension>),
    /// `*a`.
    Star(Box<Expr>),
    /// `name := value`.
    Walrus(Name, Box<Expr>),
    /// `await a`.
    Await(Box<Expr>),
    /// Not modelled, or a syntax error.
    Unknown(&'static str),
}

/// Which sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SequenceKind {
    /// `[…]`
    List,
    /// `(…)`
    Tuple,
    /// `{…}`
    Set,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`, `is`
    Equal,
    /// `!=`, `is not`
    NotEqual,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub struct Argument {
    /// How it is given.
    pub form: Form,
    /// Its value.
    pub value: Expr,
    /// Name and value.
    pub span: Span,
}

/// How an argument is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// By position.
    Positional,
    /// By name, with the name's place.
    Keyword(Name, Span),
    /// `*a`
    Star,
    /// `**a`
    DoubleStar,
}

/// A comprehension.
#[derive(Clone, Debug)]
pub struct Comprehension {
    /// What comes out: a sequence, or a dict if `value` is there.
    pub kind: SequenceKind,
    /// The element, or the key.
    pub element: Expr,
    /// The value of a dict.
    pub value: Option<Expr>,
    /// `for target in items`, then its conditions.
    pub clauses: Vec<(Expr, Expr, Vec<Expr>)>,
}

/// A function or lambda.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name; empty for a lambda.
    pub name: Name,
    /// The name's place.
    pub name_span: Span,
    /// The whole definition, without decorators.
    pub span: Span,
    /// Parameters in order.
    pub parameters: Vec<Parameter>,
    /// What it does; a lambda is one `return`.
    pub body: Vec<Stmt>,
    /// It yields.
    pub generator: bool,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Plain, or one of the two that take the rest.
    pub form: Form,
    /// Its default.
    pub default: Option<Expr>,
}

/// A statement with its place.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where it stands.
    pub span: Span,
}

/// What a statement is.
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// An expression.
    Expr(Expr),
    /// `a = b = value`; targets in order. An annotation without a value has none.
    Assign(Vec<Expr>, Option<Expr>, Option<Arc<str>>),
    /// `a += value`.
    Augment(Expr, Arc<str>, Expr),
    /// `if`: tests with bodies in order, then the rest.
    If(Vec<(Expr, Vec<Stmt>)>, Vec<Stmt>),
    /// `for target in items`.
    For(Expr, Expr, Vec<Stmt>),
    /// `while`, or another loop whose end cannot be told; its body.
    Loop(Vec<Stmt>),
    /// `try`: body, handlers with the names of what they catch, else, finally.
    Try(Vec<Stmt>, Vec<(Vec<Name>, Vec<Stmt>)>, Vec<Stmt>, Vec<Stmt>),
    /// `with`: items with targets, body.
    With(Vec<(Expr, Option<Expr>)>, Vec<Stmt>),
    /// `def`, with decorators in order.
    Function(Vec<Expr>, Arc<Function>),
    /// `class`, with decorators in order.
    Class(Vec<Expr>, Arc<Class>),
    /// `return`.
    Return(Option<Expr>),
    /// `raise`.
    Raise,
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// `import a.b as c`: dotted name, name that is bound.
    Import(Vec<(Name, Option<Name>)>),
    /// `from ..a import b as c, *`: dots, dotted name, names.
    From(usize, Name, Vec<(Name, Name)>, bool),
    /// `global a`.
    Global(Vec<Name>),
    /// `del a`.
    Delete(Vec<Expr>),
    /// Does nothing that matters.
    Pass,
    /// Not modelled or a syntax error: what it assigns is unknown.
    Unknown(Vec<Stmt>),
}

/// A class.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its name.
    pub name: Name,
    /// The name's place.
    pub name_span: Span,
    /// What it derives from.
    pub bases: Vec<Expr>,
    /// Its body.
    pub body: Vec<Stmt>,
}

/// A file.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Its statements.
    pub body: Vec<Stmt>,
    /// Places of syntax errors: what stands there is unknown.
    pub errors: Vec<Span>,
}
