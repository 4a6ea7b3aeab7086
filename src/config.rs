//! Configuration: one TOML file, environment, flags.
