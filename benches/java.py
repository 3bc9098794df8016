#!/usr/bin/env python3
"""Writes a large Spring project: java.py FOLDER CONTROLLERS [CLASSES_BESIDE_EACH].

Each controller has five mappings and, every tenth, a policy of its own; beside it stand classes that
have nothing to do with CORS. One registry, one security chain, one application.yml."""

import pathlib
import sys

POM = """<project><parent><groupId>org.springframework.boot</groupId>
<artifactId>spring-boot-starter-parent</artifactId><version>4.1.1</version></parent><dependencies>
<dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency>
<dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-security</artifactId></dependency>
</dependencies></project>
"""

CONFIG = """package com.example;

@Configuration
public class Config implements WebMvcConfigurer {
    @Value("${app.origins}")
    private String[] origins;

    @Override
    public void addCorsMappings(CorsRegistry registry) {
        registry.addMapping("/**").allowedOrigins(origins).allowCredentials(true);
    }

    @Bean
    SecurityFilterChain chain(HttpSecurity http) throws Exception {
        return http.cors(Customizer.withDefaults())
            .authorizeHttpRequests(requests -> requests.anyRequest().authenticated()).build();
    }
}
"""

CONTROLLER = """package com.example.area{area};

import java.util.List;
import org.springframework.web.bind.annotation.*;

@RestController
@RequestMapping("/area{area}/things{number}")
{policy}public class Thing{number}Controller {{
    private final Thing{number}Service service;

    public Thing{number}Controller(Thing{number}Service service) {{
        this.service = service;
    }}

    @GetMapping
    public List<String> all() {{ return service.all(); }}

    @GetMapping("/{{id}}")
    public String one(@PathVariable String id) {{ return service.one(id); }}

    @PostMapping
    public String add(@RequestBody String body) {{ return service.add(body); }}

    @PutMapping("/{{id}}")
    public void put(@PathVariable String id, @RequestBody String body) {{ service.put(id, body); }}

    @DeleteMapping("/{{id}}")
    public void delete(@PathVariable String id) {{ service.delete(id); }}
}}
"""

PLAIN = """package com.example.area{area};

import java.util.*;

/** Nothing that CORS has to do with. */
public class Thing{number}Part{part} {{
    private final Map<String, String> known = new HashMap<>();

    public Optional<String> find(String id) {{
        for (Map.Entry<String, String> entry : known.entrySet()) {{
            if (entry.getKey().equals(id) && !entry.getValue().isEmpty()) {{
                return Optional.of(entry.getValue().trim());
            }}
        }}
        return Optional.empty();
    }}
}}
"""


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    controllers = int(sys.argv[2])
    beside = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    code = root / "src/main/java/com/example"
    code.mkdir(parents=True)
    (root / "pom.xml").write_text(POM)
    (code / "Config.java").write_text(CONFIG)
    resources = root / "src/main/resources"
    resources.mkdir()
    (resources / "application.yml").write_text("app:\n  origins: https://app.example.com\n")
    for number in range(controllers):
        area = number // 50
        folder = code / f"area{area}"
        folder.mkdir(exist_ok=True)
        policy = f'@CrossOrigin("https://a{number}.example.com")\n' if number % 10 == 0 else ""
        text = CONTROLLER.format(area=area, number=number, policy=policy)
        (folder / f"Thing{number}Controller.java").write_text(text)
        for part in range(beside):
            text = PLAIN.format(area=area, number=number, part=part)
            (folder / f"Thing{number}Part{part}.java").write_text(text)


if __name__ == "__main__":
    main()
