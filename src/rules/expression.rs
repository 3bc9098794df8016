//! CEL expressions over facts: compiling, checking against the table, deciding.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::common::types::CelBool;
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::parser::PrattParser;
use cel::{Context, ExecutionError, Value};

use super::facts::Node;
use super::schema::{Kind, Shape};

/// A compiled and checked expression.
#[derive(Debug)]
pub(crate) struct Expression {
    tree: IdedExpr,
}

/// What an expression says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Holds,
    Fails,
    /// An unknown fact decides.
    Undecided,
    /// The expression itself is wrong: CEL's words.
    Wrong(String),
}

/// The names that an expression may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) scope: &'static Shape,
    /// What `each` is.
    pub(crate) each: Option<Kind>,
}

impl Expression {
    /// Compiles `source`, and checks every path in it.
    pub(crate) fn compile(source: &str, names: Names) -> Result<Self, String> {
        let tree = PrattParser::new()
            .parse(source)
            .map_err(|errors| format!("cannot parse the expression: {errors}"))?;
        Checker {
            names,
            locals: Vec::new(),
        }
        .kind(&tree)?;
        Ok(Self { tree })
    }

    /// Decides the expression over `scope`.
    pub(crate) fn decide(&self, root: &Context<'static, 'static>, scope: &Scope<'_>) -> Decision {
        let mut context: Context<'_, '_> = root.new_inner_scope();
        context.set_variable_resolver(scope);
        let value = Value::resolve_val(&self.tree, &context);
        match value {
            Ok(value) => match value.downcast_ref::<CelBool>() {
                Some(value) if *value.inner() => Decision::Holds,
                Some(_) => Decision::Fails,
                None => Decision::Wrong("the expression is not true or false".into()),
            },
            Err(ExecutionError::NoSuchKey(_) | ExecutionError::UndeclaredReference(_)) => {
                Decision::Undecided
            }
            Err(error) => Decision::Wrong(error.to_string()),
        }
    }
}

/// The root facts of one judgement.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) roots: &'a Node,
    pub(crate) each: Option<&'a Node>,
}

impl<'a> Scope<'a> {
    /// Follows a path such as `trusted.actual.allow_origin` or `lookalikes[0].origin`.
    pub(crate) fn path(&self, path: &str) -> Option<&'a Node> {
        let mut node: Option<&'a Node> = None;
        for step in steps(path) {
            node = Some(match node {
                None if step == "each" => self.each?,
                None => self.roots.step(step)?,
                Some(node) => node.step(step)?,
            });
        }
        node
    }
}

impl VariableResolver for Scope<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let node = if variable == "each" {
            self.each?
        } else {
            self.roots.step(variable)?
        };
        Some(CowVal::Borrowed(node.value()))
    }
}

fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '['])
        .map(|step| step.trim_end_matches(']'))
}

/// The kind of fact that a path of a label or placeholder leads to.
pub(crate) fn path_kind(path: &str, names: Names) -> Result<Kind, String> {
    let mut kind: Option<Kind> = None;
    for step in steps(path) {
        kind = Some(match kind {
            None if step == "each" => names.each.ok_or("there is no `each` here")?,
            None => *names
                .scope
                .field(step)
                .ok_or_else(|| unknown(step, names.scope))?,
            Some(Kind::Map(shape)) => *shape.field(step).ok_or_else(|| unknown(step, shape))?,
            Some(Kind::List(element)) if step.bytes().all(|byte| byte.is_ascii_digit()) => *element,
            Some(_) => {
                return Err(format!(
                    "`{path}`: `{step}` is asked of something that has no parts"
                ));
            }
        });
    }
    kind.ok_or_else(|| "the path is empty".into())
}

fn unknown(name: &str, shape: &Shape) -> String {
    format!("{} has no fact `{name}`", shape.name)
}

struct Checker {
    names: Names,
    locals: Vec<(String, Option<Kind>)>,
}

impl Checker {
    /// The kind of an expression, `None` if the table does not say.
    fn kind(&mut self, node: &IdedExpr) -> Result<Option<Kind>, String> {
        match &node.expr {
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => match self.kind(&select.operand)? {
                Some(Kind::Map(shape)) => {
                    let kind = shape.field(&select.field).copied();
                    let kind = kind.ok_or_else(|| unknown(&select.field, shape))?;
                    Ok((!select.test).then_some(kind))
                }
                Some(_) => Err(format!(
                    "`.{}` is asked of something that has no parts",
                    select.field
                )),
                None => Ok(None),
            },
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(comprehension) => {
                let range = self.kind(&comprehension.iter_range)?;
                let element = match range {
                    Some(Kind::List(element)) => Some(*element),
                    _ => None,
                };
                self.kind(&comprehension.accu_init)?;
                self.locals.push((comprehension.accu_var.clone(), None));
                self.locals.push((comprehension.iter_var.clone(), element));
                self.kind(&comprehension.loop_cond)?;
                self.kind(&comprehension.loop_step)?;
                self.locals.pop();
                self.kind(&comprehension.result)?;
                self.locals.pop();
                Ok(None)
            }
            Expr::List(list) => {
                for element in &list.elements {
                    self.kind(element)?;
                }
                Ok(None)
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.kind(&entry.key)?;
                        self.kind(&entry.value)?;
                    }
                }
                Ok(None)
            }
            Expr::Struct(_) => Err("messages cannot be made in a rule".into()),
            Expr::Literal(_) | Expr::Unspecified => Ok(None),
        }
    }

    fn name(&self, name: &str) -> Result<Option<Kind>, String> {
        if let Some((_, kind)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return Ok(*kind);
        }
        if name == "each" {
            return self.names.each.map(Some).ok_or_else(|| {
                "`each` is used, but the rule has no `each = …` that names a list".to_owned()
            });
        }
        let kind = self.names.scope.field(name).copied();
        kind.map(Some)
            .ok_or_else(|| unknown(name, self.names.scope))
    }

    fn call(&mut self, call: &CallExpr) -> Result<Option<Kind>, String> {
        if let Some(target) = &call.target {
            self.kind(target)?;
        }
        let mut kinds = Vec::with_capacity(call.args.len());
        for argument in &call.args {
            kinds.push(self.kind(argument)?);
        }
        match (
            call.func_name.as_str(),
            kinds.as_slice(),
            call.args.as_slice(),
        ) {
            (operators::INDEX, [Some(Kind::List(element)), _], _) => return Ok(Some(**element)),
            (operators::EQUALS | operators::NOT_EQUALS, [left, right], [a, b]) => {
                one_of(*left, b)?;
                one_of(*right, a)?;
            }
            (operators::IN, [left, right], [a, b]) => {
                if let Expr::List(list) = &b.expr {
                    for element in &list.elements {
                        one_of(*left, element)?;
                    }
                }
                if let Some(Kind::List(element)) = right {
                    one_of(Some(**element), a)?;
                }
            }
            _ => {}
        }
        Ok(None)
    }
}

/// A fact with a closed set of values is compared with one of them.
fn one_of(kind: Option<Kind>, with: &IdedExpr) -> Result<(), String> {
    if let (Some(Kind::OneOf(names)), Expr::Literal(LiteralValue::String(text))) =
        (kind, &with.expr)
    {
        let text = text.inner();
        if !names.contains(&text) {
            return Err(format!(
                "\"{text}\" is never a value here; it is one of {}",
                names.join(", ")
            ));
        }
    }
    Ok(())
}
