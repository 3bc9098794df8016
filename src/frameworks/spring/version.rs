//! Which releases a project runs on, and what changed between them.

/// Major, minor, patch.
pub(super) type Release = (u32, u32, u32);

/// The releases that the project's build files name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    /// Spring Framework.
    pub(super) framework: Release,
    /// Spring Security.
    pub(super) security: Release,
}

impl Versions {
    /// The newest that facts are known of.
    #[cfg(test)]
    pub(super) const NEWEST: Self = Self {
        framework: (7, 1, 0),
        security: (7, 2, 0),
    };

    /// What is assumed of a project that does not say: the current generally available release.
    pub(super) const CURRENT: Self = Self {
        framework: (7, 0, 9),
        security: (7, 1, 1),
    };

    #[cfg(test)]
    pub(super) const fn framework(framework: Release) -> Self {
        Self {
            framework,
            ..Self::CURRENT
        }
    }

    /// The releases that a release of Spring Boot brings (its `spring-boot-dependencies`). Of a line
    /// of Boot mostly the last; earlier ones where a fact below tells them apart.
    pub(super) const fn of_boot(boot: Release) -> Self {
        let (framework, security) = match (boot.0, boot.1) {
            (2, 4) if boot.2 < 6 => ((5, 3, 6), (5, 4, 6)),
            (3, 2) if boot.2 < 9 => ((6, 1, 11), (6, 2, 5)),
            (3, 3) if boot.2 < 3 => ((6, 1, 11), (6, 3, 1)),
            (0 | 1, _) => ((4, 3, 25), (4, 2, 13)),
            (2, 0) => ((5, 0, 20), (5, 0, 19)),
            (2, 1) => ((5, 1, 20), (5, 1, 13)),
            (2, 2) => ((5, 2, 15), (5, 2, 10)),
            (2, 3) => ((5, 2, 15), (5, 3, 9)),
            (2, 4) => ((5, 3, 13), (5, 4, 9)),
            (2, 5) => ((5, 3, 20), (5, 5, 8)),
            (2, 6) => ((5, 3, 24), (5, 6, 9)),
            (2, _) => ((5, 3, 31), (5, 7, 11)),
            (3, 0) => ((6, 0, 14), (6, 0, 8)),
            (3, 1) => ((6, 0, 21), (6, 1, 9)),
            (3, 2) => ((6, 1, 15), (6, 2, 7)),
            (3, 3) => ((6, 1, 21), (6, 3, 10)),
            (3, 4) => ((6, 2, 11), (6, 4, 11)),
            (3, _) => ((6, 2, 19), (6, 5, 11)),
            (4, 0) => ((7, 0, 3), (7, 0, 2)),
            (4, 1) => ((7, 0, 9), (7, 1, 1)),
            _ => ((7, 1, 0), (7, 2, 0)),
        };
        Self {
            framework,
            security,
        }
    }

    /// `allowedOriginPatterns` exist, and `*` with credentials throws.
    pub(super) fn has_patterns(self) -> bool {
        self.framework >= (5, 3, 0)
    }

    /// `PathPattern` takes `**` at the start of a longer pattern.
    pub(super) fn takes_leading_stars(self) -> bool {
        self.framework >= (7, 0, 0)
    }

    /// A slash at an origin's end is cut off.
    pub(super) fn trims_slash(self) -> bool {
        self.framework >= (5, 3, 7)
    }

    /// Several origins in one text are taken apart.
    pub(super) fn splits_commas(self) -> bool {
        self.framework >= (6, 0, 0)
    }

    /// Annotations and registries allow credentials unless told otherwise.
    pub(super) fn credentials_by_default(self) -> bool {
        let four = self.framework < (4, 3, 28);
        four || (self.framework >= (5, 0, 0) && self.framework < (5, 0, 2))
    }

    /// `Vary` names the two request headers of preflights as well.
    pub(super) fn varies_by_three(self) -> bool {
        self.framework >= (5, 0, 4)
    }

    /// `Vary` is sent to cross-origin requests that are refused as well.
    pub(super) fn varies_refusals(self) -> bool {
        self.framework >= (5, 0, 2)
    }

    /// `Vary` is sent whether or not the request has an Origin.
    pub(super) fn varies_always(self) -> bool {
        self.framework >= (5, 2, 0)
    }

    /// Without a configuration nothing is done: no `Vary`, no refused preflight.
    pub(super) fn skips_without_configuration(self) -> bool {
        self.framework >= (7, 0, 0)
    }

    /// The headers of a `ResponseEntity` are added to those that are there
    /// (`ServletServerHttpResponse.writeHeaders`).
    pub(super) fn entity_headers_add(self) -> bool {
        self.framework < (7, 1, 0)
    }

    /// Spring MVC matches paths by `AntPathMatcher` (Spring Boot before 2.6).
    pub(super) fn matches_paths_as_ant(self) -> bool {
        self.framework < (5, 3, 24)
    }

    /// Preflights are checked before interceptors see them, not behind them
    /// (`AbstractHandlerMapping.getCorsHandlerExecutionChain`).
    pub(super) fn checks_preflights_first(self) -> bool {
        self.framework >= (6, 2, 0)
    }

    /// A path with a slash at its end is another path.
    pub(super) fn slash_matters(self) -> bool {
        self.framework >= (6, 0, 0)
    }

    /// `cors(withDefaults())` is there without being called if a bean of this kind exists.
    pub(super) fn enables_cors_itself(self) -> Automatic {
        let security = self.security;
        if security < (6, 2, 0) {
            Automatic::Never
        } else if security < (6, 2, 6) || ((6, 3, 0)..(6, 3, 2)).contains(&security) {
            Automatic::OneSource
        } else {
            Automatic::UrlBased
        }
    }

    /// Beans of the type `Customizer` are applied to every chain.
    pub(super) fn has_customizers(self) -> bool {
        self.security >= (7, 0, 0)
    }

    /// `cors(withDefaults())` without a source answers preflights only.
    pub(super) fn answers_preflights_only(self) -> bool {
        self.security >= (7, 1, 0) && self.framework >= (7, 1, 0)
    }

    /// A method as `HttpMethod.valueOf` reads it.
    pub(super) fn method(self, text: &str) -> String {
        const KNOWN: [&str; 9] = [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY",
        ];
        let upper = text.to_uppercase();
        if self.framework >= (7, 1, 0) && KNOWN.contains(&upper.as_str()) {
            upper
        } else {
            text.to_owned()
        }
    }
}

/// When Spring Security applies CORS unasked (`HttpSecurityConfiguration.applyCorsIfAvailable`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Automatic {
    Never,
    /// With exactly one `CorsConfigurationSource`.
    OneSource,
    /// With a bean declared as `UrlBasedCorsConfigurationSource`.
    UrlBased,
}
