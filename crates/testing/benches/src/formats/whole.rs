//! From file to file, through compression, beside whole programs.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use omnistorage::compression::{Compression, Level};
use omnistorage::{Backend, format::Format, pipeline};
use tokio::runtime::Runtime;

use super::input::{chunks, ndjson};
use super::race::Race;
use crate::Result;

/// What is compressed.
const WRITTEN: usize = 64 << 20;
/// How many times it is in what is read.
const TIMES: usize = 4;
const PLAIN: &str = "plain.ndjson";

/// Where the files are, and what opens them.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) root: PathBuf,
    pub(super) backend: Arc<dyn Backend>,
    pub(super) runtime: Arc<Runtime>,
}

pub(super) fn races(place: &Place) -> Result<Vec<Race>> {
    let input = ndjson(WRITTEN)?;
    std::fs::write(place.root.join(PLAIN), &input)?;
    Ok(vec![
        count_zstd(place, TIMES * input.len()),
        count_gzip(place, TIMES * input.len()),
        write_zstd(place, &input),
        write_gzip(place, &input),
    ])
}

/// Makes a compressed file of the plain one, as many times as it is read.
fn compress(
    place: &Place,
    program: &'static str,
    name: &'static str,
) -> impl Fn() -> Result + use<> {
    let root = place.root.clone();
    move || {
        let each = format!(
            "{program} -c {PLAIN} > part && cat{} > {name}",
            " part".repeat(TIMES)
        );
        shell(&root, &each).map(drop)
    }
}

