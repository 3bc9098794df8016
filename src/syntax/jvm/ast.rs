//! Programs of the Java virtual machine: what Java and Kotlin have in common.

use std::sync::Arc;

use crate::source::{SourceFile, Span};

/// A name, a path of names, or a text.
pub type Name = Arc<str>;

/// The language that a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Java.
    Java,
    /// Kotlin.
    Kotlin,
}

/// One file.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Its language.
    pub language: Language,
    /// Its package; empty for the unnamed one.
    pub package: Name,
    /// Its imports, in order.
    pub imports: Vec<Import>,
    /// Its outermost classes. What a Kotlin file declares outside classes is in one of kind
    /// [`ClassKind::File`].
    pub classes: Vec<Arc<Class>>,
    /// The parser met something that it could not read.
    pub broken: bool,
}

/// An import.
#[derive(Clone, Debug)]
pub struct Import {
    /// What is imported, without the star.
    pub path: Name,
    /// Everything in it.
    pub wildcard: bool,
    /// Java's `import static`.
    pub is_static: bool,
    /// Kotlin's `as`.
    pub alias: Option<Name>,
}

impl Import {
    /// The simple name that it brings, if it brings one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        if self.wildcard {
            return None;
        }
        Some(self.alias.as_deref().unwrap_or_else(|| simple(&self.path)))
    }
}

/// The last segment of a path.
#[must_use]
pub fn simple(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// A path and one more segment.
pub(crate) fn join(outer: &str, name: &str) -> Name {
    if outer.is_empty() {
        name.into()
    } else {
        format!("{outer}.{name}").into()
    }
}

/// What a class is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassKind {
    /// A class.
    Class,
    /// An interface.
    Interface,
    /// An enumeration; its constants are static fields.
    Enum,
    /// A record, or Kotlin's data class: its fields are the parameters of its constructor.
    Record,
    /// An annotation.
    Annotation,
    /// Kotlin's `object`, companions included: its members are used without an instance.
    Object,
    /// What a Kotlin file declares outside classes.
    File,
}

/// A class.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its simple name; empty for an anonymous one.
    pub name: Name,
    /// Package, outer classes and name, separated by dots.
    pub path: Name,
    /// What it is.
    pub kind: ClassKind,
    /// Its annotations.
    pub annotations: Vec<Annotation>,
    /// Declared abstract (or an interface).
    pub is_abstract: bool,
    /// Declared static, or not inside another class.
    pub is_static: bool,
    /// Kotlin's companion object.
    pub is_companion: bool,
    /// What it extends; for Kotlin, the supertype with parentheses.
    pub superclass: Option<Type>,
    /// The arguments for the superclass' constructor (Kotlin, anonymous classes).
    pub super_args: Vec<Arg>,
    /// What it implements.
    pub interfaces: Vec<Type>,
    /// Its fields and properties, in order.
    pub fields: Vec<Arc<Field>>,
    /// Its methods.
    pub methods: Vec<Arc<Method>>,
    /// Its constructors.
    pub constructors: Vec<Arc<Method>>,
    /// Initialiser blocks.
    pub initializers: Vec<Initializer>,
    /// Classes inside.
    pub nested: Vec<Arc<Class>>,
    /// The whole declaration.
    pub span: Span,
    /// The name in it.
    pub name_span: Span,
}

/// A block that runs when a class or an instance is made.
#[derive(Clone, Debug)]
pub struct Initializer {
    /// When the class is made.
    pub is_static: bool,
    /// What runs.
    pub body: Vec<Stmt>,
}

/// A field, or a Kotlin property.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// Where the name is.
    pub name_span: Span,
    /// Its annotations.
    pub annotations: Vec<Annotation>,
    /// Its type; without a name if it is not written.
    pub ty: Type,
    /// What it starts with.
    pub init: Option<Expr>,
    /// Kotlin: what reads it.
    pub getter: Option<Body>,
    /// Of the class, not of an instance.
    pub is_static: bool,
    /// Never assigned again.
    pub is_final: bool,
    /// Kotlin's `lateinit`.
    pub is_late: bool,
    /// An enumeration's constant: its arguments.
    pub constant: Option<Vec<Arg>>,
    /// The whole declaration.
    pub span: Span,
}

