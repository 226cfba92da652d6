/// Makes one `#[test]` of every rule of the contract, for the backend that the expression opens.
///
/// The expression is a future of `storage_core::Result` of a backend, or of a
/// [`Fresh`](crate::Fresh), and is evaluated anew for every rule: each time it must give an empty
/// store. With `suite = …` it is a [`Suite`](crate::Suite), for a store that needs other sizes.
/// With `server = "name", suite = |address| …` the suite is made for the address of a server, and the
/// tests are skipped as [`server`](crate::server) says where there is none.
/// Put each use into a module of its own. Rules that do not apply pass and print why.
///
/// ```
/// # fn main() {}
/// # use storage_core::{async_trait, Backend, ListOptions, ListPage, ObjectPath, Prefix, ReadOptions,
/// #     Reader, Result, WriteOptions, Writer};
/// # #[derive(Debug)] struct MyBackend;
/// # impl MyBackend { fn new() -> Self { Self } }
/// # #[async_trait] impl Backend for MyBackend {
/// #     fn name(&self) -> &'static str { "mine" }
/// #     async fn reader(&self, _: &ObjectPath, _: ReadOptions) -> Result<Reader> { unimplemented!() }
/// #     async fn writer(&self, _: &ObjectPath, _: WriteOptions) -> Result<Writer> { unimplemented!() }
/// #     async fn delete(&self, _: &ObjectPath) -> Result<bool> { unimplemented!() }
/// #     async fn list(&self, _: &Prefix, _: ListOptions) -> Result<ListPage> { unimplemented!() }
/// #     async fn close(&self) -> Result<()> { unimplemented!() }
/// # }
/// mod contract {
///     use super::MyBackend;
///     storage_conformance::conformance!(async { Ok(MyBackend::new()) });
/// }
/// ```
#[macro_export]
macro_rules! conformance {
    (server = $server:expr, suite = $suite:expr $(,)?) => {
        $crate::__each_rule!((on ($server) ($suite)));
    };
    (suite = $suite:expr) => {
        $crate::__each_rule!((tests $suite));
    };
    ($backend:expr $(,)?) => {
        $crate::conformance!(suite = $crate::Suite::new(|| $backend));
    };
}

/// What is made of the names of all rules.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_rules {
    ((tests $suite:expr) $($rule:ident)+) => {
        fn __suite() -> $crate::Suite {
            $suite
        }
        $(
            #[test]
            fn $rule() {
                $crate::check(&__suite(), stringify!($rule));
            }
        )+
    };
    ((on ($server:expr) ($suite:expr)) $($rule:ident)+) => {
        fn __suite() -> Option<$crate::Suite> {
            $crate::server($server).map($suite)
        }
        $(
            #[test]
            fn $rule() {
                if let Some(suite) = __suite() {
                    $crate::check(&suite, stringify!($rule));
                }
            }
        )+
    };
    ((names) $($rule:ident)+) => {
        [$(stringify!($rule)),+]
    };
}

