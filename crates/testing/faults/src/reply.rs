use bytes::Bytes;
use storage_core::{ListPage, ObjectInfo, Reader, Writer, Written};

use crate::Intercept;

/// What a step gives back, as hooks see it.
pub(crate) trait Reply: Sized {
    /// Bytes handed out.
    fn bytes(&self) -> u64 {
        0
    }

    /// What the caller sees of it.
    fn edited(self, intercept: &(impl Intercept + ?Sized)) -> Self {
        let _ = intercept;
        self
    }
}

impl Reply for () {}
impl Reply for bool {}
impl Reply for String {}
impl Reply for Writer {}

impl Reply for Bytes {
    fn bytes(&self) -> u64 {
        self.len() as u64
    }
}

impl Reply for Vec<Bytes> {
    fn bytes(&self) -> u64 {
        self.iter().map(|part| part.len() as u64).sum()
    }
}

impl Reply for ObjectInfo {
    fn edited(mut self, intercept: &(impl Intercept + ?Sized)) -> Self {
        intercept.edit_info(&mut self);
        self
    }
}

impl Reply for ListPage {
    fn edited(mut self, intercept: &(impl Intercept + ?Sized)) -> Self {
        for entry in &mut self.entries {
            intercept.edit_info(entry);
        }
        self
    }
}

impl Reply for Written {
    fn edited(mut self, intercept: &(impl Intercept + ?Sized)) -> Self {
        intercept.edit_written(&mut self);
        self
    }
}

impl Reply for Reader {
    fn edited(self, intercept: &(impl Intercept + ?Sized)) -> Self {
        let mut info = self.info().clone();
        intercept.edit_info(&mut info);
        if info == *self.info() {
            return self;
        }
        match self.range() {
            Some(range) => Self::from_stream(info, range, Box::pin(self)),
            None => Self::from_unsized_stream(info, Box::pin(self)),
        }
    }
}
