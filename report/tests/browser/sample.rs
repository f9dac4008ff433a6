//! Made-up organizations to show: a small one that looks like a real one, and a large one full of hostile names.

use std::{collections::BTreeMap, sync::LazyLock};

use compliance_report::{Account, Checked, Failure, Outcome, Report, Row, Sweep, Trigger};
use jiff::{Timestamp, ToSpan, civil::date, tz::TimeZone};
use serde_json::Value;

/// The controls of Steward, in the order of the sweep: those that a document may name.
static CONTROLS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/baseline.schema.json")).unwrap();
    serde_json::from_value(schema["properties"]["remediate"]["items"]["enum"].clone()).unwrap()
});

/// What differs where a control has drifted, in words like its own.
fn differences(control: &str) -> &'static [&'static str] {
    match control {
        "billing-alarm" => &[
            "subscribe platform@example.com to it (a confirmation mail is sent)",
            "correct the alarm: threshold 100 -> 20",
        ],
        "alternate-contacts" => &["set the SECURITY contact"],
        "primary-contact" => &["correct the primary contact: company_name, phone_number"],
        "regions" => &["enable the region eu-central-2"],
        "root-credentials" => &["delete the access key of the root user"],
        "organizational-unit" => &["move the account to /Workloads/Prod"],
        "account-tags" => &["tag the account: cost-center=engineering, managed-by=steward"],
        "account-alias" => &["give the account the alias example-prod-7"],
        "password-policy" => &["set a password policy with passwords of 16 characters"],
        "s3-public-access-block" => {
            &["set the account's block of public access to S3: block_public_acls false -> true"]
        }
        "switch-roles" => {
            &["create the role role-admin: Allow sts:AssumeRole to AWS 111122223333", "delete the role old-admin"]
        }
        "access-role" => &["attach arn:aws:iam::aws:policy/AdministratorAccess to OrganizationAccountAccessRole"],
        "member-events" => &[
            "by hand: deploy stacks/member-events.yaml again in us-east-1: the rule steward-Forwarder is DISABLED, not ENABLED",
        ],
        _ => &["set what the document says"],
    }
}

const HOSTILE: [&str; 8] = [
    "</script><script>document.title='broken'</script>",
    "<img src=x onerror=\"document.title='broken'\">",
    "Payments \"prod\" & 'test' <b>bold</b>",
    "حسابات الشركة (إنتاج)",
    "חשבון \u{202e}txet desrever",
    "Sandbox 🦀👩‍🚀 of Team Blue",
    "=HYPERLINK(\"x\")\u{2028}next\u{2029}line",
    "AVeryLongNameWithoutASingleSpaceThatGoesOnAndOnUntilItReachesTheLimit",
];

