//! The JSON API: uploads, and reads of content.

use std::sync::Arc;

use ::http::request::Parts;
use ::http::{Method, Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::json;
use tonic::body::Body;

use crate::emulator::Shared;
use crate::fault::{Call, Fault};
use crate::object::{Expected, Object};
use crate::refusal::Refusal;
use crate::resource::{expected, from_json, to_json};
use crate::resumable::{PartRange, Progress, Session};
use crate::server::{Reply, fault_of, lost};
use crate::store::Conditions;
use crate::{media, multipart};

const UPLOAD: &str = "/upload/storage/v1/b/";
const OBJECTS: &str = "/storage/v1/b/";

pub(crate) async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Reply {
    let (parts, body) = request.into_parts();
    let query = Query::of(&parts);
    let path = parts.uri.path().to_owned();
    if let Some(bucket) = path
        .strip_prefix(UPLOAD)
        .and_then(|rest| rest.strip_suffix("/o"))
    {
        let body = body.collect().await.map_err(std::io::Error::other)?;
        let upload = Upload {
            shared: &shared,
            parts: &parts,
            query: &query,
            body: body.to_bytes(),
        };
        return upload.answer(&decode(bucket)).await;
    }
    match path.strip_prefix(OBJECTS).and_then(|r| r.split_once("/o/")) {
        Some((bucket, name)) if parts.method == Method::GET => {
            read(&shared, &parts, &query, &decode(bucket), &decode(name)).await
        }
        _ => refuse(&Refusal::new(404, format!("{} {path}", parts.method))),
    }
}

async fn read(shared: &Shared, parts: &Parts, query: &Query, bucket: &str, name: &str) -> Reply {
    let fault = match fault_of(shared, Call::Read).await {
        Err(status) => return refuse(&Refusal::new(status, "as injected")),
        Ok(Some(Fault::LoseReply)) => return Err(lost()),
        Ok(fault) => fault,
    };
    if query.get("alt") != Some("media") {
        return refuse(&Refusal::new(501, "only content is served here"));
    }
    let found = query.conditions().and_then(|conditions| {
        let generation = query.number("generation")?.unwrap_or(0);
        let store = shared.store();
        store.get(bucket, name, generation, conditions).cloned()
    });
    match found {
        Ok(object) => media::answer(&object, header(parts, "range"), fault),
        Err(refusal) => refuse(&refusal),
    }
}

/// One request to the upload path.
struct Upload<'a> {
    shared: &'a Shared,
    parts: &'a Parts,
    query: &'a Query,
    body: Bytes,
}

impl Upload<'_> {
    async fn answer(&self, bucket: &str) -> Reply {
        match (&self.parts.method, self.query.get("upload_id")) {
            (&Method::POST, None) => self.open(bucket).await,
            (&Method::PUT, Some(id)) => self.part(id).await,
            (&Method::DELETE, Some(id)) => match self.shared.store().cancel_upload(id) {
                Ok(()) => respond(Response::builder().status(499), Bytes::new()),
                Err(refusal) => refuse(&refusal),
            },
            _ => refuse(&Refusal::invalid("neither an upload nor a part of one")),
        }
    }

    async fn open(&self, bucket: &str) -> Reply {
        let single = match self.query.get("uploadType") {
            Some("multipart") => true,
            Some("resumable") => false,
            other => return refuse(&Refusal::invalid(format!("the upload type {other:?}"))),
        };
        let call = if single {
            Call::Insert
        } else {
            Call::StartUpload
        };
        let fault = match fault_of(self.shared, call).await {
            Err(status) => return refuse(&Refusal::new(status, "as injected")),
            Ok(fault) => fault,
        };
        let reply = if single {
            self.insert(bucket)
        } else {
            self.start(bucket)
        };
        match fault {
            Some(Fault::LoseReply) => return Err(lost()),
            Some(Fault::Garble) => return garbled(),
            _ => {}
        }
        reply.unwrap_or_else(|refusal| refuse(&refusal))
    }

    fn name(&self) -> Result<String, Refusal> {
        let name = self.query.get("name").map(str::to_owned);
        name.ok_or_else(|| Refusal::invalid("an upload needs a name"))
    }

    fn insert(&self, bucket: &str) -> Result<Reply, Refusal> {
        let content_type = header(self.parts, "content-type").unwrap_or_default();
        let parts = multipart::parts(content_type, &self.body)?;
        let (resource, content) = match parts.as_slice() {
            [resource, content] | [resource, content, _] => (resource, content),
            _ => return Err(Refusal::invalid("an upload has two parts or three")),
        };
        let (attributes, mut said) = from_json(resource)?;
        if let Some(trailer) = parts.get(2) {
            let (_, late) = from_json(trailer)?;
            said.crc32c = said.crc32c.or(late.crc32c);
            said.md5 = said.md5.or(late.md5);
        }
        let (name, conditions) = (self.name()?, self.query.conditions()?);
        let object = Object::new(content.clone(), attributes);
        let mut store = self.shared.store();
        let object = store.insert(bucket, &name, object, &said, conditions)?;
        Ok(resource_reply(bucket, &name, &object))
    }

    fn start(&self, bucket: &str) -> Result<Reply, Refusal> {
        let (attributes, said) = from_json(&self.body)?;
        let (name, conditions) = (self.name()?, self.query.conditions()?);
        let session = Session::new(bucket.to_owned(), name, attributes, said, conditions);
        let id = self.shared.store().start_upload(session)?;
        // The client sends its host without the port, so the address is the server's own.
        let endpoint = self.shared.endpoint();
        let location = format!("{endpoint}{UPLOAD}{bucket}/o?uploadType=resumable&upload_id={id}");
        let builder = Response::builder().header("location", location);
        Ok(respond(builder, Bytes::new()))
    }

    async fn part(&self, id: &str) -> Reply {
        let range = header(self.parts, "content-range").unwrap_or("bytes */*");
        let range = match PartRange::parse(range) {
            Ok(range) => range,
            Err(refusal) => return refuse(&refusal),
        };
        let call = if range.is_query() {
            Call::QueryUpload
        } else {
            Call::UploadPart
        };
        let fault = match fault_of(self.shared, call).await {
            Err(status) => return refuse(&Refusal::new(status, "as injected")),
            Ok(fault) => fault,
        };
        let progress = self.progress(id, range, fault);
        match fault {
            Some(Fault::LoseReply) => Err(lost()),
            Some(Fault::Garble) => garbled(),
            Some(Fault::Keep(_)) => refuse(&Refusal::new(503, "as injected")),
            _ => progress_reply(progress),
        }
    }

    fn progress(
        &self,
        id: &str,
        range: PartRange,
        fault: Option<Fault>,
    ) -> Result<Progress, Refusal> {
        let mut store = self.shared.store();
        if range.is_query() {
            return store.query_upload(id);
        }
        let mut body = self.body.clone();
        match fault {
            Some(Fault::Keep(count)) => body.truncate(count),
            Some(Fault::Flip(at)) => body = flipped(&body, at),
            _ => {}
        }
        store.upload_part(id, range, &body, &self.said()?)
    }

    /// What the header of the last part says of the checksums.
    fn said(&self) -> Result<Expected, Refusal> {
        let text = header(self.parts, "x-goog-hash").unwrap_or_default();
        let of = |name: &str| {
            let mut fields = text.split(',').map(str::trim);
            fields
                .find_map(|field| field.strip_prefix(name))
                .unwrap_or_default()
        };
        expected(of("crc32c="), of("md5="))
    }
}

