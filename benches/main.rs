//! How long parsers, evaluators and rules take.
//!
//! `cargo bench` runs all, `cargo bench -- parsers` those whose names hold a word; the numbers of one
//! machine are in `benches/README.md`. `benches/compare.sh` compares whole runs with other programs.

mod inputs;
mod nginx;
mod parsers;
mod projects;

fn main() {
    divan::main();
}