/// A number that looks like chance and is the same every time.
fn dice(seed: usize, sides: usize) -> usize {
    let mixed = (seed as u64 ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    usize::try_from((mixed >> 33) % sides as u64).unwrap()
}

fn failure(number: usize) -> Failure {
    let (cause, message, remedy, retryable) = [
        (
            "AccessDenied",
            "AWS denied a call. iam:GetAccountPasswordPolicy: explicit deny in a service control policy.",
            "Give the role that Steward assumes the permission named in the message, and look for a service control policy that denies it.",
            false,
        ),
        (
            "RoleNotAssumable",
            "The role through which Steward enters the account could not be assumed.",
            "Create the role again, or name another one in the baseline.",
            true,
        ),
    ][number % 2];
    Failure { cause: cause.into(), message: message.into(), remedy: remedy.into(), retryable }
}

fn row(control: usize, outcome: Outcome) -> Row {
    Row { control: CONTROLS[control].clone(), outcome, notes: Vec::new(), since: None }
}

fn planned(control: usize) -> Vec<String> {
    differences(&CONTROLS[control]).iter().map(|&text| text.to_owned()).collect()
}

/// What a control came to: `chance` in a thousand that it is not simply compliant.
fn outcome(seed: usize, control: usize, chance: usize) -> Outcome {
    if dice(seed, 1000) >= chance {
        return Outcome::Compliant;
    }
    match dice(seed + 7, 20) {
        0..9 => Outcome::Drifted { planned: planned(control) },
        9..11 => Outcome::NotConverged { applied: planned(control), remaining: vec![planned(control)[0].clone()] },
        11 => Outcome::NotReady { applied: Vec::new(), retry_after: 900, failure: failure(1).into() },
        12..14 => Outcome::Unknown { applied: Vec::new(), failure: failure(0).into() },
        14..17 => Outcome::Fixed { applied: planned(control) },
        17 => Outcome::Exempt {
            reason: "The team of this account moves it to another owner (ticket OPS-214).".into(),
            until: date(2027, 2, 1) + i64::try_from(dice(seed, 200)).unwrap().days(),
        },
        _ => Outcome::Skipped { why: "The baseline does not ask for it in this unit.".into() },
    }
}

fn finished(sweep: usize) -> Timestamp {
    (date(2027, 1, 4).at(4, 12, 31, 0) + i64::try_from(sweep).unwrap().days())
        .to_zoned(TimeZone::UTC)
        .unwrap()
        .timestamp()
}

fn sweep(number: usize, accounts: Vec<Account>) -> Sweep {
    Sweep {
        sweep_id: format!("sweep-{number}"),
        trigger: Trigger::Schedule,
        organization_id: "o-exampleorgid".into(),
        started_at: finished(number) - 258.seconds(),
        finished_at: finished(number),
        note: Some("Nothing was changed: the baseline was planned, not applied.".into()),
        controls: CONTROLS.clone(),
        organization: Some(organization().into()),
        accounts,
    }
}

/// What the checks of the organization have found: each outcome that there is, with what somebody else may have written.
fn organization() -> Checked {
    let words = |all: &[&str]| -> Vec<String> { all.iter().map(ToString::to_string).collect() };
    let row = |control: &str, outcome, notes: &[&str]| Row {
        control: control.into(),
        outcome,
        notes: words(notes),
        since: None,
    };
    let leave = "by hand: the SERVICE_CONTROL_POLICY lock is not written: statement Everything denies iam:GetRole to \
                 OrganizationAccountAccessRole";
    let busy = Failure {
        cause: "NotVisibleYet".into(),
        message: "AWS is turning policies of the type TAG_POLICY on or off.".into(),
        remedy: "Nothing has to be done; the next sweep looks again.".into(),
        retryable: true,
    };
    Checked::Rows(vec![
        row("trusted-access", Outcome::Compliant, &[]),
        row("root-features", Outcome::Fixed { applied: words(&["enable the root feature RootSessions"]) }, &[]),
        row("delegated-administrators", Outcome::Skipped { why: "the document does not ask for it".into() }, &[]),
        row("billing-alerts", Outcome::Unknown { applied: Vec::new(), failure: failure(0).into() }, &[]),
        row(
            "organization-trail",
            Outcome::Drifted { planned: words(&["let the trail organization record"]) },
            &["The trail organization has delivered nothing yet."],
        ),
        row(
            "organization-policies",
            Outcome::NotConverged {
                applied: words(&["make the TAG_POLICY cost"]),
                remaining: words(&[leave, HOSTILE[0]]),
            },
            &[HOSTILE[1], HOSTILE[3]],
        ),
        row(
            "service-quota-template",
            Outcome::NotReady { applied: Vec::new(), retry_after: 900, failure: busy.into() },
            &[],
        ),
        row("lambda-concurrency", Outcome::Exempt { reason: HOSTILE[2].into(), until: date(2027, 6, 30) }, &[]),
    ])
}

fn account(number: usize, name: &str, unit: &str, checked: Checked) -> Account {
    let slug: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(30).collect();
    let team = ["blue", "green", "orange", "payments", "data"][number % 5];
    Account {
        id: format!("{:012}", 210_000_000_017_usize + number * 7_919_137),
        name: name.into(),
        email: format!("aws+{slug}@example.com"),
        state: "ACTIVE".into(),
        unit: unit.into(),
        tags: BTreeMap::from([
            ("team".into(), team.into()),
            ("cost-center".into(), format!("{}", 4000 + number % 40 * 10)),
        ]),
        checked,
        since: None,
        last_known: Vec::new(),
    }
}

const SYSTEMS: [&str; 10] = [
    "Checkout",
    "Catalogue",
    "Ledger",
    "Search",
    "Identity",
    "Shipping",
    "Pricing",
    "Support Desk",
    "Data Lake",
    "Loyalty",
];

/// Some fifty accounts over thirty sweeps, in which things are slowly put right.
pub(crate) fn small() -> Report {
    let mut previous = None;
    for number in 0..30 {
        let report = Report::new(sweep(number, small_accounts(number)), previous.as_ref());
        previous = Some(report);
    }
    previous.unwrap()
}

fn small_accounts(sweep: usize) -> Vec<Account> {
    let mut accounts = Vec::new();
    let mut add = |name: &str, unit: &str, chance: usize| {
        let number = accounts.len();
        let rows = (0..CONTROLS.len()).map(|control| {
            // A cell keeps its dice for some sweeps, so that findings last.
            let epoch = (sweep + dice(number * 31 + control, 23)) / 23;
            let seed = number * 1009 + control * 101 + epoch * 15_485_863;
            row(control, outcome(seed, control, chance + 145_usize.saturating_sub(sweep * 5)))
        });
        let rows = rows.collect();
        accounts.push(account(number, name, unit, Checked::Rows(rows)));
    };
    for (place, system) in SYSTEMS.iter().enumerate() {
        add(&format!("{system} Prod"), "/Workloads/Prod", 12);
        add(&format!("{system} Test"), "/Workloads/Test", 30);
        if place.is_multiple_of(2) {
            add(&format!("{system} Dev"), "/Workloads/Dev", 60);
        }
    }
    for name in ["Log Archive", "Audit", "Security Tooling", "Backup Vault"] {
        add(name, "/Security", 5);
    }
    for name in ["Network Hub", "Shared Services", "CI Runners", "DNS"] {
        add(name, "/Infrastructure", 15);
    }
    for name in
        ["Amira", "Björn", "Chiara", "Dmitri", "Éloïse", "Fatima", "Goran", "Hana 🦀", "Ines", "Jón", "Kenji", "נועה"]
    {
        add(&format!("Sandbox of {name}"), "/Sandboxes", 75);
    }
    // What is decided by hand, so that the newest sweep has something of everything to show.
    let exempt = |reason: &str, until| Outcome::Exempt { reason: reason.into(), until };
    let mut set = |account: usize, control: usize, outcome: Outcome| {
        let Checked::Rows(rows) = &mut accounts[account].checked else { return };
        rows[control] = row(control, outcome);
    };
    set(3, 9, exempt("Serves the public price list from S3 until the new site is live.", date(2027, 2, 28)));
    set(24, 6, exempt("Tags are set by the log pipeline itself.", date(2027, 6, 30)));
    set(31, 4, exempt("The root key signs legacy invoices; ends with the ledger migration.", date(2027, 9, 30)));
    set(38, 3, exempt("Pilot of the Zurich region by another team.", date(2027, 4, 15)));
    if sweep == 29 {
        for account in [0, 6, 15, 33] {
            set(account, 1, Outcome::Drifted { planned: planned(1) });
        }
        set(12, 4, Outcome::Drifted { planned: planned(4) });
        set(21, 8, Outcome::Unknown { applied: Vec::new(), failure: failure(0).into() });
    } else if sweep > 20 {
        for account in [2, 9] {
            set(account, 8, Outcome::Drifted { planned: planned(8) });
        }
        set(28, 10, Outcome::Drifted { planned: planned(10) });
    }
    let suspended = Checked::NotChecked { why: "The account is suspended.".into() };
    let management = Checked::NotChecked { why: "It is the management account.".into() };
    let late = Checked::Unknown {
        failure: Failure {
            cause: "DeadlineExceeded".into(),
            message: "The batch of this account took longer than a sweep waits.".into(),
            remedy: "Look at the log of the function that looks at accounts, and sweep again.".into(),
            retryable: true,
        },
    };
    accounts.push(account(60, "Old Webshop", "/Suspended", suspended));
    accounts.push(account(61, "Example Corp", "", management));
    if sweep > 28 {
        accounts[40].checked = late;
    } else {
        let poc = (0..CONTROLS.len()).map(|control| row(control, outcome(control + 5, control, 150))).collect();
        accounts.push(account(62, "Proof of Concept 2026", "/Sandboxes", Checked::Rows(poc)));
    }
    accounts
}

/// Ten thousand accounts, one in ten with a hostile name, unit and tag, compared with the sweep before.
pub(crate) fn large() -> Report {
    let before = Report::new(sweep(1, large_accounts(1)), None);
    Report::new(sweep(2, large_accounts(2)), Some(&before))
}

fn large_accounts(sweep: usize) -> Vec<Account> {
    (0..10_000).map(|number| large_account(sweep, number)).collect()
}

fn large_account(sweep: usize, number: usize) -> Account {
    let rows = (0..CONTROLS.len()).map(|control| {
        let seed = number * 1009 + control * 101;
        let seed = if dice(seed, 50) == 0 { seed + sweep * 7_368_787 } else { seed };
        row(control, outcome(seed, control, 250))
    });
    let checked = match dice(number, 200) {
        0 => Checked::NotChecked { why: "The account is suspended.".into() },
        1 => Checked::Unknown { failure: failure(number) },
        _ => Checked::Rows(rows.collect()),
    };
    let unit = format!("/Workloads/Division {}/{}", number % 12, ["Prod", "Test", "Dev"][number % 3]);
    if number.is_multiple_of(10) {
        let text = HOSTILE[number / 10 % HOSTILE.len()];
        let mut hostile = account(number, text, &format!("/<i>{}</i>", number % 3), checked);
        hostile.email = format!("\"<script>{number}</script>\"@example.com");
        hostile.tags.insert(text.into(), text.into());
        return hostile;
    }
    account(number, &format!("{} {number}", SYSTEMS[number % SYSTEMS.len()]), &unit, checked)
}
