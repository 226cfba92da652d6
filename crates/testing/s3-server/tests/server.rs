//! The server as a client sees it, by a client of these tests' own.

mod server {
    mod access;
    mod client;
    mod conditions;
    mod copies;
    mod listings;
    mod objects;
    mod uploads;
}
