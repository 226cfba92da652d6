//! Pairs that need no more than to be counted.

use storage_core::ObjectInfo;

use crate::Job;
use crate::compare::{Rules, Verdict};
use crate::merge::Merge;

/// Passes over pairs of objects that the listings at hand show to be unchanged, and gives their number.
/// Nearly all pairs of a second run are such ones; here none of their entries is moved.
pub(super) fn pass(merge: &mut Merge, job: &Job, rules: &Rules) -> u64 {
    let mut passed = 0;
    while let (Some(a), Some(b)) = (merge.source.head(), merge.destination.head()) {
        let is_object = |info: &ObjectInfo| !info.is_dir && info.special.is_none();
        let is_pair = is_object(a)
            && is_object(b)
            && merge.source.relative(a) == merge.destination.relative(b);
        let judge = || rules.judge((&job.source, a), (&job.destination, b), false);
        if !is_pair || judge() != Verdict::Same {
            break;
        }
        merge.source.drop_head();
        merge.destination.drop_head();
        passed += 1;
    }
    passed
}
