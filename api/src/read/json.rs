//! Values in the form that JSON gives them.

use chrono::{DateTime, Datelike, Timelike, Utc};

/// A JSON string.
pub fn escaped(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    // every byte is looked at, without a branch for each, so that many are looked at together: hardly any text holds one
    let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    let is_plain =
        text.bytes().map(is_special).fold(0, |sum: usize, special| sum + usize::from(special)) == 0;
    if is_plain {
        out.extend_from_slice(text.as_bytes());
    } else {
        escape(out, text.as_bytes());
    }
    out.push(b'"');
}

fn escape(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut clean = 0;
    for (index, byte) in bytes.iter().enumerate() {
        let short: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..=0x1f => &[],
            _ => continue,
        };
        out.extend_from_slice(&bytes[clean..index]);
        if short.is_empty() {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else {
            out.extend_from_slice(short);
        }
        clean = index + 1;
    }
    out.extend_from_slice(&bytes[clean..]);
}

/// An instant as RFC 3339 in UTC, with as many decimals as it needs: none, three or six.
pub fn instant(out: &mut Vec<u8>, at: DateTime<Utc>) {
    let micros = at.timestamp_subsec_micros();
    out.push(b'"');
    digits::<4>(out, at.year().unsigned_abs());
    let parts =
        [(b'-', at.month()), (b'-', at.day()), (b'T', at.hour()), (b':', at.minute()), (b':', at.second())];
    for (before, number) in parts {
        out.push(before);
        digits::<2>(out, number);
    }
    if micros != 0 {
        out.push(b'.');
        if micros.is_multiple_of(1000) { digits::<3>(out, micros / 1000) } else { digits::<6>(out, micros) }
    }
    out.extend_from_slice(b"Z\"");
}

/// The last `N` decimal digits of a number.
fn digits<const N: usize>(out: &mut Vec<u8>, mut number: u32) {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
    out.extend_from_slice(&digits);
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;

    use super::*;

    #[test]
    fn an_instant_is_written_as_rfc_3339_says() {
        // midnight, a leap day, the last second of a year, thousandths and millionths
        let instants =
            [0, 1_709_164_800_000_000, 1_798_761_599_000_000, 1_798_761_599_120_000, 1_717_245_296_000_007];
        for micros in instants {
            let at = DateTime::from_timestamp_micros(micros).expect("an instant");
            let mut written = Vec::new();
            instant(&mut written, at);
            let expected = format!("\"{}\"", at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
            assert_eq!(String::from_utf8(written).expect("text"), expected);
        }
    }
}
