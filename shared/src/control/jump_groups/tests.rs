use std::collections::BTreeSet;

use aws_sdk_iam::{
    Client,
    operation::{
        attach_group_policy::{AttachGroupPolicyError, AttachGroupPolicyOutput},
        create_group::CreateGroupOutput,
        create_policy::CreatePolicyOutput,
        get_account_authorization_details::{
            GetAccountAuthorizationDetailsError, GetAccountAuthorizationDetailsOutput,
        },
    },
    types::{AttachedPolicy, GroupDetail, ManagedPolicyDetail, PolicyVersion, error::NoSuchEntityException},
};
use aws_smithy_mocks::{Rule, mock};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    evaluator::{Call, allows},
    plan::{self, ENFORCE_MFA, plan},
    policies::{MAX_DOCUMENT, assume, enforce_mfa},
    *,
};
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, account, run, stopped},
    },
    gateway::{
        PresentGroup, PresentPolicy,
        testing::{denied, said},
    },
};

fn role(account: u64) -> String {
    format!("arn:aws:iam::{account:012}:role/role-admin")
}

fn group(name: &str, accounts: impl IntoIterator<Item = u64>) -> Group {
    Group { name: name.to_owned(), role_arns: accounts.into_iter().map(role).collect() }
}

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{}:policy/steward/{name}", account())
}

/// What is there once these changes are made.
fn after(mut present: GroupsAndPolicies, changes: &[Change]) -> GroupsAndPolicies {
    for change in changes {
        match change.clone() {
            Change::CreatePolicy { name, document } => present.policies.push(PresentPolicy {
                arn: arn(&name),
                name,
                path: PATH.to_owned(),
                document,
                other_versions: Vec::new(),
                attachments: 0,
            }),
            Change::DeleteVersion { arn, version, .. } => {
                let policy = present.policies.iter_mut().find(|policy| policy.arn == arn).unwrap();
                policy.other_versions.retain(|other| *other != version);
            }
            Change::CorrectPolicy { arn, document, .. } => {
                let policy = present.policies.iter_mut().find(|policy| policy.arn == arn).unwrap();
                policy.other_versions.push(format!("v{}", policy.other_versions.len() + 1));
                assert!(policy.other_versions.len() <= 4, "IAM keeps five versions");
                policy.document = document;
            }
            Change::CreateGroup { name } => {
                let (path, attached, inline) = (PATH.to_owned(), Vec::new(), Vec::new());
                present.groups.push(PresentGroup { name, path, attached, inline });
            }
            Change::DeleteInline { group, policy } => {
                find(&mut present, &group).inline.retain(|other| *other != policy);
            }
            Change::Detach { group, arn } => find(&mut present, &group).attached.retain(|other| *other != arn),
            Change::Attach { group, arn } => find(&mut present, &group).attached.push(arn),
            Change::DeletePolicy { arn, .. } => {
                let policy = present.policies.iter().find(|policy| policy.arn == arn).unwrap();
                assert_eq!((policy.attachments, policy.other_versions.len()), (0, 0), "IAM would refuse it");
                present.policies.retain(|policy| policy.arn != arn);
            }
        }
        for policy in &mut present.policies {
            let attached = present.groups.iter().filter(|group| group.attached.contains(&policy.arn)).count();
            policy.attachments = attached.try_into().unwrap();
        }
    }
    present
}

fn find<'a>(present: &'a mut GroupsAndPolicies, name: &str) -> &'a mut PresentGroup {
    present.groups.iter_mut().find(|group| group.name == name).unwrap()
}

fn planned(wanted: &[Group], present: &GroupsAndPolicies) -> Vec<Change> {
    plan(&account(), wanted, present)
}

/// What these groups are like once they are made.
fn made(wanted: &[Group]) -> GroupsAndPolicies {
    let none = GroupsAndPolicies::default();
    let made = after(none.clone(), &planned(wanted, &none));
    assert_eq!(planned(wanted, &made), [], "nothing is left to be changed");
    made
}

