use aws_sdk_s3::primitives::DateTime;

use crate::S3Builder;

/// What an object carries beside what the contract tells: other tools set it, and replacing the
/// attributes of an object would lose it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Extras {
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) expires: Option<DateTime>,
    pub(crate) website_redirect: Option<String>,
    pub(crate) storage_class: Option<String>,
    pub(crate) sse: Option<String>,
    pub(crate) sse_kms_key_id: Option<String>,
}

/// Takes the [`Extras`] out of a reply to `HeadObject`.
macro_rules! extras {
    ($reply:expr) => {
        $crate::extras::Extras {
            content_encoding: $reply.content_encoding.take(),
            content_disposition: $reply.content_disposition.take(),
            content_language: $reply.content_language.take(),
            expires: $reply.expires_string.take().and_then(|text| {
                let format = aws_sdk_s3::primitives::DateTimeFormat::HttpDate;
                aws_sdk_s3::primitives::DateTime::from_str(&text, format).ok()
            }),
            website_redirect: $reply.website_redirect_location.take(),
            storage_class: $reply
                .storage_class
                .take()
                .map(|class| class.as_str().to_owned()),
            sse: $reply
                .server_side_encryption
                .take()
                .map(|sse| sse.as_str().to_owned()),
            sse_kms_key_id: $reply.ssekms_key_id.take(),
        }
    };
}
pub(crate) use extras;

impl Extras {
    /// Those of another object with the same content: how it is stored is said by the settings.
    pub(crate) fn elsewhere(self) -> Self {
        Self {
            storage_class: None,
            sse: None,
            sse_kms_key_id: None,
            ..self
        }
    }

    /// Those of the object itself, whatever the settings say of new ones.
    pub(crate) fn in_place(mut self, settings: &S3Builder) -> Self {
        if settings.storage_class.is_some() {
            // The class that replies do not name.
            self.storage_class
                .get_or_insert_with(|| "STANDARD".to_owned());
        }
        self
    }

    pub(crate) fn storage_class<'a>(&'a self, settings: &'a S3Builder) -> Option<&'a str> {
        let own = self.storage_class.as_deref();
        own.or(settings.storage_class.as_deref())
    }

    /// The encryption and its key.
    pub(crate) fn encryption<'a>(
        &'a self,
        settings: &'a S3Builder,
    ) -> (Option<&'a str>, Option<&'a str>) {
        match &self.sse {
            Some(sse) => (Some(sse), self.sse_kms_key_id.as_deref()),
            None => (settings.sse.as_deref(), settings.sse_kms_key_id.as_deref()),
        }
    }
}
