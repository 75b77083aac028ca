//! UniFFI over wallet-core: Kotlin and Swift.
