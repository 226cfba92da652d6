//! What the proxy promises, between a real client and a real server of HTTP, and of lines over TCP.
#![allow(clippy::unwrap_used)]

#[path = "proxy/http.rs"]
mod http;
#[path = "proxy/origin.rs"]
mod origin;
#[path = "proxy/tcp.rs"]
mod tcp;
