use omnistorage::compression::Limits;
use omnistorage::pipeline::{CompressionLayer, FormatLayer, Pipeline, pipeline};
use omnistorage::{
    Backend, Operation, RecordReader, RecordWriter, Result, WriteMode, WriteOptions,
};
use serde_json::json;

use crate::args::ConvertArgs;
use crate::layers::{Layers, compress_with};
use crate::output::{Counts, Exit, Output};
use crate::place::{self, Missing};
use crate::stdio;

/// Converts one object between record formats and compressions. Until the end nothing is visible.
pub(crate) async fn run(args: ConvertArgs, output: &Output) -> Result<Exit> {
    if output.is_json() && args.destination == stdio::NAME {
        return Ok(output.usage("--json and the converted content both want standard output"));
    }
    let plan = match Plan::new(&args)? {
        Ok(plan) => plan,
        Err(message) => return Ok(output.usage(&message)),
    };
    match convert(&args, plan, output).await {
        // Nobody reads standard output any more.
        Err(error) if stdio::is_unread(&error) => Ok(Exit::Done),
        result => result.map(|()| Exit::Done),
    }
}

/// What to do, as far as names and arguments tell.
struct Plan {
    destination: Layers,
    /// The formats to convert between; `None` for bytes that stay as they are.
    formats: Option<(FormatLayer, FormatLayer)>,
}

impl Plan {
    /// The plan, or what is wrong with the arguments.
    fn new(args: &ConvertArgs) -> Result<Result<Self, String>> {
        let source = Layers::new(&place::name(&args.source)?, args.from);
        let destination = Layers::new(&place::name(&args.destination)?, args.to);
        if args.level.is_some() && destination.compression.is_none() {
            return Ok(Err("--level needs a compression of DST".to_owned()));
        }
        let formats = crate::layers::formats(args, source.format, destination.format);
        Ok(formats.map(|formats| Self {
            destination,
            formats,
        }))
    }
}

async fn convert(args: &ConvertArgs, plan: Plan, output: &Output) -> Result<()> {
    let from = place::entry_or_stdio(&args.source, Missing::Fail).await?;
    let reading = reading(args, pipeline(&*from.backend, from.path.as_str()));
    let source = open(reading, plan.formats.as_ref()).await;
    let source = source.map_err(|error| error.on(Operation::Read, from.backend.name()))?;

    let to = place::entry_or_stdio(&args.destination, Missing::Create).await?;
    let existed = args.destination != stdio::NAME && to.backend.exists(&to.path).await?;
    let writing = writing(args, &plan, pipeline(&*to.backend, to.path.as_str()));
    let (records, bytes) = match (source, plan.formats) {
        (Source::Records(mut reader), Some((_, format))) => {
            let mut writer = writing.format(format).record_writer().await?;
            let (records, bytes) = pump(&mut *reader, &mut *writer).await?;
            (Some(records), bytes)
        }
        (source, _) => {
            let mut writer = writing.writer().await?;
            let mut bytes = 0;
            if let Source::Bytes(mut reader) = source {
                while let Some(chunk) = reader.chunk().await {
                    let chunk = chunk.map_err(|e| e.on(Operation::Read, from.backend.name()))?;
                    bytes += chunk.len() as u64;
                    writer.write_bytes(chunk).await?;
                }
            }
            writer.finish().await?;
            (None, bytes)
        }
    };
    report(args, output, existed, records, bytes);
    Ok(())
}

enum Source {
    Bytes(omnistorage::Reader),
    Records(Box<dyn RecordReader>),
}

async fn open<B: Backend + ?Sized>(
    pipeline: Pipeline<'_, B>,
    formats: Option<&(FormatLayer, FormatLayer)>,
) -> Result<Source> {
    Ok(match formats {
        Some((format, _)) => {
            Source::Records(pipeline.format(format.clone()).record_reader().await?)
        }
        None => Source::Bytes(pipeline.reader().await?),
    })
}

fn reading<'a, B: Backend + ?Sized>(
    args: &ConvertArgs,
    pipeline: Pipeline<'a, B>,
) -> Pipeline<'a, B> {
    let pipeline = match args.from.and_then(|from| from.compression) {
        Some(named) => pipeline.compression(named),
        None => pipeline.detect(),
    };
    match args.max_output {
        Some(bytes) => pipeline.limits(Limits::default().max_output(bytes)),
        None => pipeline,
    }
}

fn writing<'a, B: Backend + ?Sized>(
    args: &ConvertArgs,
    plan: &Plan,
    pipeline: Pipeline<'a, B>,
) -> Pipeline<'a, B> {
    let mode = match args.immutable {
        true => WriteMode::CreateNew,
        false => WriteMode::Replace,
    };
    let compression = plan.destination.compression;
    let layer = compression.map_or(CompressionLayer::NONE, |compression| {
        compress_with(compression, args.level.unwrap_or_default())
    });
    pipeline
        .compression(layer)
        .write_options(WriteOptions::from(mode))
}

/// Moves all records and closes the writer. Gives how many there were, and their bytes.
async fn pump(reader: &mut dyn RecordReader, writer: &mut dyn RecordWriter) -> Result<(u64, u64)> {
    let (mut records, mut bytes) = (0, 0);
    while let Some(first) = reader.read().await? {
        let mut next = Some(first);
        while let Some(record) = next {
            records += 1;
            bytes += record.len() as u64;
            if !writer.try_write(&record)? {
                writer.write(&record).await?;
            }
            next = reader.try_read()?;
        }
    }
    writer.close().await?;
    Ok((records, bytes))
}

fn report(args: &ConvertArgs, output: &Output, existed: bool, records: Option<u64>, bytes: u64) {
    let counted = records.map_or_else(|| format!("{bytes} bytes"), |n| format!("{n} records"));
    let (from, to) = (&args.source, &args.destination);
    // The converted content has standard output for itself.
    if to != stdio::NAME {
        output.info(
            || format!("converted {counted} of {from} to {to}"),
            || json!({"event": "converted", "source": from, "path": to, "records": records}),
        );
        output.summary(
            "convert",
            Counts {
                created: u64::from(!existed),
                updated: u64::from(existed),
                bytes,
                ..Counts::default()
            },
        );
    }
}
