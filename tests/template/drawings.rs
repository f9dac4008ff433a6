//! The drawings of docs/ARCHITECTURE.md lead through files that exist.

use regex::Regex;

use super::{functions, read, root};

#[test]
fn every_file_in_a_drawing_exists() {
    let text = read("docs/ARCHITECTURE.md");
    let file = Regex::new(r"[a-z_-]+(?:/[a-z_-]+)*\.rs").expect("a pattern");
    let (mut of_function, mut found) = (String::new(), 0);
    for line in text.split("```").skip(1).step_by(2).flat_map(str::lines) {
        for path in file.find_iter(line) {
            let (first, rest) = path.as_str().split_once('/').unwrap_or((path.as_str(), ""));
            let is_function = functions().iter().any(|function| function == first);
            let place = if is_function {
                first.clone_into(&mut of_function);
                format!("functions/{first}/src/{rest}")
            } else if line.starts_with("   ") && line.trim_start().starts_with(path.as_str()) && path.start() == 3 {
                // Indented below a handler: beside it.
                format!("functions/{of_function}/src/{path}", path = path.as_str())
            } else {
                format!("shared/src/{}", path.as_str())
            };
            assert!(root().join(&place).is_file(), "{place} is not there: {line}");
            found += 1;
        }
    }
    assert!(found > 40, "the drawings name {found} files");
}
