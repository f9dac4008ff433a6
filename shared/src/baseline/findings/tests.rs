//! What each section says wrong although its shape is right.

use serde_json::{Value, json};

use super::super::Document;

/// The paths below the section at which the document is refused; none when it is taken.
fn wrong(section: &str, value: &Value) -> Vec<String> {
    let text = json!({"version": 1, "defaults": {section: value}}).to_string();
    let prefix = format!("defaults.{section}.");
    let problems =
        Document::read(text.as_bytes(), &crate::ids::RoleName::organization_account_access()).err().unwrap_or_default();
    problems.iter().map(|problem| problem.path.strip_prefix(&prefix).unwrap_or(&problem.path).to_owned()).collect()
}

fn assert_wrong(section: &str, cases: &[(Value, &[&str])]) {
    for (value, paths) in cases {
        assert_eq!(wrong(section, value), *paths, "{section}: {value}");
    }
}

#[test]
fn an_alias_is_one_that_aws_takes_once_the_id_is_in_it() {
    assert_wrong(
        "account-alias",
        &[
            (json!({"alias": "acme-{account_id}"}), &[]),
            (json!({"alias": "abc"}), &[]),
            (json!({"alias": "ab"}), &["alias"]),
            (json!({"alias": "Acme-{account_id}"}), &["alias"]),
            (json!({"alias": "acme--{account_id}"}), &["alias"]),
            (json!({"alias": "acme-"}), &["alias"]),
            (json!({"alias": "acme-{account}"}), &["alias"]),
            (json!({"alias": format!("{}{{account_id}}", "a".repeat(52))}), &["alias"]),
        ],
    );
}

#[test]
fn tags_have_names_and_values_that_organizations_takes() {
    let many: serde_json::Map<_, _> = (0..51).map(|n| (format!("t{n}"), json!("x"))).collect();
    assert_wrong(
        "account-tags",
        &[
            (json!({"tags": {"Kostenstelle Süd": "", "a/b": "1 + 1 = 2"}}), &[]),
            (json!({"tags": {}}), &["tags"]),
            (json!({"tags": {"AWS:x": "1"}}), &["tags.AWS:x"]),
            (json!({"tags": {"a": "semi;colon"}}), &["tags.a"]),
            (json!({"tags": many}), &["tags"]),
        ],
    );
}

#[test]
fn contacts_fit_the_fields_of_account_management() {
    let contact = json!({"name": "n", "title": "t", "email": "a&b@example.com", "phone": "+49 (30) 5-1"});
    let with = |field: &str, value: &str| {
        let mut contact = contact.clone();
        contact[field] = json!(value);
        json!({ "security": contact })
    };
    assert_wrong(
        "alternate-contacts",
        &[
            (json!({"billing": contact, "prune": true}), &[]),
            (with("name", &"n".repeat(65)), &["security.name"]),
            (with("title", ""), &["security.title"]),
            (with("email", "nobody"), &["security.email"]),
            (with("email", "a@b@example.com"), &["security.email"]),
            (with("phone", "call me"), &["security.phone"]),
        ],
    );
}

#[test]
fn a_primary_contact_is_complete_for_its_country() {
    let contact = json!({"full_name": "n", "address_line_1": "a", "city": "c", "postal_code": "1",
        "country_code": "FR", "phone_number": "+33 1"});
    let with = |field: &str, value: &str| {
        let mut contact = contact.clone();
        contact[field] = json!(value);
        contact
    };
    assert_wrong(
        "primary-contact",
        &[
            (contact.clone(), &[]),
            (with("country_code", "DE"), &["state_or_region"]),
            (with("country_code", "fr"), &["country_code"]),
            (with("phone_number", "0033 1"), &["phone_number"]),
            (with("company_name", ""), &["company_name"]),
            (with("address_line_1", &"a".repeat(61)), &["address_line_1"]),
        ],
    );
}

#[test]
fn a_password_policy_is_within_what_iam_allows() {
    assert_wrong(
        "password-policy",
        &[
            (json!({}), &[]),
            (json!({"reuse_prevention": 0, "max_age_days": 90, "hard_expiry": true}), &[]),
            (json!({"minimum_length": 5}), &["minimum_length"]),
            (json!({"reuse_prevention": 25}), &["reuse_prevention"]),
            (json!({"max_age_days": 0}), &["max_age_days"]),
            (json!({"hard_expiry": true}), &["hard_expiry"]),
        ],
    );
}

#[test]
fn a_region_is_named_once() {
    assert_wrong(
        "regions",
        &[
            (json!({"enabled": ["eu-central-2"], "others": "disable"}), &[]),
            (json!({"enabled": ["eu-central-2", "eu-central-2"]}), &["enabled[1]"]),
            (json!({"enabled": ["eu-central-2"], "disabled": ["eu-central-2"]}), &["disabled[0]"]),
            (json!({"enabled": ["Zurich"], "others": "drop"}), &["enabled[0]", "others"]),
        ],
    );
}

#[test]
fn an_account_is_placed_in_one_unit_below_the_root() {
    assert_wrong(
        "organizational-unit",
        &[
            (json!({"organizational_unit": "ou-ab12-cdef3456"}), &[]),
            (json!({"organizational_unit": "/Workloads/Production"}), &[]),
            (json!({"organizational_unit": "/"}), &["organizational_unit"]),
            (json!({"organizational_unit": "r-ab12"}), &["organizational_unit"]),
            (json!({"organizational_unit": "/Workloads/*"}), &["organizational_unit"]),
            (json!({"organizational_unit": "/a/b/c/d/e/f"}), &["organizational_unit"]),
        ],
    );
}

