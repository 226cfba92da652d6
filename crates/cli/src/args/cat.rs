use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct CatArgs {
    /// Paths or URIs, or - for standard input
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Write the stored bytes, also those of compressed objects
    #[arg(long)]
    pub(crate) raw: bool,
    /// Start at this byte
    #[arg(long, value_name = "N")]
    pub(crate) offset: Option<u64>,
    /// Print at most this many bytes
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// Print the last bytes only
    #[arg(long, value_name = "N")]
    pub(crate) tail: Option<u64>,
}
