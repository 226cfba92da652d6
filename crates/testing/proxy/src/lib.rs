//! A proxy in front of a real server, on a loopback port, that breaks what a test tells it to break
//! and counts the requests: [`Proxy::http`] for HTTP/1.1, [`Proxy::tcp`] for any other protocol.
//!
//! A rule is a [`When`], which requests, and a [`Fault`], what happens to them. A request that no
//! rule is for goes through. So a lost reply, a write that happened though the client was told
//! nothing, is:
//!
//! ```
//! use std::io::{Read, Write};
//! use storage_proxy::{Answer, Fault, Proxy, When};
//!
//! # async fn a_test(endpoint: &str) -> std::io::Result<()> {
//! let proxy = Proxy::http(endpoint).await?; // such as http://127.0.0.1:9000
//! proxy.rule(When::method("PUT").path("/bucket/key*"), Fault::LostReply);
//! proxy.rule(When::any().first(2), Fault::Answer(Answer::new(503)));
//! let endpoint = proxy.url(); // what the backend is to connect to
//! // … let the backend write, and then:
//! assert_eq!(proxy.count(&When::method("PUT")), 2);
//! assert_eq!(proxy.pending(), 0); // every rule has done what it was to do
//! # Ok(())
//! # }
//! ```
//!
//! The first rule, in the order they were added, that has something left to do decides. Every rule
//! counts every request that it is about, also those that another rule takes, so that the second
//! request of a kind is the second whatever happened to the first. Without [`When::nth`],
//! [`When::first`], [`When::after`] or [`When::always`] a rule is for one request.
//!
//! Over HTTP each request gets a connection of its own to the server, while the client keeps its
//! own as long as no fault ends it. The `Host` header passes as it is, so signatures stay valid.
//! Bodies stream; of `Connection` headers alone is anything changed. `Expect: 100-continue` works. No TLS.
//!
//! Over TCP a request is what the proxy reads at once: a command, several of a pipeline, or 64 KiB of
//! a large one; [`When::containing`] finds it by its bytes.
//!
//! A fault that a reply has no place for, such as truncating one without `Content-Length`, is
//! answered with status 501 that says so. Dropping the proxy ends all its connections.

mod body;
mod fault;
mod head;
mod http;
mod proxy;
mod script;
mod tcp;
mod when;

pub use fault::{Answer, Fault};
pub use proxy::Proxy;
pub use script::Request;
pub use when::When;
