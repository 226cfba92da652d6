//! Content type, cache control and metadata, encrypted into one value of the store's metadata.

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde_json::{Map, Value, json};
use storage_core::{Hashes, Metadata, ObjectInfo, Result};
use zeroize::Zeroizing;

use super::base32;
use super::format::corrupt;
use super::key::{MasterKey, fill_random};

/// The key of the one value below.
const KEY: &str = "omnistorage-sealed";

/// The text is filled up to a multiple of this many bytes.
const PADDING: usize = 64;

/// What a writer says of an object beside its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) content_type: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) metadata: Metadata,
}

/// Encrypts and decrypts attributes.
pub(super) struct AttributeCipher(XChaCha20Poly1305);

impl AttributeCipher {
    pub(super) fn new(key: &MasterKey) -> Self {
        let mut own = Zeroizing::new([0; 32]);
        key.derive("omnistorage encryption v1: attributes", &mut *own);
        Self(XChaCha20Poly1305::new((&*own).into()))
    }

    /// The metadata to store; none for no attributes.
    pub(super) fn seal(&self, attributes: &Attributes) -> Result<Metadata> {
        if *attributes == Attributes::default() {
            return Ok(Metadata::new());
        }
        let mut text = attributes.to_text();
        let padded = text.len().next_multiple_of(PADDING);
        text.extend(std::iter::repeat_n(' ', padded - text.len()));
        let mut nonce = [0; 24];
        fill_random(&mut nonce)?;
        let sealed = self.0.encrypt(&XNonce::from(nonce), text.as_bytes());
        let sealed = sealed.map_err(|_| corrupt("the attributes cannot be encrypted"))?;
        let value = base32::encode(&[&nonce[..], &sealed].concat());
        Ok(Metadata::from([(KEY.to_owned(), value)]))
    }

    /// The attributes in what is stored.
    ///
    /// # Errors
    /// `Corrupt` when they were changed, or encrypted under another key.
    pub(super) fn open(&self, stored: &Metadata) -> Result<Attributes> {
        let Some(value) = stored.get(KEY) else {
            return Ok(Attributes::default());
        };
        let bad = || corrupt("the attributes were changed, or are under another key");
        let bytes = base32::decode(value).ok_or_else(bad)?;
        let (nonce, sealed) = bytes.split_first_chunk::<24>().ok_or_else(bad)?;
        let text = self.0.decrypt(&XNonce::from(*nonce), sealed);
        Attributes::of_text(&text.map_err(|_| bad())?).ok_or_else(bad)
    }

    /// What is said of an object, with its attributes decrypted.
    pub(super) fn reveal(&self, mut info: ObjectInfo) -> Result<ObjectInfo> {
        let found = self.open(&info.metadata);
        let found = found.map_err(|error| error.with_path(&info.path))?;
        info.content_type = found.content_type.map(Into::into);
        info.cache_control = found.cache_control.map(Into::into);
        info.metadata = found.metadata;
        info.hashes = Hashes::new();
        Ok(info)
    }
}

impl Attributes {
    fn to_text(&self) -> String {
        let mut object = Map::new();
        for (key, value) in [
            ("content_type", &self.content_type),
            ("cache_control", &self.cache_control),
        ] {
            if let Some(value) = value {
                object.insert(key.to_owned(), json!(value));
            }
        }
        if !self.metadata.is_empty() {
            let pairs = self.metadata.iter();
            let pairs: Map<_, _> = pairs.map(|(k, v)| (k.clone(), json!(v))).collect();
            object.insert("metadata".to_owned(), Value::Object(pairs));
        }
        Value::Object(object).to_string()
    }

    fn of_text(text: &[u8]) -> Option<Self> {
        let mut object = serde_json::from_slice::<Map<String, Value>>(text).ok()?;
        let mut take = |key| match object.remove(key) {
            None => Some(None),
            Some(Value::String(text)) => Some(Some(text)),
            Some(_) => None,
        };
        let (content_type, cache_control) = (take("content_type")?, take("cache_control")?);
        let metadata = match object.remove("metadata") {
            None => Metadata::new(),
            Some(Value::Object(pairs)) => {
                let pairs = pairs.into_iter();
                let pairs = pairs.map(|(key, value)| Some((key, value.as_str()?.to_owned())));
                pairs.collect::<Option<_>>()?
            }
            Some(_) => return None,
        };
        Some(Self {
            content_type,
            cache_control,
            metadata,
        })
    }
}
