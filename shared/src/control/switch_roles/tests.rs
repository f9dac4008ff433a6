use aws_sdk_iam::{
    Client,
    operation::{
        attach_role_policy::{AttachRolePolicyError, AttachRolePolicyOutput},
        create_role::{CreateRoleError, CreateRoleOutput},
        detach_role_policy::DetachRolePolicyOutput,
        get_role::{GetRoleError, GetRoleOutput},
        list_attached_role_policies::{ListAttachedRolePoliciesError, ListAttachedRolePoliciesOutput},
        update_assume_role_policy::UpdateAssumeRolePolicyOutput,
        update_role::UpdateRoleOutput,
    },
    types::{AttachedPermissionsBoundary, AttachedPolicy, Role, error::NoSuchEntityException},
};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, run, stopped},
    },
    gateway::testing::{denied, said},
};

const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const OTHER: &str = "arn:aws:iam::aws:policy/IAMFullAccess";

/// A section of one role.
fn section() -> SwitchRoles {
    let text = json!({
        "jump_account": "111111111111",
        "roles": [{"name": "role-admin", "managed_policies": [ADMIN]}],
    });
    serde_json::from_value(text).unwrap()
}

fn trust() -> TrustPolicy {
    TrustPolicy::of_people(section().jump_account.as_ref(), None, None)
}

fn wide_trust() -> TrustPolicy {
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string().parse().unwrap()
}

fn present(trust: TrustPolicy, policies: &[&str]) -> PresentRole {
    let managed_policies = policies.iter().map(ToString::to_string).collect();
    PresentRole {
        path: "/".into(),
        trust,
        session_seconds: 3600,
        description: None,
        managed_policies,
        permissions_boundary: None,
    }
}

fn in_words(desired: &SwitchRoles, actual: PresentRole) -> Vec<String> {
    plan(desired, &vec![Some(actual)]).iter().map(ToString::to_string).collect()
}

fn role(trust: &TrustPolicy) -> GetRoleOutput {
    let document = utf8_percent_encode(&trust.to_json(), NON_ALPHANUMERIC).to_string();
    let role = Role::builder().path("/").role_name("role-admin").role_id("AROA").create_date(DateTime::from_secs(0));
    let role = role.arn("arn:aws:iam::222222222222:role/role-admin").assume_role_policy_document(document);
    GetRoleOutput::builder().role(role.max_session_duration(3600).build().unwrap()).build()
}

fn no_role() -> GetRoleError {
    GetRoleError::NoSuchEntityException(NoSuchEntityException::builder().message("none").build())
}

fn policies(arns: &[&str]) -> ListAttachedRolePoliciesOutput {
    let policies = arns.iter().map(|arn| AttachedPolicy::builder().policy_arn(*arn).build()).collect();
    ListAttachedRolePoliciesOutput::builder().set_attached_policies(Some(policies)).build()
}

fn no_policies() -> ListAttachedRolePoliciesError {
    ListAttachedRolePoliciesError::NoSuchEntityException(NoSuchEntityException::builder().message("none").build())
}

fn creates() -> Rule {
    mock!(Client::create_role)
        .match_requests(|r| {
            let trust_is_right = r.assume_role_policy_document().unwrap().parse::<TrustPolicy>().unwrap() == trust();
            trust_is_right
                && (r.role_name(), r.path()) == (Some("role-admin"), Some("/"))
                && r.max_session_duration() == Some(3600)
        })
        .then_output(|| {
            let role = role(&trust()).role.unwrap();
            CreateRoleOutput::builder().role(role).build()
        })
}

fn attaches() -> Rule {
    mock!(Client::attach_role_policy)
        .match_requests(|r| (r.role_name(), r.policy_arn()) == (Some("role-admin"), Some(ADMIN)))
        .then_output(|| AttachRolePolicyOutput::builder().build())
}

#[test]
fn a_section_that_names_the_jump_account_alone_asks_for_three_roles() {
    let desired: SwitchRoles = serde_json::from_value(json!({"jump_account": "111111111111"})).unwrap();
    let names: Vec<_> = desired.roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ["role-admin", "role-developer", "role-operator"]);
    assert_eq!((desired.path.as_str(), desired.exclusive), ("/", false));
}

