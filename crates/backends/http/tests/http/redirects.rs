//! Where redirects lead, and what is not shown there.

use storage_core::{BackendExt, ErrorKind, Result};

use crate::scripted::{Answer, Scripted};

#[tokio::test]
async fn other_origins_see_no_credentials() -> Result<()> {
    let other = Scripted::start(|_, _| Answer::new(200, &[], b"from afar")).await?;
    let target = format!("{}moved", other.url());
    let server = Scripted::start(move |count, _| match count {
        0 => Answer::new(302, &[("Location", "/here")], b""),
        _ => Answer::new(307, &[("Location", target.as_str())], b""),
    })
    .await?;
    let builder = server.builder().token("hush").header("X-Key", "hush");
    let backend = builder.open().await?;
    assert_eq!(backend.get("x").await?, "from afar");
    for asked in server.asked() {
        assert_eq!(asked.header("authorization"), Some("Bearer hush"));
        assert_eq!(asked.header("x-key"), Some("hush"));
    }
    let [asked] = other.asked().try_into().unwrap();
    assert_eq!(asked.path, "/moved");
    assert!(!format!("{asked:?}").contains("hush"), "{asked:?}");
    Ok(())
}

#[tokio::test]
async fn redirects_are_bounded() -> Result<()> {
    let server =
        Scripted::start(|count, _| Answer::new(301, &[("Location", &format!("/{count}"))], b""))
            .await?;
    let error = server.builder().open().await?.get("x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other, "{error}");
    assert_eq!(server.asked().len(), 11);
    Ok(())
}

#[tokio::test]
async fn a_directory_is_no_object() -> Result<()> {
    let server = Scripted::start(|_, asked| match asked.path.as_str() {
        "/dir" => Answer::new(301, &[("Location", "http://elsewhere.invalid/dir/")], b""),
        _ => Answer::new(200, &[], b"<title>Index of /dir/</title>"),
    })
    .await?;
    let backend = server.builder().open().await?;
    assert!(backend.get("dir").await.unwrap_err().is_not_found());
    assert!(!backend.has("dir").await?);
    Ok(())
}
