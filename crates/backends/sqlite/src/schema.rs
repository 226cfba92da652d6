//! The three tables of a store, and every statement on them.

use rusqlite::{Connection, OptionalExtension};
use storage_core::{Error, ErrorKind, Result};

use crate::failure::failure;

/// The table that is used when none is named.
pub(crate) const DEFAULT_TABLE: &str = "objects";

/// Longest name of a table in bytes.
const MAX_NAME: usize = 64;

/// The statements on one store's tables. A table's name cannot be a parameter of a statement, so it
/// is held to letters, digits and `_` and put into each of them once.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) table: String,
    tables: [(String, String); 3],
    /// Header and first chunk of an object.
    pub(crate) open: String,
    pub(crate) header: String,
    pub(crate) exists: String,
    pub(crate) put_header: String,
    pub(crate) delete_header: String,
    pub(crate) move_header: String,
    pub(crate) set_modified: String,
    pub(crate) list_from: String,
    pub(crate) list_after: String,
    pub(crate) chunks: String,
    pub(crate) last_blob: String,
    pub(crate) put_chunk: String,
    pub(crate) delete_chunks: String,
    pub(crate) copy_chunks: String,
    pub(crate) any_below: String,
    pub(crate) retire_below: String,
    pub(crate) delete_below: String,
    pub(crate) pend: String,
    pub(crate) pending_of: String,
    pub(crate) publish_pending: String,
    pub(crate) retire_pending: String,
    pub(crate) garbage: String,
    pub(crate) forget_garbage: String,
    pub(crate) owners: String,
    pub(crate) retire_owner: String,
}

/// The columns of a header, in the order in which they are read and written.
const COLUMNS: &str =
    "path, version, size, modified, blob, content_type, cache_control, metadata, hashes";