/// The roles that the policies of a group lead to.
fn reached(present: &GroupsAndPolicies, name: &str) -> BTreeSet<String> {
    let group = present.groups.iter().find(|group| group.name == name).unwrap();
    assert!(group.attached.len() <= 10 && group.attached.contains(&arn(ENFORCE_MFA)));
    let attached = present.policies.iter().filter(|policy| group.attached.contains(&policy.arn));
    let leading = attached.filter(|policy| policy.name != ENFORCE_MFA);
    leading
        .flat_map(|policy| {
            assert!(policy.document.len() <= MAX_DOCUMENT);
            policies::resources(&policy.document)
        })
        .collect()
}

fn words(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn without_a_second_factor_a_user_gets_to_one_and_no_further() {
    let policies = [enforce_mfa(), assume(&BTreeSet::from([role(1)]))];
    let own = "arn:aws:iam::222222222222:user/steward/ann";
    let other = "arn:aws:iam::222222222222:user/bob";
    let device = "arn:aws:iam::222222222222:mfa/phone";
    // Action, resource, and whether it is allowed: signed in to the console without a second factor, with long-term keys, and
    // with a second factor.
    let table = [
        // The console's first sign-in: a forced password, then a device under any name, or a passkey.
        ("iam:GetAccountPasswordPolicy", "*", [true, true, true]),
        ("iam:ChangePassword", own, [true, true, true]),
        ("iam:GetUser", own, [true, true, true]),
        ("iam:ListMFADevices", own, [true, true, true]),
        ("iam:ListVirtualMFADevices", "*", [true, true, true]),
        ("iam:CreateVirtualMFADevice", device, [true, true, true]),
        ("iam:EnableMFADevice", own, [true, true, true]),
        ("iam:ResyncMFADevice", own, [true, true, true]),
        ("iam:GetMFADevice", own, [true, true, true]),
        // The page with one's own credentials.
        ("iam:GetAccountSummary", "*", [false, false, true]),
        ("iam:ListUsers", "*", [false, false, true]),
        ("iam:ListAccessKeys", own, [false, false, true]),
        ("iam:CreateAccessKey", own, [false, false, true]),
        ("iam:DeactivateMFADevice", own, [false, false, true]),
        ("iam:DeleteVirtualMFADevice", device, [false, false, true]),
        // The way on.
        ("sts:AssumeRole", "arn:aws:iam::000000000001:role/role-admin", [false, false, true]),
        ("sts:AssumeRole", "arn:aws:iam::000000000001:role/role-developer", [false; 3]),
        ("sts:AssumeRole", "arn:aws:iam::000000000002:role/role-admin", [false; 3]),
        // What is somebody else's, or nobody's business here.
        ("iam:ChangePassword", other, [false; 3]),
        ("iam:EnableMFADevice", other, [false; 3]),
        ("iam:DeactivateMFADevice", other, [false; 3]),
        ("iam:CreateAccessKey", other, [false; 3]),
        ("iam:AddUserToGroup", "arn:aws:iam::222222222222:group/steward/group-admin", [false; 3]),
        ("iam:AttachUserPolicy", own, [false; 3]),
        ("s3:ListAllMyBuckets", "*", [false; 3]),
    ];
    for (action, resource, expected) in table {
        for (second_factor, expected) in [Some(false), None, Some(true)].into_iter().zip(expected) {
            let call = Call { user: "ann", action, resource, second_factor };
            assert_eq!(allows(&policies, &call), expected, "{action} on {resource}, second factor: {second_factor:?}");
        }
    }
}

#[test]
fn the_code_of_a_device_leads_to_a_session_and_that_is_not_denied() {
    // Nothing has to allow `GetSessionToken`; it works unless it is denied.
    let everything = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    for (action, expected) in
        [("sts:GetSessionToken", true), ("sts:GetFederationToken", false), ("s3:GetObject", false)]
    {
        let call = Call { user: "ann", action, resource: "*", second_factor: None };
        assert_eq!(allows(&[enforce_mfa(), everything.clone()], &call), expected, "{action}");
    }
}

#[test]
fn groups_lead_to_exactly_their_roles() {
    let present = made(&[group("group-admin-blue", [1, 2]), group("group-admin-empty", [])]);
    assert_eq!(reached(&present, "group-admin-blue"), group("", [1, 2]).role_arns);
    assert_eq!(reached(&present, "group-admin-empty"), BTreeSet::new());
}

#[test]
fn three_hundred_accounts_are_split_and_one_more_changes_one_policy() {
    let wanted = |accounts: u64| [group("group-admin-large", (0..accounts).map(|id| id * 7))];
    let present = made(&wanted(300));
    assert_eq!(reached(&present, "group-admin-large"), wanted(300)[0].role_arns);
    assert_eq!(present.policies.len(), 4, "three, and the one that every group has");
    let mut more = wanted(300);
    more[0].role_arns.insert(role(3));
    let changes = planned(&more, &present);
    assert_eq!(words(&changes).len(), 1, "{changes:?}");
    assert!(planned(&more, &after(present.clone(), &changes)).is_empty());
    // And one less, which may end a policy.
    for left in [299, 100, 1, 0] {
        let fewer = after(present.clone(), &planned(&wanted(left), &present));
        assert_eq!(reached(&fewer, "group-admin-large"), wanted(left)[0].role_arns);
        assert_eq!(planned(&wanted(left), &fewer), []);
    }
}

#[test]
fn what_does_not_fit_into_a_group_is_refused_with_what_to_do_and_the_group_stays_as_it_is() {
    let present = made(&[group("group-admin-large", 0..1200)]);
    let wanted = [group("group-admin-large", 0..1300)];
    assert_eq!(planned(&wanted, &present), []);
    let why = plan::too_many(&wanted[0]).unwrap();
    assert!(why.contains("split the project of group-admin-large") && why.contains("1300 roles"), "{why}");
}

#[test]
fn forty_projects_have_groups_of_their_own() {
    let wanted: Vec<_> = (0..40).map(|number| group(&format!("group-admin-p{number}"), [number, number + 1])).collect();
    let present = made(&wanted);
    for one in &wanted {
        assert_eq!(reached(&present, &one.name), one.role_arns);
    }
}

#[test]
fn what_a_person_has_changed_in_a_group_or_a_policy_is_named_and_put_right() {
    let wanted = [group("group-admin-blue", [1])];
    let mut present = made(&wanted);
    let blue = find(&mut present, "group-admin-blue");
    blue.attached = vec![arn("group-admin-blue"), "arn:aws:iam::aws:policy/AdministratorAccess".to_owned()];
    blue.inline = vec!["extra".to_owned()];
    let policy = present.policies.iter_mut().find(|policy| policy.name == "group-admin-blue").unwrap();
    let mut document: Value = serde_json::from_str(&policy.document).unwrap();
    let extra = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    document["Statement"].as_array_mut().unwrap().push(extra);
    policy.document = document.to_string();
    policy.other_versions = ["v2", "v3", "v4", "v5"].map(ToOwned::to_owned).to_vec();
    let changes = planned(&wanted, &present);
    assert_eq!(
        words(&changes),
        [
            "delete the inline policy \"extra\" of the group group-admin-blue".to_owned(),
            "detach arn:aws:iam::aws:policy/AdministratorAccess from the group group-admin-blue".to_owned(),
            "delete the old version v2 of group-admin-blue".to_owned(),
            "correct what the policy group-admin-blue says: it leads to 1 role".to_owned(),
            format!("attach {} to the group group-admin-blue", arn(ENFORCE_MFA)),
        ]
    );
    assert_eq!(planned(&wanted, &after(present, &changes)), []);
}

#[test]
fn another_way_to_write_a_policy_is_no_difference() {
    let wanted = [group("group-admin-blue", [1])];
    let mut present = made(&wanted);
    let policy = present.policies.iter_mut().find(|policy| policy.name == "group-admin-blue").unwrap();
    let mut document: Value = serde_json::from_str(&policy.document).unwrap();
    document["Statement"] = document["Statement"][0].clone();
    document["Statement"]["Resource"] = json!(role(1));
    policy.document = serde_json::to_string_pretty(&document).unwrap();
    assert_eq!(planned(&wanted, &present), []);
}

#[test]
fn a_group_that_the_document_does_not_name_any_more_leads_nowhere() {
    let present = made(&[group("group-admin-blue", [1]), group("group-admin-red", [2])]);
    let wanted = [group("group-admin-red", [2])];
    let changes = planned(&wanted, &present);
    let present = after(present, &changes);
    assert_eq!(reached(&present, "group-admin-blue"), BTreeSet::new());
    assert!(!present.policies.iter().any(|policy| policy.name == "group-admin-blue"));
    assert_eq!(planned(&wanted, &present), []);
}

#[test]
fn groups_and_policies_of_others_are_not_touched() {
    let wanted = [group("group-admin-blue", [1])];
    let mut present = made(&wanted);
    let other = |name: &str| PresentGroup {
        name: name.to_owned(),
        path: "/".to_owned(),
        attached: vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()],
        inline: vec!["own".to_owned()],
    };
    present.groups.push(other("group-admin-green"));
    let mut policy = present.policies[0].clone();
    (policy.arn, policy.path) = ("arn:aws:iam::222222222222:policy/group-admin-green".to_owned(), "/".to_owned());
    present.policies.push(policy);
    assert_eq!(planned(&wanted, &present), []);
    // A group of the same name cannot be made, and is left to people.
    let green = group("group-admin-green", [2]);
    assert!(!words(&planned(std::slice::from_ref(&green), &present)).iter().any(|change| change.contains("green")));
    assert_eq!(plan::elsewhere(&green, &present).unwrap().path, "/");
}

