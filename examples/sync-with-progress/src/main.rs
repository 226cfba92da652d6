//! Makes one place equal another and shows how far it is. With `immutable`, a file that is there and
//! differs fails instead of being replaced: this program takes that for a decision to be made by hand,
//! and any other failure for an error.
//!
//! ```sh
//! cargo run -p sync-with-progress -- docs file:///tmp/copy-of-docs
//! ```

use omnistorage::sync::{Command, Event, Job, Options, SyncError};
use omnistorage::{ErrorKind, open_uri};

#[tokio::main]
async fn main() -> Result<(), SyncError> {
    let mut args = std::env::args().skip(1);
    let [from, to] = [args.next(), args.next()].map(Option::unwrap_or_default);
    let (from, to) = (open_uri(&from).await?, open_uri(&to).await?);
    let options = Options::default().immutable(true);
    let job = Job::new(Command::Sync, from.into(), to.into(), options)?;
    let (mut run, mut done, mut planned) = (job.run(), 0, 0);
    while let Some(event) = run.next().await {
        match event {
            Event::Planned(action) => planned += action.bytes(),
            Event::Done { action, bytes } => {
                done += bytes;
                println!("{done} of {planned} bytes: {action}");
            }
            Event::Failed(failure) => match failure.error.kind() {
                ErrorKind::AlreadyExists => println!("decide by hand: {failure}"),
                _ => eprintln!("failed: {failure}"),
            },
            _ => {}
        }
    }
    Ok(())
}
