//! Servers and connections that fail: nothing wrong is given for right, and what can go on does.

use std::time::Duration;

use storage_core::{
    Backend, BackendExt, ByteRange, Bytes, Error, ErrorKind, ObjectPath, ReadOptions, Result,
    Version,
};

use crate::scripted::{Answer, Scripted, content};

const SIZE: usize = 3 << 20;
const TAG: (&str, &str) = ("ETag", "\"one\"");

async fn read(server: &Scripted, range: impl Into<ByteRange>) -> Result<Bytes> {
    let backend = server.builder().open().await?;
    backend
        .read(&ObjectPath::new("x")?, ReadOptions::from(range.into()))
        .await
}

/// The first `sent` bytes of `content` under the length of all of it.
fn cut(content: &[u8], sent: usize, headers: &[(&str, &str)]) -> Answer {
    let length = content.len().to_string();
    let headers = [headers, &[("Content-Length", length.as_str())]].concat();
    Answer::new(200, &headers, &content[..sent])
}

/// What a server that knows ranges answers to the range of a request; 400 to what is none.
fn rest(content: &[u8], range: Option<&str>, headers: &[(&str, &str)]) -> Answer {
    let bounds = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let Some((Ok(start), last)) = bounds.map(|(start, last)| (start.parse::<usize>(), last)) else {
        return Answer::new(400, &[], b"");
    };
    let end = last.parse().map_or(content.len(), |last: usize| last + 1);
    let told = format!("bytes {start}-{}/{}", end - 1, content.len());
    let headers = [headers, &[("Content-Range", told.as_str())]].concat();
    Answer::new(206, &headers, &content[start..end])
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_was() -> Result<()> {
    let server = Scripted::start(|count, asked| match count {
        0 => cut(&content(SIZE), 1_000_000, &[TAG]),
        _ => rest(&content(SIZE), asked.header("range"), &[TAG]),
    })
    .await?;
    assert!(read(&server, ..).await? == content(SIZE));
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].header("if-match"), Some("\"one\""));
    let last = SIZE - 1;
    let range = format!("bytes=1000000-{last}");
    assert_eq!(asked[1].header("range"), Some(range.as_str()));
    Ok(())
}

#[tokio::test]
async fn it_goes_on_without_ranges_too() -> Result<()> {
    let server = Scripted::start(|count, _| match count {
        0 | 1 => cut(&content(SIZE), (count + 1) * 1_000_000, &[TAG]),
        _ => Answer::new(200, &[TAG], &content(SIZE)),
    })
    .await?;
    assert!(read(&server, 500_000..2_500_000).await? == content(SIZE)[500_000..2_500_000]);
    assert_eq!(server.asked().len(), 3);
    Ok(())
}

#[tokio::test]
async fn versions_are_never_mixed() -> Result<()> {
    for second in ["\"two\"", "W/\"one\""] {
        let server = Scripted::start(move |count, asked| match count {
            0 => cut(&content(SIZE), 1_000_000, &[TAG]),
            _ => rest(&[7; SIZE], asked.header("range"), &[("ETag", second)]),
        })
        .await?;
        let error = read(&server, ..).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{error}");
        assert!(
            error.is_transient() && error.to_string().contains("changed"),
            "{error}"
        );
    }
    for header in [None, Some(("ETag", "W/\"one\""))] {
        let headers = Vec::from_iter(header);
        let server = Scripted::start(move |_, _| cut(&content(SIZE), 1_000_000, &headers)).await?;
        let error = read(&server, ..).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{error}");
        assert_eq!(server.asked().len(), 1, "it went on without a version");
    }
    Ok(())
}

#[tokio::test]
async fn a_download_that_never_gets_on_fails() -> Result<()> {
    let server = Scripted::start(|_, _| cut(&content(SIZE), 1_000, &[TAG])).await?;
    let error = read(&server, ..).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(server.asked().len() <= 5, "{}", server.asked().len());
    Ok(())
}