/// A method, function or constructor.
#[derive(Clone, Debug)]
pub struct Method {
    /// Its name; a constructor's is that of its class.
    pub name: Name,
    /// Where the name is.
    pub name_span: Span,
    /// Its annotations.
    pub annotations: Vec<Annotation>,
    /// Its parameters.
    pub params: Vec<Param>,
    /// What it returns, if that is written.
    pub returns: Option<Type>,
    /// What it does; nothing if it is abstract.
    pub body: Option<Body>,
    /// Of the class, not of an instance.
    pub is_static: bool,
    /// Kotlin: the type that it extends.
    pub receiver: Option<Type>,
    /// Kotlin: a primary constructor, whose `val` parameters are fields.
    pub is_primary: bool,
    /// Kotlin: what a secondary constructor calls first: `this` (true) or `super`.
    pub delegates: Option<(bool, Vec<Arg>)>,
    /// The language that it is written in.
    pub language: Language,
    /// The whole declaration.
    pub span: Span,
}

/// What a method does.
#[derive(Clone, Debug)]
pub enum Body {
    /// Statements.
    Block(Vec<Stmt>),
    /// Kotlin's `= expression`.
    Expr(Expr),
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its annotations.
    pub annotations: Vec<Annotation>,
    /// Its type; without a name if it is not written.
    pub ty: Type,
    /// Takes all further arguments.
    pub varargs: bool,
    /// Kotlin: what it is if nothing is given.
    pub default: Option<Expr>,
    /// The whole parameter.
    pub span: Span,
}

/// A type as written.
#[derive(Clone, Debug)]
pub struct Type {
    /// Its name, without type arguments; a path if one is written.
    pub name: Name,
    /// Its arguments; wildcards are left out.
    pub args: Vec<Type>,
    /// An array of it.
    pub array: bool,
    /// Where it is written.
    pub span: Span,
}

impl Type {
    /// A type that nobody wrote.
    #[must_use]
    pub fn unwritten(span: Span) -> Self {
        Self {
            name: Name::from(""),
            args: Vec::new(),
            array: false,
            span,
        }
    }

    /// The last segment of its name.
    #[must_use]
    pub fn simple(&self) -> &str {
        simple(&self.name)
    }
}

/// An annotation.
#[derive(Clone, Debug)]
pub struct Annotation {
    /// Its name as written.
    pub name: Name,
    /// Its arguments.
    pub args: Vec<AnnotationArg>,
    /// Kotlin: what of a property it is for (`field`, `get`, …).
    pub target: Option<Name>,
    /// The whole annotation.
    pub span: Span,
}

/// An argument of an annotation.
#[derive(Clone, Debug)]
pub struct AnnotationArg {
    /// Its name; `value` if none is written.
    pub name: Name,
    /// Where the name is, or the value if there is none.
    pub name_span: Span,
    /// Its value.
    pub value: Expr,
}

impl Annotation {
    /// An argument by its name.
    #[must_use]
    pub fn arg(&self, name: &str) -> Option<&AnnotationArg> {
        self.args.iter().find(|arg| &*arg.name == name)
    }
}

/// The annotation with a simple name.
#[must_use]
pub fn annotation<'a>(annotations: &'a [Annotation], name: &str) -> Option<&'a Annotation> {
    annotations
        .iter()
        .find(|annotation| simple(&annotation.name) == name)
}

