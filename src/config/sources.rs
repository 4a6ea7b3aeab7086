//! Where values come from, and how they are laid over each other.

use std::path::{Path, PathBuf};

use figment::{
    Figment, Metadata, Profile, Provider,
    error::Kind,
    providers::Serialized,
    value::{Dict, Map, Value},
};

use super::{
    Config, ConfigError, Problem,
    section::{Section as _, Table},
};

/// In front of every variable.
const PREFIX: &str = "VOUCH_";

/// Names the configuration file; not a key itself.
pub(super) const FILE_VARIABLE: &str = "VOUCH_CONFIG";

/// Variables of scripts and tests, which are none of ours to judge.
const NOT_KEYS: [&str; 2] = [FILE_VARIABLE, "VOUCH_WEIGHTS_DIR"];
const NOT_KEYS_PREFIX: &str = "VOUCH_TEST_";

/// Where to look for values. Later fields win over earlier ones.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A TOML file; it must exist when named.
    pub file: Option<PathBuf>,
    /// All variables of the environment; those that start with `VOUCH_` count, and the `AWS_` credentials.
    pub environment: Vec<(String, String)>,
    /// From flags: dotted key, the flag as people type it, value.
    pub flags: Vec<(String, String, String)>,
}

impl Sources {
    /// The environment of this process, and the file named by a flag or else by `VOUCH_CONFIG`.
    pub fn from_environment(file: Option<PathBuf>) -> Self {
        // `vars` panics on text that is not Unicode; such a variable is none of ours.
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = |(name, value): &(String, String)| {
            (name == FILE_VARIABLE && !value.is_empty()).then(|| PathBuf::from(value))
        };
        Self { file: file.or_else(|| environment.iter().find_map(named)), environment, flags: Vec::new() }
    }

    /// Adds the value of a flag, when it was given.
    #[must_use]
    pub fn flag(mut self, key: &str, flag: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            self.flags.push((key.to_owned(), flag.to_owned(), value.to_string()));
        }
        self
    }

    /// The value of a variable.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

/// Defaults, then the file, then the environment, then flags.
pub(super) fn merge(sources: &Sources) -> Result<Config, ConfigError> {
    let mut tables = Vec::new();
    Config::describe("", &mut tables);
    let mut problems = Vec::new();
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(path) = &sources.file
        && let Some(values) = read_file(path, &tables, &mut problems)
    {
        figment = figment.merge(Values { place: format!("`{}`", path.display()), values });
    }
    for (name, value) in &sources.environment {
        let is_ours =
            name.starts_with(PREFIX) && !name.starts_with(NOT_KEYS_PREFIX) && !NOT_KEYS.contains(&name.as_str());
        if is_ours {
            let key = name[PREFIX.len()..].to_ascii_lowercase().replace("__", ".");
            let place = format!("environment variable `{name}`");
            figment = lay_over(figment, &key, &place, value, &tables, &mut problems);
        }
    }
    for (key, flag, value) in &sources.flags {
        figment = lay_over(figment, key, &format!("flag `{flag}`"), value, &tables, &mut problems);
    }
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }
    figment.extract().map_err(|errors| ConfigError { problems: errors.into_iter().map(|e| problem_of(&e)).collect() })
}

fn read_file(path: &Path, tables: &[Table], problems: &mut Vec<Problem>) -> Option<Dict> {
    let place = format!("`{}`", path.display());
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let hint = "name an existing file with `--config` or `VOUCH_CONFIG`; `vouch config example` prints one";
            problems.push(Problem { place, ..Problem::new("", format!("cannot be read: {error}"), hint) });
            return None;
        }
    };
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            let message = format!("is not TOML: {error}");
            let hint = "text stands in quotes, lists in brackets; see `vouch config example`";
            problems.push(Problem { place, ..Problem::new("", message.trim_end(), hint) });
            return None;
        }
    };
    let before = problems.len();
    refuse_unknown(&table, "", &place, tables, problems);
    if problems.len() > before {
        return None;
    }
    Value::serialize(&table).ok().and_then(Value::into_dict)
}