fn progress_reply(progress: Result<Progress, Refusal>) -> Reply {
    match progress {
        Err(refusal) => refuse(&refusal),
        Ok(Progress::Finished(bucket, name, object)) => resource_reply(&bucket, &name, &object),
        Ok(Progress::Incomplete(kept)) => {
            let mut builder = Response::builder().status(308);
            if let Some(last) = kept.checked_sub(1) {
                builder = builder.header("range", format!("bytes=0-{last}"));
            }
            respond(builder, Bytes::new())
        }
    }
}

fn resource_reply(bucket: &str, name: &str, object: &Object) -> Reply {
    let builder = Response::builder().header("content-type", "application/json");
    let body = to_json(bucket, name, object).to_string();
    respond(builder, Bytes::from(body))
}

pub(crate) fn refuse(refusal: &Refusal) -> Reply {
    let Refusal { status, message } = refusal;
    let error = json!({ "code": status, "message": message, "errors": [{ "message": message }] });
    let body = match status {
        304 => String::new(),
        _ => json!({ "error": error }).to_string(),
    };
    let builder = Response::builder()
        .status(*status)
        .header("content-type", "application/json");
    respond(builder, Bytes::from(body))
}

fn garbled() -> Reply {
    let builder = Response::builder().header("content-type", "application/json");
    respond(builder, Bytes::from_static(b"{\"name\": "))
}

/// The bytes with one bit of that at an offset changed.
pub(crate) fn flipped(bytes: &[u8], at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
    }
    bytes.into()
}

fn respond(builder: ::http::response::Builder, body: Bytes) -> Reply {
    let response = builder.body(Body::new(Full::new(body)));
    response.map_err(std::io::Error::other)
}

fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The query of a request, decoded.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(parts: &Parts) -> Self {
        let pairs = parts.uri.query().unwrap_or_default().split('&');
        let decoded = pairs.map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let form = |text: &str| decode(&text.replace('+', " "));
            (form(key), form(value))
        });
        Self(decoded.collect())
    }

    fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }

    fn number(&self, key: &str) -> Result<Option<i64>, Refusal> {
        let value = self.get(key).map(str::parse).transpose();
        value.map_err(|_| Refusal::invalid(format!("{key} is no number")))
    }

    fn conditions(&self) -> Result<Conditions, Refusal> {
        Ok(Conditions {
            generation: self.number("ifGenerationMatch")?,
            generation_not: self.number("ifGenerationNotMatch")?,
            metageneration: self.number("ifMetagenerationMatch")?,
            metageneration_not: self.number("ifMetagenerationNotMatch")?,
        })
    }
}
