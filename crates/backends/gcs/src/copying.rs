use google_cloud_storage::model::Object;
use storage_core::{Error, ErrorKind, Hashes, ObjectPath, Result, WriteMode, WriteParts, Written};

use crate::attempt::Outcome;
use crate::claim::{Claim, condition};
use crate::client::Shared;
use crate::failure::{Failure, Reason};
use crate::info::{self, Attributes, NATIVE, size};
use crate::random;
use crate::reading::digests;

/// How often a copy begins anew when its source is replaced.
const COPIES: u32 = 4;

/// Copies within the service, from the generation that it finds first. A source that is replaced
/// meanwhile is copied anew.
pub(crate) async fn copy(
    client: &Shared,
    from: &ObjectPath,
    to: &ObjectPath,
    parts: WriteParts,
) -> Result<Written> {
    if parts.mode == WriteMode::Append {
        return Err(Error::unsupported("copy in mode append"));
    }
    for _ in 0..COPIES {
        let source = client.object(&client.name(from)?).await?;
        if from == to {
            return Ok(info::written(&source, Hashes::new()));
        }
        if let Some(written) = copy_from(client, source, to, &parts).await? {
            return Ok(written);
        }
    }
    let message = "the source is replaced faster than it is copied";
    Err(Error::new(ErrorKind::Other, message).with_transient(true))
}

/// Copies one generation; `None` when it is gone.
async fn copy_from(
    client: &Shared,
    source: Object,
    to: &ObjectPath,
    parts: &WriteParts,
) -> Result<Option<Written>> {
    let hashes = match check(client, &source, parts).await {
        Err(error) if error.is_precondition_failed() => return Ok(None),
        hashes => hashes?,
    };
    let mut attributes = Attributes::of(parts)?;
    attributes.add_hashes(&info::only(&hashes, parts.hashes));
    attributes.inherit(&source);
    if let (None, Some(modified)) = (parts.modified, info::modified(&source)) {
        attributes.set_modified(modified)?;
    }
    let rewrite = Rewrite::new(client, source, client.name(to)?, &parts.mode, attributes)?;
    let Some(object) = rewrite.run().await? else {
        return Ok(None);
    };
    let reported = info::only(&hashes, parts.hashes | parts.verify);
    Ok(Some(info::written(&object, reported)))
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
    mode: &'a WriteMode,
    condition: Option<i64>,
    destination: Object,
    write: String,
}

impl<'a> Rewrite<'a> {
    fn new(
        client: &'a Shared,
        source: Object,
        to: String,
        mode: &'a WriteMode,
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
            mode,
            condition,
            destination,
            write,
        })
    }

    /// `None` when the source is gone, and nothing was copied under a condition.
    async fn run(&self) -> Result<Option<Object>> {
        let mut token = String::new();
        loop {
            let Outcome { result, ambiguous } = self.step(&token).await;
            let response = match result {
                Ok(response) => response,
                Err(failure) => return self.settle(failure, ambiguous).await,
            };
            if let Some(object) = response.resource.filter(|_| response.done) {
                return Ok(Some(object));
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

    async fn settle(&self, failure: Failure, ambiguous: bool) -> Result<Option<Object>> {
        let gone = failure.reason == Reason::Missing;
        // Without a condition, a copy that an earlier attempt may have made is replaced by another.
        if gone && (self.condition.is_none() || !ambiguous) {
            return Ok(None);
        }
        let claim = Claim {
            client: self.client,
            name: &self.to,
            mode: self.mode,
            token: self.condition.map(|_| self.write.as_str()),
        };
        claim.settle(failure, ambiguous).await.map(Some)
    }
}