#[test]
fn the_way_into_the_account_is_shared_with_somebody_and_never_with_everybody() {
    let also = |who: &[&str]| json!({"also_trusted": who});
    assert_wrong(
        "access-role",
        &[
            (json!({}), &[]),
            (also(&["111122223333", "arn:aws:iam::222233334444:role/audit"]), &[]),
            (also(&["*"]), &["also_trusted[0]"]),
            (also(&["111122223333", "arn:aws:iam::111122223333:root"]), &["also_trusted[1]"]),
        ],
    );
}

#[test]
fn us_east_1_is_no_other_region() {
    let other = |regions: &[&str]| json!({"other_regions": regions});
    assert_wrong(
        "member-events",
        &[
            (json!({}), &[]),
            (other(&["eu-central-1", "eu-west-1"]), &[]),
            (other(&["eu-central-1", "eu-central-1"]), &["other_regions[1]"]),
            (other(&["us-east-1"]), &["other_regions[0]"]),
        ],
    );
}

#[test]
fn addresses_and_names_of_accounts_are_held_to_what_an_account_can_have() {
    assert_wrong(
        "primary-email",
        &[
            (json!({"domains": ["example.com"]}), &[]),
            (json!({"patterns": ["aws+{account_id}@example.com", "aws-*@*.example.com", "*"]}), &["patterns[2]"]),
            (json!({}), &["domains"]),
            (json!({"domains": ["example.com", "Example.com"]}), &["domains[1]"]),
            (
                json!({"domains": ["@example.com", "*.example.com", "example"]}),
                &["domains[0]", "domains[1]", "domains[2]"],
            ),
            (
                json!({"patterns": ["nobody", "a?@example.com", "{account}@ä.com"]}),
                &["patterns[0]", "patterns[1]", "patterns[2]"],
            ),
        ],
    );
    assert_wrong(
        "account-name",
        &[
            (json!({"patterns": ["team-*", "* Prod", "{account_id}", "*"]}), &[]),
            (json!({"patterns": []}), &["patterns"]),
            (json!({"patterns": ["a", "a"]}), &["patterns[1]"]),
            (
                json!({"patterns": ["", "tëam-*", "a?", "x".repeat(51)]}),
                &["patterns[0]", "patterns[1]", "patterns[2]", "patterns[3]"],
            ),
        ],
    );
}

#[test]
fn switch_roles_leave_the_way_into_the_account_alone() {
    let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let with = |more: Value| {
        let mut section = json!({"jump_account": "111122223333"});
        section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        section
    };
    let role = |name: &str| json!({"name": name, "managed_policies": [policy]});
    assert_wrong(
        "switch-roles",
        &[
            (with(json!({})), &[]),
            (with(json!({"path": "/people/", "external_id": "a:1", "roles": [role("a"), role("b")]})), &[]),
            (with(json!({"path": "people", "external_id": "ä"})), &["external_id", "path"]),
            (with(json!({"permissions_boundary": policy})), &[]),
            (with(json!({"permissions_boundary": "bounds"})), &["permissions_boundary"]),
            (with(json!({"roles": []})), &["roles"]),
            (with(json!({"roles": [role("a"), role("A")]})), &["roles[1]"]),
            (with(json!({"roles": [role("OrganizationAccountAccessRole")]})), &["roles[0].name"]),
            (
                with(json!({"roles": [{"name": "a", "managed_policies": ["ReadOnlyAccess", policy, policy],
                    "session_seconds": 60}]})),
                &["roles[0].session_seconds", "roles[0].managed_policies[2]", "roles[0].managed_policies[0]"],
            ),
        ],
    );
}

#[test]
fn a_color_is_one_of_the_console() {
    assert_wrong(
        "console-color",
        &[
            (json!({"color": "darkBlue"}), &[]),
            (json!({"color": "none"}), &[]),
            (json!({"color": "black"}), &["color"]),
        ],
    );
}

#[test]
fn a_budget_is_one_that_aws_takes() {
    let with = |field: &str, value: Value| {
        let mut budget = json!({"limit_usd": 100, "emails": ["costs@example.com"]});
        budget[field] = value;
        budget
    };
    let many: Vec<_> = (0..11).map(|n| format!("a{n}@example.com")).collect();
    assert_wrong(
        "budget",
        &[
            (json!({"limit_usd": 0.5, "emails": ["costs@example.com"], "forecast_percentages": [100]}), &[]),
            (with("limit_usd", json!(0)), &["limit_usd"]),
            (with("emails", json!([])), &["emails"]),
            (with("emails", json!(many)), &["emails"]),
            (with("emails", json!(["a@example.com", "A@example.com"])), &["emails[1]"]),
            (with("percentages", json!([])), &["percentages"]),
            (with("percentages", json!([80, 80])), &["percentages[1]"]),
            (with("percentages", json!([0, 1001])), &["percentages[0]", "percentages[1]"]),
            (with("forecast_percentages", json!([1, 2, 3, 4])), &["percentages"]),
            (with("name", json!("a:b")), &["name"]),
            (with("name", json!("")), &["name"]),
        ],
    );
}

#[test]
fn a_recorder_is_looked_for_in_some_region() {
    assert_wrong(
        "config-recorder",
        &[
            (json!({"regions": ["eu-central-1", "us-east-1"], "every_type": false}), &[]),
            (json!({"regions": []}), &["regions"]),
            (json!({"regions": ["eu-central-1", "eu-central-1"]}), &["regions[1]"]),
        ],
    );
}