impl Class {
    /// A class with nothing in it.
    #[must_use]
    pub fn empty(span: Span, name_span: Span) -> Self {
        Self {
            name: Name::from(""),
            path: Name::from(""),
            kind: ClassKind::Class,
            annotations: Vec::new(),
            is_abstract: false,
            is_static: false,
            is_companion: false,
            superclass: None,
            super_args: Vec::new(),
            interfaces: Vec::new(),
            fields: Vec::new(),
            methods: Vec::new(),
            constructors: Vec::new(),
            initializers: Vec::new(),
            nested: Vec::new(),
            span,
            name_span,
        }
    }

    /// The annotation with a simple name.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&Annotation> {
        annotation(&self.annotations, name)
    }

    /// The first method of a name; superclasses are not asked.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&Arc<Method>> {
        self.methods.iter().find(|method| &*method.name == name)
    }

    /// The field of a name; superclasses are not asked.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Arc<Field>> {
        self.fields.iter().find(|field| &*field.name == name)
    }

    /// Kotlin's companion object.
    #[must_use]
    pub fn companion(&self) -> Option<&Arc<Self>> {
        self.nested.iter().find(|class| class.is_companion)
    }
}

impl Field {
    /// The annotation with a simple name.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&Annotation> {
        annotation(&self.annotations, name)
    }
}

impl Method {
    /// The annotation with a simple name.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&Annotation> {
        annotation(&self.annotations, name)
    }
}

impl Param {
    /// The annotation with a simple name.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&Annotation> {
        annotation(&self.annotations, name)
    }
}

/// A statement.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// An expression; `if`, `switch` and `when` are expressions.
    Expr(Expr),
    /// A variable.
    Local(Name, Type, Option<Expr>),
    /// Kotlin's `val (a, b) = …`.
    Destructure(Vec<Name>, Expr),
    /// A loop over a list or array; the names that are bound.
    ForEach(Vec<Name>, Expr, Vec<Stmt>),
    /// A loop with a test: start, test, step, body, whether the body runs first.
    Loop(Box<Loop>),
    /// A block.
    Block(Vec<Stmt>),
    /// `try`.
    Try(Box<Try>),
    /// A class inside a method.
    Class(Arc<Class>),
    /// A function inside a function.
    Function(Arc<Method>),
    /// Nothing that is understood.
    Unknown(Span),
}

/// A loop with a test.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Before the first round.
    pub start: Vec<Stmt>,
    /// Whether there is another round.
    pub test: Option<Expr>,
    /// After each round.
    pub step: Vec<Expr>,
    /// What each round does.
    pub body: Vec<Stmt>,
    /// The first round is not tested.
    pub body_first: bool,
}

/// `try`, `catch`, `finally`.
#[derive(Clone, Debug)]
pub struct Try {
    /// Resources and what is tried.
    pub body: Vec<Stmt>,
    /// The name of the exception, its types, and what is done.
    pub catches: Vec<(Name, Vec<Type>, Vec<Stmt>)>,
    /// What is always done.
    pub finally: Vec<Stmt>,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
    pub span: Span,
}

