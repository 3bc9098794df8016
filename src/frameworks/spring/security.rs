//! Spring Security's configuration language: `HttpSecurity`, `ServerHttpSecurity`, and what their
//! methods are given, in Java's and Kotlin's spelling.

use super::code;
use super::host::{Node, object, push, text_of};
use super::model::{Access, ChainCors, Entry, Matcher, Rule};
use super::path::PathPattern;
use crate::limits::spring::security::MAX_MATCHERS;
use crate::model::{HeaderLine, Known};
use crate::source::Span;
use crate::syntax::jvm::ast::simple;
use crate::syntax::jvm::eval::heap::{ObjectKind, Val};
use crate::syntax::jvm::eval::{Call, Result};

/// An `HttpSecurity` or `ServerHttpSecurity`.
#[derive(Clone, Debug)]
pub(super) struct Http {
    pub(super) reactive: bool,
    pub(super) matchers: Vec<Matcher>,
    pub(super) cors: ChainCors,
    /// What `configurationSource` was given.
    pub(super) source: Option<Val>,
    /// CSRF protection is on; where it says so.
    pub(super) csrf: bool,
    pub(super) rules: Vec<Rule>,
    /// Some rule list was opened: by the newer method (which refuses the rest), or the older one.
    pub(super) authorizes: Option<(bool, Span)>,
    pub(super) basic: Option<Option<Val>>,
    pub(super) login: bool,
    pub(super) bearer: Option<Option<Val>>,
    /// `exceptionHandling().authenticationEntryPoint(…)`.
    pub(super) entry_point: Option<Val>,
    /// Filters of the project: the filter, the filter beside it, before (-1), at (0) or behind (1).
    pub(super) added: Vec<(Val, String, i8, Span)>,
    pub(super) writers: Vec<HeaderLine>,
    pub(super) span: Span,
}

impl Http {
    fn new(reactive: bool, span: Span) -> Self {
        Self {
            reactive,
            matchers: Vec::new(),
            cors: ChainCors::Absent,
            source: None,
            csrf: true,
            rules: Vec::new(),
            authorizes: None,
            basic: None,
            login: false,
            bearer: None,
            entry_point: None,
            added: Vec::new(),
            writers: Vec::new(),
            span,
        }
    }

    /// What answers a request without a known user.
    pub(super) fn entry(&self, m: &mut Node<'_>) -> Entry {
        let own = |m: &mut Node<'_>, val: &Val| entry_of(m, val);
        if let Some(val) = &self.entry_point {
            return own(m, val);
        }
        match (&self.basic, &self.bearer) {
            (Some(Some(val)), _) | (_, Some(Some(val))) => own(m, val),
            (_, Some(None)) => Entry::Status(Known::Known(401)),
            // Scripts accept anything, so the page for people is not for them.
            (Some(None), _) if self.reactive => Entry::Status(Known::Known(401)),
            (Some(None), _) => Entry::SendError(401),
            _ if self.login => Entry::Login,
            _ if self.reactive => Entry::Status(Known::Known(401)),
            _ => Entry::SendError(403),
        }
    }
}

/// An entry point that is given.
fn entry_of(m: &mut Node<'_>, val: &Val) -> Entry {
    if let Some((object::STATUS, number)) = m.as_host(val) {
        return Entry::Status(u16::try_from(number).ok().into());
    }
    if m.object(val).is_some() {
        return Entry::Hand(val.clone());
    }
    match val.as_foreign().map(simple) {
        Some("Http403ForbiddenEntryPoint") => Entry::SendError(403),
        Some("BasicAuthenticationEntryPoint") => Entry::SendError(401),
        Some("BearerTokenAuthenticationEntryPoint") => Entry::Status(Known::Known(401)),
        Some("LoginUrlAuthenticationEntryPoint") => Entry::Login,
        _ => Entry::Status(Known::Unknown),
    }
}

