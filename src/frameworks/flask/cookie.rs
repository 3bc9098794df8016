//! Flask's session cookie (flask/sessions.py), and the origins from which it is not sent.

use super::read::{Hidden, Reader};
use super::respond::{Hook, HookKind};
use crate::frameworks::python::evidence::SessionCookie;
use crate::frameworks::python::leaves;
use crate::model::Known;
use crate::syntax::python::Effect;
use crate::syntax::python::object::K;

/// What the application says of its name and of the cookie.
const KEYS: [&str; 4] = [
    "SECRET_KEY",
    "SERVER_NAME",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_SECURE",
];

impl Reader<'_> {
    /// Origins on another site, allowed with credentials, that do not get the session cookie.
    pub(super) fn cookie(&mut self, hooks: &[Hook]) {
        let keys = KEYS.map(ToOwned::to_owned);
        let (given, hidden) = self.configured(self.program.calls.len(), &keys);
        if hidden != Hidden::Nothing {
            return;
        }
        let last = |name: &str| {
            let value = given.iter().rfind(|(key, _)| key == name);
            value.map(|(_, value)| value)
        };
        // Without a key there are no sessions.
        let secret = format!("#{}.secret_key", self.app);
        let mut calls = self.program.calls.iter();
        let secret = calls.any(|call| call.effect == Effect::SetAttribute && *call.path == *secret);
        let (true, Some(server)) = (secret || last("SECRET_KEY").is_some(), last("SERVER_NAME"))
        else {
            return;
        };
        let Some(host) = server.as_text() else { return };
        let host = host.split(':').next().unwrap_or(host);
        let same_site = match last("SESSION_COOKIE_SAMESITE").map(|value| &value.kind) {
            None | Some(K::None) => None,
            Some(K::Text(text)) => Some(&**text),
            Some(_) => return,
        };
        let secure = match last("SESSION_COOKIE_SECURE").map(|value| &value.kind) {
            None => false,
            Some(K::Bool(secure)) => *secure,
            Some(_) => return,
        };
        let cookie = SessionCookie {
            hosts: &[host],
            hosts_span: server.span,
            hosts_name: "SERVER_NAME",
            same_site,
            secure,
            repair: "app.config[\"SESSION_COOKIE_SAMESITE\"] = \"None\"",
        };
        for hook in hooks {
            let HookKind::Cors {
                base, resources, ..
            } = &hook.kind
            else {
                continue;
            };
            let all = resources.iter().map(|resource| &resource.options);
            for options in all.chain([&**base]) {
                if options.open || options.flag("supports_credentials", false) != Known::Known(true)
                {
                    continue;
                }
                let mut lists = Vec::new();
                leaves(options.get("origins"), &mut lists);
                for found in cookie.observations(&lists) {
                    let mut known = self.observations.iter();
                    if !known.any(|known| known.kind == found.kind && known.span == found.span) {
                        self.observations.push(found);
                    }
                }
            }
        }
    }
}
