//! The command below a table or a figure that prints the same, and the same in other forms.

use maud::{Markup, html};

/// A command line that grows by options.
pub(crate) struct Command(Vec<String>);

/// What a page shows, in another form.
pub(crate) enum Form {
    /// A file to be saved, by what it is, and its path.
    File(&'static str, String),
    /// Text to be read or copied.
    Text(&'static str, String),
}

impl Command {
    /// `acai`, and these words.
    pub(crate) fn acai(words: &[&str]) -> Command {
        let mut command = Command(vec!["acai".to_owned()]);
        command.0.extend(words.iter().map(|word| quoted(word)));
        command
    }

    /// With an option, if it has a value.
    pub(crate) fn option(mut self, name: &str, value: Option<&str>) -> Command {
        if let Some(value) = value {
            self.0.push(format!("--{name} {}", quoted(value)));
        }
        self
    }

    pub(crate) fn word(mut self, word: &str) -> Command {
        self.0.push(word.to_owned());
        self
    }

    pub(crate) fn text(&self) -> String {
        self.0.join(" ")
    }

    /// A line to copy, with links to the same in other forms.
    pub(crate) fn shown(&self, forms: &[Form]) -> Markup {
        html! {
            div.command {
                code tabindex="0" { (self.text()) }
                button.copy type="button" hidden { "Copy" }
                (forms_alone(forms))
            }
        }
    }
}

/// Links to the same in other forms, where the command is said elsewhere.
pub(crate) fn forms(forms: &[Form]) -> Markup {
    html! { div.command { (forms_alone(forms)) } }
}

fn forms_alone(forms: &[Form]) -> Markup {
    html! { @for form in forms { (form.shown()) } }
}

impl Form {
    fn shown(&self) -> Markup {
        html! {
            @match self {
                Form::File(name, path) => a href=(path) download { (name) },
                Form::Text(name, path) => {
                    a href=(path) { (name) }
                    button.copy type="button" hidden data-from=(path) { "Copy " (name) }
                }
            }
        }
    }
}

/// As a shell takes a word for itself.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_a_command_as_it_is_meant() {
        let command =
            Command::acai(&["results", "demo"]).option("where", Some("lambda > 0; it's")).option("at", None);
        assert_eq!(command.text(), r"acai results demo --where 'lambda > 0; it'\''s'");
    }
}
