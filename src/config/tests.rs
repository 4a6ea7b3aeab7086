use std::path::Path;

use tempfile::TempDir;

use super::{
    section::{Section as _, Table},
    *,
};
use crate::objects::ObjectSettings;

fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    Config::describe("", &mut tables);
    tables
}

fn file(text: &str) -> (TempDir, Sources) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vouch.toml");
    std::fs::write(&path, text).unwrap();
    (dir, Sources { file: Some(path), ..Sources::default() })
}

fn environment(variables: &[(&str, &str)]) -> Sources {
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { environment, ..Sources::default() }
}

/// The example with its keys switched on: those with a default, or all of them.
fn switched_on(all: bool) -> String {
    let lines = example();
    let lines = lines.lines().filter_map(|line| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') && !key.is_empty() => {
            (all || !key.ends_with("# for example")).then_some(key)
        }
        Some(_) => None,
        None => Some(line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_committed_example_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.example.toml");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, example(), "run `make generate`");
}

#[test]
fn the_example_means_the_defaults_with_its_keys_off_and_on() {
    for text in [example(), switched_on(false)] {
        let (_dir, sources) = file(&text);
        assert_eq!(load(&sources).unwrap(), Config::default());
    }
    let known: usize = tables().iter().map(|table| table.keys.iter().filter(|key| key.is_default).count()).sum();
    assert_eq!(switched_on(false).matches(" = ").count(), known);
}

#[test]
fn every_key_has_a_value_to_show_that_its_type_accepts() {
    for table in tables() {
        assert!(!table.about.is_empty(), "{}", table.path);
        for key in &table.keys {
            let is_shown = key.is_default || key.value != toml::Value::String(String::new());
            assert!(is_shown, "{}.{} needs a sample", table.path, key.name);
        }
    }
    let (_dir, sources) = file(&switched_on(true));
    sources::merge(&sources).unwrap();
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let (_dir, mut sources) =
        file("data_dir = \"/from-file\"\n[server]\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = \"warn\"\n");
    sources.environment = environment(&[
        ("VOUCH_SERVER__LISTEN", "127.0.0.1:2"),
        ("VOUCH_LOG__LEVEL", "debug"),
        ("VOUCH_READER__LANGUAGES", "eng, chi_sim"),
        ("VOUCH_SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]"),
        ("VOUCH_OBJECTS__S3__PATH_STYLE", "true"),
        ("VOUCH_CAPTURE__MAX_FILES", "7"),
        ("VOUCH_TEST_POSTGRES_URL", "not ours"),
        ("HOME", "/root"),
    ])
    .environment;
    let sources =
        sources.flag("server.listen", "--listen", Some("127.0.0.1:3")).flag("log.level", "--log", None::<&str>);
    let config = load(&sources).unwrap();
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.log.level, "debug");
    assert_eq!(config.data_dir, Path::new("/from-file"));
    assert_eq!(config.reader.languages, ["eng", "chi_sim"]);
    assert_eq!(config.server.trusted_proxies, ["10.0.0.0/8".parse().unwrap()]);
    assert_eq!(config.objects.s3.path_style, Some(true));
    assert_eq!(config.capture.limits().max_files, 7);
    assert_eq!(config.database_url().reveal(), "sqlite:/from-file/vouch.db");
}

#[test]
fn unknown_keys_are_refused_with_the_place_and_the_nearest_key() {
    let (_dir, sources) =
        file("[server]\nlisen = \"127.0.0.1:1\"\ncolour = 3\n[objects]\nbucket = \"b\"\n[sever]\nx = 1\n");
    let error = load(&sources).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.problems.len(), 4, "{text}");
    let path = sources.file.unwrap().display().to_string();
    assert!(text.contains(&format!("`server.lisen` in `{path}`: there is no such key")), "{text}");
    assert!(text.contains("did you mean `server.listen`?"), "{text}");
    assert!(text.contains("did you mean `objects.s3.bucket`?"), "{text}");
    assert!(text.contains("`server.colour`"), "{text}");
    assert!(text.contains("`sever`"), "{text}");

    let error = load(&environment(&[("VOUCH_SERVER__LISTENN", "x"), ("VOUCH_DATADIR", "x")])).unwrap_err().to_string();
    assert!(error.contains("environment variable `VOUCH_SERVER__LISTENN`"), "{error}");
    assert!(error.contains("did you mean `data_dir`?"), "{error}");
    let sources = Sources::default().flag("nonsense", "--set", Some(1));
    assert!(load(&sources).unwrap_err().to_string().contains("flag `--set`"));
}

#[test]
fn a_value_of_the_wrong_kind_names_key_place_and_what_to_write() {
    for (text, expected) in [
        ("[server]\nlisten = 8443\n", "server.listen"),
        ("[server]\nlisten = \"here\"\n", "server.listen"),
        ("[server]\ntrusted_proxies = [\"example.org\"]\n", "10.0.0.0/8"),
        ("[server.tls]\nmode = \"on\"\n", "`local-ca` or `files` or `off`"),
        ("[capture]\nmax_bytes = -1\n", "capture.max_bytes"),
        ("[organisation]\nhome_currency = \"EURO\"\n", "ISO 4217"),
        ("server = 1\n", "server"),
        ("[server\n", "is not TOML"),
    ] {
        let (_dir, sources) = file(text);
        let error = load(&sources).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("vouch.toml"), "{text}: {error}");
    }
    let error = load(&environment(&[("VOUCH_CAPTURE__MAX_BYTES", "many")])).unwrap_err().to_string();
    assert!(error.contains("VOUCH_CAPTURE__MAX_BYTES") && error.contains("a whole number"), "{error}");
    let sources = Sources { file: Some("/nonexistent/vouch.toml".into()), ..Sources::default() };
    assert!(load(&sources).unwrap_err().to_string().contains("hint: name an existing file"));
}

