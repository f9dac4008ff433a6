//! The little XML that answers of query-protocol services need.

/// An XML answer, read by element name alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xml(pub String);

impl Xml {
    /// The text of the first element of that name, entities resolved.
    pub fn text(&self, name: &str) -> Option<String> {
        self.inner(name).next().map(unescape)
    }

    /// The text of every element of that name.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.inner(name).map(unescape).collect()
    }

    /// Every element of that name as its own document, for repeated structures.
    pub fn children(&self, name: &str) -> Vec<Xml> {
        self.inner(name).map(|inner| Xml(inner.to_owned())).collect()
    }

    fn inner<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            let (inner, after) = next_element(rest, name)?;
            rest = after;
            Some(inner)
        })
    }
}

/// The content of the next element of that name, which may hold others of the same name, and what follows it.
fn next_element<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (after_open, empty) = next_open(text, name)?;
    if empty {
        return Some(("", after_open));
    }
    let close = format!("</{name}>");
    let mut depth = 1_usize;
    let mut rest = after_open;
    loop {
        let end = rest.find(&close)?;
        match next_open(rest, name) {
            Some((after, empty)) if rest.len() - after.len() <= end => {
                depth += usize::from(!empty);
                rest = after;
            }
            _ => {
                depth -= 1;
                let after = &rest[end + close.len()..];
                if depth == 0 {
                    return Some((&after_open[..after_open.len() - after.len() - close.len()], after));
                }
                rest = after;
            }
        }
    }
}

/// What follows the next opening tag of that name, and whether the element ends in the same tag.
fn next_open<'a>(text: &'a str, name: &str) -> Option<(&'a str, bool)> {
    let open = format!("<{name}");
    let mut rest = text;
    loop {
        rest = &rest[rest.find(&open)? + open.len()..];
        // Another element's name may merely begin the same.
        if rest.starts_with(|next: char| next == '>' || next == '/' || next.is_whitespace()) {
            let end = rest.find('>')?;
            return Some((&rest[end + 1..], rest[..end].ends_with('/')));
        }
    }
}

/// Text made safe to stand inside an element.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Each text in an element of its own, as the query protocol writes lists.
pub(crate) fn members(texts: impl Iterator<Item = String>) -> String {
    texts.flat_map(|text| ["<member>".to_owned(), text, "</member>".to_owned()]).collect()
}

/// Resolves entities, by name and by number: servers differ in how they write a quotation mark.
fn unescape(text: &str) -> String {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        let (before, entity) = rest.split_at(start);
        resolved.push_str(before);
        let found = entity[1..].split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
        rest = if let Some((character, after)) = found {
            resolved.push(character);
            after
        } else {
            resolved.push('&');
            &entity[1..]
        };
    }
    resolved + rest
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "amp" => Some('&'),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_their_whole_name() {
        let xml = Xml("<R><ArnList/><Arn kind=\"x\">a&amp;b</Arn><Arn>c</Arn></R>".to_owned());
        assert_eq!(xml.text("Arn").as_deref(), Some("a&b"));
        assert_eq!(xml.texts("Arn"), ["a&b", "c"]);
        assert_eq!(xml.text("Missing"), None);
    }

    #[test]
    fn entities_are_resolved_by_name_and_by_number_and_left_alone_when_unknown() {
        assert_eq!(unescape("&#x27;a&#39;&lt;&amp;lt;&nosuch;&"), "'a'<&lt;&nosuch;&");
    }

    #[test]
    fn elements_may_hold_others_of_the_same_name() {
        let xml = Xml("<member><a/><list><member>1</member><member/></list></member><member>2</member>".to_owned());
        let members = xml.children("member");
        assert_eq!(members.len(), 2);
        assert_eq!(members[0].texts("member"), ["1", ""]);
        assert_eq!(members[1].0, "2");
    }
}
