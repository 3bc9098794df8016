use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Program;
use crate::source::{SourceFile, Sources};
use crate::syntax::value::{Conditions, Kind, Value};

/// A value on one line: `…` where there may be more, `?` where it cannot be told, and
/// `yes if condition else no`.
fn shown(value: &Value, conditions: &Conditions) -> String {
    let more = |mut parts: Vec<String>, open: bool| {
        parts.extend(open.then(|| "…".to_owned()));
        parts.join(", ")
    };
    match &value.kind {
        Kind::String(text) => format!("'{text}'"),
        Kind::Bool(true) => "True".into(),
        Kind::Bool(false) => "False".into(),
        Kind::Number(number) => format!("{number}"),
        Kind::Null => "None".into(),
        Kind::Undefined => "missing".into(),
        Kind::List(list) => {
            let items = list.items.iter().map(|item| shown(item, conditions));
            format!("[{}]", more(items.collect(), list.open))
        }
        Kind::Map(map) => {
            let entries = map.entries.iter();
            let entries = entries
                .map(|entry| format!("'{}': {}", entry.key, shown(&entry.value, conditions)));
            format!("{{{}}}", more(entries.collect(), map.open))
        }
        Kind::Regex(regex) => format!("/{}/{}", regex.pattern, regex.flags),
        Kind::Function(_) => "function".into(),
        Kind::Object(name) => format!("<{name}>"),
        Kind::OneOf(one_of) => format!(
            "({} if {} else {})",
            shown(&one_of.yes, conditions),
            conditions.as_slice()[one_of.condition].text,
            shown(&one_of.no, conditions),
        ),
        Kind::Unknown(_) => "?".into(),
    }
}

