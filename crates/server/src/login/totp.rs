//! One-time passwords by the clock: RFC 6238 with HMAC-SHA-1, six digits and half a minute, which
//! is what every generator knows.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

/// How long a code is shown, in seconds.
const STEP_S: i64 = 30;
/// How many steps clocks may be apart, to either side.
const DRIFT: i64 = 1;
/// How many digits a code has.
pub(super) const DIGITS: usize = 6;
/// How long a secret is, in bytes: RFC 4226, section 4, R6.
pub(super) const SECRET_BYTES: usize = 20;

/// The digits of base 32: RFC 4648, section 6.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The code of one time step.
fn code(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    // RFC 4226, section 5.3: the last four bits say where the number lies.
    let at = usize::from(bytes.last().copied().unwrap_or_default() & 0x0f);
    let four = bytes.iter().skip(at).take(4);
    let number = four.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// What a generator shows at `at_s`, in seconds since the epoch, for a secret in base 32; none when
/// it is not one.
#[must_use]
pub fn shown(secret: &str, at_s: i64) -> Option<String> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for letter in secret.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(code(&bytes, at_s.div_euclid(STEP_S)))
}

/// The time step whose code `given` is, if it is one of those around `now_s`, in seconds since the
/// epoch. All of them are compared, whichever it is.
pub(super) fn step_of(secret: &[u8], given: &str, now_s: i64) -> Option<i64> {
    let now = now_s.div_euclid(STEP_S);
    let mut found = None;
    for step in now - DRIFT..=now + DRIFT {
        if verify_slices_are_equal(code(secret, step).as_bytes(), given.as_bytes()).is_ok() {
            found = Some(step);
        }
    }
    found
}

/// Base 32 without padding: RFC 4648, section 6, as generators read secrets.
pub(super) fn base32(bytes: &[u8]) -> String {
    let (mut text, mut bits, mut held) = (String::new(), 0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            let at = usize::try_from((held >> bits) & 31).unwrap_or_default();
            text.extend(ALPHABET.get(at).map(|letter| char::from(*letter)));
        }
    }
    if bits > 0 {
        let at = usize::try_from((held << (5 - bits)) & 31).unwrap_or_default();
        text.extend(ALPHABET.get(at).map(|letter| char::from(*letter)));
    }
    text
}

/// What a generator reads from a picture: the key URI format.
pub(super) fn uri(secret: &[u8], tenant: &str, username: &str) -> String {
    let plain = |text: &str| -> String {
        form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
    };
    format!(
        "otpauth://totp/Countersign:{}?secret={}&issuer=Countersign&algorithm=SHA1&digits={DIGITS}&period={STEP_S}",
        plain(&format!("{username}@{tenant}")),
        base32(secret),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of eight digits.
        for (at, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, at / STEP_S), expected, "{at}");
        }
    }

    #[test]
    fn a_code_counts_around_its_time_and_at_no_other() {
        let at = 1_111_111_111;
        let step = at / STEP_S;
        for apart in -1..=1 {
            assert_eq!(step_of(SECRET, "050471", at + apart * STEP_S), Some(step), "{apart}");
        }
        for apart in [-2, 2, 100] {
            assert_eq!(step_of(SECRET, "050471", at + apart * STEP_S), None, "{apart}");
        }
        for bad in ["", "50471", "050472", "0050471", " 050471", "０50471"] {
            assert_eq!(step_of(SECRET, bad, at), None, "{bad}");
        }
    }

    #[test]
    fn secrets_are_written_as_generators_read_them() {
        // RFC 4648, section 10.
        for (bytes, expected) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), expected);
        }
        assert_eq!(shown(&base32(SECRET), 59).as_deref(), Some("287082"));
        assert_eq!(shown("no base 32", 59), None);
        let uri = uri(SECRET, "default", "a b");
        assert!(uri.contains("Countersign:a%20b%40default?secret=GEZDGNBVGY3TQOJQ"), "{uri}");
    }
}
