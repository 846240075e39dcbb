//! The text of a decimal number, in parts.

/// The largest C# `decimal`, 2⁹⁶ − 1.
const MAX: &[u8] = b"79228162514264337593543950335";

/// Longest number that an exponent is expanded to; .NET has at most 28 digits after the point.
const EXPANDED: usize = 64;

/// `-12.50e3` as sign, digits around the point, and exponent. It is in the range of a C# `decimal`.
pub(super) struct Number<'a> {
    sign: &'a str,
    whole: &'a str,
    fraction: &'a str,
    exponent: Option<i32>,
}

impl<'a> Number<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        const FORM: &str = "it is not a decimal number";
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());

        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let sign = &text[..text.len() - unsigned.len()];
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if text.contains(',') {
            return Err("it has a comma: group separators are not read, and the decimal sign is a point");
        }
        if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return Err(FORM);
        }
        let exponent = exponent.map(|text| text.parse().map_err(|_| FORM)).transpose()?;
        let number = Self { sign, whole, fraction, exponent };
        if number.is_beyond_range() { Err("it is beyond what a C# decimal can hold") } else { Ok(number) }
    }

    /// How many of [`digits`](Self::digits) stand before the point; negative for zeros between the two.
    fn point(&self) -> i64 {
        self.whole.len() as i64 + i64::from(self.exponent.unwrap_or(0))
    }

    fn digits(&self) -> impl Iterator<Item = u8> + Clone {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    fn is_beyond_range(&self) -> bool {
        let zeros = self.digits().take_while(|digit| *digit == b'0').count();
        let mut significant = self.digits().skip(zeros).peekable();
        if significant.peek().is_none() {
            return false;
        }
        let before_point = self.point() - zeros as i64;
        if before_point != MAX.len() as i64 {
            return before_point > MAX.len() as i64;
        }
        let mut padded = significant.chain(std::iter::repeat(b'0'));
        let whole: Vec<u8> = padded.by_ref().take(MAX.len()).collect();
        // .NET rounds the digits that it cannot hold.
        whole.as_slice() > MAX || (whole == MAX && padded.next() >= Some(b'5'))
    }

    /// `-12500` for `-12.50e3`; `None` for a number that has no exponent, or would become very long.
    pub(super) fn without_exponent(&self) -> Option<String> {
        self.exponent?;
        let digits: String = self.digits().map(char::from).collect();
        let point = isize::try_from(self.point()).ok()?;
        if digits.len().max(point.unsigned_abs()) > EXPANDED {
            return None;
        }
        let sign = self.sign;
        Some(match usize::try_from(point) {
            Err(_) => format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs())),
            Ok(0) => format!("{sign}0.{digits}"),
            Ok(point) if point >= digits.len() => format!("{sign}{digits:0<point$}"),
            Ok(point) => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_that_of_dotnet() {
        for (text, inside) in [
            ("79228162514264337593543950335", true),
            ("-79228162514264337593543950335", true),
            ("79228162514264337593543950336", false),
            ("-79228162514264337593543950336", false),
            ("79228162514264337593543950335.4", true),
            ("79228162514264337593543950335.5", false),
            ("00079228162514264337593543950335", true),
            ("7.9228162514264337593543950335e28", true),
            ("7.9228162514264337593543950336E+28", false),
            ("792281625142643375935439503350e-1", true),
            ("792281625142643375935439503360e-1", false),
            ("1e28", true),
            ("8e28", false),
            ("1e29", false),
            ("0e2147483647", true),
            ("0.000e999", true),
            ("1e-2147483648", true),
            ("1e2147483647", false),
        ] {
            assert_eq!(Number::parse(text).is_ok(), inside, "{text}");
        }
    }

    #[test]
    fn exponents_are_expanded() {
        for (text, plain) in [
            ("1e3", Some("1000")),
            ("-1.5e3", Some("-1500")),
            ("1.25E+1", Some("12.5")),
            ("1.50e0", Some("1.50")),
            ("1e-7", Some("0.0000001")),
            ("12e-2", Some("0.12")),
            ("12e-1", Some("1.2")),
            (".5e1", Some("5")),
            ("12.50", None),
            ("1e-1000000", None),
        ] {
            assert_eq!(
                Number::parse(text).ok().and_then(|number| number.without_exponent()).as_deref(),
                plain,
                "{text}"
            );
        }
    }
}
