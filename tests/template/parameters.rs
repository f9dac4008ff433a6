//! The parameters of template.yaml, as the README tells of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{read, template};

/// The parameters in the README's table, and their defaults. A row may be about several: `A, B | 1, 2`.
fn in_the_readme() -> BTreeMap<String, String> {
    let readme = read("README.md");
    let (_, table) = readme.split_once("| parameter | default | |\n| --- | --- | --- |\n").expect("the table");
    let mut found = BTreeMap::new();
    for row in table.lines().take_while(|line| line.starts_with('|')) {
        let [_, names, defaults, meaning, _] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let names: Vec<_> = names.split(',').map(str::trim).collect();
        let several = names.len() > 1;
        assert!(several || !meaning.trim().is_empty(), "{row} says nothing");
        let defaults: Vec<_> = if several { defaults.split(',').collect() } else { vec![defaults] };
        assert_eq!(names.len(), defaults.len(), "{row}");
        for (name, default) in names.into_iter().zip(defaults) {
            let before = found.insert(name.to_owned(), default.trim().to_owned());
            assert!(before.is_none(), "{name} stands there twice");
        }
    }
    found
}

#[test]
fn every_parameter_stands_in_the_readme_with_its_default_and_no_other() {
    let template = template();
    let parameters = template["Parameters"].as_object().expect("parameters").iter();
    let default = |parameter: &Value| match &parameter["Default"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let expected: BTreeMap<_, _> = parameters.map(|(name, parameter)| (name.clone(), default(parameter))).collect();
    assert_eq!(in_the_readme(), expected, "left is in the README, right in template.yaml");
}
