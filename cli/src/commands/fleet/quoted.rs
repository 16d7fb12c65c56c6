//! Words for a shell.

/// As a shell reads it as one word.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_quoted_is_one_word() {
        for word in ["a b", "it's", "$HOME", "`x`", "", "--lambda=0", "two\nlines"] {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(word))])
                .output();
            assert_eq!(output.map(|output| output.stdout).ok().as_deref(), Some(word.as_bytes()));
        }
    }
}
