//! The filter of a command, with the files that it is in.

use omnistorage::filter::{Filter, FilterBuilder, FilterError};
use omnistorage::sync::SyncError;
use tokio::io::AsyncReadExt;

use crate::args::FilterArgs;

/// Largest text that is read from standard input.
const MOST: u64 = 1 << 30;

/// Reads the files and compiles the filter; `None` when it includes everything.
pub(crate) async fn load(args: &FilterArgs) -> Result<Option<Filter>, SyncError> {
    check_ages(args)?;
    let everything = Filter::builder();
    let builder = everything.clone().ignore_case(args.ignore_case);
    let builder = listed(args, rules(args, builder).await?).await?;
    let filter = bounded(args, builder).build().map_err(bad("filter"))?;
    let everything = everything.build().map_err(bad("filter"))?;
    Ok(Some(filter).filter(|filter| *filter != everything))
}

/// Adds the rules in rclone's order: what is included, what is excluded, the rules.
async fn rules(args: &FilterArgs, mut builder: FilterBuilder) -> Result<FilterBuilder, SyncError> {
    for pattern in &args.include {
        builder = builder.include(pattern).map_err(bad("--include"))?;
    }
    for file in &args.include_from {
        let text = read("--include-from", file).await?;
        builder = builder
            .includes(file, &text)
            .map_err(bad("--include-from"))?;
    }
    for pattern in &args.exclude {
        builder = builder.exclude(pattern).map_err(bad("--exclude"))?;
    }
    for file in &args.exclude_from {
        let text = read("--exclude-from", file).await?;
        builder = builder
            .excludes(file, &text)
            .map_err(bad("--exclude-from"))?;
    }
    for rule in &args.filter {
        builder = builder.rule(rule).map_err(bad("--filter"))?;
    }
    for file in &args.filter_from {
        let text = read("--filter-from", file).await?;
        builder = builder.rules(file, &text).map_err(bad("--filter-from"))?;
    }
    Ok(builder)
}

async fn listed(args: &FilterArgs, mut builder: FilterBuilder) -> Result<FilterBuilder, SyncError> {
    for file in &args.files_from {
        builder = builder.files(&read("--files-from", file).await?);
    }
    for file in &args.files_from_raw {
        builder = builder.files_raw(read("--files-from-raw", file).await?.lines());
    }
    for file in &args.files_from0 {
        let text = read("--files-from0", file).await?;
        builder = builder.files_raw(text.split_terminator('\0'));
    }
    Ok(builder)
}

/// Two bounds that no file keeps are a mistake.
fn check_ages(args: &FilterArgs) -> Result<(), SyncError> {
    let until = args.min_age.and_then(|age| age.0);
    let since = args.max_age.and_then(|age| age.0);
    match until.zip(since) {
        Some((until, since)) if until < since => Err(SyncError::Option {
            option: "--min-age",
            reason: "every file is younger than this or older than --max-age".into(),
        }),
        _ => Ok(()),
    }
}

fn bounded(args: &FilterArgs, mut builder: FilterBuilder) -> FilterBuilder {
    for name in &args.exclude_if_present {
        builder = builder.exclude_if_present(name);
    }
    if let Some((part, of)) = args.hash_filter {
        builder = builder.part(part, of);
    }
    if let Some(levels) = args.max_depth.and_then(|depth| depth.0) {
        builder = builder.max_depth(levels);
    }
    if let Some(bytes) = args.min_size.and_then(|size| size.0) {
        builder = builder.min_size(bytes);
    }
    if let Some(bytes) = args.max_size.and_then(|size| size.0) {
        builder = builder.max_size(bytes);
    }
    if let Some(time) = args.min_age.and_then(|age| age.0) {
        builder = builder.modified_until(time);
    }
    if let Some(time) = args.max_age.and_then(|age| age.0) {
        builder = builder.modified_since(time);
    }
    builder
}

fn bad(option: &'static str) -> impl Fn(FilterError) -> SyncError {
    move |error| {
        let reason = error.to_string().into();
        SyncError::Option { option, reason }
    }
}

/// The text of a file, or of standard input for `-`.
async fn read(option: &'static str, file: &str) -> Result<String, SyncError> {
    let cannot = |error: std::io::Error| SyncError::Option {
        option,
        reason: format!("cannot read {file}: {error}").into(),
    };
    if file == "-" {
        let mut text = String::new();
        let mut input = tokio::io::stdin().take(MOST);
        input.read_to_string(&mut text).await.map_err(cannot)?;
        return Ok(text);
    }
    let path = std::path::PathBuf::from(file);
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
    read.map_err(std::io::Error::other)
        .flatten()
        .map_err(cannot)
}
