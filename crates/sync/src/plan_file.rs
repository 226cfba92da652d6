//! Plans as text: one JSON object a line, which a person reads and another run applies.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::stream::{FuturesOrdered, StreamExt};
use serde_json::{Map, Value, json};
use storage_core::{BackendExt, ObjectInfo, ObjectPath, Operation, Version, timestamp};

use crate::arena::{Arena, Entries, Entry};
use crate::plan::{Passes, Step, Work};
use crate::retry::retrying;
use crate::summary::Tally;
use crate::transfer::is_same_instant;
use crate::tree::Side;
use crate::{Action, Command, Difference, Failure, Job, SyncError};

/// The version of the format.
const FORMAT: u64 = 1;

/// What an object was when its action was planned, as far as the store tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) size: Option<u64>,
    pub(crate) modified: Option<SystemTime>,
    pub(crate) version: Option<Version>,
}

/// An action of a saved plan, with what it was planned for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saved {
    pub(crate) action: Action,
    /// The source's object; `None` where the action needs none.
    pub(crate) source: Option<Seen>,
    /// The destination's object; `None` where there is to be none.
    pub(crate) destination: Option<Seen>,
}

/// A plan as lines of text: what [`Job::plan_lines`] returns.
///
/// Each line is a JSON object without its newline. The first one names the trees, those of
/// deletions come after all other actions, and the last one says how many there are. An error of one
/// object does not end the lines, but the plan is then not complete and should not be kept.
pub struct PlanLines {
    job: Arc<Job>,
    passes: Passes,
    /// Names of the trees for the first line; `None` once it is given.
    names: Option<(String, String)>,
    /// Actions whose objects are being looked at.
    looking: FuturesOrdered<Looking>,
    ended: bool,
    deletions: Arena,
    deleting: Option<Entries<Vec<u8>>>,
    /// Directories whose times are set after the deletions.
    dated: Arena,
    dating: Option<Entries<Vec<u8>>>,
    actions: u64,
    is_done: bool,
}

type Looking = std::pin::Pin<Box<dyn Future<Output = Result<Saved, Failure>> + Send>>;

impl std::fmt::Debug for PlanLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlanLines").finish_non_exhaustive()
    }
}

impl PlanLines {
    pub(crate) fn new(job: Job, source: String, destination: String) -> Self {
        let job = Arc::new(job);
        Self {
            passes: Passes::new(Arc::clone(&job), Arc::new(Tally::new())),
            job,
            names: Some((source, destination)),
            looking: FuturesOrdered::new(),
            ended: false,
            deletions: Arena::default(),
            deleting: None,
            dated: Arena::default(),
            dating: None,
            actions: 0,
            is_done: false,
        }
    }

    /// The next line; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<String, Failure>> {
        if let Some((source, destination)) = self.names.take() {
            let command = self.job.command.to_string();
            let first = json!({
                "plan": FORMAT, "command": command, "source": source, "destination": destination,
            });
            return Some(Ok(first.to_string()));
        }
        if let Err(failure) = self.look_ahead().await {
            return Some(Err(failure));
        }
        match self.looking.next().await {
            Some(Ok(saved)) => {
                self.actions += 1;
                Some(Ok(saved.to_json().to_string()))
            }
            Some(Err(failure)) => Some(Err(failure)),
            None if self.is_done => None,
            None => {
                self.is_done = true;
                Some(Ok(json!({"end": self.actions}).to_string()))
            }
        }
    }

    /// Has as many objects looked at as may be.
    async fn look_ahead(&mut self) -> Result<(), Failure> {
        while self.looking.len() < self.job.options.checkers {
            let Some(work) = self.next_work().await? else {
                return Ok(());
            };
            let job = Arc::clone(&self.job);
            self.looking.push_back(Box::pin(look(job, work)));
        }
        Ok(())
    }

    /// The next action but for deletions and times of directories, then those.
    async fn next_work(&mut self) -> Result<Option<Work>, Failure> {
        while !self.ended {
            let Some(item) = self.passes.next().await else {
                self.ended = true;
                break;
            };
            match item.map_err(|problem| problem.failure)? {
                Step::Act(work) => match &work.action {
                    Action::Delete { path, size } => self.deletions.push(path, *size, None),
                    Action::SetDirModified { path, modified } => {
                        self.dated.push(path, None, Some(*modified));
                    }
                    Action::Skip { .. } => {}
                    _ => return Ok(Some(work)),
                },
                Step::Checked(_) => {}
            }
        }
        if let Some(Entry { path, size, .. }) = drain(&mut self.deletions, &mut self.deleting)? {
            return Ok(Some(Action::Delete { path, size }.into()));
        }
        let entry = drain(&mut self.dated, &mut self.dating)?;
        let dated = entry.and_then(|entry| Some((entry.path, entry.modified?)));
        Ok(dated.map(|(path, modified)| Action::SetDirModified { path, modified }.into()))
    }
}

