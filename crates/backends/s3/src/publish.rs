//! Writes that expect something, and what is made of a reply that did not come.

use aws_sdk_s3::operation::head_object::builders::HeadObjectInputBuilder;
use storage_core::{Error, ErrorKind, ObjectInfo, ObjectPath, Result, Version, WriteMode, Written};

use crate::attributes::{Attributes, etag_of};
use crate::call::Repeat;
use crate::extras::Extras;
use crate::failure::{Certainty, Failure};
use crate::signature::Payload;
use crate::store::{Store, other_version};

/// What a request expects to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Anything,
    Nothing,
    /// The version, and its tag.
    Version(Version, String),
}

impl Condition {
    pub(crate) fn repeat(&self) -> Repeat {
        match self {
            Self::Anything => Repeat::Freely,
            Self::Nothing | Self::Version(..) => Repeat::IfNotDone,
        }
    }

    pub(crate) fn if_none_match(&self) -> Option<String> {
        matches!(self, Self::Nothing).then(|| "*".to_owned())
    }

    pub(crate) fn if_match(&self) -> Option<String> {
        match self {
            Self::Version(_, etag) => Some(etag.clone()),
            Self::Anything | Self::Nothing => None,
        }
    }
}

impl Store {
    /// What the mode expects, as a condition of a request. The tag alone does not tell two writes of
    /// the same bytes apart, so that the write's name is looked at first.
    pub(crate) async fn condition(&self, path: &ObjectPath, mode: &WriteMode) -> Result<Condition> {
        let expected = match mode {
            WriteMode::Replace => return Ok(Condition::Anything),
            WriteMode::CreateNew => return Ok(Condition::Nothing),
            WriteMode::Append => return Err(Error::unsupported("mode append")),
            WriteMode::IfVersion(expected) => expected,
        };
        let actual = match self.head(path).await {
            Ok(info) => info.version,
            Err(failure) if failure.is_missing() => return Err(other_version(expected, None)),
            Err(failure) => return Err(failure.into()),
        };
        match etag_of(expected) {
            Some(etag) if actual.as_ref() == Some(expected) => {
                Ok(Condition::Version(expected.clone(), etag))
            }
            _ => Err(other_version(expected, actual)),
        }
    }

    /// Whether a large object can be written under the condition.
    pub(crate) fn keeps_in_multipart(&self, mode: &WriteMode) -> bool {
        match mode {
            WriteMode::Replace | WriteMode::Append => true,
            WriteMode::CreateNew => self.capabilities.create_new_multipart,
            WriteMode::IfVersion(_) => self.capabilities.if_version_multipart,
        }
    }

    /// What came of a request that publishes: the tag, where the reply or a look at the object says
    /// that the write happened.
    pub(crate) async fn judged(
        &self,
        path: &ObjectPath,
        attributes: &Attributes,
        condition: &Condition,
        result: Result<Option<String>, Failure>,
    ) -> Result<Option<String>> {
        let failure = match result {
            Ok(etag) => return Ok(etag),
            Err(failure) => failure,
        };
        if failure.certainty == Certainty::Unknown {
            return match self.own(path, attributes).await {
                Some(etag) => Ok(etag),
                None => Err(failure.error.with_outcome_unknown()),
            };
        }
        if !failure.is_condition() && !failure.is_missing() {
            return Err(failure.into());
        }
        // A second attempt, or what stands between and sends a request twice, meets what the first
        // wrote; also where only the source of a copy is expected to be the same.
        if let Some(etag) = self.own(path, attributes).await {
            return Ok(etag);
        }
        match condition {
            Condition::Anything => Err(failure.error.with_transient(failure.status == 409)),
            Condition::Version(expected, _) => Err(other_version(expected, None)),
            Condition::Nothing if failure.status == 412 => {
                Err(Error::new(ErrorKind::AlreadyExists, ""))
            }
            _ if self.head(path).await.is_ok() => Err(Error::new(ErrorKind::AlreadyExists, "")),
            _ => Err(failure.error.with_transient(failure.status == 409)),
        }
    }

    /// The tag of the object, if it carries the name of this write and so was written by it. Any other
    /// object, or none, says nothing: ours may have come and gone, or may still come.
    async fn own(&self, path: &ObjectPath, attributes: &Attributes) -> Option<Option<String>> {
        let found = self.head(path).await.ok()?;
        let own = found.version == Some(attributes.version(found.etag.as_deref()));
        own.then(|| found.etag.map(|etag| etag.to_string()))
    }

    /// What `HEAD` says of an object.
    pub(crate) async fn head(&self, path: &ObjectPath) -> Result<ObjectInfo, Failure> {
        self.found(path).await.map(|(info, _)| info)
    }

    /// The same, and what the contract does not tell.
    pub(crate) async fn found(&self, path: &ObjectPath) -> Result<(ObjectInfo, Extras), Failure> {
        let key = self.key(path);
        let reply = self.call("HeadObject", Repeat::Freely, |_| {
            let request = HeadObjectInputBuilder::default();
            let request = request.bucket(&self.bucket).key(&key);
            self.send(request, &Payload::Empty)
        });
        let mut reply = reply.await?;
        let extras = crate::extras::extras!(reply);
        let size = reply
            .content_length
            .take()
            .and_then(|size| u64::try_from(size).ok());
        let head = crate::attributes::head!(reply, size);
        Ok((head.info(path, self.settings.server_modified), extras))
    }
}

/// The size of an object that was found.
///
/// # Errors
/// `Other` where the store did not tell it.
pub(crate) fn size_of(info: &ObjectInfo) -> Result<u64> {
    let untold = || {
        Error::new(
            ErrorKind::Other,
            "the store does not tell the object's size",
        )
    };
    info.size.ok_or_else(untold)
}

/// What a finished write tells.
pub(crate) fn written(size: u64, etag: Option<&str>, attributes: &Attributes) -> Written {
    let mut written = Written::new(size);
    written.version = Some(attributes.version(etag));
    written.etag = etag.map(|etag| etag.trim_matches('"').into());
    written
}
