//! From the files of a project to its applications.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::beans::{Known, Speaking};
use super::build::{self, Notes};
use super::deployment::{Deployment, Plan};
use super::host::{Node, Spring};
use super::site::{Loaded, SpringSite, differ};
use super::version::Versions;
use super::xml::Documents;
use crate::frameworks::boot::{Build, Environment, camel};
use crate::frameworks::{Project, Reading};
use crate::limits::spring::read::{DEPTH, MAX_TRIED_DEFAULTS, MAX_TRIED_WORLDS, STEPS};
use crate::model::{Site, World};
use crate::source::{SourceFile, Span};
use crate::syntax::jvm::ast::{Class, Name};
use crate::syntax::jvm::program::Program;
use crate::syntax::value::{Budget, Kind};
use crate::syntax::xml;

/// Words of which one stands in every file that can matter here.
const WORDS: [&str; 26] = [
    "org.springframework",
    "CrossOrigin",
    "CorsRegistry",
    "CorsConfiguration",
    "CorsFilter",
    "CorsWebFilter",
    "SecurityFilterChain",
    "SecurityWebFilterChain",
    "WebSecurityConfigurerAdapter",
    "HttpSecurity",
    "RestController",
    "@Controller",
    "RequestMapping",
    "GetMapping",
    "PostMapping",
    "SpringBootApplication",
    "OncePerRequestFilter",
    "javax.servlet",
    "jakarta.servlet",
    "StompEndpointRegistry",
    "WebSocketHandlerRegistry",
    "WebMvcConfigurer",
    "WebFluxConfigurer",
    "@ConfigurationProperties",
    "@Configuration",
    "@Component",
];

/// Why a file is not understood whose parse was given up.
const TOO_MUCH: &str = "takes too much work to parse";

/// Is this file a part of a Spring application?
pub(super) fn detect(path: &Path, text: &str) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("java" | "kt") => WORDS.iter().any(|word| text.contains(word)),
        Some("yml" | "yaml" | "properties") => is_settings(&name),
        Some("xml") => {
            text.contains("springframework.org/schema/")
                || (text.contains("<web-app") && text.contains("filter-class"))
        }
        _ => false,
    }
}

fn is_settings(name: &str) -> bool {
    name.starts_with("application") || name.starts_with("bootstrap")
}

/// Is it code of tests, or built?
fn is_test(path: &Path, root: &Path) -> bool {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below
        .components()
        .map(|part| part.as_os_str().to_string_lossy().to_lowercase())
        .collect();
    // Below a source folder they are names of packages.
    let sources = parts.windows(3).position(|parts| {
        parts[0] == "src" && parts[1] == "main" && matches!(parts[2].as_str(), "java" | "kotlin")
    });
    let folders = &parts[..sources.unwrap_or(parts.len())];
    folders.iter().any(|part| {
        matches!(
            part.as_str(),
            "test"
                | "tests"
                | "androidtest"
                | "testfixtures"
                | "integrationtest"
                | "target"
                | "build"
                | "generated"
        )
    })
}

/// Reads the applications of a project.
pub(super) fn read(project: &Project<'_>) -> Reading {
    let mut reading = Reading::default();
    let files: Vec<Arc<SourceFile>> = project
        .files
        .iter()
        .filter(|file| !is_test(file.path(), project.root))
        .cloned()
        .collect();
    let program = Arc::new(Program::new(project.root, &files));
    let classes = program.classes();
    let mut modules: BTreeMap<PathBuf, Vec<Arc<Class>>> = BTreeMap::new();
    let mut folders: BTreeMap<crate::source::FileId, PathBuf> = BTreeMap::new();
    for file in &files {
        folders.insert(file.id(), module_of(file.path(), project.root));
    }
    for class in &classes {
        let folder = folders
            .get(&class.span.file)
            .cloned()
            .unwrap_or_else(|| project.root.to_path_buf());
        modules.entry(folder).or_default().push(Arc::clone(class));
    }
    for folder in folders.values() {
        modules.entry(folder.clone()).or_default();
    }
    for application in applications(&modules, project) {
        let settings: Vec<Arc<SourceFile>> = files
            .iter()
            .filter(|file| {
                let module = folders.get(&file.id());
                module.is_some_and(|module| application.folders.contains(module))
            })
            .cloned()
            .collect();
        if let Some(site) = site(&program, application, &settings, project, &mut reading) {
            reading.sites.push(Box::new(site) as Box<dyn Site>);
        }
    }
    let given_up = program.given_up().into_iter();
    reading
        .skipped
        .extend(given_up.map(|path| (path, TOO_MUCH.to_owned())));
    reading.files = program
        .units()
        .iter()
        .map(|unit| Arc::clone(&unit.file))
        .collect();
    let others = files.iter().filter(|file| {
        let path = file.path();
        path.extension()
            .is_some_and(|ending| ending != "java" && ending != "kt")
    });
    reading.files.extend(others.cloned());
    reading
}

