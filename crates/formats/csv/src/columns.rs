use std::collections::{HashMap, HashSet};

/// The names of the columns, in order, each once.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

/// Whether one name occurs twice.
pub(crate) fn has_duplicate(names: &[String]) -> bool {
    duplicate(names).is_some()
}

/// The place of the first name that occurred before.
pub(crate) fn duplicate(names: &[String]) -> Option<usize> {
    let mut seen = HashSet::new();
    names.iter().position(|name| !seen.insert(name))
}

impl Columns {
    /// `Err` with the place of a name that occurs twice.
    pub(crate) fn new(names: Vec<String>) -> Result<Self, usize> {
        if let Some(place) = duplicate(&names) {
            return Err(place);
        }
        let places = names.iter().cloned().zip(0..).collect();
        Ok(Self { names, places })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) const fn len(&self) -> usize {
        self.names.len()
    }

    /// The place of a name, found without a search where it is the `likely` one.
    pub(crate) fn place(&self, name: &str, likely: usize) -> Option<usize> {
        if self.names.get(likely).is_some_and(|there| there == name) {
            return Some(likely);
        }
        self.places.get(name).copied()
    }
}
