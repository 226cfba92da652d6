//! The one connection that all requests share, made anew when it is lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Pipeline, Value};
use storage_core::{Error, ErrorKind, Result};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use crate::failure::Failure;
use crate::script::{SOURCES, Script};
use crate::settings::Settings;

/// Before the second attempt; each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Longest wait between two attempts.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// What a request does, which says what a lost reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing that anybody sees.
    None,
    Changes,
}

pub(crate) struct Link {
    client: Client,
    config: AsyncConnectionConfig,
    connect_timeout: Duration,
    pub(crate) max_attempts: u32,
    /// No attempt begins after this long, and none waits longer for its reply.
    budget: Duration,
    state: Mutex<State>,
}

enum State {
    Idle,
    /// Why there is no connection, and when that was known.
    Failed(Instant, Unconnected),
    Connected(Arc<Connected>),
    Closed,
}

/// What all are told who waited for the same connection.
#[derive(Clone)]
struct Unconnected {
    kind: ErrorKind,
    message: Arc<str>,
    is_transient: bool,
}

impl From<Unconnected> for Error {
    fn from(failed: Unconnected) -> Self {
        Self::new(failed.kind, failed.message.to_string()).with_transient(failed.is_transient)
    }
}

/// A connection, and what the server calls the scripts.
pub(crate) struct Connected {
    connection: MultiplexedConnection,
    scripts: Vec<Vec<u8>>,
}

/// One attempt at a request, while it is put together.
pub(crate) struct Request<'c> {
    connected: &'c Connected,
    pub(crate) commands: Pipeline,
}

impl Request<'_> {
    /// Adds a script with its keys and arguments.
    pub(crate) fn script(&mut self, script: Script, keys: &[&str]) -> &mut Pipeline {
        let name = self.connected.scripts.get(script as usize);
        self.commands
            .cmd("EVALSHA")
            .arg(name.map(Vec::as_slice).unwrap_or_default())
            .arg(keys.len())
            .arg(keys)
    }
}

impl Link {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            .set_response_timeout(Some(settings.timeout));
        Ok(Self {
            client: settings.client()?,
            config,
            connect_timeout: settings.connect_timeout,
            max_attempts: settings.max_attempts,
            budget: settings.timeout,
            state: Mutex::new(State::Idle),
        })
    }

    /// Sends commands, and again when the connection fails, and gives their replies. So the commands
    /// must be such that a repetition does no harm.
    ///
    /// # Errors
    /// The first command's that failed; transient ones, once the attempts are used up. With an unknown
    /// outcome where the request changes something and an attempt was not answered.
    pub(crate) async fn request(
        &self,
        effect: Effect,
        mut build: impl FnMut(&mut Request<'_>),
    ) -> Result<Vec<Value>> {
        let begun = Instant::now();
        let (mut attempt, mut lost) = (1, false);
        loop {
            let rest = self.budget.saturating_sub(begun.elapsed());
            let failed = match self.attempt(&mut build, rest, &mut lost).await {
                Ok(values) => return Ok(values),
                Err(failed) => failed,
            };
            let wait = wait_before(attempt);
            let last = attempt >= self.max_attempts || begun.elapsed() + wait >= self.budget;
            if last || !failed.is_transient() {
                return Err(match lost && effect == Effect::Changes {
                    true => failed.with_outcome_unknown(),
                    false => failed,
                });
            }
            tracing::debug!(attempt, error = %failed, "redis: trying again");
            sleep(wait).await;
            attempt += 1;
        }
    }

    /// Sends commands, if that may begin within `rest`, and notes when no answer comes.
    async fn attempt(
        &self,
        build: &mut impl FnMut(&mut Request<'_>),
        rest: Duration,
        lost: &mut bool,
    ) -> Result<Vec<Value>> {
        let connected = timeout(rest, self.connected())
            .await
            .map_err(|_| late(self.budget))??;
        let mut request = Request {
            connected: &connected,
            commands: Pipeline::new(),
        };
        build(&mut request);
        let commands = request.commands;
        match connected.send(&commands).await {
            Ok(values) => Ok(values),
            Err(failed) => {
                *lost |= !failed.answered;
                if failed.broken {
                    self.forget(&connected).await;
                }
                Err(failed.error)
            }
        }
    }

    /// Connects, unless that is done. Those who need a connection meanwhile wait for it, and fail
    /// with it.
    async fn connected(&self) -> Result<Arc<Connected>> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        match &*state {
            State::Connected(connected) => return Ok(Arc::clone(connected)),
            State::Closed => return Err(Error::new(ErrorKind::BackendClosed, "")),
            State::Failed(known, failed) if *known > asked => return Err(failed.clone().into()),
            State::Idle | State::Failed(..) => {}
        }
        let connecting = timeout(self.connect_timeout, self.connect()).await;
        match connecting.unwrap_or_else(|_| Err(late(self.connect_timeout))) {
            Ok(connected) => {
                let connected = Arc::new(connected);
                *state = State::Connected(Arc::clone(&connected));
                Ok(connected)
            }
            Err(error) => {
                let failed = Unconnected {
                    kind: error.kind(),
                    message: error.message().into(),
                    is_transient: error.is_transient(),
                };
                *state = State::Failed(Instant::now(), failed);
                Err(error)
            }
        }
    }

    async fn connect(&self) -> Result<Connected> {
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&self.config)
            .await
            .map_err(|error| Failure::of_connection(error).error)?;
        let mut connected = Connected {
            connection,
            scripts: Vec::new(),
        };
        let mut load = Pipeline::new();
        for source in SOURCES {
            load.cmd("SCRIPT").arg("LOAD").arg(source);
        }
        let names = connected.send(&load).await.map_err(|failed| failed.error)?;
        let text = |value| match value {
            Value::BulkString(name) => name,
            _ => Vec::new(),
        };
        connected.scripts = names.into_iter().map(text).collect();
        Ok(connected)
    }

    async fn forget(&self, broken: &Arc<Connected>) {
        let mut state = self.state.lock().await;
        if matches!(&*state, State::Connected(current) if Arc::ptr_eq(current, broken)) {
            *state = State::Idle;
        }
    }

    /// Lets go of the connection, and makes no other.
    pub(crate) async fn close(&self) {
        *self.state.lock().await = State::Closed;
    }
}

impl Connected {
    async fn send(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        let mut connection = self.connection.clone();
        let sent = connection.req_packed_commands(commands, 0, commands.len());
        let values = sent.await.map_err(Failure::of_connection)?;
        for value in &values {
            if let Value::ServerError(error) = value {
                return Err(Failure::of_server(error));
            }
        }
        Ok(values)
    }
}

fn late(limit: Duration) -> Error {
    let seconds = limit.as_secs_f32();
    Error::new(
        ErrorKind::Timeout,
        format!("no connection after {seconds} s"),
    )
}

/// Half of the wait is random, so that clients of one server do not come back together.
fn wait_before(attempt: u32) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let wait = FIRST_WAIT
        .saturating_mul(1 << attempt.saturating_sub(1).min(10))
        .min(MAX_WAIT);
    let random = RandomState::new().hash_one(attempt) % 1024;
    wait / 2 + wait / 2 * (random as u32) / 1024
}
