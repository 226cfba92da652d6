//! What can be wrong with a backend.

use storage_core::ErrorKind;

/// One thing that a broken backend does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: the wrapper itself conforms.
    None,
    /// The flag is false, and what it stands for works all the same.
    ClaimsFalse(&'static str),
    /// The flag is false when first asked and true later.
    Flickers(&'static str),
    /// Failures of the first kind are given as the second.
    Swaps(ErrorKind, ErrorKind),

    // Paths.
    DecodesPaths,
    DecodesTargets,
    LowercasesPaths,
    RefusesLongPaths,

    // Listings.
    PrefixAsText,
    ListsPrefixItself,
    MissingPrefixFails,
    PrefixAsPattern,
    SortsByPlainName,
    ReversesRecursive,
    SortsByUtf16,
    SkipsAfterCursor,
    LimitZeroIsNone,
    FiltersAfterLimit,
    RepeatsDirectories,
    StartAfterIncludes,
    StartAfterForgetsSlash,
    IgnoresNameStart,
    GlobOnWholeKey,
    GlobOverridesName,
    AlwaysDirectories,
    FakesDirectories,
    LosesBeyondPage,
    ListsNoSizes,
    ListsOtherTimes,
    OffsetCursor,
    CursorNeedsItsKey,
    SkipsChangedSinceStart,
    CursorDiesOnRestart,
    ListsTemporary,

    // Reads.
    MissingIsEmpty,
    EmptyIsMissing,
    FlipsLastByte,
    ReaderFlips,
    LosesFarRegion,
    SuffixFromStart,
    InvertedIsEmpty,
    EmptyRangeOfMissing,
    TellsRangeAsSize,
    SortsRanges,
    RangesOneByOne,
    IgnoresIfVersion,
    IgnoresIfChanged,
    LiveReader,
    CancelledReadLocks,
    StaleHandles,
    PayloadOfAnother,

    // Writes.
    PublishesEarly,
    DropPublishes,
    AbortPublishes,
    LeaksTemporary,
    KeepsOldTail,
    ForgetsSize,
    NeedsParents,
    SkipsEmpty,
    CutsChunks,
    ReversesChunks,
    Busy,
    PublishesInTwoSteps,
    PublishesInTwoParts,
    RefusesDurability,
    FlushFails,
    ForgetsOnRestart,
    IgnoresStreamed,
    FileFromStart,
    PublishesWhatCame,
    TakesAnyLength,
    IgnoresSize,
    RefusesSizeZero,
    IgnoresExpected,
    RefusesExpected,
    ReportsNoDigests,

    // Modes.
    RefusesCreateNew,
    CreateNewReplaces,
    ChecksAtOpen,
    ChecksThenWrites,
    RefusesIfVersion,
    IfVersionCreates,
    ForgetsPrecondition,
    AppendNeedsObject,
    AppendReplaces,
    AppendsByRewriting,
    AppendsInTwoSteps,
    KeepsStaleHashes,

    // Versions.
    VersionFromContent,
    ConstantVersion,
    VersionChangesWhenAsked,
    VersionsPerProcess,

    // Deletes, copies, renames.
    DeleteAlwaysTrue,
    DeletesByPrefix,
    DeletesInTwoSteps,
    CopyIsEmpty,
    CopyDropsAttributes,
    CopyIgnoresOptions,
    CopyOfMissingIsFine,
    CopyRewritesItself,
    CopyShares,
    CopyCutsLarge,
    RenameKeepsSource,
    RenameDropsAttributes,
    RenameOfMissingIsFine,
    RenameRewritesItself,
    RenameIgnoresOptions,
    RenameDeletesFirst,
    RenameDropsEmptyDirectories,
    RenameIntoItselfIsFine,
    RenameMergesDirectories,

    // Attributes and digests.
    DropsContentType,
    DropsMetadata,
    SanitisesMetadata,
    InheritsAttributes,
    DropsModified,
    SetModifiedDoesNothing,
    /// The flag is true, and the calls are refused.
    ClaimsDirectoryTimes,
    TakesDirectoryTimes,
    ClampsTimes,
    MakesUpModified,
    StatTellsLess,
    DropsHashes,
    VerifyRefused,
    IgnoresVerify,

    // Directories.
    MkdirNeedsParents,
    MkdirOnObjectIsFine,
    StatHidesDirectories,
    DirectoriesReadEmpty,
    RmdirDoesNothing,
    RmdirIsRecursive,
    RmdirOfMissingIsFine,
    RmdirChecksThenPurges,
    PurgeIsShallow,

    // The rest.
    SecondCloseFails,
    NeverCloses,
    FinishAfterCloseLies,
    CloseClosesAll,
    AnonymousErrors,
    OddName,
    PresignIsConstant,
    PresignTakesAnyExpiry,
}

impl Fault {
    /// Whether the store below is one without directories.
    pub(crate) fn is_flat(self) -> bool {
        self == Self::FakesDirectories
    }

    /// Whether presigned URLs are there, to be got wrong.
    pub(crate) fn presigns(self) -> bool {
        matches!(
            self,
            Self::PresignIsConstant | Self::PresignTakesAnyExpiry | Self::ClaimsFalse("presign")
        )
    }

    /// Whether the fault is one of timing, so that it may go unseen in one run.
    pub(crate) fn is_of_timing(self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::ChecksThenWrites
                | Self::AppendsByRewriting
                | Self::PublishesInTwoSteps
                | Self::PublishesInTwoParts
                | Self::RmdirChecksThenPurges
                | Self::RangesOneByOne
                | Self::LiveReader
        )
    }
}
