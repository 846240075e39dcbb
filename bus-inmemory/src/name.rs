/// The longest name of a queue or exchange, in bytes, as on RabbitMQ: what works here works there.
const LONGEST: usize = 255;

/// Whether a queue or an exchange can have this name. The same rule as on RabbitMQ.
pub(crate) fn check(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    if name.len() > LONGEST {
        return Err(format!("the name has {} bytes; {LONGEST} are possible", name.len()));
    }
    match name.chars().find(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | ':')) {
        Some(wrong) => {
            Err(format!("the name `{name}` has `{wrong}`; letters, digits, `-`, `_`, `.` and `:` are possible"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_are_those_that_rabbitmq_takes_from_the_bus() {
        for name in ["orders", "Acme.Orders:SubmitOrder", "a-b_c", "Bestellübersicht", &"x".repeat(255)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        assert_eq!(check("").unwrap_err(), "the name is empty");
        assert_eq!(check(&"x".repeat(256)).unwrap_err(), "the name has 256 bytes; 255 are possible");
        assert_eq!(
            check("my orders").unwrap_err(),
            "the name `my orders` has ` `; letters, digits, `-`, `_`, `.` and `:` are possible"
        );
    }
}
