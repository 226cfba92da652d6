use std::collections::BTreeMap;

use omnistorage::{Config, Error, ErrorKind, Result, registry};
use serde_json::json;
use toml_edit::{DocumentMut, Item, Table};

use crate::args::{ConfigAction, ConfigArgs};
use crate::output::{Counts, Exit, Output};
use crate::place::shown;
use crate::remotes::{self, Remotes};
use crate::wrapped;

/// Looks at and changes the file of the remotes.
pub(crate) async fn run(args: ConfigArgs, output: &Output) -> Result<Exit> {
    let mut counts = Counts::default();
    match args.action {
        ConfigAction::Path => {
            let path = remotes::file()?.to_string_lossy().into_owned();
            output.line(|| path.clone(), || json!({"event": "config", "path": path}));
        }
        ConfigAction::List => {
            let remotes = Remotes::read()?;
            for name in remotes.names() {
                let kind = kind(&remotes.settings(name)?);
                output.line(
                    || format!("{name}: {kind}"),
                    || json!({"event": "remote", "name": name, "type": kind}),
                );
            }
        }
        ConfigAction::Show { name } => show(name.as_deref(), output)?,
        ConfigAction::Create {
            name,
            kind,
            mut settings,
        } => {
            check_kind(&kind)?;
            settings.insert(0, ("type".to_owned(), kind));
            let mut remotes = Remotes::read()?;
            remotes.set(&name, &settings, false)?;
            remotes.save()?;
            counts.created = 1;
        }
        ConfigAction::Update { name, settings } => {
            let mut remotes = Remotes::read()?;
            remotes.set(&name, &settings, true)?;
            remotes.save()?;
            counts.updated = 1;
        }
        ConfigAction::Delete { name } => {
            let mut remotes = Remotes::read()?;
            remotes.remove(&name)?;
            remotes.save()?;
            counts.deleted = 1;
        }
    }
    output.summary("config", counts);
    Ok(Exit::Done)
}

/// Prints remotes as the file has them, without what may be secret.
fn show(name: Option<&str>, output: &Output) -> Result<()> {
    let remotes = Remotes::read()?;
    let names = name.map_or_else(|| remotes.names(), |name| vec![name]);
    for (place, name) in names.into_iter().enumerate() {
        let settings = Config::from_iter(remotes.settings(name)?);
        let settings: BTreeMap<_, _> = settings
            .redacted()
            .map(|(key, value)| (key.to_owned(), shown(value)))
            .collect();
        let text = || {
            let mut table = Table::new();
            for (key, value) in &settings {
                table.insert(key, toml_edit::value(value));
            }
            let mut document = DocumentMut::new();
            document.insert(name, Item::Table(table));
            let blank = if place == 0 { "" } else { "\n" };
            format!("{blank}{}", document.to_string().trim_end())
        };
        output.line(
            text,
            || json!({"event": "remote", "name": name, "settings": settings}),
        );
    }
    Ok(())
}

fn kind(settings: &BTreeMap<String, String>) -> String {
    match (settings.get("type"), settings.get("uri")) {
        (Some(kind), _) => kind.clone(),
        (None, Some(uri)) => shown(uri),
        (None, None) => "?".to_owned(),
    }
}

fn check_kind(kind: &str) -> Result<()> {
    let mut names = registry()?.names();
    names.extend(wrapped::KINDS);
    if names.contains(&kind) {
        return Ok(());
    }
    let message = format!(
        "no backend is named {kind:?}; known are {}",
        names.join(", ")
    );
    Err(Error::new(ErrorKind::UnknownBackend, message))
}
