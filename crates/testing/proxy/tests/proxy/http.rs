use std::time::Duration;

use storage_proxy::{Answer, Fault, Proxy, When};
use tokio::time::{sleep, timeout};

use crate::origin::{Client, Origin, whole};

const BODY: &[u8] = &[7; 300_000];

/// A proxy, its origin with `BODY` at `/a`, and a client.
async fn ready() -> (Origin, Proxy, Client) {
    let (origin, proxy) = Origin::behind_a_proxy().await;
    let mut client = Client::new(&proxy).await;
    assert_eq!(client.put("/a", BODY).await.unwrap(), 200);
    (origin, proxy, client)
}

#[tokio::test]
async fn requests_pass_on_one_connection_and_are_counted() {
    let (origin, proxy, mut client) = ready().await;
    assert_eq!(client.get("/a").await.unwrap().body(), BODY);
    assert_eq!(client.get("/a?chunked").await.unwrap().body(), BODY);
    assert_eq!(client.put_in_pieces("/b", BODY).await.unwrap(), 200);
    assert_eq!(client.get("/b").await.unwrap().body(), BODY);
    let head = client.send("HEAD /a", Default::default()).await.unwrap();
    assert_eq!(head.headers()["content-length"], "300000");
    assert_eq!(client.get("/c").await.unwrap().status(), 404);
    assert_eq!(origin.seen().len(), 7);
    assert_eq!(proxy.requests().len(), 7);
    assert_eq!(proxy.count(&When::method("GET")), 4);
    assert_eq!(proxy.count(&When::any().path("/a*")), 4);
    assert_eq!(proxy.count(&When::any().header("Expect")), 1);
    assert_eq!(proxy.requests()[0].header("host"), Some("origin"));
    proxy.clear();
    assert!(proxy.requests().is_empty());
}

#[tokio::test]
async fn a_request_that_is_cut_before_never_arrives() {
    let (origin, proxy, mut client) = ready().await;
    proxy.rule(When::method("PUT").path("/b"), Fault::CutBefore);
    client.put("/b", b"1").await.unwrap_err();
    assert_eq!(origin.seen().len(), 1);
    let mut client = Client::new(&proxy).await;
    assert_eq!(client.put("/b", b"1").await.unwrap(), 200);
    assert_eq!(proxy.requests()[1].fault(), Some(&Fault::CutBefore));
    assert_eq!(proxy.pending(), 0);
}