/// What a line of shell prints, as a number; 0 if nothing.
fn shell(folder: &Path, line: &str) -> Result<u64> {
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .output()?;
    if !output.status.success() {
        return Err(format!("`{line}`: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?
        .trim()
        .parse()
        .unwrap_or(0))
}

fn in_shell(place: &Place, line: &'static str) -> impl Fn() -> Result<u64> + 'static {
    let root = place.root.clone();
    move || shell(&root, line)
}

/// Records, counted through `dyn`, as the program omni does it.
fn count(place: &Place, name: &'static str, overlap: bool) -> impl Fn() -> Result<u64> + 'static {
    let Place {
        backend, runtime, ..
    } = place.clone();
    move || {
        let backend = Arc::clone(&backend);
        runtime.block_on(runtime.spawn(async move {
            let open = pipeline(&*backend, name).detect().overlap(overlap);
            let (mut reader, mut count) = (open.record_reader().await?, 0);
            while reader.read().await?.is_some() {
                count += 1;
                while reader.try_read()?.is_some() {
                    count += 1;
                }
            }
            Ok(count)
        }))?
    }
}

/// The same with the format's own reader.
fn count_slices(place: &Place, name: &'static str) -> impl Fn() -> Result<u64> + 'static {
    let Place {
        backend, runtime, ..
    } = place.clone();
    move || {
        let backend = Arc::clone(&backend);
        runtime.block_on(runtime.spawn(async move {
            let reader = pipeline(&*backend, name).detect().reader().await?;
            let (mut reader, mut count) = (omnistorage::ndjson::from_chunks(reader), 0);
            while reader.fill().await? {
                while reader.next_slice()?.is_some() {
                    count += 1;
                }
            }
            Ok(count)
        }))?
    }
}

/// Newlines that come out of a blocking reader.
fn count_lines(mut reader: impl Read) -> Result<u64> {
    let (mut buffer, mut count) = (vec![0; 128 << 10], 0);
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(count);
        }
        count += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
    }
}

fn count_zstd(place: &Place, bytes: usize) -> Race {
    const TOOL: &str = "zstd -dc, wc -l";
    let file = place.root.join("a.ndjson.zst");
    Race::new(
        "file → zstd → NDJSON, count of records",
        bytes,
        &[(TOOL, 1.1)],
    )
    .after(compress(place, "zstd", "a.ndjson.zst"))
    .enter("pipeline, records", count(place, "a.ndjson.zst", true))
    .enter("pipeline, slices", count_slices(place, "a.ndjson.zst"))
    .enter(
        "pipeline without overlap",
        count(place, "a.ndjson.zst", false),
    )
    .enter("by hand: std::fs, zstd, memchr", move || {
        count_lines(zstd::Decoder::new(File::open(&file)?)?)
    })
    .enter(TOOL, in_shell(place, "zstd -dc a.ndjson.zst | wc -l"))
}

fn count_gzip(place: &Place, bytes: usize) -> Race {
    const TOOL: &str = "gzip -dc, wc -l";
    let file = place.root.join("a.ndjson.gz");
    Race::new(
        "file → gzip → NDJSON, count of records",
        bytes,
        &[(TOOL, 1.1)],
    )
    .after(compress(place, "gzip", "a.ndjson.gz"))
    .enter("pipeline, records", count(place, "a.ndjson.gz", true))
    .enter("pipeline, slices", count_slices(place, "a.ndjson.gz"))
    .enter(
        "pipeline without overlap",
        count(place, "a.ndjson.gz", false),
    )
    .enter("by hand: std::fs, flate2, memchr", move || {
        count_lines(flate2::read::MultiGzDecoder::new(File::open(&file)?))
    })
    .enter(TOOL, in_shell(place, "gzip -dc a.ndjson.gz | wc -l"))
    .enter(
        "pigz -dc, wc -l",
        in_shell(place, "pigz -dc a.ndjson.gz | wc -l"),
    )
}

/// Records into a compressed file.
fn write(
    place: &Place,
    input: &Bytes,
    name: &'static str,
    layer: (Compression, Level),
) -> impl Fn() -> Result<u64> + 'static {
    let Place {
        backend, runtime, ..
    } = place.clone();
    let input = input.clone();
    move || {
        let (backend, input) = (Arc::clone(&backend), input.clone());
        runtime.block_on(runtime.spawn(async move {
            let open = pipeline(&*backend, name).compression(layer);
            let mut writer = open.format(Format::Ndjson).record_writer().await?;
            let mut records = omnistorage::ndjson::Options::default().decoder();
            for chunk in chunks(&input) {
                records.push(chunk);
                while let Some(record) = records.next_slice()? {
                    if !writer.try_write(record)? {
                        writer.write(record).await?;
                    }
                }
            }
            writer.close().await?;
            Ok(0)
        }))?
    }
}

fn write_zstd(place: &Place, input: &Bytes) -> Race {
    const TOOL: &str = "zstd -3";
    let (hand, out) = (input.clone(), place.root.join("hand.zst"));
    let level = (Compression::Zstd, Level::Default);
    Race::new("NDJSON → zstd at 3 → file", input.len(), &[(TOOL, 1.1)])
        .enter("pipeline, records", write(place, input, "own.zst", level))
        .enter("by hand: zstd, std::fs", move || {
            let mut encoder = zstd::Encoder::new(BufWriter::new(File::create(&out)?), 3)?;
            encoder.include_checksum(true)?;
            encoder.write_all(&hand)?;
            encoder.finish()?.flush()?;
            Ok(0)
        })
        .enter(
            TOOL,
            in_shell(place, "zstd -3 -qfc plain.ndjson > tool.zst"),
        )
        .enter(
            "zstd -3 -T0",
            in_shell(place, "zstd -3 -T0 -qfc plain.ndjson > tool.zst"),
        )
}

fn write_gzip(place: &Place, input: &Bytes) -> Race {
    const TOOL: &str = "gzip -6";
    let (hand, out) = (input.clone(), place.root.join("hand.gz"));
    let level = (Compression::Gzip, Level::Default);
    Race::new("NDJSON → gzip at 6 → file", input.len(), &[(TOOL, 1.1)])
        .enter("pipeline, records", write(place, input, "own.gz", level))
        .enter("by hand: flate2, std::fs", move || {
            let file = BufWriter::new(File::create(&out)?);
            let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::new(6));
            encoder.write_all(&hand)?;
            encoder.finish()?.flush()?;
            Ok(0)
        })
        .enter(TOOL, in_shell(place, "gzip -6 -c plain.ndjson > tool.gz"))
        .enter(
            "pigz -6",
            in_shell(place, "pigz -6 -c plain.ndjson > tool.gz"),
        )
}
