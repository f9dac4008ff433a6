use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::{control, ids::RoleName, input::Problem};

const EXAMPLE: &str = include_str!("../../../baseline.example.yaml");

fn read(bytes: &[u8]) -> Result<Document, Vec<Problem>> {
    Document::read(bytes, &RoleName::organization_account_access())
}

fn example() -> Document {
    read(EXAMPLE.as_bytes()).unwrap()
}

fn account(id: &str, organizational_unit_path: &str) -> AccountFacts {
    AccountFacts {
        id: id.parse().unwrap(),
        organizational_unit_path: organizational_unit_path.to_owned(),
        units: Vec::new(),
        tags: BTreeMap::new(),
    }
}

fn threshold(document: &Document, account: &AccountFacts) -> String {
    document.for_account(account, date(2027, 1, 1)).baseline.billing_alarm.unwrap().threshold_usd.to_string()
}

fn refused(text: &str) -> Vec<Problem> {
    read(text.as_bytes()).expect_err(text)
}

fn paths(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|p| p.path.as_str()).collect()
}

fn problem<'a>(problems: &'a [Problem], path: &str) -> &'a str {
    &problems.iter().find(|p| p.path == path).unwrap_or_else(|| panic!("{path} in {problems:#?}")).problem
}

#[test]
fn the_example_gives_each_unit_its_own_limits() {
    let document = example();
    for (path, expected) in [
        ("/", "100"),
        ("/Suspended", "100"),
        ("/Management", "200"),
        ("/Custodian", "5"),
        ("/Shared/Network", "1500"),
        ("/Workloads/Test", "300"),
        ("/Workloads/Staging", "800"),
        ("/Workloads/Production", "5000"),
        ("/Workloads/Production/EU", "5000"),
        ("/Sandboxes", "20"),
    ] {
        assert_eq!(threshold(&document, &account("111111111111", path)), expected, "{path}");
    }
}

#[test]
fn of_two_overrides_that_match_the_later_one_wins() {
    let document = example();
    let mut in_production = account("111111111111", "/Workloads/Production");
    assert_eq!(threshold(&document, &in_production), "5000");
    in_production.tags.insert("cost-center".to_owned(), "research".to_owned());
    assert_eq!(threshold(&document, &in_production), "400");
    in_production.id = "210987654321".parse().unwrap();
    assert_eq!(threshold(&document, &in_production), "2000");

    let mut turned = document;
    turned.overrides.reverse();
    assert_eq!(threshold(&turned, &in_production), "300");
}

#[test]
fn a_section_replaces_the_earlier_one_as_a_whole() {
    let document = example();
    let alarm = |path| document.for_account(&account("111111111111", path), date(2027, 1, 1)).baseline.billing_alarm;
    assert_eq!(alarm("/Workloads/Production").unwrap().alarm_name, "ProductionBillingAlarm");
    assert_eq!(alarm("/Workloads/Staging").unwrap().alarm_name, "DefaultBillingAlarm");
}

#[test]
fn an_exemption_counts_for_its_account_until_the_end_of_its_last_day() {
    let document = example();
    let exempt = |id, day| {
        let effective = document.for_account(&account(id, "/Workloads/Test"), day);
        effective.exemptions.keys().copied().collect::<Vec<_>>()
    };
    assert_eq!(exempt("123456789012", date(2027, 3, 31)), ["billing-alarm", "switch-roles"]);
    assert!(exempt("123456789012", date(2027, 4, 1)).is_empty());
    assert!(exempt("210987654321", date(2027, 3, 31)).is_empty());
}

#[test]
fn a_document_without_sections_asks_for_nothing() {
    let document = read(b"version: 1").unwrap();
    let effective = document.for_account(&account("111111111111", "/"), date(2027, 1, 1));
    assert_eq!(effective, Effective::default());
}

