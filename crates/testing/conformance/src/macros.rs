/// Makes one `#[test]` of every rule of the contract, for the backend that the expression opens.
///
/// The expression is a future of `storage_core::Result` of a backend, or of a
/// [`Fresh`](crate::Fresh), and is evaluated anew for every rule: each time it must give an empty
/// store. With `suite = …` it is a [`Suite`](crate::Suite), for a store that needs other sizes.
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
