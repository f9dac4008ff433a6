//! The little XML that answers of query-protocol services need.

use roxmltree::{Document, Node};

/// An XML answer or a part of one, read by element name alone. What is not XML has no elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xml(pub String);

impl Xml {
    /// The text of the first element of that name, entities resolved.
    pub fn text(&self, name: &str) -> Option<String> {
        self.texts(name).into_iter().next()
    }

    /// The text of every element of that name.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.elements(name, |element, _| element.descendants().filter_map(of_text).collect())
    }

    /// Every element of that name as its own document, for repeated structures.
    pub fn children(&self, name: &str) -> Vec<Xml> {
        self.elements(name, |element, text| {
            let ends = element.first_child().zip(element.last_child());
            Xml(ends.map_or("", |(first, last)| &text[first.range().start..last.range().end]).to_owned())
        })
    }

    /// What `read` makes of each element of that name, but of none within another, with the text that it is part of.
    fn elements<T>(&self, name: &str, read: impl Fn(Node<'_, '_>, &str) -> T) -> Vec<T> {
        let content = match self.0.trim_start().strip_prefix("<?xml") {
            Some(declared) => declared.split_once("?>").map_or("", |(_, content)| content),
            None => &self.0,
        };
        // A part of an answer has several elements at its top.
        let text = format!("<answer>{content}</answer>");
        let Ok(document) = Document::parse(&text) else { return Vec::new() };
        let mut read_up_to = 0;
        let mut found = Vec::new();
        for node in document.root_element().descendants().skip(1) {
            if node.is_element() && node.tag_name().name() == name && node.range().start >= read_up_to {
                read_up_to = node.range().end;
                found.push(read(node, &text));
            }
        }
        found
    }
}

fn of_text<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.text().filter(|_| node.is_text())
}

/// Text made safe to stand inside an element.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Each text in an element of its own, as the query protocol writes lists.
pub(crate) fn members(texts: impl Iterator<Item = String>) -> String {
    texts.flat_map(|text| ["<member>".to_owned(), text, "</member>".to_owned()]).collect()
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
    fn entities_are_resolved_by_name_and_by_number() {
        let xml = Xml("<?xml version=\"1.0\"?>\n<R>&#x27;a&#39;&lt;&amp;lt;</R>".to_owned());
        assert_eq!(xml.text("R").as_deref(), Some("'a'<&lt;"));
    }

    #[test]
    fn what_is_not_xml_has_no_elements() {
        for text in ["", "{\"Message\": \"<R>\"}", "<R>&nosuch;</R>", "<R>"] {
            assert_eq!(Xml(text.to_owned()).text("R"), None);
        }
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