#[test]
fn a_policy_that_somebody_has_attached_to_a_user_is_left_to_people_once_no_group_needs_it() {
    let mut present = made(&[group("group-admin-blue", [1])]);
    for policy in &mut present.policies {
        policy.attachments += 1;
    }
    assert!(!words(&planned(&[], &present)).iter().any(|change| change.starts_with("delete the policy")));
    let left = plan::attached_elsewhere(&account(), &[], &present);
    assert!(left.len() == 1 && left[0].contains("group-admin-blue"), "{left:?}");
}

/// What is there once the groups follow what has happened to these accounts, of which the groups are to reach some.
fn followed(present: &GroupsAndPolicies, happened_to: &[u64], wanted: &[Group]) -> GroupsAndPolicies {
    let ids = happened_to.iter().map(|id| format!("{id:012}").parse().unwrap()).collect();
    let whole = plan::whole(&account(), wanted, &MadeOf::These(ids), present);
    after(present.clone(), &planned(&whole, present))
}

#[test]
fn an_account_that_comes_under_a_project_or_leaves_it_changes_nothing_of_the_others() {
    let present = made(&[group("group-admin-shop", 1..=300), group("group-admin-till", 7..=9)]);
    let all = |accounts: &mut dyn Iterator<Item = u64>| accounts.map(role).collect::<BTreeSet<_>>();
    // Account 400 comes under the shop.
    let nothing = |name| group(name, []);
    let come = followed(&present, &[400], &[group("group-admin-shop", [400]), nothing("group-admin-till")]);
    assert_eq!(reached(&come, "group-admin-shop"), all(&mut (1..=300).chain([400])));
    assert_eq!(reached(&come, "group-admin-till"), all(&mut (7..=9)));
    // Account 7 goes from both: closed, or moved to where no project looks.
    let gone = followed(&come, &[7], &[nothing("group-admin-shop"), nothing("group-admin-till")]);
    assert_eq!(reached(&gone, "group-admin-shop"), all(&mut (1..=300).filter(|id| *id != 7).chain([400])));
    assert_eq!(reached(&gone, "group-admin-till"), all(&mut (8..=9)));
    // The same again changes nothing.
    assert_eq!(followed(&gone, &[7], &[nothing("group-admin-shop"), nothing("group-admin-till")]), gone);
    // The group of a project that has nobody yet is made.
    let new = followed(
        &gone,
        &[8],
        &[nothing("group-admin-shop"), nothing("group-admin-till"), group("group-admin-new", [8])],
    );
    assert_eq!(reached(&new, "group-admin-new"), all(&mut [8].into_iter()));
}

