//! `access.html`: every account with a link for each of its roles.

use std::collections::HashMap;

use askama::Template;
use serde::Serialize;

use super::{Access, Reachable, color, files};
use crate::{
    Error,
    html::{Inline, words},
};

#[derive(Template)]
#[template(path = "access.html")]
struct Page<'a> {
    style: Inline,
    script: Inline,
    organization: &'a str,
    finished: String,
    accounts: usize,
    unknown: usize,
    note: Option<String>,
    data: Data<'a>,
}

/// What the page's script works on. Whatever repeats is written once and named by its place.
#[derive(Serialize)]
struct Data<'a> {
    units: Vec<&'a str>,
    /// The class of a color, and what the link calls it.
    colors: Vec<(&'static str, &'static str)>,
    /// The roles of an account, and whether the console can switch to them.
    offers: Vec<(&'a [String], bool)>,
    /// Id, name, and the places of unit, offer and color.
    accounts: Vec<(&'a str, &'a str, usize, usize, Option<usize>)>,
}

pub(super) fn write(access: &Access) -> Result<String, Error> {
    let page = Page {
        style: style(),
        script: Inline { text: include_str!("../../templates/access.js").to_owned() },
        organization: &access.organization_id,
        finished: words::moment(access.finished_at),
        accounts: access.accounts.len(),
        unknown: access.unknown,
        note: files::note(access),
        data: data(access),
    };
    page.render().map_err(Error::Access)
}

/// The page's style, with a class for each color: styles of single elements have no hash.
fn style() -> Inline {
    let mut text = include_str!("../../templates/access.css").to_owned();
    text.extend(color::ALL.iter().map(|color| format!(".{} {{ --own: #{}; }}\n", color.name, color.rgb)));
    Inline { text }
}

fn data(access: &Access) -> Data<'_> {
    let (mut units, mut offers) = (Places::default(), Places::default());
    let place = |color: &color::Color| color::ALL.iter().position(|one| one == color);
    let account = |account: &'_ Reachable| account.color.and_then(place);
    let accounts = access.accounts.iter().map(|one| {
        let offer = (one.roles.as_slice(), !one.needs_external_id);
        (one.id.as_str(), one.name.as_str(), units.put(one.unit.as_str()), offers.put(offer), account(one))
    });
    let accounts = accounts.collect();
    let colors = color::ALL.iter().map(|color| (color.name, color.rgb)).collect();
    Data { units: units.all, colors, offers: offers.all, accounts }
}

/// The places of things that repeat.
struct Places<T> {
    of: HashMap<T, usize>,
    all: Vec<T>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { of: HashMap::new(), all: Vec::new() }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Places<T> {
    fn put(&mut self, item: T) -> usize {
        *self.of.entry(item).or_insert_with(|| {
            self.all.push(item);
            self.all.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::access::tests::{named, offered};

    const HOSTILE: &str = "\"'><img src=x onerror=alert(1)></script><script>alert(2)</script><!-- & 🦀";

    #[test]
    fn the_policy_of_the_page_allows_its_own_script_and_style_and_nothing_else() {
        let page = write(&named(&[HOSTILE], &offered(Some("teal")))).unwrap();
        assert!(page.contains("default-src 'none'"));
        assert!(!page.contains("unsafe-inline") && !page.contains(" style=") && !page.contains("src=\""));
        for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
            let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
            let (text, _) = rest.split_once(&format!("</{element}>")).unwrap();
            let hash = Inline { text: text.to_owned() }.hash();
            assert!(page.contains(&format!("{directive} '{hash}';")), "{directive}");
        }
    }

    proptest! {
        #[test]
        fn no_name_can_open_or_close_an_element(name in any::<String>()) {
            let name = format!("{name}{HOSTILE}{name}");
            let page = write(&named(&[&name], &offered(None))).unwrap();
            let plain = write(&named(&["Shop"], &offered(None))).unwrap();
            prop_assert_eq!(page.matches('<').count(), plain.matches('<').count());
            let (_, data) = page.split_once("id=\"data\">").unwrap();
            let data: serde_json::Value = serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
            prop_assert_eq!(&data["accounts"][0][1], &name);
        }
    }
}
