//! Uploads: in one request, or in parts.

use std::fmt;

use bytes::Bytes;
use google_cloud_gax::retry_policy::{RetryPolicy, RetryPolicyExt};
use google_cloud_gax::retry_result::RetryResult;
use google_cloud_gax::retry_state::RetryState;
use google_cloud_gax::retry_throttler::CircuitBreaker;
use google_cloud_storage::builder::storage::WriteObject;
use google_cloud_storage::model::Object;
use google_cloud_storage::retry_policy::RetryableErrors;
use google_cloud_storage::streaming_source::Payload;
use storage_core::{Error, ErrorKind, HashType, Result, WriteMode};
use storage_hash::Hasher;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::attempt::Outcome;
use crate::budget::LEAST;
use crate::claim::{Claim, condition, refusal};
use crate::client::{Client, Shared};
use crate::content::{Chunks, Piece, Pieces};
use crate::failure::{Failure, Reason};
use crate::info::Attributes;
use crate::random;

/// Where an upload goes, and under what condition.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) client: Shared,
    pub(crate) name: String,
    mode: WriteMode,
    /// The generation that has to be there; 0 for none.
    condition: Option<i64>,
    pub(crate) attributes: Attributes,
    /// Marks the object of a conditional write, so that it is known again when the reply is lost.
    token: Option<String>,
}

impl Target {
    /// # Errors
    /// `PreconditionFailed` for a version that no object ever had.
    pub(crate) fn new(
        client: Shared,
        name: String,
        mode: WriteMode,
        mut attributes: Attributes,
    ) -> Result<Self> {
        let condition = condition(&mode)?;
        let token = condition.map(|_| random::token());
        if let Some(token) = &token {
            attributes.set_token(token);
        }
        Ok(Self {
            client,
            name,
            mode,
            condition,
            attributes,
            token,
        })
    }

    /// Whether the condition holds now, so that a write that cannot succeed need not be streamed.
    pub(crate) async fn check(&self) -> Result<()> {
        if self.condition.is_none() {
            return Ok(());
        }
        let found = match self.client.object(&self.name).await {
            Ok(object) => Some(object.generation),
            Err(failure) if failure.reason == Reason::Missing => None,
            Err(failure) => return Err(failure.into()),
        };
        if self.condition == Some(found.unwrap_or(0)) {
            return Ok(());
        }
        Err(refusal(&self.mode, found))
    }

    fn request<T, P>(&self, payload: T) -> WriteObject<P>
    where
        T: Into<Payload<P>>,
    {
        let client = &*self.client;
        let mut request = client
            .storage
            .write_object(&client.bucket, &self.name, payload)
            .with_user_agent(Client::user_agent())
            .set_metadata(self.attributes.metadata.clone());
        if !self.attributes.content_type.is_empty() {
            request = request.set_content_type(&self.attributes.content_type);
        }
        if !self.attributes.cache_control.is_empty() {
            request = request.set_cache_control(&self.attributes.cache_control);
        }
        if let Some(generation) = self.condition {
            request = request.set_if_generation_match(generation);
        }
        if let Some(project) = &client.settings.quota_project {
            request = request.with_quota_project(project);
        }
        request
    }

    /// Writes all of it in one request, which the service refuses if its CRC32C is another one.
    pub(crate) async fn at_once(&self, chunks: &[Bytes]) -> Result<Object> {
        let mut hasher = Hasher::new(HashType::Crc32c.into());
        chunks.iter().for_each(|chunk| hasher.update(chunk));
        let hashes = hasher.finish();
        let crc32c = hashes.get(HashType::Crc32c).unwrap_or_default();
        let crc32c = crc32c.try_into().map_or(0, u32::from_be_bytes);
        let size = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        let attempts = self.client.attempts(size);
        let sent = attempts.run("write", || {
            let request = self.request(Chunks::new(chunks));
            request
                .with_known_crc32c(crc32c)
                .with_resumable_upload_threshold(usize::MAX)
                .send_unbuffered()
        });
        let Outcome { result, ambiguous } = sent.await;
        match result {
            Ok(object) => Ok(object),
            Err(failure) => self.settle(failure, ambiguous).await,
        }
    }

    /// Decides what became of an upload that failed.
    async fn settle(&self, failure: Failure, ambiguous: bool) -> Result<Object> {
        let claim = Claim {
            client: &self.client,
            name: &self.name,
            mode: &self.mode,
            token: self.token.as_deref(),
        };
        claim.settle(failure, ambiguous).await
    }
}

