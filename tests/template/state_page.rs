//! docs/STATE.md against the code and the roles: every kind of item, and who reads and writes it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use steward::table::keys;

use super::{functions, items, kind_of, logical_id, one_or_many, read, statements, template};

/// A kind of item in words, and the functions that write and read its items.
type Page = BTreeMap<String, [BTreeSet<String>; 2]>;

#[test]
fn the_page_of_the_state_names_every_kind_of_item_with_the_functions_that_read_and_write_it() {
    assert_eq!(
        written_down(),
        deployed(),
        "left is docs/STATE.md, right is template.yaml with shared/src/table/keys.rs"
    );
}

/// What the page says: its rows begin with the key, and their fourth and fifth cells name functions.
fn written_down() -> Page {
    let text = read("docs/STATE.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let names = |cell: &str| {
        cell.split(", ")
            .map(str::trim)
            .filter(|name| !matches!(*name, "none" | "people"))
            .map(ToOwned::to_owned)
            .collect()
    };
    rows.map(|row| {
        let cells: Vec<_> = row.split(" | ").collect();
        let [key, _, _, writers, readers, _] = cells[..] else { panic!("six cells: {row}") };
        (key.trim_matches(['|', ' ', '`']).to_owned(), [names(writers), names(readers)])
    })
    .collect()
}

/// What the roles of the functions may do with the items of each kind.
fn deployed() -> Page {
    let all = [keys::TABLE, keys::JOURNAL].concat();
    let mut page: Page = all.iter().map(|kind| (kind.pattern(), Default::default())).collect();
    let roles: BTreeMap<_, _> =
        functions().into_iter().map(|function| (format!("{}Role", logical_id(&function)), function)).collect();
    for (role, statement) in statements(&template()) {
        let leading = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        let actions: Vec<_> = one_or_many(&statement["Action"]).into_iter().filter_map(Value::as_str).collect();
        let reads = actions.contains(&"dynamodb:GetItem");
        let writes = actions.iter().any(|action| *action != "dynamodb:GetItem");
        for kind in items(leading).filter_map(Value::as_str).filter_map(|pattern| kind_of(&all, pattern)) {
            let [written, read] = page.get_mut(&kind).expect("every kind is there");
            for (does, names) in [(writes, written), (reads, read)] {
                if does {
                    names.insert(roles[&role].clone());
                }
            }
        }
    }
    page
}
