//! JavaScript programs as the evaluator reads them: TypeScript's types are gone, what the parser
//! could not read is [`ExprKind::Unknown`] or [`Stmt::Unknown`].

use std::sync::Arc;

use crate::source::Span;

/// A name, shared by all its uses.
pub type Name = Arc<str>;

/// A whole file.
#[derive(Debug)]
pub struct Module {
    /// Its statements.
    pub body: Vec<Stmt>,
    /// The whole text.
    pub span: Span,
    /// Some of it could not be read.
    pub has_errors: bool,
}

/// An expression.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its text.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug)]
pub enum ExprKind {
    /// Could not be read, or is not modelled.
    Unknown,
    /// A text.
    String(Name),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// `undefined`.
    Undefined,
    /// A regular expression: pattern, flags.
    Regex(Name, Name),
    /// A template: texts and expressions in order.
    Template(Vec<Expr>),
    /// A variable.
    Name(Name),
    /// `this`.
    This,
    /// `super`.
    Super,
    /// `[…]`.
    Array(Vec<Argument>),
    /// `{…}`.
    Object(Vec<Property>),
    /// A function of any notation.
    Function(Arc<Function>),
    /// A class.
    Class(Arc<Class>),
    /// `!x`, `-x`, `typeof x`, `void x`, `delete x`.
    Unary(&'static str, Box<Expr>),
    /// An operator that evaluates both sides.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// `&&`, `||`, `??`.
    Logical(&'static str, Box<Expr>, Box<Expr>),
    /// `a ? b : c`.
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `a = b`, `{a} = b`.
    Assign(Box<Pattern>, Box<Expr>),
    /// `a += b`, `a ||= b`, `a++`: operator without `=`.
    Update(&'static str, Box<Expr>, Box<Expr>),
    /// `a.b`, `a?.b`.
    Member(Box<Expr>, Name, Span),
    /// `a[b]`.
    Index(Box<Expr>, Box<Expr>),
    /// `a(…)`.
    Call(Box<Expr>, Vec<Argument>),
    /// `new a(…)`.
    New(Box<Expr>, Vec<Argument>),
    /// `await a`.
    Await(Box<Expr>),
    /// `a, b`.
    Sequence(Vec<Expr>),
    /// `import(a)`.
    Import(Box<Expr>),
}

/// An argument, or an element of an array.
#[derive(Debug)]
pub struct Argument {
    /// Its value.
    pub value: Expr,
    /// It is spread.
    pub spread: bool,
}

/// What stands between `{` and `}` of an object.
#[derive(Debug)]
pub enum Property {
    /// `key: value`, `key`, `key() {}`; the key's place.
    Value(Key, Span, Expr),
    /// `...value`.
    Spread(Expr),
    /// A getter, which is not modelled.
    Accessor(Name),
}

/// A property's name.
#[derive(Debug)]
pub enum Key {
    /// Written out.
    Name(Name),
    /// Computed.
    Computed(Expr),
}

/// A function.
#[derive(Debug)]
pub struct Function {
    /// Its name, if it has one.
    pub name: Option<Name>,
    /// Parameters.
    pub params: Vec<Param>,
    /// The body.
    pub body: Body,
    /// It has no `this` of its own.
    pub arrow: bool,
    /// It gives a promise.
    pub is_async: bool,
    /// It is a generator, which is not modelled.
    pub generator: bool,
    /// The whole text.
    pub span: Span,
}

impl Function {
    /// What `length` says: parameters before the first with a default or the rest.
    #[must_use]
    pub fn length(&self) -> usize {
        let plain = |param: &&Param| !param.rest && param.default.is_none();
        self.params.iter().take_while(plain).count()
    }
}

/// A parameter.
#[derive(Debug)]
pub struct Param {
    /// What it binds.
    pub pattern: Pattern,
    /// Its default.
    pub default: Option<Expr>,
    /// It takes all that is left.
    pub rest: bool,
    /// TypeScript's `constructor(private x)`: the property that it becomes.
    pub property: Option<Name>,
}

/// A function's body.
#[derive(Debug)]
pub enum Body {
    /// `{…}`.
    Block(Vec<Stmt>),
    /// `=> x`.
    Expr(Box<Expr>),
}

/// A class.
#[derive(Debug)]
pub struct Class {
    /// Its name, if it has one.
    pub name: Option<Name>,
    /// What it extends.
    pub parent: Option<Expr>,
    /// Its members in order.
    pub members: Vec<ClassMember>,
    /// Names and arguments of its decorators.
    pub decorators: Vec<Expr>,
    /// The whole text.
    pub span: Span,
}

/// A member of a class.
#[derive(Debug)]
pub struct ClassMember {
    /// Its name.
    pub name: Name,
    /// It belongs to the class itself.
    pub is_static: bool,
    /// A method (also a getter).
    pub method: Option<Arc<Function>>,
    /// It is read like a field.
    pub getter: bool,
    /// A field's initial value.
    pub value: Option<Expr>,
    /// Its decorators.
    pub decorators: Vec<Expr>,
}

/// Where a value goes.
#[derive(Debug)]
pub enum Pattern {
    /// A variable.
    Name(Name, Span),
    /// A member of something.
    Member(Expr),
    /// `{a, b: c, ...rest}`: key, target, default.
    Object(Vec<(Key, Pattern, Option<Expr>)>, Option<Box<Pattern>>),
    /// `[a, , ...rest]`.
    Array(Vec<Option<(Pattern, Option<Expr>)>>, Option<Box<Pattern>>),
    /// Could not be read.
    Unknown,
}

/// What a declared name reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The block: `const`, `let`.
    Block,
    /// The function: `var`.
    Function,
}

/// A statement.
#[derive(Debug)]
pub enum Stmt {
    /// Could not be read, or is not modelled.
    Unknown(Span),
    /// `const`, `let`, `var`.
    Declare(Reach, Vec<(Pattern, Option<Expr>)>),
    /// A function declaration.
    Function(Name, Arc<Function>),
    /// A class declaration.
    Class(Name, Arc<Class>),
    /// TypeScript's `enum`.
    Enum(Name, Vec<(Name, Option<Expr>)>, Span),
    /// An expression.
    Expr(Expr),
    /// `return`.
    Return(Option<Expr>, Span),
    /// `throw`.
    Throw(Expr),
    /// `if`.
    If(Expr, Box<Stmt>, Option<Box<Stmt>>),
    /// `{…}`.
    Block(Vec<Stmt>),
    /// `for (const x of list)`; `in` if not `of`.
    ForEach {
        /// What takes the elements.
        pattern: Pattern,
        /// Where that is declared, if it is.
        declared: Option<Reach>,
        /// The list.
        list: Expr,
        /// `of`, not `in`.
        of: bool,
        /// What is done.
        body: Box<Stmt>,
    },
    /// `for(;;)`, `while`: start, test, step, body.
    Loop(Option<Box<Stmt>>, Option<Expr>, Option<Expr>, Box<Stmt>),
    /// `do`: body, test.
    DoLoop(Box<Stmt>, Expr),
    /// `try`: block, parameter and body of `catch`, `finally`.
    Try(Vec<Stmt>, Option<(Option<Pattern>, Vec<Stmt>)>, Vec<Stmt>),
    /// `switch`: `None` for `default`.
    Switch(Expr, Vec<(Option<Expr>, Vec<Stmt>)>),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// `import … from 'x'`, `import x = require('x')`.
    Import(Import),
    /// `export …`.
    Export(Export),
    /// Nothing to do: types, empty statements.
    Empty,
}

/// An import.
#[derive(Debug)]
pub struct Import {
    /// From where.
    pub source: Name,
    /// The local name of the default export.
    pub default: Option<Name>,
    /// The local name of the whole module.
    pub namespace: Option<Name>,
    /// `import x = require()`: the whole module, without `default`.
    pub require: bool,
    /// Exported name, local name.
    pub names: Vec<(Name, Name)>,
    /// The text.
    pub span: Span,
}

/// An export.
#[derive(Debug)]
pub enum Export {
    /// `export const x = …`.
    Declaration(Box<Stmt>),
    /// `export default x`.
    Default(Expr),
    /// `export = x`.
    Assign(Expr),
    /// `export {a as b}`, `export {a as b} from 'x'`.
    Names(Vec<(Name, Name)>, Option<Name>),
    /// `export * from 'x'`, `export * as a from 'x'`.
    All(Name, Option<Name>),
}