/// An upload in parts that is under way. Dropping it leaves nothing that anybody can see.
pub(crate) struct Upload {
    target: Target,
    pieces: mpsc::Sender<Piece>,
    /// The one task, so that it ends with the upload.
    task: JoinSet<std::result::Result<Object, google_cloud_storage::Error>>,
    part: usize,
    /// Bytes handed over.
    offset: usize,
    /// What turned out to be there already: an upload before of the same content, to the same target,
    /// whose reply was lost.
    published: Option<Box<Object>>,
}

/// Tries again what the service has answered with a failure. Of what it has not answered, the library
/// (1.21) would leave out a part without asking what was kept, so such an upload fails.
#[derive(Debug)]
struct Answered;

impl RetryPolicy for Answered {
    fn on_error(&self, state: &RetryState, error: google_cloud_storage::Error) -> RetryResult {
        match error.http_status_code() {
            Some(_) => RetryableErrors.on_error(state, error),
            None => RetryResult::Permanent(error),
        }
    }
}

impl Upload {
    /// Starts to upload in parts of so many bytes.
    pub(crate) fn start(target: Target, part: usize) -> Self {
        let (pieces, receiver) = mpsc::channel(1);
        let settings = &target.client.settings;
        let policy = Answered.with_attempt_limit(settings.max_attempts);
        let request = target
            .request::<_, Pieces>(Pieces::new(receiver))
            .with_resumable_upload_threshold(0_usize)
            .with_resumable_upload_buffer_size(part)
            .with_retry_policy(policy)
            // One upload's failures are no reason to hold back another one's second attempt.
            .with_retry_throttler(CircuitBreaker::clamp(1 << 20, 0, 1));
        let mut task = JoinSet::new();
        task.spawn(request.send_buffered());
        Self {
            target,
            pieces,
            task,
            part,
            offset: 0,
            published: None,
        }
    }

    /// Hands over bytes; waits while the parts before are on their way.
    ///
    /// The library gets no piece that a multiple of 256 KiB lies in: the service keeps such multiples
    /// of a part, and the library (1.21) goes on at the wrong byte within a piece.
    pub(crate) async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        while self.published.is_none() && !bytes.is_empty() {
            let room = LEAST - self.offset % LEAST;
            let piece = bytes.split_to(room.min(bytes.len()));
            self.offset += piece.len();
            if let Err(mut failure) = self.send(Piece::Bytes(piece)).await {
                // Nothing is published before the end.
                failure.harmless = true;
                self.published = Some(Box::new(self.target.settle(failure, false).await?));
            }
        }
        Ok(())
    }

    async fn send(&mut self, piece: Piece) -> std::result::Result<(), Failure> {
        let sent = timeout(self.patience(), self.pieces.send(piece)).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            // The upload has ended before its content: it failed.
            Ok(Err(_)) => match self.outcome().await {
                Ok(_) => Err(Failure::other(broken_off())),
                Err(failure) => Err(failure),
            },
            Err(_) => Err(Failure::timeout("the service did not take a part")),
        }
    }

    /// Publishes what was written.
    pub(crate) async fn finish(mut self) -> Result<Object> {
        if let Some(object) = self.published.take() {
            return Ok(*object);
        }
        let outcome = match self.send(Piece::End).await {
            Ok(()) => self.outcome().await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Ok(object) => Ok(object),
            Err(failure) => self.target.settle(failure, false).await,
        }
    }

    async fn outcome(&mut self) -> std::result::Result<Object, Failure> {
        match timeout(self.patience(), self.task.join_next()).await {
            Ok(Some(Ok(result))) => result.map_err(Failure::from),
            Ok(_) => Err(Failure::other(broken_off())),
            Err(_) => Err(Failure::timeout("the service did not answer the last part")),
        }
    }

    /// How long all attempts at one part may take.
    fn patience(&self) -> std::time::Duration {
        let client = &self.target.client;
        client.patience(self.part as u64) * client.settings.max_attempts
    }

    pub(crate) const fn target(&self) -> &Target {
        &self.target
    }
}

fn broken_off() -> Error {
    Error::new(ErrorKind::Other, "the upload broke off")
}

/// Keeps digests that were not known when an upload began.
pub(crate) async fn add_hashes(
    target: &Target,
    object: Object,
    hashes: &storage_core::Hashes,
) -> Result<Object> {
    let mut attributes = Attributes::of_object(&object);
    attributes.metadata.clone_from(&target.attributes.metadata);
    if !attributes.add_hashes(hashes) {
        return Ok(object);
    }
    match target.client.update(&object, &attributes).await {
        Ok(Some(updated)) => Ok(updated),
        // Somebody has replaced it already.
        Ok(None) => Ok(object),
        Err(failure) => {
            let message = format!(
                "the object is written, its digests are not: {}",
                failure.error
            );
            let error = Error::new(failure.error.kind(), message);
            Err(error.with_outcome_unknown())
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("name", &self.target.name)
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}
