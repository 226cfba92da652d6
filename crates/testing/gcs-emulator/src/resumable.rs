use bytes::{Bytes, BytesMut};

use crate::object::{Attributes, Expected, Object};
use crate::refusal::Refusal;
use crate::store::{Conditions, Store};

/// Parts of an upload but the last have a multiple of this many bytes.
const QUANTUM: usize = 256 << 10;

/// One resumable upload.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) bucket: String,
    pub(crate) name: String,
    attributes: Attributes,
    expected: Expected,
    conditions: Conditions,
    received: BytesMut,
    finished: Option<Object>,
}

/// How far an upload has come.
#[derive(Debug)]
pub(crate) enum Progress {
    /// This many bytes are kept.
    Incomplete(usize),
    Finished(String, String, Box<Object>),
}

/// A `Content-Range` of an upload: where the part starts, unless it is a question, and the size of
/// the whole where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartRange {
    start: Option<usize>,
    total: Option<usize>,
}

impl PartRange {
    /// `bytes 0-99/100`, `bytes 0-99/*`, `bytes 0-*/*`, `bytes */100` or `bytes */*`.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = || Refusal::invalid(format!("the Content-Range {text:?} is not valid"));
        let rest = text.strip_prefix("bytes ").ok_or_else(bad)?;
        let (part, total) = rest.split_once('/').ok_or_else(bad)?;
        let number = |text: &str| text.parse::<usize>().map_err(|_| bad());
        let optional = |text| match text {
            "*" => Ok(None),
            text => number(text).map(Some),
        };
        let start = match part.split_once('-') {
            Some((start, _)) => Some(number(start)?),
            None if part == "*" => None,
            None => return Err(bad()),
        };
        let total = optional(total)?;
        Ok(Self { start, total })
    }

    /// Whether it only asks how far the upload has come.
    pub(crate) fn is_query(self) -> bool {
        self.start.is_none() && self.total.is_none()
    }
}

impl Session {
    pub(crate) fn new(
        bucket: String,
        name: String,
        attributes: Attributes,
        expected: Expected,
        conditions: Conditions,
    ) -> Self {
        Self {
            bucket,
            name,
            attributes,
            expected,
            conditions,
            received: BytesMut::new(),
            finished: None,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.finished.is_none()
    }

    fn progress(&self) -> Progress {
        match &self.finished {
            None => Progress::Incomplete(self.received.len()),
            Some(object) => {
                let (bucket, name) = (self.bucket.clone(), self.name.clone());
                Progress::Finished(bucket, name, Box::new(object.clone()))
            }
        }
    }
}

impl Store {
    /// Starts a resumable upload; gives its name.
    pub(crate) fn start_upload(&mut self, session: Session) -> Result<String, Refusal> {
        self.check(&session.bucket, &session.name, session.conditions)?;
        let id = format!("upload-{}", self.next_generation());
        self.sessions.insert(id.clone(), session);
        Ok(id)
    }

    pub(crate) fn query_upload(&self, id: &str) -> Result<Progress, Refusal> {
        let session = self.sessions.get(id);
        Ok(session.ok_or_else(no_such_upload)?.progress())
    }

    pub(crate) fn cancel_upload(&mut self, id: &str) -> Result<(), Refusal> {
        let session = self.sessions.get(id).ok_or_else(no_such_upload)?;
        if session.is_open() {
            self.sessions.remove(id);
        }
        Ok(())
    }

    /// Takes a part; the last one, which `range` tells, publishes the object.
    pub(crate) fn upload_part(
        &mut self,
        id: &str,
        range: PartRange,
        part: &Bytes,
        said: &Expected,
    ) -> Result<Progress, Refusal> {
        let session = self.sessions.get_mut(id).ok_or_else(no_such_upload)?;
        if !session.is_open() {
            return Ok(session.progress());
        }
        let kept = session.received.len();
        let skip = kept.checked_sub(range.start.unwrap_or(kept));
        let skip = skip.ok_or_else(|| Refusal::invalid("the part leaves a gap"))?;
        session
            .received
            .extend_from_slice(part.get(skip..).unwrap_or_default());
        let received = session.received.len();
        if range.total.is_none_or(|total| total > received) {
            // Without a total, a part of another size than the quantum's multiple is refused.
            let rest = received % QUANTUM;
            session.received.truncate(received - rest);
            return Ok(session.progress());
        }
        session.expected.crc32c = session.expected.crc32c.or(said.crc32c);
        session.expected.md5 = session.expected.md5.take().or_else(|| said.md5.clone());
        self.publish_upload(id)
    }

    fn publish_upload(&mut self, id: &str) -> Result<Progress, Refusal> {
        let mut session = self.sessions.remove(id).ok_or_else(no_such_upload)?;
        let content = std::mem::take(&mut session.received).freeze();
        let object = Object::new(content, session.attributes.clone());
        let (bucket, name) = (session.bucket.clone(), session.name.clone());
        let object = self.insert(
            &bucket,
            &name,
            object,
            &session.expected,
            session.conditions,
        )?;
        session.finished = Some(object);
        let progress = session.progress();
        self.sessions.insert(id.to_owned(), session);
        Ok(progress)
    }
}

fn no_such_upload() -> Refusal {
    Refusal::new(404, "there is no such upload")
}
