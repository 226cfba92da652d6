use crc_fast::CrcAlgorithm;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::{Checksum, ChecksumAlgorithm, ChecksumType};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// A checksum that S3 knows, in the order of its names on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// The header, and trailer, that carries the checksum.
    pub(crate) const fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    pub(crate) const fn wire_name(self) -> &'static str {
        match self {
            Self::Crc32 => ChecksumAlgorithm::CRC32,
            Self::Crc32c => ChecksumAlgorithm::CRC32C,
            Self::Crc64nvme => ChecksumAlgorithm::CRC64NVME,
            Self::Sha1 => ChecksumAlgorithm::SHA1,
            Self::Sha256 => ChecksumAlgorithm::SHA256,
        }
    }

    pub(crate) fn named(name: &ChecksumAlgorithm) -> S3Result<Self> {
        let known = Self::ALL
            .into_iter()
            .find(|known| known.wire_name() == name.as_str());
        known.ok_or_else(|| {
            s3_error!(
                InvalidRequest,
                "unknown checksum algorithm {}",
                name.as_str()
            )
        })
    }

    const fn crc(self) -> Option<(CrcAlgorithm, usize)> {
        match self {
            Self::Crc32 => Some((CrcAlgorithm::Crc32IsoHdlc, 4)),
            Self::Crc32c => Some((CrcAlgorithm::Crc32Iscsi, 4)),
            Self::Crc64nvme => Some((CrcAlgorithm::Crc64Nvme, 8)),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// Whether a multipart object's checksum is by default one of its parts' checksums.
    pub(crate) const fn is_composite_by_default(self) -> bool {
        !matches!(self, Self::Crc64nvme)
    }

    /// Whether the checksum of a whole can be told from those of its parts.
    pub(crate) const fn can_be_combined(self) -> bool {
        self.crc().is_some()
    }
}

/// One checksum in its Base64 form, with `-N` after it when it is one of `N` parts' checksums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) algorithm: Algorithm,
    pub(crate) value: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) composite: bool,
}

/// The fields of a request or reply that carry checksums, as one value.
macro_rules! sums_of {
    ($fields:expr) => {
        $crate::checksum::given([
            $fields.checksum_crc32.as_deref(),
            $fields.checksum_crc32c.as_deref(),
            $fields.checksum_crc64nvme.as_deref(),
            $fields.checksum_sha1.as_deref(),
            $fields.checksum_sha256.as_deref(),
        ])
    };
}

/// Puts checksums into the fields of a reply.
macro_rules! set_sums {
    ($fields:expr, $sums:expr) => {
        for sum in $sums {
            let value = Some(Clone::clone(&sum.value));
            match sum.algorithm {
                $crate::checksum::Algorithm::Crc32 => $fields.checksum_crc32 = value,
                $crate::checksum::Algorithm::Crc32c => $fields.checksum_crc32c = value,
                $crate::checksum::Algorithm::Crc64nvme => $fields.checksum_crc64nvme = value,
                $crate::checksum::Algorithm::Sha1 => $fields.checksum_sha1 = value,
                $crate::checksum::Algorithm::Sha256 => $fields.checksum_sha256 = value,
            }
        }
    };
}

pub(crate) use {set_sums, sums_of};

pub(crate) fn given(values: [Option<&str>; 5]) -> Vec<Sum> {
    let known = Algorithm::ALL.into_iter().zip(values);
    let present = known.filter_map(|(algorithm, value)| value.map(|value| (algorithm, value)));
    let sum = |(algorithm, value): (_, &str)| Sum {
        algorithm,
        value: value.to_owned(),
        composite: value.contains('-'),
    };
    present.map(sum).collect()
}

/// How the checksums of an object come about, for replies.
pub(crate) fn type_of(sums: &[Sum]) -> Option<ChecksumType> {
    let sum = sums.first()?;
    Some(ChecksumType::from_static(if sum.composite {
        ChecksumType::COMPOSITE
    } else {
        ChecksumType::FULL_OBJECT
    }))
}

