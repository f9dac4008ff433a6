//! What must be true of every run, whatever goes wrong in it. Each is a function with a sentence.

mod access;
mod accounts;
mod closings;
mod controls;
mod hostile;
mod large;
mod locks;
mod messages;
mod passwords;
mod places;
mod regions;
mod requests;
mod sweeps;
mod updates;
mod users;

use std::{borrow::Cow, collections::BTreeMap};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    cloud::{PublishedEvent, State},
    document::{PROTECTED, SEALED},
    fault::Kind,
    run::{Asked, Seen, address, dead_letters},
    script::{Act, Item, Script},
};

pub(crate) use passwords::is_reviewed_wrongly;
pub(crate) use updates::is_untrue;
pub(crate) use users::is_user_untrue;

/// How long an invocation of a function that people wait for lasts here at most, its cold start included.
const LASTS: SignedDuration = SignedDuration::from_secs(302);

/// An invariant that broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name.
    pub name: &'static str,
    /// What must be true.
    pub sentence: &'static str,
    /// What was found.
    pub found: String,
}

/// Everything that a run has shown.
struct Look<'a> {
    script: &'a Script,
    state: &'a State,
    seen: &'a Seen,
    /// The records of requests, by address.
    requests: BTreeMap<String, Value>,
}

type Check = for<'a> fn(&Look<'a>) -> Option<String>;

/// Declares every invariant: where it is looked at, and its sentence. Its name is the function's.
macro_rules! invariants {
    ($($group:ident::$name:ident $sentence:literal,)*) => {
        const ALL: &[(&str, &str, Check)] = &[$((stringify!($name), $sentence, $group::$name),)*];
    };
}