#[tokio::test]
async fn a_whole_object_is_sliced() -> Result<()> {
    let server = Scripted::start(|_, _| Answer::new(200, &[], &content(SIZE))).await?;
    for (range, expected) in [
        (ByteRange::Bounded(2, 7), 2..7),
        (ByteRange::From(SIZE as u64 - 3), SIZE - 3..SIZE),
        (ByteRange::Suffix(9), SIZE - 9..SIZE),
        (ByteRange::Bounded(5, u64::MAX), 5..SIZE),
    ] {
        assert!(
            read(&server, range).await? == content(SIZE)[expected],
            "{range:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_object_of_unknown_size_is_read_to_its_end() -> Result<()> {
    let chunked = [("Transfer-Encoding", "chunked"), ("Content-Length", "999")];
    let server = Scripted::start(move |_, _| {
        Answer::new(200, &chunked[..1], b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
    })
    .await?;
    assert_eq!(read(&server, ..).await?, "abcdefg");
    assert_eq!(read(&server, 2..5).await?, "cde");
    assert_eq!(read(&server, 5..50).await?, "fg");
    assert!(
        read(&server, ByteRange::Suffix(2))
            .await
            .unwrap_err()
            .is_unsupported()
    );
    let server = Scripted::start(move |_, _| {
        Answer::new(
            200,
            &[("Transfer-Encoding", "chunked")],
            b"3\r\nabc\r\n4\r\nde",
        )
    })
    .await?;
    assert_eq!(
        read(&server, ..).await.unwrap_err().kind(),
        ErrorKind::Network
    );
    Ok(())
}

#[tokio::test]
async fn other_bytes_than_asked_for_are_corrupt() -> Result<()> {
    for (told, length) in [
        ("bytes 0-4/10", 5),
        ("bytes 2-7/10", 6),
        ("bytes 2-5/10", 4),
        ("bytes 2-6/10", 4),
        ("bytes 3-6/*", 4),
        ("bytes 2-6", 5),
        ("lines 2-6/10", 5),
        ("bytes */10", 5),
    ] {
        let server = Scripted::start(move |_, _| {
            Answer::new(206, &[("Content-Range", told)], &content(length))
        })
        .await?;
        let error = read(&server, 2..7).await.unwrap_err();
        assert!(error.is_corrupt(), "{told}: {error}");
    }
    let server = Scripted::start(|_, _| Answer::new(206, &[], b"abcde")).await?;
    assert!(read(&server, 2..7).await.unwrap_err().is_corrupt());
    Ok(())
}

#[tokio::test]
async fn a_busy_server_is_asked_again_within_limits() -> Result<()> {
    let busy = |wait: &'static str| Answer::new(429, &[("Retry-After", wait)], b"slow down");
    let server = Scripted::start(move |count, _| match count {
        0 => busy("0"),
        1 => Answer::new(503, &[], b""),
        2 => Answer::hang_up(),
        _ => Answer::new(200, &[], b"done"),
    })
    .await?;
    assert_eq!(read(&server, ..).await?, "done");

    let server = Scripted::start(move |_, _| busy("0")).await?;
    let error = read(&server, ..).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.is_transient()),
        (ErrorKind::RateLimited, true)
    );
    assert_eq!(server.asked().len(), 4, "`max_attempts` is 4");

    let server = Scripted::start(move |_, _| busy("3600")).await?;
    let error = read(&server, ..).await.unwrap_err();
    assert!(error.to_string().contains("3600s"), "{error}");
    assert_eq!(
        server.asked().len(),
        1,
        "there is no time to wait for an hour"
    );
    Ok(())
}

#[tokio::test]
async fn silence_is_a_timeout() -> Result<()> {
    for body in [false, true] {
        let server = Scripted::start(move |_, _| match body {
            false => Answer::silence(),
            true => cut(b"abcdef", 3, &[]).then_silence(),
        })
        .await?;
        let builder = server.builder().timeout(Duration::from_millis(200));
        let backend = builder.max_attempts(2).open().await?;
        let error = backend.get("x").await.unwrap_err();
        assert!(error.is_timeout() && error.is_transient(), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn statuses_are_told_apart() -> Result<()> {
    for (status, kind, transient) in [
        (400, ErrorKind::Other, false),
        (401, ErrorKind::PermissionDenied, false),
        (403, ErrorKind::PermissionDenied, false),
        (404, ErrorKind::NotFound, false),
        (410, ErrorKind::NotFound, false),
        (414, ErrorKind::InvalidPath, false),
        (429, ErrorKind::RateLimited, true),
        (500, ErrorKind::Other, true),
        (503, ErrorKind::Other, true),
        (504, ErrorKind::Timeout, true),
        (204, ErrorKind::Other, false),
        (304, ErrorKind::Other, false),
    ] {
        let server = Scripted::start(move |_, _| Answer::new(status, &[], b"")).await?;
        let backend = server.builder().max_attempts(1).open().await?;
        let error = backend.get("x").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_transient()),
            (kind, transient),
            "{status}: {error}"
        );
        assert_eq!(error.path(), Some("x"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_range_past_the_end_is_empty_and_a_refused_one_is_not() -> Result<()> {
    for (size, empty) in [("5", true), ("50", false)] {
        let server = Scripted::start(move |_, asked| match asked.method.as_str() {
            "HEAD" => Answer::new(200, &[("Content-Length", size)], b""),
            _ => Answer::new(416, &[], b""),
        })
        .await?;
        match read(&server, 7..9).await {
            Ok(bytes) => assert!(empty && bytes.is_empty()),
            Err(error) => assert!(!empty && error.to_string().contains("refuses"), "{error}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn conditions_hold_even_if_the_server_ignores_them() -> Result<()> {
    let server = Scripted::start(|_, _| Answer::new(200, &[TAG], b"abc")).await?;
    let backend = server.builder().versions(true).open().await?;
    let path = ObjectPath::new("x")?;
    let read = async |options| backend.read(&path, options).await;
    let one = Version::new("\"one\"");
    assert_eq!(
        read(ReadOptions::default().if_version(one.clone())).await?,
        "abc"
    );
    for other in ["\"two\"", "W/\"one\"", "no tag\n"] {
        let error = read(ReadOptions::default().if_version(Version::new(other))).await;
        let error = error.unwrap_err();
        let actual = error.precondition().and_then(|(_, actual)| actual.cloned());
        assert_eq!(actual, Some(one.clone()), "{error}");
        assert_eq!(
            read(ReadOptions::default().if_changed_from(Version::new(other))).await?,
            "abc"
        );
    }
    let same = read(ReadOptions::default().if_changed_from(one)).await;
    assert!(same.unwrap_err().is_not_modified());
    Ok(())
}

#[tokio::test]
async fn ranges_of_two_versions_are_refused() -> Result<()> {
    let server = Scripted::start(|count, asked| {
        let tag = if count == 0 { "\"one\"" } else { "\"two\"" };
        rest(&content(100), asked.header("range"), &[("ETag", tag)])
    })
    .await?;
    let backend = server.builder().open().await?;
    let parts = backend
        .read_ranges(&ObjectPath::new("x")?, &[0..5, 50..60])
        .await;
    assert!(parts.unwrap_err().is_precondition_failed());
    Ok(())
}

#[tokio::test]
async fn ranges_that_show_that_the_object_changed_are_refused() -> Result<()> {
    const ONE: &str = "Sat, 21 Nov 2026 19:32:40 GMT";
    const TWO: &str = "Sat, 21 Nov 2026 19:32:41 GMT";
    for (name, first, second, size) in [
        ("ETag", "W/\"one\"", "W/\"two\"", 100),
        ("Last-Modified", ONE, TWO, 100),
        ("Last-Modified", ONE, ONE, 99),
        ("Last-Modified", ONE, ONE, 100),
    ] {
        let server = Scripted::start(move |count, asked| {
            let (value, size) = if count == 0 {
                (first, 100)
            } else {
                (second, size)
            };
            rest(&content(size), asked.header("range"), &[(name, value)])
        })
        .await?;
        let backend = server.builder().open().await?;
        let path = ObjectPath::new("x")?;
        let parts = backend.read_ranges(&path, &[0..5, 50..60]).await;
        if (first, size) == (second, 100) {
            assert_eq!(parts?.concat().len(), 15);
            continue;
        }
        let error = parts.unwrap_err();
        assert!(
            error.is_transient() && error.to_string().contains("changed"),
            "{name} {second} {size}: {error}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_server_without_head_still_tells_sizes() -> Result<()> {
    let server = Scripted::start(|_, asked| match asked.method.as_str() {
        "GET" => Answer::new(200, &[TAG], b"abc"),
        _ => Answer::new(405, &[], b""),
    })
    .await?;
    let backend = server.builder().open().await?;
    let info = backend.try_stat("x").await?;
    assert_eq!(info.and_then(|info| info.size), Some(3));
    Ok(())
}

#[tokio::test]
async fn content_encodings_are_left_alone() -> Result<()> {
    let server = Scripted::start(|_, _| {
        Answer::new(200, &[("Content-Encoding", "gzip")], b"\x1f\x8bnot really")
    })
    .await?;
    assert_eq!(read(&server, ..).await?, &b"\x1f\x8bnot really"[..]);
    assert_eq!(
        server.asked()[0].header("accept-encoding"),
        Some("identity")
    );
    Ok(())
}

#[tokio::test]
async fn opening_says_at_once_what_is_wrong() -> Result<()> {
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        format!("http://{}/", listener.local_addr()?)
    };
    let error = storage_http::HttpBackend::builder(&closed)
        .open()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(error.to_string().contains("127.0.0.1"), "{error}");

    let server = Scripted::start(|_, asked| match asked.path.as_str() {
        "/locked/" => Answer::new(401, &[], b""),
        "/failing/" => Answer::new(500, &[], b""),
        "/silent/" => Answer::silence(),
        _ => Answer::new(404, &[], b""),
    })
    .await?;
    let open = async |path: &str| -> Result<(), Error> {
        let builder = storage_http::HttpBackend::builder(format!("{}{path}", server.url()));
        let builder = builder.max_attempts(1).timeout(Duration::from_millis(300));
        builder.open().await.map(drop)
    };
    assert!(open("locked/").await.unwrap_err().is_permission_denied());
    assert_eq!(open("failing/").await.unwrap_err().kind(), ErrorKind::Other);
    assert!(open("silent/").await.unwrap_err().is_timeout());
    assert!(
        open("without-index/").await.is_ok(),
        "objects may be there all the same"
    );
    Ok(())
}
