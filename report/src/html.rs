//! `report.html`: one file that needs nothing beside it.

mod changes;
mod data;
mod inline;
mod organization;
mod trend;
pub(crate) mod words;

use askama::Template;

pub(crate) use self::inline::Inline;
use self::{
    changes::{Groups, groups},
    data::Data,
    organization::Checks,
    trend::Trend,
};
use crate::{ControlTotals, Error, Exemption, Gone, Report, Status, Trigger};

/// How many lines a list has in the page before it points to the files. A list is there to be read.
const LONGEST_LIST: usize = 200;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    style: Inline,
    script: Inline,
    data: Data<'a>,
    organization: &'a str,
    finished: String,
    trigger: &'static str,
    took: String,
    note: Option<&'a str>,
    standings: Vec<Tile>,
    accounts: usize,
    compliant: usize,
    checks: Option<Checks<'a>>,
    trend: Trend,
    compared: bool,
    new: Groups<'a>,
    resolved: Groups<'a>,
    gone: &'a [Gone],
    more_gone: usize,
    controls: Vec<Bar<'a>>,
    exemptions: Vec<(&'a Exemption, String, bool)>,
    more_exemptions: usize,
    statuses: Vec<Legend>,
}

/// How many accounts stand in one way.
struct Tile {
    class: &'static str,
    symbol: &'static str,
    words: &'static str,
    number: usize,
    change: Option<String>,
}

/// One control, as a bar.
struct Bar<'a> {
    totals: &'a ControlTotals,
    good: usize,
    rest: usize,
}

/// One outcome, as the filter and the legend name it.
struct Legend {
    letter: char,
    symbol: &'static str,
    words: &'static str,
    meaning: &'static str,
}

pub(crate) fn write(report: &Report) -> Result<String, Error> {
    Ok(Page::new(report).render()?)
}

impl<'a> Page<'a> {
    fn new(report: &'a Report) -> Self {
        let sweep = &report.sweep;
        let ends_soon = |exemption: &Exemption| {
            let today = sweep.finished_at.to_zoned(jiff::tz::TimeZone::UTC).date();
            exemption.until.duration_since(today).as_hours() < 31 * 24
        };
        let shown = |exemption: &'a Exemption| (exemption, words::day(exemption.until), ends_soon(exemption));
        Self {
            style: Inline::style(report),
            script: Inline::script(),
            data: data::of(report),
            organization: &sweep.organization_id,
            finished: words::moment(sweep.finished_at),
            trigger: match sweep.trigger {
                Trigger::Schedule => "by schedule",
                Trigger::Manual => "by hand",
            },
            took: words::took(sweep.started_at, sweep.finished_at),
            note: sweep.note.as_deref(),
            standings: tiles(report),
            accounts: report.totals.accounts.accounts,
            compliant: report.totals.accounts.compliant,
            checks: Checks::of(report),
            trend: Trend::of(&report.trend),
            compared: report.compared_with.is_some(),
            new: groups(&report.new, sweep.finished_at),
            resolved: groups(&report.resolved, sweep.finished_at),
            gone: &report.gone[..report.gone.len().min(LONGEST_LIST)],
            more_gone: report.gone.len().saturating_sub(LONGEST_LIST),
            controls: report.totals.controls.iter().map(bar).collect(),
            exemptions: report.exemptions.iter().take(LONGEST_LIST).map(shown).collect(),
            more_exemptions: report.exemptions.len().saturating_sub(LONGEST_LIST),
            statuses: Status::ALL.into_iter().map(legend).collect(),
        }
    }
}

fn bar(totals: &ControlTotals) -> Bar<'_> {
    Bar { totals, good: totals.compliant + totals.fixed, rest: totals.skipped + totals.not_checked }
}

fn tiles(report: &Report) -> Vec<Tile> {
    let totals = report.totals.accounts;
    let before = report.trend.iter().rev().nth(1).filter(|_| report.compared_with.is_some());
    let before = before.map(|point| point.accounts);
    let tile = |class, symbol, words, number: usize, was: Option<usize>| Tile {
        class,
        symbol,
        words,
        number,
        change: was.map(|was| match number.cmp(&was) {
            std::cmp::Ordering::Equal => "as before".to_owned(),
            std::cmp::Ordering::Less => format!("{} fewer than before", words::number(was - number)),
            std::cmp::Ordering::Greater => format!("{} more than before", words::number(number - was)),
        }),
    };
    vec![
        tile("d", "≠", "not compliant", totals.not_compliant, before.map(|before| before.not_compliant)),
        tile("u", "?", "unknown", totals.unknown, before.map(|before| before.unknown)),
        tile("c", "✓", "as they should be", totals.compliant, before.map(|before| before.compliant)),
        tile("n", "·", "not checked", totals.not_checked, before.map(|before| before.not_checked)),
    ]
}

