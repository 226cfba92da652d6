//! What this server does not have, and therefore refuses rather than ignores.

use s3s::dto::{
    CopyObjectInput, CreateBucketInput, CreateMultipartUploadInput, PutObjectInput, StorageClass,
};
use s3s::{S3Error, S3Result, s3_error};

fn refused(what: &str) -> S3Error {
    s3_error!(NotImplemented, "this server has no {what}")
}

/// Refuses a request when one of its fields is set.
macro_rules! refuse {
    ($($set:expr => $what:literal,)+) => {
        $(if $set {
            return Err(refused($what));
        })+
    };
}

/// Only the current version exists, which is called `null`.
pub(crate) fn refuse_version(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(NoSuchVersion, "this server keeps no versions")),
    }
}

fn is_special(class: Option<&StorageClass>) -> bool {
    class.is_some_and(|class| class.as_str() != StorageClass::STANDARD)
}

/// The fields that three ways to create an object have in common.
macro_rules! refuse_common {
    ($input:expr) => {
        refuse! {
            $input.acl.as_ref().is_some_and(|acl| acl.as_str() != "private") => "access control lists",
            $input.grant_full_control.is_some() || $input.grant_read.is_some() => "access control lists",
            $input.grant_read_acp.is_some() || $input.grant_write_acp.is_some() => "access control lists",
            $input.tagging.is_some() => "tags",
            $input.object_lock_mode.is_some() || $input.object_lock_legal_hold_status.is_some() => "object lock",
            $input.object_lock_retain_until_date.is_some() => "object lock",
            $input.server_side_encryption.is_some() || $input.ssekms_key_id.is_some() => "encryption",
            $input.sse_customer_algorithm.is_some() || $input.sse_customer_key.is_some() => "encryption",
            is_special($input.storage_class.as_ref()) => "storage classes",
            $input.website_redirect_location.is_some() => "web sites",
        }
    };
}

pub(crate) fn refuse_put(input: &PutObjectInput) -> S3Result<()> {
    refuse_common!(input);
    refuse! { input.write_offset_bytes.is_some() => "appends", }
    Ok(())
}

pub(crate) fn refuse_upload(input: &CreateMultipartUploadInput) -> S3Result<()> {
    refuse_common!(input);
    Ok(())
}

pub(crate) fn refuse_copy(input: &CopyObjectInput) -> S3Result<()> {
    refuse_common!(input);
    refuse! {
        input.tagging_directive.is_some() => "tags",
        input.copy_source_sse_customer_key.is_some() => "encryption",
        input.checksum_algorithm.is_some() => "new checksums of copies",
    }
    Ok(())
}

pub(crate) fn refuse_bucket(input: &CreateBucketInput) -> S3Result<()> {
    refuse! {
        input.acl.as_ref().is_some_and(|acl| acl.as_str() != "private") => "access control lists",
        input.object_lock_enabled_for_bucket == Some(true) => "object lock",
    }
    Ok(())
}