#[test]
fn a_wider_trust_is_shown_in_words_and_corrected_before_anything_is_attached() {
    assert_eq!(
        in_words(&section(), present(wide_trust(), &[])),
        [
            "correct who may assume role-admin: remove [Allow sts:AssumeRole to AWS *], \
             add [Allow sts:AssumeRole to AWS 111111111111 if Bool aws:MultiFactorAuthPresent true]",
            "attach arn:aws:iam::aws:policy/AdministratorAccess to role-admin",
        ]
    );
}

#[test]
fn additional_policies_are_a_note_unless_the_section_is_exclusive() {
    let role = present(trust(), &[ADMIN, OTHER]);
    assert!(in_words(&section(), role.clone()).is_empty());
    assert_eq!(notes(&section(), &vec![Some(role.clone())]), [format!("role-admin also has {OTHER}")]);
    let exclusive = SwitchRoles { exclusive: true, ..section() };
    assert_eq!(in_words(&exclusive, role.clone()), [format!("detach {OTHER} from role-admin")]);
    assert!(notes(&exclusive, &vec![Some(role)]).is_empty());
}

#[test]
fn an_external_id_a_session_length_and_a_path_are_compared() {
    let desired = SwitchRoles { external_id: Some("secret".into()), ..section() };
    assert!(in_words(&desired, present(trust(), &[ADMIN]))[0].contains("StringEquals sts:ExternalId secret"));
    let longer = PresentRole { session_seconds: 7200, ..present(trust(), &[ADMIN]) };
    assert_eq!(in_words(&section(), longer), ["correct the longest session of role-admin: 7200 -> 3600 s"]);
    let elsewhere = PresentRole { path: "/people/".into(), ..present(trust(), &[ADMIN]) };
    assert!(in_words(&section(), elsewhere.clone()).is_empty());
    assert!(notes(&section(), &vec![Some(elsewhere)])[0].starts_with("role-admin stands at /people/"));
}

#[test]
fn roles_are_made_together_and_policies_of_one_role_are_attached_one_by_one() {
    let mut desired = section();
    let mut second = desired.roles[0].clone();
    second.name = "role-developer".parse().unwrap();
    second.managed_policies.push(OTHER.into());
    desired.roles.push(second);
    let changes = plan(&desired, &vec![None, None]);
    let groups: Vec<_> = changes.chunk_by(|a, b| SwitchRolesControl.are_concurrent(a, b)).map(<[_]>::len).collect();
    assert_eq!(groups, [2, 2, 1]);
}

fn by_hand(desired: &SwitchRoles, actual: PresentRole) -> Vec<String> {
    SwitchRolesControl.by_hand(desired, &vec![Some(actual)])
}

#[test]
fn a_boundary_other_than_the_sections_is_left_to_people() {
    const BOUNDARY: &str = "arn:aws:iam::222222222222:policy/bounds";
    let bounded = PresentRole { permissions_boundary: Some(BOUNDARY.into()), ..present(trust(), &[ADMIN]) };
    let off = format!("take the permissions boundary {BOUNDARY} off role-admin, or name it as permissions_boundary");
    assert_eq!(by_hand(&section(), bounded.clone()), [off]);
    assert!(in_words(&section(), bounded.clone()).is_empty());
    let desired = SwitchRoles { permissions_boundary: Some(BOUNDARY.into()), ..section() };
    assert!(by_hand(&desired, bounded.clone()).is_empty());
    let on = format!("bound role-admin by {BOUNDARY}");
    assert_eq!(by_hand(&desired, present(trust(), &[ADMIN])), std::slice::from_ref(&on));
    let other = PresentRole { permissions_boundary: Some(OTHER.into()), ..bounded };
    assert_eq!(by_hand(&desired, other), [on]);
    let created = plan(&desired, &vec![None])[0].to_string();
    assert!(created.ends_with(&format!(", bounded by {BOUNDARY}")), "{created}");
}

