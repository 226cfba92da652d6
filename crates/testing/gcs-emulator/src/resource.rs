//! Objects as the two protocols write them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use googleapis_tonic_google_storage_v2::google::storage::v2;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::object::{Attributes, Expected, Object};
use crate::refusal::Refusal;

/// The JSON of an object.
pub(crate) fn to_json(bucket: &str, name: &str, object: &Object) -> Value {
    let attributes = &object.attributes;
    let mut fields = json!({
        "kind": "storage#object",
        "id": format!("{bucket}/{name}/{}", object.generation),
        "name": name,
        "bucket": bucket,
        "generation": object.generation.to_string(),
        "metageneration": object.metageneration.to_string(),
        "size": object.content.len().to_string(),
        "crc32c": crc32c_text(object.checksums.crc32c),
        "md5Hash": BASE64_STANDARD.encode(&object.checksums.md5),
        "etag": object.etag(),
        "timeCreated": object.created.to_string(),
        "timeFinalized": object.created.to_string(),
        "timeStorageClassUpdated": object.created.to_string(),
        "updated": object.updated.to_string(),
    });
    for (field, value) in text_fields(attributes) {
        if !value.is_empty() {
            fields[field] = Value::from(value.as_str());
        }
    }
    if !attributes.metadata.is_empty() {
        fields["metadata"] = json!(attributes.metadata);
    }
    fields
}

fn text_fields(attributes: &Attributes) -> [(&'static str, &String); 6] {
    [
        ("contentType", &attributes.content_type),
        ("contentEncoding", &attributes.content_encoding),
        ("contentLanguage", &attributes.content_language),
        ("contentDisposition", &attributes.content_disposition),
        ("cacheControl", &attributes.cache_control),
        ("storageClass", &attributes.storage_class),
    ]
}

/// Base64 of the big-endian bytes, as the API writes a CRC32C.
pub(crate) fn crc32c_text(crc32c: u32) -> String {
    BASE64_STANDARD.encode(crc32c.to_be_bytes())
}

/// The attributes and checksums of an upload's JSON, which may be empty.
pub(crate) fn from_json(body: &[u8]) -> Result<(Attributes, Expected), Refusal> {
    if body.is_empty() {
        return Ok(Default::default());
    }
    let fields: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| Refusal::invalid(format!("the JSON of the object: {error}")))?;
    let text = |field: &str| {
        let value = fields.get(field).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let metadata = fields.get("metadata").and_then(Value::as_object);
    let attributes = Attributes {
        content_type: text("contentType"),
        content_encoding: text("contentEncoding"),
        content_language: text("contentLanguage"),
        content_disposition: text("contentDisposition"),
        cache_control: text("cacheControl"),
        storage_class: text("storageClass"),
        metadata: metadata
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect(),
    };
    Ok((attributes, expected(&text("crc32c"), &text("md5Hash"))?))
}

/// Checksums in Base64, where they are not empty.
pub(crate) fn expected(crc32c: &str, md5: &str) -> Result<Expected, Refusal> {
    let decode = |text: &str| {
        let decoded = BASE64_STANDARD.decode(text);
        decoded.map_err(|_| Refusal::invalid(format!("{text:?} is not Base64")))
    };
    let mut expected = Expected::default();
    if !crc32c.is_empty() {
        let bytes = <[u8; 4]>::try_from(decode(crc32c)?);
        let bytes = bytes.map_err(|_| Refusal::invalid("a CRC32C has four bytes"))?;
        expected.crc32c = Some(u32::from_be_bytes(bytes));
    }
    if !md5.is_empty() {
        expected.md5 = Some(Bytes::from(decode(md5)?));
    }
    Ok(expected)
}

/// The message of an object.
pub(crate) fn to_message(bucket: &str, name: &str, object: &Object) -> v2::Object {
    let attributes = object.attributes.clone();
    v2::Object {
        name: name.to_owned(),
        bucket: format!("projects/_/buckets/{bucket}"),
        etag: object.etag(),
        generation: object.generation,
        metageneration: object.metageneration,
        storage_class: attributes.storage_class,
        size: i64::try_from(object.content.len()).unwrap_or(i64::MAX),
        content_encoding: attributes.content_encoding,
        content_disposition: attributes.content_disposition,
        cache_control: attributes.cache_control,
        content_language: attributes.content_language,
        content_type: attributes.content_type,
        metadata: attributes.metadata,
        create_time: Some(time(object.created)),
        finalize_time: Some(time(object.created)),
        update_time: Some(time(object.updated)),
        checksums: Some(v2::ObjectChecksums {
            crc32c: Some(object.checksums.crc32c),
            md5_hash: object.checksums.md5.clone(),
        }),
        ..Default::default()
    }
}

/// The attributes of a message.
pub(crate) fn from_message(object: v2::Object) -> Attributes {
    Attributes {
        content_type: object.content_type,
        content_encoding: object.content_encoding,
        content_language: object.content_language,
        content_disposition: object.content_disposition,
        cache_control: object.cache_control,
        storage_class: object.storage_class,
        metadata: object.metadata,
    }
}

fn time(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.as_second(),
        nanos: time.subsec_nanosecond(),
    }
}