/// A part of the language: `csrf(…)`, `cors(…)`, one rule of `authorizeHttpRequests(…)`.
#[derive(Clone, Debug)]
pub(super) struct Section {
    http: u32,
    which: Which,
    /// What the next `permitAll()` is for.
    matchers: Vec<Matcher>,
    span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Cors,
    Csrf,
    Authorize,
    /// Matchers of a rule that waits for its access.
    Rule,
    Basic,
    Login,
    Bearer,
    Exceptions,
    Headers,
    /// `requestMatchers()` and `securityMatchers(…)` of the chain itself.
    Matchers,
    Other,
}

/// A new `HttpSecurity` for a chain of the project.
pub(super) fn http(m: &mut Node<'_>, reactive: bool, span: Span) -> Val {
    let number = push(&mut m.host.change().https, Http::new(reactive, span));
    m.host_object(object::HTTP, number, span)
}

fn section(m: &mut Node<'_>, http: u32, which: Which, matchers: Vec<Matcher>, span: Span) -> Val {
    let section = Section {
        http,
        which,
        matchers,
        span,
    };
    let number = push(&mut m.host.change().sections, section);
    m.host_object(object::SECTION, number, span)
}

fn matchers_val(m: &mut Node<'_>, matchers: Vec<Matcher>, span: Span) -> Val {
    let number = push(&mut m.host.change().matchers, matchers);
    m.host_object(object::MATCHERS, number, span)
}

/// Classes of Spring Security that are made.
pub(super) fn construct(m: &mut Node<'_>, class: &str, call: &Call<'_>) -> Option<Val> {
    match class {
        "AntPathRequestMatcher"
        | "MvcRequestMatcher"
        | "PathPatternParserServerWebExchangeMatcher" => {
            let matcher = path_and_method(m, call.args);
            Some(matchers_val(m, vec![matcher], call.span))
        }
        "OrRequestMatcher" | "OrServerWebExchangeMatcher" => {
            let matchers = matchers_of(m, call.args, call.open);
            Some(matchers_val(m, matchers, call.span))
        }
        "NegatedRequestMatcher" | "NegatedServerWebExchangeMatcher" => {
            let matcher = Matcher {
                unless: matchers_of(m, call.args, call.open),
                ..Matcher::ANY
            };
            let matchers = bounded(m, vec![matcher]);
            Some(matchers_val(m, matchers, call.span))
        }
        "AndRequestMatcher" | "AndServerWebExchangeMatcher" => {
            let (args, _) = m.flattened(call.args);
            let mut all = vec![Matcher::ANY];
            for arg in args {
                let next = matchers_of(m, &[arg], call.open);
                let pairs = all
                    .iter()
                    .flat_map(|one| next.iter().map(move |two| one.and(two)));
                all = bounded(m, pairs.flatten());
            }
            // None at all would match everything.
            if all.is_empty() {
                all.push(unknown());
            }
            Some(matchers_val(m, all, call.span))
        }
        "RegexRequestMatcher" | "RequestHeaderRequestMatcher" | "MediaTypeRequestMatcher" => {
            Some(matchers_val(m, vec![unknown()], call.span))
        }
        "HttpStatusEntryPoint" | "HttpStatusServerEntryPoint" => {
            let status = call
                .args
                .first()
                .and_then(|val| val.as_foreign().map(str::to_owned));
            let status = status.and_then(|path| code::status_of(&path));
            // A number that is no status stands for one that is not in view.
            let number = status.map_or(u32::MAX, u32::from);
            Some(m.host_object(object::STATUS, number, call.span))
        }
        _ => None,
    }
}

fn unknown() -> Matcher {
    Matcher {
        unknown: true,
        ..Matcher::ANY
    }
}