invariants! {
    requests::one_account_per_address "Never are there two accounts for one address.",
    requests::no_second_call "AWS is never asked again for an address while it is at it, or after it has made the account.",
    requests::every_request_is_answered "Every request is recorded or told to be refused, and none is refused for Steward's own speed.",
    requests::every_request_ends "Every admitted request ends, once faults have ended.",
    requests::no_failure_without_a_reason "A request fails only for a reason that lies outside of Steward.",
    requests::every_end_is_announced "Every end of a request is told on the bus.",
    requests::ready_is_true "An answer READY names an account that is active.",
    requests::a_copy_is_no_request "An old copy of a request starts no new attempt.",
    requests::places_are_given_back "When all is done, nobody holds a place among the accounts in flight.",
    requests::accounts_are_as_asked "An account is READY with the name, the tags and the unit that were asked for.",
    requests::the_daily_cap_is_kept "No day admits more requests than it may.",
    requests::no_creation_is_one_too_many "AWS never has to refuse a creation because others are in flight.",
    requests::who_waits_looks_ever_more_seldom "Without a failure from outside, no request is looked at more than every ten seconds, but for the first times.",
    requests::every_account_is_announced_once "Without a failure from outside, every account that was made is told once.",
    accounts::every_new_account_has_its_baseline "Every account that Steward has made gets its baseline.",
    accounts::applied_is_true "Whoever is said to have its baseline has it at that time.",
    accounts::every_joined_account_has_its_baseline "Every account that joins gets its baseline.",
    accounts::plans_write_nothing "In plan mode nothing is written.",
    accounts::rows_are_not_throttled "No row is unknown because of Steward's own speed.",
    accounts::old_accounts_are_left_alone "What was there before Steward is changed only by a person or as the document says.",
    accounts::one_writer_at_a_time "No sweep remediates an account whose baseline is being applied.",
    accounts::ours_are_known "No account that Steward has made is taken for one that joined.",
    accounts::closed_and_sealed_accounts_are_not_entered "Nobody asks for a session in an account that is closed, or that the stack protects.",
    accounts::protected_accounts_are_not_changed "An account that the document protects is not changed.",
    accounts::nobody_is_given_a_baseline_twice "Unless something comes late, nobody is given a baseline twice.",
    accounts::nobody_is_told_twice_what_a_baseline_lacks "Unless something comes late, nobody is told twice that an account lacks its baseline.",
    accounts::tags_are_as_the_document_says "Whoever has tags of the document has those that the document asks for, and no others.",
    messages::queues_run_empty "No message stays in a queue for ever.",
    messages::nothing_is_given_up "Without a failure from outside, nothing ends among the dead letters.",
    messages::dead_letters_can_be_sent_again "Once faults have ended and the document is corrected, every dead letter can be sent again and comes to its end.",
    messages::no_dead_letter_is_lost "No dead letter is removed before it was sent again.",
    messages::nothing_is_told_twice "Without a failure from outside, no activity is told twice.",
    messages::everything_is_allowed "No function makes a call that its role does not allow, or that is not simulated.",
    messages::failures_are_mailed "Of every failed request people hear by mail, soon after what keeps mails from them is over.",
    messages::what_is_watched_is_reported "Of everything that people are to hear of they hear, by mail where it matters.",
    messages::every_power_is_journaled_and_mailed "Whoever acts as the root user of an account is in the journal, and people hear of it by mail.",
    messages::every_root_session_is_recorded "Whatever is done as a root user is done in a session that the table knows before.",
    messages::second_factors_go_last "No root user loses its second factor while it has something that this guards.",
    messages::no_secret_is_shown "No answer, event, mail, object or item of the table holds a secret.",
    messages::nobody_is_mailed_twice "Without a failure from outside, no mail is sent twice.",
    sweeps::sweeps_end_in_a_report "Every sweep ends in a report.",
    sweeps::history_is_kept "A report that is published again compares with the same report as before.",
    sweeps::every_account_is_reported_once "Every account stands in every report, once.",
    sweeps::every_account_is_looked_at "Without a failure from outside, a report has rows of every account that can be entered.",
    sweeps::rows_are_true "What a report says of an account was true at some moment of its sweep.",
    sweeps::no_sweep_hears_late "No sweep takes an account for one that nobody has heard of when it has its baseline.",
    sweeps::since_is_kept "What is wrong in two reports, one after the other, is wrong since the same time in both.",
    closings::nothing_is_closed_unasked "No account is closed that nobody has asked Steward to close, or whose closing was called off in time.",
    closings::accounts_cool_off "No account is closed before its cooling-off time has ended.",
    closings::some_are_never_closed "Nothing is done to close the management account, a protected account, or one that administers a service.",
    closings::every_closing_ends "Every closing that was asked for ends and is known to be told, once faults have ended.",
    closings::no_closing_fails_without_a_reason "A closing fails only because people have moved the account away, and says so.",
    closings::every_end_is_told "Every end of a closing is told on the bus.",
    closings::every_end_is_told_once "Without a failure from outside, every end of a closing is told once.",
    closings::what_is_told_of_ends_is_true "Who is said to be closed is closed, by whom it is said, and who is said to be kept is not.",
    closings::kept_accounts_are_back "An account that was kept is where people are told that it is, without its mark.",
    closings::nobody_is_marked_for_nothing "No account is marked as one that is to be closed when nobody is closing it.",
    closings::no_closing_is_one_too_many "AWS never has to refuse a closing because of Steward's own closings.",
    closings::a_quota_that_is_used_up_is_left_alone "When AWS has said that it closes no more, it is not asked again for an hour, unless the account that it said so of is called off.",
    closings::every_change_is_journaled "The journal has a row before each call that closes an account, or calls that off.",
    closings::people_know_before "No account is closed before people were told that it will be.",
    closings::who_asks_is_answered "Without a failure from outside, who asks about closings is answered.",
    updates::names_and_addresses_are_as_asked "An account has the name and the address that it had, or that a person has asked for.",
    updates::plans_change_no_names_and_addresses "Who plans names and addresses, or looks at them, writes nothing.",
    updates::protected_accounts_keep_their_names "No account that is protected or closed gets another name, and no code is mailed for one.",
    updates::what_the_updater_answers_is_true "What is answered as done of names and addresses is so at that time.",
    updates::every_change_of_an_address_ends_and_is_told "Every change of an address comes to its end, true and told, or people hear that its code ends.",
    updates::who_gives_no_code_is_told_of_once "Without a failure from outside at that time, people hear once of each code that nobody gives.",
    updates::no_code_is_asked_for_by_itself "AWS mails a code as often as people ask for one, and not more.",
    updates::what_is_changed_stands_in_the_journal "Whatever is done to a name or an address stands in the journal before.",
    updates::no_code_is_shown "No line, answer, event, mail, message, object or item of the table holds a code out of a mail.",
    updates::what_has_another_address_is_not_ready "A request that was READY is not taken for an account that has given its address up.",
    places::who_is_said_to_be_as_asked_is_so_at_its_last_place "Whoever is said to be as the document asks, after the last move, is so at its last place; otherwise a sweep reports it.",
    places::an_override_that_matches_nothing_is_reported "A sweep that finds an override that matches nothing says so, in its report and on the bus.",
    places::nobody_changes_accounts_by_an_override_that_matches_nothing "Nobody changes accounts by a document whose override matches nothing.",
    places::nobody_enters_an_account_that_has_left_or_was_closed "Nobody asks for a session in an account that has left or was closed, once AWS has said so.",
    hostile::no_subject_holds_what_a_member_wrote "The subject of a mail is a short plain line, and holds nothing that a member wrote.",
    hostile::no_mail_holds_a_control_character "No mail holds a control character.",
    hostile::reports_show_what_members_wrote_as_text "Whatever members wrote, reports are whole, and it stands in them as text.",
    hostile::sessions_ask_for_no_more_than_the_document_needs "No session in a member is asked for that may do more than the document needs.",
    hostile::a_hostile_member_harms_nobody_else "What a member does to itself leaves nothing unknown in the reports of others.",
    controls::whoever_has_its_baseline_has_every_control "Whoever is said to have its baseline has all that the document asks for at that time.",
    controls::rows_of_controls_are_true "What a report says of a control was so at some moment of its sweep.",
    controls::answers_about_controls_are_true "What a person is answered about a control was so at some moment of the invocation.",
    controls::nothing_is_changed_that_nobody_asks_for "Of accounts nothing is changed but what the document asks for, by whom it says, and nothing of protected ones.",
    controls::old_accounts_keep_their_settings "What was there before Steward keeps its settings until a person or the document says otherwise.",
    controls::everybody_has_every_control_after_an_apply "After an apply to all without a failure from outside, everybody has what the document asks for, or AWS is at it.",
    controls::sweeps_put_right_what_has_drifted "Where the document has sweeps put things right, and nothing fails, they leave nothing drifted.",
    controls::accounts_are_moved_only_to_where_the_document_has_them "Who works by the document moves accounts only to where that has them, and none that is there.",
    controls::budgets_keep_what_they_count "A budget that is corrected counts the charges that it counted before.",
    controls::nobody_is_locked_out "The management account may always assume the access role of an account whose trust was corrected.",
    controls::account_management_is_hardly_throttled "Without a failure from outside, hardly a call about contacts, regions or alarms is throttled.",
    controls::what_is_undone_is_seen_by_the_next_sweep "What is not as the document asks during a whole sweep is not taken for compliant.",
    large::sweeps_take_no_longer_than_their_lists "A sweep takes no longer than AWS takes to list so many accounts and units, and a while.",
    large::sweeps_keep_to_the_published_rates "Hardly a call of a sweep is throttled.",
    users::what_is_answered_of_users_is_true "What is answered as done with a user, and what is shown of users, is so at that time.",
    users::users_are_changed_as_asked "Nobody is made, changed or removed, or comes into a group, unless somebody has asked for just that.",
    users::users_of_others_are_left_alone "A user outside of Steward's path is never touched.",
    users::plans_change_no_users "Who plans for users, or looks at them, changes nothing.",
    users::nobody_signs_in_without_safe_groups "Nobody gets into a group that asks for no second factor, or a password before the groups.",
    users::no_one_time_password_is_shown "No line, answer, event, mail, message, object or item of the table holds a one-time password.",
    users::every_change_of_a_user_is_in_the_journal "The journal has a row before each change of a user and one of what came of it, which is told.",
    users::who_asks_about_users_is_answered "Without a failure from outside, who asks about users is answered, and nothing fails.",
    users::people_hear_of_users_who_get_power "Without a failure from outside, people hear by mail of each change of a user but of who is gone.",
    users::reviews_are_told_once_a_day "Without a failure from outside, a review is told once a day, and mailed when it names somebody.",
    passwords::nobody_loses_a_password_that_waits "A password that waits for its first use is taken from nobody before its time.",
    passwords::passwords_that_are_over_let_nobody_in "After the daily run no one-time password is left that was used or has waited too long, and none that nobody has.",
    locks::policies_are_as_answered "What is said of a policy that was removed or put back is so.",
    locks::removed_policies_can_be_put_back "No policy is removed without a backup that the journal knows.",
    locks::policies_are_changed_as_asked "No policy is removed or put back that nobody has asked for.",
    locks::who_unlocks_is_answered "Without a failure from outside, whoever removes a policy or puts it back is told that it is done.",
    regions::every_change_of_a_region_is_told "Every change of a region is told, unless AWS itself has not told it.",
    regions::no_change_of_a_region_is_told_twice "Without a failure from outside, no change of a region is told twice.",
    regions::what_is_told_of_regions_is_true "What is told of a region was so, and is judged as the document says.",
    regions::who_has_asked_is_true "Whoever is said to have asked for a region has asked for it last.",
    regions::violations_are_mailed "Without a failure from outside, people hear by mail of each region against the document, and of no other.",
    regions::regions_are_put_right "A region against the document that is said to be put right is, or people hear that it is not.",
    regions::nobody_changes_regions_unasked "No region is enabled or disabled but where the document says so, and none of an account that nobody may change.",
    access::nobody_gets_in_unasked "No group comes to reach an account that the document does not give to its project.",
    access::groups_follow_their_accounts "Whatever comes under a project or leaves it, its groups reach it in the end or no longer, or people are told.",
    access::groups_are_whole_after_an_apply "After an apply to all without a failure from outside, groups reach what the document gives, with a second factor alone.",
    access::sweeps_put_groups_right "Where the document has sweeps put groups right, and nothing fails, they undo what somebody has tampered with.",
    access::groups_of_others_are_left_alone "A group outside of Steward's path is never changed.",
}

