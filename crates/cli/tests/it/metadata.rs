//! What the system keeps of files goes with them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::run::{omni, write};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn modes_go_from_files_to_files_and_through_stores_with_metadata() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/script", "#!"), ("src/d/secret", "1")]);
    let at = |path: &str| dir.path().join(path);
    for (path, mode) in [("src/script", 0o755), ("src/d/secret", 0o400)] {
        fs::set_permissions(at(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    omni(dir.path(), &["sync", "-M", "src", "dst"]).done();
    assert_eq!(mode(&at("dst/script")), 0o755);
    assert_eq!(mode(&at("dst/d/secret")), 0o400);
    let again = omni(dir.path(), &["sync", "-v", "-M", "src", "dst"]).done();
    assert_eq!(again.stdout, "");

    // Opened for custom metadata alone, a directory stands for any other store.
    let store = format!("file://{}?metadata=custom", at("store").to_str().unwrap());
    omni(dir.path(), &["sync", "-M", "src", &store]).done();
    if mode(&at("store/script")) == 0o755 {
        return; // No extended attributes here, so that there is no metadata.
    }
    let stat = omni(dir.path(), &["stat", "--json", "store/script"]).done();
    assert!(
        stat.stdout.contains("\"mode\":\"100755\""),
        "{}",
        stat.stdout
    );
    omni(dir.path(), &["sync", "-M", &store, "back"]).done();
    assert_eq!(mode(&at("back/script")), 0o755);
    assert_eq!(mode(&at("back/d/secret")), 0o400);
    let plain = omni(dir.path(), &["sync", "-v", "src", "plain"]).done();
    assert!(plain.stdout.contains("create script"), "{}", plain.stdout);
    assert_ne!(mode(&at("plain/d/secret")), 0o400);
}

#[test]
fn a_plan_is_applied_with_modes_on_request() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("src/script", "#!")]);
    let script = dir.path().join("src/script");
    fs::set_permissions(script, fs::Permissions::from_mode(0o750)).unwrap();
    let refused = omni(dir.path(), &["plan", "-M", "src", "dst"]);
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    assert!(refused.stderr.contains("omni apply"), "{}", refused.stderr);
    omni(dir.path(), &["plan", "src", "dst", "-o", "plan"]).done();
    omni(dir.path(), &["apply", "-M", "plan"]).done();
    assert_eq!(mode(&dir.path().join("dst/script")), 0o750);
}