#[test]
fn a_policy_of_aws_that_denies_everything_is_drift() {
    const DENY_ALL: &str = "arn:aws:iam::aws:policy/AWSDenyAll";
    let role = present(trust(), &[ADMIN, DENY_ALL]);
    let named = format!("detach {DENY_ALL} from role-admin, which it denies everything");
    assert_eq!(by_hand(&section(), role.clone()), [named]);
    let exclusive = SwitchRoles { exclusive: true, ..section() };
    assert!(by_hand(&exclusive, role.clone()).is_empty());
    assert_eq!(in_words(&exclusive, role), [format!("detach {DENY_ALL} from role-admin")]);
    assert!(by_hand(&section(), present(trust(), &[ADMIN, OTHER])).is_empty());
}

/// A trust that is too wide, and a statement by which somebody has locked everybody out.
fn locked_trust() -> TrustPolicy {
    let statement = |effect: &str| json!({"Effect": effect, "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"});
    json!({"Version": "2012-10-17", "Statement": [statement("Deny"), statement("Allow")]}).to_string().parse().unwrap()
}

#[tokio::test]
async fn a_statement_that_denies_survives_a_correction_and_keeps_the_role_from_being_compliant() {
    let locked = || trust().with_denials_of(&locked_trust());
    let get = mock!(Client::get_role).sequence().output(|| role(&locked_trust())).output(move || role(&locked()));
    let get = get.build();
    let list = mock!(Client::list_attached_role_policies).then_output(|| policies(&[ADMIN]));
    let put_trust = mock!(Client::update_assume_role_policy)
        .match_requests(move |r| r.policy_document().unwrap().parse::<TrustPolicy>().unwrap() == locked())
        .then_output(|| UpdateAssumeRolePolicyOutput::builder().build());
    let scope = Rules { iam: &[&get, &list, &put_trust], ..Rules::default() }.member();
    let outcome = run(&SwitchRolesControl, &scope, &section(), Mode::Apply).await;
    let Outcome::NotConverged { applied, remaining } = outcome else { panic!("{outcome:?}") };
    assert!(applied.len() == 1 && !applied[0].contains("Deny"), "{applied:?}");
    assert_eq!(
        remaining,
        [
            "by hand: take [Deny sts:AssumeRole to AWS *] out of who may assume role-admin, or delete the role to have a \
          new one made"
        ]
    );
}

#[tokio::test]
async fn a_bounded_role_is_drift_in_a_plan_and_costs_no_more_calls() {
    let get = mock!(Client::get_role).then_output(|| {
        let mut output = role(&trust());
        let boundary = AttachedPermissionsBoundary::builder().permissions_boundary_arn(OTHER).build();
        output.role.as_mut().unwrap().permissions_boundary = Some(boundary);
        output
    });
    let list = mock!(Client::list_attached_role_policies).then_output(|| policies(&[ADMIN]));
    let scope = Rules { iam: &[&get, &list], ..Rules::default() }.member();
    let outcome = run(&SwitchRolesControl, &scope, &section(), Mode::Plan).await;
    assert!(matches!(&outcome, Outcome::Drifted { planned } if planned[0].contains(OTHER)), "{outcome:?}");
    assert_eq!(scope.1.calls(), ["GetRole", "ListAttachedRolePolicies"]);
}

#[tokio::test]
async fn a_role_that_somebody_made_first_is_looked_at_again() {
    let get = mock!(Client::get_role).sequence().error(no_role).output(|| role(&trust())).build();
    let list = mock!(Client::list_attached_role_policies).sequence();
    let list = list.error(no_policies).output(|| policies(&[ADMIN])).build();
    let taken = mock!(Client::create_role)
        .then_error(|| CreateRoleError::generic(said("EntityAlreadyExists", "Role with name role-admin exists")));
    let scope = Rules { iam: &[&get, &list, &taken], ..Rules::default() }.member();
    let outcome = run(&SwitchRolesControl, &scope, &section(), Mode::Apply).await;
    assert!(matches!(&outcome, Outcome::Fixed { applied } if applied.len() == 1), "{outcome:?}");
}

#[tokio::test]
async fn a_compliant_role_costs_two_reads() {
    let get = mock!(Client::get_role).then_output(|| role(&trust()));
    let list = mock!(Client::list_attached_role_policies).then_output(|| policies(&[ADMIN]));
    let scope = Rules { iam: &[&get, &list], ..Rules::default() }.member();
    assert_eq!(run(&SwitchRolesControl, &scope, &section(), Mode::Apply).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["GetRole", "ListAttachedRolePolicies"]);
}

