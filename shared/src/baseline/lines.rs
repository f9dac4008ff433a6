//! Where the values of a document stand, in lines of its text.

use std::{collections::BTreeMap, fmt};

use crate::input::inner;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Options, Spanned};

/// The line of each path.
pub(super) struct Lines(BTreeMap<String, u64>);

impl Lines {
    /// The lines of a text that is known to be readable; of any other, none.
    pub(super) fn of(text: &str, options: Options) -> Self {
        let mut lines = BTreeMap::new();
        if let Ok(root) = serde_saphyr::from_str_with_options::<Node>(text, options) {
            root.collect("$", &mut lines);
        }
        Self(lines)
    }

    /// The line of a path, or of what holds it where it does not exist itself.
    pub(super) fn of_path(&self, mut path: &str) -> Option<u64> {
        loop {
            if let Some(line) = self.0.get(path) {
                return Some(*line);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }
}

/// A value without its content.
enum Node {
    Scalar,
    List(Vec<Spanned<Node>>),
    Mapping(Vec<(Spanned<String>, Node)>),
}

impl Node {
    fn collect(&self, path: &str, lines: &mut BTreeMap<String, u64>) {
        match self {
            Self::Scalar => {}
            Self::List(entries) => {
                for (position, entry) in entries.iter().enumerate() {
                    let path = format!("{path}[{position}]");
                    entry.value.collect(&path, lines);
                    lines.insert(path, entry.referenced.line());
                }
            }
            Self::Mapping(entries) => {
                for (name, value) in entries {
                    let path = inner(path, &name.value);
                    value.collect(&path, lines);
                    lines.insert(path, name.referenced.line());
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(entry) = entries.next_element()? {
            nodes.push(entry);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            nodes.push(entry);
        }
        Ok(Node::Mapping(nodes))
    }
}
