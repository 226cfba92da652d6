use std::time::Duration;

use storage_proxy::{Answer, Fault, Proxy, When};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A server that answers each line with `+line`, a proxy in front of it, and the lines it saw.
async fn ready() -> (Proxy, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, lines) = mpsc::channel(100);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(echo(stream, sender.clone()));
        }
    });
    let proxy = Proxy::tcp(&format!("redis://{address}/0")).await.unwrap();
    assert_eq!(proxy.url(), format!("redis://{}", proxy.address()));
    (proxy, lines)
}

async fn echo(stream: TcpStream, seen: mpsc::Sender<String>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        stream.write_all(format!("+{line}").as_bytes()).await?;
        seen.send(std::mem::take(&mut line)).await.unwrap();
    }
    Ok(())
}

/// Sends a line on a connection of its own and gives what comes until its end or a full line.
async fn ask(proxy: &Proxy, line: &str) -> String {
    let mut stream = BufReader::new(TcpStream::connect(proxy.address()).await.unwrap());
    stream.write_all(line.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A reset is an end as well.
    let _ = stream.read_line(&mut answer).await;
    answer
}

#[tokio::test]
async fn bytes_pass_and_faults_are_chosen_by_them() {
    let (proxy, mut lines) = ready().await;
    let set = || When::any().containing("set");
    proxy.rule(set().nth(2), Fault::LostReply);
    proxy.rule(set().nth(3), Fault::CutBefore);
    proxy.rule(set().nth(4), Fault::CutReply(3));
    proxy.rule(set().nth(5), Fault::Answer(Answer::bytes("-LOADING\r\n")));
    proxy.rule(set().nth(6), Fault::AnswerAfter(Answer::bytes("-ERR\r\n")));
    proxy.rule(set().nth(7), Fault::CutRequest(3));
    let mut answers = Vec::new();
    for number in 1..=7 {
        answers.push(ask(&proxy, &format!("SET {number}\n")).await);
    }
    assert_eq!(
        answers,
        ["+SET 1\n", "", "", "+SE", "-LOADING\r\n", "-ERR\r\n", ""]
    );
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(lines.recv().await.unwrap());
    }
    assert_eq!(seen, ["SET 1\n", "SET 2\n", "SET 4\n", "SET 6\n", "SET"]);
    assert_eq!(proxy.count(&When::any().containing("SET")), 7);
    assert_eq!(proxy.pending(), 0);
    assert_eq!(ask(&proxy, "GET\n").await, "+GET\n");
}

#[tokio::test]
async fn a_stalled_connection_and_one_that_is_down() {
    let (proxy, _lines) = ready().await;
    proxy.rule(When::any(), Fault::Stall);
    let patience = Duration::from_millis(50);
    assert!(timeout(patience, ask(&proxy, "GET\n")).await.is_err());
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(b"a\n").await.unwrap();
    let mut answer = [0; 3];
    stream.read_exact(&mut answer).await.unwrap();
    proxy.set_down(true);
    assert_eq!(stream.read(&mut answer).await.unwrap_or(0), 0);
    assert_eq!(ask(&proxy, "GET\n").await, "");
}

#[tokio::test]
async fn faults_of_http_are_refused() {
    let (proxy, _lines) = ready().await;
    proxy.rule(When::any(), Fault::Truncate(1));
    assert!(ask(&proxy, "GET\n").await.starts_with("storage-proxy: "));
}
