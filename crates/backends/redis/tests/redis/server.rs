//! The shared server, servers of a test's own, and a client that knows nothing of the backend.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use storage_core::{Config, Registry, Uri};
use storage_redis::{RedisBackend, RedisBuilder, RedisFactory};

/// Where a server is.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) port: u16,
    pub(crate) database: u32,
}

impl Address {
    pub(crate) fn builder(&self) -> RedisBuilder {
        let builder = RedisBackend::builder("127.0.0.1");
        builder.port(self.port).database(self.database)
    }
}

/// The server that all tests use; `None`, visibly, where there is none.
pub(crate) fn shared() -> Option<Address> {
    let url = storage_conformance::server("redis")?;
    let uri = Uri::parse(&url).unwrap();
    let (_, port) = uri.authority().rsplit_once(':').unwrap();
    Some(Address {
        port: port.parse().unwrap(),
        database: uri.path().trim_matches('/').parse().unwrap_or(0),
    })
}

/// A prefix that nobody else uses.
pub(crate) fn prefix() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("test-{:016x}", RandomState::new().hash_one(0))
}

pub(crate) fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register("redis", RedisFactory::new()).unwrap();
    registry
        .register("rediss", RedisFactory::with_tls())
        .unwrap();
    registry
}

pub(crate) fn config(address: &Address) -> Config {
    Config::new()
        .with("endpoint", format!("127.0.0.1:{}", address.port))
        .with("database", address.database.to_string())
        .with("prefix", prefix())
}

/// A server of one's own, in a folder that goes with it.
pub(crate) struct Server {
    pub(crate) address: Address,
    folder: tempfile::TempDir,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Server {
    /// Starts one; `None`, visibly, where it is not installed, and only where the shared one is there.
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        shared()?;
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut server = Self {
            address: Address { port, database: 0 },
            folder: tempfile::tempdir().unwrap(),
            arguments: arguments
                .iter()
                .map(|&argument| argument.to_owned())
                .collect(),
            child: None,
        };
        server.up();
        Some(server)
    }

    /// Starts it, on the same port and with what it has stored.
    pub(crate) fn up(&mut self) {
        let port = self.address.port.to_string();
        let child = Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &port,
                "--save",
                "",
                "--dir",
            ])
            .arg(self.folder.path())
            .args(&self.arguments)
            .stdout(Stdio::null())
            .spawn();
        let missing = "redis-server, also where OMNISTORAGE_TEST_REDIS names another server";
        self.child = Some(child.expect(missing));
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.address.port)).is_err() {
            assert!(Instant::now() < deadline, "the server does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it like a loss of power does.
    pub(crate) fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A connection of one's own.
pub(crate) struct Raw(BufReader<TcpStream>);

impl Raw {
    pub(crate) fn connect(address: &Address) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", address.port)).unwrap();
        let mut raw = Self(BufReader::new(stream));
        raw.send(&["SELECT", &address.database.to_string()]);
        raw
    }

    /// Sends a command; the lines and texts of its reply.
    pub(crate) fn send(&mut self, words: &[&str]) -> Vec<String> {
        let mut command = format!("*{}\r\n", words.len());
        for word in words {
            command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.0.get_mut().write_all(command.as_bytes()).unwrap();
        let mut values = Vec::new();
        self.reply(&mut values);
        values
    }

    fn reply(&mut self, values: &mut Vec<String>) {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let (kind, rest) = line.trim_end().split_at(1);
        match (kind, rest.parse::<i64>()) {
            ("$", Ok(length)) if length >= 0 => {
                let mut bytes = vec![0; length as usize + 2];
                self.0.read_exact(&mut bytes).unwrap();
                bytes.truncate(length as usize);
                values.push(String::from_utf8_lossy(&bytes).into_owned());
            }
            ("*", Ok(count)) => (0..count).for_each(|_| self.reply(values)),
            _ => values.push(rest.to_owned()),
        }
    }

    pub(crate) fn number(&mut self, words: &[&str]) -> i64 {
        self.send(words)[0].parse().unwrap()
    }

    /// All keys of a pattern.
    pub(crate) fn keys(&mut self, pattern: &str) -> Vec<String> {
        self.send(&["KEYS", pattern])
    }
}
