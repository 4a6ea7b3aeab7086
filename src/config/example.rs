//! The commented example, made from the declarations of the keys.

use std::fmt::Write as _;

use super::{
    Config,
    section::{Section as _, Table},
};

/// Every key with its explanation and its default, each commented out: the example as it is means the defaults.
/// Lines of explanation start with `# `, keys with `#` alone.
pub fn example() -> String {
    let mut tables = Vec::new();
    Config::describe("", &mut tables);
    let mut text =
        String::from("# Configuration of Vouch. Written by `vouch config example`; do not edit this copy.\n#\n");
    for table in &tables {
        write_table(&mut text, table);
    }
    text
}

fn write_table(text: &mut String, table: &Table) {
    if !table.path.is_empty() {
        text.push('\n');
    }
    write_about(text, table.about);
    if !table.path.is_empty() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "[{}]", table.path);
    }
    for key in &table.keys {
        text.push('\n');
        write_about(text, key.about);
        let unset = if key.is_default { "" } else { " # for example" };
        let _ = writeln!(text, "#{} = {}{unset}", key.name, key.value);
    }
}

fn write_about(text: &mut String, about: &[&str]) {
    for line in about {
        let _ = writeln!(text, "# {}", line.trim());
    }
}