#[test]
fn values_that_cannot_work_are_all_reported_with_what_to_do() {
    let (_dir, sources) = file(concat!(
        "[server]\nexternal_url = \"vouch.example.org\"\n[server.tls]\nmode = \"files\"\nkey = \"/nonexistent\"\n",
        "[capture]\nmax_pages = 0\n[reader]\nlanguages = [\"../eng\"]\n[organisation]\ntime_zone = \"Mars/Olympus\"\n",
        "language = \"tlh\"\n[log]\nlevel = \"=?\"\n[database]\nurl = \"mysql://x\"\n",
    ));
    let error = load(&sources).unwrap_err();
    let keys: Vec<&str> = error.problems.iter().map(|problem| problem.key.as_str()).collect();
    for key in [
        "server.external_url",
        "server.tls.certificate",
        "server.tls.key",
        "capture.max_pages",
        "reader.languages",
        "organisation.time_zone",
        "organisation.language",
        "log.level",
        "database.url",
    ] {
        assert!(keys.contains(&key), "{key} is not in {keys:?}");
    }
    assert!(error.problems.iter().all(|problem| !problem.hint.is_empty()));
}

#[test]
fn plain_http_is_only_for_this_machine_or_behind_a_named_proxy() {
    for (listen, url, proxies, fine) in [
        ("0.0.0.0:80", "", "", false),
        ("127.0.0.1:80", "", "", true),
        ("[::1]:80", "", "", true),
        ("0.0.0.0:80", "https://vouch.example.org", "", false),
        ("0.0.0.0:80", "https://vouch.example.org", "10.0.0.1", true),
    ] {
        let mut variables = vec![("VOUCH_SERVER__TLS__MODE", "off"), ("VOUCH_SERVER__LISTEN", listen)];
        variables.extend((!url.is_empty()).then_some(("VOUCH_SERVER__EXTERNAL_URL", url)));
        variables.push(("VOUCH_SERVER__TRUSTED_PROXIES", proxies));
        let result = load(&environment(&variables));
        assert_eq!(result.is_ok(), fine, "{listen} {url} {proxies}: {result:?}");
    }
}

#[test]
fn secrets_come_from_files_and_never_show() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "12345\n").unwrap();
    let path = secret.to_str().unwrap();
    let s3 = [
        ("VOUCH_OBJECTS__STORE", "s3"),
        ("VOUCH_OBJECTS__S3__BUCKET", "receipts"),
        ("VOUCH_OBJECTS__S3__ENDPOINT", "https://s3.example.org"),
        ("VOUCH_OBJECTS__S3__ACCESS_KEY_ID", "678"),
    ];
    let config =
        load(&environment(&[&s3[..], &[("VOUCH_OBJECTS__S3__SECRET_ACCESS_KEY_FILE", path)]].concat())).unwrap();
    assert!(!format!("{config:?}").contains("12345"));
    let ObjectSettings::S3(settings) = config.object_settings().unwrap() else { panic!("not S3") };
    assert_eq!(settings.credentials.access_key_id, "678");
    assert_eq!(settings.credentials.secret_access_key, "12345");
    assert!(settings.path_style);
    assert_eq!(settings.timeouts, crate::objects::S3Timeouts::default());

    let both = [("VOUCH_OBJECTS__S3__SECRET_ACCESS_KEY_FILE", path), ("VOUCH_OBJECTS__S3__SECRET_ACCESS_KEY", "x")];
    let error = load(&environment(&[&s3[..], &both].concat())).unwrap_err().to_string();
    assert!(error.contains("both set"), "{error}");
    let error = load(&environment(&s3)).unwrap_err().to_string();
    assert!(error.contains("objects.s3.secret_access_key"), "{error}");
    std::fs::write(&secret, "\n").unwrap();
    let error = load(&environment(&[("VOUCH_DATABASE__URL_FILE", path)])).unwrap_err().to_string();
    assert!(error.contains("is empty") && error.contains("database.url_file"), "{error}");
}

#[test]
fn s3_takes_its_credentials_from_the_environment_when_none_are_configured() {
    let s3 = [("VOUCH_OBJECTS__STORE", "s3"), ("VOUCH_OBJECTS__S3__BUCKET", "receipts")];
    let error = load(&environment(&s3)).unwrap_err().to_string();
    assert!(error.contains("AWS_ACCESS_KEY_ID"), "{error}");
    let aws = [("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "hush")];
    let config = load(&environment(&[&s3[..], &aws].concat())).unwrap();
    let ObjectSettings::S3(settings) = config.object_settings().unwrap() else { panic!("not S3") };
    assert_eq!(settings.credentials.access_key_id, "AKIA1");
    assert!(!settings.path_style);
}