/// The next of what was held back.
fn drain(held: &mut Arena, rest: &mut Option<Entries<Vec<u8>>>) -> Result<Option<Entry>, Failure> {
    let rest = rest.get_or_insert_with(|| std::mem::take(held).into_entries());
    let entry = rest.next().transpose();
    entry.map_err(|error| Failure::new(None, Operation::List, error.into()))
}

/// Looks at the objects that an action concerns.
async fn look(job: Arc<Job>, work: Work) -> Result<Saved, Failure> {
    let path = work.action.path().clone();
    let looked = async {
        let source = work.source.as_ref().map(|listed| &listed.path);
        if let Some(listed) = &work.source
            && listed.path != job.source.tree.prefix().join(&path)?
        {
            return Err(SyncError::Option {
                option: "plan",
                reason: "the source is a single object".into(),
            });
        }
        let at = match &work.action {
            Action::Mkdir { .. }
            | Action::SetDirModified { .. }
            | Action::Rmdir { .. }
            | Action::RmdirSource { .. } => None,
            Action::Relocate { from, .. } => Some(job.destination.tree.prefix().join(from)?),
            _ => Some(job.destination_path(&path)?),
        };
        let source = seen(&job, &job.source, source).await?;
        let destination = seen(&job, &job.destination, at.as_ref()).await?;
        Ok::<_, SyncError>((source, destination))
    };
    let (source, destination) = looked
        .await
        .map_err(|error| Failure::new(Some(path), Operation::Stat, error))?;
    Ok(Saved {
        action: work.action,
        source,
        destination,
    })
}

async fn seen(
    job: &Job,
    side: &Side,
    path: Option<&ObjectPath>,
) -> Result<Option<Seen>, SyncError> {
    let Some(path) = path else {
        return Ok(None);
    };
    let stat = || side.backend().try_stat(path);
    let found = retrying(job.options.request_tries, stat).await?;
    Ok(found
        .filter(|info| !info.is_dir)
        .map(|info| Seen::of(&info)))
}

impl Seen {
    pub(crate) fn of(info: &ObjectInfo) -> Self {
        Self {
            size: info.size,
            modified: info.modified,
            version: info.version.clone(),
        }
    }

    /// As an object of this path.
    pub(crate) fn to_info(&self, path: ObjectPath) -> ObjectInfo {
        let mut info = ObjectInfo::new(path);
        info.size = self.size;
        info.modified = self.modified;
        info.version.clone_from(&self.version);
        info
    }

    /// Whether an object under another name may be this one: its version is another there.
    pub(crate) fn is_moved_to(&self, now: &ObjectInfo) -> bool {
        let times = self.modified.zip(now.modified);
        self.size == now.size && times.is_some_and(|(a, b)| is_same_instant(a, b))
    }

    fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.extend(self.size.map(|size| ("size".to_owned(), size.into())));
        let modified = self.modified.and_then(timestamp::format);
        object.extend(modified.map(|text| ("modified".to_owned(), text.into())));
        let version = self.version.as_ref();
        object.extend(version.map(|text| ("version".to_owned(), text.as_str().into())));
        object.into()
    }

    fn from_json(value: &Value) -> Result<Option<Self>, String> {
        if value.is_null() {
            return Ok(None);
        }
        let mut fields = Fields::of(value, "an object")?;
        let seen = Self {
            size: fields.number("size")?,
            modified: fields.time("modified")?,
            version: fields.text("version")?.map(Version::new),
        };
        fields.end()?;
        Ok(Some(seen))
    }
}