/// The names of all rules, once more: a macro cannot see the tables of the rules. A test holds both
/// equal.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_rule {
    ($what:tt) => {
        $crate::__with_rules! {
            $what
            path_literal_names
            path_unicode_forms
            path_long_keys
            path_names_in_calls
            prefix_is_a_directory
            prefix_itself_is_not_listed
            prefix_missing_is_an_empty_page
            prefix_is_literal
            list_sorted_one_level
            list_sorted_recursive
            list_byte_order
            list_pages_agree
            list_limit_zero
            list_groups_once
            list_directories_on_request
            list_no_directories_to_include
            list_default_pages
            list_tells_size
            list_agrees_with_stat
            list_limit_counts_after_filters
            list_start_after
            list_start_after_one_level
            list_name_starts_with
            list_glob
            list_filters_combine
            walk_survives_inserts
            walk_survives_deletes
            walk_survives_replacements
            walk_of_levels_survives_changes
            walk_survives_a_restart
            walk_hides_unfinished_writes
            read_missing
            read_empty_object
            read_whole
            read_forms_agree
            read_as_payload
            read_large
            read_ranges_of_every_form
            read_range_inverted
            read_range_of_missing
            read_range_is_told
            read_range_refused
            read_many_ranges
            read_if_version
            read_if_changed_from
            read_conditions_refused
            reader_outlives_replacement
            reader_outlives_deletion
            reader_outlives_append
            readers_beside_writers
            ranges_of_one_version
            second_handle_sees_writes
            write_nothing_before_finish
            write_replaces_whole
            write_finish_is_final
            write_empty
            write_chunks_of_any_size
            write_as_async_write
            write_large
            write_durability
            write_flush_succeeds
            write_survives_reopen
            put_atomic_refused
            write_creates_parents
            write_below_an_object
            write_onto_a_directory
            write_many_at_once
            write_last_one_wins
            write_dropped
            write_aborted
            write_leaves_no_residue
            payload_streamed
            payload_from_a_file
            payload_that_fails
            payload_of_wrong_length
            size_mismatch
            size_match
            expected_mismatch
            expected_match
            verify_reports_digests
            cancelled_write
            cancelled_finish
            cancelled_finish_resumes
            cancelled_reads_and_lists
            cancelled_delete
            cancelled_append
            cancelled_rename
            create_new_creates
            create_new_on_existing
            create_new_decides_at_finish
            create_new_refused
            if_version_replaces
            if_version_on_another
            if_version_on_missing
            if_version_after_recreation
            if_version_decides_at_finish
            if_version_takes_a_stored_token
            if_version_refused
            conditions_leave_nothing
            race_to_create
            race_to_replace
            race_to_increment
            race_to_create_and_delete
            race_between_handles
            append_creates
            append_extends
            append_before_finish
            append_checks
            append_keeps_no_stale_hashes
            append_race
            append_race_between_handles
            append_beside_readers
            append_refused
            version_told_alike
            version_changes_on_every_write
            version_changes_on_append
            version_changes_in_place_of_another
            version_unmoved_by_others
            version_survives_a_restart
            versions_absent
            delete_tells_whether_it_was_there
            delete_missing
            delete_leaves_others
            delete_a_directory
            delete_where_no_directories_are
            delete_prefix_deletes_all_below
            copy_gives_the_same_bytes
            copy_keeps_attributes
            copy_takes_other_attributes
            copy_of_missing
            copy_onto_itself
            copy_honours_create_new
            copy_honours_if_version
            copy_honours_or_refuses_append
            copy_honours_or_refuses_checks
            copy_is_apart
            copy_of_a_directory
            copy_large
            copy_refused
            rename_moves
            rename_keeps_attributes
            rename_of_missing
            rename_onto_itself
            rename_honours_create_new
            rename_honours_if_version
            rename_refuses_other_options
            rename_race
            rename_a_directory
            rename_into_itself
            rename_onto_a_filled_directory
            rename_between_kinds
            rename_refused
            content_type_comes_back
            content_type_refused
            metadata_comes_back
            metadata_keys_are_checked
            metadata_refused
            attributes_are_replaced
            stat_agrees_with_reader
            modified_comes_back
            modified_can_be_set
            modified_at_the_ends_of_time
            modified_refused
            modified_of_a_directory
            modified_of_a_directory_refused
            modified_is_never_made_up
            hashes_are_kept
            hashes_are_replaced
            verified_read
            verified_read_refused
            hashes_refused
            mkdir_creates
            mkdir_on_an_object
            mkdir_race
            directory_of_an_object
            directory_is_no_object
            rmdir_removes
            rmdir_not_empty
            rmdir_of_missing
            rmdir_spares_a_concurrent_write
            purge_removes_all_below
            purge_refused
            directories_refused
            keys_without_directories
            close_is_idempotent
            closed_backend_refuses
            closed_backend_refuses_extended
            close_leaves_no_half
            close_of_one_handle
            error_names_its_place
            error_names_its_place_extended
            name_is_a_word
            features_are_constant
            features_agree
            presign_gives_a_url
            presign_checks_expiry
            presign_refused
        }
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_macro_names_every_rule() {
        let tables: Vec<&str> = crate::Suite::rules().map(crate::Rule::name).collect();
        assert_eq!(crate::__each_rule!((names)).as_slice(), tables);
    }
}