/// As many matchers as may be kept; of the others it is unknown what they match.
fn bounded(m: &mut Node<'_>, matchers: impl IntoIterator<Item = Matcher>) -> Vec<Matcher> {
    let mut kept = Vec::new();
    let mut size = 0;
    for matcher in matchers {
        let own = matcher.size();
        size += own;
        if size > MAX_MATCHERS || m.pay(16 * own).is_err() {
            kept.push(unknown());
            break;
        }
        kept.push(matcher);
    }
    kept
}

/// `new AntPathRequestMatcher("/x", "GET")`.
fn path_and_method(m: &Node<'_>, args: &[Val]) -> Matcher {
    let mut matcher = Matcher::ANY;
    for arg in args {
        match text_of(m, arg) {
            Some(text) if text.starts_with(['/', '*']) || text.is_empty() => {
                matcher.pattern = ant_pattern(&text);
                matcher.unknown |= matcher.pattern.is_none();
            }
            Some(text) => matcher.method = Some(text),
            None if arg.is_null() => {}
            None => matcher.unknown = true,
        }
    }
    matcher
}

/// A pattern of Spring Security; one without a slash at its start gets one.
fn ant_pattern(text: &str) -> Option<PathPattern> {
    if text.starts_with('/') {
        PathPattern::parse(text)
    } else {
        PathPattern::parse(&format!("/{text}"))
    }
}

/// Static methods that make matchers.
pub(super) fn foreign_call(m: &mut Node<'_>, class: &str, call: &Call<'_>) -> Option<Val> {
    match (class, call.method) {
        ("AntPathRequestMatcher", "antMatcher") => {
            let matcher = path_and_method(m, call.args);
            Some(matchers_val(m, vec![matcher], call.span))
        }
        ("PathPatternRequestMatcher", "withDefaults" | "withPathPatternParser") => {
            Some(matchers_val(m, Vec::new(), call.span))
        }
        ("PathPatternRequestMatcher", "pathPattern")
        | ("ServerWebExchangeMatchers", "pathMatchers") => {
            let matchers = matchers_of(m, call.args, call.open);
            Some(matchers_val(m, matchers, call.span))
        }
        ("ServerWebExchangeMatchers", "anyExchange") => {
            Some(matchers_val(m, vec![Matcher::ANY], call.span))
        }
        ("EndpointRequest", _) => {
            let mut matcher = below(m, "management.endpoints.web.base-path", "/actuator");
            matcher.unknown |= call.method != "toAnyEndpoint";
            Some(matchers_val(m, vec![matcher], call.span))
        }
        ("PathRequest", "toH2Console") => {
            let matcher = below(m, "spring.h2.console.path", "/h2-console");
            Some(matchers_val(m, vec![matcher], call.span))
        }
        ("PathRequest" | "StaticResourceRequest", _) => {
            let patterns = [
                "/css/**",
                "/js/**",
                "/images/**",
                "/webjars/**",
                "/favicon.*",
            ];
            let matchers = patterns.iter().map(|text| Matcher {
                pattern: PathPattern::parse(text),
                ..Matcher::ANY
            });
            let matchers = matchers.collect();
            Some(matchers_val(m, matchers, call.span))
        }
        _ => None,
    }
}

/// All paths below the one that a property names. At the root it is unknown which they are.
fn below(m: &Node<'_>, key: &str, default: &str) -> Matcher {
    let value = m.host.settings.get(key);
    let base = match &value {
        Some(value) => super::properties::text(value).unwrap_or_default(),
        None => default.to_owned(),
    };
    let base = base.trim_end_matches('/');
    let pattern = ant_pattern(&format!("{base}/**")).filter(|_| !base.is_empty());
    Matcher {
        unknown: pattern.is_none(),
        pattern,
        ..Matcher::ANY
    }
}

