//! Records in memory, parsed.

use bytes::Bytes;
use futures_util::stream;

use super::input::{Event, chunks, csv, ndjson};
use super::race::Race;
use crate::Result;

const BYTES: usize = 32 << 20;

const JSON: &str = "serde_json StreamDeserializer";
const CSV: &str = "csv";

pub(super) fn races() -> Result<Vec<Race>> {
    let (json, csv) = (ndjson(BYTES)?, csv(BYTES)?);
    Ok(vec![values(&json), rows(&csv), typed(&csv)])
}

type Chunk = std::result::Result<Bytes, storage_core::Error>;

fn stream_of(input: &Bytes) -> impl futures_util::Stream<Item = Chunk> + Unpin {
    stream::iter(chunks(input).map(Ok))
}

fn values(input: &Bytes) -> Race {
    let (ours, whole, read) = (input.clone(), input.clone(), input.clone());
    Race::new("NDJSON to structs", input.len(), &[(JSON, 1.0)])
        .enter("storage-ndjson, read_json", move || {
            let mut reader = omnistorage::ndjson::from_chunks(stream_of(&ours));
            super::block_on(async {
                let mut sum = 0;
                while let Some(event) = reader.read_json::<Event>().await? {
                    sum += event.user;
                }
                Ok(sum)
            })
        })
        .enter(JSON, move || {
            let values = serde_json::Deserializer::from_slice(&whole).into_iter::<Event>();
            sum(values)
        })
        .enter("the same over a reader", move || {
            let values = serde_json::Deserializer::from_reader(&read[..]).into_iter::<Event>();
            sum(values)
        })
}

fn sum(events: impl Iterator<Item = serde_json::Result<Event>>) -> Result<u64> {
    let mut sum = 0;
    for event in events {
        sum += event?.user;
    }
    Ok(sum)
}

fn rows(input: &Bytes) -> Race {
    let (ours, theirs) = (input.clone(), input.clone());
    Race::new("CSV rows", input.len(), &[(CSV, 1.05)])
        .enter("storage-csv, reader", move || {
            let mut reader = omnistorage::csv::from_chunks(stream_of(&ours));
            super::block_on(async {
                let mut sum = 0;
                while let Some(row) = reader.read_row().await? {
                    sum += row.iter().map(<[u8]>::len).sum::<usize>() as u64;
                }
                Ok(sum)
            })
        })
        .enter(CSV, move || {
            let mut reader = csv::Reader::from_reader(&theirs[..]);
            let (mut row, mut sum) = (csv::ByteRecord::new(), 0);
            while reader.read_byte_record(&mut row)? {
                sum += row.iter().map(<[u8]>::len).sum::<usize>() as u64;
            }
            Ok(sum)
        })
}

fn typed(input: &Bytes) -> Race {
    let (ours, theirs) = (input.clone(), input.clone());
    Race::new("CSV to structs", input.len(), &[(CSV, 1.05)])
        .enter("storage-csv, read_typed", move || {
            let mut reader = omnistorage::csv::from_chunks(stream_of(&ours));
            super::block_on(async {
                let mut sum = 0;
                while let Some(event) = reader.read_typed::<Event>().await? {
                    sum += event.user;
                }
                Ok(sum)
            })
        })
        .enter(CSV, move || {
            let mut reader = csv::Reader::from_reader(&theirs[..]);
            let mut sum = 0;
            for event in reader.deserialize::<Event>() {
                sum += event?.user;
            }
            Ok(sum)
        })
}
