//! Which database an address means, so that two services are never given the same one.

use std::{path::PathBuf, str::FromStr};

use sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};

use super::DbError;

/// What an address means, written in one way only: for comparison, not for messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DatabasePlace(Which);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Which {
    /// Device and number of a file that is there, whatever names it has.
    File(u64, u64),
    /// A file that is not there yet.
    Path(PathBuf),
    Server {
        host: String,
        port: u16,
        database: String,
        /// `search_path` and whatever else the session begins with.
        options: String,
    },
}

impl DatabasePlace {
    /// Of the address of a database. Connects to nothing.
    ///
    /// Two names of one server (`localhost`, `127.0.0.1`) are two places here.
    pub fn of(url: &str) -> Result<Self, DbError> {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url).map_err(|_| DbError::Address)?;
            return Ok(Self(file(options.get_filename())));
        }
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(DbError::Address);
        }
        let options = PgConnectOptions::from_str(url).map_err(|_| DbError::Address)?;
        let database = options.get_database().unwrap_or(options.get_username());
        Ok(Self(Which::Server {
            host: options.get_host().to_ascii_lowercase(),
            port: options.get_port(),
            database: database.to_owned(),
            options: options.get_options().unwrap_or_default().to_owned(),
        }))
    }
}

/// The file that an address of SQLite means, as it is opened. `None`: an address of a server.
pub fn sqlite_file(url: &str) -> Result<Option<PathBuf>, DbError> {
    if !url.starts_with("sqlite:") {
        return DatabasePlace::of(url).map(|_| None);
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|_| DbError::Address)?;
    Ok(Some(options.get_filename().to_owned()))
}

/// The address that means this file, whatever its name holds. `None`: no address can say it.
pub fn sqlite_address(file: &std::path::Path) -> Option<String> {
    let name = file.to_str()?.replace('%', "%25").replace('?', "%3F");
    Some(match name.starts_with('/') {
        true => format!("sqlite://{name}"),
        false => format!("sqlite:{name}"),
    })
}

fn file(path: &std::path::Path) -> Which {
    #[cfg(unix)]
    if let Ok(there) = std::fs::metadata(path) {
        use std::os::unix::fs::MetadataExt;
        return Which::File(there.dev(), there.ino());
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute
        .parent()
        .and_then(|folder| folder.canonicalize().ok());
    match (folder, absolute.file_name()) {
        (Some(folder), Some(name)) => Which::Path(folder.join(name)),
        (_, _) => Which::Path(absolute),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> DatabasePlace {
        DatabasePlace::of(url).unwrap()
    }

    #[test]
    fn a_file_has_one_place_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
        assert_eq!(place(&at("a.db")), place(&at("./a.db")));
        assert_ne!(place(&at("a.db")), place(&at("b.db")));
        std::fs::write(folder.path().join("a.db"), "").unwrap();
        std::fs::hard_link(folder.path().join("a.db"), folder.path().join("b.db")).unwrap();
        std::os::unix::fs::symlink("a.db", folder.path().join("c.db")).unwrap();
        std::fs::create_dir(folder.path().join("x")).unwrap();
        for other in ["b.db", "c.db", "x/../a.db"] {
            assert_eq!(place(&at("a.db")), place(&at(other)), "{other}");
        }
    }

    #[test]
    fn a_file_and_its_address_are_the_same() {
        for (url, file) in [
            ("sqlite:a.db", "a.db"),
            ("sqlite:///v/a.db?mode=rwc", "/v/a.db"),
            ("sqlite:/v/a%20b.db", "/v/a b.db"),
        ] {
            assert_eq!(sqlite_file(url).unwrap().unwrap(), PathBuf::from(file));
        }
        for file in ["/v/100%41?mode=ro/a#b.db", "/v/a b.db", "a.db", "./x%.db"] {
            let url = sqlite_address(std::path::Path::new(file)).unwrap();
            assert_eq!(sqlite_file(&url).unwrap().unwrap(), PathBuf::from(file));
        }
        assert!(
            sqlite_file("postgres://u@db.example/club")
                .unwrap()
                .is_none()
        );
        assert!(sqlite_file("/v/a.db").is_err());
    }

    #[test]
    fn a_server_has_one_for_each_database_and_schema() {
        let url = "postgres://u:p@db.example:5432/club";
        for same in ["postgres://other:x@DB.example/club", url] {
            assert_eq!(place(url), place(same), "{same}");
        }
        for other in [
            "postgres://u:p@db.example:5433/club",
            "postgres://u:p@db.example:5432/gym",
            "postgres://u:p@db.example:5432/club?options[search_path]=gym",
        ] {
            assert_ne!(place(url), place(other), "{other}");
        }
        assert!(DatabasePlace::of("mysql://x/y").is_err());
    }
}