/// The matchers that arguments of `requestMatchers` and the like make.
fn matchers_of(m: &mut Node<'_>, args: &[Val], open: bool) -> Vec<Matcher> {
    let (vals, more) = m.flattened(args);
    let mut method: Option<String> = None;
    let mut matchers = Vec::new();
    for val in vals {
        if let Some((object::MATCHERS, number)) = m.as_host(&val) {
            let known = m.host.data.matchers[number as usize].clone();
            matchers.extend(bounded(m, known));
            if matchers.len() > MAX_MATCHERS {
                break;
            }
            continue;
        }
        if is_preflight_test(m, &val) {
            matchers.push(Matcher {
                preflight: true,
                ..Matcher::ANY
            });
            continue;
        }
        let path = val.as_foreign().unwrap_or_default().to_owned();
        let (class, constant) = path.rsplit_once('.').unwrap_or_default();
        if matches!(simple(class), "HttpMethod" | "RequestMethod") {
            method = Some(constant.to_owned());
            continue;
        }
        match text_of(m, &val) {
            Some(text) => {
                let pattern = ant_pattern(&text);
                matchers.push(Matcher {
                    method: method.clone(),
                    unknown: pattern.is_none(),
                    pattern,
                    ..Matcher::ANY
                });
            }
            None => matchers.push(Matcher {
                method: method.clone(),
                ..unknown()
            }),
        }
    }
    if matchers.is_empty() {
        matchers.push(Matcher {
            method,
            ..Matcher::ANY
        });
    }
    if open || more {
        matchers.push(unknown());
    }
    bounded(m, matchers)
}

/// `CorsUtils::isPreFlightRequest`.
fn is_preflight_test(m: &Node<'_>, val: &Val) -> bool {
    match m.object(val).map(|object| &object.kind) {
        Some(ObjectKind::Reference(_, name, _)) => &**name == "isPreFlightRequest",
        Some(ObjectKind::Lambda(lambda, _)) => m.source(lambda.span).contains("isPreFlightRequest"),
        _ => val
            .as_foreign()
            .is_some_and(|path| path.contains("isPreFlightRequest")),
    }
}

/// A call on an `HttpSecurity`.
pub(super) fn call_http(m: &mut Node<'_>, call: &Call<'_>) -> Result<Val> {
    match m.as_host(call.receiver) {
        Some((object::HTTP, number)) => http_call(m, number, call),
        _ => Ok(call.receiver.clone()),
    }
}

/// A call on a part of the language.
pub(super) fn call(m: &mut Node<'_>, kind: u16, number: u32, call: &Call<'_>) -> Result<Val> {
    match kind {
        object::HTTP => http_call(m, number, call),
        object::SECTION => section_call(m, number, call),
        object::WEB => Ok(web_call(m, call)),
        _ => {
            if call.method == "matcher" || call.method == "matchers" {
                let matchers = matchers_of(m, call.args, call.open);
                return Ok(matchers_val(m, matchers, call.span));
            }
            // `EndpointRequest.toAnyEndpoint().excluding("health")`
            if call.method.starts_with("excluding") || call.method == "withHttpMethod" {
                return Ok(matchers_val(m, vec![unknown()], call.span));
            }
            Ok(call.receiver.clone())
        }
    }
}

/// `web.ignoring().requestMatchers(…)`.
fn web_call(m: &mut Node<'_>, call: &Call<'_>) -> Val {
    if is_matcher_method(call.method) {
        let matchers = matchers_of(m, call.args, call.open);
        m.host.change().ignored.extend(matchers);
    }
    call.receiver.clone()
}

fn is_matcher_method(name: &str) -> bool {
    matches!(
        name,
        "requestMatchers"
            | "antMatchers"
            | "mvcMatchers"
            | "pathMatchers"
            | "requestMatcher"
            | "antMatcher"
            | "mvcMatcher"
            | "securityMatcher"
            | "securityMatchers"
            | "matchers"
            | "matcher"
    )
}

/// Runs what a section is configured with: a lambda, a method reference, or `withDefaults()`.
fn configure(m: &mut Node<'_>, dsl: &Val, call: &Call<'_>) -> Result<()> {
    for arg in call.args {
        if m.object(arg).is_some() {
            let args = [dsl.clone()];
            m.call_function(arg, Some(dsl), &args, call.span)?;
        }
    }
    Ok(())
}

