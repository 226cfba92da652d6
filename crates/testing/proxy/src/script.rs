use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Fault, When};

/// How many requests are kept; later ones pass uncounted.
const MOST: usize = 1 << 18;

/// A request that the proxy saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    bytes: Vec<u8>,
    fault: Option<Fault>,
}

impl Request {
    pub(crate) fn http(method: &str, target: &str, headers: &[(String, String)]) -> Self {
        let kept = headers.iter().filter(|(name, _)| name != "authorization");
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: kept.cloned().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn tcp(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            ..Self::default()
        }
    }

    /// Its method; empty over TCP.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Its path with the query, as it was sent; empty over TCP.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The value of a header, the first of several; its name is in lower case. `authorization` is not
    /// kept.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(own, _)| own == name)?;
        Some(value)
    }

    /// What was sent over TCP, at most the first 64 KiB; empty over HTTP.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What a rule did to it.
    #[must_use]
    pub const fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }
}

/// The rules, and what they were asked.
#[derive(Debug, Default)]
pub(crate) struct Script {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    requests: Vec<Request>,
}

#[derive(Debug)]
struct Rule {
    when: When,
    fault: Fault,
    /// How many requests it was about.
    seen: u64,
}

impl Script {
    pub(crate) fn add(&self, when: When, fault: Fault) {
        let seen = 0;
        self.lock().rules.push(Rule { when, fault, seen });
    }

    pub(crate) fn clear(&self) {
        *self.lock() = State::default();
    }

    /// Notes a request and says what is to happen to it.
    pub(crate) fn next(&self, mut request: Request) -> Option<Fault> {
        let mut state = self.lock();
        let mut fault = None;
        for rule in state
            .rules
            .iter_mut()
            .filter(|rule| rule.when.fits(&request))
        {
            if fault.is_none() && rule.when.takes(rule.seen) {
                fault = Some(rule.fault.clone());
            }
            rule.seen += 1;
        }
        request.fault.clone_from(&fault);
        if state.requests.len() < MOST {
            state.requests.push(request);
        }
        fault
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    pub(crate) fn count(&self, when: &When) -> usize {
        let state = self.lock();
        let requests = state.requests.iter();
        requests.filter(|request| when.fits(request)).count()
    }

    pub(crate) fn pending(&self) -> usize {
        let state = self.lock();
        let rules = state.rules.iter().filter(|rule| rule.when.ends());
        rules.filter(|rule| !rule.when.is_over(rule.seen)).count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
