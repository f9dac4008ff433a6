use std::collections::BTreeMap;

use super::*;
use crate::ids::RoleName;

const ROLES: &str = "
version: 1
defaults: {switch-roles: {jump_account: '111122223333', path: /people/}}
overrides:
  - match: {organizational_unit: '/Production/**'}
    switch-roles: {jump_account: '111122223333', roles: [{name: role-admin, managed_policies: []}]}
";

fn read(access: &str) -> Result<Document, Vec<String>> {
    let text = format!("{ROLES}access: {access}\n");
    let problems =
        |problems: Vec<Problem>| problems.into_iter().map(|p| format!("{}: {}", p.path, p.problem)).collect();
    Document::read(text.as_bytes(), &RoleName::organization_account_access()).map_err(problems)
}

fn account(id: &str, unit: &str, tags: &[(&str, &str)]) -> AccountFacts {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    AccountFacts { id: id.parse().unwrap(), organizational_unit_path: unit.to_owned(), units: Vec::new(), tags }
}

fn groups(access: &str) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
    let accounts = [
        account("222222222222", "/Production/Blue", &[("team", "blue")]),
        account("333333333333", "/Test/Blue", &[("team", "blue")]),
        account("444444444444", "/Test/Red", &[]),
    ];
    let Some(JumpGroups::Known { groups, notes, .. }) = read(access).unwrap().jump_groups(&accounts) else { panic!() };
    (groups.into_iter().map(|group| (group.name, group.role_arns.into_iter().collect())).collect(), notes)
}

#[test]
fn groups_reach_all_accounts_or_those_of_a_project_by_unit_tag_or_id() {
    for selector in
        ["{organizational_unit: '/*/Blue'}", "{tag: {team: blue}}", "{account_ids: ['222222222222', '333333333333']}"]
    {
        let access = format!("{{jump_account: '111122223333', projects: [{{name: blue, accounts: {selector}}}]}}");
        let (groups, notes) = groups(&access);
        let names: Vec<_> = groups.keys().map(String::as_str).collect();
        let expected = ["admin", "admin-blue", "developer", "developer-blue", "operator", "operator-blue"];
        assert_eq!(names, expected.map(|name| format!("group-{name}")));
        assert_eq!(
            groups["group-admin-blue"],
            ["arn:aws:iam::222222222222:role/role-admin", "arn:aws:iam::333333333333:role/people/role-admin"]
        );
        assert_eq!(
            groups["group-developer-blue"],
            ["arn:aws:iam::333333333333:role/people/role-developer"],
            "production has no developers"
        );
        assert_eq!(groups["group-admin"], ["arn:aws:iam::*:role/people/role-admin", "arn:aws:iam::*:role/role-admin"]);
        assert!(notes[0].contains("1 of the accounts of the project blue are not given role-developer"), "{notes:?}");
    }
}

#[test]
fn the_groups_are_those_that_the_document_names() {
    let access = "{jump_account: '111122223333', roles: {ops: role-operator}, groups: [],
        projects: [{name: red, accounts: {organizational_unit: /Test/Red}, roles: [ops]}]}";
    assert_eq!(groups(access).0.into_keys().collect::<Vec<_>>(), ["group-ops-red"]);
}

#[test]
fn a_project_without_accounts_is_a_note() {
    let access = "{jump_account: '111122223333', projects: [{name: gone, accounts: {tag: {team: gone}}}]}";
    let (groups, notes) = groups(access);
    assert_eq!(groups["group-admin-gone"], Vec::<String>::new());
    assert_eq!(notes, ["the project gone has no accounts"]);
}