#[test]
fn a_document_that_is_wrong_in_many_ways_gets_one_answer_that_names_each_with_its_line() {
    let problems = refused(
        r#"version: 2
default: {}
defaults:
  billing-alarm:
    threshold_usd: -1
    emails: []
    topic_name: alerts.fifo
    color: red
  no-such-control: {}
overrides:
  - match: {organizational_unit: Workloads/*}
    billing-alarm: {threshold_usd: plenty, emails: [nobody, 7]}
  - match: {account: 123456789012, tag: {team: a}}
    billing-alarm: {emails: [a@example.com]}
  - match: {}
  - billing-alarm:
exemptions:
  - {account: "12", control: no-such-control, until: 2027-02-30}
  - {account: "123456789012", control: billing-alarm, reason: " ", until: 2027-02-28}
  - {account: "123456789012", control: billing-alarm, reason: again, until: 2028-02-28}
"#,
    );
    let expected = [
        ("version", "1", 1),
        ("default", "version, ", 2),
        ("defaults.billing-alarm.threshold_usd", "above 0", 5),
        ("defaults.billing-alarm.emails", "at least one", 6),
        ("defaults.billing-alarm.topic_name", "letters, digits", 7),
        ("defaults.billing-alarm.color", "threshold_usd, emails, topic_name, alarm_name", 8),
        ("defaults.no-such-control", "billing-alarm", 9),
        ("overrides[0].match.organizational_unit", "must begin with /", 11),
        ("overrides[0].billing-alarm.threshold_usd", "must be a number", 12),
        ("overrides[0].billing-alarm.emails[0]", "name@example.com", 12),
        ("overrides[0].billing-alarm.emails[1]", "name@example.com", 12),
        ("overrides[1].match.account", "must be an account id of 12 digits, not a number without quotes", 13),
        ("overrides[1].match", "in several ways", 13),
        ("overrides[1].billing-alarm.threshold_usd", "missing; must be a number", 14),
        ("overrides[2].match", "exactly one of", 15),
        ("overrides[2]", "changes nothing", 15),
        ("overrides[3].match", "is missing", 16),
        ("overrides[3].billing-alarm", "has no value", 16),
        ("exemptions[0].account", "12 digits", 18),
        ("exemptions[0].control", "one of billing-alarm", 18),
        ("exemptions[0].until", "2027-01-31", 18),
        ("exemptions[0].reason", "is missing; must be a text", 18),
        ("exemptions[1].reason", "must be a sentence", 19),
        ("exemptions[2]", "exemptions[1]", 20),
    ];
    for (path, words, line) in expected {
        let problem = problem(&problems, path);
        assert!(problem.contains(words), "{path}: {problem}");
        assert!(problem.ends_with(&format!("(line {line})")), "{path}: {problem}");
    }
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    assert_eq!(paths(&problems)[..2], ["version", "default"], "in the order of the lines");
}

#[test]
fn accounts_named_in_several_ways_are_a_problem() {
    let problems = refused(
        "version: 1\noverrides:\n- match: {account: '123456789012', tag: {a: b}}\n  billing-alarm: {threshold_usd: 1, emails: [a@example.com]}\n",
    );
    assert_eq!(paths(&problems), ["overrides[0].match"]);
}

#[test]
fn an_account_id_without_quotes_that_starts_with_a_zero_keeps_it() {
    let text =
        "version: 1\nexemptions: [{account: 012345678901, control: billing-alarm, reason: x, until: 2027-01-01}]";
    assert_eq!(read(text.as_bytes()).unwrap().exemptions[0].account.as_str(), "012345678901");
}

#[test]
fn the_words_about_broken_yaml_say_where_it_is_broken() {
    for (text, words) in [
        ("version: [", "unclosed bracket '[' at line 1, column 10"),
        ("version: 1\nversion: 1", "duplicate mapping key `version` is not allowed here at line 2, column 1"),
        ("version: 1\n---\nversion: 1", "at line 3, column 1"),
        ("version: 1\ndefaults: {billing-alarm: {threshold_usd: .inf}}", "not a finite number at line 2"),
        ("version: 1\ndefaults:\n  billing-alarm:\n    threshold_usd: 1\n   emails: []", "at line 5, column 4"),
    ] {
        assert!(problem(&refused(text), "$").contains(words), "{text}: {:?}", refused(text));
    }
}

#[test]
fn a_section_is_checked_beyond_its_shape() {
    let problems = refused(
        r#"version: 1
defaults:
  billing-alarm:
    threshold_usd: 0
    emails: [a@example.com, A@example.com]
    topic_name: ""
    alarm_name: "a\nb"
"#,
    );
    let fields = ["threshold_usd", "emails[1]", "topic_name", "alarm_name"];
    assert_eq!(paths(&problems), fields.map(|field| format!("defaults.billing-alarm.{field}")));
}

#[test]
fn what_is_misspelt_in_a_section_hides_nothing_else_that_is_wrong_with_it() {
    for (section, wrong) in [
        (
            "billing-alarm: {threshold_usd: -1, emails: [x, x, a@b.co, A@b.co]}",
            "threshold_usd emails[0] emails[1] emails[3]",
        ),
        (
            "alternate-contacts: {billing: {name: '', title: 7, email: x, phone: '1'}, security: {name: A, title: B, email: y, phone: z}}",
            "billing.title billing.name billing.email security.email security.phone",
        ),
        (
            "regions: {enabled: [europe, eu-south-1, eu-south-1], disabled: [eu-south-1], others: keep}",
            "enabled[0] others enabled[2] disabled[0]",
        ),
        ("account-tags: {tags: {a: 1, b: 'R&D'}}", "tags.a tags.b"),
        (
            "switch-roles: {jump_account: '1', path: people, roles: [{name: a b, managed_policies: x, session_seconds: 1}]}",
            "jump_account roles[0].name roles[0].managed_policies path roles[0].session_seconds",
        ),
        ("organizational-unit: {organizational_unit: x, path: y}", "organizational_unit path"),
    ] {
        let id = section.split(':').next().unwrap();
        let problems = refused(&format!("version: 1\ndefaults:\n  {section}\n"));
        let mut found = paths(&problems);
        let mut wrong: Vec<_> = wrong.split(' ').map(|field| format!("defaults.{id}.{field}")).collect();
        found.sort_unstable();
        wrong.sort_unstable();
        assert_eq!(found, wrong, "{problems:#?}");
    }
}

#[test]
fn tags_decide_what_is_said_of_the_controls_alone_that_an_override_by_tags_names() {
    let document = example();
    let by_tag: Vec<_> = control::ALL.iter().map(|control| control.id()).collect();
    let by_tag: Vec<_> = by_tag.into_iter().filter(|control| document.selects_on_tags_for(control)).collect();
    assert_eq!(by_tag, ["billing-alarm"], "many others have overrides by unit or by account");
}

#[test]
fn one_grammar_of_tags_holds_in_sections_and_selectors() {
    let problems = refused(
        "version: 1\ndefaults: {account-tags: {tags: {dept: 'R&D'}}}\noverrides: [{match: {tag: {dept: 'R&D'}}, root-credentials: {}}]",
    );
    assert_eq!(paths(&problems), ["defaults.account-tags.tags.dept", "overrides[0].match.tag.dept"]);
    // AWS itself sets tags of that kind, so that accounts can be selected by them.
    read(b"version: 1\noverrides: [{match: {tag: {'aws:cloudformation:stack-name': a}}, root-credentials: {}}]")
        .unwrap();
}

#[test]
fn what_is_protected_is_named_as_aws_names_it() {
    let problems =
        refused("version: 1\nprotected: {accounts: ['1'], buckets: ['a/b', My_Legacy.Bucket], queues: [orders]}");
    assert_eq!(paths(&problems), ["protected.accounts[0]", "protected.buckets[0]", "protected.queues[0]"]);
}

#[test]
fn what_is_no_document_gets_one_problem() {
    let large = format!("version: 1\n# {}", "x".repeat(MAX_BYTES));
    let deep = format!("version: 1\ndefaults: {}{}", "[".repeat(5000), "]".repeat(5000));
    for text in
        ["", "[]", "7", "version: [", "version: 1\nversion: 1", "version: 1\n---\nversion: 1", "a: *b", &large, &deep]
    {
        assert_eq!(paths(&refused(text))[0], "$", "{text:.80}");
    }
    assert_eq!(paths(&read(b"version: 1 # \xff").unwrap_err()), ["$"]);
}

#[test]
fn aliases_may_save_typing_but_not_multiply_a_small_text_into_a_large_one() {
    let text = "version: 1\ndefaults: {billing-alarm: &alarm {threshold_usd: 1, emails: [a@example.com]}}
overrides: [{match: {account: '123456789012'}, billing-alarm: *alarm}]";
    let document = read(text.as_bytes()).unwrap();
    assert_eq!(document.overrides[0].sections, document.defaults);

    let level = |level| format!("a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 10].join(", "));
    let laughs = (1..20).map(level).collect::<Vec<_>>().join("\n");
    assert_eq!(paths(&refused(&format!("a0: &a0 ha\n{laughs}"))), ["$"]);

    let large = format!("a: &a {}\nb: [{}]", "x".repeat(200_000), vec!["*a"; 900].join(", "));
    assert_eq!(paths(&refused(&large)), ["$"]);
}

#[test]
fn long_keys_are_cut_where_they_are_shown() {
    let problems = refused(&format!("version: 1\n{}: 1", "k".repeat(900)));
    assert!(problems[0].path.len() < 100, "{problems:?}");
}

#[test]
fn the_schema_and_the_types_agree_on_the_example() {
    let written = serde_json::to_string(&example()).unwrap();
    assert_eq!(read(written.as_bytes()).unwrap(), example(), "JSON is YAML");
}

proptest! {
    #[test]
    fn no_bytes_panic_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_text_of_yaml_characters_panics_the_reader(text in "[a-z0-9:\\-{}\\[\\],&*!|>'\"#%@ \n]{0,200}") {
        let _ = read(text.as_bytes());
    }

    #[test]
    fn no_damage_to_the_example_panics_the_reader_or_goes_unexplained(
        at in 0..EXAMPLE.len(), length in 0usize..40, insert in "[a-z0-9:\\-{}\\[\\],&*!|>'\"#%@/ \n]{0,6}"
    ) {
        let bytes = EXAMPLE.as_bytes();
        let end = (at + length).min(bytes.len());
        let damaged = [&bytes[..at], insert.as_bytes(), &bytes[end..]].concat();
        if let Err(problems) = read(&damaged) {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|p| !p.path.is_empty() && !p.problem.is_empty()));
        }
    }

    #[test]
    fn no_value_in_any_place_panics_the_reader(value in value(), place in 0usize..6) {
        let text = match place {
            0 => value,
            1 => format!("{{\"version\": 1, \"defaults\": {value}}}"),
            2 => format!("{{\"version\": 1, \"defaults\": {{\"billing-alarm\": {value}}}}}"),
            3 => format!("{{\"version\": 1, \"overrides\": [{{\"match\": {value}, \"billing-alarm\": {value}}}]}}"),
            4 => format!("{{\"version\": 1, \"overrides\": {value}}}"),
            _ => format!("{{\"version\": {value}, \"exemptions\": [{value}]}}"),
        };
        let _ = read(text.as_bytes());
    }

    #[test]
    fn no_pattern_or_path_panics_and_two_stars_match_everything(pattern in "[/*a-c]{0,12}", path in "(/[a-c]{1,3}){0,5}") {
        let selector = |pattern: &str| -> Selector { serde_json::from_value(serde_json::json!({"organizational_unit": pattern})).unwrap() };
        selector(&pattern).matches(&account("111111111111", &path));
        prop_assert!(selector("/**").matches(&account("111111111111", &path)));
        prop_assert!(selector(&path).matches(&account("111111111111", &path)));
    }
}

/// JSON texts whose keys are often the document's own.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        Just("1e300".to_owned()),
        "[a-z/*@.0-9-]{0,12}".prop_map(|text| format!("\"{text}\"")),
    ];
    let key = prop_oneof![
        Just("match"),
        Just("account"),
        Just("tag"),
        Just("organizational_unit"),
        Just("billing-alarm"),
        Just("emails"),
        Just("threshold_usd"),
        Just("reason"),
        Just("until"),
        Just("control"),
        Just("other"),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|entries| format!("[{}]", entries.join(","))),
            prop::collection::btree_map(key.clone(), inner, 0..5).prop_map(|fields| {
                let fields: Vec<_> = fields.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

#[test]
fn no_switch_role_is_the_role_through_which_accounts_are_entered() {
    let text = "version: 1
defaults: {switch-roles: {jump_account: '111122223333', roles: [{name: entry-Role, managed_policies: []}]}}
overrides:
  - match: {account: '222222222222'}
    switch-roles: {jump_account: '111122223333', roles: [{name: a, managed_policies: []}, {name: Entry-role, managed_policies: []}]}
";
    let problems = Document::read(text.as_bytes(), &"Entry-Role".parse().unwrap()).unwrap_err();
    assert_eq!(paths(&problems), ["defaults.switch-roles.roles[0].name", "overrides[0].switch-roles.roles[1].name"]);
    assert!(read(text.as_bytes()).is_ok(), "another role is the way in here");
}
