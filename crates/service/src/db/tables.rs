//! Tables as the database itself describes them, and their rows without a type: for copies of all
//! state. What a table means is known elsewhere.

use sqlx::{AssertSqlSafe, Row};

use super::{Db, DbError, Each, Table, Tx, write::Inner};

/// Rows that are written in one statement.
const ROWS_AT_ONCE: usize = 50;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// TEXT.
    Text,
    /// BIGINT.
    Number,
    /// BYTEA.
    Bytes,
    /// BOOLEAN.
    Truth,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it is part of the primary key.
    pub key: bool,
}

/// A table and its columns, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The table's name.
    pub table: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// NULL.
    Null,
    /// TEXT.
    Text(String),
    /// BIGINT.
    Number(i64),
    /// BYTEA.
    Bytes(Vec<u8>),
    /// BOOLEAN.
    Truth(bool),
}

/// The tables of the schema, by name. An error names a column of a kind that is not known here.
pub async fn shapes(tx: &mut Tx) -> Result<Vec<Shape>, DbError> {
    let rows: Vec<(String, String, String, i64)> =
        match tx.each() {
            Each::Sqlite(c) => {
                sqlx::query_as(
                    "SELECT m.name, p.name, p.type, CAST(p.pk AS BIGINT) FROM sqlite_master m \
             JOIN pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, p.cid",
                )
                .fetch_all(c)
                .await
            }
            Each::Postgres(c) => sqlx::query_as(
                "SELECT c.relname::TEXT, a.attname::TEXT, upper(format_type(a.atttypid, NULL)), \
                 COALESCE((SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary \
                           AND a.attnum = ANY (i.indkey)), 0)::BIGINT \
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
             WHERE c.relnamespace = current_schema()::REGNAMESPACE AND c.relkind = 'r' \
                 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum",
            )
            .fetch_all(c)
            .await,
        }?;
    let mut shapes: Vec<Shape> = Vec::new();
    for (table, name, kind, key) in rows {
        let kind = match kind.as_str() {
            "TEXT" => Kind::Text,
            "BIGINT" => Kind::Number,
            "BYTEA" => Kind::Bytes,
            "BOOLEAN" => Kind::Truth,
            _ => {
                return Err(Table("schema")
                    .invalid("type", format!("{table}.{name}: {kind}"))
                    .into());
            }
        };
        let column = Column {
            name,
            kind,
            key: key > 0,
        };
        match shapes.last_mut().filter(|last| last.table == table) {
            Some(shape) => shape.columns.push(column),
            None => shapes.push(Shape {
                table,
                columns: vec![column],
            }),
        }
    }
    Ok(shapes)
}

