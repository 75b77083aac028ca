//! What both services share: configuration, database, keys, fetcher, errors, telemetry.
