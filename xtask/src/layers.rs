//! The rule of who may depend on whom. `docs/design/architecture.md` states it in words.

use crate::metadata::{Package, Workspace};

/// Where a crate stands, from the bottom up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// The contract.
    Core,
    /// Hashes of the contract.
    Hash,
    /// The filter language.
    Filter,
    /// What the compression codecs share, and the record formats.
    Shell,
    /// Backends, bridges, compression and formats.
    Part,
    /// What engines and programs put over a backend.
    Middleware,
    /// Sync, multi, layered, buffer and entity.
    Engine,
    /// What programs depend on.
    Umbrella,
    /// The command line and the examples.
    Program,
    /// What tests are written with.
    Testing,
    /// Unpublished programs that serve the workspace itself.
    Tool,
}

/// The folders of the crates that codecs and formats are built on, and their names.
const SHELLS: [(&str, &str); 2] = [
    ("crates/compression/core", "storage-compression"),
    ("crates/formats/core", "storage-format"),
];

impl Layer {
    /// Every layer, from the bottom up.
    pub(crate) const ALL: [Self; 11] = [
        Self::Core,
        Self::Hash,
        Self::Filter,
        Self::Shell,
        Self::Part,
        Self::Middleware,
        Self::Engine,
        Self::Umbrella,
        Self::Program,
        Self::Testing,
        Self::Tool,
    ];

    /// The title of the layer in the diagram.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Core => "contract",
            Self::Hash => "hashes",
            Self::Filter => "filter language",
            Self::Shell => "shells of codecs and formats",
            Self::Part => "backends, bridges, compression, formats",
            Self::Middleware => "middleware",
            Self::Engine => "engines",
            Self::Umbrella => "umbrella",
            Self::Program => "programs",
            Self::Testing => "testing",
            Self::Tool => "tools",
        }
    }

    /// The layer of a crate, which follows from its folder alone.
    pub(crate) fn of(package: &Package) -> Option<Self> {
        let mut segments = package.folder.split('/');
        if SHELLS.iter().any(|(folder, _)| package.folder == *folder) {
            return Some(Self::Shell);
        }
        Some(match (segments.next()?, segments.next()) {
            ("xtask", None) => Self::Tool,
            ("examples", _) => Self::Program,
            ("crates", Some("core")) => Self::Core,
            ("crates", Some("hash")) => Self::Hash,
            ("crates", Some("filter")) => Self::Filter,
            ("crates", Some("backends" | "bridges" | "compression" | "formats")) => Self::Part,
            ("crates", Some("middleware")) => Self::Middleware,
            ("crates", Some("sync" | "multi" | "layered" | "buffer" | "entity")) => Self::Engine,
            ("crates", Some("omnistorage")) => Self::Umbrella,
            ("crates", Some("cli")) => Self::Program,
            ("crates", Some("testing")) if package.published => Self::Testing,
            ("crates", Some("testing")) => Self::Tool,
            _ => return None,
        })
    }

    /// Whether a crate of this layer may be built on one of layer `on`.
    const fn may_build_on(self, on: Self) -> bool {
        use Layer::{
            Core, Engine, Filter, Hash, Middleware, Part, Program, Shell, Testing, Tool, Umbrella,
        };
        match self {
            Core | Filter => false,
            Hash | Shell => matches!(on, Core),
            Part => matches!(on, Core | Hash | Shell),
            Middleware => matches!(on, Core | Hash),
            Engine => matches!(on, Core | Hash | Filter | Middleware),
            Umbrella => !matches!(on, Umbrella | Program | Testing | Tool),
            Program => !matches!(on, Program | Testing | Tool),
            Testing => matches!(on, Core | Hash | Testing),
            Tool => !matches!(on, Program | Tool),
        }
    }

    /// Whether the tests of a crate of this layer may use one of layer `on`.
    const fn may_test_with(self, on: Self) -> bool {
        match on {
            Self::Program | Self::Tool => false,
            Self::Umbrella => matches!(self, Self::Program | Self::Tool),
            _ => true,
        }
    }
}

