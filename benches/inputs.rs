//! Texts as programs of some size have them, the same every time.

use std::fmt::Write as _;

/// A text with a number of handlers.
type Text = fn(usize) -> String;

/// A file of each language with `count` handlers, each with a policy of its own: name and text.
pub(crate) const LANGUAGES: [(&str, Text); 8] = [
    ("app.js", javascript),
    ("app.ts", typescript),
    ("main.py", python),
    ("Api.java", java),
    ("Api.kt", kotlin),
    ("application.yml", yaml),
    ("application.properties", properties),
    ("beans.xml", xml),
];

/// Express with cors: a policy for every other route, and functions that have to do with neither.
pub(crate) fn javascript(count: usize) -> String {
    let mut text = String::from(
        "const express = require('express');\nconst cors = require('cors');\nconst app = express();\n\
         const origins = ['https://app.example.com', /^https:\\/\\/[a-z]+\\.example\\.com$/];\n",
    );
    for index in 0..count {
        let _ = write!(
            text,
            "function total{index}(items) {{\n  let sum = 0;\n  for (const item of items) {{\n    \
             if (item.price > {index}) {{ sum += item.price * (item.count ?? 1); }}\n  }}\n  return sum;\n}}\n\
             app.put('/items{index}', cors({{ origin: origins, credentials: {} }}), (req, res) => {{\n  \
             res.json({{ total: total{index}(req.body.items) }});\n}});\n",
            index % 2 == 0
        );
    }
    text + "app.listen(3000);\n"
}

pub(crate) fn typescript(count: usize) -> String {
    let text = javascript(count);
    let text = text.replace("(items) {", "(items: Item[]): number {");
    String::from("interface Item { price: number; count?: number }\n") + &text
}

/// FastAPI with one middleware, and a router per handler.
pub(crate) fn python(count: usize) -> String {
    let mut text = String::from(
        "from fastapi import FastAPI\nfrom fastapi.middleware.cors import CORSMiddleware\n\napp = FastAPI()\n\
         app.add_middleware(\n    CORSMiddleware,\n    allow_origins=[\"https://app.example.com\"],\n    \
         allow_credentials=True,\n    allow_methods=[\"GET\", \"PUT\"],\n)\n",
    );
    for index in 0..count {
        let _ = write!(
            text,
            "\n\ndef total_{index}(items):\n    total = 0\n    for item in items:\n        \
             if item[\"price\"] > {index}:\n            total += item[\"price\"] * item.get(\"count\", 1)\n    \
             return total\n\n\n@app.put(\"/items{index}\")\nasync def put_{index}(items: list):\n    \
             return {{\"total\": total_{index}(items)}}\n"
        );
    }
    text
}

/// A controller whose methods carry `@CrossOrigin`.
pub(crate) fn java(count: usize) -> String {
    let mut text = String::from(
        "package com.example;\n\nimport java.util.List;\nimport org.springframework.web.bind.annotation.*;\n\n\
         @RestController\n@RequestMapping(\"/api\")\npublic class Api {\n",
    );
    for index in 0..count {
        let _ = write!(
            text,
            "    private int total{index}(List<Item> items) {{\n        int total = 0;\n        \
             for (Item item : items) {{\n            if (item.price() > {index}) {{ total += item.price() * item.count(); }}\n        \
             }}\n        return total;\n    }}\n\n    @CrossOrigin(origins = \"https://app{index}.example.com\", allowCredentials = \"true\")\n    \
             @PutMapping(\"/items{index}\")\n    public int put{index}(@RequestBody List<Item> items) {{ return total{index}(items); }}\n\n"
        );
    }
    text + "}\n"
}

pub(crate) fn kotlin(count: usize) -> String {
    let mut text = String::from(
        "package com.example\n\nimport org.springframework.web.bind.annotation.*\n\n@RestController\n\
         @RequestMapping(\"/api\")\nclass Api {\n",
    );
    for index in 0..count {
        let _ = write!(
            text,
            "    private fun total{index}(items: List<Item>): Int {{\n        var total = 0\n        \
             for (item in items) {{\n            if (item.price > {index}) total += item.price * item.count\n        }}\n        \
             return total\n    }}\n\n    @CrossOrigin(origins = [\"https://app{index}.example.com\"])\n    \
             @PutMapping(\"/items{index}\")\n    fun put{index}(@RequestBody items: List<Item>) = total{index}(items)\n\n"
        );
    }
    text + "}\n"
}

pub(crate) fn yaml(count: usize) -> String {
    let mut text = String::from(
        "management:\n  endpoints:\n    web:\n      cors:\n        allowed-origins: https://app.example.com\n",
    );
    for index in 0..count {
        let _ = write!(
            text,
            "service{index}:\n  url: \"http://10.0.0.{}:8080/api\"\n  timeout: {index}\n  hosts: [a{index}, 'b{index}']\n",
            index % 250
        );
    }
    text
}

pub(crate) fn properties(count: usize) -> String {
    let mut text =
        String::from("management.endpoints.web.cors.allowed-origins=https://app.example.com\n");
    for index in 0..count {
        let _ = write!(
            text,
            "# service {index}\nservice{index}.url=http://10.0.0.{}:8080/api\nservice{index}.timeout = {index}\n",
            index % 250
        );
    }
    text
}

pub(crate) fn xml(count: usize) -> String {
    let mut text = String::from(
        "<beans xmlns=\"http://www.springframework.org/schema/beans\"\n       \
         xmlns:mvc=\"http://www.springframework.org/schema/mvc\">\n  <mvc:cors>\n    \
         <mvc:mapping path=\"/**\" allowed-origins=\"https://app.example.com\"/>\n  </mvc:cors>\n",
    );
    for index in 0..count {
        let _ = write!(
            text,
            "  <bean id=\"service{index}\" class=\"com.example.Service\">\n    <property name=\"url\" value=\"http://10.0.0.{}\"/>\n  </bean>\n",
            index % 250
        );
    }
    text + "</beans>\n"
}
