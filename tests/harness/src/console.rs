//! What the person at the terminal sees.

use std::time::Duration;

/// The terminal: headings, facts and the states of a request, one per line.
#[derive(Debug)]
pub struct Console;

#[expect(clippy::print_stdout, reason = "this is the one place that writes to the terminal")]
impl Console {
    /// The start of a part.
    pub fn heading(&self, text: &str) {
        println!("\n{text}\n");
    }

    /// A line of text.
    pub fn line(&self, text: &str) {
        println!("  {text}");
    }

    /// Something that is so.
    pub fn fact(&self, name: &str, value: &str) {
        println!("  {name:<14} {value}");
    }

    /// Something that has happened, with the time since the start of its part.
    pub fn moment(&self, after: Duration, text: &str) {
        println!("  {:>6.1} s  {text}", after.as_secs_f64());
    }
}