/// A dependency of one crate of the workspace on another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    /// Whether only tests need it.
    pub(crate) dev: bool,
}

/// All edges within the workspace, sorted, each once.
pub(crate) fn edges(workspace: &Workspace) -> Vec<Edge> {
    let mut edges: Vec<Edge> = workspace
        .members
        .iter()
        .flat_map(|package| {
            let inner = package
                .dependencies
                .iter()
                .filter(|dependency| workspace.member(&dependency.name).is_some());
            inner.map(|dependency| Edge {
                from: package.name.clone(),
                to: dependency.name.clone(),
                dev: dependency.dev,
            })
        })
        .collect();
    edges.sort();
    edges.dedup();
    edges
}

/// Every breach of the rules, one line each: crates in no layer, wrong names, wrong edges.
pub(crate) fn breaches(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    for package in &workspace.members {
        match (Layer::of(package), name_for(&package.folder)) {
            (None, _) => found.push(format!(
                "{}: the folder {} belongs to no layer",
                package.name, package.folder
            )),
            (_, Some(name)) if name != package.name => found.push(format!(
                "{}: the crate in {} is called {name}",
                package.name, package.folder
            )),
            _ => {}
        }
    }
    let layer = |name: &str| workspace.member(name).and_then(Layer::of);
    for edge in edges(workspace) {
        let (Some(from), Some(to)) = (layer(&edge.from), layer(&edge.to)) else {
            continue;
        };
        let (allowed, how) = match edge.dev {
            true => (from.may_test_with(to), "test with"),
            false => (from.may_build_on(to), "depend on"),
        };
        if !allowed {
            found.push(format!(
                "{} ({}) may not {how} {} ({})",
                edge.from,
                from.title(),
                edge.to,
                to.title()
            ));
        }
    }
    found
}

