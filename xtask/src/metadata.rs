//! What `cargo metadata` says of the workspace.

use serde_json::Value;

use crate::Result;
use crate::run::{cargo, output, root};

/// The workspace's crates, and every crate that they resolve to.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) members: Vec<Package>,
    pub(crate) others: Vec<Package>,
    /// The folder of everything built.
    pub(crate) target: String,
}

/// One crate.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Where its manifest is, relative to the root, with `/`; of other people's crates, absolute.
    pub(crate) folder: String,
    pub(crate) rust_version: Option<String>,
    pub(crate) published: bool,
    /// Declared features, implied ones of optional dependencies among them, sorted.
    pub(crate) features: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a crate's dependencies.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) dev: bool,
}

impl Workspace {
    /// Asks cargo. The lock file must be up to date.
    pub(crate) fn load() -> Result<Self> {
        let text = output(&mut cargo(&[
            "metadata",
            "--format-version=1",
            "--locked",
            "--all-features",
        ]))?;
        let root = root().to_string_lossy().replace('\\', "/");
        Self::parse(&serde_json::from_str(&text)?, &root)
            .ok_or_else(|| "cargo metadata: an expected field is missing".into())
    }

    fn parse(metadata: &Value, root: &str) -> Option<Self> {
        let ids = metadata["workspace_members"].as_array()?;
        let (mut members, mut others) = (Vec::new(), Vec::new());
        for value in metadata["packages"].as_array()? {
            let package = Package::parse(value, root)?;
            if ids.contains(&value["id"]) {
                members.push(package);
            } else {
                others.push(package);
            }
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Some(Self {
            members,
            others,
            target: metadata["target_directory"].as_str()?.to_owned(),
        })
    }

    /// The workspace's crate of this name.
    pub(crate) fn member(&self, name: &str) -> Option<&Package> {
        self.members.iter().find(|package| package.name == name)
    }
}

impl Package {
    fn parse(value: &Value, root: &str) -> Option<Self> {
        let manifest = value["manifest_path"].as_str()?.replace('\\', "/");
        let folder = manifest.strip_suffix("/Cargo.toml")?;
        let inside = folder
            .strip_prefix(root)
            .and_then(|rest| rest.strip_prefix('/'));
        let mut features: Vec<_> = value["features"].as_object()?.keys().cloned().collect();
        features.sort();
        Some(Self {
            name: value["name"].as_str()?.to_owned(),
            version: value["version"].as_str()?.to_owned(),
            folder: inside.unwrap_or(folder).to_owned(),
            rust_version: value["rust_version"].as_str().map(str::to_owned),
            published: value["publish"].as_array().is_none_or(|to| !to.is_empty()),
            features,
            dependencies: value["dependencies"]
                .as_array()?
                .iter()
                .map(Dependency::parse)
                .collect::<Option<_>>()?,
        })
    }
}

impl Dependency {
    fn parse(value: &Value) -> Option<Self> {
        Some(Self {
            name: value["name"].as_str()?.to_owned(),
            dev: value["kind"].as_str() == Some("dev"),
        })
    }
}

/// The crates that need a newer Rust than `ours`, one line each.
pub(crate) fn newer_than(ours: &str, packages: &[Package]) -> Vec<String> {
    let ours = numbers(ours);
    let newer = packages.iter().filter_map(|package| {
        let theirs = package.rust_version.as_deref()?;
        (numbers(theirs) > ours)
            .then(|| format!("{} {} needs Rust {theirs}", package.name, package.version))
    });
    newer.collect()
}

/// A version as numbers that compare; what is missing is 0.
fn numbers(version: &str) -> [u64; 3] {
    let mut numbers = [0; 3];
    for (number, text) in numbers.iter_mut().zip(version.split('.')) {
        *number = text.parse().unwrap_or(0);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_with_a_newer_rust_is_named() {
        let needs = |name: &str, rust: Option<&str>| Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            rust_version: rust.map(str::to_owned),
            ..Package::default()
        };
        let packages = [
            needs("old", Some("1.56")),
            needs("same", Some("1.95.0")),
            needs("silent", None),
            needs("new", Some("1.100")),
        ];
        assert_eq!(
            newer_than("1.95", &packages),
            ["new 1.0.0 needs Rust 1.100"]
        );
    }

    #[test]
    fn metadata_is_split_into_members_and_others() {
        let metadata = serde_json::json!({
            "workspace_members": ["a"],
            "target_directory": "/w/target",
            "packages": [
                {
                    "id": "a", "name": "storage-a", "version": "0.1.0",
                    "manifest_path": "/w/crates/a/Cargo.toml", "rust_version": "1.95",
                    "publish": [], "features": {"x": []},
                    "dependencies": [{"name": "b", "kind": null}, {"name": "c", "kind": "dev"}],
                },
                {
                    "id": "b", "name": "b", "version": "1.2.3",
                    "manifest_path": "/registry/b/Cargo.toml", "rust_version": null,
                    "publish": null, "features": {}, "dependencies": [],
                },
            ],
        });
        let workspace = Workspace::parse(&metadata, "/w").unwrap();
        let a = workspace.member("storage-a").unwrap();
        assert_eq!(
            (a.folder.as_str(), a.published, a.features.as_slice()),
            ("crates/a", false, &["x".to_owned()][..])
        );
        assert_eq!(
            a.dependencies.iter().map(|d| d.dev).collect::<Vec<_>>(),
            [false, true]
        );
        assert!(workspace.others[0].published && workspace.others.len() == 1);
    }
}