impl Saved {
    fn to_json(&self) -> Value {
        let action = &self.action;
        let mut object = json!({"action": action.verb(), "path": action.path().as_str()});
        match action {
            Action::Update { difference, .. } => object["reason"] = difference.to_string().into(),
            Action::SetModified { modified, .. } | Action::SetDirModified { modified, .. } => {
                object["modified"] = timestamp::format(*modified).into();
            }
            Action::Relocate { from, .. } => object["from"] = from.as_str().into(),
            _ => {}
        }
        for (name, seen) in [("source", &self.source), ("destination", &self.destination)] {
            if let Some(seen) = seen {
                object[name] = seen.to_json();
            }
        }
        object
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let mut fields = Fields::of(value, "an action")?;
        let verb = fields.needed("action")?;
        let path = fields.path("path")?;
        let source = Seen::from_json(fields.take("source"))?;
        let destination = Seen::from_json(fields.take("destination"))?;
        let size = source.as_ref().and_then(|seen| seen.size);
        let action = match verb {
            "create" => Action::Create { path, size },
            "update" => Action::Update {
                path,
                size,
                difference: difference(fields.needed("reason")?),
            },
            "set-modified" => Action::SetModified {
                path,
                modified: fields.time("modified")?.ok_or("it has no time")?,
            },
            "rename" => Action::Rename { path, size },
            "relocate" => Action::Relocate {
                from: fields.path("from")?,
                path,
                size,
            },
            "remove-source" => Action::RemoveSource { path },
            "delete" => Action::Delete {
                path,
                size: destination.as_ref().and_then(|seen| seen.size),
            },
            "mkdir" => Action::Mkdir { path },
            "set-dir-modified" => Action::SetDirModified {
                path,
                modified: fields.time("modified")?.ok_or("it has no time")?,
            },
            "rmdir" => Action::Rmdir { path },
            "rmdir-source" => Action::RmdirSource { path },
            other => return Err(format!("{other:?} is no action")),
        };
        fields.end()?;
        Ok(Self {
            action,
            source,
            destination,
        })
    }
}

fn difference(text: &str) -> Difference {
    let all = [Difference::Size, Difference::Content, Difference::Modified];
    let found = all.into_iter().find(|one| one.to_string() == text);
    found.unwrap_or(Difference::NotCompared)
}

/// The first line of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) command: Command,
    pub(crate) source: String,
    pub(crate) destination: String,
}

/// A line of a plan.
#[derive(Debug)]
pub(crate) enum Line {
    Heading(Heading),
    Action(Saved),
    End(u64),
}

impl Line {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if value.get("plan").is_some() {
            return Self::heading(&value);
        }
        match value.get("end") {
            Some(count) => count
                .as_u64()
                .map(Self::End)
                .ok_or("end is no count".to_owned()),
            None => Saved::from_json(&value).map(Self::Action),
        }
    }

    fn heading(value: &Value) -> Result<Self, String> {
        let mut fields = Fields::of(value, "a plan")?;
        match fields.number("plan")? {
            Some(FORMAT) => {}
            other => return Err(format!("format {other:?} is not known, only {FORMAT}")),
        }
        let command = match fields.needed("command")? {
            "sync" => Command::Sync,
            "copy" => Command::Copy,
            "move" => Command::Move,
            other => return Err(format!("{other:?} is no command of a plan")),
        };
        let source = fields.needed("source")?.to_owned();
        let destination = fields.needed("destination")?.to_owned();
        fields.end()?;
        Ok(Self::Heading(Heading {
            command,
            source,
            destination,
        }))
    }
}

/// The fields of an object, each of which must be known.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    taken: HashSet<&'static str>,
}

impl<'a> Fields<'a> {
    fn of(value: &'a Value, what: &str) -> Result<Self, String> {
        let object = value
            .as_object()
            .ok_or_else(|| format!("this is not {what}"))?;
        Ok(Self {
            object,
            taken: HashSet::new(),
        })
    }

    fn take(&mut self, name: &'static str) -> &'a Value {
        self.taken.insert(name);
        self.object.get(name).unwrap_or(&Value::Null)
    }

    fn text(&mut self, name: &'static str) -> Result<Option<&'a str>, String> {
        match self.take(name) {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            _ => Err(format!("{name} is no text")),
        }
    }

    fn needed(&mut self, name: &'static str) -> Result<&'a str, String> {
        self.text(name)?.ok_or_else(|| format!("{name} is missing"))
    }

    fn path(&mut self, name: &'static str) -> Result<ObjectPath, String> {
        ObjectPath::new(self.needed(name)?).map_err(|error| error.to_string())
    }

    fn number(&mut self, name: &'static str) -> Result<Option<u64>, String> {
        match self.take(name) {
            Value::Null => Ok(None),
            value => value
                .as_u64()
                .map(Some)
                .ok_or_else(|| format!("{name} is no number")),
        }
    }

    fn time(&mut self, name: &'static str) -> Result<Option<SystemTime>, String> {
        match self.text(name)? {
            None => Ok(None),
            Some(text) => match timestamp::parse(text) {
                Some(time) => Ok(Some(time)),
                None => Err(format!("{name} is no time")),
            },
        }
    }

    /// An unknown field would be a condition that is not held.
    fn end(self) -> Result<(), String> {
        let unknown = self
            .object
            .keys()
            .find(|key| !self.taken.contains(key.as_str()));
        unknown.map_or(Ok(()), |key| Err(format!("{key:?} is not known here")))
    }
}