#[test]
fn every_mistake_is_found_with_its_place() {
    let long = "x".repeat(65);
    for (access, problem) in [
        ("{jump_account: '1'}", "access.jump_account: must be an account id"),
        ("{jump_account: '111122223333', roles: {}}", "access.roles: must have at least one role"),
        ("{jump_account: '111122223333', roles: {a: role-x}}", "access.roles.a: role-x is a role that no switch-roles"),
        ("{jump_account: '111122223333', roles: {a.b: role-admin}}", "access.roles.a.b: must be 1 to 64"),
        ("{jump_account: '111122223333', groups: [boss]}", "access.groups[0]: must be one of"),
        (
            "{jump_account: '111122223333', projects: [{name: a, accounts: {account_ids: ['222222222222']}},
                {name: A, accounts: {account_ids: ['222222222222']}}]}",
            "access.projects[1]: is in the list twice",
        ),
        (
            "{jump_account: '111122223333', projects: [{name: a, accounts: {}}]}",
            "access.projects[0].accounts: names no accounts",
        ),
        (
            "{jump_account: '111122223333', projects: [{name: a, accounts: {tag: {a: b}, account_ids: ['222222222222']}}]}",
            "names accounts in several ways",
        ),
        (
            &format!("{{jump_account: '111122223333', projects: [{{name: {long}, accounts: {{tag: {{a: b}}}}}}]}}"),
            "access.projects[0].name: must be 1 to 64",
        ),
        (
            "{jump_account: '111122223333', roles: {a: role-admin, a-b: role-operator},
                projects: [{name: b, accounts: {tag: {a: b}}}]}",
            "access.projects[0].name: makes the group group-a-b, which groups makes as well",
        ),
    ] {
        let problems = read(access).unwrap_err();
        assert!(problems.iter().any(|found| found.contains(problem)), "{problem}: {problems:?}");
    }
    let role = "y".repeat(64);
    let (name, accounts) = ("z".repeat(64), "{tag: {a: b}}");
    let access = format!(
        "{{jump_account: '111122223333', roles: {{{role}: role-admin}}, projects: [{{name: {name}, accounts: {accounts}}}]}}"
    );
    let problems = read(&access).unwrap_err();
    assert!(problems[0].contains("at most 126 characters"), "{problems:?}");
}

#[test]
fn a_jump_account_that_is_protected_is_a_mistake() {
    let text = format!("{ROLES}access: {{jump_account: '111122223333'}}\nprotected: {{accounts: ['111122223333']}}\n");
    let problems = Document::read(text.as_bytes(), &RoleName::organization_account_access()).unwrap_err();
    assert_eq!(problems[0].path, "protected.accounts[0]");
}

#[test]
fn groups_are_looked_at_only_after_what_projects_and_roles_are_selected_by() {
    let id = || "222222222222".parse().unwrap();
    let moved = Rearranged::Moved(id());
    let renamed = Rearranged::Renamed("ou-ab12-cdef3456".parse().unwrap());
    let gone = Rearranged::Gone(id());
    let tagged = |keys: &[&str]| {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Rearranged::Tagged { account_id: id(), keys }
    };
    let defaults = "version: 1\ndefaults: {switch-roles: {jump_account: '111122223333'}}\n";
    let document = |project: &str, more: &str| {
        let text = format!(
            "{defaults}{more}access: {{jump_account: '111122223333', projects: [{{name: p, accounts: {project}}}]}}\n"
        );
        Document::read(text.as_bytes(), &RoleName::organization_account_access()).unwrap()
    };
    let by_id = document("{account_ids: ['222222222222']}", "");
    let by_path = document("{organizational_unit: '/Workloads/**'}", "");
    let by_unit = document("{organizational_unit: 'ou-ab12-cdef3456'}", "");
    let by_tag = document("{tag: {team: blue}}", "");
    let roles_by_tag = document(
        "{account_ids: ['222222222222']}",
        "overrides: [{match: {tag: {team: red}}, switch-roles: {jump_account: '111122223333', path: /red/}}]\n",
    );
    let other_by_tag =
        document("{account_ids: ['222222222222']}", "overrides: [{match: {tag: {team: red}}, root-credentials: {}}]\n");
    for (document, expected) in [
        // Moved, renamed, gone, tagged with team, tagged with something else, tagged with who knows what.
        (&by_id, [false, false, true, false, false, false]),
        (&by_path, [true, true, true, false, false, false]),
        (&by_unit, [true, false, true, false, false, false]),
        (&by_tag, [false, false, true, true, false, true]),
        (&roles_by_tag, [false, false, true, true, false, true]),
        (&other_by_tag, [false, false, true, false, false, false]),
    ] {
        let happened = [&moved, &renamed, &gone, &tagged(&["cost", "team"]), &tagged(&["cost"]), &tagged(&[])];
        assert_eq!(happened.map(|happened| document.groups_depend_on(happened)), expected, "{document:?}");
    }
    let nobody = Document::read(defaults.as_bytes(), &RoleName::organization_account_access()).unwrap();
    assert!(!nobody.groups_depend_on(&gone), "nobody gets anywhere by groups");
}
