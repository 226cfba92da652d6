//! What a pair of both trees comes to.

use super::*;

impl Planner {
    /// Decides on a pair. `below` tells of a directory whether the source has something below it.
    pub(super) fn take_up(&mut self, pair: Pair, below: bool) {
        let job = Arc::clone(&self.job);
        let Some(pair) = self.without_specials(pair) else {
            return;
        };
        let Some(pair) = self.in_scope(pair) else {
            return;
        };
        if self.is_taken(&pair) {
            return;
        }
        match (pair, job.command) {
            (Pair::Source(info), _) if info.is_dir => {
                // What is below may be out of bounds: then nothing else creates the directory.
                let below = below && !job.options.filter.as_ref().is_some_and(Filter::has_bounds);
                self.on_source_directory(&info, None, below);
            }
            (Pair::Both(info, there), _) if info.is_dir => {
                self.on_source_directory(&info, Some(&there), true);
            }
            (Pair::Source(info), Command::HashSum(hash)) => self.hash(info, hash),
            (Pair::Source(info), _) => self.on_missing(info),
            (Pair::Both(source, destination), _) => self.on_both(source, destination),
            (Pair::Destination(info), command) if info.is_dir && command.deletes() => {
                if !below {
                    let path = relative(&info, self.destination_base);
                    self.act(Action::Rmdir { path });
                }
            }
            (Pair::Destination(info), _) if info.is_dir => {}
            (Pair::Destination(info), _) => match &mut self.names {
                Some(names) => names.hold(&relative(&info, self.destination_base), info.size),
                None => self.on_extra(&info),
            },
        }
    }

    /// Whether the destination takes a source object for another one, which is reported.
    fn is_taken(&mut self, pair: &Pair) -> bool {
        let (Some(_), Pair::Source(info) | Pair::Both(info, _)) = (&self.names, pair) else {
            return false;
        };
        let path = self.key_of(info);
        let is_new = |names: &mut Names| info.is_dir || names.enter(&path);
        if self.names.as_mut().is_none_or(is_new) {
            return false;
        }
        let error = SyncError::SameName(path.clone());
        let failure = Failure::new(Some(path), Operation::Write, error);
        self.push(Err(Problem::of_object(failure)));
        true
    }

    /// Looks for the object under another name that the destination takes for the same.
    fn find_twin(&mut self, info: ObjectInfo, create: Item) {
        let (job, rules) = (Arc::clone(&self.job), self.rules.clone());
        let (tally, path) = (Arc::clone(&self.tally), self.key_of(&info));
        let elsewhere = self.elsewhere.clone();
        self.in_progress += 1;
        self.window.push_back(Slot::Pending(Task::spawn(async move {
            let destination = &job.destination;
            let found = async {
                let there = destination.tree.prefix().join(&path)?;
                let tries = job.options.request_tries;
                let stat = retrying(tries, || inspect::stat(destination, &there));
                let Some(twin) = stat.await?.filter(|twin| !twin.is_dir) else {
                    return Ok(None);
                };
                let sides = ((&job.source, &info), (destination, &twin));
                let verdict = rules.judge(sides.0, sides.1, false);
                let listed = info.clone();
                inspect::inspect(&job, destination, &rules, verdict, listed, twin)
                    .await
                    .map(Some)
            };
            let item = match found.await {
                Ok(None) => create,
                Ok(Some(found)) => {
                    tally.read_to_compare(u64::from(found.was_read));
                    let job = Arc::clone(&job);
                    Settle { job, path }.item(info, found.finding, &tally)?
                }
                Err(error) => Err(Problem::of_object(Failure::of(path, error))),
            };
            Some(match elsewhere {
                Some(elsewhere) => elsewhere.settle(&job, item).await,
                None => item,
            })
        })));
    }

    /// Decides on an object that the destination alone has.
    pub(super) fn on_extra(&mut self, info: &ObjectInfo) {
        let (command, size) = (self.job.command, info.size);
        let path = relative(info, self.destination_base);
        if command.deletes() {
            if let Some(renames) = &mut self.renames {
                return renames.extra(&self.job, &path, info);
            }
            self.deletions.objects += 1;
            self.deletions.bytes += size.unwrap_or(0);
            self.act(Action::Delete { path, size });
        } else if self.job.reports_extra() {
            self.push(Ok(Step::Checked(Event::MissingOnSource { path })));
        }
    }

    /// What is left of a pair without links that are not followed, and devices. A link of the source
    /// stands for what the destination has under its name.
    fn without_specials(&mut self, pair: Pair) -> Option<Pair> {
        match pair {
            Pair::Source(info) if info.special.is_some() => {
                self.on_special(&info, Scope::Transfers, self.source_base);
                None
            }
            Pair::Both(source, destination) if source.special.is_some() => {
                self.on_special(&source, Scope::Transfers, self.source_base);
                let doomed = self.job.options.delete_excluded && destination.special.is_none();
                doomed.then_some(Pair::Destination(destination))
            }
            Pair::Both(source, destination) if destination.special.is_some() => {
                Some(Pair::Source(source))
            }
            Pair::Destination(info) if info.special.is_some() => {
                if self.job.command.deletes() {
                    self.on_special(&info, Scope::Deletions, self.destination_base);
                }
                None
            }
            pair => Some(pair),
        }
    }

    /// Reports what is left out, in the one of two plans that it belongs to.
    fn on_special(&mut self, info: &ObjectInfo, scope: Scope, base: usize) {
        if self.scope != Scope::All && self.scope != scope {
            return;
        }
        let path = relative(info, base);
        let is_source = scope == Scope::Transfers;
        let item = specials::item(&self.job, path, info, is_source);
        self.push(item);
    }

