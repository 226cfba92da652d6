/// Which names of objects are one and the same to a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameFolding {
    /// Names of different bytes are different.
    #[default]
    Exact,
    /// Upper and lower case are the same; the case that an object was created with is kept.
    Case,
    /// Also, the normal forms of Unicode are the same.
    CaseAndForm,
}