fn http_call(m: &mut Node<'_>, number: u32, call: &Call<'_>) -> Result<Val> {
    let span = call.span;
    let place = call.name_span.to(span);
    let at = number as usize;
    let which = match call.method {
        "cors" => Which::Cors,
        "csrf" => Which::Csrf,
        "authorizeHttpRequests" | "authorizeRequests" | "authorizeExchange" => Which::Authorize,
        "httpBasic" => Which::Basic,
        "formLogin" | "oauth2Login" | "saml2Login" => Which::Login,
        "oauth2ResourceServer" => Which::Bearer,
        "exceptionHandling" => Which::Exceptions,
        "headers" => Which::Headers,
        "requestMatchers" | "securityMatchers" if call.args.iter().all(|arg| is_code(m, arg)) => {
            Which::Matchers
        }
        "invoke" | "also" | "apply" => {
            configure(m, &call.receiver.clone(), call)?;
            // Kotlin's language for WebFlux builds the chain as well.
            if call.method == "invoke" && m.host.data.https[at].reactive {
                return Ok(m.host_object(object::CHAIN, number, span));
            }
            return Ok(call.receiver.clone());
        }
        "build" | "getOrBuild" => return Ok(m.host_object(object::CHAIN, number, span)),
        "and" => return Ok(call.receiver.clone()),
        "addFilterBefore" | "addFilterAfter" | "addFilterAt" | "addFilter" => {
            add_filter(m, at, call);
            return Ok(call.receiver.clone());
        }
        name if is_matcher_method(name) => {
            let matchers = matchers_of(m, call.args, call.open);
            m.host.change().https[at].matchers.extend(matchers);
            return Ok(call.receiver.clone());
        }
        "getSharedObject" | "setSharedObject" => {
            return Ok(Val::unknown("an object of Spring Security", span));
        }
        _ => Which::Other,
    };
    {
        let http = &mut m.host.change().https[at];
        match which {
            Which::Cors => http.cors = ChainCors::Enabled(place),
            Which::Csrf => http.csrf = true,
            Which::Authorize => {
                let strict = call.method != "authorizeRequests";
                http.authorizes.get_or_insert((strict, place));
            }
            Which::Basic => {
                http.basic.get_or_insert(None);
            }
            Which::Login => http.login = true,
            Which::Bearer => {
                http.bearer.get_or_insert(None);
            }
            _ => {}
        }
    }
    let dsl = section(m, number, which, Vec::new(), place);
    let configured = call.args.iter().any(|arg| !arg.is_null());
    configure(m, &dsl, call)?;
    Ok(if configured {
        call.receiver.clone()
    } else {
        dsl
    })
}

fn is_code(m: &Node<'_>, val: &Val) -> bool {
    matches!(
        m.object(val).map(|object| &object.kind),
        Some(ObjectKind::Lambda(..) | ObjectKind::Reference(..))
    )
}

fn add_filter(m: &mut Node<'_>, at: usize, call: &Call<'_>) {
    let Some(filter) = call.args.first().cloned() else {
        return;
    };
    let beside = call
        .args
        .get(1)
        .map(|val| class_name(m, val))
        .unwrap_or_default();
    let side = match call.method {
        "addFilterBefore" => -1,
        "addFilterAfter" => 1,
        _ => 0,
    };
    let entry = (filter, beside, side, call.span);
    m.host.change().https[at].added.push(entry);
}

/// The simple name of a class, or of one of the reactive filters' positions.
fn class_name(m: &Node<'_>, val: &Val) -> String {
    let text = m.source(val.span);
    let text = text
        .trim_end_matches(".class")
        .trim_end_matches("::class.java");
    simple(text.trim_end_matches("::class")).to_owned()
}

