//! The log of a function, as Lambda's logging controls ask for it.
//!
//! The subscriber that comes with the runtime also understands `RUST_LOG` directives, with regular expressions: 80 kB in
//! every function that nobody has a use for.

use lambda_runtime::tracing::subscriber::{filter::LevelFilter, fmt};

use crate::runtime::settings::Settings;

/// Starts the log: one line per event on standard output, without the time, which CloudWatch Logs adds.
pub(super) fn start() {
    let settings = Settings::from_environment();
    let log = fmt().with_target(false).without_time().with_max_level(level(settings.log_level().as_deref()));
    if settings.logs_json() { log.json().init() } else { log.init() }
}

/// The level by its name in Lambda's `ApplicationLogLevel`; INFO when there is none.
fn level(name: Option<&str>) -> LevelFilter {
    match name {
        // Nothing in Rust is fatal to the process without being an error first.
        Some("FATAL") => LevelFilter::ERROR,
        Some(name) => name.parse().unwrap_or(LevelFilter::INFO),
        None => LevelFilter::INFO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_that_lambda_offers_is_understood() {
        let levels = [
            ("TRACE", LevelFilter::TRACE),
            ("DEBUG", LevelFilter::DEBUG),
            ("INFO", LevelFilter::INFO),
            ("WARN", LevelFilter::WARN),
            ("ERROR", LevelFilter::ERROR),
            ("FATAL", LevelFilter::ERROR),
        ];
        for (name, expected) in levels {
            assert_eq!(level(Some(name)), expected, "{name}");
        }
        assert_eq!((level(None), level(Some("loud"))), (LevelFilter::INFO, LevelFilter::INFO));
    }
}
