//! The environment chooses where this program stores: `STORAGE_BACKEND` names the backend (memory by
//! default) and every other `STORAGE_…` variable is a setting of it.
//!
//! ```sh
//! cargo run -p choose-backend
//! STORAGE_BACKEND=file STORAGE_ROOT=target/example cargo run -p choose-backend
//! ```

use omnistorage::{BackendExt, Config, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let mut config = Config::from_env("STORAGE_");
    let name = config
        .take_string("backend")?
        .unwrap_or_else(|| "memory".to_owned());
    let store = omnistorage::open(&name, config).await?;

    let visits = match store.try_stat("visits").await? {
        Some(_) => String::from_utf8_lossy(&store.get("visits").await?)
            .trim()
            .parse()
            .unwrap_or(0),
        None => 0,
    };
    store.put("visits", format!("{}\n", visits + 1u64)).await?;
    println!("{name}: visit {}", visits + 1);
    store.close().await
}
