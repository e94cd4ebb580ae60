//! One precedence for every setting: command line, then environment, then file, then default; unknown keys are errors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Map, Value};

use crate::exit::usage;
use crate::settings::Settings;

/// What stands before a setting's name in the environment: `ASSAY__SERVER__LISTEN`.
pub(crate) const PREFIX: &str = "ASSAY__";

/// The settings in force, and where each that is not a default comes from.
#[derive(Clone, Debug)]
pub(crate) struct Configured {
    pub(crate) settings: Settings,
    /// By key (`server.listen`), in words.
    pub(crate) origins: BTreeMap<String, String>,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
}

/// A value somebody gave on the command line.
pub(crate) type Given = (&'static str, Value);

/// Puts the layers together and checks the floors.
pub(crate) fn configure(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    given: Vec<Given>,
) -> anyhow::Result<Configured> {
    let mut all = serde_json::to_value(Settings::default())?;
    let mut origins = BTreeMap::new();
    if let Some(path) = file {
        let origin = path.display().to_string();
        for (key, value) in leaves(read_file(path)?) {
            set(&mut all, &mut origins, &key, value, &origin)?;
        }
    }
    for (name, text) in environment {
        if let Some(rest) = name.strip_prefix(PREFIX) {
            let key = rest.to_lowercase().replace("__", ".");
            let value = read_text(all.pointer(&pointer(&key)), text);
            set(&mut all, &mut origins, &key, value, &name)?;
        }
    }
    for (key, value) in given {
        set(&mut all, &mut origins, key, value, "the command line")?;
    }
    let settings: Settings = serde_json::from_value(all)
        .map_err(|error| usage(format!("a setting does not fit: {error}")))?;
    settings.check()?;
    Ok(Configured { settings, origins, file: file.map(Path::to_owned) })
}

fn read_file(path: &Path) -> anyhow::Result<Map<String, Value>> {
    let source = config::File::from(path).format(config::FileFormat::Toml);
    let read = config::Config::builder().add_source(source).build();
    let read = read.and_then(config::Config::try_deserialize::<Map<String, Value>>);
    read.with_context(|| format!("reading the settings in {}", path.display()))
        .map_err(|error| usage(format!("{error:#}")))
}

/// The values of a file by their full keys.
fn leaves(map: Map<String, Value>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (key, value) in map {
        match value {
            Value::Object(inner) => {
                let inner = leaves(inner).into_iter();
                found.extend(inner.map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            other => found.push((key, other)),
        }
    }
    found
}

fn set(
    all: &mut Value,
    origins: &mut BTreeMap<String, String>,
    key: &str,
    value: Value,
    origin: &str,
) -> anyhow::Result<()> {
    match all.pointer_mut(&pointer(key)) {
        Some(place) if !place.is_object() => {
            if !place.is_null() && std::mem::discriminant(place) != std::mem::discriminant(&value) {
                return Err(usage(format!(
                    "the setting {key} in {origin} is {value}; {} is wanted",
                    kind(place)
                )));
            }
            *place = value;
            origins.insert(key.to_owned(), origin.to_owned());
            Ok(())
        }
        _ => Err(usage(format!("{origin} sets {key}, and there is no such setting"))),
    }
}

/// A text from the environment as the kind of value the setting has.
fn read_text(known: Option<&Value>, text: String) -> Value {
    match known {
        Some(Value::Number(_) | Value::Bool(_)) => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        Some(Value::Array(_)) => {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            words.map(Value::from).collect()
        }
        _ => Value::String(text),
    }
}

fn pointer(key: &str) -> String {
    format!("/{}", key.replace('.', "/"))
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "a whole number",
        Value::Bool(_) => "true or false",
        Value::Array(_) => "a list",
        _ => "a text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(file: Option<&Path>, environment: &[(&str, &str)]) -> String {
        let environment = environment.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        configure(file, environment, vec![]).unwrap_err().to_string()
    }

    fn toml(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults() {
        let file =
            toml("[server]\nlisten = \"127.0.0.1:1\"\nworkers = 3\n[auth]\naccess_token_s = 9");
        let environment = [
            ("ASSAY__SERVER__LISTEN".to_owned(), "127.0.0.1:2".to_owned()),
            ("ASSAY__SERVER__WORKERS".to_owned(), "4".to_owned()),
            ("ASSAY_DATA_DIR".to_owned(), "elsewhere".to_owned()),
        ];
        let given = vec![("server.listen", Value::from("127.0.0.1:3"))];
        let found = configure(Some(file.path()), environment, given).unwrap();
        assert_eq!(found.settings.server.listen, "127.0.0.1:3");
        assert_eq!(found.settings.server.workers, 4);
        assert_eq!(found.settings.auth.access_token_s, 9);
        assert_eq!(found.settings.auth.argon2_passes, 2);
        assert_eq!(found.origins["server.workers"], "ASSAY__SERVER__WORKERS");
    }

    #[test]
    fn what_is_not_a_setting_is_named() {
        let file = toml("[server]\nlisten_on = \"127.0.0.1:1\"");
        assert!(refused(Some(file.path()), &[]).contains("sets server.listen_on"));
        assert!(refused(None, &[("ASSAY__SERVER__PORT", "1")]).contains("sets server.port"));
        assert!(refused(None, &[("ASSAY__SERVER", "1")]).contains("sets server,"));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let many = refused(None, &[("ASSAY__SERVER__WORKERS", "many")]);
        assert!(many.contains("server.workers") && many.contains("a whole number"), "{many}");
        let weak = refused(None, &[("ASSAY__AUTH__ARGON2_MEMORY_KIB", "8")]);
        assert!(weak.contains("auth.argon2_memory_kib must be at least 19456"), "{weak}");
        let file = toml("[log]\nformat = \"xml\"");
        assert!(refused(Some(file.path()), &[]).contains("xml"));
        assert!(refused(Some(&PathBuf::from("/nowhere.toml")), &[]).contains("nowhere.toml"));
    }
}
