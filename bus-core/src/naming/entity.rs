/// The longest name in bytes: AMQP's short string (0-9-1, section 4.2.5.3).
const LONGEST: usize = 255;

/// Whether a queue, exchange or topic can have this name on RabbitMQ, and in memory, where the same names
/// work: letters of any script, digits, `-`, `_`, `.` and `:` (MassTransit's rule), at most 255 bytes.
///
/// # Errors
/// A part of a sentence that says what is wrong.
pub fn check_entity_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("it is empty".to_owned());
    }
    if name.len() > LONGEST {
        return Err(format!("it has {} bytes; {LONGEST} are possible", name.len()));
    }
    match name.chars().find(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | ':')) {
        Some(wrong) => Err(format!("it has `{wrong}`; letters, digits, `-`, `_`, `.` and `:` are possible")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check_entity_name as check;

    #[test]
    fn names_are_those_that_rabbitmq_takes_from_the_bus() {
        for name in ["orders", "Acme.Orders:SubmitOrder", "a-b_c", "Bestellübersicht", &"x".repeat(255)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        assert_eq!(check("").unwrap_err(), "it is empty");
        assert_eq!(check(&"x".repeat(256)).unwrap_err(), "it has 256 bytes; 255 are possible");
        assert_eq!(check("my orders").unwrap_err(), "it has ` `; letters, digits, `-`, `_`, `.` and `:` are possible");
    }
}
