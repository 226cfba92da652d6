//! What is done about a key: decided by what became of it on either side, then by the contents.

use super::Replica;

/// What became of an object on one side since both were the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is not there.
    Missing,
    /// It is the same as then.
    Kept,
    /// It is not, or was not there.
    Changed,
}

/// What is done about one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Both sides are the same: takes note of it.
    Adopt,
    /// Both sides have lost it: takes note of it.
    Forget,
    /// One side's version goes to this side.
    Send(Replica),
    /// Only the time of this side's is set.
    SetModified(Replica),
    Mkdir(Replica),
    Delete(Replica),
    Rmdir(Replica),
    /// Both versions are kept, the winner's under the name.
    KeepBoth(Option<Replica>),
    /// A conflict that is left alone.
    Leave,
    /// This side has a link there, which is not followed: what the other has is left alone.
    SkipLink(Replica),
    /// The same of a FIFO, socket or device.
    SkipDevice(Replica),
}

/// What the fates come to before anybody has looked at the contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    Nothing,
    Sure(Decision),
    /// The version goes to this side unless that has the content already.
    Update(Replica),
    /// Both sides have something new.
    Both,
}

/// What to do about an object. A change beats a deletion: what was changed is sent back.
pub(crate) fn outlook(is_known: bool, fates: [Fate; 2]) -> Outlook {
    use Decision::{Delete, Forget, Send};
    use Fate::{Changed, Kept, Missing};
    use Replica::{Path1, Path2};
    match fates {
        [Missing, Missing] if is_known => Outlook::Sure(Forget),
        [Missing, Missing] | [Kept, Kept] => Outlook::Nothing,
        [Missing, Kept] => Outlook::Sure(Delete(Path2)),
        [Kept, Missing] => Outlook::Sure(Delete(Path1)),
        [Missing, Changed] => Outlook::Sure(Send(Path1)),
        [Changed, Missing] => Outlook::Sure(Send(Path2)),
        [Changed, Kept] => Outlook::Update(Path2),
        [Kept, Changed] => Outlook::Update(Path1),
        [Changed, Changed] => Outlook::Both,
    }
}

/// What to do about a directory, which is there or not.
pub(crate) fn of_directory(is_known: bool, there: [bool; 2]) -> Option<Decision> {
    use Replica::{Path1, Path2};
    match (is_known, there) {
        (true, [true, true]) | (false, [false, false]) => None,
        (false, [true, true]) => Some(Decision::Adopt),
        (true, [false, false]) => Some(Decision::Forget),
        (true, [false, true]) => Some(Decision::Rmdir(Path2)),
        (true, [true, false]) => Some(Decision::Rmdir(Path1)),
        (false, [true, false]) => Some(Decision::Mkdir(Path2)),
        (false, [false, true]) => Some(Decision::Mkdir(Path1)),
    }
}

const KINDS: [fn(Replica) -> Decision; 8] = [
    Decision::Send,
    Decision::SetModified,
    Decision::Mkdir,
    Decision::Delete,
    Decision::Rmdir,
    Decision::SkipLink,
    Decision::SkipDevice,
    |side| Decision::KeepBoth(Some(side)),
];

impl Decision {
    const FEW: [Self; 4] = [Self::Adopt, Self::Forget, Self::Leave, Self::KeepBoth(None)];

    fn all() -> impl Iterator<Item = Self> {
        let sided = KINDS.into_iter().flat_map(|kind| Replica::BOTH.map(kind));
        Self::FEW.into_iter().chain(sided)
    }

    /// A number below 128.
    pub(crate) fn tag(self) -> u8 {
        Self::all()
            .zip(0..)
            .find_map(|(each, tag)| (each == self).then_some(tag))
            .unwrap_or(0)
    }

    pub(crate) fn of_tag(tag: u8) -> Option<Self> {
        Self::all().nth(tag.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_back() {
        let all: Vec<_> = Decision::all().collect();
        assert_eq!(all.len(), 20);
        for decision in all {
            assert_eq!(Decision::of_tag(decision.tag()), Some(decision));
        }
        assert_eq!(Decision::of_tag(20), None);
    }

    #[test]
    fn the_sides_are_treated_alike() {
        let mirrored = |decision| match decision {
            Decision::Send(side) => Decision::Send(side.other()),
            Decision::Delete(side) => Decision::Delete(side.other()),
            other => other,
        };
        let fates = [Fate::Missing, Fate::Kept, Fate::Changed];
        for a in fates {
            for b in fates {
                let expected = match outlook(true, [a, b]) {
                    Outlook::Sure(decision) => Outlook::Sure(mirrored(decision)),
                    Outlook::Update(side) => Outlook::Update(side.other()),
                    other => other,
                };
                assert_eq!(outlook(true, [b, a]), expected);
            }
        }
    }
}
