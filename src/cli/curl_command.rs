//! A pasted curl command: the request that it would send. Nothing is sent and no file is read.

use super::typed;
use crate::fetch::is_token;
use crate::model::{Known, Request, Url};

/// Options with a value that say nothing about CORS, or nothing that is known before sending.
const IGNORED_WITH_VALUE: [&str; 119] = [
    "--abstract-unix-socket",
    "--aws-sigv4",
    "--cert-type",
    "--ciphers",
    "--connect-timeout",
    "--connect-to",
    "--continue-at",
    "--cookie-jar",
    "--create-file-mode",
    "--curves",
    "--delegation",
    "--dns-interface",
    "--dns-ipv4-addr",
    "--dns-ipv6-addr",
    "--dns-servers",
    "--doh-url",
    "--dump-header",
    "--ech",
    "--engine",
    "--etag-save",
    "--expect100-timeout",
    "--ftp-account",
    "--ftp-alternative-to-user",
    "--ftp-method",
    "--ftp-port",
    "--ftp-ssl-ccc-mode",
    "--happy-eyeballs-timeout-ms",
    "--haproxy-clientip",
    "--hostpubmd5",
    "--hostpubsha256",
    "--interface",
    "--ip-tos",
    "--ipfs-gateway",
    "--keepalive-cnt",
    "--keepalive-time",
    "--key-type",
    "--krb",
    "--libcurl",
    "--limit-rate",
    "--local-port",
    "--login-options",
    "--mail-auth",
    "--mail-from",
    "--mail-rcpt",
    "--max-filesize",
    "--max-redirs",
    "--max-time",
    "--noproxy",
    "--output",
    "--output-dir",
    "--parallel-max",
    "--pass",
    "--pinnedpubkey",
    "--preproxy",
    "--proto",
    "--proto-default",
    "--proto-redir",
    "--proxy",
    "--proxy-ciphers",
    "--proxy-header",
    "--proxy-key-type",
    "--proxy-pass",
    "--proxy-pinnedpubkey",
    "--proxy-service-name",
    "--proxy-tls13-ciphers",
    "--proxy-tlsauthtype",
    "--proxy-tlspassword",
    "--proxy-tlsuser",
    "--proxy-user",
    "--proxy1.0",
    "--quote",
    "--rate",
    "--request-target",
    "--resolve",
    "--retry",
    "--retry-delay",
    "--retry-max-time",
    "--sasl-authzid",
    "--service-name",
    "--socks4",
    "--socks4a",
    "--socks5",
    "--socks5-gssapi-service",
    "--socks5-hostname",
    "--speed-limit",
    "--speed-time",
    "--stderr",
    "--telnet-option",
    "--tftp-blksize",
    "--time-cond",
    "--tls-max",
    "--tls13-ciphers",
    "--tlsauthtype",
    "--tlspassword",
    "--tlsuser",
    "--trace",
    "--trace-ascii",
    "--trace-config",
    "--unix-socket",
    "--upload-flags",
    "--url-query",
    "--vlan-priority",
    "--write-out",
    "-C",
    "-D",
    "-P",
    "-Q",
    "-U",
    "-Y",
    "-c",
    "-m",
    "-o",
    "-t",
    "-w",
    "-x",
    "-y",
    "-z",
    "--range",
    "-r",
];

/// Options that make curl read a file, or send one.
const FILES: [&str; 26] = [
    "--alt-svc",
    "--cacert",
    "--capath",
    "--cert",
    "--config",
    "--crlfile",
    "--egd-file",
    "--etag-compare",
    "--key",
    "--netrc",
    "--netrc-file",
    "--netrc-optional",
    "--proxy-cacert",
    "--proxy-capath",
    "--proxy-cert",
    "--proxy-crlfile",
    "--proxy-key",
    "--pubkey",
    "--random-file",
    "--upload-file",
    "--hsts",
    "--variable",
    "-E",
    "-K",
    "-T",
    "-n",
];

/// What a curl command says.
#[derive(Debug)]
pub(super) struct CurlCommand {
    /// What it would send. The application's answer is not set.
    pub(super) request: Request,
    /// The request is shown, too (`-v`).
    pub(super) verbose: bool,
    /// Options that were passed by, as typed.
    pub(super) ignored: Vec<String>,
}

#[derive(Default)]
struct Reader {
    url: Option<String>,
    method: Option<String>,
    head: bool,
    verbose: bool,
    as_query: bool,
    data: Vec<String>,
    form: bool,
    json: bool,
    /// Lower-case name, and value; none removes curl's own.
    headers: Vec<(String, Option<String>)>,
    user: bool,
    bearer: Option<String>,
    cookies: Vec<String>,
    ignored: Vec<String>,
}

