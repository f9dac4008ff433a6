//! A row of the table: a request, and what is to be seen of the answers.

use serde_json::Value;

/// A request, asked of both sides.
pub(super) struct Row {
    /// What it shows.
    pub(super) says: &'static str,
    pub(super) service: &'static str,
    pub(super) operation: &'static str,
    /// A text `$name` stands for what a side calls this thing.
    pub(super) parameters: Value,
    /// Whose keys sign it: a name.
    pub(super) by: &'static str,
    /// The error code, as AWS words it; None for success.
    pub(super) refused: Option<&'static str>,
    /// Names for parts of the answer, which later rows ask about.
    pub(super) keeps: Vec<(&'static str, &'static str)>,
    /// Asked again until this member of the answer is this text.
    pub(super) settles: Option<(&'static str, &'static str)>,
    /// Where the local cloud answers something else, and why that is left so.
    pub(super) differs: Vec<(&'static str, &'static str)>,
}

impl Row {
    pub(super) fn new(says: &'static str, service: &'static str, operation: &'static str, parameters: Value) -> Self {
        Self {
            says,
            service,
            operation,
            parameters,
            by: "management",
            refused: None,
            keeps: Vec::new(),
            settles: None,
            differs: Vec::new(),
        }
    }

    pub(super) fn by(mut self, keys: &'static str) -> Self {
        self.by = keys;
        self
    }

    pub(super) fn refused(mut self, code: &'static str) -> Self {
        self.refused = Some(code);
        self
    }

    /// Keeps the part at a JSON pointer under a name.
    pub(super) fn keeps(mut self, name: &'static str, pointer: &'static str) -> Self {
        self.keeps.push((name, pointer));
        self
    }

    pub(super) fn settles(mut self, pointer: &'static str, text: &'static str) -> Self {
        self.settles = Some((pointer, text));
        self
    }

    /// The local cloud answers something else at this path.
    pub(super) fn differs(mut self, path: &'static str, because: &'static str) -> Self {
        self.differs.push((path, because));
        self
    }
}