const BUILD_FILES: [&str; 3] = ["pom.xml", "build.gradle", "build.gradle.kts"];

/// The nearest folder with a build file.
fn module_of(path: &Path, root: &Path) -> PathBuf {
    let folders = path
        .ancestors()
        .skip(1)
        .take_while(|folder| folder.starts_with(root));
    let mut folders =
        folders.filter(|folder| BUILD_FILES.iter().any(|name| folder.join(name).is_file()));
    folders.next().unwrap_or(root).to_path_buf()
}

/// Modules that run as one.
struct ModuleGroup {
    folder: PathBuf,
    folders: Vec<PathBuf>,
    classes: Vec<Arc<Class>>,
}

/// A module with a main class is an application, with the libraries among its neighbours that its
/// build file names; without any main class all modules are one.
fn applications(
    modules: &BTreeMap<PathBuf, Vec<Arc<Class>>>,
    project: &Project<'_>,
) -> Vec<ModuleGroup> {
    let is_main = |class: &Arc<Class>| class.annotation("SpringBootApplication").is_some();
    let mains: Vec<&PathBuf> = modules
        .iter()
        .filter(|(_, classes)| classes.iter().any(is_main))
        .map(|(folder, _)| folder)
        .collect();
    if mains.is_empty() {
        return vec![ModuleGroup {
            folder: project.root.to_path_buf(),
            folders: modules.keys().cloned().collect(),
            classes: modules.values().flatten().cloned().collect(),
        }];
    }
    let mut groups = Vec::new();
    for folder in &mains {
        let mut group = ModuleGroup {
            folder: (*folder).clone(),
            folders: vec![(*folder).clone()],
            classes: modules[*folder].clone(),
        };
        for (other, classes) in modules {
            if !mains.contains(&other) && uses(folder, other, project) {
                group.folders.push(other.clone());
                group.classes.extend(classes.iter().cloned());
            }
        }
        groups.push(group);
    }
    groups
}

/// Does a module's build file name another one?
fn uses(folder: &Path, other: &Path, project: &Project<'_>) -> bool {
    if other == project.root {
        return true;
    }
    let folder_name = other.file_name().map(|name| name.to_string_lossy());
    let mut called: Vec<String> = folder_name.into_iter().map(Into::into).collect();
    // Maven names artifacts, which may be called otherwise than their folders.
    let own = project.sources.load(&other.join("pom.xml")).ok();
    let own = own.and_then(|file| xml::parse(&file).ok());
    called.extend(own.map(|element| element.text_of("artifactId").to_owned()));
    BUILD_FILES.iter().any(|build| {
        crate::source::read_text(&folder.join(build))
            .is_ok_and(|text| called.iter().any(|module| names(&text, module)))
    })
}

/// Does a build file name a module: `<artifactId>security</artifactId>`, `project(":security")`,
/// `projects.security`? `spring-boot-starter-security` is another name.
fn names(text: &str, module: &str) -> bool {
    let belongs = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let occurs = |name: &str, fits: &dyn Fn(&str) -> bool| {
        !name.is_empty()
            && text.match_indices(name).any(|(at, found)| {
                let (before, after) = (&text[..at], &text[at + found.len()..]);
                !before.ends_with(belongs) && !after.starts_with(belongs) && fits(before)
            })
    };
    // Gradle's accessors are chains: `projects.libs.publicApi`.
    let chain = |before: &str| {
        let from = before.trim_end_matches(|c: char| belongs(c) || c == '.');
        before[from.len()..].starts_with("projects.")
    };
    occurs(module, &|before| !before.ends_with('.')) || occurs(&camel(module), &chain)
}

