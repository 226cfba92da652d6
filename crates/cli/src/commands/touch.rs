use std::time::SystemTime;

use omnistorage::{Backend, BackendExt, Payload, Result, WriteMode, WriteOptions};

use crate::args::TouchArgs;
use crate::output::{Counts, Exit, Output};
use crate::place::{self, Missing};

/// Sets modified times, creating empty objects where there are none.
pub(crate) async fn run(args: TouchArgs, output: &Output) -> Result<Exit> {
    let (mut exit, mut counts) = (Exit::Done, Counts::default());
    let time = args.timestamp.unwrap_or_else(SystemTime::now);
    for text in &args.paths {
        match touch(text, time, args.no_create).await {
            Ok(Touched::Created) => counts.created += 1,
            Ok(Touched::Updated) => counts.updated += 1,
            Ok(Touched::Nothing) => counts.skipped += 1,
            Err(error) => {
                exit = output.fail_at(text, &error);
                counts.errors += 1;
            }
        }
    }
    output.summary("touch", counts);
    Ok(exit)
}

enum Touched {
    Created,
    Updated,
    Nothing,
}

async fn touch(text: &str, time: SystemTime, no_create: bool) -> Result<Touched> {
    let place = if no_create {
        match place::entry(text, Missing::Fail).await {
            Err(error) if error.is_not_found() => return Ok(Touched::Nothing),
            other => other?,
        }
    } else {
        place::entry(text, Missing::Create).await?
    };
    let (backend, path) = (&place.backend, &place.path);
    if !no_create {
        let options = WriteOptions::default()
            .mode(WriteMode::CreateNew)
            .modified(time);
        match backend.write(path, Payload::default(), options).await {
            Ok(_) => return Ok(Touched::Created),
            Err(error) if error.is_already_exists() || error.is_directory() => {}
            Err(error) => return Err(error),
        }
    }
    match backend.extended()?.set_modified(path, time).await {
        Ok(()) => Ok(Touched::Updated),
        Err(error) if error.is_not_found() && no_create => Ok(Touched::Nothing),
        Err(error) => Err(error),
    }
}
