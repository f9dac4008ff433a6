//! The patterns of IAM policies: `*` stands for any text, `?` for any one character.

/// Whether a text fits a pattern.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // Which beginnings of the text the pattern read so far can stand for.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for wanted in pattern.chars() {
        if wanted == '*' {
            let first = reached.iter().position(|reached| *reached).unwrap_or(reached.len());
            reached[first..].fill(true);
        } else {
            for end in (1..reached.len()).rev() {
                reached[end] = reached[end - 1] && (wanted == '?' || wanted == text[end - 1]);
            }
            reached[0] = false;
        }
    }
    reached[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_a_question_mark_for_one_character() {
        for (pattern, text, fits) in [
            ("sns:publish", "sns:publish", true),
            ("*", "sns:publish", true),
            ("*", "", true),
            ("s*:pub*", "sns:publish", true),
            ("sns:*lish", "sns:publish", true),
            ("sns:p?blis?", "sns:publish", true),
            ("*:*:*", "a:b:c", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("sns:publish?", "sns:publish", false),
            ("sns:pub", "sns:publish", false),
            ("?", "", false),
            ("", "a", false),
            ("gr??n", "grün", false),
            ("gr?n", "grün", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }
}