fn section_call(m: &mut Node<'_>, number: u32, call: &Call<'_>) -> Result<Val> {
    let this = m.host.data.sections[number as usize].clone();
    let http = this.http as usize;
    let back = |m: &mut Node<'_>| m.host_object(object::HTTP, this.http, call.span);
    let first = call.args.first().cloned();
    match (this.which, call.method) {
        (_, "and") => return Ok(back(m)),
        (Which::Cors, "disable") => {
            m.host.change().https[http].cors = ChainCors::Disabled(call.name_span);
            return Ok(back(m));
        }
        (Which::Csrf, "disable") => {
            m.host.change().https[http].csrf = false;
            return Ok(back(m));
        }
        (Which::Basic, "disable") => {
            m.host.change().https[http].basic = None;
            return Ok(back(m));
        }
        (Which::Login, "disable") => {
            m.host.change().https[http].login = false;
            return Ok(back(m));
        }
        (_, "disable") => return Ok(back(m)),
        (Which::Cors, "configurationSource" | "setConfigurationSource") => {
            m.host.change().https[http].source = first;
        }
        (Which::Basic, "authenticationEntryPoint" | "setAuthenticationEntryPoint") => {
            m.host.change().https[http].basic = Some(first);
        }
        (Which::Bearer, "authenticationEntryPoint" | "setAuthenticationEntryPoint") => {
            m.host.change().https[http].bearer = Some(first);
        }
        (Which::Exceptions, "authenticationEntryPoint" | "setAuthenticationEntryPoint") => {
            m.host.change().https[http].entry_point = first;
        }
        (Which::Headers, "addHeaderWriter" | "writer") => {
            let lines = first
                .map(|val| code::writer_lines(m, &val))
                .unwrap_or_default();
            m.host.change().https[http].writers.extend(lines);
        }
        (Which::Matchers, name) if is_matcher_method(name) => {
            let matchers = matchers_of(m, call.args, call.open);
            m.host.change().https[http].matchers.extend(matchers);
        }
        (Which::Authorize, "authorize") => kotlin_rule(m, http, call),
        (Which::Authorize | Which::Rule, _) => return Ok(authorize_call(m, number, call)),
        // Nested parts of it say nothing here, but what they are given may.
        _ => {
            let dsl = call.receiver.clone();
            configure(m, &dsl, call)?;
        }
    }
    Ok(call.receiver.clone())
}

/// `requestMatchers(…)` and what follows it.
fn authorize_call(m: &mut Node<'_>, number: u32, call: &Call<'_>) -> Val {
    let this = m.host.data.sections[number as usize].clone();
    let name = call.method;
    if matches!(
        name,
        "anyRequest" | "anyExchange" | "getAnyRequest" | "getAnyExchange"
    ) {
        return section(m, this.http, Which::Rule, vec![Matcher::ANY], call.span);
    }
    if name == "dispatcherTypeMatchers" || name == "shouldFilterAllDispatcherTypes" {
        let (types, open) = m.flattened(call.args);
        let names: Vec<_> = types.iter().map(Val::as_foreign).collect();
        let errors = names
            .iter()
            .any(|name| name.is_some_and(|name| name.ends_with("DispatcherType.ERROR")));
        let matchers = vec![Matcher {
            dispatch: Some(errors),
            unknown: !errors && (open || names.contains(&None)),
            ..Matcher::ANY
        }];
        return section(m, this.http, Which::Rule, matchers, call.span);
    }
    if is_matcher_method(name) || name == "regexMatchers" {
        let matchers = if name == "regexMatchers" {
            vec![unknown()]
        } else {
            matchers_of(m, call.args, call.open)
        };
        return section(m, this.http, Which::Rule, matchers, call.span);
    }
    if let Some(access) = access_of(name) {
        if this.which == Which::Rule {
            let rule = Rule {
                matchers: bounded(m, this.matchers),
                access,
                span: this.span.to(call.span),
            };
            m.host.change().https[this.http as usize].rules.push(rule);
        }
        return section(m, this.http, Which::Authorize, Vec::new(), call.span);
    }
    if this.which == Which::Authorize {
        // A Kotlin constant.
        let name = name.strip_prefix("get").unwrap_or(name);
        return Val::foreign(format!("access.{name}"), call.span);
    }
    call.receiver.clone()
}