/// What `X` is in the first of several modules.
fn x_of(files: &[(&str, &str)]) -> String {
    let sources = Sources::new();
    let root = PathBuf::from("project");
    let files: Vec<Arc<SourceFile>> = files
        .iter()
        .map(|(path, text)| sources.add(root.join(path), (*text).to_owned()))
        .collect();
    let mut program = Program::new(vec![root], &files, &sources);
    let path: &Path = files[0].path();
    let Some(module) = program.load(path) else {
        return "not loaded".into();
    };
    let names = program.modules()[module].names;
    let value = program.get_name(names, "X", files[0].span());
    let mut conditions = Conditions::default();
    let value = program.export(&value, &mut conditions);
    shown(&value, &conditions)
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let found = x_of(&[("main.py", text)]);
        if found != *expected {
            wrong.push_str(&format!("{text}\n  gives {found}\n  not   {expected}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn literals() {
    check(&[
        ("X = 'a' \"b\"", "'ab'"),
        ("X = r'\\.'", "'\\.'"),
        ("X = '''a\nb'''", "'a\nb'"),
        ("X = b'a'", "'a'"),
        ("X = '\\x41\\u0042'", "'AB'"),
        ("X = [1, 2.5, True, None]", "[1, 2.5, True, None]"),
        ("X = 0x10 + 1_000", "1016"),
        ("X = -1", "-1"),
        ("X = ('a')", "'a'"),
        ("X = ('a',)", "['a']"),
        ("X = 'a', 'b'", "['a', 'b']"),
        ("X = {'a', 'b'}", "['a', 'b']"),
        ("X = {'a': 1, 'b': [2]}", "{'a': 1, 'b': [2]}"),
        ("X = {'a': 1, 'a': 2}", "{'a': 2}"),
        ("X: list[str] = ['a']", "['a']"),
        ("X = Y = ['a']", "['a']"),
        ("X = [  # why\n  'a',  # one\n]", "['a']"),
    ]);
}

#[test]
fn operators() {
    check(&[
        ("X = 'a' + 'b'", "'ab'"),
        ("X = ['a'] + ['b']", "['a', 'b']"),
        ("X = ('a',)\nX += ('b',)", "['a', 'b']"),
        ("X = ['a']\nX += ['b']", "['a', 'b']"),
        ("X = 'a'\nX += 'b'", "'ab'"),
        ("X = {'a': 1} | {'b': 2}", "{'a': 1, 'b': 2}"),
        ("X = 60 * 60", "3600"),
        ("X = 3 - 1", "2"),
        ("X = ['a'] + unknown()", "['a', …]"),
        ("X = 'a' == 'a' and not False", "True"),
        ("X = 'a' in ['a', 'b']", "True"),
        ("X = 'a' not in ('b',)", "True"),
        ("X = 1 < 2", "True"),
        ("X = '' or 'a'", "'a'"),
        ("X = 'a' and 'b'", "'b'"),
        ("X = 'a' if 1 > 2 else 'b'", "'b'"),
        ("X = ['a', 'b', 'c'][1:]", "['b', 'c']"),
        ("X = ['a', 'b'][-1]", "'b'"),
        ("X = {'a': ['b']}['a'][0]", "'b'"),
        ("X = (Y := 'a') + Y", "'aa'"),
        ("X = 'a' % 1", "?"),
    ]);
}

#[test]
fn lists_that_change() {
    check(&[
        ("X = []\nX.append('a')", "['a']"),
        ("X = []\nX.extend(['a', 'b'])", "['a', 'b']"),
        ("X = ['b']\nX.insert(0, 'a')", "['a', 'b']"),
        ("X = ['a', 'b']\nX.remove('a')", "['b']"),
        ("X = ['a']\nY = X\nY.append('b')", "['a', 'b']"),
        ("X = ['a']\nY = list(X)\nY.append('b')", "['a']"),
        ("X = ['a', 'b']\nX[0] = 'c'", "['c', 'b']"),
        ("X = {}\nX['a'] = 1\nX.update(b=2)", "{'a': 1, 'b': 2}"),
        ("X = {'a': 1, 'b': 2}\ndel X['a']", "{'b': 2}"),
        ("X = set()\nX.add('a')", "['a']"),
        (
            "X = []\nfor i in ('a', 'b'):\n    X.append(i)",
            "['a', 'b']",
        ),
        (
            "X = []\nfor i in ('a', 'b'):\n    if i == 'b':\n        break\n    X.append(i)",
            "['a']",
        ),
        (
            "X = []\nfor i in ('a', 'b'):\n    if i == 'a':\n        continue\n    X.append(i)",
            "['b']",
        ),
    ]);
}

#[test]
fn stars_texts_and_comprehensions() {
    check(&[
        ("A = ['a']\nX = [*A, 'b']", "['a', 'b']"),
        ("X = [*unknown(), 'b']", "['b', …]"),
        ("A = {'a': 1}\nX = {**A, 'b': 2}", "{'a': 1, 'b': 2}"),
        ("X, *Y = ['a', 'b']", "?"),
        ("Y, X = ['a', 'b']", "'b'"),
        (
            "A = 'x'\nX = f'https://{A}.example:{8000}'",
            "'https://x.example:8000'",
        ),
        ("X = f'{{a}}'", "'{a}'"),
        ("X = f'a{unknown()}'", "?"),
        (
            "X = 'https://{}.example'.format('a')",
            "'https://a.example'",
        ),
        (
            "X = [f'https://{a}' for a in ('a', 'b')]",
            "['https://a', 'https://b']",
        ),
        ("X = [a for a in ['a', '', 'b'] if a]", "['a', 'b']"),
        (
            "X = [a + b for a in 'ab' for b in 'cd']",
            "['ac', 'ad', 'bc', 'bd']",
        ),
        ("X = {a.strip() for a in 'a, b'.split(',')}", "['a', 'b']"),
        ("X = {a: 1 for a in ('a', 'b')}", "{'a': 1, 'b': 1}"),
        ("X = list(a for a in ['a'])", "['a']"),
        ("X = [a for a in unknown()]", "[…]"),
        ("X = list(map(str.strip, [' a ']))", "['a']"),
        ("X = list(filter(None, ['a', '']))", "['a']"),
    ]);
}

#[test]
fn methods_and_builtins() {
    check(&[
        ("X = 'a,b'.split(',')", "['a', 'b']"),
        ("X = 'a b'.split()", "['a', 'b']"),
        ("X = ' a '.strip()", "'a'"),
        ("X = 'https://a/'.rstrip('/')", "'https://a'"),
        ("X = ','.join(['a', 'b'])", "'a,b'"),
        ("X = 'A'.lower() + 'b'.upper()", "'aB'"),
        ("X = 'abc'.replace('b', '-')", "'a-c'"),
        ("X = 'abc'.startswith('a')", "True"),
        ("X = 'abc'.removesuffix('c')", "'ab'"),
        ("X = bool('False')", "True"),
        ("X = int('5')", "5"),
        ("X = str(5)", "'5'"),
        ("X = len(['a'])", "1"),
        ("X = tuple(['a'])", "['a']"),
        ("X = dict(a=1)", "{'a': 1}"),
        ("X = {'a': 1}.get('b', 2)", "2"),
        ("X = list({'a': 1}.keys())", "['a']"),
        ("X = any([False, True])", "True"),
        ("import json\nX = json.loads('[\"a\"]')", "['a']"),
        ("import copy\nX = copy.deepcopy(['a'])", "['a']"),
    ]);
}

#[test]
fn patterns() {
    check(&[
        ("import re\nX = re.compile(r'^a$')", "/^a$/"),
        ("import re\nX = re.compile('a', re.I | re.M)", "/a/im"),
        (
            "import re\nX = re.compile('a', flags=re.IGNORECASE)",
            "/a/i",
        ),
        ("from re import compile as c\nX = c('a')", "/a/"),
        ("import re\nX = re.escape('a.b')", "'a\\.b'"),
        ("import re\nX = bool(re.match('a', 'ab'))", "True"),
        ("import re\nX = bool(re.fullmatch('a', 'ab'))", "False"),
        ("import re\nX = bool(re.search('b', 'ab'))", "True"),
    ]);
}

#[test]
fn the_environment() {
    check(&[
        ("import os\nX = os.environ['A']", "?"),
        (
            "import os\nX = os.environ.get('A', 'b')",
            "(? if `A` is set else 'b')",
        ),
        (
            "import os\nX = os.getenv('A')",
            "(? if `A` is set else None)",
        ),
        (
            "import os\nX = os.getenv('A', 'a,b').split(',')",
            "([…] if `A` is set else ['a', 'b'])",
        ),
        (
            "from os import environ\nX = environ.get('A') or 'b'",
            "((? if `A` is not empty else 'b') if `A` is set else 'b')",
        ),
        (
            "import os\nX = [a.strip() for a in os.getenv('A', 'a, b').split(',') if a]",
            "([…] if `A` is set else ['a', 'b'])",
        ),
        (
            "import os\nX = os.getenv('A', 'http://localhost:3000')",
            "('http://localhost:3000' if `A` is not set else ?)",
        ),
        (
            "from decouple import config\nX = 'b' if config('PRODUCTION', cast=bool) else 'a'",
            "('a' if not `PRODUCTION` else 'b')",
        ),
        (
            "import environ\nenv = environ.Env(DEBUG=(bool, False))\nX = env.list('A', default=['b'])",
            "([…] if `A` is set else ['b'])",
        ),
        (
            "import environ\nenv = environ.Env(A=(list, ['b']))\nX = env('A')",
            "([…] if `A` is set else ['b'])",
        ),
        (
            "from environs import Env\nenv = Env()\nX = env.str('A', 'b')",
            "(? if `A` is set else 'b')",
        ),
        (
            "from decouple import config, Csv\nX = config('A', default='a,b', cast=Csv())",
            "([…] if `A` is set else ['a', 'b'])",
        ),
        (
            "from decouple import config\nX = config('A', default=False, cast=bool)",
            "((True if `A` is on else False) if `A` is set else False)",
        ),
        (
            "from starlette.config import Config\nc = Config('.env')\nX = c('A', default='b')",
            "(? if `A` is set else 'b')",
        ),
        (
            "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    a: list[str] = ['b']\nX = S().a",
            "([…] if `a` is set else ['b'])",
        ),
        (
            "from pydantic import BaseSettings, Field\nclass S(BaseSettings):\n    a: str = Field('b')\nX = S().a",
            "(? if `a` is set else 'b')",
        ),
    ]);
}

#[test]
fn branches_are_worlds() {
    check(&[
        (
            "import os\nDEBUG = os.getenv('DEBUG')\nif DEBUG:\n    X = 'a'\nelse:\n    X = 'b'",
            "(('a' if `DEBUG` is not empty else 'b') if `DEBUG` is set else 'b')",
        ),
        (
            "from x import DEBUG\nX = 'a' if DEBUG else 'b'",
            "('a' if DEBUG else 'b')",
        ),
        (
            "from x import DEBUG\nX = ['a']\nif DEBUG:\n    X.append('b')",
            "(['a', 'b'] if DEBUG else ['a'])",
        ),
        (
            "from x import DEBUG\nX = ['a']\nif not DEBUG:\n    X += ['b']",
            "(['a'] if DEBUG else ['a', 'b'])",
        ),
        (
            "from x import A, B\nX = 1\nif A:\n    if B:\n        X = 2\nelif B:\n    X = 3",
            "((2 if `B` else 1) if `A` else (3 if `B` else 1))",
        ),
        (
            "try:\n    from local import X\nexcept ImportError:\n    X = 'b'",
            "?",
        ),
        ("try:\n    X = 'a'\nfinally:\n    Y = 1", "'a'"),
        ("X = 'a'\nif True:\n    X = 'b'", "'b'"),
        (
            "from typing import TYPE_CHECKING\nX = 'a'\nif TYPE_CHECKING:\n    X = 'b'",
            "'a'",
        ),
        ("with open('x') as f:\n    X = 'a'", "'a'"),
    ]);
}

#[test]
fn functions_and_classes() {
    check(&[
        ("def f(a, b='c'):\n    return a + b\nX = f('a')", "'ac'"),
        (
            "def f(*a, **k):\n    return [*a, k]\nX = f('a', b=1)",
            "['a', {'b': 1}]",
        ),
        ("X = (lambda a: a + 'b')('a')", "'ab'"),
        (
            "def f(a):\n    if a:\n        return 'a'\n    return 'b'\nX = f('')",
            "'b'",
        ),
        ("def f():\n    return f()\nX = f()", "?"),
        ("X = 'a'\ndef f():\n    global X\n    X = 'b'\nf()", "'b'"),
        ("X = 'a'\ndef f():\n    X = 'b'\nf()", "'a'"),
        ("class C:\n    A = ['a']\nX = C.A", "['a']"),
        (
            "class B:\n    A = 'a'\nclass C(B):\n    pass\nX = C().A",
            "'a'",
        ),
        (
            "class C:\n    class Config:\n        A = 'a'\nX = C.Config.A",
            "'a'",
        ),
        (
            "class C:\n    def __init__(self, a):\n        self.a = a\nX = C('a').a",
            "'a'",
        ),
        (
            "class C:\n    @property\n    def a(self):\n        return 'a'\nX = C().a",
            "'a'",
        ),
        (
            "class C:\n    @classmethod\n    def a(cls):\n        return 'a'\nX = C.a()",
            "'a'",
        ),
        (
            "class C:\n    @staticmethod\n    def a(b):\n        return b\nX = C.a('a')",
            "'a'",
        ),
        ("async def f():\n    X = await g()\nX = 'a'", "'a'"),
        ("match 1:\n    case 1:\n        Y = 2\nX = 'a'", "'a'"),
    ]);
}

#[test]
fn imports_go_through_the_project() {
    for (files, expected) in [
        (
            &[
                ("main.py", "from base import *\nX += ['b']"),
                ("base.py", "X = ['a']"),
            ][..],
            "['a', 'b']",
        ),
        (
            &[
                (
                    "settings/production.py",
                    "from .base import *\nX = X + ['b']",
                ),
                ("settings/base.py", "X = ['a']"),
            ],
            "['a', 'b']",
        ),
        (
            &[
                ("main.py", "from conf import base\nX = base.Y"),
                ("conf/__init__.py", ""),
                ("conf/base.py", "Y = 'a'"),
            ],
            "'a'",
        ),
        (
            &[
                ("main.py", "import conf.base\nX = conf.base.Y"),
                ("conf/__init__.py", ""),
                ("conf/base.py", "Y = 'a'"),
            ],
            "'a'",
        ),
        (
            &[
                ("a/b/main.py", "from ..conf import Y as X"),
                ("a/conf.py", "Y = 'a'"),
            ],
            "'a'",
        ),
        (
            &[
                ("main.py", "from base import *\nX = _Y"),
                ("base.py", "_Y = 'a'"),
            ],
            "?",
        ),
        (
            &[
                ("main.py", "from base import *"),
                ("base.py", "__all__ = ['Y']\nX = 'a'"),
            ],
            "missing",
        ),
        (&[("main.py", "from nowhere import *")], "?"),
        (
            &[
                ("a/main.py", "import flask\nX = flask.Y"),
                ("a/flask/__init__.py", "Y = 'a'"),
            ],
            "?",
        ),
        (
            &[
                ("main.py", "from other import Y\nX = 'a'"),
                ("other.py", "from main import X\nY = X"),
            ],
            "'a'",
        ),
        (&[("main.py", "from main import X")], "?"),
    ] {
        assert_eq!(x_of(files), expected, "{files:?}");
    }
}

/// What is refused, spent or not Python is unknown, soon, and nothing panics.
#[test]
fn bad_input_is_bounded() {
    let deep = format!("X = {}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let sum = format!("X = 1{}", " + 1".repeat(100_000));
    let calls = format!("X = f{}", "()".repeat(50_000));
    let list = format!("X = [{}]", "'https://a.example', ".repeat(100_000));
    let text = format!("X = '{}'", "a".repeat(1_000_000));
    let doubled = format!("X = ['a']\n{}", "X = X + X\n".repeat(64));
    let doubled_text = format!("X = 'a'\n{}", "X = X + X\n".repeat(64));
    let mut forms = "X = ''\nfrom a import *\n".to_owned();
    for at in 0..64 {
        forms.push_str(&format!("X = X + ('{at}' if c{at} else '')\n"));
    }
    let mut objects = "X = []\nfrom a import *\nX = []\n".to_owned();
    for at in 0..64 {
        objects.push_str(&format!("if c{at}:\n    X.append('{at}')\n"));
    }
    let nested = (0..400).fold(String::new(), |text, at| {
        format!("{text}{}if c{at}:\n", " ".repeat(at))
    });
    let forever = "X = 0\nwhile True:\n    X += 1";
    let loops = "X = [a for a in range(9) for b in 'a' * 9 for c in [1] * 10 ** 9]";
    let garbage: String = (0..20_000_u32)
        .map(|at| char::from(b' ' + u8::try_from(at * 7919 % 95).unwrap_or(0)))
        .collect();
    for text in [
        &deep,
        &sum,
        &calls,
        &list,
        &text,
        &doubled,
        &doubled_text,
        &forms,
        &objects,
        &nested,
        forever,
        loops,
        &garbage,
        "",
        "\u{feff}X = 1",
        "X = [",
        "def",
        "class\nX = 'a'",
        "\0",
    ] {
        let start = Instant::now();
        x_of(&[("main.py", text)]);
        let start_of_text: String = text.chars().take(40).collect();
        assert!(start.elapsed() < Duration::from_secs(20), "{start_of_text}");
    }
}

#[test]
fn python_2_and_templates_are_read_as_far_as_they_go() {
    check(&[
        ("print 'hello'\nX = ['a']", "['a']"),
        ("X = ['a']\nexec 'b = 1'", "['a']"),
        ("X = u'a'", "'a'"),
        (
            "try:\n    pass\nexcept IOError, e:\n    pass\nX = 'a'",
            "'a'",
        ),
        (
            "X = 'a'\n{% if cookiecutter.cors == 'y' %}\nY = 'b'\n{% endif %}\n",
            "'a'",
        ),
        ("Y = {{ cookiecutter.name }}\nX = 'a'", "'a'"),
        (
            "X = '{{ cookiecutter.domain }}'",
            "'{{ cookiecutter.domain }}'",
        ),
    ]);
}
