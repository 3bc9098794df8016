//! A whole exchange: what a script asks for, the requests that a browser makes of it, and what comes
//! of them (Fetch standard, "HTTP fetch" and "HTTP-redirect fetch").

use super::headers::{
    is_forbidden_request_header, is_safelisted_method, normalize_method, unsafe_names,
};
use super::{Browser, Check, Context, Failure, Initiator, console, cors_check, preflight_check};
use crate::model::{Known, Outcome, Request, Response, Url};

/// More redirects are followed by no browser.
const MAX_REDIRECTS: usize = 20;

/// Whom a script lets answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Every origin that allows it.
    #[default]
    Cors,
    /// The page's own origin only.
    SameOrigin,
}

/// What a script asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What makes the request.
    pub initiator: Initiator,
    /// The origin of the page, serialized; `null` for an opaque one.
    pub origin: String,
    /// The absolute URL.
    pub url: url::Url,
    /// The method as the script writes it.
    pub method: String,
    /// The headers that the script sets, and the `Content-Type` that its body sets.
    pub headers: Vec<(String, String)>,
    /// The credentials mode is `include`.
    pub include: bool,
    /// The request's mode.
    pub mode: Mode,
    /// Redirects are followed; else one is an error.
    pub follow: bool,
    /// Someone listens for the progress of the upload, or the body is a stream: a preflight is sent
    /// whatever else is asked for.
    pub force_preflight: bool,
}

impl Call {
    /// A plain `fetch(url)` by a page of this origin.
    #[must_use]
    pub fn get(origin: &str, url: url::Url) -> Self {
        Self {
            initiator: Initiator::Fetch,
            origin: origin.into(),
            url,
            method: "GET".into(),
            headers: Vec::new(),
            include: false,
            mode: Mode::Cors,
            follow: true,
            force_preflight: false,
        }
    }

    /// The headers that the browser lets the script set, with lower-case names.
    fn sent_headers(&self, browser: Browser) -> Vec<(String, String)> {
        let headers = self.headers.iter().filter(|(name, value)| {
            let ignored = browser == Browser::Chrome && name.eq_ignore_ascii_case("user-agent");
            !ignored && !is_forbidden_request_header(name, value)
        });
        headers
            .map(|(name, value)| (name.to_ascii_lowercase(), super::trim(value).to_owned()))
            .collect()
    }
}

/// One request of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it went, as the browser writes it.
    pub url: String,
    /// What was sent.
    pub request: Request,
    /// What came back.
    pub response: Response,
    /// What the browser makes of it.
    pub check: Check,
    /// The page's own origin is asked: nothing is checked.
    pub same_origin: bool,
}

/// What comes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The requests, in order.
    pub steps: Vec<Step>,
    /// May the script go on, in the end?
    pub check: Check,
    /// What the browser prints in its console, if it blocks and prints anything.
    pub console: Option<String>,
}

impl Played {
    /// The response that the script gets, if it gets one.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        let last = self.steps.last()?;
        (self.check == Check::Pass).then_some(&last.response)
    }
}

/// Plays a call as `browser` would, against a server that answers each request. What is unknown
/// makes the verdict unknown, unless a later step fails for certain.
pub fn play(call: &Call, browser: Browser, mut server: impl FnMut(&Request) -> Response) -> Played {
    let mut player = Player {
        call,
        browser,
        url: call.url.clone(),
        origin: call.origin.clone(),
        method: normalize_method(&call.method),
        headers: call.sent_headers(browser),
        tainted: false,
        unknown: false,
        steps: Vec::new(),
    };
    player.url.set_fragment(None);
    for _ in 0..=MAX_REDIRECTS {
        match player.hop(&mut server) {
            Ok(true) => {}
            Ok(false) => {
                let check = if player.unknown {
                    Check::Unknown
                } else {
                    Check::Pass
                };
                return player.end(check, None);
            }
            Err(failure) => return player.fail(failure),
        }
    }
    player.fail(Failure::Redirects)
}

struct Player<'a> {
    call: &'a Call,
    browser: Browser,
    url: url::Url,
    origin: String,
    method: String,
    headers: Vec<(String, String)>,
    /// Another origin was asked before (the response tainting is `cors`).
    tainted: bool,
    /// Something undecided stands behind us.
    unknown: bool,
    steps: Vec<Step>,
}