impl Expr {
    /// An expression that is not understood.
    #[must_use]
    pub const fn unknown(why: &'static str, span: Span) -> Self {
        Self {
            kind: ExprKind::Unknown(why),
            span,
        }
    }
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text or character.
    String(Name),
    /// A text with values inside.
    Template(Vec<Expr>),
    /// A variable, field or class.
    Name(Name),
    /// `this`, or the instance of an outer class.
    This(Option<Name>),
    /// `super`.
    Super,
    /// A field or property: of what, its name, where the name is.
    Member(Box<Expr>, Name, Span),
    /// A method: of what, its name, where the name is, the arguments.
    Call(Option<Box<Expr>>, Name, Span, Vec<Arg>),
    /// Kotlin's `f(…)` where `f` is no name.
    Invoke(Box<Expr>, Vec<Arg>),
    /// `new`: the class and the arguments; for anonymous classes, the class.
    New(Type, Vec<Arg>, Option<Arc<Class>>),
    /// An array, or a list in an annotation.
    Array(Vec<Expr>),
    /// `new T[size]`.
    NewArray(Option<Box<Expr>>),
    /// An element.
    Index(Box<Expr>, Box<Expr>),
    /// An operator before an operand.
    Unary(Unary, Box<Expr>),
    /// An operator between operands.
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// An assignment, maybe with an operator.
    Assign(Box<Expr>, Option<Binary>, Box<Expr>),
    /// `if` and `?:`.
    If(Box<Expr>, Vec<Stmt>, Vec<Stmt>),
    /// `switch` and `when`.
    When(Box<When>),
    /// A lambda.
    Lambda(Arc<Lambda>),
    /// `X::m`; the class or value, if one is written.
    Reference(Option<Box<Expr>>, Name),
    /// Kotlin's `?.`: what follows happens only if the first is not null.
    Safe(Box<Expr>, Box<Expr>),
    /// What stands left of Kotlin's `?.`, or is subject of something around.
    Subject,
    /// A value of another type.
    Cast(Box<Expr>, Type),
    /// A test of the type, with the variable that it binds.
    Is(Box<Expr>, Type, Option<Name>),
    /// `X.class`.
    Class(Type),
    /// `return`; Kotlin's label.
    Return(Option<Box<Expr>>, Option<Name>),
    /// `throw`.
    Throw(Box<Expr>),
    /// `break`; `yield` has a value.
    Break(Option<Box<Expr>>),
    /// `continue`.
    Continue,
    /// A statement whose last value counts.
    Block(Vec<Stmt>),
    /// Nothing that is understood.
    Unknown(&'static str),
}

/// An argument.
#[derive(Clone, Debug)]
pub struct Arg {
    /// Kotlin: its name.
    pub name: Option<Name>,
    /// Its value.
    pub value: Expr,
    /// Kotlin: its elements are arguments.
    pub spread: bool,
}

/// A lambda.
#[derive(Clone, Debug)]
pub struct Lambda {
    /// Its parameters, each one name or, in Kotlin, several that take an element apart.
    pub params: Vec<Vec<Name>>,
    /// Kotlin: parameters are written, so there is no `it`.
    pub has_params: bool,
    /// What it does; the last value is what it gives.
    pub body: Vec<Stmt>,
    /// Its language.
    pub language: Language,
    /// Kotlin's `fun(…)`, from which `return` returns.
    pub is_function: bool,
    /// The whole lambda.
    pub span: Span,
}

/// `switch` and `when`.
#[derive(Clone, Debug)]
pub struct When {
    /// What is compared, and its name.
    pub subject: Option<(Option<Name>, Expr)>,
    /// Its arms, in order.
    pub arms: Vec<Arm>,
    /// An arm without `break` goes on with the next.
    pub falls_through: bool,
}

/// An arm.
#[derive(Clone, Debug)]
pub struct Arm {
    /// When it is taken: any of them.
    pub tests: Vec<Test>,
    /// What it does.
    pub body: Vec<Stmt>,
}

/// When an arm is taken.
#[derive(Clone, Debug)]
pub enum Test {
    /// The subject equals this; without a subject, this holds.
    Equal(Expr),
    /// The subject is in this (`true`), or not in it.
    In(Expr, bool),
    /// The subject is of this type (`true`), or not.
    Is(Type, bool),
    /// Always.
    Else,
}

/// An operator before or behind an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `!`
    Not,
    /// `-`
    Minus,
    /// `+`
    Plus,
    /// `++`, `--`: by how much, and whether the value is the new one.
    Step(i8, bool),
    /// Kotlin's `!!`
    NotNull,
}

/// An operator between operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `==`; Java compares objects by identity.
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `&&`
    And,
    /// `||`
    Or,
    /// Kotlin's `?:`
    Elvis,
    /// Kotlin's `in`
    In,
    /// Kotlin's `..`
    Range,
    /// Kotlin's `..<` and `until`
    Until,
    /// Kotlin's `to`
    Pair,
    /// Something else.
    Other,
}
