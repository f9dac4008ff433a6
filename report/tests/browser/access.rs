//! The page of roles: ten thousand accounts, hostile names, a phone.

use std::path::Path;

use compliance_report::{Access, Account, Checked, Offered, Sweep, Trigger};
use jiff::Timestamp;
use libtest_mimic::Failed;

use crate::{
    PATIENCE,
    chrome::{Scheme, Window},
    ensure, note, quiet, rules, target,
};

const NAMES: [&str; 6] = [
    "</script><script>document.title='broken'</script>",
    "<img src=x onerror=\"document.title='broken'\">",
    "Payments & \"Orders\" ?x=1#y&color=000000",
    "حسابات الشركة (إنتاج)",
    "Sandbox 🦀 of Team Blue \u{2028} next",
    "AVeryLongNameWithoutASingleSpaceThatGoesOnAndOnUntilItReachesTheLimit",
];
const UNITS: [&str; 4] = ["/Sandbox", "/Workloads/Production", "/Workloads/<b>Staging</b>", "/Workloads/Test"];
const COLORS: [Option<&str>; 4] = [None, Some("red"), Some("yellow"), Some("lightBlue")];

fn sample(accounts: usize) -> Access {
    let account = |number: usize| Account {
        id: format!("{number:012}"),
        name: if number.is_multiple_of(50) {
            NAMES[number / 50 % NAMES.len()].to_owned()
        } else {
            format!("Team {} {number}", number % 7)
        },
        email: String::new(),
        state: "ACTIVE".to_owned(),
        unit: UNITS[number % UNITS.len()].to_owned(),
        tags: [].into(),
        checked: Checked::Rows(Vec::new()),
        since: None,
        last_known: Vec::new(),
    };
    let offered = |number: usize| Offered {
        jump_account: Some("999999999999".to_owned()),
        path: "/people/".to_owned(),
        roles: ["role-admin", "role-developer", "role-operator"].map(ToOwned::to_owned).into(),
        needs_external_id: number.is_multiple_of(97),
        color: COLORS[number % COLORS.len()].map(ToOwned::to_owned),
    };
    let noon = Timestamp::from_second(1_800_000_000).unwrap();
    let sweep = Sweep {
        sweep_id: "sweep".to_owned(),
        trigger: Trigger::Schedule,
        organization_id: "o-exampleorgid".to_owned(),
        started_at: noon,
        finished_at: noon,
        note: None,
        controls: Vec::new(),
        organization: None,
        // The last one is an account of which nothing is known.
        accounts: (0..=accounts).map(account).collect(),
    };
    Access::new(&sweep, (0..accounts).map(|number| (format!("{number:012}"), offered(number))).collect())
}

fn shown(browser: &Path, access: &Access) -> Result<(tempfile::TempDir, Window), Failed> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("access.html");
    std::fs::write(&file, access.to_html()?)?;
    let window = Window::open(browser, &file)?;
    Ok((folder, window))
}

pub(crate) fn large(browser: &Path, axe: &Path) -> Result<(), Failed> {
    let access = sample(10_000);
    let (_folder, window) = shown(browser, &access)?;
    let drawn: f64 = window.text("document.documentElement.dataset.drawn")?.parse()?;
    note(&format!("{} bytes of roles, first accounts after {drawn:.0} ms", access.to_html()?.len()));
    ensure(drawn < PATIENCE, &format!("the first accounts took {drawn} ms"))?;
    let count = "document.getElementById('count').textContent";
    ensure(window.text(count)? == "10,000 accounts", "not all are counted")?;
    ensure(window.number("document.querySelectorAll('#list li').length")? == 200, "200 at a time")?;

    // Names are text, also in a link.
    ensure(window.text("document.title")?.starts_with("Access to"), "a name ran as a script")?;
    ensure(window.number("document.querySelectorAll('img, #list b, #list script').length")? == 0, "a name is markup")?;
    window.run("search('payments')")?;
    let link = "new URL(document.querySelector('#list a').href)";
    ensure(
        window.text(&format!("{link}.origin + {link}.pathname"))? == "https://signin.aws.amazon.com/switchrole",
        "",
    )?;
    ensure(window.text(&format!("{link}.hash"))?.is_empty(), "a name ended the link")?;
    let of = |key: &str| window.text(&format!("{link}.searchParams.getAll('{key}').join('|')"));
    ensure(of("roleName")? == "people/role-admin", "the role with its path")?;
    ensure(of("displayName")? == "people/role-admin Payments & \"Orders\" ?x=1#y&color=000000", &of("displayName")?)?;
    let color = of("color")?;
    ensure(color.is_empty() || (color.len() == 6 && color != "000000"), &format!("the color {color}"))?;
    window.run("search('averylongname role-operator')")?;
    ensure(of("displayName")?.chars().count() == 64, "the console takes 64 characters")?;

    // The search narrows the list, and another page comes when asked for.
    window.run("search('/workloads/production 000000000001')")?;
    ensure(window.text(count)? == "1 of 10,000 accounts", &window.text(count)?)?;
    ensure(window.text("document.querySelector('#list li').className")? == "red", "it is in its color")?;
    ensure(of("color")? == "c92a2a", "the link has the color of the account")?;
    window.run("search('')")?;
    window.run("document.getElementById('more').click()")?;
    ensure(window.number("document.querySelectorAll('#list li').length")? == 400, "200 more")?;
    ensure(window.number("document.querySelectorAll('#list li:nth-child(201) a:focus').length")? == 1, "the focus")?;
    ensure(window.number("document.querySelectorAll('#list h2').length")? == 1, "a heading for each unit")?;
    ensure(window.text("document.querySelector('.warn').textContent")?.contains("1 account"), "what is unknown")?;

    for scheme in [Scheme::Light, Scheme::Dark] {
        window.scheme(scheme)?;
        rules(&window, axe, &format!("the page of roles in {}", scheme.name()))?;
    }
    quiet(&window)
}

pub(crate) fn phone(browser: &Path, axe: &Path) -> Result<(), Failed> {
    let (_folder, window) = shown(browser, &sample(120))?;
    window.picture(target("access"), 1000)?;
    window.picture(target("access-phone"), 400)?;
    window.size(320, 800)?;
    let wide = window.number("document.documentElement.scrollWidth")?;
    ensure(wide <= 320, &format!("a phone would have to scroll sideways through {wide} pixels"))?;
    let small = "[...document.querySelectorAll('#list a')].filter(a => a.getBoundingClientRect().height < 40).length";
    ensure(window.number(small)? == 0, "a finger needs 40 pixels")?;
    rules(&window, axe, "the page of roles on a phone")?;
    quiet(&window)
}
