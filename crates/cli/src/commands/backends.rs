use omnistorage::{Config, ErrorKind, Result, registry};
use serde_json::{Map, json};

use crate::output::{Counts, Exit, Output};

/// Lists what is compiled in, with the features of each as an instance reports them. What needs settings
/// to be opened tells no more than its name.
pub(crate) async fn run(output: &Output) -> Result<Exit> {
    let registry = registry()?;
    for name in registry.names() {
        let config = match name {
            "file" => Config::new().with("root", std::env::temp_dir().to_string_lossy()),
            _ => Config::new(),
        };
        let backend = match registry.open(name, config).await {
            Ok(backend) => backend,
            Err(error) if error.kind() == ErrorKind::Config => {
                output.line(
                    || format!("{name}: as the store that the settings name"),
                    || json!({"event": "backend", "name": name, "features": null}),
                );
                continue;
            }
            Err(error) => return Err(error),
        };
        let features = backend.as_extended().map(|extended| extended.features());
        let features: Vec<_> = features
            .iter()
            .flat_map(|features| features.iter())
            .collect();
        output.line(
            || {
                let has: Vec<_> = features
                    .iter()
                    .filter(|(_, has)| *has)
                    .map(|f| f.0)
                    .collect();
                format!("{name}: {}", has.join(", "))
            },
            || {
                let features: Map<_, _> = features
                    .iter()
                    .map(|(name, has)| ((*name).to_owned(), (*has).into()))
                    .collect();
                json!({"event": "backend", "name": name, "features": features})
            },
        );
        backend.close().await?;
    }
    output.summary("backends", Counts::default());
    Ok(Exit::Done)
}