/// Reads the arguments behind `curl`.
///
/// # Errors
/// What is wrong with them, in words.
pub(super) fn parse(arguments: &[String]) -> Result<CurlCommand, String> {
    let mut reader = Reader::default();
    // A pasted command starts with its name.
    let skip = usize::from(arguments.first().is_some_and(|first| first == "curl"));
    let mut rest = arguments[skip..].iter();
    let mut only_urls = false;
    while let Some(argument) = rest.next() {
        if only_urls || !argument.starts_with('-') || argument == "-" {
            reader.url(argument)?;
        } else if argument == "--" {
            only_urls = true;
        } else if argument.starts_with("--") {
            let mut value = || rest.next().cloned();
            reader.option(argument, &mut value)?;
        } else {
            reader.short(&argument[1..], &mut || rest.next().cloned())?;
        }
    }
    reader.finish()
}

impl Reader {
    fn url(&mut self, typed: &str) -> Result<(), String> {
        if let Some(first) = &self.url {
            return Err(format!(
                "there are two URLs, `{}` and `{}`: ask one after the other",
                first.escape_debug(),
                typed.escape_debug()
            ));
        }
        self.url = Some(typed.to_owned());
        Ok(())
    }

    /// A bundle of short options; the first that takes a value takes the rest.
    fn short(
        &mut self,
        bundle: &str,
        next: &mut dyn FnMut() -> Option<String>,
    ) -> Result<(), String> {
        let mut letters = bundle.chars();
        while let Some(letter) = letters.next() {
            let option = format!("-{letter}");
            let rest = letters.as_str();
            let takes_value =
                "AHFTXbdeuEK".contains(letter) || IGNORED_WITH_VALUE.contains(&&*option);
            if !takes_value {
                self.option(&option, &mut || None)?;
                continue;
            }
            let own = (!rest.is_empty()).then(|| rest.to_owned());
            return match own {
                Some(own) => self.option(&option, &mut || Some(own.clone())),
                None => self.option(&option, next),
            };
        }
        Ok(())
    }

    fn option(
        &mut self,
        option: &str,
        next: &mut dyn FnMut() -> Option<String>,
    ) -> Result<(), String> {
        if FILES.contains(&option) {
            return Err(format!(
                "`{option}` makes curl read or send a file; corslint reads none for a request"
            ));
        }
        let mut value = || next().ok_or_else(|| format!("`{option}` needs a value"));
        match option {
            "-X" | "--request" => {
                let method = value()?;
                typed::method(&method)?;
                self.method = Some(method);
            }
            "-H" | "--header" => {
                let header = value()?;
                self.header(&header)?;
            }
            "-d" | "--data" | "--data-ascii" | "--data-binary" => {
                let data = value()?;
                no_file(option, &data, '@')?;
                self.data.push(data);
            }
            "--data-raw" => {
                let data = value()?;
                self.data.push(data);
            }
            "--data-urlencode" => {
                let data = value()?;
                let name = data.find(['=', '@']).map(|at| &data[at..]);
                if name.is_some_and(|from| from.starts_with('@')) {
                    return Err(reads_file(option, &data));
                }
                self.data.push(data);
            }
            "--json" => {
                let data = value()?;
                no_file(option, &data, '@')?;
                self.data.push(data);
                self.json = true;
            }
            "-F" | "--form" => {
                let part = value()?;
                let content = part.split_once('=').map_or("", |(_, content)| content);
                if content.starts_with(['@', '<']) {
                    return Err(reads_file(option, &part));
                }
                self.form = true;
            }
            "--form-string" => {
                value()?;
                self.form = true;
            }
            "-b" | "--cookie" => {
                let cookie = value()?;
                if !cookie.contains('=') {
                    return Err(reads_file(option, &cookie));
                }
                typed::header(&format!("cookie: {cookie}"))?;
                self.cookies.push(cookie);
            }
            "-u" | "--user" => {
                let user = value()?;
                typed::header(&format!("authorization: {user}"))?;
                self.user = true;
            }
            "--oauth2-bearer" => {
                let token = value()?;
                typed::header(&format!("authorization: {token}"))?;
                self.bearer = Some(token);
            }
            "-A" | "--user-agent" => {
                let agent = value()?;
                self.header(&format!("user-agent: {agent}"))?;
            }
            "-e" | "--referer" => {
                let referer = value()?;
                self.header(&format!("referer: {referer}"))?;
            }
            "--url" => {
                let url = value()?;
                no_file(option, &url, '@')?;
                self.url(&url)?;
            }
            "-I" | "--head" => self.head = true,
            "-G" | "--get" => self.as_query = true,
            "-v" | "--verbose" => self.verbose = true,
            "-i" | "--include" | "--show-headers" | "-s" | "--silent" => {}
            "--next" | "-:" => {
                return Err("`--next` starts a second request: ask one after the other".into());
            }
            _ if IGNORED_WITH_VALUE.contains(&option) => {
                let value = value()?;
                let name = value.find(['=', '@']).map(|at| &value[at..]);
                if option == "--url-query" && name.is_some_and(|from| from.starts_with('@')) {
                    return Err(reads_file(option, &value));
                }
                self.ignored.push(option.to_owned());
            }
            _ => self.ignored.push(option.to_owned()),
        }
        Ok(())
    }

