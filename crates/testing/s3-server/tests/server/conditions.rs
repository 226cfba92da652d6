use std::sync::Arc;

use tokio::task::JoinSet;

use super::client::Client;

const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[tokio::test]
async fn reads_take_all_four_conditions() {
    let client = Client::new().await;
    client.put("/k", &[], b"hello").await;
    let (past, future) = (
        "Mon, 01 Jan 2001 00:00:00 GMT",
        "Fri, 01 Jan 2100 00:00:00 GMT",
    );
    for (name, value, status) in [
        ("if-match", HELLO, 200),
        ("if-match", "*", 200),
        ("if-match", "\"other\"", 412),
        ("if-none-match", HELLO, 304),
        ("if-none-match", "*", 304),
        ("if-none-match", "\"other\"", 200),
        ("if-modified-since", past, 200),
        ("if-modified-since", future, 304),
        ("if-unmodified-since", past, 412),
        ("if-unmodified-since", future, 200),
    ] {
        for method in ["GET", "HEAD"] {
            let reply = client.send(method, "/k", &[(name, value)], b"").await;
            assert_eq!(reply.status, status, "{method} {name}: {value}");
            if status == 304 {
                assert_eq!(reply.header("etag"), Some(HELLO));
            }
        }
    }
}

#[tokio::test]
async fn writes_are_decided_by_what_is_there() {
    let client = Client::new().await;
    let (absent, hello) = (("if-none-match", "*"), ("if-match", HELLO));
    let missing = client.put("/k", &[hello], b"1").await;
    assert_eq!(missing.outcome(), (404, "NoSuchKey".into()));
    assert_eq!(client.put("/k", &[absent], b"hello").await.status, 200);
    let failed = (412, "PreconditionFailed".to_owned());
    assert_eq!(client.put("/k", &[absent], b"2").await.outcome(), failed);
    assert_eq!(client.content("k").await, b"hello");
    assert_eq!(client.put("/k", &[hello], b"3").await.status, 200);
    assert_eq!(client.put("/k", &[hello], b"4").await.outcome(), failed);
    assert_eq!(client.content("k").await, b"3");
    let large = vec![7; 1 << 20];
    assert_eq!(client.put("/k", &[absent], &large).await.outcome(), failed);
    client.holds_only(&["k"]).await;
    let unknown = client.put("/k", &[("if-none-match", HELLO)], b"5").await;
    assert_eq!(unknown.status, 501);
}

#[tokio::test]
async fn deletes_are_decided_by_what_is_there() {
    let client = Client::new().await;
    client.put("/k", &[], b"hello").await;
    let delete = |value| {
        let client = &client;
        async move {
            client
                .send("DELETE", "/k", &[("if-match", value)], b"")
                .await
        }
    };
    assert_eq!(
        delete("\"other\"").await.outcome(),
        (412, "PreconditionFailed".into())
    );
    client.holds_only(&["k"]).await;
    assert_eq!(delete(HELLO).await.status, 204);
    for missing in [HELLO, "*"] {
        assert_eq!(delete(missing).await.status, 412, "{missing}");
    }
    client.holds_only(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_racing_creators_one_wins() {
    let client = Arc::new(Client::new().await);
    for round in 0..5 {
        let mut racers = JoinSet::new();
        for racer in 0..24 {
            let client = Arc::clone(&client);
            racers.spawn(async move {
                let (target, body) = (format!("/race{round}"), racer.to_string());
                let put = client.put(&target, &[("if-none-match", "*")], body.as_bytes());
                (put.await.status, body)
            });
        }
        let results = racers.join_all().await;
        let winners: Vec<_> = results
            .iter()
            .filter(|(status, _)| *status == 200)
            .collect();
        let losers = results.iter().filter(|(status, _)| *status == 412).count();
        assert_eq!((winners.len(), losers), (1, 23), "{results:?}");
        let content = client.content(&format!("race{round}")).await;
        assert_eq!(content, winners[0].1.as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_is_lost() {
    let client = Arc::new(Client::new().await);
    client.put("/n", &[], b"0").await;
    let mut racers = JoinSet::new();
    for _ in 0..6 {
        let client = Arc::clone(&client);
        racers.spawn(async move {
            let mut done = 0;
            while done < 5 {
                let got = client.get("/n").await;
                let etag = got.header("etag").unwrap_or_default().to_owned();
                let next = got.text().parse::<u32>().unwrap() + 1;
                let condition = [("if-match", etag.as_str())];
                let put = client
                    .put("/n", &condition, next.to_string().as_bytes())
                    .await;
                match put.status {
                    200 => done += 1,
                    status => assert_eq!(status, 412, "{put:?}"),
                }
            }
        });
    }
    racers.join_all().await;
    assert_eq!(client.content("n").await, b"30");
}

/// A conditional delete and a replacement race; whoever comes second must see what the first did.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_conditional_delete_never_takes_a_newer_object() {
    let client = Client::new().await;
    for round in 0..40 {
        client.put("/k", &[], b"hello").await;
        let (deleted, replaced) = tokio::join!(
            client.send("DELETE", "/k", &[("if-match", HELLO)], b""),
            client.put("/k", &[], b"newer"),
        );
        assert_eq!(replaced.status, 200);
        assert!([204, 412].contains(&deleted.status), "{deleted:?}");
        assert_eq!(client.content("k").await, b"newer", "round {round}");
    }
}
