use std::env::VarError;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where `cargo xtask servers up` writes what runs, below the root of a workspace.
const FOLDER: &str = "target/servers";

/// What a test that needs a server is told about it: the value of `OMNISTORAGE_TEST_NAME`, from the
/// environment or from a server that `cargo xtask servers up` started and that answers.
///
/// | `name` | Value |
/// |---|---|
/// | `rgw`, `moto` | endpoint of S3, key `omnistorage`, secret `omnistorage-secret`, region `us-east-1` |
/// | `nginx` | `http://127.0.0.1:PORT/`, with listings as JSON |
/// | `nginx_root` | the folder that nginx serves |
/// | `redis` | `redis://127.0.0.1:PORT/0` |
///
/// Other tests use the same server at the same time: keep to a bucket, a folder or a prefix of your
/// own. Blocks for at most a second, for connecting.
///
/// `None`, after a line on standard error that says what would help, where there is no server: the
/// test is to return.
///
/// ```no_run
/// # fn a_test() {
/// let Some(address) = storage_conformance::server("redis") else {
///     return;
/// };
/// # }
/// ```
///
/// # Panics
/// With `CI=true`, where a server is missing: such a run is to leave nothing out.
#[must_use]
pub fn server(name: &str) -> Option<String> {
    let variable = format!("OMNISTORAGE_TEST_{}", name.to_uppercase());
    let here = std::env::current_dir().unwrap_or_default();
    let found = match std::env::var(&variable) {
        Ok(value) => Some(value),
        Err(VarError::NotUnicode(_)) => None,
        Err(VarError::NotPresent) => noted(&here, &variable).filter(|value| answers(value)),
    };
    if found.is_none() {
        let server = name.split('_').next().unwrap_or(name);
        let help = format!("run `cargo xtask servers up --only {server}` or set {variable}");
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "no {name}: {help}"
        );
        eprintln!("skipped: no {name}: {help}");
    }
    found
}

/// The variable's value in the notes of a server of the workspace that `folder` is in.
fn noted(folder: &Path, variable: &str) -> Option<String> {
    let folders = folder.ancestors().map(|folder| folder.join(FOLDER));
    let files = folders.flat_map(|folder| notes(&folder));
    let texts = files.filter_map(|file| std::fs::read_to_string(file).ok());
    texts.into_iter().find_map(|text| {
        let mut values = text.lines().filter_map(|line| line.split_once('='));
        let (_, value) = values.find(|(name, _)| *name == variable)?;
        Some(value.to_owned())
    })
}

fn notes(folder: &Path) -> Vec<PathBuf> {
    let servers = std::fs::read_dir(folder).into_iter().flatten().flatten();
    servers
        .map(|server| server.path().join("variables"))
        .collect()
}

/// Whether somebody listens where a URL points; what is no URL is taken as it is.
fn answers(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return true;
    };
    let address = rest.split('/').next().unwrap_or(rest);
    let mut addresses = address.to_socket_addrs().into_iter().flatten();
    addresses.any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::net::TcpListener;

    #[test]
    fn notes_are_found_from_a_folder_within_the_workspace() {
        let root = tempfile::tempdir().unwrap();
        let server = root.path().join(FOLDER).join("redis");
        let inner = root.path().join("crates/some");
        fs::create_dir_all(&server).unwrap();
        fs::create_dir_all(&inner).unwrap();
        let text = "OMNISTORAGE_TEST_A_ROOT=/x=y\nOMNISTORAGE_TEST_A=redis://127.0.0.1:1/0\n";
        fs::write(server.join("variables"), text).unwrap();
        let find = |name| noted(&inner, name);
        assert_eq!(
            find("OMNISTORAGE_TEST_A").as_deref(),
            Some("redis://127.0.0.1:1/0")
        );
        assert_eq!(find("OMNISTORAGE_TEST_A_ROOT").as_deref(), Some("/x=y"));
        assert_eq!(find("OMNISTORAGE_TEST_B"), None);
    }

    #[test]
    fn a_server_that_has_ended_does_not_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}/0", listener.local_addr().unwrap());
        assert!(answers(&url));
        drop(listener);
        assert!(!answers(&url));
        assert!(answers("/a/folder"));
    }
}
