/// Longest reason or message that the protocol takes, in bytes.
const LONGEST: usize = 4096;

/// The longest start of `message` that the protocol takes.
pub(crate) fn truncated(message: &str) -> String {
    message[..message.floor_char_boundary(LONGEST)].to_owned()
}