fn site(
    program: &Arc<Program>,
    group: ModuleGroup,
    settings: &[Arc<SourceFile>],
    project: &Project<'_>,
    reading: &mut Reading,
) -> Option<SpringSite> {
    let environment = Environment::read(settings, project.environment);
    for (path, text) in environment.problems() {
        reading.skipped.push((path.clone(), text.clone()));
    }
    let documents = Documents::read(settings);
    reading.skipped.extend(documents.problems.iter().cloned());
    let build = Build::read(&group.folder, project.root, project.sources);
    let place = place(&group, settings)?;
    let versions = versions(&build, program);
    let mut plan = Plan::new(&group.classes, &environment);
    let stereotyped = group
        .classes
        .iter()
        .filter(|class| super::beans::is_component(program, class))
        .map(|class| class.span);
    let inputs = Inputs {
        program,
        group: &group,
        stereotyped: stereotyped.collect(),
        speaking: Arc::default(),
        environment: &environment,
        build: &build,
        documents: &documents,
        versions,
        reactive: is_reactive(program, &build),
        place,
        project,
        in_view: !given_up(program, &group, project),
    };
    let mut loaded = inputs.worlds(&plan);
    let open = inputs.open_defaults(&plan, &loaded);
    if !open.is_empty() {
        for (name, span) in open {
            plan.add_placeholder(&name, span);
        }
        loaded = inputs.worlds(&plan);
    }
    let units = program.units();
    let mut read: Vec<Arc<SourceFile>> = units.iter().map(|unit| Arc::clone(&unit.file)).collect();
    read.extend(settings.iter().cloned());
    Some(SpringSite::new(loaded, plan.conditions.as_slice(), read))
}

/// Is there a file of these modules whose parse was given up?
fn given_up(program: &Program, group: &ModuleGroup, project: &Project<'_>) -> bool {
    let paths = program.given_up();
    paths
        .iter()
        .any(|path| group.folders.contains(&module_of(path, project.root)))
}

fn place(group: &ModuleGroup, settings: &[Arc<SourceFile>]) -> Option<Span> {
    let main = group
        .classes
        .iter()
        .find(|class| class.annotation("SpringBootApplication").is_some());
    let class = main.or_else(|| group.classes.first());
    let file = || settings.first().map(|file| Span::new(file.id(), 0, 0));
    class.map(|class| class.name_span).or_else(file)
}

/// What does not change between worlds.
struct Inputs<'a> {
    program: &'a Arc<Program>,
    group: &'a ModuleGroup,
    /// The places of the classes that may be components.
    stereotyped: HashSet<Span>,
    speaking: Arc<Speaking>,
    environment: &'a Environment,
    build: &'a Build,
    documents: &'a Documents,
    versions: Versions,
    reactive: bool,
    place: Span,
    project: &'a Project<'a>,
    /// Every file of it was understood.
    in_view: bool,
}

impl Inputs<'_> {
    fn worlds(&self, plan: &Plan) -> Vec<Arc<Loaded>> {
        let worlds = plan.conditions.worlds();
        let load = |world: &World| Arc::new(load(self, plan, world, &plan.set(world)));
        worlds.iter().map(load).collect()
    }

    /// The placeholders with a default in whose place another value would change an answer.
    fn open_defaults(&self, plan: &Plan, loaded: &[Arc<Loaded>]) -> Vec<(Name, Span)> {
        let mut tried: HashSet<Name> = HashSet::new();
        let mut found = Vec::new();
        let worlds = plan.conditions.worlds();
        for (world, base) in worlds.iter().zip(loaded).take(MAX_TRIED_WORLDS) {
            let mut asked = base.settings.asked();
            asked.retain(|(name, _)| tried.insert(Arc::clone(name)));
            asked.truncate(MAX_TRIED_DEFAULTS);
            let names: Vec<&str> = asked.iter().map(|(name, _)| &**name).collect();
            let matters = |set: &[&str]| differ(base, &load(self, plan, world, set));
            if names.is_empty() || !matters(&names) {
                continue;
            }
            for (name, span) in &asked {
                if matters(&[&**name]) {
                    found.push((Arc::clone(name), *span));
                }
            }
        }
        found
    }
}

