//! Writes docs/EVENTS.md and the schemas in docs/events. A test compares them.

use std::{fs, io};

fn main() -> io::Result<()> {
    let docs = event_pages::docs();
    let _ = fs::remove_dir_all(docs.join("events"));
    fs::create_dir_all(docs.join("events"))?;
    event_pages::pages().into_iter().try_for_each(|(name, content)| fs::write(docs.join(name), content))
}