impl Shape {
    fn list<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
        let quoted: Vec<String> = columns.map(|c| format!("\"{}\"", c.name)).collect();
        quoted.join(", ")
    }

    /// The columns of the primary key, as positions.
    fn key(&self) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        let keys = columns.filter(|(_, column)| column.key);
        keys.map(|(position, _)| position).collect()
    }

    /// A page of rows in the order of the primary key, those behind the row `after`.
    pub async fn page(
        &self,
        tx: &mut Tx,
        after: Option<&[Cell]>,
        limit: u16,
    ) -> Result<Vec<Vec<Cell>>, DbError> {
        let (key, after) = (self.key(), after.unwrap_or_default());
        let all = Self::list(self.columns.iter());
        let order = Self::list(self.columns.iter().filter(|column| column.key));
        let behind = match after {
            [] => String::new(),
            _ => format!("WHERE ({order}) > ({})", places(1, key.len())),
        };
        let sql = format!(
            "SELECT {all} FROM \"{}\" {behind} ORDER BY {order} LIMIT {limit}",
            self.table
        );
        crate::each!(tx, c => {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for position in key.iter().filter_map(|position| after.get(*position)) {
                query = match position {
                    Cell::Null => query.bind(None::<i64>),
                    Cell::Text(text) => query.bind(text.as_str()),
                    Cell::Number(number) => query.bind(*number),
                    Cell::Bytes(bytes) => query.bind(bytes.as_slice()),
                    Cell::Truth(truth) => query.bind(*truth),
                };
            }
            query.fetch_all(c).await.and_then(|rows| {
                let columns = || self.columns.iter().enumerate();
                let rows = rows.iter().map(|row| columns().map(|(n, one)| cell(n, one, row)).collect());
                rows.collect()
            })
        })
    }

    /// Writes rows of this shape.
    pub async fn insert(&self, tx: &mut Tx, rows: &[Vec<Cell>]) -> Result<(), DbError> {
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let width = self.columns.len();
            let values: Vec<String> = (0..rows.len())
                .map(|row| format!("({})", places(row * width + 1, width)))
                .collect();
            let sql = format!(
                "INSERT INTO \"{}\" ({}) VALUES {}",
                self.table,
                Self::list(self.columns.iter()),
                values.join(", ")
            );
            crate::each!(tx, c => {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (column, cell) in rows.iter().flat_map(|row| self.columns.iter().zip(row)) {
                    query = match (cell, column.kind) {
                        (Cell::Text(text), _) => query.bind(text.as_str()),
                        (Cell::Number(number), _) => query.bind(*number),
                        (Cell::Bytes(bytes), _) => query.bind(bytes.as_slice()),
                        (Cell::Truth(truth), _) => query.bind(*truth),
                        (Cell::Null, Kind::Text) => query.bind(None::<&str>),
                        (Cell::Null, Kind::Number) => query.bind(None::<i64>),
                        (Cell::Null, Kind::Bytes) => query.bind(None::<&[u8]>),
                        (Cell::Null, Kind::Truth) => query.bind(None::<bool>),
                    };
                }
                query.execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Deletes every row.
    pub async fn clear(&self, tx: &mut Tx) -> Result<(), DbError> {
        let sql = format!("DELETE FROM \"{}\"", self.table);
        crate::each!(tx, c => sqlx::query(AssertSqlSafe(sql)).execute(c).await.map(drop))
    }

    /// Whether there is a row.
    pub async fn is_empty(&self, tx: &mut Tx) -> Result<bool, DbError> {
        Ok(self.page(tx, None, 1).await?.is_empty())
    }
}

/// `$1, $2, …`
fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    places.join(", ")
}

fn cell<R>(position: usize, column: &Column, row: &R) -> Result<Cell, sqlx::Error>
where
    R: Row,
    usize: sqlx::ColumnIndex<R>,
    for<'r> String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> Vec<u8>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> bool: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    let value = match column.kind {
        Kind::Text => row.try_get::<Option<String>, _>(position)?.map(Cell::Text),
        Kind::Number => row.try_get::<Option<i64>, _>(position)?.map(Cell::Number),
        Kind::Bytes => row
            .try_get::<Option<Vec<u8>>, _>(position)?
            .map(Cell::Bytes),
        Kind::Truth => row.try_get::<Option<bool>, _>(position)?.map(Cell::Truth),
    };
    Ok(value.unwrap_or(Cell::Null))
}

impl Db {
    /// Reads at one moment, however long it takes and whatever others write meanwhile. What `work`
    /// writes is undone.
    pub async fn at_one_moment<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T, E>,
        E: From<DbError>,
    {
        let mut tx = match self.each() {
            Each::Sqlite(pool) => {
                let connection = pool.acquire().await.map_err(DbError::from)?;
                Tx(Inner::Sqlite(connection.detach()))
            }
            Each::Postgres(pool) => {
                let mut connection = pool.acquire().await.map_err(DbError::from)?;
                // It is in a transaction from here on: nobody else may ever get it.
                connection.close_on_drop();
                Tx(Inner::Postgres(connection))
            }
        };
        let begin = match tx.each() {
            Each::Sqlite(c) => sqlx::raw_sql("BEGIN").execute(c).await.map(drop),
            Each::Postgres(c) => sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .execute(c)
                .await
                .map(drop),
        };
        begin.map_err(DbError::from)?;
        work(&mut tx).await
    }
}
