//! The tables as the database itself lists them, so that a new one is not forgotten.

use sqlx::AssertSqlSafe;
use vouchsafe_service::db::{Db, Each};

/// A column, and whether it holds bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub table: String,
    pub name: String,
    pub bytes: bool,
}

/// Every column of every table.
pub async fn columns(db: &Db) -> Vec<Column> {
    let rows = match db.each() {
        Each::Sqlite(pool) => {
            let sql = "SELECT m.name, c.name, c.type FROM sqlite_master m \
                 JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid";
            sqlx::query_as::<_, (String, String, String)>(sql)
                .fetch_all(pool)
                .await
        }
        Each::Postgres(pool) => {
            let sql = "SELECT table_name::text, column_name::text, data_type::text \
                 FROM information_schema.columns WHERE table_schema = 'public' \
                 ORDER BY table_name, ordinal_position";
            sqlx::query_as::<_, (String, String, String)>(sql)
                .fetch_all(pool)
                .await
        }
    };
    let column = |(table, name, kind): (String, String, String)| Column {
        table,
        name,
        bytes: kind.eq_ignore_ascii_case("bytea") || kind.eq_ignore_ascii_case("blob"),
    };
    rows.unwrap().into_iter().map(column).collect()
}

/// How many rows a text asks for.
pub async fn count(db: &Db, sql: String) -> i64 {
    let sql = AssertSqlSafe(sql);
    vouchsafe_service::each!(db, p => sqlx::query_scalar::<_, i64>(sql).fetch_one(p).await)
        .expect("counts")
}

/// Where a word stands in plain, as `table.column`: texts and bytes are both looked through. The word
/// itself is in no statement, which a log may have.
pub async fn places_of(db: &Db, word: &str) -> Vec<String> {
    use std::fmt::Write as _;
    let mut hex = String::new();
    for byte in word.bytes() {
        write!(hex, "{byte:02x}").unwrap();
    }
    let mut places = Vec::new();
    for Column { table, name, bytes } in columns(db).await {
        let found = match (db.each(), bytes) {
            (Each::Sqlite(_), _) => format!("instr(CAST(\"{name}\" AS BLOB), X'{hex}')"),
            (Each::Postgres(_), true) => format!("position('\\x{hex}'::bytea IN \"{name}\")"),
            (Each::Postgres(_), false) => {
                format!("position('\\x{hex}'::bytea IN convert_to(\"{name}\"::text, 'UTF8'))")
            }
        };
        let sql = format!("SELECT COUNT(*) FROM \"{table}\" WHERE {found} > 0");
        if count(db, sql).await > 0 {
            places.push(format!("{table}.{name}"));
        }
    }
    places
}

/// Tables that name an account.
pub async fn of_accounts(db: &Db) -> Vec<String> {
    let columns = columns(db).await.into_iter();
    columns
        .filter(|column| column.name == "subject_id")
        .map(|column| column.table)
        .collect()
}