impl Player<'_> {
    /// Makes the requests of one URL; is there a redirect to follow?
    fn hop(&mut self, server: &mut impl FnMut(&Request) -> Response) -> Result<bool, Failure> {
        let Some(url) = Url::of(&self.url) else {
            return Err(Failure::Scheme);
        };
        let same_origin = !self.tainted && url.origin() == self.origin;
        if !same_origin {
            if self.call.mode == Mode::SameOrigin {
                return Err(Failure::Mode);
            }
            self.tainted = true;
        }
        let headers = self.headers.iter();
        let headers: Vec<_> = headers.map(|(name, value)| (&**name, &**value)).collect();
        let names = unsafe_names(&headers, self.browser);
        if !same_origin
            && (self.call.force_preflight
                || !is_safelisted_method(&self.method)
                || !names.is_empty())
        {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let request = Request::preflight(url.clone(), &self.origin, &self.method, &names);
            self.step(request, false, server)?;
        }
        let has_origin = !same_origin || !matches!(&*self.method, "GET" | "HEAD");
        let request = Request {
            method: self.method.clone(),
            headers: self.headers.clone(),
            ..Request::actual(url, has_origin.then_some(&self.origin))
        };
        let response = self.step(request, same_origin, server)?;
        self.follow(&response)
    }

    /// Sends a request and judges the response.
    fn step(
        &mut self,
        request: Request,
        same_origin: bool,
        server: &mut impl FnMut(&Request) -> Response,
    ) -> Result<Response, Failure> {
        let response = server(&request);
        let check = if same_origin {
            match response.outcome {
                Outcome::NeverAnswers => Check::Fail(Failure::Network),
                _ => Check::Pass,
            }
        } else if request.is_preflight() {
            preflight_check(&request, &response, self.call.include)
        } else {
            cors_check(&request, &response, self.call.include)
        };
        self.steps.push(Step {
            url: self.url.to_string(),
            request,
            response: response.clone(),
            check,
            same_origin,
        });
        match check {
            Check::Fail(failure) => return Err(failure),
            Check::Unknown => self.unknown = true,
            Check::Pass => {}
        }
        Ok(response)
    }

    /// Turns to where a response leads; `false` if it leads nowhere.
    fn follow(&mut self, response: &Response) -> Result<bool, Failure> {
        let location = match response.value("location") {
            Known::Known(Some(location)) => Some(location),
            Known::Known(None) => return Ok(false),
            Known::Unknown => None,
        };
        match response.outcome {
            Outcome::Status(Known::Known(301 | 302 | 303 | 307 | 308)) => {}
            Outcome::Status(Known::Unknown) => {
                self.unknown = true;
                return Ok(false);
            }
            _ => return Ok(false),
        }
        if !self.call.follow {
            return Err(Failure::RedirectMode);
        }
        let Some(location) = location else {
            self.unknown = true;
            return Ok(false);
        };
        let mut target = self.url.join(&location).map_err(|_| Failure::Network)?;
        target.set_fragment(None);
        let Some(next) = Url::of(&target) else {
            return Err(Failure::RedirectScheme);
        };
        let has_user = !target.username().is_empty() || target.password().is_some();
        if has_user && (self.tainted || next.origin() != self.origin) {
            return Err(Failure::RedirectCredentials);
        }
        let status = response.status().unwrap_or_default();
        let to_get = match status {
            301 | 302 => self.method == "POST",
            303 => !matches!(&*self.method, "GET" | "HEAD"),
            _ => false,
        };
        if to_get {
            self.method = "GET".into();
            self.headers.retain(|(name, _)| {
                !matches!(
                    &**name,
                    "content-encoding" | "content-language" | "content-location" | "content-type"
                )
            });
        }
        let current = self.url.origin().ascii_serialization();
        if next.origin() != current {
            self.headers.retain(|(name, _)| name != "authorization");
            // The second foreign origin must not learn who asks.
            if current != self.origin {
                self.origin = "null".into();
            }
        }
        self.url = target;
        Ok(true)
    }

    fn fail(self, failure: Failure) -> Played {
        let unsent;
        let (request, response) = match self.steps.last() {
            Some(step) => (&step.request, &step.response),
            None => {
                let url = Url {
                    scheme: self.url.scheme().into(),
                    host: String::new(),
                    port: None,
                    path: String::new(),
                    query: None,
                };
                unsent = (
                    Request::actual(url, Some(&self.origin)),
                    Response::new(Known::Unknown, crate::model::Answer::Handler, None),
                );
                (&unsent.0, &unsent.1)
            }
        };
        let mut first = self.call.url.clone();
        first.set_fragment(None);
        let first = first.to_string();
        let url = self.url.to_string();
        let context = Context {
            initiator: self.call.initiator,
            page: &self.call.origin,
            url: &url,
            redirected_from: (url != first).then_some(&first),
            include: self.call.include,
            request,
            response,
        };
        // With something undecided on the way, another failure may come first.
        let words = (!self.unknown).then(|| console(failure, self.browser, &context));
        self.end(Check::Fail(failure), words.flatten())
    }

    fn end(self, check: Check, console: Option<String>) -> Played {
        Played {
            steps: self.steps,
            check,
            console,
        }
    }
}
