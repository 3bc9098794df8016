//! Starts the command line, nothing more.

fn main() -> std::process::ExitCode {
    corslint::cli::main()
}