/// `set`: placeholders that are set from outside, to what nobody knows.
fn load(inputs: &Inputs<'_>, plan: &Plan, world: &World, set: &[&str]) -> Loaded {
    let mut active: Vec<String> = plan.active(world).into_iter().map(str::to_owned).collect();
    if active.is_empty() {
        let base = inputs.environment.settings(&[]);
        if let Some(value) = base.get("spring.profiles.active")
            && let Kind::String(text) = value.kind
        {
            active.extend(text.split(',').map(|name| name.trim().to_owned()));
        }
    }
    let names: Vec<&str> = active.iter().map(String::as_str).collect();
    let settings = Arc::new(inputs.environment.settings_with(&names, set));
    let deployment = Deployment {
        plan,
        world,
        active: active.clone(),
        settings: &settings,
    };
    let known = Arc::new(Known::new(
        inputs.program,
        inputs.group.classes.clone(),
        &inputs.stereotyped,
        inputs.reactive,
        Arc::clone(&inputs.speaking),
        &deployment,
    ));
    let host = Spring::new(
        inputs.versions,
        Arc::clone(&settings),
        Arc::clone(&known),
        inputs.place,
    );
    let budget = Budget::new(STEPS, DEPTH);
    let mut machine = Node::new(
        host,
        Arc::clone(inputs.program),
        Some(inputs.project.sources),
        budget,
    );
    let mut notes = Notes::default();
    let mut app = build::application(
        &mut machine,
        &known,
        inputs.build,
        inputs.documents,
        inputs.place,
        &mut notes,
    );
    if !inputs.in_view {
        build::hide(&mut app, &mut notes);
    }
    let (image, host) = machine.freeze();
    Loaded {
        image,
        data: Arc::clone(&host.data),
        settings,
        components: host.components.clone(),
        known,
        app: Arc::new(app),
        notes,
    }
}

/// WebFlux, by the build file or by what is imported.
fn is_reactive(program: &Program, build: &Build) -> bool {
    let starters = &build.starters;
    if starters.mvc {
        return false;
    }
    if starters.webflux || starters.gateway {
        return true;
    }
    let units = program.units();
    let imports = |word: &str| {
        units
            .iter()
            .any(|unit| unit.imports.iter().any(|import| import.path.contains(word)))
    };
    let reactive = imports("web.reactive")
        || imports("cors.reactive")
        || imports("config.web.server")
        || imports("web.server.");
    reactive
        && !imports("web.servlet")
        && !imports("servlet.http")
        && !imports("web.builders.HttpSecurity")
}

/// What the build says; of what it does not say, what the code shows.
fn versions(build: &Build, program: &Program) -> Versions {
    let release = |version: crate::frameworks::boot::Version| (version.0, version.1, version.2);
    let mut versions = match build.boot {
        Some(boot) => Versions::of_boot(release(boot)),
        None if imports_javax(program) => Versions::of_boot((2, 7, 18)),
        None => Versions::CURRENT,
    };
    if let Some(framework) = build.framework {
        versions.framework = release(framework);
    }
    if let Some(security) = build.security {
        versions.security = release(security);
    }
    versions
}

fn imports_javax(program: &Program) -> bool {
    program.units().iter().any(|unit| {
        unit.imports
            .iter()
            .any(|import| import.path.starts_with("javax.servlet"))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{is_test, names};

    #[test]
    fn packages_may_be_called_test() {
        for (path, expected) in [
            ("src/main/java/com/test/demo/Web.java", false),
            ("src/main/kotlin/test/Web.kt", false),
            ("src/test/java/com/shop/Web.java", true),
            ("build/generated/src/main/java/Web.java", true),
            ("app/build/Web.java", true),
        ] {
            let root = Path::new("/project");
            assert_eq!(is_test(&root.join(path), root), expected, "{path}");
        }
    }

    #[test]
    fn build_files_name_modules_whole() {
        for (text, module, expected) in [
            ("<artifactId>security</artifactId>", "security", true),
            (
                "<groupId>org.springframework.security</groupId>",
                "security",
                false,
            ),
            (
                "<artifactId>spring-boot-starter-security</artifactId>",
                "security",
                false,
            ),
            (
                "implementation(project(\":libs:security\"))",
                "security",
                true,
            ),
            (
                "implementation 'com.example:security:1.0'",
                "security",
                true,
            ),
            (
                "implementation(projects.libs.publicApi)",
                "public-api",
                true,
            ),
            ("implementation(libs.publicApi)", "public-api", false),
            ("<artifactId>web</artifactId>", "", false),
        ] {
            assert_eq!(names(text, module), expected, "{text} {module}");
        }
    }
}
