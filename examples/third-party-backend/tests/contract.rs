//! The shelf keeps the whole contract.

mod contract {
    storage_conformance::conformance!(async { Ok(third_party_backend::Shelf::default()) });
}
