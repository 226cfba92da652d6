use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use crate::object::{Attributes, Expected, Object};
use crate::refusal::Refusal;
use crate::resumable::Session;

/// The conditions of a call: what it says of generation and metageneration of the live object, where
/// generation 0 is a missing one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    pub(crate) generation: Option<i64>,
    pub(crate) generation_not: Option<i64>,
    pub(crate) metageneration: Option<i64>,
    pub(crate) metageneration_not: Option<i64>,
}

impl Conditions {
    fn check(self, object: Option<&Object>) -> Result<(), Refusal> {
        let (generation, metageneration) =
            object.map_or((0, 0), |object| (object.generation, object.metageneration));
        let failed = |what| Err(Refusal::new(412, format!("the condition on {what} failed")));
        if self.generation.is_some_and(|wanted| wanted != generation) {
            return failed("the generation");
        }
        if self
            .metageneration
            .is_some_and(|wanted| wanted != metageneration)
        {
            return failed("the metageneration");
        }
        if self.generation_not == Some(generation)
            || self.metageneration_not == Some(metageneration)
        {
            return Err(Refusal::new(304, "the object has not changed"));
        }
        Ok(())
    }
}

/// One page of a listing.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) objects: Vec<(String, Object)>,
    pub(crate) prefixes: Vec<String>,
    /// The last name or prefix of the page, when more follow.
    pub(crate) next: Option<String>,
}

/// What a listing asks for.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) delimiter: &'a str,
    /// The first name that may appear.
    pub(crate) start: &'a str,
    /// The last name or prefix of the page before.
    pub(crate) after: &'a str,
    pub(crate) limit: usize,
}

type Objects = BTreeMap<String, Object>;

/// All buckets, and the uploads that are not finished.
#[derive(Debug, Default)]
pub(crate) struct Store {
    buckets: HashMap<String, Objects>,
    pub(crate) sessions: HashMap<String, Session>,
    last_generation: i64,
}

impl Store {
    pub(crate) fn create_bucket(&mut self, bucket: &str) {
        self.buckets.entry(bucket.to_owned()).or_default();
    }

    pub(crate) fn bucket(&self, bucket: &str) -> Result<&Objects, Refusal> {
        let found = self.buckets.get(bucket);
        found.ok_or_else(|| Refusal::new(404, "The specified bucket does not exist."))
    }

    fn bucket_mut(&mut self, bucket: &str) -> Result<&mut Objects, Refusal> {
        let found = self.buckets.get_mut(bucket);
        found.ok_or_else(|| Refusal::new(404, "The specified bucket does not exist."))
    }

    /// The live object, where `generation` is 0 or its own and the conditions hold.
    pub(crate) fn get(
        &self,
        bucket: &str,
        name: &str,
        generation: i64,
        conditions: Conditions,
    ) -> Result<&Object, Refusal> {
        let object = self.bucket(bucket)?.get(name);
        let object = object.filter(|found| generation == 0 || found.generation == generation);
        let object = object.ok_or_else(|| no_such_object(bucket, name))?;
        conditions.check(Some(object))?;
        Ok(object)
    }

    /// Makes `object` the live one, under the next generation.
    pub(crate) fn insert(
        &mut self,
        bucket: &str,
        name: &str,
        mut object: Object,
        expected: &Expected,
        conditions: Conditions,
    ) -> Result<Object, Refusal> {
        check_name(name)?;
        self.check(bucket, name, conditions)?;
        object.checksums.check(expected)?;
        object.generation = self.next_generation();
        let objects = self.bucket_mut(bucket)?;
        objects.insert(name.to_owned(), object.clone());
        Ok(object)
    }

    /// Whether a write under these conditions could succeed now.
    pub(crate) fn check(
        &self,
        bucket: &str,
        name: &str,
        conditions: Conditions,
    ) -> Result<(), Refusal> {
        conditions.check(self.bucket(bucket)?.get(name))
    }

    pub(crate) fn delete(
        &mut self,
        bucket: &str,
        name: &str,
        generation: i64,
        conditions: Conditions,
    ) -> Result<(), Refusal> {
        self.get(bucket, name, generation, conditions)?;
        self.bucket_mut(bucket)?.remove(name);
        Ok(())
    }

    /// Changes attributes in a metageneration of its own.
    pub(crate) fn update(
        &mut self,
        bucket: &str,
        name: &str,
        conditions: Conditions,
        change: impl FnOnce(&mut Attributes) -> Result<(), Refusal>,
    ) -> Result<Object, Refusal> {
        self.get(bucket, name, 0, conditions)?;
        let objects = self.bucket_mut(bucket)?;
        let object = objects.get_mut(name);
        let object = object.ok_or_else(|| no_such_object(bucket, name))?;
        let mut attributes = object.attributes.clone();
        change(&mut attributes)?;
        object.attributes = attributes;
        object.metageneration += 1;
        object.updated = jiff::Timestamp::now();
        Ok(object.clone())
    }

    pub(crate) fn list(&self, bucket: &str, query: &Query<'_>) -> Result<Page, Refusal> {
        let objects = self.bucket(bucket)?;
        let mut page = Page::default();
        let first = query.start.max(query.prefix).max(query.after).to_owned();
        let mut count = 0;
        let mut last = query.after.to_owned();
        for (name, object) in objects.range((Bound::Included(first), Bound::Unbounded)) {
            let Some(rest) = name.strip_prefix(query.prefix) else {
                break;
            };
            let group = group(query, rest);
            let shown = group.as_deref().unwrap_or(name);
            if shown <= last.as_str() && !last.is_empty() {
                continue;
            }
            if count == query.limit {
                page.next = Some(last);
                break;
            }
            count += 1;
            last = shown.to_owned();
            match group {
                Some(group) => page.prefixes.push(group),
                None => page.objects.push((name.clone(), object.clone())),
            }
        }
        Ok(page)
    }

    pub(crate) fn next_generation(&mut self) -> i64 {
        let now = jiff::Timestamp::now().as_microsecond();
        self.last_generation = now.max(self.last_generation + 1);
        self.last_generation
    }
}

/// The prefix that stands for a name with `rest` behind the query's own prefix.
fn group(query: &Query<'_>, rest: &str) -> Option<String> {
    if query.delimiter.is_empty() {
        return None;
    }
    let end = rest.find(query.delimiter)? + query.delimiter.len();
    Some(format!("{}{}", query.prefix, rest.get(..end)?))
}

fn no_such_object(bucket: &str, name: &str) -> Refusal {
    Refusal::new(404, format!("No such object: {bucket}/{name}"))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let bad = name.is_empty()
        || name.len() > 1024
        || name.contains(['\r', '\n'])
        || matches!(name, "." | "..")
        || name.starts_with(".well-known/acme-challenge/");
    if bad {
        return Err(Refusal::invalid(format!("the name {name:?} is not valid")));
    }
    Ok(())
}
