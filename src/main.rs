//! The `vouch` binary; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    vouch::kill_points::arm();
    vouch::cli::main()
}