#[test]
fn accounts_differ_in_which_a_group_reaches_more_or_less_than_it_is_to() {
    let everywhere =
        Group { name: "group-admin".to_owned(), role_arns: BTreeSet::from(["arn:aws:iam::*:role/a".to_owned()]) };
    let wanted =
        |shop: &[u64]| vec![everywhere.clone(), group("group-admin-shop", shop.to_vec()), group("group-admin-x", [9])];
    let present = made(&wanted(&[1, 2, 3]));
    let differ = |shop: &[u64], present: &GroupsAndPolicies| {
        let (account, groups, notes) = (account(), wanted(shop), Vec::new());
        let listed = JumpGroups::Known { account, groups, made_of: MadeOf::Everybody, notes };
        listed.accounts_that_differ(present).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(differ(&[1, 2, 3], &present), Vec::<String>::new());
    assert_eq!(differ(&[1, 3, 4], &present), ["000000000002", "000000000004"]);
    assert_eq!(differ(&[1], &GroupsAndPolicies::default()), ["000000000001", "000000000009"]);
}

#[test]
fn what_somebody_has_added_to_a_policy_in_other_words_is_not_taken_over_when_it_follows_an_account() {
    let mut present = made(&[group("group-admin-shop", [1])]);
    let policy = present.policies.iter_mut().find(|policy| policy.name == "group-admin-shop").unwrap();
    let mut document: Value = serde_json::from_str(&policy.document).unwrap();
    let statements = document["Statement"].as_array_mut().unwrap();
    statements.push(json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/*"}));
    statements.push(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::secrets"}));
    policy.document = document.to_string();
    let follows = followed(&present, &[2], &[group("group-admin-shop", [2])]);
    assert_eq!(reached(&follows, "group-admin-shop"), BTreeSet::from([role(1), role(2)]));
}

#[test]
fn forty_projects_of_a_hundred_accounts_are_made_and_follow_one_account_with_one_change_each() {
    let projects: Vec<_> =
        (0..40).map(|n| group(&format!("group-admin-project-{n}"), n * 100..(n + 1) * 100)).collect();
    let present = made(&projects);
    for (n, project) in (0..).zip(&projects) {
        let project_accounts: BTreeSet<_> = (n * 100..(n + 1) * 100).map(role).collect();
        assert_eq!(reached(&present, &project.name), project_accounts);
    }
    // One account goes from a project to another.
    let wanted: Vec<_> = projects.iter().map(|project| group(&project.name, [])).collect();
    let mut moved = wanted.clone();
    moved[1] = group("group-admin-project-1", [7]);
    let whole =
        plan::whole(&account(), &moved, &MadeOf::These(BTreeSet::from(["000000000007".parse().unwrap()])), &present);
    let changes = words(&planned(&whole, &present));
    assert_eq!(
        changes,
        [
            "correct what the policy group-admin-project-0 says: it leads to 99 roles",
            "correct what the policy group-admin-project-1 says: it leads to 101 roles"
        ]
    );
}

#[test]
fn a_policy_that_a_group_does_not_have_yet_is_nothing_that_it_reaches() {
    let mut present = made(&[group("group-admin-shop", 1..=3)]);
    for found in &mut present.groups {
        found.attached.clear();
    }
    let come = followed(&present, &[400], &[group("group-admin-shop", [400])]);
    assert_eq!(reached(&come, "group-admin-shop"), BTreeSet::from([role(400)]));
}

fn section() -> JumpGroups {
    let (groups, made_of) = (vec![group("group-admin", [1])], MadeOf::Everybody);
    JumpGroups::Known { account: account(), groups, made_of, notes: Vec::new() }
}

fn details(present: &GroupsAndPolicies) -> GetAccountAuthorizationDetailsOutput {
    let attached = |arn: &String| AttachedPolicy::builder().policy_arn(arn).build();
    let groups = present.groups.iter().map(|group| {
        let attached = group.attached.iter().map(attached).collect();
        let detail = GroupDetail::builder().group_name(&group.name).path(&group.path);
        detail.set_attached_managed_policies(Some(attached)).build()
    });
    let policies = present.policies.iter().map(|policy| {
        let document = utf8_percent_encode(&policy.document, NON_ALPHANUMERIC).to_string();
        let version = PolicyVersion::builder().document(document).version_id("v1").is_default_version(true).build();
        let detail = ManagedPolicyDetail::builder().policy_name(&policy.name).arn(&policy.arn).path(&policy.path);
        detail.attachment_count(policy.attachments).policy_version_list(version).build()
    });
    let output = GetAccountAuthorizationDetailsOutput::builder().set_group_detail_list(Some(groups.collect()));
    output.set_policies(Some(policies.collect())).build()
}

fn reads(answers: &[GroupsAndPolicies]) -> Rule {
    let rule = mock!(Client::get_account_authorization_details).sequence();
    answers.iter().cloned().fold(rule, |rule, present| rule.output(move || details(&present))).build()
}

fn writes() -> [Rule; 2] {
    [
        mock!(Client::create_policy).then_output(|| CreatePolicyOutput::builder().build()),
        mock!(Client::create_group).then_output(|| CreateGroupOutput::builder().build()),
    ]
}

#[tokio::test]
async fn a_compliant_account_costs_one_read() {
    let present = made(&[group("group-admin", [1])]);
    let scope = Rules { iam: &[&reads(&[present])], ..Rules::default() }.member();
    assert_eq!(run(&JumpGroupsControl, &scope, &section(), Mode::Apply).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["GetAccountAuthorizationDetails"]);
}

#[tokio::test]
async fn missing_groups_are_made_and_read_back() {
    let attach = mock!(Client::attach_group_policy).then_output(|| AttachGroupPolicyOutput::builder().build());
    let [policy, group_rule] = writes();
    let reads = reads(&[GroupsAndPolicies::default(), made(&[group("group-admin", [1])])]);
    let scope = Rules { iam: &[&reads, &policy, &group_rule, &attach], ..Rules::default() }.member();
    let Outcome::Fixed { applied } = run(&JumpGroupsControl, &scope, &section(), Mode::Apply).await else { panic!() };
    assert_eq!(applied.len(), 5, "{applied:?}");
    assert_eq!((policy.num_calls(), group_rule.num_calls(), attach.num_calls()), (2, 1, 2));
}

#[tokio::test]
async fn a_group_that_is_not_known_everywhere_yet_is_a_matter_of_time_and_what_went_through_is_named() {
    let attach = mock!(Client::attach_group_policy).then_error(|| {
        let absent = NoSuchEntityException::builder().message("none").meta(said("NoSuchEntity", "none")).build();
        AttachGroupPolicyError::NoSuchEntityException(absent)
    });
    let [policy, group_rule] = writes();
    let reads = reads(&[GroupsAndPolicies::default(), GroupsAndPolicies::default()]);
    let scope = Rules { iam: &[&reads, &policy, &group_rule, &attach], ..Rules::default() }.member();
    let (cause, applied) = stopped(run(&JumpGroupsControl, &scope, &section(), Mode::Apply).await);
    assert_eq!((cause, applied.len()), (Cause::NotVisibleYet, 3));
}

#[tokio::test]
async fn a_denied_read_is_unknown() {
    let read = mock!(Client::get_account_authorization_details)
        .then_error(|| GetAccountAuthorizationDetailsError::generic(denied()));
    let scope = Rules { iam: &[&read], ..Rules::default() }.member();
    assert_eq!(stopped(run(&JumpGroupsControl, &scope, &section(), Mode::Apply).await).0, Cause::AccessDenied);
}

#[tokio::test]
async fn accounts_that_could_not_be_listed_leave_the_groups_as_they_are() {
    let scope = Rules::default().member();
    let unknown = JumpGroups::Unknown(Failure::new(Cause::NoTimeLeft));
    assert_eq!(stopped(run(&JumpGroupsControl, &scope, &unknown, Mode::Apply).await).0, Cause::NoTimeLeft);
    assert!(scope.1.calls().is_empty());
}
