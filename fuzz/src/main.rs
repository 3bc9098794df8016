//! Fuzz targets, all in one program: the variable `TARGET` names the one to run, and without one the
//! program lists them. `fuzz/run` builds it with coverage, makes seeds and starts it.

#![no_main]

mod input;
mod targets;

use std::sync::LazyLock;

use targets::{TARGETS, Target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| {
        for target in TARGETS {
            println!("{}", target.name);
        }
        std::process::exit(if name.is_empty() { 0 } else { 2 });
    })
});

libfuzzer_sys::fuzz_target!(
    init: { LazyLock::force(&TARGET); },
    |data: &[u8]| (TARGET.run)(TARGET.file, data)
);
