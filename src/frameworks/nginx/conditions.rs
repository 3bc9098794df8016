//! Conditions of `if`: true, false, or open.

use super::config::{Definition, If, Test};
use super::regex::Outcome;
use super::run::Run;
use super::value::{Doubt, Value};
use super::variables::{Captures, Var};
use crate::model::{Decision, ValueSource};

impl<'a> Run<'a> {
    /// Does the condition hold? Notes the test that lets the origin in.
    pub(super) fn holds(&mut self, check: &'a If) -> bool {
        let condition = &check.condition;
        match &condition.test {
            Test::Truthy(variable) => {
                let value = self.variable(variable);
                let holds = match value.known_text() {
                    Some(text) => !text.is_empty() && text != "0",
                    None => {
                        let text = format!("`{}` is set", self.name(variable));
                        let holds = self.ask(text, check, &value);
                        if !holds {
                            self.assume(variable, String::new());
                        }
                        holds
                    }
                };
                self.note(holds, variable, &value, None);
                holds
            }
            Test::Equal {
                variable,
                value,
                negated,
            } => {
                let left = self.variable(variable);
                let right = self.complex(value);
                let equal = match (left.known_text(), right.known_text()) {
                    (Some(left), Some(right)) => left == right,
                    (_, right_text) => {
                        let name = self.name(variable);
                        let text = match right_text.unwrap_or(&condition.text) {
                            "" => format!("`{name}` is empty"),
                            other => format!("`{name}` is `{other}`"),
                        };
                        let literal = right_text.map(str::to_owned);
                        let doubt = if literal.is_some() { &left } else { &right };
                        let holds = self.ask(text, check, doubt);
                        if let (true, Some(literal)) = (holds, literal) {
                            self.assume(variable, literal);
                        }
                        holds
                    }
                };
                let own = condition.decision.as_ref().filter(|_| !negated);
                self.note(equal, variable, &left, own);
                equal != *negated
            }
            Test::Match {
                variable,
                pattern,
                negated,
            } => {
                let left = self.variable(variable);
                let matches = match left.known_text().map(|text| pattern.find(text)) {
                    Some(Outcome::Match(groups)) => {
                        let path = matches!(variable, Var::Own(_));
                        self.captures = Some(Captures {
                            subject: left.clone(),
                            pattern,
                            groups,
                            path,
                            escaped: false,
                        });
                        self.set_named();
                        true
                    }
                    Some(Outcome::NoMatch) => {
                        self.captures = None;
                        false
                    }
                    Some(Outcome::Unknown) | None => {
                        let text =
                            format!("`{}` matches `{}`", self.name(variable), pattern.text());
                        let unknown = Value::unknown(left.sources, Doubt::Foreign);
                        let doubt = if left.known_text().is_some() {
                            &unknown
                        } else {
                            &left
                        };
                        let holds = self.ask(text, check, doubt);
                        if holds {
                            // What it captured is as unknown as what it matched.
                            self.captures = Some(Captures {
                                subject: Value::unknown(left.sources, doubt.doubt),
                                pattern,
                                groups: Vec::new(),
                                path: false,
                                escaped: false,
                            });
                            self.set_named();
                        }
                        holds
                    }
                };
                self.note(matches, variable, &left, condition.decision.as_ref());
                matches != *negated
            }
            Test::File {
                kind,
                path,
                negated,
            } => {
                self.about_origin = false;
                if let Some(holds) = self.test_file(*kind, path) {
                    return holds != *negated;
                }
                let text = format!("`{}`", condition.text.trim_start_matches('!'));
                self.oracle
                    .borrow_mut()
                    .ask(text, Some(condition.span), true)
                    != *negated
            }
            Test::Invalid => {
                let text = format!("`if ({})`", condition.text);
                self.oracle
                    .borrow_mut()
                    .ask(text, Some(condition.span), false)
            }
        }
    }

    fn ask(&mut self, text: String, check: &If, value: &Value<'a>) -> bool {
        // A symbolic origin is in every list that is not in view.
        if self.request.symbolic
            && value.doubt == Doubt::Placeholder
            && let Test::Equal { .. } | Test::Match { .. } | Test::Truthy(_) = check.condition.test
        {
            return true;
        }
        let client = value.doubt == Doubt::Client;
        self.oracle
            .borrow_mut()
            .ask(text, Some(check.condition.span), client)
    }

    fn assume(&mut self, variable: &Var, text: String) {
        if let Var::Header(_) | Var::Argument(_) | Var::Cookie(_) | Var::Client(_) = variable {
            let name = self.name(variable);
            self.assumed.push((name, text));
        }
    }

    /// Notes what let the origin through, if the test was passed.
    fn note(&mut self, passed: bool, variable: &Var, left: &Value<'a>, own: Option<&'a Decision>) {
        let of_origin = left.sources.has(ValueSource::Origin);
        self.about_origin = left.decided.is_some() || of_origin;
        if !passed {
            return;
        }
        // What an earlier test cut out of the origin is decided about here; what a map made of it
        // was decided there.
        let is_part = match variable {
            Var::User(slot) => matches!(self.config.slots[*slot].definition, Definition::Set),
            _ => true,
        };
        let own = own.filter(|_| of_origin);
        self.gate = own
            .filter(|_| is_part)
            .or(left.decided)
            .or(own)
            .or(self.gate);
    }

    /// The variable as one writes it.
    pub(super) fn name(&self, variable: &Var) -> String {
        match variable {
            Var::User(slot) => format!("${}", self.config.slots[*slot].name),
            Var::Header(name) => format!("$http_{}", name.replace('-', "_")),
            Var::Argument(name) => format!("$arg_{name}"),
            Var::Cookie(name) => format!("$cookie_{name}"),
            Var::Upstream(name) => format!("$upstream_http_{}", name.replace('-', "_")),
            Var::Sent(name) => format!("$sent_http_{}", name.replace('-', "_")),
            Var::Own(own) => super::variables::own_name(*own).to_owned(),
            Var::Client(name) | Var::Foreign(name) | Var::Undefined(name) => format!("${name}"),
        }
    }
}