    fn header(&mut self, typed: &str) -> Result<(), String> {
        no_file("--header", typed, '@')?;
        // curl's own way to send a header without a value.
        if let Some(name) = typed.strip_suffix(';').filter(|name| is_token(name)) {
            self.headers
                .push((name.to_ascii_lowercase(), Some(String::new())));
            return Ok(());
        }
        let (name, value) = typed::header(typed)?;
        // Without a value, the header is not sent.
        let value = (!value.is_empty()).then_some(value);
        self.headers.push((name.to_ascii_lowercase(), value));
        Ok(())
    }

    fn finish(mut self) -> Result<CurlCommand, String> {
        let url = self.url.take().ok_or("there is no URL")?;
        let mut parsed = typed::url(&url, true)?;
        if self.as_query && !self.data.is_empty() {
            let query = match parsed.query() {
                Some(query) => format!("{query}&{}", self.data.join("&")),
                None => self.data.join("&"),
            };
            parsed.set_query(Some(&query));
        }
        let sends_body = !self.as_query && !self.data.is_empty() || self.form;
        let method = match (&self.method, self.head) {
            (Some(method), _) => method.clone(),
            (None, true) => "HEAD".into(),
            (None, false) if sends_body => "POST".into(),
            (None, false) => "GET".into(),
        };
        self.user |= !parsed.username().is_empty();
        let mut headers: Vec<(String, String)> = vec![("accept".into(), "*/*".into())];
        let mut set = |name: &str, value: String| {
            headers.retain(|(other, _)| other != name);
            headers.push((name.to_owned(), value));
        };
        if self.json {
            set("accept", "application/json".into());
            set("content-type", "application/json".into());
        } else if self.form {
            set("content-type", "multipart/form-data".into());
        } else if sends_body {
            set("content-type", "application/x-www-form-urlencoded".into());
        }
        if self.user {
            // Who it is decides nothing here, and is nobody's business in an output.
            set("authorization", "Basic *****".into());
        }
        if let Some(token) = &self.bearer {
            set("authorization", format!("Bearer {token}"));
        }
        if !self.cookies.is_empty() {
            set("cookie", self.cookies.join("; "));
        }
        for (name, value) in self.headers {
            match value {
                Some(value) => set(&name, value),
                None => set(&name, "\0".into()),
            }
        }
        headers.retain(|(_, value)| value != "\0");
        let url = Url::of(&parsed).ok_or("there is no URL")?;
        Ok(CurlCommand {
            request: request(url, method, headers)?,
            verbose: self.verbose,
            ignored: self.ignored,
        })
    }
}

/// The request with these headers.
fn request(
    mut url: Url,
    method: String,
    mut headers: Vec<(String, String)>,
) -> Result<Request, String> {
    let mut take = |name: &str| {
        let at = headers.iter().position(|(other, _)| other == name)?;
        Some(headers.remove(at).1)
    };
    let origin = take("origin");
    let requested_method = take("access-control-request-method");
    let requested_headers = take("access-control-request-headers");
    if let Some(host) = take("host") {
        let base = typed::url(&format!("{}://{host}/", url.scheme), false)?;
        let named = Url::of(&base).ok_or("the Host header names no host")?;
        (url.host, url.port) = (named.host, named.port.or(url.port));
    }
    let names = requested_headers.as_deref().unwrap_or_default().split(',');
    let names = names.map(|name| name.trim().to_ascii_lowercase());
    let cookies = headers.iter().any(|(name, _)| name == "cookie");
    Ok(Request {
        method,
        requested_method,
        requested_headers: names.filter(|name| !name.is_empty()).collect(),
        cookies,
        headers,
        files: Known::Unknown,
        exact: true,
        ..Request::actual(url, origin.as_deref())
    })
}

