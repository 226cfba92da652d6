//! Against servers that behave, in this process and outside, and one that misbehaves on request.

mod broken;
mod contract;
mod credentials;
mod indexes;
mod manifests;
mod python;
mod redirects;
mod scripted;
