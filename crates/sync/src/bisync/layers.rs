//! The state and its journals as one sorted stream: of records of one key the latest counts.

use std::collections::VecDeque;

use storage_core::ObjectPath;

use super::frames::Decoder;
use super::record::Record;
use super::store::Store;
use crate::SyncError;
use crate::merge::cmp_keys;

/// State objects that continue each other.
#[derive(Debug)]
pub(crate) struct Layer {
    objects: VecDeque<ObjectPath>,
    current: Option<(ObjectPath, Decoder)>,
    head: Option<Record>,
}

impl Layer {
    pub(crate) const fn of(path: ObjectPath, decoder: Decoder) -> Self {
        Self {
            objects: VecDeque::new(),
            current: Some((path, decoder)),
            head: None,
        }
    }

    pub(crate) const fn of_all(objects: VecDeque<ObjectPath>) -> Self {
        Self {
            objects,
            current: None,
            head: None,
        }
    }

    async fn fill(&mut self, store: &Store) -> Result<(), SyncError> {
        while self.head.is_none() {
            if let Some((path, decoder)) = &mut self.current {
                let next = decoder.next().await;
                self.head = next.map_err(|unread| store.unread(path, unread))?;
                if self.head.is_some() {
                    return Ok(());
                }
            }
            let Some(path) = self.objects.pop_front() else {
                self.current = None;
                return Ok(());
            };
            let decoder = store.decoder(&path).await?;
            self.current = Some((path, decoder));
        }
        Ok(())
    }
}

/// Layers from the oldest to the latest.
#[derive(Debug)]
pub(crate) struct Layers(Vec<Layer>);

impl Layers {
    pub(crate) const fn new(layers: Vec<Layer>) -> Self {
        Self(layers)
    }

    /// The next record that is not of a key that is gone.
    pub(crate) async fn next(&mut self, store: &Store) -> Result<Option<Record>, SyncError> {
        loop {
            match self.next_of_all(store).await? {
                Some(record) if record.is_gone() => {}
                other => return Ok(other),
            }
        }
    }

    async fn next_of_all(&mut self, store: &Store) -> Result<Option<Record>, SyncError> {
        for layer in &mut self.0 {
            layer.fill(store).await?;
        }
        let heads = self.0.iter().filter_map(|layer| layer.head.as_ref());
        let order = |a: &&Record, b: &&Record| cmp_keys(&a.key, a.is_dir, &b.key, b.is_dir);
        let Some(first) = heads.min_by(order) else {
            return Ok(None);
        };
        let (key, is_dir) = (first.key.clone(), first.is_dir);
        let mut latest = None;
        for layer in &mut self.0 {
            let is_first = |head: &&mut Record| head.key == key && head.is_dir == is_dir;
            if layer.head.as_mut().filter(is_first).is_some() {
                latest = layer.head.take();
            }
        }
        Ok(latest)
    }
}
