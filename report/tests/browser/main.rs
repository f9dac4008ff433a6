//! The page in a browser, with ten thousand accounts and hostile names: it is drawn in time, its filters narrow the
//! table, nothing of the data becomes markup, and axe-core finds nothing against it, in light and in dark.
//!
//! It needs Chromium on the path and `report/tests/setup` to have been run. Where one is missing the test is counted as
//! ignored, and says which. `SCREENSHOT=<folder>` keeps pictures of the page, and how it prints.

#![allow(clippy::unwrap_used, reason = "all of it is a test, though none that libtest marks")]

mod access;
mod chrome;
mod sample;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

use self::chrome::{Scheme, Window};

/// How long a reader waits at most until there are rows, in milliseconds.
const PATIENCE: f64 = 3000.0;
/// How large the page may be. A mail server or a slow line should still take it.
const LARGEST: usize = 8 << 20;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One after the other: a measurement wants the machine for itself.
    arguments.test_threads.get_or_insert(1);
    let browser = chrome::find();
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/axe/axe.min.js");
    let missing = match (&browser, axe.exists()) {
        (None, _) => Some("no chromium or google-chrome on the path"),
        (_, false) => Some("no axe-core: run report/tests/setup"),
        _ => None,
    };
    let browser = browser.unwrap_or_default();
    let trial = |name: &str, test: fn(&Path, &Path) -> Result<(), Failed>| {
        let (browser, axe) = (browser.clone(), axe.clone());
        let name = missing.map_or_else(|| name.to_owned(), |missing| format!("{name} ({missing})"));
        Trial::test(name, move || test(&browser, &axe)).with_ignored_flag(missing.is_some())
    };
    let trials = vec![
        trial("ten_thousand_accounts_with_hostile_names_are_drawn_in_time_and_stay_text", large),
        trial("everybody_can_use_the_page_in_light_and_in_dark", everybody),
        trial("a_finding_says_what_is_wrong_and_the_keyboard_is_enough", keyboard),
        trial("the_organization_has_a_line_for_each_outcome_and_anybodys_text_stays_text", organization),
        trial("ten_thousand_accounts_have_a_link_for_each_role_and_their_names_stay_text", access::large),
        trial("a_phone_is_enough_to_switch_to_a_role", access::phone),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A browser with the page in it, and the folder it lies in for as long as it is looked at.
fn shown(browser: &Path, report: &compliance_report::Report) -> Result<(tempfile::TempDir, Window), Failed> {
    let page = report.to_html()?;
    if page.len() > LARGEST {
        return Err(format!("the page has {} bytes", page.len()).into());
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("report.html");
    std::fs::write(&file, page)?;
    let window = Window::open(browser, &file)?;
    Ok((folder, window))
}

fn large(browser: &Path, axe: &Path) -> Result<(), Failed> {
    let report = sample::large();
    let size = report.to_html()?.len();
    let (_folder, window) = shown(browser, &report)?;

    let drawn: f64 = window.text("document.documentElement.dataset.drawn")?.parse()?;
    note(&format!("{size} bytes, first rows after {drawn:.0} ms"));
    ensure(drawn < PATIENCE, &format!("the first rows took {drawn} ms"))?;
    ensure(window.number(ROWS)? == 200, "a page of the table has 200 rows")?;

    // Names are text: no element of theirs exists, no script of theirs ran, and they read as they were given.
    ensure(window.text("document.title")?.starts_with("Accounts of o-exampleorgid"), "a name ran as a script")?;
    ensure(
        window.number("document.querySelectorAll('img, script:not([type]) ~ script, #table i, #table b').length")? == 0,
        "a name became an element",
    )?;
    window.run("search('</script><script>')")?;
    ensure(
        window.text("document.querySelector('#table tbody .who button').textContent")?.starts_with("</script><script>"),
        "the hostile name is not to be read",
    )?;

    // The filters narrow the table, and say to how much.
    let everything = window.text("document.getElementById('count').textContent")?;
    window.run("search('')")?;
    window.run("choose('outcome', 'v'); choose('control', '8')")?;
    let narrowed = window.text("document.getElementById('count').textContent")?;
    ensure(narrowed.contains("of 10,000 accounts") && narrowed != everything, &narrowed)?;
    ensure(
        window.number("document.querySelectorAll('#table .cell:not(.v)').length")? == 0,
        "another outcome was left",
    )?;
    window.run("document.getElementById('clear').click()")?;
    window.run("document.getElementById('fresh').click()")?;
    ensure(window.number("document.querySelectorAll('#table tbody tr:not(.unit)').length")? > 0, "something is new")?;
    ensure(window.number("[...document.querySelectorAll('#table tbody tr:not(.unit)')].filter(r => !r.querySelector('.new, .across')).length")? == 0, "something old was left")?;
    window.run("document.getElementById('clear').click()")?;
    window.run("document.querySelector('#pages button:last-child').click()")?;
    ensure(window.text("document.getElementById('pages').textContent")?.contains("Page 2 of 50"), "no second page")?;

    window.picture(target("large"), 1280)?;

    // What was chosen is in the address, and the address brings it back.
    window.run("choose('control', '8'); choose('unit', '/Workloads/Division 3')")?;
    let narrowed = window.text("document.getElementById('count').textContent")?;
    window.run("document.getElementById('filters').reset(); dispatchEvent(new HashChangeEvent('hashchange'))")?;
    ensure(window.text("document.getElementById('count').textContent")? == narrowed, "the address was forgotten")?;
    window.run("document.getElementById('clear').click()")?;

    // The rules for everybody, over a page as full as it gets.
    for scheme in [Scheme::Light, Scheme::Dark] {
        window.scheme(scheme)?;
        rules(&window, axe, &format!("the large page in {}", scheme.name()))?;
    }
    quiet(&window)
}

fn everybody(browser: &Path, axe: &Path) -> Result<(), Failed> {
    let (_folder, window) = shown(browser, &sample::small())?;
    for scheme in [Scheme::Light, Scheme::Dark] {
        window.scheme(scheme)?;
        rules(&window, axe, scheme.name())?;
        window.picture(target(scheme.name()), 1280)?;
        window.run("document.querySelector('#table button.cell.d').click()")?;
        rules(&window, axe, &format!("a finding in {}", scheme.name()))?;
        window.picture(target(&format!("{}-finding", scheme.name())), 1280)?;
        window.run("document.getElementById('dialog').close()")?;
    }
    window.scheme(Scheme::Light)?;
    window.run("document.querySelector('#table .who button').click()")?;
    window.picture(target("account"), 1280)?;
    window.run("document.getElementById('dialog').close()")?;
    window.picture(target("narrow"), 420)?;
    window.size(320, 900)?;
    let wide = window.number("document.documentElement.scrollWidth")?;
    ensure(wide <= 320, &format!("a phone would have to scroll sideways through {wide} pixels"))?;
    window.print(target("print").map(|file| file.with_extension("pdf")))?;
    quiet(&window)
}

fn keyboard(browser: &Path, _axe: &Path) -> Result<(), Failed> {
    let (_folder, window) = shown(browser, &sample::small())?;
    window.run("document.querySelector('#table button.cell.d').focus()")?;
    window.press("Enter")?;
    ensure(window.number("document.querySelectorAll('dialog[open]').length")? == 1, "Enter opens the finding")?;
    let said = window.text("document.getElementById('dialog').textContent")?;
    for part in ["Drifted", "Since", "What would be changed", "Remedy"] {
        ensure(said.contains(part), &format!("{part} is missing: {said}"))?;
    }
    window.press("Escape")?;
    ensure(window.number("document.querySelectorAll('dialog[open]').length")? == 0, "Escape closes it")?;
    ensure(
        window.number("document.querySelectorAll('#table button.cell.d:focus').length")? == 1,
        "the focus goes back",
    )?;
    window.press("ArrowDown")?;
    ensure(
        window.number("document.querySelectorAll('#table button:focus').length")? == 1,
        "an arrow goes on in the table",
    )?;
    quiet(&window)
}

fn organization(browser: &Path, axe: &Path) -> Result<(), Failed> {
    let (_folder, window) = shown(browser, &sample::small())?;
    ensure(window.number("document.querySelectorAll('#organization tbody tr').length")? == 8, "a line for each check")?;
    let verdict = "new Set([...document.querySelectorAll('#organization .verdict')].map(v => v.textContent)).size";
    ensure(window.number(verdict)? == 8, "each outcome has words of its own")?;
    let said = window.text("document.getElementById('organization').textContent")?;
    for part in [
        "let the trail organization record",
        "by hand: the SERVICE_CONTROL_POLICY lock is not written: statement Everything denies iam:GetRole",
        "The trail organization has delivered nothing yet.",
        "AWS denied a call. iam:GetAccountPasswordPolicy",
        "Call organization-preparer with {\"mode\": \"apply\"}",
        "Nothing has to be done; the next sweep looks again.",
        "</script><script>document.title='broken'</script>",
    ] {
        ensure(said.contains(part), &format!("{part} is missing: {said}"))?;
    }
    ensure(window.text("document.title")?.starts_with("Accounts of o-exampleorgid"), "a text ran as a script")?;
    ensure(
        window.number("document.querySelectorAll('#organization img, #organization script').length")? == 0,
        "an element",
    )?;
    for (scheme, width) in [(Scheme::Light, 1280), (Scheme::Dark, 1280), (Scheme::Light, 320)] {
        window.scheme(scheme)?;
        window.size(width, 900)?;
        rules(&window, axe, &format!("the organization in {} at {width} pixels", scheme.name()))?;
    }
    let wide = window.number("document.documentElement.scrollWidth")?;
    ensure(wide <= 320, &format!("a phone would have to scroll sideways through {wide} pixels"))?;
    quiet(&window)
}

/// The rows of accounts in the table.
const ROWS: &str = "document.querySelectorAll('#table tbody tr:not(.unit)').length";

/// Asks axe-core, which must find nothing at all: what hinders a little is put right as easily.
fn rules(window: &Window, axe: &Path, what: &str) -> Result<(), Failed> {
    window.run(&format!("window.axe || (() => {{ {} }})()", std::fs::read_to_string(axe)?))?;
    let found = window.awaited(
        "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations
            .map(v => ({rule: v.id, help: v.help, nodes: v.nodes.length, first: v.nodes[0].html.slice(0, 200), why: v.nodes[0].failureSummary}))))",
    )?;
    let found: Value = serde_json::from_str(&found)?;
    ensure(found == Value::Array(Vec::new()), &format!("{what}: {found:#}"))
}

/// Nothing may have been said on the console, by the page or by the browser about it.
fn quiet(window: &Window) -> Result<(), Failed> {
    let said = window.said();
    ensure(said.is_empty(), &format!("on the console: {said:?}"))
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

#[expect(clippy::print_stderr, reason = "a measurement is for whoever runs the test")]
fn note(text: &str) {
    eprintln!("{text}");
}

/// Where a picture goes, if pictures are asked for.
#[expect(clippy::disallowed_methods, reason = "a setting of the test, not of Steward")]
fn target(name: &str) -> Option<PathBuf> {
    env::var_os("SCREENSHOT").map(|folder| PathBuf::from(folder).join(format!("{name}.png")))
}
