//! Plain text for terminals, at most 100 columns wide.

/// A line without spaces at its end.
pub fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

/// A paragraph of at most 100 columns that starts with `first` and continues under what follows it.
///
/// ```
/// use shatter_record::text::wrapped;
/// let mut out = String::new();
/// wrapped(&mut out, "a. ", &"word ".repeat(30));
/// assert!(out.lines().all(|line| line.len() <= 100));
/// assert!(out.lines().nth(1).unwrap().starts_with("   word"));
/// ```
pub fn wrapped(out: &mut String, first: &str, text: &str) {
    let mut current = first.to_owned();
    for word in text.split_whitespace() {
        if current.chars().count() + word.chars().count() > 99 {
            line(out, &current);
            current = " ".repeat(first.chars().count());
        }
        current.push_str(word);
        current.push(' ');
    }
    line(out, &current);
}
