macro_rules! features {
    ($($(#[$meta:meta])* $name:ident,)+) => {
        /// What a backend really does.
        ///
        /// A flag is a promise both ways: `true` means the calls and options named with it are
        /// honoured, `false` that they are refused with [`Unsupported`](crate::ErrorKind::Unsupported).
        /// The conformance suite proves each flag as the backend reports it.
        ///
        /// ```
        /// use storage_core::Features;
        ///
        /// let features = Features::NONE.with_copy(true).with_append(true);
        /// assert!(features.copy && !features.rename);
        /// ```
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub struct Features { $($(#[$meta])* pub $name: bool,)+ }

        impl Features {
            /// Every flag false.
            pub const NONE: Self = Self { $($name: false,)+ };
            /// Every flag true.
            pub const ALL: Self = Self { $($name: true,)+ };

            /// Name and value of every flag, in declaration order.
            pub fn iter(self) -> impl Iterator<Item = (&'static str, bool)> {
                [$((stringify!($name), self.$name),)+].into_iter()
            }

            /// Sets the flag of this name; `false` when there is none.
            pub fn set(&mut self, name: &str, value: bool) -> bool {
                match name {
                    $(stringify!($name) => self.$name = value,)+
                    _ => return false,
                }
                true
            }
        }
    };
}

features! {
    /// `copy` within the backend, without the bytes passing through the caller.
    copy,
    /// `rename`, atomically.
    rename,
    /// `rmdir` with `recursive`.
    purge,
    /// `WriteOptions::modified` and `set_modified`.
    set_modified,
    /// `WriteOptions::metadata`.
    custom_metadata,
    /// `WriteOptions::content_type` and `WriteOptions::cache_control`.
    content_type,
    /// `WriteMode::CreateNew`, decided atomically.
    create_new,
    /// `WriteMode::IfVersion`, decided atomically.
    if_version,
    /// `WriteMode::Append`.
    append,
    /// Nothing of a write is visible before it is finished.
    atomic_write,
    /// Reads of a part of an object.
    range_read,
    /// `mkdir` and `rmdir`; an empty directory exists; an object and a directory exclude each other.
    directories,
    /// `set_modified` of a directory; `stat` and listings tell a directory's modified time.
    directory_times,
    /// `ObjectInfo::version`, `ReadOptions::if_version` and `ReadOptions::if_changed_from`.
    versions,
    /// `presign`.
    presign,
    /// `WriteOptions::hashes`: digests are kept with the object; `ReadOptions::verify`.
    hashes,
}

macro_rules! setters {
    ($($setter:ident => $name:ident,)+) => {
        impl Features {
            $(
                #[doc = concat!("Sets [`", stringify!($name), "`](Self::", stringify!($name), ").")]
                #[must_use]
                pub const fn $setter(mut self, value: bool) -> Self {
                    self.$name = value;
                    self
                }
            )+
        }
    };
}

setters! {
    with_copy => copy,
    with_rename => rename,
    with_purge => purge,
    with_set_modified => set_modified,
    with_custom_metadata => custom_metadata,
    with_content_type => content_type,
    with_create_new => create_new,
    with_if_version => if_version,
    with_append => append,
    with_atomic_write => atomic_write,
    with_range_read => range_read,
    with_directories => directories,
    with_directory_times => directory_times,
    with_versions => versions,
    with_presign => presign,
    with_hashes => hashes,
}