fn no_file(option: &str, value: &str, mark: char) -> Result<(), String> {
    if value.starts_with(mark) {
        return Err(reads_file(option, value));
    }
    Ok(())
}

fn reads_file(option: &str, value: &str) -> String {
    format!(
        "`{option} {}` makes curl read a file; corslint reads none for a request",
        value.escape_debug()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<CurlCommand, String> {
        let words: Vec<String> = words
            .split(' ')
            .map(|word| word.replace('_', " "))
            .collect();
        parse(&words)
    }

    #[test]
    fn a_request_as_curl_sends_it() {
        let command =
            parsed("curl -XPUT -sSvH Origin:_https://a.example -d a=1 -b c=d h.example:81/x?y#z")
                .unwrap();
        let request = command.request;
        assert_eq!(request.url.to_string(), "http://h.example:81/x?y");
        assert_eq!(request.method, "PUT");
        assert_eq!(request.origin.as_deref(), Some("https://a.example"));
        assert_eq!(request.header("cookie").as_deref(), Some("session=1"));
        let kind = request.header("content-type");
        assert_eq!(kind.as_deref(), Some("application/x-www-form-urlencoded"));
        assert!(command.verbose);
        assert_eq!(command.ignored, ["-S"]);
    }

    #[test]
    fn methods_follow_the_body() {
        for (words, method) in [
            ("h", "GET"),
            ("-I h", "HEAD"),
            ("-d a h", "POST"),
            ("-G -d a h", "GET"),
            ("--json {} h", "POST"),
            ("-F a=b h", "POST"),
            ("-X patch h", "patch"),
        ] {
            assert_eq!(parsed(words).unwrap().request.method, method, "{words}");
        }
        assert_eq!(
            parsed("-G -d a h?b").unwrap().request.url.query.as_deref(),
            Some("b&a")
        );
    }

    #[test]
    fn headers_win_over_options() {
        let request =
            parsed("-u a:b -H Accept: -H X-Empty; -H Host:_api.example https://h/").unwrap();
        let request = request.request;
        assert_eq!(
            request.header("authorization").as_deref(),
            Some("Basic *****")
        );
        assert_eq!(request.header("accept"), None);
        assert_eq!(request.header("x-empty").as_deref(), Some(""));
        assert_eq!(request.url.host, "api.example");
    }

    #[test]
    fn a_preflight() {
        let words = "-X OPTIONS -H Origin:_https://a -H Access-Control-Request-Method:_PUT \
                     -H Access-Control-Request-Headers:_X-B,x-a http://h";
        let request = parsed(words).unwrap().request;
        assert!(request.is_preflight());
        assert_eq!(request.requested_headers, ["x-b", "x-a"]);
    }

    #[test]
    fn other_options_are_passed_by_with_their_values() {
        let command =
            parsed("-o /dev/null -w %{http_code} --max-time 5 -kL --compressed h").unwrap();
        assert_eq!(
            command.ignored,
            ["-o", "-w", "--max-time", "-k", "-L", "--compressed"]
        );
    }

    #[test]
    fn files_are_never_read() {
        for words in [
            "-d @f h",
            "-d@f h",
            "--data-binary @f h",
            "--data-urlencode a@f h",
            "--json @f h",
            "-F a=@f h",
            "-F a=<f h",
            "-H @f h",
            "-b f h",
            "-K f h",
            "-Kf h",
            "-T f h",
            "-sT f h",
            "-n h",
            "--cert f h",
            "--config f h",
        ] {
            let error = parsed(words).map(|_| ()).unwrap_err();
            assert!(error.contains("file"), "{words}: {error}");
        }
        assert!(parsed("--data-raw @f h").is_ok());
        assert!(parsed("--data-urlencode a=@f h").is_ok());
    }

    #[test]
    fn what_is_wrong_is_told() {
        for words in [
            "",
            "-X",
            "-H X h",
            "a b",
            "-X G?T h",
            "-X NONE h",
            "--next h",
            "ftp://h",
        ] {
            assert!(parsed(words).is_err(), "{words}");
        }
        let injected = ["-H".to_owned(), "X: a\r\nY: b".to_owned(), "h".to_owned()];
        assert!(parse(&injected).is_err());
    }
}
