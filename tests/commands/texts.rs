//! Where this project tells people to type an `aws` command, and what.

use std::{fs, path::Path, sync::LazyLock};

use harness::Instructions;
use regex::Regex;
use steward::organization_check::manual_steps;

use crate::template::root;

/// A command, as a person reads it.
#[derive(Clone, Debug)]
pub(super) struct Command {
    /// The file.
    pub(super) place: String,
    /// The command, with its placeholders.
    pub(super) text: String,
}

/// Code that makes such texts: what it makes is taken, and not its source.
const MADE_BY_CODE: [&str; 2] = ["shared/src/organization_check/manual_step.rs", "tests/harness/src/instructions.rs"];
/// The tests of the commands, which name some.
const OURSELVES: &str = "tests/commands";

/// The program, a service and an operation. Nobody writes the company's name like that.
static MENTION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|[^\w.-])(aws [a-z][a-z0-9-]* [a-z][a-z0-9-]*)").expect("a pattern"));

/// Every command of every text, those of the local cloud with this in the place of the stack's outputs.
///
/// # Panics
///
/// When a text names a command in a place from which it cannot be taken.
pub(super) fn commands(instructions: &Instructions) -> Vec<Command> {
    let mut found = Vec::new();
    for (place, text) in texts() {
        let is_made_by_code = MADE_BY_CODE.contains(&place.as_str());
        let mentioned = mentions(&text).count();
        if mentioned == 0 || is_made_by_code || place.starts_with(OURSELVES) {
            assert!(mentioned > 0 || !is_made_by_code, "{place} makes no command any more");
            continue;
        }
        let is_markdown = Path::new(&place).extension().is_some_and(|ending| ending == "md");
        let of_it = if is_markdown { in_markdown(&text) } else { Vec::new() };
        let taken: usize = of_it.iter().map(|command| mentions(command).count()).sum();
        let all: Vec<_> = mentions(&text).collect();
        assert_eq!(taken, mentioned, "{place} has commands outside of blocks and of `code`: {all:?}, {of_it:?}");
        found.extend(of_it.into_iter().map(|text| Command { place: place.clone(), text }));
    }
    let printed = instructions.commands.iter().cloned();
    found.extend(printed.map(|text| Command { place: "make cloud".to_owned(), text }));
    for left in manual_steps(false) {
        let said = [left.what, left.at, left.why].join("\n");
        let commands = mentions(&said).map(ToOwned::to_owned);
        found.extend(commands.map(|text| Command { place: "organization-preparer".to_owned(), text }));
    }
    found
}

fn mentions(text: &str) -> impl Iterator<Item = &str> {
    MENTION.captures_iter(text).filter_map(|found| Some(found.get(1)?.as_str()))
}

/// The commands in fenced blocks, and what is written as `code` in a sentence.
fn in_markdown(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut is_in_block, mut begun) = (false, None::<String>);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            assert!(begun.is_none(), "a command without an end: {begun:?}");
            is_in_block = !is_in_block;
        } else if is_in_block {
            let command = match begun.take() {
                Some(before) => format!("{before}\n{line}"),
                None if line.starts_with("aws ") => line.to_owned(),
                None => continue,
            };
            let is_open = command.ends_with('\\') || command.matches('\'').count() % 2 == 1;
            if is_open { begun = Some(command) } else { found.push(command) }
        } else {
            let code = line.split('`').skip(1).step_by(2);
            found.extend(code.filter(|code| code.starts_with("aws ")).map(ToOwned::to_owned));
        }
    }
    found
}

/// Every text of the checkout, by its path, in order.
fn texts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    read_into(&mut found, root());
    found.sort();
    assert!(found.len() > 100, "the checkout has more texts than {}", found.len());
    found
}

fn read_into(found: &mut Vec<(String, String)>, folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        // What was installed, built, or is another program's; links lead there as well.
        if (name.starts_with('.') && name != ".ci")
            || name == "target"
            || entry.file_type().expect("a type").is_symlink()
        {
            continue;
        }
        if path.is_dir() {
            read_into(found, &path);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let place = path.strip_prefix(root()).expect("a path in the checkout").to_string_lossy().into_owned();
            found.push((place, text));
        }
    }
}

#[test]
fn a_command_ends_where_a_shell_says_so() {
    let text = "Say `aws events start-replay` or\n```\nmake x\naws s3 cp a \\\n    b\naws events put-events --entries '[\n \
        1]'\naws sts get-caller-identity\n```\n";
    let expected = [
        "aws events start-replay",
        "aws s3 cp a \\\n    b",
        "aws events put-events --entries '[\n 1]'",
        "aws sts get-caller-identity",
    ];
    assert_eq!(in_markdown(text), expected);
}

#[test]
fn the_name_of_the_company_and_addresses_are_no_command() {
    let text = "AWS tells of it; aws+shop@example.com; arn:aws:iam; the .tools/aws folder; `aws`";
    assert_eq!(mentions(text).count(), 0);
    assert_eq!(mentions("run .tools/aws/bin/aws lambda invoke").collect::<Vec<_>>(), ["aws lambda invoke"]);
}