#[tokio::test]
async fn a_request_that_is_cut_within_arrives_in_part() {
    let (origin, proxy, mut client) = ready().await;
    proxy.rule(When::method("PUT"), Fault::CutRequest(1000));
    client.put("/b", BODY).await.unwrap_err();
    while origin.seen().len() < 2 {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(origin.seen()[1], "PUT /b cut");
    assert_eq!(origin.object("/b"), None);
}

#[tokio::test]
async fn a_reply_is_lost_after_the_request_was_performed() {
    let (origin, proxy, mut client) = ready().await;
    proxy.rule(When::method("PUT"), Fault::LostReply);
    client.put("/b", BODY).await.unwrap_err();
    assert_eq!(origin.object("/b").unwrap(), BODY);
}

#[tokio::test]
async fn replies_are_cut_truncated_and_corrupted_where_said() {
    let (_, proxy, mut client) = ready().await;
    let get = |number| When::method("GET").nth(number);
    proxy.rule(get(1), Fault::Truncate(1000));
    proxy.rule(get(2), Fault::CorruptReply(299_999));
    proxy.rule(get(3), Fault::CutReply(299_999));
    assert_eq!(client.get("/a").await.unwrap().body(), &BODY[..1000]);
    let corrupt = client.get("/a").await.unwrap().into_body();
    assert_eq!(corrupt[..299_999], BODY[..299_999]);
    assert_eq!(corrupt[299_999], !7);
    client.get("/a").await.unwrap_err();
    proxy.rule(get(1), Fault::CutReply(1000));
    let mut client = Client::new(&proxy).await;
    client.get("/a?chunked").await.unwrap_err();
}

#[tokio::test]
async fn a_request_is_corrupted_where_said() {
    let (origin, proxy, mut client) = ready().await;
    proxy.rule(When::method("PUT"), Fault::CorruptRequest(1));
    client.put("/b", b"\x01\x02\x03").await.unwrap();
    assert_eq!(origin.object("/b").unwrap(), &b"\x01\xfd\x03"[..]);
}

#[tokio::test]
async fn a_request_arrives_twice() {
    let (origin, proxy, mut client) = ready().await;
    proxy.rule(When::method("PUT"), Fault::Duplicate);
    assert_eq!(client.put("/b", BODY).await.unwrap(), 200);
    assert_eq!(origin.seen()[1..], ["PUT /b 300000", "PUT /b 300000"]);
    assert_eq!(proxy.count(&When::any()), 2);
}

#[tokio::test]
async fn the_proxy_answers_before_and_after_the_server_does() {
    let (origin, proxy, mut client) = ready().await;
    let slow_down = Answer::new(503)
        .header("Retry-After", "1")
        .body("<Code>SlowDown</Code>");
    let failed = Answer::new(200).body("<Code>InternalError</Code>");
    proxy.rule(When::method("PUT").first(2), Fault::Answer(slow_down));
    proxy.rule(When::method("PUT").nth(3), Fault::AnswerAfter(failed));
    assert_eq!(client.put("/b", BODY).await.unwrap(), 503);
    assert_eq!(client.put_in_pieces("/b", BODY).await.unwrap(), 503);
    assert_eq!(origin.object("/b"), None);
    let mut client = Client::new(&proxy).await;
    let response = client.send("PUT /b", whole("1".into())).await.unwrap();
    assert_eq!(response.body(), "<Code>InternalError</Code>");
    assert_eq!(origin.object("/b").unwrap(), "1");
    proxy.rule(
        When::method("HEAD"),
        Fault::Answer(Answer::new(500).body("text")),
    );
    let response = client.send("HEAD /a", Default::default()).await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(client.get("/a").await.unwrap().body(), BODY);
}

#[tokio::test]
async fn a_stalled_exchange_ends_with_the_client() {
    let (origin, proxy, mut client) = ready().await;
    proxy.rule(When::method("GET").nth(1), Fault::StallReply(1000));
    proxy.rule(When::method("GET").nth(2), Fault::Stall);
    let patience = Duration::from_millis(50);
    assert!(timeout(patience, client.get("/a")).await.is_err());
    let mut client = Client::new(&proxy).await;
    assert!(timeout(patience, client.get("/a")).await.is_err());
    assert_eq!(origin.seen(), ["PUT /a 300000", "GET /a 0"]);
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_waited_before_the_request_is_sent() {
    let (origin, proxy, mut client) = ready().await;
    proxy.rule(When::method("GET"), Fault::Delay(Duration::from_secs(9)));
    let start = tokio::time::Instant::now();
    assert_eq!(client.get("/a").await.unwrap().body(), BODY);
    assert!(start.elapsed() >= Duration::from_secs(9));
    assert_eq!(origin.seen().len(), 2);
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_passes() {
    let (_, proxy, mut client) = ready().await;
    let body = vec![0; 8 << 20];
    assert_eq!(client.put("/refused", &body).await.unwrap(), 403);
    assert_eq!(proxy.requests().len(), 2);
}

#[tokio::test]
async fn faults_that_have_no_place_are_refused() {
    let (_, proxy, mut client) = ready().await;
    proxy.rule(When::method("GET"), Fault::Truncate(1));
    let response = client.get("/a?chunked").await.unwrap();
    assert_eq!(response.status(), 501);
    assert!(response.body().starts_with(b"storage-proxy: "));
    let error = Proxy::http("https://127.0.0.1:1").await.unwrap_err();
    assert!(error.to_string().contains("https"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_is_down_ends_connections_old_and_new() {
    let (origin, proxy, mut client) = ready().await;
    proxy.set_down(true);
    client.get("/a").await.unwrap_err();
    proxy.set_down(false);
    let mut client = Client::new(&proxy).await;
    assert_eq!(client.get("/a").await.unwrap().body(), BODY);
    assert_eq!(origin.seen().len(), 2);
}
