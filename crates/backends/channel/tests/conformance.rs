//! The conformance suite passes in mode replay, where a stream that has ended is an object as on any
//! backend. In the other modes a read takes what it reads, and the suite looks at objects twice.

use storage_channel::{ChannelBackend, Mode};
use storage_conformance::Fresh;
use storage_core::Result;

fn subject() -> Result<Fresh> {
    let backend = ChannelBackend::builder().mode(Mode::Replay).build()?;
    let (again, beside) = (backend.clone(), backend.clone());
    Ok(Fresh::new(backend)
        .reopen(move || std::future::ready(Ok(again.clone())))
        .second(move || std::future::ready(Ok(beside.clone()))))
}

mod replay {
    storage_conformance::conformance!(async { super::subject() });
}
