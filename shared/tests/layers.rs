//! The modules of this crate stand in layers, and each uses only what stands in its own layer or below.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{
    ItemMod, ItemUse, Macro, UseTree,
    visit::{self, Visit},
};

/// The layers, lowest first, and the modules of each. The controls and the document are of one layer: the sections of the
/// document are the desired states of the controls.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "vocabulary",
        &[
            "account_source",
            "clock",
            "closed_set",
            "digest",
            "error",
            "ids",
            "input",
            "invocation",
            "policy_document",
            "poll_backoff",
            "severity",
            "shown",
            "tags",
            "unit_path",
            "unit_reference",
        ],
    ),
    ("gateway", &["gateway"]),
    ("runtime", &["runtime"]),
    ("table", &["table"]),
    ("session", &["session"]),
    ("organization", &["organization"]),
    ("baseline and control", &["baseline", "control", "organization_check"]),
    ("baseline_runner", &["baseline_runner"]),
    ("audit", &["audit"]),
    ("account_creation", &["account_creation"]),
    ("sweep", &["sweep"]),
    ("events", &["events"]),
    ("reference_docs", &["reference_docs"]),
];

/// The number of a module's layer, counted from the lowest.
fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, modules)| modules.contains(&module))
}

/// Finds the modules of the crate's root that a file names, wherever it does: in `use` trees, in paths, and in what is
/// handed to macros.
struct Imports {
    /// The module at work, from the root down.
    module: Vec<String>,
    /// The line, and the path from the root as far as it is known.
    found: Vec<(usize, Vec<String>)>,
}

impl Imports {
    /// Notes a path if it begins at the root of the crate or leads there.
    fn note(&mut self, path: &[Ident]) {
        let Some(first) = path.first() else { return };
        let line = first.span().start().line;
        let supers = path.iter().take_while(|name| *name == "super").count();
        let (mut from, rest) = if *first == "crate" {
            (Vec::new(), &path[1..])
        } else if supers > 0 && supers <= self.module.len() {
            (self.module[..self.module.len() - supers].to_vec(), &path[supers..])
        } else {
            return;
        };
        from.extend(rest.iter().map(ToString::to_string));
        self.found.push((line, from));
    }

    fn tree(&mut self, before: &[Ident], tree: &UseTree) {
        let with = |name: &Ident| [before, std::slice::from_ref(name)].concat();
        match tree {
            UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(before, tree)),
            UseTree::Name(name) => self.note(&with(&name.ident)),
            UseTree::Rename(name) => self.note(&with(&name.ident)),
            UseTree::Glob(_) => self.note(before),
        }
    }

    /// The paths among the tokens of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<Ident> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.note(&path);
                        path.clear();
                    }
                    path.push(name);
                    colons = 0;
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' => colons += 1,
                other => {
                    self.note(&path);
                    path.clear();
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.note(&path);
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.clone()).collect();
        self.note(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.tokens(item.tokens.clone());
    }
}

/// What a file uses of layers above its own: `file:line imports X (layer) from Y (layer)`, X standing above Y. `path` is
/// the file below `src`.
fn forbidden(path: &Path, text: &str) -> Vec<String> {
    let mut module: Vec<_> = path.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if module == ["lib"] {
        module.clear();
    }
    let Some(own) = module.first().cloned() else { return Vec::new() };
    let own_layer = layer_of(&own).unwrap_or_else(|| panic!("{own} is in no layer"));
    let mut imports = Imports { module, found: Vec::new() };
    imports.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    let mut lines = Vec::new();
    for (line, name) in imports.found {
        let Some(layer) = name.first().and_then(|module| layer_of(module)) else { continue };
        if layer > own_layer {
            let (path, name) = (path.display(), name.join("::"));
            let (above, below) = (LAYERS[layer].0, LAYERS[own_layer].0);
            lines.push(format!("shared/src/{path}:{line} imports {name} ({above}) from {own} ({below})"));
        }
    }
    lines
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file of Rust below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn each_module_uses_only_what_stands_in_its_own_layer_or_below() {
    let mut paths = Vec::new();
    files(&source(), &mut paths);
    paths.sort();
    assert!(paths.len() > 100, "{} files", paths.len());
    let found: Vec<_> = paths
        .iter()
        .flat_map(|path| {
            let below = path.strip_prefix(source()).expect("a file below src");
            forbidden(below, &fs::read_to_string(path).expect("a text"))
        })
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_module_of_the_crate_is_in_one_layer() {
    let root = syn::parse_file(&fs::read_to_string(source().join("lib.rs")).expect("lib.rs")).expect("Rust");
    let declared: BTreeSet<_> = root
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Mod(item) => Some(item.ident.to_string()),
            _ => None,
        })
        .collect();
    let listed: Vec<_> = LAYERS.iter().flat_map(|(_, modules)| modules.iter().map(ToString::to_string)).collect();
    assert_eq!(listed.len(), declared.len(), "a module is in two layers, or in none");
    assert_eq!(declared, listed.into_iter().collect());
}

#[test]
fn an_import_from_above_is_found_however_it_is_written() {
    let said = |text: &str| forbidden(Path::new("gateway/sns.rs"), text);
    let expected = ["shared/src/gateway/sns.rs:2 imports control::Row (baseline and control) from gateway (gateway)"];
    for text in [
        "\nuse crate::control::Row;",
        "\nuse crate::{control::Row as R, error::Cause};",
        "\nuse super::super::control::Row;",
        "\nfn row() -> crate::control::Row { todo!() }",
        "\nfn row() { println!(\"{}\", crate::control::Row); }",
        "\nmod tests { use super::super::super::control::Row; }",
    ] {
        assert_eq!(said(text), expected, "{text}");
    }
    assert_eq!(said("use crate::{error::Cause, ids::AccountId};\nuse super::CallError;\nuse control::Row;"), [""; 0]);
}