fn access_of(name: &str) -> Option<Access> {
    Some(match name {
        "permitAll" | "anonymous" => Access::Permit,
        "authenticated" | "fullyAuthenticated" | "rememberMe" | "hasRole" | "hasAnyRole"
        | "hasAuthority" | "hasAnyAuthority" | "hasAllRoles" | "hasAllAuthorities" | "hasScope" => {
            Access::Authenticated
        }
        "denyAll" => Access::Deny,
        "access" | "hasIpAddress" | "hasVariable" | "not" => Access::Unknown,
        _ => return None,
    })
}

/// `authorize("/x", permitAll)` of the Kotlin language.
fn kotlin_rule(m: &mut Node<'_>, http: usize, call: &Call<'_>) {
    let Some((access, matchers)) = call.args.split_last() else {
        return;
    };
    let text = m.source(access.span);
    let name = text
        .trim()
        .split(['(', ' '])
        .next()
        .unwrap_or_default()
        .to_owned();
    let access = access_of(&name).unwrap_or(Access::Unknown);
    let words = matchers
        .first()
        .map(|val| m.source(val.span))
        .unwrap_or_default();
    let any = matches!(words.trim(), "anyRequest" | "anyExchange");
    let matchers = if any {
        Vec::new()
    } else {
        matchers_of(m, matchers, call.open)
    };
    let span = call.span;
    m.host.change().https[http].rules.push(Rule {
        matchers,
        access,
        span,
    });
}

/// Where the filters of Spring Security stand that others are placed beside
/// (`FilterOrderRegistration`), and those of WebFlux (`SecurityWebFiltersOrder`).
pub(super) fn place_of(class: &str) -> i32 {
    const ORDER: [&str; 34] = [
        "DisableEncodeUrlFilter",
        "ForceEagerSessionCreationFilter",
        "FIRST",
        "ChannelProcessingFilter",
        "HttpsRedirectFilter",
        "HTTPS_REDIRECT",
        "WebAsyncManagerIntegrationFilter",
        "SecurityContextHolderFilter",
        "SecurityContextPersistenceFilter",
        "HeaderWriterFilter",
        "HTTP_HEADERS_WRITER",
        "CorsFilter",
        "CORS",
        "CsrfFilter",
        "CSRF",
        "LogoutFilter",
        "OAuth2AuthorizationRequestRedirectFilter",
        "X509AuthenticationFilter",
        "AbstractPreAuthenticatedProcessingFilter",
        "OAuth2LoginAuthenticationFilter",
        "UsernamePasswordAuthenticationFilter",
        "DefaultLoginPageGeneratingFilter",
        "DigestAuthenticationFilter",
        "BearerTokenAuthenticationFilter",
        "BasicAuthenticationFilter",
        "HTTP_BASIC",
        "FORM_LOGIN",
        "AUTHENTICATION",
        "RequestCacheAwareFilter",
        "SecurityContextHolderAwareRequestFilter",
        "AnonymousAuthenticationFilter",
        "SessionManagementFilter",
        "ExceptionTranslationFilter",
        "AuthorizationFilter",
    ];
    let position = ORDER.iter().position(|known| *known == class);
    let position = position.or(match class {
        "FilterSecurityInterceptor" | "AUTHORIZATION" | "SwitchUserFilter" => Some(33),
        // Filters of the project stand where authentication does.
        _ => Some(20),
    });
    i32::try_from(position.unwrap_or(20)).unwrap_or(20) * 10
}

/// Where `CorsFilter` stands.
pub(super) fn cors_place() -> i32 {
    place_of("CorsFilter")
}
