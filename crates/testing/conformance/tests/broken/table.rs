//! Which rules each fault breaks at least.

use storage_core::ErrorKind::{IsDirectory, NotDirectory, NotFound, Other};

use crate::fault::Fault::{self, *};

/// Faults and the rules that must find them.
pub(crate) const BREAKS: &[(Fault, &[&str])] = &[
    // Paths and prefixes.
    (DecodesPaths, &["path_literal_names"]),
    (DecodesTargets, &["path_names_in_calls"]),
    (LowercasesPaths, &["path_unicode_forms"]),
    (RefusesLongPaths, &["path_long_keys"]),
    (PrefixAsText, &["prefix_is_a_directory"]),
    (ListsPrefixItself, &["prefix_itself_is_not_listed"]),
    (MissingPrefixFails, &["prefix_missing_is_an_empty_page"]),
    (PrefixAsPattern, &["prefix_is_literal"]),
    // Listings.
    (SortsByPlainName, &["list_sorted_one_level"]),
    (ReversesRecursive, &["list_sorted_recursive"]),
    (SortsByUtf16, &["list_byte_order"]),
    (SkipsAfterCursor, &["list_pages_agree"]),
    (LimitZeroIsNone, &["list_limit_zero"]),
    (FiltersAfterLimit, &["list_limit_counts_after_filters"]),
    (
        RepeatsDirectories,
        &["list_groups_once", "walk_of_levels_survives_changes"],
    ),
    (StartAfterIncludes, &["list_start_after"]),
    (StartAfterForgetsSlash, &["list_start_after_one_level"]),
    (IgnoresNameStart, &["list_name_starts_with"]),
    (GlobOnWholeKey, &["list_glob"]),
    (GlobOverridesName, &["list_filters_combine"]),
    (AlwaysDirectories, &["list_directories_on_request"]),
    (
        FakesDirectories,
        &[
            "list_no_directories_to_include",
            "delete_where_no_directories_are",
        ],
    ),
    (
        LosesBeyondPage,
        &["list_default_pages", "delete_prefix_deletes_all_below"],
    ),
    (ListsNoSizes, &["list_tells_size"]),
    (ListsOtherTimes, &["list_agrees_with_stat"]),
    (
        OffsetCursor,
        &["walk_survives_inserts", "walk_survives_deletes"],
    ),
    (CursorNeedsItsKey, &["walk_survives_deletes"]),
    (SkipsChangedSinceStart, &["walk_survives_replacements"]),
    (CursorDiesOnRestart, &["walk_survives_a_restart"]),
    (ListsTemporary, &["walk_hides_unfinished_writes"]),
    // Reads.
    (MissingIsEmpty, &["read_missing"]),
    (EmptyIsMissing, &["read_empty_object"]),
    (FlipsLastByte, &["read_whole"]),
    (ReaderFlips, &["read_forms_agree"]),
    (LosesFarRegion, &["read_large"]),
    (SuffixFromStart, &["read_ranges_of_every_form"]),
    (InvertedIsEmpty, &["read_range_inverted"]),
    (EmptyRangeOfMissing, &["read_range_of_missing"]),
    (TellsRangeAsSize, &["read_range_is_told"]),
    (ClaimsFalse("range_read"), &["read_range_refused"]),
    (SortsRanges, &["read_many_ranges"]),
    (RangesOneByOne, &["ranges_of_one_version"]),
    (IgnoresIfVersion, &["read_if_version"]),
    (IgnoresIfChanged, &["read_if_changed_from"]),
    (
        ClaimsFalse("versions"),
        &[
            "read_conditions_refused",
            "versions_absent",
            "features_agree",
        ],
    ),
    (
        LiveReader,
        &[
            "reader_outlives_replacement",
            "reader_outlives_deletion",
            "reader_outlives_append",
            "readers_beside_writers",
        ],
    ),
    (CancelledReadLocks, &["cancelled_reads_and_lists"]),
    (PayloadOfAnother, &["read_as_payload"]),
    (StaleHandles, &["second_handle_sees_writes"]),
    // Writes.
    (
        PublishesEarly,
        &["write_nothing_before_finish", "append_before_finish"],
    ),
    (
        DropPublishes,
        &[
            "write_dropped",
            "append_before_finish",
            "conditions_leave_nothing",
        ],
    ),
    (AbortPublishes, &["write_aborted"]),
    (LeaksTemporary, &["write_leaves_no_residue"]),
    (KeepsOldTail, &["write_replaces_whole"]),
    (
        ForgetsSize,
        &["write_finish_is_final", "cancelled_finish_resumes"],
    ),
    (NeedsParents, &["write_creates_parents"]),
    (SkipsEmpty, &["write_empty"]),
    (CutsChunks, &["write_chunks_of_any_size"]),
    (ReversesChunks, &["write_as_async_write", "write_large"]),
    (Busy, &["write_many_at_once", "mkdir_race"]),
    (
        PublishesInTwoSteps,
        &[
            "cancelled_write",
            "cancelled_finish",
            "readers_beside_writers",
        ],
    ),
    (PublishesInTwoParts, &["write_last_one_wins"]),
    (RefusesDurability, &["write_durability"]),
    (FlushFails, &["write_flush_succeeds"]),
    (
        ForgetsOnRestart,
        &["write_survives_reopen", "version_survives_a_restart"],
    ),
    (
        Flickers("atomic_write"),
        &["put_atomic_refused", "features_are_constant"],
    ),
    (IgnoresStreamed, &["payload_streamed"]),
    (FileFromStart, &["payload_from_a_file"]),
    (PublishesWhatCame, &["payload_that_fails"]),
    (TakesAnyLength, &["payload_of_wrong_length"]),
    (IgnoresSize, &["size_mismatch", "append_checks"]),
    (RefusesSizeZero, &["size_match"]),
    (IgnoresExpected, &["expected_mismatch", "append_checks"]),
    (RefusesExpected, &["expected_match"]),
    (ReportsNoDigests, &["verify_reports_digests"]),
    // Modes.
    (RefusesCreateNew, &["create_new_creates"]),
    (
        CreateNewReplaces,
        &["create_new_on_existing", "race_to_create"],
    ),
    (
        ChecksAtOpen,
        &[
            "create_new_decides_at_finish",
            "if_version_decides_at_finish",
        ],
    ),
    (
        ChecksThenWrites,
        &[
            "race_to_create",
            "race_to_replace",
            "race_to_increment",
            "race_to_create_and_delete",
            "race_between_handles",
        ],
    ),
    (ClaimsFalse("create_new"), &["create_new_refused"]),
    (
        RefusesIfVersion,
        &["if_version_replaces", "if_version_takes_a_stored_token"],
    ),
    (IfVersionCreates, &["if_version_on_missing"]),
    (
        ForgetsPrecondition,
        &["if_version_on_another", "read_if_version"],
    ),
    (ClaimsFalse("if_version"), &["if_version_refused"]),
    (AppendNeedsObject, &["append_creates"]),
    (AppendReplaces, &["append_extends", "append_beside_readers"]),
    (
        AppendsByRewriting,
        &["append_race", "append_race_between_handles"],
    ),
    (AppendsInTwoSteps, &["cancelled_append"]),
    (
        KeepsStaleHashes,
        &["append_keeps_no_stale_hashes", "hashes_are_replaced"],
    ),
    (ClaimsFalse("append"), &["append_refused"]),
    // Versions.
    (
        VersionFromContent,
        &[
            "version_changes_on_every_write",
            "if_version_after_recreation",
        ],
    ),
    (
        ConstantVersion,
        &[
            "version_changes_on_append",
            "version_changes_in_place_of_another",
        ],
    ),
    (
        VersionChangesWhenAsked,
        &["version_told_alike", "version_unmoved_by_others"],
    ),
    (VersionsPerProcess, &["version_survives_a_restart"]),
    // Deletes.
    (
        DeleteAlwaysTrue,
        &["delete_tells_whether_it_was_there", "delete_missing"],
    ),
    (DeletesByPrefix, &["delete_leaves_others"]),
    (DeletesInTwoSteps, &["cancelled_delete"]),
    (
        Swaps(IsDirectory, NotFound),
        &[
            "delete_a_directory",
            "directory_is_no_object",
            "write_onto_a_directory",
            "copy_of_a_directory",
            "rename_between_kinds",
        ],
    ),
    (
        Swaps(NotDirectory, Other),
        &[
            "write_below_an_object",
            "mkdir_on_an_object",
            "rmdir_of_missing",
        ],
    ),
    // Copies and renames.
    (CopyIsEmpty, &["copy_gives_the_same_bytes"]),
    (CopyDropsAttributes, &["copy_keeps_attributes"]),
    (
        CopyIgnoresOptions,
        &[
            "copy_takes_other_attributes",
            "copy_honours_create_new",
            "copy_honours_if_version",
            "copy_honours_or_refuses_append",
            "copy_honours_or_refuses_checks",
        ],
    ),
    (CopyOfMissingIsFine, &["copy_of_missing"]),
    (CopyRewritesItself, &["copy_onto_itself"]),
    (CopyShares, &["copy_is_apart"]),
    (CopyCutsLarge, &["copy_large"]),
    (ClaimsFalse("copy"), &["copy_refused"]),
    (RenameKeepsSource, &["rename_moves"]),
    (RenameDropsAttributes, &["rename_keeps_attributes"]),
    (RenameOfMissingIsFine, &["rename_of_missing"]),
    (RenameRewritesItself, &["rename_onto_itself"]),
    (
        RenameIgnoresOptions,
        &[
            "rename_honours_create_new",
            "rename_honours_if_version",
            "rename_refuses_other_options",
            "rename_race",
        ],
    ),
    (RenameDeletesFirst, &["cancelled_rename"]),
    (RenameDropsEmptyDirectories, &["rename_a_directory"]),
    (RenameIntoItselfIsFine, &["rename_into_itself"]),
    (RenameMergesDirectories, &["rename_onto_a_filled_directory"]),
    (ClaimsFalse("rename"), &["rename_refused"]),
    // Attributes and digests.
    (DropsContentType, &["content_type_comes_back"]),
    (ClaimsFalse("content_type"), &["content_type_refused"]),
    (DropsMetadata, &["metadata_comes_back"]),
    (SanitisesMetadata, &["metadata_keys_are_checked"]),
    (ClaimsFalse("custom_metadata"), &["metadata_refused"]),
    (InheritsAttributes, &["attributes_are_replaced"]),
    (DropsModified, &["modified_comes_back"]),
    (SetModifiedDoesNothing, &["modified_can_be_set"]),
    (ClampsTimes, &["modified_at_the_ends_of_time"]),
    (ClaimsFalse("set_modified"), &["modified_refused"]),
    (MakesUpModified, &["modified_is_never_made_up"]),
    (StatTellsLess, &["stat_agrees_with_reader"]),
    (DropsHashes, &["hashes_are_kept"]),
    (VerifyRefused, &["verified_read"]),
    (IgnoresVerify, &["verified_read_refused"]),
    (ClaimsFalse("hashes"), &["hashes_refused"]),
    // Directories.
    (MkdirNeedsParents, &["mkdir_creates"]),
    (MkdirOnObjectIsFine, &["mkdir_on_an_object"]),
    (StatHidesDirectories, &["directory_of_an_object"]),
    (DirectoriesReadEmpty, &["directory_is_no_object"]),
    (RmdirDoesNothing, &["rmdir_removes"]),
    (RmdirIsRecursive, &["rmdir_not_empty"]),
    (RmdirOfMissingIsFine, &["rmdir_of_missing"]),
    (RmdirChecksThenPurges, &["rmdir_spares_a_concurrent_write"]),
    (PurgeIsShallow, &["purge_removes_all_below"]),
    (ClaimsFalse("purge"), &["purge_refused"]),
    (
        ClaimsFalse("directories"),
        &["directories_refused", "keys_without_directories"],
    ),
    // The rest.
    (SecondCloseFails, &["close_is_idempotent"]),
    (
        NeverCloses,
        &["closed_backend_refuses", "closed_backend_refuses_extended"],
    ),
    (FinishAfterCloseLies, &["close_leaves_no_half"]),
    (CloseClosesAll, &["close_of_one_handle"]),
    (
        AnonymousErrors,
        &["error_names_its_place", "error_names_its_place_extended"],
    ),
    (OddName, &["name_is_a_word"]),
    (PresignIsConstant, &["presign_gives_a_url"]),
    (PresignTakesAnyExpiry, &["presign_checks_expiry"]),
    (ClaimsFalse("presign"), &["presign_refused"]),
];
