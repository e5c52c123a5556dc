//! Time comes in as an argument: deciding code takes a `Timestamp`, edges take a `Clock`.

pub use jiff::Timestamp;

/// Where the present comes from.
///
/// Leases, expiries and everything two processes must agree on use the database's clock instead.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// RFC 3339 in UTC with exactly six decimals, the one form used in signed bytes.
#[must_use]
pub fn rfc3339_micros(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_times_have_six_decimals() {
        let at: Timestamp = "2026-03-01T10:00:00.5Z".parse().unwrap();
        assert_eq!(rfc3339_micros(at), "2026-03-01T10:00:00.500000Z");
    }
}
