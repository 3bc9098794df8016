//! The access phase: `allow`, `deny`, `auth_basic`, `auth_request`, `satisfy`.

use std::borrow::Cow;

use super::config::LevelKind;
use super::phases::{Made, Start, Step};
use super::run::Run;
use crate::model::{Answer, Known, Outcome, ValueSource};
use crate::source::Span;

/// What one access check says.
enum Access {
    Granted,
    Refused(u16, Span),
}

impl<'a> Run<'a> {
    /// The access phase; `None` lets the request pass.
    pub(super) fn access(&mut self) -> Option<Step> {
        // A subrequest is not asked.
        if self.asks_access {
            return None;
        }
        let any = self.config.nearest(self.level, |level| level.satisfy_any) == Some(true);
        let mut refused = None;
        for check in [Self::by_address, Self::by_password, Self::by_subrequest] {
            match check(self) {
                None => {}
                Some(Access::Granted) if any => return None,
                Some(Access::Granted) => {}
                Some(Access::Refused(status @ (401 | 403), span)) if any => {
                    // Of several refusals, one that a password can lift is sent.
                    refused = refused
                        .filter(|(old, _)| *old == 401)
                        .or(Some((status, span)));
                }
                Some(Access::Refused(status, span)) => return Some(refuse(status, span)),
            }
        }
        refused.map(|(status, span)| refuse(status, span))
    }

    /// Does the location itself ask for what refuses, while its CORS headers stand further outside?
    pub(super) fn is_inner(&self, refusing: Option<Span>) -> bool {
        let mut login = None;
        let mut cors = None;
        let mut depth = 0;
        for level in self.config.chain(self.level) {
            let asks = [
                level.auth_basic.as_ref().map(|(_, span)| *span),
                level.auth_request.as_ref().map(|(_, span)| *span),
            ];
            let rules = level.access.iter().map(|rule| Some(rule.span));
            if asks
                .into_iter()
                .chain(rules)
                .any(|span| span == refusing && span.is_some())
            {
                login.get_or_insert(depth);
            }
            if level.sends_cors() {
                cors.get_or_insert(depth);
            }
            // These belong to their location.
            depth += usize::from(!matches!(
                level.kind,
                LevelKind::If | LevelKind::LimitExcept
            ));
        }
        matches!((login, cors), (Some(login), Some(cors)) if login < cors)
    }

    fn by_address(&mut self) -> Option<Access> {
        let rules = self.config.nearest(self.level, |level| {
            (!level.access.is_empty()).then_some(&level.access)
        })?;
        for rule in rules {
            let met = if self.request.exact {
                holds_loopback(&rule.whom)
            } else {
                // Anybody may be allowed; nobody is singled out for refusal.
                rule.whom == "all" || rule.allow
            };
            if met {
                return Some(if rule.allow {
                    Access::Granted
                } else {
                    Access::Refused(403, rule.span)
                });
            }
        }
        None
    }

    fn by_password(&mut self) -> Option<Access> {
        let (realm, span) = self
            .config
            .nearest(self.level, |level| level.auth_basic.as_ref())?;
        let realm = self.complex(realm);
        match realm.known_text() {
            Some("off") => return None,
            Some(_) => {}
            None => {
                let client = realm.sources.has(ValueSource::Header);
                let text = format!("`{}` asks for a password", "auth_basic");
                if !self.oracle.borrow_mut().ask(text, Some(*span), client) {
                    return None;
                }
            }
        }
        Some(self.by_credentials(*span))
    }

    /// Preflights carry no credentials; a probe that is no preflight has the right ones.
    fn by_credentials(&mut self, span: Span) -> Access {
        let has = if self.request.exact {
            self.request.header("authorization").is_some()
        } else {
            self.client_method != "OPTIONS"
        };
        if has {
            self.authenticated = true;
            Access::Granted
        } else {
            Access::Refused(401, span)
        }
    }

    fn by_subrequest(&mut self) -> Option<Access> {
        let (target, span) = self
            .config
            .nearest(self.level, |level| level.auth_request.as_ref())?;
        let target = self.complex(target.as_ref()?);
        let Some(uri) = target.known_text() else {
            self.foreign = Some(*span);
            return None;
        };
        let uri = uri.to_owned();
        let variables = std::mem::take(&mut self.variables);
        let mut asking = Run::new(self.config, self.server, self.request, self.oracle);
        asking.uri = Cow::Owned(uri);
        asking.args = Some(Cow::Borrowed(""));
        asking.method = Cow::Borrowed("GET");
        asking.client_method = self.client_method.clone();
        asking.internal = true;
        asking.unparsed = false;
        asking.asks_access = true;
        asking.depth = self.depth + 1;
        asking.rewritten = Some(target.sources);
        asking.variables = variables;
        let response = asking.respond(Start::Server);
        let foreign = asking.foreign;
        let variables = std::mem::take(&mut asking.variables);
        self.variables = variables;
        match response.outcome {
            Outcome::Status(Known::Known(200..=299)) => {
                self.authenticated = true;
                Some(Access::Granted)
            }
            Outcome::Status(Known::Known(status @ (401 | 403))) => {
                Some(Access::Refused(status, *span))
            }
            Outcome::Status(Known::Unknown) => {
                self.foreign = Some(foreign.unwrap_or(*span));
                Some(Access::Granted)
            }
            _ => Some(Access::Refused(500, *span)),
        }
    }

    /// What the service behind `auth_request` says, as far as one can tell without seeing it.
    pub(super) fn access_status(&self) -> Known<u16> {
        let sent = |name| self.request.header(name).is_some();
        let trusted = if self.request.exact {
            sent("authorization") || sent("cookie")
        } else {
            self.client_method != "OPTIONS"
        };
        if trusted {
            return Known::Known(200);
        }
        // A service that is told the method may let preflights pass.
        let told = self.config.nearest(self.level, |level| {
            (!level.upstream_headers.is_empty()).then_some(&level.upstream_headers)
        });
        let method = super::variables::Var::Own(super::variables::Own::RequestMethod);
        let told = told.is_some_and(|headers| {
            headers
                .iter()
                .any(|(_, _, value)| value.variables().any(|variable| *variable == method))
        });
        if told && !self.request.exact {
            Known::Unknown
        } else {
            Known::Known(401)
        }
    }
}

fn refuse(status: u16, span: Span) -> Step {
    let kind = match status {
        401 | 403 => Answer::Authentication,
        _ => Answer::ErrorPage,
    };
    let mut made = Made::new(Known::Known(status), kind, Some(span));
    made.before_cors = true;
    Step::Special(status, made)
}

/// Is 127.0.0.1 meant by this argument of `allow` or `deny`?
fn holds_loopback(whom: &str) -> bool {
    if whom == "all" {
        return true;
    }
    let (address, bits) = whom.split_once('/').unwrap_or((whom, "32"));
    let Ok(address) = address.parse::<std::net::Ipv4Addr>() else {
        return false;
    };
    let bits = bits.parse::<u32>().unwrap_or(32).min(32);
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    let loopback = u32::from(std::net::Ipv4Addr::LOCALHOST);
    u32::from(address) & mask == loopback & mask
}