/// The name of the crate in a folder; examples are free in theirs.
fn name_for(folder: &str) -> Option<String> {
    if let Some((_, name)) = SHELLS.iter().find(|(shell, _)| folder == *shell) {
        return Some((*name).to_owned());
    }
    let last = folder.rsplit('/').next()?;
    match folder {
        "xtask" | "crates/omnistorage" => Some(last.to_owned()),
        "crates/cli" => Some("omnistorage-cli".to_owned()),
        _ if folder.starts_with("crates/entity/") => Some(format!("storage-entity-{last}")),
        _ if folder.starts_with("crates/") => Some(format!("storage-{last}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(name: &str, folder: &str, dependencies: &[(&str, bool)]) -> Package {
        let dependencies = dependencies.iter().map(|(name, dev)| Dependency {
            name: (*name).to_owned(),
            dev: *dev,
        });
        Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            published: name != "storage-features",
            dependencies: dependencies.collect(),
            ..Package::default()
        }
    }

    fn workspace(changed: Package) -> Workspace {
        let mut members = vec![
            package("storage-core", "crates/core", &[]),
            package("storage-hash", "crates/hash", &[("storage-core", false)]),
            package("storage-file", "crates/backends/file", &[]),
            package("storage-memory", "crates/backends/memory", &[]),
            package("storage-compression", "crates/compression/core", &[]),
            package("storage-gzip", "crates/compression/gzip", &[]),
            package("storage-format", "crates/formats/core", &[]),
            package("storage-middleware", "crates/middleware", &[]),
            package("storage-sync", "crates/sync", &[]),
            package("omnistorage", "crates/omnistorage", &[]),
            package("omnistorage-cli", "crates/cli", &[]),
            package("storage-faults", "crates/testing/faults", &[]),
            package("storage-conformance", "crates/testing/conformance", &[]),
            package("storage-features", "crates/testing/features", &[]),
            package("xtask", "xtask", &[]),
        ];
        members.retain(|member| member.name != changed.name);
        members.push(changed);
        Workspace {
            members,
            others: Vec::new(),
            target: String::new(),
        }
    }

    /// The breaches when the crate at `folder` depends on `on`.
    fn with_edge(name: &str, folder: &str, on: &str, dev: bool) -> Vec<String> {
        breaches(&workspace(package(name, folder, &[(on, dev)])))
    }

    #[test]
    fn every_wrong_edge_is_a_breach() {
        let wrong = [
            ("storage-core", "crates/core", "storage-hash", false),
            ("storage-hash", "crates/hash", "storage-file", false),
            (
                "storage-file",
                "crates/backends/file",
                "storage-memory",
                false,
            ),
            (
                "storage-file",
                "crates/backends/file",
                "storage-sync",
                false,
            ),
            (
                "storage-file",
                "crates/backends/file",
                "storage-conformance",
                false,
            ),
            ("storage-sync", "crates/sync", "storage-file", false),
            (
                "storage-middleware",
                "crates/middleware",
                "storage-sync",
                false,
            ),
            (
                "storage-file",
                "crates/backends/file",
                "storage-middleware",
                false,
            ),
            ("storage-sync", "crates/sync", "storage-compression", false),
            (
                "storage-compression",
                "crates/compression/core",
                "storage-gzip",
                false,
            ),
            (
                "storage-format",
                "crates/formats/core",
                "storage-compression",
                false,
            ),
            (
                "storage-zstd",
                "crates/compression/zstd",
                "storage-gzip",
                false,
            ),
            ("storage-sync", "crates/sync", "omnistorage", false),
            ("storage-sync", "crates/sync", "omnistorage", true),
            ("omnistorage", "crates/omnistorage", "storage-faults", false),
            ("omnistorage", "crates/omnistorage", "omnistorage-cli", true),
            (
                "omnistorage-cli",
                "crates/cli",
                "storage-conformance",
                false,
            ),
            (
                "storage-faults",
                "crates/testing/faults",
                "storage-memory",
                false,
            ),
            ("storage-file", "crates/backends/file", "xtask", true),
            ("xtask", "xtask", "omnistorage-cli", false),
        ];
        for (name, folder, on, dev) in wrong {
            let found = with_edge(name, folder, on, dev);
            assert!(
                found.len() == 1 && found[0].starts_with(name) && found[0].contains(on),
                "{name} on {on}: {found:?}"
            );
        }
    }

    #[test]
    fn the_edges_that_the_layers_are_made_for_are_none() {
        let right = [
            ("storage-hash", "crates/hash", "storage-core", false),
            (
                "storage-file",
                "crates/backends/file",
                "storage-hash",
                false,
            ),
            (
                "storage-file",
                "crates/backends/file",
                "storage-conformance",
                true,
            ),
            (
                "storage-gzip",
                "crates/compression/gzip",
                "storage-compression",
                false,
            ),
            (
                "storage-ndjson",
                "crates/formats/ndjson",
                "storage-format",
                false,
            ),
            (
                "omnistorage",
                "crates/omnistorage",
                "storage-compression",
                false,
            ),
            ("storage-sync", "crates/sync", "storage-core", false),
            ("storage-sync", "crates/sync", "storage-middleware", false),
            ("storage-sync", "crates/sync", "storage-file", true),
            ("omnistorage", "crates/omnistorage", "storage-sync", false),
            ("omnistorage-cli", "crates/cli", "omnistorage", false),
            ("omnistorage-cli", "crates/cli", "storage-faults", true),
            (
                "storage-conformance",
                "crates/testing/conformance",
                "storage-faults",
                false,
            ),
            (
                "storage-features",
                "crates/testing/features",
                "storage-file",
                false,
            ),
        ];
        for (name, folder, on, dev) in right {
            assert_eq!(with_edge(name, folder, on, dev), [""; 0], "{name} on {on}");
        }
    }

    #[test]
    fn a_wrong_name_or_folder_is_a_breach() {
        let misnamed = breaches(&workspace(package(
            "file-storage",
            "crates/backends/disk",
            &[],
        )));
        assert_eq!(
            misnamed,
            ["file-storage: the crate in crates/backends/disk is called storage-disk"]
        );
        let lost = breaches(&workspace(package("storage-misc", "crates/misc", &[])));
        assert_eq!(
            lost,
            ["storage-misc: the folder crates/misc belongs to no layer"]
        );
    }
}