#[tokio::test]
async fn a_missing_role_is_made_with_its_trust_and_policies_and_read_back() {
    let get = mock!(Client::get_role).sequence().error(no_role).output(|| role(&trust())).build();
    let list = mock!(Client::list_attached_role_policies).sequence();
    let list = list.error(no_policies).output(|| policies(&[ADMIN])).build();
    let scope = Rules { iam: &[&get, &list, &creates(), &attaches()], ..Rules::default() }.member();
    let outcome = run(&SwitchRolesControl, &scope, &section(), Mode::Apply).await;
    assert!(matches!(&outcome, Outcome::Fixed { applied } if applied.len() == 2), "{outcome:?}");
    let reads = ["GetRole", "ListAttachedRolePolicies"];
    assert_eq!(scope.1.calls(), [reads.as_slice(), &["CreateRole", "AttachRolePolicy"], &reads].concat());
}

#[tokio::test]
async fn a_present_role_is_corrected_in_every_respect() {
    let get = mock!(Client::get_role).sequence().output(|| {
        let mut output = role(&wide_trust());
        output.role.as_mut().unwrap().max_session_duration = Some(43200);
        output
    });
    let get = get.output(|| role(&trust())).build();
    let list = mock!(Client::list_attached_role_policies).sequence();
    let list = list.output(|| policies(&[OTHER])).output(|| policies(&[ADMIN])).build();
    let put_trust = mock!(Client::update_assume_role_policy)
        .match_requests(|r| r.policy_document().unwrap().parse::<TrustPolicy>().unwrap() == trust())
        .then_output(|| UpdateAssumeRolePolicyOutput::builder().build());
    let session = mock!(Client::update_role)
        .match_requests(|r| r.max_session_duration() == Some(3600) && r.description().is_none())
        .then_output(|| UpdateRoleOutput::builder().build());
    let detach = mock!(Client::detach_role_policy)
        .match_requests(|r| r.policy_arn() == Some(OTHER))
        .then_output(|| DetachRolePolicyOutput::builder().build());
    let scope = Rules { iam: &[&get, &list, &put_trust, &session, &detach, &attaches()], ..Rules::default() }.member();
    let exclusive = SwitchRoles { exclusive: true, ..section() };
    let outcome = run(&SwitchRolesControl, &scope, &exclusive, Mode::Apply).await;
    assert!(matches!(&outcome, Outcome::Fixed { applied } if applied.len() == 4), "{outcome:?}");
    let reads = ["GetRole", "ListAttachedRolePolicies"];
    let writes = ["UpdateAssumeRolePolicy", "UpdateRole", "DetachRolePolicy", "AttachRolePolicy"];
    assert_eq!(scope.1.calls(), [reads.as_slice(), &writes, &reads].concat());
}

#[tokio::test]
async fn plan_mode_writes_nothing() {
    let get = mock!(Client::get_role).then_error(no_role);
    let list = mock!(Client::list_attached_role_policies).then_error(no_policies);
    let scope = Rules { iam: &[&get, &list], ..Rules::default() }.member();
    let outcome = run(&SwitchRolesControl, &scope, &section(), Mode::Plan).await;
    assert!(matches!(&outcome, Outcome::Drifted { planned } if planned.len() == 2), "{outcome:?}");
    assert_eq!(scope.1.calls(), ["GetRole", "ListAttachedRolePolicies"]);
}

#[tokio::test]
async fn a_role_that_was_just_made_and_is_not_visible_yet_is_not_ready() {
    let missing = || {
        mock!(Client::attach_role_policy).then_error(|| AttachRolePolicyError::generic(said("NoSuchEntity", "none")))
    };
    let get = mock!(Client::get_role).then_error(no_role);
    let list = mock!(Client::list_attached_role_policies).then_error(no_policies);
    let scope = Rules { iam: &[&get, &list, &creates(), &missing()], ..Rules::default() }.member();
    let outcome = run(&SwitchRolesControl, &scope, &section(), Mode::Apply).await;
    assert!(matches!(outcome, Outcome::NotReady { .. }), "{outcome:?}");
    let (cause, applied) = stopped(outcome);
    assert_eq!((cause, applied.len()), (Cause::NotVisibleYet, 1));
    assert!(applied[0].starts_with("create the role role-admin: Allow sts:AssumeRole"), "{applied:?}");

    // A policy that an old role cannot be given does not exist.
    let get = mock!(Client::get_role).then_output(|| role(&trust()));
    let list = mock!(Client::list_attached_role_policies).then_output(|| policies(&[]));
    let scope = Rules { iam: &[&get, &list, &missing()], ..Rules::default() }.member();
    let outcome = run(&SwitchRolesControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::NotFound, vec![]));
}

