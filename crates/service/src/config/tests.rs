use super::*;

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    http: HttpConfig,
    #[serde(default)]
    dev: DevConfig,
    keys: KeysConfig,
    #[serde(default)]
    log: LogConfig,
    #[serde(default)]
    fetch: FetchConfig,
}

const SECRET: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

fn good() -> String {
    format!(
        "[http]\nlisten = \"127.0.0.1:4000\"\npublic_url = \"https://issuer.example\"\n\
         [keys]\nsecret = \"{SECRET}\"\n"
    )
}

#[test]
fn reads_a_file() {
    let config: Config = parse(&good()).unwrap();
    assert_eq!(config.http.public_url.as_str(), "https://issuer.example");
    assert!(!config.dev.loopback_http);
    assert_eq!(config.log.format, LogFormat::Text);
    assert!(config.fetch.allow.is_empty());
    config.keys.master().unwrap();
}

#[test]
#[expect(
    clippy::result_large_err,
    reason = "the helper of figment wants its error"
)]
fn the_environment_wins() {
    figment::Jail::expect_with(|jail| {
        jail.create_file("service.toml", &good())?;
        jail.set_env("VOUCHSAFE_ISSUER_HTTP__LISTEN", "127.0.0.1:5000");
        let config: Config = load(Some(Path::new("service.toml")), "VOUCHSAFE_ISSUER_").unwrap();
        assert_eq!(config.http.listen.port(), 5000);
        Ok(())
    });
}

#[test]
fn refuses_unknown_keys_and_names_them() {
    let text = good().replace("listen =", "lisen = 1\nlisten =");
    let error = parse::<Config>(&text).unwrap_err().to_string();
    assert!(error.contains("unknown key `lisen`"), "{error}");
    assert!(error.contains("http"), "{error}");
}

#[test]
fn errors_do_not_quote_values() {
    for (from, to) in [
        ("\"127.0.0.1:4000\"", "\"canary-value\""),
        (SECRET, "canary\", more = \"canary"),
        ("secret = ", "secret = [\"canary\"] # "),
        ("secret =", "canary-value secret ="),
        (
            "\"https://issuer.example\"",
            "\"https://canary@issuer.example\"",
        ),
    ] {
        let error = parse::<Config>(&good().replace(from, to)).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    let debug = format!("{:?}", parse::<Config>(&good()).unwrap());
    assert!(!debug.contains(SECRET), "{debug}");
}

#[test]
fn a_missing_file_is_an_error() {
    assert!(matches!(
        load::<Config>(Some(Path::new("/nowhere/service.toml")), "X_"),
        Err(ConfigError::NoFile(_))
    ));
}

#[test]
fn public_url_accepts_only_one_way_of_writing() {
    for good in [
        "https://issuer.example",
        "https://issuer.example/tenant",
        "https://issuer.example:8443",
        "http://127.0.0.1:4000",
        "http://127.0.0.2:4000",
        "http://[::1]:4000",
        "http://localhost:4000",
    ] {
        assert_eq!(good.parse::<PublicUrl>().unwrap().as_str(), good);
    }
    for (bad, why) in [
        ("issuer.example", PublicUrlError::Syntax),
        ("https:///x", PublicUrlError::NotCanonical),
        ("http://issuer.example", PublicUrlError::Scheme),
        ("http://127.0.0.1.evil.example", PublicUrlError::Scheme),
        ("ftp://issuer.example", PublicUrlError::Scheme),
        ("https://issuer.example?x=1", PublicUrlError::Parts),
        ("https://issuer.example#x", PublicUrlError::Parts),
        ("https://user@issuer.example", PublicUrlError::Parts),
        ("https://ISSUER.example", PublicUrlError::NotCanonical),
        ("https://issuer.example:443", PublicUrlError::NotCanonical),
        (
            "https://issuer.example/a/../b",
            PublicUrlError::NotCanonical,
        ),
        ("https://issuer.example//", PublicUrlError::NotCanonical),
        ("https://2130706433", PublicUrlError::NotCanonical),
    ] {
        assert_eq!(bad.parse::<PublicUrl>().unwrap_err(), why, "{bad}");
    }
}

#[test]
fn well_known_suffix_goes_between_host_and_path() {
    let url: PublicUrl = "https://issuer.example/tenant".parse().unwrap();
    assert_eq!(
        url.well_known("openid-credential-issuer"),
        "https://issuer.example/.well-known/openid-credential-issuer/tenant"
    );
    assert_eq!(url.join("/token"), "https://issuer.example/tenant/token");
    assert_eq!(url.origin(), "https://issuer.example");
    let root: PublicUrl = "http://127.0.0.1:4000/".parse().unwrap();
    assert_eq!(root.well_known("x"), "http://127.0.0.1:4000/.well-known/x");
}

#[test]
fn plain_http_needs_loopback_and_the_switch() {
    let https: PublicUrl = "https://issuer.example".parse().unwrap();
    let loopback: PublicUrl = "http://127.0.0.1:4000".parse().unwrap();
    let inside: SocketAddr = "127.0.0.1:4000".parse().unwrap();
    let outside: SocketAddr = "0.0.0.0:4000".parse().unwrap();
    let off = DevConfig {
        loopback_http: false,
    };
    let on = DevConfig {
        loopback_http: true,
    };

    assert!(check_addresses(&off, &[outside], &[&https]).is_ok());
    assert!(check_addresses(&on, &[inside], &[&loopback]).is_ok());
    assert!(matches!(
        check_addresses(&off, &[inside], &[&loopback]),
        Err(ConfigError::NotHttps(_))
    ));
    assert!(matches!(
        check_addresses(&on, &[inside, outside], &[&loopback]),
        Err(ConfigError::DevOffLoopback(_))
    ));
    assert!(matches!(
        check_addresses(&on, &[inside], &[&loopback, &https]),
        Err(ConfigError::DevOffLoopback(_))
    ));
}
