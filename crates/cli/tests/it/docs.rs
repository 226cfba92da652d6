//! Completions and manual pages.

use crate::run::omni;

#[test]
fn completions_know_every_verb() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = omni(dir.path(), &["completions", shell]).done().stdout;
        for word in ["omni", "purge", "max-delete"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(omni(dir.path(), &["completions", "tcsh"]).code, 2);
}

#[test]
fn there_is_a_manual_page_for_every_verb() {
    let dir = tempfile::tempdir().unwrap();
    let main = omni(dir.path(), &["man"]).done().stdout;
    for text in ["omni \\- Sync, copy", "Exit codes", "omni\\-sync(1)"] {
        assert!(main.contains(text), "{text}: {main}");
    }
    let sync = omni(dir.path(), &["man", "sync"]).done().stdout;
    assert!(
        sync.contains(".TH omni-sync 1") && sync.contains("\\-\\-max\\-delete"),
        "{sync}"
    );
    omni(dir.path(), &["man", "--dir", "pages"]).done();
    for page in [
        "omni.1",
        "omni-sync.1",
        "omni-config.1",
        "omni-config-create.1",
    ] {
        assert!(dir.path().join("pages").join(page).exists(), "{page}");
    }
    let unknown = omni(dir.path(), &["man", "snyc"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("\"snyc\""), "{}", unknown.stderr);
}