/// Requires that every checksum the client states is the computed one, where that was computed.
pub(crate) fn require(stated: &[Sum], computed: &[Sum]) -> S3Result<()> {
    for sum in stated {
        let own = computed.iter().find(|own| own.algorithm == sum.algorithm);
        if own.is_some_and(|own| own.value != sum.value) {
            let name = sum.algorithm.wire_name();
            return Err(s3_error!(BadDigest, "the content has another {name}"));
        }
    }
    Ok(())
}

/// Computes some checksums in one pass.
pub(crate) fn hasher(algorithms: &[Algorithm]) -> ChecksumHasher {
    let has = |algorithm| algorithms.contains(&algorithm);
    ChecksumHasher {
        crc32: has(Algorithm::Crc32).then(Crc32::new),
        crc32c: has(Algorithm::Crc32c).then(Crc32c::new),
        sha1: has(Algorithm::Sha1).then(Sha1::new),
        sha256: has(Algorithm::Sha256).then(Sha256::new),
        crc64nvme: has(Algorithm::Crc64nvme).then(Crc64Nvme::new),
    }
}

pub(crate) fn finished(hasher: ChecksumHasher) -> Vec<Sum> {
    let sums: Checksum = hasher.finalize();
    sums_of!(sums)
}

/// The checksum of an object made of parts with these checksums and sizes. `None` when a part's is
/// missing or no checksum.
pub(crate) fn of_parts<'a>(
    algorithm: Algorithm,
    composite: bool,
    parts: impl Iterator<Item = (&'a [Sum], u64)>,
) -> Option<Sum> {
    let mut digests = Vec::new();
    for (sums, size) in parts {
        let sum = sums.iter().find(|sum| sum.algorithm == algorithm)?;
        digests.push((decode(&sum.value)?, size));
    }
    let value = if composite {
        let mut hasher = hasher(&[algorithm]);
        digests.iter().for_each(|(digest, _)| hasher.update(digest));
        let sum = finished(hasher).pop()?;
        format!("{}-{}", sum.value, digests.len())
    } else {
        combined(algorithm, &digests)?
    };
    Some(Sum {
        algorithm,
        value,
        composite,
    })
}

fn combined(algorithm: Algorithm, digests: &[(Vec<u8>, u64)]) -> Option<String> {
    let (crc, len) = algorithm.crc()?;
    let number = |digest: &[u8]| {
        digest
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte))
    };
    let mut parts = digests.iter();
    let mut whole = number(&parts.next()?.0);
    for (digest, size) in parts {
        whole = crc_fast::checksum_combine(crc, whole, number(digest), *size);
    }
    let bytes = whole.to_be_bytes();
    Some(encode(bytes.get(bytes.len() - len..)?))
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    base64_simd::STANDARD.decode_to_vec(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(bytes: &[u8]) -> Vec<Sum> {
        let mut hasher = hasher(&Algorithm::ALL);
        hasher.update(bytes);
        finished(hasher)
    }

    #[test]
    fn the_checksum_of_a_whole_is_told_from_its_parts() {
        let (one, two, whole) = (sums(b"hello, "), sums(b"world"), sums(b"hello, world"));
        for algorithm in Algorithm::ALL {
            let parts = [(&one[..], 7), (&two[..], 5)].into_iter();
            let told = of_parts(algorithm, false, parts);
            let expected = whole.iter().find(|sum| sum.algorithm == algorithm);
            let expected = expected.filter(|_| algorithm.can_be_combined());
            assert_eq!(told.as_ref(), expected, "{algorithm:?}");
        }
    }

    #[test]
    fn a_composite_checksum_is_one_of_the_parts_digests() {
        let (one, two) = (sums(b"a"), sums(b"b"));
        let digest = |sums: &[Sum]| decode(&sums[4].value).unwrap();
        let expected = &sums(&[digest(&one), digest(&two)].concat())[4].value;
        let parts = [(&one[..], 1), (&two[..], 1)].into_iter();
        let told = of_parts(Algorithm::Sha256, true, parts).unwrap();
        assert_eq!(told.value, format!("{expected}-2"));
    }
}