fn refuse_unknown(table: &toml::Table, path: &str, place: &str, tables: &[Table], problems: &mut Vec<Problem>) {
    for (name, value) in table {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if let toml::Value::Table(inner) = value
            && tables.iter().any(|table| table.path == key)
        {
            refuse_unknown(inner, &key, place, tables, problems);
        } else if find(&key, tables).is_none() {
            problems.push(unknown(&key, place, tables));
        }
    }
}

/// The kind of value a key has, by its default or sample.
fn find<'a>(key: &str, tables: &'a [Table]) -> Option<&'a toml::Value> {
    let (path, name) = key.rsplit_once('.').unwrap_or(("", key));
    let table = tables.iter().find(|table| table.path == path)?;
    table.keys.iter().find(|known| known.name == name).map(|known| &known.value)
}

fn unknown(key: &str, place: &str, tables: &[Table]) -> Problem {
    let all = tables.iter().flat_map(|table| {
        table.keys.iter().map(move |known| match table.path.as_str() {
            "" => known.name.to_owned(),
            path => format!("{path}.{}", known.name),
        })
    });
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let near = all
        .map(|known| {
            // A key in the wrong section is as near as one with a slip of the pen.
            let away = distance(&known, key).min(distance(&last(&known), &last(key)) + 1);
            (away, known)
        })
        .min()
        .filter(|(away, known)| *away <= 1 + known.len() / 4);
    let hint = match near {
        Some((_, known)) => format!("did you mean `{known}`? `vouch config example` lists every key"),
        None => "remove it; `vouch config example` lists every key".to_owned(),
    };
    Problem { place: place.to_owned(), ..Problem::new(key, "there is no such key", hint) }
}

/// Levenshtein distance; keys are short.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn lay_over(
    figment: Figment,
    key: &str,
    place: &str,
    text: &str,
    tables: &[Table],
    problems: &mut Vec<Problem>,
) -> Figment {
    let Some(kind) = find(key, tables) else {
        problems.push(unknown(key, place, tables));
        return figment;
    };
    let refuse = |wanted: &str| Problem {
        place: place.to_owned(),
        ..Problem::new(key, format!("`{text}` is not {wanted}"), format!("write {wanted}"))
    };
    // Text has no type of its own: a password of digits stays text because its key wants text.
    let value = match kind {
        toml::Value::Integer(_) => text.trim().parse::<i64>().map(Value::from).map_err(|_| refuse("a whole number")),
        toml::Value::Boolean(_) => {
            text.trim().parse::<bool>().map(Value::from).map_err(|_| refuse("`true` or `false`"))
        }
        toml::Value::Array(_) => Ok(list(text)),
        _ => Ok(Value::from(text)),
    };
    match value {
        Ok(value) => {
            let values = key.rsplit('.').fold(value, |value, name| Value::from(Dict::from([(name.to_owned(), value)])));
            figment.merge(Values { place: place.to_owned(), values: values.into_dict().unwrap_or_default() })
        }
        Err(problem) => {
            problems.push(problem);
            figment
        }
    }
}

/// `["a", "b"]` as in the file, or `a, b` as people write in a shell.
fn list(text: &str) -> Value {
    match text.trim().parse::<toml::Value>() {
        Ok(toml::Value::Array(items)) => Value::serialize(items).unwrap_or_else(|_| Value::from(Vec::<String>::new())),
        _ => Value::from(text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect::<Vec<_>>()),
    }
}

/// Values of one place.
struct Values {
    place: String,
    values: Dict,
}

impl Provider for Values {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.place.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

fn problem_of(error: &figment::Error) -> Problem {
    let key = error.path.join(".");
    let place = error.metadata.as_ref().map(|metadata| metadata.name.to_string()).unwrap_or_default();
    let (message, hint) = match &error.kind {
        Kind::UnknownVariant(found, known) => {
            let known: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
            (format!("`{found}` is not a choice"), format!("write {}", known.join(" or ")))
        }
        Kind::InvalidType(found, wanted) => (format!("found {found}"), format!("write {wanted}")),
        Kind::Message(message) => (message.clone(), String::new()),
        other => (other.to_string(), "see `vouch config example`".to_owned()),
    };
    Problem { place, ..Problem::new(&key, message, hint) }
}
