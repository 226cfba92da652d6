//! The contract's conformance suite on each server.

use storage_conformance::{Fresh, Suite};
use storage_core::Result;
use storage_s3::{Capabilities, S3Backend};
use tokio::sync::OnceCell;

use crate::bucket::Bucket;

/// A new bucket, which the suite may open again, open twice and look for unfinished uploads in.
async fn fresh(address: String, known: &OnceCell<Capabilities>) -> Result<Fresh> {
    let bucket = Bucket::create(&address).await?;
    let found = async { Ok::<_, storage_core::Error>(bucket.open().await?.capabilities()) };
    let capabilities = *known.get_or_try_init(|| found).await?;
    let builder = bucket.builder().capabilities(capabilities);
    let backend = builder.clone().open().await?;
    let (again, second, inside) = (builder.clone(), builder, backend.clone());
    Ok(Fresh::new(backend)
        .reopen(move || again.clone().open())
        .second(move || second.clone().open())
        .residue(move || unfinished(inside.clone()))
        .keep(bucket))
}

async fn unfinished(backend: S3Backend) -> Result<Vec<String>> {
    let uploads = backend
        .unfinished_uploads(std::time::Duration::ZERO)
        .await?;
    Ok(uploads.into_iter().map(|upload| upload.path).collect())
}

/// The suite on the server at an address, with objects large enough for several parts, and as many as
/// said.
fn suite(address: String, known: &'static OnceCell<Capabilities>, many: usize) -> Suite {
    let fresh = move || fresh(address.clone(), known);
    Suite::new(fresh)
        .large(20 << 20)
        .rounds(3)
        .racers(16)
        .many(many)
}

static MOTO: OnceCell<Capabilities> = OnceCell::const_new();
static RGW: OnceCell<Capabilities> = OnceCell::const_new();

/// What holds on Ceph's gateway and on the server in the process alone.
fn on_moto(suite: Suite) -> Suite {
    let races = [
        "race_to_create",
        "race_to_replace",
        "race_to_increment",
        "race_to_create_and_delete",
        "race_between_handles",
    ];
    let suite = suite.excuse(
        "path_literal_names",
        "moto has no route to a key with a line break",
    );
    races.into_iter().fold(suite, |suite, race| {
        suite.excuse(
            race,
            "moto looks at a condition before it writes, in threads",
        )
    })
}

mod moto {
    storage_conformance::conformance!(
        server = "moto",
        suite = |address| super::on_moto(super::suite(address, &super::MOTO, 50))
    );
}

mod rgw {
    storage_conformance::conformance!(
        server = "rgw",
        suite = |address| super::suite(address, &super::RGW, 1010)
    );
}
