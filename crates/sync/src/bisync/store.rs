//! Where the state lives: one object with what both sides had when they were last the same, and
//! journals of what runs have done since, which the next run puts together.

use std::collections::{BTreeMap, VecDeque};

use storage_core::{
    Backend, BackendExt, Durability, ListOptions, ObjectPath, Prefix, ReadOptions, WriteMode,
    WriteOptions,
};

use super::BisyncError;
use super::frames::{Decoder, Encoder, Header, Unread};
use super::layers::{Layer, Layers};
use super::record::Record;
use crate::{SyncError, Tree};

const STATE: &str = "state";
const JOURNAL: &str = "journal";

/// Records that a journal object holds at most.
pub(crate) const SEGMENT: u64 = 16 << 10;

/// The state of one pair of trees.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) tree: Tree,
    pub(crate) names: [String; 3],
}

impl Store {
    pub(crate) fn backend(&self) -> &dyn Backend {
        &**self.tree.backend()
    }

    pub(crate) fn place(&self, name: &str) -> Result<ObjectPath, SyncError> {
        Ok(self.tree.prefix().join(name)?)
    }

    /// What a person finds an object by.
    pub(crate) fn shown(&self, path: &ObjectPath) -> String {
        match self.backend().identity() {
            Some(identity) => format!("{identity}{path}"),
            None => format!("{} {path}", self.backend().name()),
        }
    }

    /// Reads the state with its journals, as one stream; its generation.
    pub(crate) async fn open(&self) -> Result<(Layers, u64), SyncError> {
        let path = self.place(STATE)?;
        let reader = match self.backend().reader(&path, ReadOptions::default()).await {
            Err(error) if error.is_not_found() => {
                return Err(BisyncError::NoState(self.shown(&path)).into());
            }
            reader => reader?,
        };
        let (state, header) = Decoder::start(reader)
            .await
            .map_err(|unread| self.unread(&path, unread))?;
        self.check(&path, &header)?;
        let mut layers = vec![Layer::of(path, state)];
        let journals = self.journals(header.generation).await?;
        layers.extend(journals.into_values().map(Layer::of_all));
        Ok((Layers::new(layers), header.generation))
    }

    /// The journals of one generation alone, as one stream.
    pub(crate) async fn journal_layers(&self, generation: u64) -> Result<Layers, SyncError> {
        let journals = self.journals(generation).await?;
        Ok(Layers::new(
            journals.into_values().map(Layer::of_all).collect(),
        ))
    }

    /// Whether a run that broke off has left anything.
    pub(crate) async fn has_journals(&self) -> Result<bool, SyncError> {
        let options = ListOptions::default().limit(1);
        let page = self
            .backend()
            .list(&self.journal_prefix()?, options)
            .await?;
        Ok(!page.entries.is_empty())
    }

    /// The journals of a generation, by the sequence that they continue.
    async fn journals(
        &self,
        generation: u64,
    ) -> Result<BTreeMap<String, VecDeque<ObjectPath>>, SyncError> {
        let mut found = BTreeMap::<String, VecDeque<ObjectPath>>::new();
        let options = of_generation(generation);
        let mut entries = self.backend().entries(self.journal_prefix()?, options);
        while let Some(entry) = entries.next().await {
            let path = entry?.path;
            let sequence = path.file_name().split('-').nth(1).unwrap_or("").to_owned();
            found.entry(sequence).or_default().push_back(path);
        }
        Ok(found)
    }

    /// Opens a journal to go on reading a layer.
    pub(crate) async fn decoder(&self, path: &ObjectPath) -> Result<Decoder, SyncError> {
        let reader = self.backend().reader(path, ReadOptions::default()).await?;
        let (decoder, header) = Decoder::start(reader)
            .await
            .map_err(|unread| self.unread(path, unread))?;
        self.check(path, &header)?;
        Ok(decoder)
    }

    /// Publishes one journal.
    pub(crate) async fn write_journal(
        &self,
        generation: u64,
        (sequence, segment): (u32, u32),
        records: &[Record],
    ) -> Result<(), SyncError> {
        let name = format!("{JOURNAL}/{generation:016x}-{sequence:08}-{segment:08}");
        let path = self.place(&name)?;
        let (mut encoder, first) = Encoder::start(&self.header(generation));
        let mut bytes = Vec::from(&*first);
        for record in records {
            bytes.extend(encoder.push(record).into_iter().flatten());
        }
        bytes.extend(encoder.finish());
        let options = WriteOptions::default().durability(Durability::Immediate);
        self.backend().write(&path, bytes.into(), options).await?;
        Ok(())
    }

    /// Replaces the state by what `layers` come to, then removes all journals.
    pub(crate) async fn compact(
        &self,
        mut layers: Layers,
        generation: u64,
    ) -> Result<(), SyncError> {
        let options = WriteOptions::from(WriteMode::Replace).durability(Durability::Immediate);
        let mut writer = self.backend().writer(&self.place(STATE)?, options).await?;
        let (mut encoder, first) = Encoder::start(&self.header(generation));
        writer.write_bytes(first).await?;
        while let Some(record) = layers.next(self).await? {
            if let Some(frame) = encoder.push(&record) {
                writer.write_bytes(frame).await?;
            }
        }
        writer.write_bytes(encoder.finish()).await?;
        writer.finish().await?;
        // Those of all generations: the state has what they say, or they are strays.
        self.remove_journals(None).await
    }

    /// Removes the journals of one generation, or all.
    pub(crate) async fn remove_journals(&self, generation: Option<u64>) -> Result<(), SyncError> {
        let prefix = self.journal_prefix()?;
        let options = generation.map_or_else(ListOptions::default, of_generation);
        let mut entries = self.backend().entries(prefix, options);
        let mut found = Vec::new();
        while let Some(entry) = entries.next().await {
            found.push(entry?.path);
        }
        for path in found {
            self.backend().delete(&path).await?;
        }
        Ok(())
    }

    /// The error for a state object that could not be read.
    pub(crate) fn unread(&self, path: &ObjectPath, unread: Unread) -> SyncError {
        match unread {
            Unread::Storage(error) if !error.is_corrupt() => error.into(),
            Unread::Storage(error) => self.bad(path, error.to_string()),
            Unread::Flawed(flaw) => self.bad(path, flaw.to_owned()),
        }
    }

    fn bad(&self, path: &ObjectPath, why: String) -> SyncError {
        BisyncError::BadState(self.shown(path), why).into()
    }

    fn check(&self, path: &ObjectPath, header: &Header) -> Result<(), SyncError> {
        let [theirs_1, theirs_2, theirs_settings] = &header.names;
        let [ours_1, ours_2, ours_settings] = &self.names;
        if (theirs_1, theirs_2) != (ours_1, ours_2) {
            let why = format!("it belongs to {theirs_1:?} and {theirs_2:?}");
            return Err(self.bad(path, why));
        }
        if theirs_settings != ours_settings {
            let why = "it was made with other filters, and what they hide would look deleted";
            return Err(self.bad(path, why.to_owned()));
        }
        Ok(())
    }

    fn header(&self, generation: u64) -> Header {
        let names = self.names.clone();
        Header { generation, names }
    }

    fn journal_prefix(&self) -> Result<Prefix, SyncError> {
        Ok(self.place(JOURNAL)?.as_prefix())
    }
}

/// Lists the journals of one generation alone.
fn of_generation(generation: u64) -> ListOptions {
    ListOptions::default().name_starts_with(format!("{generation:016x}-"))
}
