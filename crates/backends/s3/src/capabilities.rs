use std::str::FromStr;

use storage_core::Error;

macro_rules! capabilities {
    ($($(#[$meta:meta])* $name:ident,)+) => {
        /// What a store does beyond storing: the conditions it keeps and the checksums.
        ///
        /// As text it is the names of what is there, with commas: `create_new,if_version`; `none` and
        /// `all` are such texts too.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub struct Capabilities { $($(#[$meta])* pub $name: bool,)+ }

        impl Capabilities {
            /// Nothing.
            pub const NONE: Self = Self { $($name: false,)+ };
            /// Everything: what Amazon's S3 does.
            pub const ALL: Self = Self { $($name: true,)+ };

            fn set(&mut self, name: &str) -> bool {
                match name {
                    $(stringify!($name) => self.$name = true,)+
                    _ => return false,
                }
                true
            }

            const NAMES: &'static [&'static str] = &[$(stringify!($name)),+];
        }
    };
}

capabilities! {
    /// `PutObject` with `If-None-Match: *` creates or fails.
    create_new,
    /// `PutObject` with `If-Match` replaces that or fails.
    if_version,
    /// `CompleteMultipartUpload` keeps `If-None-Match`.
    create_new_multipart,
    /// `CompleteMultipartUpload` keeps `If-Match`.
    if_version_multipart,
    /// `DeleteObject` with `If-Match: *` fails where there is nothing.
    delete_existing,
    /// A CRC-32C sent with an object is kept and given back.
    checksums,
    /// The same of all parts together.
    multipart_checksums,
}

impl FromStr for Capabilities {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut found = match text {
            "all" => return Ok(Self::ALL),
            "none" => return Ok(Self::NONE),
            _ => Self::NONE,
        };
        for name in text.split(',').map(str::trim) {
            if !found.set(name) {
                let known = Self::NAMES.join(", ");
                let message =
                    format!("capability {name:?} is not known; known are {known}, all, none");
                return Err(Error::config(message));
            }
        }
        Ok(found)
    }
}