#[tokio::test]
async fn a_denied_or_unreadable_role_is_unknown() {
    let list = mock!(Client::list_attached_role_policies).then_output(|| policies(&[]));
    let no = mock!(Client::get_role).then_error(|| GetRoleError::generic(denied()));
    let scope = Rules { iam: &[&no, &list], ..Rules::default() }.member();
    let outcome = run(&SwitchRolesControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::AccessDenied, vec![]));

    let garbled = mock!(Client::get_role).then_output(|| {
        let mut output = role(&trust());
        output.role.as_mut().unwrap().assume_role_policy_document = Some("%7B".into());
        output
    });
    let scope = Rules { iam: &[&garbled, &list], ..Rules::default() }.member();
    let outcome = run(&SwitchRolesControl, &scope, &section(), Mode::Apply).await;
    assert_eq!(stopped(outcome), (Cause::CallFailed, vec![]));
}

const APPLICATION: &str = "arn:aws:account-access:us-east-1:111122223333:application/app-0123456789abcdef";

#[test]
fn an_application_that_hands_out_roles_stands_beside_the_jump_account_or_instead_of_it() {
    let beside = SwitchRoles { account_access_application: Some(APPLICATION.to_owned()), ..section() };
    let instead = SwitchRoles { jump_account: None, ..beside.clone() };
    assert_eq!(beside.problems("$"), []);
    assert_eq!(instead.problems("$"), []);
    let words = beside.trust().to_string();
    let of_application = format!(
        "Allow sts:AssumeRole or sts:SetContext or sts:TagSession to Service account-access.amazonaws.com if StringEquals \
         aws:SourceAccount 111122223333 and StringEquals aws:SourceArn {APPLICATION}"
    );
    assert_eq!(instead.trust().to_string(), of_application);
    assert!(words.contains(&of_application) && words.contains("to AWS 111111111111"), "{words}");
    // What the section names is no drift, and what it does not name is.
    assert_eq!(in_words(&beside, present(beside.trust(), &[ADMIN])), Vec::<String>::new());
    let removed = in_words(&section(), present(beside.trust(), &[ADMIN]));
    assert!(removed.len() == 1 && removed[0].contains("remove [Allow sts:AssumeRole or sts:SetContext"), "{removed:?}");
    let removed = in_words(&instead, present(beside.trust(), &[ADMIN]));
    assert!(removed.len() == 1 && removed[0].contains("remove [Allow sts:AssumeRole to AWS"), "{removed:?}");
}

#[test]
fn a_section_that_lets_nobody_in_or_names_no_application_is_a_mistake() {
    let nobody = SwitchRoles { jump_account: None, ..section() };
    assert!(nobody.problems("$")[0].problem.contains("at least one of them is needed"));
    for wrong in ["", "arn:aws:account-access:us-east-1:1:application/a", "arn:aws:iam::111122223333:application/a"] {
        let section = SwitchRoles { account_access_application: Some(wrong.to_owned()), ..section() };
        assert_eq!(section.problems("$").len(), 1, "{wrong}");
    }
}

#[test]
fn a_description_is_kept_where_the_section_names_one() {
    let mut desired = section();
    let described = |text: &str| PresentRole { description: Some(text.to_owned()), ..present(trust(), &[ADMIN]) };
    assert_eq!(in_words(&desired, described("anything")), Vec::<String>::new());
    desired.roles[0].description = Some("On call".to_owned());
    assert_eq!(in_words(&desired, described("On call")), Vec::<String>::new());
    assert_eq!(in_words(&desired, described("old")), ["correct the description of role-admin to \"On call\""]);
    desired.roles[0].description = Some("two\nlines".to_owned());
    assert_eq!(desired.problems("$").len(), 1);
}