    /// Counts a pair, and gives it back if it is one to decide on.
    fn in_scope(&mut self, pair: Pair) -> Option<Pair> {
        let (at_source, at_destination) = match &pair {
            Pair::Source(info) => (!info.is_dir, false),
            Pair::Destination(info) => (false, !info.is_dir),
            Pair::Both(info, _) => (!info.is_dir, !info.is_dir),
        };
        self.deletions.at_source += u64::from(at_source);
        self.deletions.at_destination += u64::from(at_destination);
        let only_destination = matches!(pair, Pair::Destination(_));
        let wanted = match self.scope {
            Scope::All => true,
            Scope::Deletions => only_destination,
            Scope::Transfers => !only_destination,
        };
        wanted.then_some(pair)
    }

    fn on_source_directory(
        &mut self,
        info: &ObjectInfo,
        there: Option<&ObjectInfo>,
        has_content_or_twin: bool,
    ) {
        let options = &self.job.options;
        let (create, remove) = (options.create_empty_dirs, options.delete_empty_source_dirs);
        let path = || relative(info, self.source_base);
        if let Some(times) = &mut self.directory_times {
            times.enter(&path(), info, there, &self.rules);
        }
        let mkdir = (create && !has_content_or_twin).then(|| Action::Mkdir { path: path() });
        let rmdir = remove.then(|| Action::RmdirSource { path: path() });
        for action in [mkdir, rmdir].into_iter().flatten() {
            self.act(action);
        }
    }

    /// The destination has nothing under the key.
    fn on_missing(&mut self, info: ObjectInfo) {
        let (path, size) = (self.key_of(&info), info.size);
        let sends = !self.job.options.existing && !self.job.moves_by_rename();
        if let (Some(renames), true) = (&mut self.renames, sends) {
            return renames.missing(&self.job, &path, &info);
        }
        let item = Ok(if self.job.command.compares() {
            Step::Checked(Event::MissingOnDestination { path })
        } else if self.job.options.existing {
            let reason = SkipReason::Missing;
            Step::Act(Action::Skip { path, reason }.into())
        } else if self.job.moves_by_rename() {
            Step::sending(Action::Rename { path, size }, info.clone())
        } else {
            Step::sending(Action::Create { path, size }, info.clone())
        });
        match &self.names {
            Some(_) => self.find_twin(info, item),
            None => self.push(item),
        }
    }

    fn on_both(&mut self, a: ObjectInfo, b: ObjectInfo) {
        let job = Arc::clone(&self.job);
        let verdict = self
            .rules
            .judge((&job.source, &a), (&job.destination, &b), false);
        let settled = match verdict {
            Verdict::Same if job.must_see_content() => None,
            Verdict::Content | Verdict::ContentThenTime | Verdict::Stat => None,
            // The way of nearly every object of a second run: no allocation, no step.
            Verdict::Same if !job.reports_same() => {
                self.tally.skipped(1);
                return;
            }
            verdict => verdict::of(verdict),
        };
        let settle = Settle {
            path: self.key_of(&a),
            job,
        };
        match settled {
            Some(finding) => {
                if let Some(item) = settle.item(a, finding, &self.tally) {
                    self.push(item);
                }
            }
            None => self.inspect(settle, verdict, a, b),
        }
    }

    /// Where a source object goes, relative to the destination.
    fn key_of(&self, source: &ObjectInfo) -> ObjectPath {
        match &self.job.name {
            Some(name) => name.clone(),
            None => relative(source, self.source_base),
        }
    }

    /// Has an object's digest computed in a task of its own.
    fn hash(&mut self, info: ObjectInfo, hash: HashType) {
        let (job, path) = (Arc::clone(&self.job), self.key_of(&info));
        self.in_progress += 1;
        self.window.push_back(Slot::Pending(Task::spawn(async move {
            let trust = !job.options.download;
            let digest = || content::digest(&job.source, &info, hash, trust);
            Some(match retrying(job.options.tries, digest).await {
                Ok(digest) => Ok(Step::Checked(Event::Hashed { path, digest })),
                Err(error) => {
                    let operation = error.operation().unwrap_or(Operation::Read);
                    let failure = Failure::new(Some(path), operation, error.into());
                    Err(Problem::of_object(failure))
                }
            })
        })));
    }

    /// Has a pair looked at in a task of its own.
    fn inspect(&mut self, settle: Settle, verdict: Verdict, a: ObjectInfo, b: ObjectInfo) {
        let (rules, tally) = (self.rules.clone(), Arc::clone(&self.tally));
        let elsewhere = self.elsewhere.clone();
        self.in_progress += 1;
        self.window.push_back(Slot::Pending(Task::spawn(async move {
            let listed = a.clone();
            let destination = &settle.job.destination;
            match inspect::inspect(&settle.job, destination, &rules, verdict, a, b).await {
                Ok(found) => {
                    tally.read_to_compare(u64::from(found.was_read));
                    let item = settle.item(listed, found.finding, &tally)?;
                    Some(match elsewhere {
                        Some(elsewhere) => elsewhere.settle(&settle.job, item).await,
                        None => item,
                    })
                }
                Err(error) => {
                    let operation = error.operation().unwrap_or(Operation::Read);
                    let failure = Failure::new(Some(settle.path), operation, error.into());
                    Some(Err(Problem::of_object(failure)))
                }
            }
        })));
    }
}
