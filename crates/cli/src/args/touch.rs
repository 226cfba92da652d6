use std::time::SystemTime;

use clap::Args;

use super::value::time;

#[derive(Debug, Clone, Args)]
pub(crate) struct TouchArgs {
    /// Paths or URIs
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Create nothing
    #[arg(short = 'C', long)]
    pub(crate) no_create: bool,
    /// The time to set, such as 2026-11-21T13:05:00Z; without a zone, UTC [default: now]
    #[arg(short, long, value_name = "TIME", value_parser = time)]
    pub(crate) timestamp: Option<SystemTime>,
}
