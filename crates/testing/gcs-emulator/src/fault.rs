use std::collections::{HashMap, VecDeque};

/// One kind of request that the emulator serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// An upload in one request.
    Insert,
    /// The start of a resumable upload.
    StartUpload,
    /// A part of a resumable upload.
    UploadPart,
    /// The question how far a resumable upload has come.
    QueryUpload,
    /// A read of content.
    Read,
    /// A look at an object's attributes.
    Get,
    /// A page of a listing.
    List,
    /// The deletion of an object.
    Delete,
    /// A change of an object's attributes.
    Update,
    /// A copy.
    Rewrite,
}

/// How the emulator misbehaves once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Answers with this HTTP status, or the gRPC code that belongs to it, and does nothing.
    Status(u16),
    /// Does what is asked and closes the connection in place of an answer.
    LoseReply,
    /// Ends the body of a read after this many bytes, and closes the connection.
    Cut(u64),
    /// Ends the body of a read after this many bytes as if that were all of it.
    Truncate(u64),
    /// Does what is asked, of content over HTTP alone, and answers with what cannot be read.
    Garble,
    /// Changes one bit of the byte at this offset of the body of a read, or of a part of an upload.
    Flip(usize),
    /// Keeps this many bytes of a part of an upload and answers 503.
    Keep(usize),
    /// Never answers.
    Hang,
}

/// What is going to go wrong, and what was asked for.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    queued: HashMap<Call, VecDeque<Fault>>,
    counts: HashMap<Call, u64>,
    /// Answers everything with this status.
    pub(crate) refused: Option<u16>,
}

impl Faults {
    pub(crate) fn add(&mut self, call: Call, fault: Fault) {
        self.queued.entry(call).or_default().push_back(fault);
    }

    /// Counts a call and takes the fault that is meant for it.
    pub(crate) fn next(&mut self, call: Call) -> Option<Fault> {
        *self.counts.entry(call).or_default() += 1;
        if let Some(status) = self.refused {
            return Some(Fault::Status(status));
        }
        self.queued.get_mut(&call)?.pop_front()
    }

    pub(crate) fn count(&self, call: Call) -> u64 {
        self.counts.get(&call).copied().unwrap_or(0)
    }
}