fn legend(status: Status) -> Legend {
    let (symbol, meaning) = match status {
        Status::Drifted => ("≠", "something differs; nothing was changed"),
        Status::NotConverged => ("!", "it was changed, and still differs"),
        Status::NotReady => ("…", "a matter of time: worth a look later"),
        Status::Unknown => ("?", "it could not be found out"),
        Status::Fixed => ("+", "it differed, and was put right"),
        Status::Exempt => ("○", "somebody has decided that it need not be"),
        Status::Compliant => ("✓", "everything is as it should be"),
        Status::Skipped => ("–", "the control is not looked at in this account"),
        Status::NotChecked => ("·", "the account is not looked at"),
    };
    Legend { letter: data::letter(status), symbol, words: status.words(), meaning }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Account,
        testing::{account, compliant, drifted, exempt, not_checked, sweep, unreachable},
    };

    const HOSTILE: &str = "\"'><img src=x onerror=alert(1)></script><script>alert(2)</script> & 🦀 שלום";

    fn hostile() -> Report {
        let mut named = Account { name: HOSTILE.into(), ..account("1", vec![drifted(HOSTILE, HOSTILE)]) };
        named.tags = [(HOSTILE.into(), HOSTILE.into())].into();
        named.unit = HOSTILE.into();
        let before = Report::new(sweep(1, vec![account("1", vec![compliant(HOSTILE)]), account("2", vec![])]), None);
        Report::new(sweep(2, vec![named]), Some(&before))
    }

    #[test]
    fn no_name_can_open_or_close_an_element() {
        let page = hostile().to_html().unwrap();
        assert_eq!(page.matches("<script").count(), 2);
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(!page.contains("<img"));
        // It is there all the same, for people without a script.
        assert!(page.contains("&#60;img src=x onerror=alert(1)&#62;"));
        assert!(page.contains("🦀 שלום"));
    }

    #[test]
    fn the_policy_of_the_page_allows_its_own_script_and_style_and_nothing_else() {
        let page = hostile().to_html().unwrap();
        assert!(!page.contains("unsafe-inline") && !page.contains(" style="));
        for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
            let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
            let (text, _) = rest.split_once(&format!("</{element}>")).unwrap();
            let hash = Inline { text: text.to_owned() }.hash();
            assert!(page.contains(&format!("{directive} '{hash}';")), "{directive}");
        }
    }

    #[test]
    fn the_page_asks_for_nothing_from_outside() {
        let page = hostile().to_html().unwrap();
        assert!(page.contains("default-src 'none'"));
        for reference in ["http://", "https://", "src=\"", "@import", "url("] {
            assert!(!page.contains(reference), "{reference}");
        }
    }

    #[test]
    fn without_a_script_the_numbers_the_changes_and_the_exemptions_are_there() {
        let before = Report::new(sweep(1, vec![account("1", vec![drifted("tags", "tag it")])]), None);
        let accounts = vec![
            account("1", vec![compliant("tags")]),
            account("2", vec![drifted("tags", "tag it too")]),
            account("3", vec![exempt("tags", "2027-03-31")]),
            not_checked("4"),
            unreachable("5"),
        ];
        let page = Report::new(sweep(2, accounts), Some(&before)).to_html().unwrap();
        let text = page.split("<script").next().unwrap();
        for part in ["tag it too", "Account 2", "migration", "31 Mar 2027", "DeadlineExceeded", "as it should be"] {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn the_organization_has_a_part_of_its_own_that_needs_no_script() {
        let with = |number, row| {
            let mut sweep = sweep(number, vec![account("1", vec![compliant("tags")])]);
            sweep.organization = Some(crate::Checked::Rows(vec![row, compliant("billing-alerts")]).into());
            sweep
        };
        let before = Report::new(with(1, drifted("organization-trail", "make <it>")), None);
        let page = Report::new(with(4, drifted("organization-trail", "make <it>")), Some(&before)).to_html().unwrap();
        let text = page.split("<script").next().unwrap();
        for part in ["id=\"organization\"", "organization-trail", "make &#60;it&#62;", "3 days", "1 of 2 checks"] {
            assert!(text.contains(part), "{part}");
        }
        let without = Report::new(sweep(1, vec![account("1", vec![])]), None).to_html().unwrap();
        assert!(!without.contains("id=\"organization\""));
    }

    #[test]
    fn the_same_report_gives_the_same_page() {
        assert_eq!(hostile().to_html().unwrap(), hostile().to_html().unwrap());
    }
}
