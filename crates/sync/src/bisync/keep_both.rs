//! What is more than one step on one side: both versions of an object are kept, or a directory makes
//! room for an object.

use storage_core::{BackendExt, ListOptions, ObjectPath, RmdirOptions, WriteMode, WriteOptions};

use super::apply::Applier;
use super::names::Names;
use super::print::Print;
use super::record::Record;
use super::{BisyncError, Replica};
use crate::transfer::Transfer;
use crate::{Action, Event, SyncError};

impl Applier {
    /// Clears away a directory without objects that an object has to replace.
    pub(crate) async fn clear(&self, on: Replica, key: &str) -> Result<(), SyncError> {
        let full = self.pair.full(on, key)?;
        let backend = self.pair.side(on).backend();
        let Ok(extended) = backend.extended() else {
            return Ok(());
        };
        if !self
            .pair
            .stat(on, &full)
            .await?
            .is_some_and(|now| now.is_dir)
        {
            return Ok(());
        }
        let options = ListOptions::default().recursive(true).directories(true);
        let mut entries = backend.entries(full.as_prefix(), options);
        let mut directories = vec![full.clone()];
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            if !entry.is_dir {
                let path = ObjectPath::new(key)?;
                return Err(BisyncError::InTheWay { side: on, path }.into());
            }
            directories.push(entry.path);
        }
        drop(entries);
        for directory in directories.iter().rev() {
            extended.rmdir(directory, RmdirOptions::default()).await?;
        }
        Ok(())
    }

    /// Keeps both versions: the losers step aside, the winner goes to both sides, and so does what
    /// stepped aside. Whenever it breaks off, the next run finds nothing but ordinary changes.
    pub(crate) async fn keep_both(
        &self,
        record: &Record,
        winner: Option<Replica>,
    ) -> Result<(Vec<Record>, u64), SyncError> {
        let losers = Replica::BOTH
            .into_iter()
            .filter(|side| Some(*side) != winner);
        let mut names = Names::new(&self.pair, &record.key);
        let (mut records, mut bytes) = (Vec::new(), 0);
        let mut aside = Vec::new();
        for side in losers {
            let name = names.next_free(side).await?;
            self.step_aside(record, side, &name).await?;
            aside.push((side, name));
        }
        let mut left = record.clone();
        match winner {
            Some(winner) => {
                *winner.other().of_mut(&mut left.prints) = None;
                let (record, sent) = self.send(&left, winner.other()).await?;
                records.push(record);
                bytes += sent;
            }
            None => records.push(Record::gone(record.key.clone(), false)),
        }
        for (side, name) in aside {
            let full = self.pair.full(side, &name)?;
            let now = self.pair.stat(side, &full).await?;
            let now = now.ok_or_else(|| self.changed(side, &full))?;
            let mut kept = Record::gone(name.to_string(), false);
            *side.of_mut(&mut kept.prints) = Some(Print::of(&now));
            let (record, sent) = self.send(&kept, side.other()).await?;
            records.push(record);
            bytes += sent;
        }
        Ok((records, bytes))
    }

    /// Gives a version another name on its own side.
    async fn step_aside(
        &self,
        record: &Record,
        side: Replica,
        name: &ObjectPath,
    ) -> Result<(), SyncError> {
        let (from, to) = (
            self.pair.full(side, &record.key)?,
            self.pair.full(side, name)?,
        );
        let expected = side.of(&record.prints).unwrap_or_default();
        let now = self.pair.stat(side, &from).await?;
        let now = now.ok_or_else(|| self.changed(side, &from))?;
        if !self.is_still(side, &expected, &now).await? {
            return Err(self.changed(side, &from));
        }
        let features = self.pair.side(side).features;
        let mode = if features.create_new {
            WriteMode::CreateNew
        } else {
            WriteMode::Replace
        };
        let backend = self.pair.side(side).backend();
        if features.rename {
            backend
                .extended()?
                .rename(&from, &to, WriteOptions::from(mode))
                .await?;
        } else {
            let transfer = Transfer {
                job: self.pair.copying_within(side),
                events: &self.events,
                flow: &self.flow,
                listed: &now,
                path: name,
                to: &to,
                mode: Some(mode),
            };
            transfer.send().await?;
            backend.delete(&from).await?;
        }
        let path = ObjectPath::new(&record.key)?;
        let action = Box::new(Action::KeepAside {
            path,
            to: name.clone(),
        });
        let action = Action::At {
            replica: side,
            action,
        };
        self.events.push(Event::Done { action, bytes: 0 }).await;
        Ok(())
    }
}
