use google_cloud_storage::model::Object;
use storage_core::{Error, ErrorKind, Result, WriteMode};

use crate::client::Client;
use crate::failure::{Failure, Reason};
use crate::info::{generation, is_of, version};

/// An object that an upload or a copy may have published.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) client: &'a Client,
    pub(crate) name: &'a str,
    pub(crate) mode: &'a WriteMode,
    /// The mark of the object, which a write with a condition has.
    pub(crate) token: Option<&'a str>,
}

impl Claim<'_> {
    /// Decides what became of a write that failed, with `ambiguous` after an attempt that may have
    /// been acted on. A write without a condition that was not answered may have happened; so may one
    /// with a condition that does not hold any more, where an earlier attempt was not answered.
    pub(crate) async fn settle(&self, failure: Failure, ambiguous: bool) -> Result<Object> {
        if let Some(generation) = failure.spoiled {
            return Err(self.withdraw(generation, failure.error).await);
        }
        let refused = failure.reason == Reason::Condition;
        let unsure = ambiguous || !failure.harmless;
        let Some(token) = self.token.filter(|_| refused || unsure) else {
            return Err(marked(failure.error, unsure));
        };
        match self.client.object(self.name).await {
            Ok(object) if is_of(&object, token) => Ok(object),
            Ok(object) if refused => Err(marked(
                refusal(self.mode, Some(object.generation)),
                ambiguous,
            )),
            Err(missing) if refused && missing.reason == Reason::Missing => {
                Err(marked(refusal(self.mode, None), ambiguous))
            }
            _ => Err(marked(failure.error, unsure)),
        }
    }

    /// Deletes the generation that has other bytes than were sent. What it has replaced does not come
    /// back.
    async fn withdraw(&self, generation: i64, error: Error) -> Error {
        let withdrawn = self.client.delete_generation(self.name, generation).await;
        marked(
            error,
            withdrawn.is_err() || *self.mode != WriteMode::CreateNew,
        )
    }
}

pub(crate) fn marked(error: Error, unsure: bool) -> Error {
    if unsure {
        error.with_outcome_unknown()
    } else {
        error
    }
}

/// The generation that a mode asks for.
pub(crate) fn condition(mode: &WriteMode) -> Result<Option<i64>> {
    match mode {
        WriteMode::Replace => Ok(None),
        WriteMode::CreateNew => Ok(Some(0)),
        WriteMode::IfVersion(wanted) => match generation(wanted) {
            Some(generation) => Ok(Some(generation)),
            None => Err(Error::precondition_failed(Some(wanted.clone()), None)),
        },
        WriteMode::Append => Err(Error::unsupported("mode append")),
    }
}

/// The error of a condition that does not hold.
pub(crate) fn refusal(mode: &WriteMode, found: Option<i64>) -> Error {
    match mode {
        WriteMode::IfVersion(wanted) => {
            Error::precondition_failed(Some(wanted.clone()), found.map(version))
        }
        _ => Error::new(ErrorKind::AlreadyExists, ""),
    }
}
