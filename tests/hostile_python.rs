//! Python that nobody wrote by hand, or that nobody meant: bounded, counted, never a panic.

use crate::support::{report, rules};

const OPEN: &str = "from flask import Flask, jsonify\nfrom flask_cors import CORS\n\napp = Flask(__name__)\n\
    CORS(app, supports_credentials=True)\n\n\n@app.route('/items')\ndef items():\n    return jsonify([])\n\n\n";
const FOUND: [&str; 1] = ["any-origin-with-credentials"];

#[test]
fn what_stands_around_a_syntax_error_is_read() {
    let report = report(&[("app.py", format!("{OPEN}def = ) ]:\n    x ==== 1\n"))]);
    assert_eq!(rules(&report), FOUND);
}

#[test]
fn python_2_is_read_as_far_as_it_is_python_3() {
    let old = "print 'started', app\nexec 'x = 1'\ntry:\n    x = 0777L\nexcept Exception, error:\n    raise E, 'no'\n\
        y = `x` <> ur'text'\n";
    assert_eq!(rules(&report(&[("app.py", format!("{OPEN}{old}"))])), FOUND);
}

#[test]
fn jinja_inside_python_is_passed_over() {
    let template = "{% if cookiecutter.use_cors == 'y' %}\nX = '{{ cookiecutter.name }}'\n{%- endif %}\n\
        ORIGINS = [{% for o in origins %}'{{ o }}',{% endfor %}]\n";
    assert_eq!(
        rules(&report(&[("app.py", format!("{OPEN}{template}"))])),
        FOUND
    );
}

#[test]
fn notebooks_are_not_read() {
    let notebook = format!(
        "{{\"cells\": [{{\"cell_type\": \"code\", \"source\": [{:?}]}}]}}",
        OPEN
    );
    let report = report(&[("app.ipynb", notebook)]);
    assert_eq!(rules(&report), [""; 0]);
    assert!(report.skipped.is_empty());
}

#[test]
fn nesting_without_end_is_bounded() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{'a':", "}"),
        ("lambda: ", ""),
        ("not ", ""),
        ("-", ""),
        ("f(", ")"),
        ("1 if x else ", ""),
    ] {
        let deep = format!("deep = {}0{}\n", open.repeat(20_000), close.repeat(20_000));
        report(&[("app.py", format!("{OPEN}{deep}"))]);
    }
    let blocks: String = (0..300)
        .map(|depth| format!("{}if x:\n", " ".repeat(depth)))
        .collect();
    let blocks = format!("{OPEN}{blocks}{}pass\n", " ".repeat(300));
    assert_eq!(rules(&report(&[("app.py", blocks)])), FOUND);
}

#[test]
fn imports_in_a_circle_end() {
    let app = "from flask import Flask, jsonify\nfrom flask_cors import CORS\nfrom two import options\n\n\
        app = Flask(__name__)\nCORS(app, **options)\n\n\n@app.route('/items')\ndef items():\n    return jsonify([])\n";
    let report = report(&[
        ("app.py", app),
        (
            "one.py",
            "from two import *\nimport one\ncors_more = options\n",
        ),
        (
            "two.py",
            "from one import *\nfrom app import app\noptions = {'origins': ['https://app.example.com']}\n",
        ),
    ]);
    assert_eq!(rules(&report), [""; 0]);
}

#[test]
fn urls_that_include_each_other_end() {
    let settings = "INSTALLED_APPS = ['corsheaders']\nROOT_URLCONF = 'urls'\n\
        MIDDLEWARE = ['corsheaders.middleware.CorsMiddleware']\nCORS_ALLOW_ALL_ORIGINS = True\nCORS_ALLOW_CREDENTIALS = True\n";
    let urls = "from django.urls import include, path\n\nurlpatterns = [path('a/', include('urls')), path('b/', include('urls'))]\n";
    let report = report(&[
        ("manage.py", "# the project starts here\n"),
        ("settings.py", settings),
        ("urls.py", urls),
    ]);
    assert_eq!(rules(&report), FOUND);
}

#[test]
fn a_huge_list_of_origins_is_read() {
    let origins: Vec<String> = (0..20_000)
        .map(|number| format!("'https://a{number}.example.com'"))
        .collect();
    let app = format!(
        "from flask import Flask, jsonify\nfrom flask_cors import CORS\n\napp = Flask(__name__)\nCORS(app, origins=[{}])\n\n\n\
         @app.route('/items')\ndef items():\n    return jsonify([])\n",
        origins.join(",\n")
    );
    assert_eq!(rules(&report(&[("app.py", app)])), [""; 0]);
}

#[test]
fn values_that_double_are_bounded() {
    let grows = "x = ['https://app.example.com']\nwhile True:\n    x = x + x\n    x += x\n\n\
        def again(n):\n    return again(n) + again(n)\n\n\nagain(1)\n";
    assert_eq!(
        rules(&report(&[("app.py", format!("{OPEN}{grows}"))])),
        FOUND
    );
}
