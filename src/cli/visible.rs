//! Text that is fit for a terminal, whatever files, names and system libraries put into it.
//!
//! Characters that are not printable (control characters, those that change the direction of writing, unassigned
//! ones) are written as Rust escapes them, such as `\u{1b}`.

/// Characters of an error: more is left out of its middle.
const MOST: usize = 2000;

/// Whether a terminal shows the character as it is.
fn printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        _ if c.is_ascii() => false,
        // After another character, where an accent is shown upon it.
        _ => String::from_iter(['a', c]).escape_debug().nth(1) == Some(c),
    }
}

/// One line: ends of lines are escaped, too.
pub fn line(text: &str) -> String {
    escaped(text, |_| false)
}

/// Lines that the program has written, with texts of others in them.
pub fn lines(text: &str) -> String {
    escaped(text, |c| c == '\n')
}

fn escaped(text: &str, kept: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match printable(c) || kept(c) {
            true => shown.push(c),
            false => shown.extend(c.escape_debug()),
        }
    }
    shown
}

/// The beginning and the end of a long text.
pub fn shortened(text: String) -> String {
    let count = text.chars().count();
    if count <= MOST {
        return text;
    }
    let half: String = text.chars().take(MOST / 2).collect();
    let rest: String = text.chars().skip(count - MOST / 2).collect();
    format!("{half} … ({} characters) … {rest}", count - MOST / 2 * 2)
}

/// JSON in which what a terminal does not show is escaped, as JSON does it.
pub fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if printable(c) || c == '\n' {
            shown.push(c);
            continue;
        }
        let mut units = [0; 2];
        c.encode_utf16(&mut units).iter().for_each(|unit| shown += &format!("\\u{unit:04x}"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_printable_is_escaped() {
        let text = "a 'b' \"c\" \\ ö e\u{301} ⌊√n⌋ 文\u{1b}[31m\u{9b}\u{7f}\u{202e}\t\n";
        let shown = "a 'b' \"c\" \\ ö e\u{301} ⌊√n⌋ 文\\u{1b}[31m\\u{9b}\\u{7f}\\u{202e}\\t";
        assert_eq!(line(text), shown.to_owned() + "\\n");
        assert_eq!(lines(text), shown.to_owned() + "\n");
        let value = serde_json::json!({ text: text });
        let found = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(found.chars().all(|c| c == '\n' || printable(c)), "{found}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&found).unwrap(), value);
    }

    #[test]
    fn long_texts_keep_both_ends() {
        let short = "ö".repeat(MOST);
        assert_eq!(shortened(short.clone()), short);
        let long = shortened(format!("begin{}end", "ö".repeat(1_000_000)));
        assert!(long.starts_with("begin") && long.ends_with("end"), "{long}");
        assert!(long.contains("998008 characters") && long.chars().count() < MOST + 40, "{long}");
    }
}