/// The invariants that do not hold.
pub(crate) fn broken(script: &Script, state: &State, seen: &Seen) -> Vec<Broken> {
    let records = state.table.records("request#");
    let requests = records.map(|(_, record)| (record["spec"]["email"].as_str().unwrap_or_default().to_owned(), record));
    let look = Look { script, state, seen, requests: requests.collect() };
    let found = ALL.iter().filter_map(|(name, sentence, check)| Some(Broken { name, sentence, found: check(&look)? }));
    found.collect()
}

/// A time as texts say it.
fn at(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

impl Look<'_> {
    /// Whether calls fail in this run for reasons from outside.
    fn has_call_faults(&self) -> bool {
        self.has_fault(Kind::is_of_work)
    }

    /// Whether a failure from outside throttles calls at this time or within the minute that an invocation may take.
    fn is_throttled_from_outside(&self, at: Timestamp) -> bool {
        let second = self.state.second_of(at);
        self.script.items.iter().any(|item| {
            matches!(item, Item::Fault(fault) if fault.kind == Kind::Throttled
                && fault.from <= second + 60 && second < fault.until())
        })
    }

    fn has_event_faults(&self) -> bool {
        self.has_fault(|kind| Kind::OF_EVENTS.contains(&kind))
    }

    fn has_fault(&self, is_it: impl Fn(Kind) -> bool) -> bool {
        self.script.items.iter().any(|item| matches!(item, Item::Fault(fault) if is_it(fault.kind)))
    }

    fn does(&self, wanted: impl Fn(&Act) -> bool) -> bool {
        self.script.items.iter().any(|item| matches!(item, Item::Act(_, act) if wanted(act)))
    }

    fn published(&self, kind: &'static str) -> impl Iterator<Item = &PublishedEvent> {
        self.state.published.iter().filter(move |published| published.kind == kind)
    }

    /// Whether a mail says this.
    fn is_mailed(&self, text: &str) -> bool {
        self.state.mails.iter().any(|(_, mail)| mail["Message"].as_str().unwrap_or_default().contains(text))
    }

    /// Whether whoever has asked for an account was told that there will be none, or nobody can tell.
    fn is_refused(&self, asked: &Asked) -> bool {
        let email = address(asked.person);
        let was_answered = match &asked.answer {
            Some(Ok(answer)) => answer["state"] == "REFUSED",
            Some(Err(_)) => true,
            None => false,
        };
        let mut refusals = self.published("AccountCreationFailed").filter(|published| published.at >= asked.at);
        was_answered
            || refusals.any(|published| published.detail["email"] == email.as_str())
            || self.was_given_up(&email)
    }

    /// What a run has shown, kept or mailed, as texts.
    fn texts(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let state = self.state;
        let lines = state.lines.iter().map(|line| Cow::from(&line.what));
        let mails = state.mails.iter().map(|(_, mail)| mail.to_string().into());
        let items = state.table.items().values().map(|item| format!("{item:?}").into());
        let objects = state.buckets.values().flat_map(|bucket| bucket.0.values().flatten());
        lines.chain(mails).chain(items).chain(objects.map(|version| String::from_utf8_lossy(&version.content)))
    }

    /// The accounts that nobody may change: of the stack, and of the documents of larger organizations.
    fn protected(&self) -> impl Iterator<Item = &str> {
        [SEALED].into_iter().chain((self.script.accounts >= 10).then_some(PROTECTED))
    }

    /// Whether a person has let an account go to this address, or from it.
    fn went_to_or_from(&self, email: &str) -> bool {
        let profiles = self.state.organization.profiles.values();
        profiles.into_iter().any(|profile| {
            let is_to = profile.updates.iter().any(|it| it.email == email && it.accepted_at.is_some());
            is_to || profile.addresses.had(email)
        })
    }

    /// Whether a document with a mistake was read before anybody had recorded a good one: then there is none to go by.
    fn lacks_document(&self) -> bool {
        let refused_at = self.published("BaselineDocumentRefused").map(|published| published.at).min();
        refused_at.is_some_and(|refused_at| {
            self.state.table.good_document_at.is_none_or(|recorded_at| recorded_at > refused_at)
        })
    }

    fn was_given_up(&self, text: &str) -> bool {
        dead_letters(self.state).iter().any(|(_, message)| message.body.contains(text))
    }
}