impl Schema {
    /// For the store in `table`, and in two more tables whose names begin with it.
    ///
    /// # Errors
    /// `Config` for a name that is not plain.
    pub(crate) fn new(table: &str) -> Result<Self> {
        check_name(table)?;
        let (t, c, p) = (table, format!("{table}_chunks"), format!("{table}_pending"));
        let columns = COLUMNS.replace(", ", &format!(", {t}."));
        let page = |order: &str| {
            format!("SELECT {COLUMNS} FROM {t} WHERE path {order} ?1 ORDER BY path LIMIT ?2")
        };
        Ok(Self {
            tables: tables(t, &c, &p),
            open: format!(
                "SELECT {t}.{columns}, {c}.data FROM {t} LEFT JOIN {c} ON {c}.id = {t}.blob << 26 \
                 WHERE path = ?1"
            ),
            header: format!("SELECT {COLUMNS} FROM {t} WHERE path = ?1"),
            exists: format!("SELECT 1 FROM {t} WHERE path = ?1"),
            put_header: format!(
                "INSERT OR REPLACE INTO {t} ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            ),
            delete_header: format!("DELETE FROM {t} WHERE path = ?1"),
            move_header: format!("UPDATE {t} SET path = ?2 WHERE path = ?1"),
            set_modified: format!("UPDATE {t} SET modified = ?2 WHERE path = ?1"),
            list_from: page(">="),
            list_after: page(">"),
            chunks: format!("SELECT data FROM {c} WHERE id BETWEEN ?1 AND ?2 ORDER BY id"),
            last_blob: format!(
                "SELECT max(ifnull((SELECT max(id) FROM {c}), 0) >> 26, \
                 ifnull((SELECT max(blob) FROM {p}), 0))"
            ),
            put_chunk: format!("INSERT OR REPLACE INTO {c} (id, data) VALUES (?1, ?2)"),
            delete_chunks: format!(
                "DELETE FROM {c} WHERE id IN \
                 (SELECT id FROM {c} WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3)"
            ),
            copy_chunks: format!(
                "INSERT INTO {c} (id, data) \
                 SELECT id - ?1 + ?3, data FROM {c} WHERE id BETWEEN ?1 AND ?2"
            ),
            any_below: format!("SELECT 1 FROM {t} WHERE path > ?1 AND path < ?2 LIMIT 1"),
            retire_below: format!(
                "INSERT INTO {p} (blob, owner) \
                 SELECT blob, NULL FROM {t} WHERE path > ?1 AND path < ?2 AND blob IS NOT NULL"
            ),
            delete_below: format!("DELETE FROM {t} WHERE path > ?1 AND path < ?2"),
            pend: format!("INSERT INTO {p} (blob, owner) VALUES (?1, ?2)"),
            pending_of: format!("SELECT 1 FROM {p} WHERE blob = ?1 AND owner = ?2"),
            publish_pending: format!("DELETE FROM {p} WHERE blob = ?1 AND owner = ?2"),
            retire_pending: format!("UPDATE {p} SET owner = NULL WHERE blob = ?1 AND owner = ?2"),
            garbage: format!("SELECT blob FROM {p} WHERE owner IS NULL LIMIT 1"),
            forget_garbage: format!("DELETE FROM {p} WHERE blob = ?1 AND owner IS NULL"),
            owners: format!("SELECT DISTINCT owner FROM {p} WHERE owner IS NOT NULL"),
            retire_owner: format!("UPDATE {p} SET owner = NULL WHERE owner = ?1"),
            table: t.to_owned(),
        })
    }

    /// Whether all tables are there, as this backend makes them.
    ///
    /// # Errors
    /// `Config` for a table of one of the names that is another's; those of SQLite.
    pub(crate) fn is_present(&self, connection: &Connection) -> Result<bool> {
        let mut present = 0;
        for (name, sql) in &self.tables {
            let query = "SELECT sql FROM sqlite_master WHERE name = ?1 COLLATE NOCASE";
            let found: Option<Option<String>> = connection
                .query_row(query, [name], |row| row.get(0))
                .optional()
                .map_err(failure)?;
            match found {
                None => {}
                Some(Some(found)) if found == *sql => present += 1,
                Some(_) => {
                    let message = format!(
                        "the database has a table {name:?} that this backend did not make; \
                         choose another name by `table`"
                    );
                    return Err(Error::config(message));
                }
            }
        }
        Ok(present == self.tables.len())
    }

    /// Makes the tables, in the transaction that is open.
    pub(crate) fn create(&self, connection: &Connection) -> Result<()> {
        for (_, sql) in &self.tables {
            connection.execute(sql, []).map_err(failure)?;
        }
        Ok(())
    }
}

/// Name and definition of each table. A database keeps the text, which shows whose table it is.
fn tables(objects: &str, chunks: &str, pending: &str) -> [(String, String); 3] {
    let definitions = [
        (
            objects,
            "(path TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, size INTEGER NOT NULL, \
             modified INTEGER NOT NULL, blob INTEGER, content_type TEXT, cache_control TEXT, \
             metadata TEXT, hashes TEXT) STRICT, WITHOUT ROWID",
        ),
        (
            chunks,
            "(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
        ),
        (pending, "(blob INTEGER PRIMARY KEY, owner TEXT) STRICT"),
    ];
    definitions.map(|(name, columns)| (name.to_owned(), format!("CREATE TABLE {name} {columns}")))
}

fn check_name(table: &str) -> Result<()> {
    let mut bytes = table.bytes();
    let plain = matches!(bytes.next(), Some(b'a'..=b'z' | b'A'..=b'Z'))
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && table.len() <= MAX_NAME
        && !table.to_ascii_lowercase().starts_with("sqlite_")
        && !is_keyword(table);
    if plain {
        return Ok(());
    }
    let message = format!(
        "the key \"table\" needs a letter and then letters, digits and `_`, {MAX_NAME} at most, and no \
         word of SQL, not {table:?}"
    );
    Err(Error::new(ErrorKind::Config, message))
}

/// Whether SQLite would not take the word for a name.
fn is_keyword(table: &str) -> bool {
    const WORDS: &str = " add all alter and as autoincrement between case check collate commit \
        constraint create default deferrable delete distinct drop else escape except exists foreign \
        from group having if in index insert intersect into is isnull join limit not nothing notnull \
        null on or order primary references returning select set table then to transaction union \
        unique update using values when where ";
    WORDS.contains(&format!(" {} ", table.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_tables() {
        for name in ["objects", "A1_b", &"x".repeat(MAX_NAME)] {
            assert!(Schema::new(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "1a",
            "_a",
            "a b",
            "a;drop table b",
            "a\"b",
            "a'b",
            "é",
            "sqlite_x",
            "Select",
            &"x".repeat(MAX_NAME + 1),
        ] {
            let error = Schema::new(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{name}");
        }
    }

    #[test]
    fn every_statement_is_one_that_the_tables_understand() {
        let schema = Schema::new(DEFAULT_TABLE).unwrap();
        let connection = Connection::open_in_memory().unwrap();
        assert!(!schema.is_present(&connection).unwrap());
        schema.create(&connection).unwrap();
        assert!(schema.is_present(&connection).unwrap());
        let plan = |sql: &str| {
            let mut statement = connection
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let parameters = statement.parameter_count();
            let values = vec![1i64; parameters];
            let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(3));
            rows.unwrap()
                .collect::<Result<Vec<String>, _>>()
                .unwrap()
                .join("; ")
        };
        for listing in [&schema.list_from, &schema.list_after] {
            let plan = plan(listing);
            assert!(plan.contains("SEARCH") && !plan.contains("TEMP"), "{plan}");
        }
        for one in [
            &schema.open,
            &schema.chunks,
            &schema.last_blob,
            &schema.delete_chunks,
        ] {
            let plan = plan(one).replace("SCAN CONSTANT ROW", "");
            assert!(!plan.contains("SCAN"), "{plan}");
        }
    }
}
