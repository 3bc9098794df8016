//! Cookies that stand for a login and are bound to a site: the session's, and those that code makes.
//!
//! Facts: spring-boot (`server.servlet.session.cookie.*`, `server.reactive.session.cookie.*`),
//! spring-session (`DefaultCookieSerializer`: `SameSite=Lax`), spring-web (`ResponseCookie`), the servlet
//! API's `Cookie`. A container marks the session's cookie as secure wherever the request is.

use std::sync::Arc;

use super::beans::{self, Known};
use super::build::component;
use super::host::{Node, object, push, text_of};
use crate::frameworks::answers::is_login;
use crate::frameworks::boot::Settings;
use crate::limits::spring::cookies::MAX_METHODS;
use crate::model::{Known as Fact, Origin};
use crate::source::Span;
use crate::syntax::jvm::ast::{Class, Method};
use crate::syntax::jvm::eval::Call;
use crate::syntax::jvm::eval::heap::{V, Val};

/// A cookie as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Cookie {
    /// It stands for a login.
    login: bool,
    domain: Option<Fact<String>>,
    same_site: Option<Fact<String>>,
    secure: Fact<bool>,
    span: Span,
    /// What would let it go to other sites.
    repair: &'static str,
}

/// A cookie that browsers keep from pages of other sites.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    /// The site: a registrable domain.
    pub(super) site: String,
    pub(super) span: Span,
    pub(super) repair: &'static str,
}

impl Cookie {
    fn bound(&self) -> Option<Bound> {
        let Some(Fact::Known(domain)) = &self.domain else {
            return None;
        };
        let none = match &self.same_site {
            Some(Fact::Unknown) => return None,
            Some(Fact::Known(text)) => text.eq_ignore_ascii_case("none"),
            None => false,
        };
        if !self.login || (none && self.secure != Fact::Known(false)) {
            return None;
        }
        let host = domain.trim().trim_start_matches('.');
        let origin = Origin::parse(&format!("https://{host}")).ok()?;
        Some(Bound {
            site: origin.registrable_domain()?.to_owned(),
            span: self.span,
            repair: self.repair,
        })
    }
}

/// `ResponseCookie.from(…)`, `new Cookie(…)`.
pub(super) fn made(m: &mut Node<'_>, call: &Call<'_>) -> Val {
    let name = call.args.first().and_then(|name| text_of(m, name));
    let plain = call.method != "from";
    let cookie = Cookie {
        login: name.is_some_and(|name| is_login(&name)),
        domain: None,
        same_site: None,
        secure: Fact::Known(false),
        span: call.span,
        repair: if plain {
            "cookie.setAttribute(\"SameSite\", \"None\");\ncookie.setSecure(true);"
        } else {
            ".sameSite(\"None\").secure(true)"
        },
    };
    let number = push(&mut m.host.change().cookies, cookie);
    m.host_object(object::COOKIE, number, call.span)
}

/// `new DefaultCookieSerializer()`: of Spring Session.
pub(super) fn serializer(m: &mut Node<'_>, span: Span) -> Val {
    let cookie = Cookie {
        login: true,
        domain: None,
        same_site: Some(Fact::Known("Lax".into())),
        // As secure as the request is.
        secure: Fact::Unknown,
        span,
        repair: "serializer.setSameSite(\"None\");\nserializer.setUseSecureCookie(true);",
    };
    let number = push(&mut m.host.change().cookies, cookie);
    m.host_object(object::COOKIE, number, span)
}

/// What is said about a cookie.
pub(super) fn call(m: &mut Node<'_>, number: u32, call: &Call<'_>) -> Val {
    let first = call.args.first();
    let text = |val: Option<&Val>| {
        let val = val.filter(|val| !val.is_null())?;
        Some(Fact::from(text_of(m, val)))
    };
    let (text, second) = (text(first), text(call.args.get(1)));
    let flag = || Fact::from(first.and_then(Val::as_bool));
    let named =
        || matches!(&text, Some(Fact::Known(name)) if name.eq_ignore_ascii_case("samesite"));
    let Some(cookie) = m.host.change().cookies.get_mut(number as usize) else {
        return call.receiver.clone();
    };
    match call.method {
        "domain" | "setDomain" | "setDomainName" => cookie.domain = text,
        "setDomainNamePattern" => cookie.domain = Some(Fact::Unknown),
        "sameSite" | "setSameSite" => cookie.same_site = text,
        "setAttribute" if named() => cookie.same_site = second,
        "secure" | "setSecure" | "setUseSecureCookie" => cookie.secure = flag(),
        // The others do not say which sites it goes to.
        _ => {}
    }
    call.receiver.clone()
}

/// The cookies that browsers keep from pages of other sites.
pub(super) fn bound(m: &mut Node<'_>, known: &Arc<Known>) -> Vec<Bound> {
    for at in known.of_type(&["CookieSerializer", "DefaultCookieSerializer"]) {
        // What was said before it throws stays.
        let _ = beans::bean(m, at);
    }
    run_makers(m, known);
    let mut found: Vec<Bound> = m
        .host
        .data
        .cookies
        .iter()
        .filter_map(Cookie::bound)
        .collect();
    let settings = Arc::clone(&m.host.settings);
    // Somebody else may have the last word about the container's cookies.
    let others = |class: &Arc<Class>| {
        let text = m.source(class.span);
        ["SameSite", "CookieSerializer", "STATELESS"]
            .iter()
            .any(|word| text.contains(word))
    };
    if !known.classes.iter().any(others) {
        found.extend(of_session(&settings).as_ref().and_then(Cookie::bound));
    }
    found
}

/// The session's cookie, if the property files say for which hosts it is.
fn of_session(settings: &Settings) -> Option<Cookie> {
    let bases = [
        "server.servlet.session.cookie",
        "server.reactive.session.cookie",
    ];
    bases.iter().find_map(|base| {
        let get = |name: &str| settings.get(&format!("{base}.{name}"));
        let domain = get("domain")?;
        let text = |value: &crate::syntax::value::Value| Fact::from(value.as_str().map(str::to_owned));
        Some(Cookie {
            login: true,
            domain: Some(text(&domain)),
            same_site: get("same-site").as_ref().map(text),
            secure: Fact::Unknown,
            span: domain.span,
            repair: "server.servlet.session.cookie.same-site=none\nserver.servlet.session.cookie.secure=true",
        })
    })
}

/// Runs the methods that say for which hosts a cookie is.
fn run_makers(m: &mut Node<'_>, known: &Arc<Known>) {
    let mut makers: Vec<(Arc<Class>, Arc<Method>)> = Vec::new();
    for class in &known.classes {
        let text = m.source(class.span);
        let makes = text.contains("ResponseCookie") || text.contains("Cookie(");
        if !makes || !(text.contains("omain(") || text.contains("domain =")) {
            continue;
        }
        for method in &class.methods {
            let text = m.source(method.span);
            if method.body.is_some() && text.contains("Cookie") && text.contains("omain") {
                makers.push((Arc::clone(class), Arc::clone(method)));
            }
        }
    }
    for (class, method) in makers.into_iter().take(MAX_METHODS) {
        // Beans are made once.
        if method.annotation("Bean").is_some() {
            continue;
        }
        let this = if method.is_static {
            Val::new(V::Class(Arc::clone(&class)), class.span)
        } else {
            component(m, &class)
        };
        let unknown = |span| Val::unknown("it comes with the request", span);
        let args: Vec<Val> = method
            .params
            .iter()
            .map(|param| unknown(param.span))
            .collect();
        let _ = m.invoke(&this, &class, &method, &args, method.span);
    }
}
