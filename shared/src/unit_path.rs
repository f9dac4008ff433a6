//! How the place of a unit is written: the names of the units from the root down, `/Workloads/Production`.
//!
//! AWS takes any character in a name. A `/` in one is written `%2F` and a `%` is written `%25`, so that a unit that is
//! called `Workloads/Production` is not the unit Production in Workloads, in a document, an input and a report alike.

/// A name as it stands in a path.
pub fn written(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

/// The name that stands in a path. A `%` before anything else stands for itself.
pub fn read(part: &str) -> String {
    // In this order: a `/` that comes out of the first is not looked at again.
    part.replace("%2F", "/").replace("%2f", "/").replace("%25", "%")
}

/// The path of these names; `/` for none, which is the root.
pub fn of<N: AsRef<str>>(names: &[N]) -> String {
    format!("/{}", names.iter().map(|name| written(name.as_ref())).collect::<Vec<_>>().join("/"))
}

/// The names of a path, from the root down.
pub fn names(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty()).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_back_as_the_names_that_it_was_written_from() {
        for names in [vec![], vec!["Workloads", "Production"], vec!["A/B", "50%"], vec!["%2F", "%25", "%"]] {
            assert_eq!(self::names(&of(&names)), names);
        }
        assert_eq!(of(&["Workloads/Production"]), "/Workloads%2FProduction");
        assert_eq!(names("/50% off"), ["50% off"]);
    }
}
