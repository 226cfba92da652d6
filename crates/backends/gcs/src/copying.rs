use google_cloud_storage::model::Object;
use storage_core::{Error, ErrorKind, Hashes, ObjectPath, Result, WriteMode, WriteParts, Written};

use crate::attempt::Outcome;
use crate::client::Shared;
use crate::failure::{Failure, Reason};
use crate::info::{self, Attributes, NATIVE, is_of, size};
use crate::random;
use crate::reading::digests;
use crate::upload::{condition, refusal};

/// Copies within the service, from the generation that it finds first.
pub(crate) async fn copy(
    client: &Shared,
    from: &ObjectPath,
    to: &ObjectPath,
    parts: WriteParts,
) -> Result<Written> {
    if parts.mode == WriteMode::Append {
        return Err(Error::unsupported("copy in mode append"));
    }
    let source = client.object(&client.name(from)?).await?;
    if from == to {
        return Ok(info::written(&source, Hashes::new()));
    }
    let hashes = check(client, &source, &parts).await?;
    let mut attributes = Attributes::of(&parts)?;
    attributes.add_hashes(&info::only(&hashes, parts.hashes));
    attributes.inherit(&source);
    if let (None, Some(modified)) = (parts.modified, info::modified(&source)) {
        attributes.set_modified(modified)?;
    }
    let rewrite = Rewrite::new(client, source, client.name(to)?, &parts.mode, attributes)?;
    let object = rewrite.run(&parts.mode).await?;
    let reported = info::only(&hashes, parts.hashes | parts.verify);
    Ok(info::written(&object, reported))
}

/// Compares the source with what the options say of it; gives the digests that they ask for, for
/// which the source is read if they are not kept.
async fn check(client: &Shared, source: &Object, parts: &WriteParts) -> Result<Hashes> {
    if let Some(expected) = parts.size.filter(|expected| *expected != size(source)) {
        let message = format!("the source has {} bytes, not {expected}", size(source));
        return Err(Error::new(ErrorKind::Corrupt, message));
    }
    let wanted = parts.hashes | parts.verify | parts.expected.types();
    let kept = info::hashes(source);
    // What others may have written into the attributes is not trusted.
    let known = wanted
        .iter()
        .all(|hash| NATIVE.contains(&hash) && kept.get(hash).is_some());
    let hashes = match known {
        true => kept,
        false => digests(client, source, wanted).await?,
    };
    if hashes.matches(&parts.expected) == Some(false) {
        let message = format!("the source hashes to {hashes:?}, not {:?}", parts.expected);
        return Err(Error::new(ErrorKind::Corrupt, message));
    }
    Ok(hashes)
}

/// A copy that takes as many calls as the service wants.
struct Rewrite<'a> {
    client: &'a Shared,
    source: Object,
    to: String,
    condition: Option<i64>,
    destination: Object,
    write: String,
}

impl<'a> Rewrite<'a> {
    fn new(
        client: &'a Shared,
        source: Object,
        to: String,
        mode: &WriteMode,
        mut attributes: Attributes,
    ) -> Result<Self> {
        let write = random::token();
        let condition = condition(mode)?;
        if condition.is_some() {
            attributes.set_token(&write);
        }
        // What is not told here is not kept.
        let destination = Object::new()
            .set_content_type(attributes.content_type)
            .set_cache_control(attributes.cache_control)
            .set_metadata(attributes.metadata)
            .set_content_encoding(&source.content_encoding)
            .set_content_language(&source.content_language)
            .set_content_disposition(&source.content_disposition)
            .set_storage_class(&source.storage_class);
        Ok(Self {
            client,
            source,
            to,
            condition,
            destination,
            write,
        })
    }

    async fn run(&self, mode: &WriteMode) -> Result<Object> {
        let mut token = String::new();
        loop {
            let Outcome { result, ambiguous } = self.step(&token).await;
            let response = match result {
                Ok(response) => response,
                Err(failure) => return self.settle(mode, failure, ambiguous).await,
            };
            if let Some(object) = response.resource.filter(|_| response.done) {
                return Ok(object);
            }
            if response.rewrite_token.is_empty() {
                return Err(Error::new(ErrorKind::Other, "the service does not go on"));
            }
            token = response.rewrite_token;
        }
    }

    async fn step(&self, token: &str) -> Outcome<google_cloud_storage::model::RewriteResponse> {
        // The service copies as much as it can in half a minute.
        let attempts = self.client.attempts(2 << 20);
        let step = attempts.run("copy", || {
            let request = self.client.control.rewrite_object();
            let request = request
                .set_source_bucket(&self.client.bucket)
                .set_source_object(&self.source.name)
                .set_source_generation(self.source.generation)
                .set_destination_bucket(&self.client.bucket)
                .set_destination_name(&self.to)
                .set_destination(self.destination.clone())
                .set_or_clear_if_generation_match(self.condition)
                .set_rewrite_token(token);
            self.client.prepare(request).send()
        });
        step.await
    }

    /// Decides what became of a copy that failed; see the uploads.
    async fn settle(&self, mode: &WriteMode, failure: Failure, ambiguous: bool) -> Result<Object> {
        let refused = failure.reason == Reason::Condition;
        let unsure = ambiguous || (failure.error.is_transient() && !failure.harmless);
        let marked = |error: Error, unsure| match unsure {
            true => error.with_outcome_unknown(),
            false => error,
        };
        if self.condition.is_none() || !(refused || unsure) {
            return Err(marked(failure.error, unsure));
        }
        match self.client.object(&self.to).await {
            Ok(object) if is_of(&object, &self.write) => Ok(object),
            Ok(object) if refused => Err(marked(refusal(mode, Some(object.generation)), ambiguous)),
            Err(missing) if refused && missing.reason == Reason::Missing => {
                Err(marked(refusal(mode, None), ambiguous))
            }
            _ => Err(marked(failure.error, unsure)),
        }
    }
}
