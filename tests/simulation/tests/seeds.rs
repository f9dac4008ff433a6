//! Runs that must go well: seeds that once found a fault, and some more.

use simulation::{Script, play};

/// Seeds that have found something, and what; they run for ever.
const KNOWN: &[(u64, &str)] = &[
    (45, "of many requests at once, most are refused as throttled"),
    (86, "the same, while units are looked up"),
    (8, "rows of a person's apply are unknown, throttled by Steward itself"),
    (19, "the same"),
    (6, "a report that is published again forgets what it was compared with"),
    (11, "the same"),
    (14, "a document with a mistake, and functions that start cold"),
    (47, "the same, with functions that have not read a good one"),
    (3, "no mail for a quarter of an hour after a failure; an old copy starts an attempt"),
    (9, "a call that is denied in a new account's first seconds ends its baseline; READY of a closed account"),
    (24, "the first sweep takes accounts of the last two weeks for new"),
    (40, "READY of a closed account"),
    (4051, "an account gets the baseline of the unit that it has left a moment ago"),
    (224, "an account that leaves before it has its baseline leaves a dead letter that never comes to its end"),
    (950, "the subject of a mail holds what a member calls itself, in the place of the account's id"),
    (151, "a sweep puts right what is being given its baseline, since the news of the account came late"),
    (75, "an account that was renamed a moment ago is said to have the name that it had before"),
    (182, "a change of an address whose function was ended before it asked AWS stands open for ever"),
    (948, "an account that is asked to be closed again seconds after it was kept is taken to belong to that unit"),
    (5028, "news of an account that has given its address up come late, and stay among the dead letters for ever"),
    (158, "a change of an address ends, and whoever finds that is ended before it is told"),
];

/// Seeds of the closing of accounts that have found something, and what.
const KNOWN_CLOSINGS: &[(u64, &str)] = &[
    (8, "a call that closes an account comes some milliseconds too soon, and waits for the next run"),
    (21, "the same"),
    (73, "that an account is closed is given up, and the letter stays for ever"),
    (74, "an account that was called off within seconds stays in the unit for those that are to be closed"),
];

/// More of them.
const MORE_CLOSINGS: std::ops::Range<u64> = 1_000..1_006;

/// Seeds of documents that ask for more than tags and aliases that have found something, and what.
const KNOWN_CONTROLS: &[(u64, &str)] = &[
    (1, "a sweep may not look at the contacts of the management account, and they are unknown in every report"),
    (2, "a topic that was made a moment ago has no subscriptions that can be seen, and the alarm is unknown"),
];

/// More of them.
const MORE_CONTROLS: std::ops::Range<u64> = 1_000..1_006;

/// More seeds, so that each run of the tests plays the same; `make simulate` plays others.
const MORE: std::ops::Range<u64> = 1_000..1_020;

fn check(script: &Script) {
    let outcome = play(script);
    let (broken, seed) = (outcome.broken, script.seed);
    assert!(broken.is_empty(), "{script}{broken:#?}\nThe timeline: cargo run --package simulation -- --show {seed}");
}

#[test]
fn what_was_found_once_is_not_found_again() {
    for (seed, _) in KNOWN {
        check(&Script::of(*seed));
    }
}

#[test]
fn every_invariant_holds_in_twenty_more_runs() {
    for seed in MORE {
        check(&Script::of(seed));
    }
}

#[test]
fn accounts_are_closed_as_they_were_asked_for() {
    for seed in KNOWN_CLOSINGS.iter().map(|(seed, _)| *seed).chain(MORE_CLOSINGS) {
        check(&Script::of_closings(seed));
    }
}

#[test]
fn accounts_have_what_documents_ask_for_beside_tags_and_aliases() {
    for seed in KNOWN_CONTROLS.iter().map(|(seed, _)| *seed).chain(MORE_CONTROLS) {
        check(&Script::of_controls(seed));
    }
}

#[test]
fn a_line_longer_than_the_deadline_is_worked_off() {
    check(&Script::of_a_long_line(1));
}

#[test]
fn the_same_seed_does_the_same() {
    for script in (1..5).map(Script::of).chain([Script::of_closings(8), Script::of_controls(1)]) {
        assert_eq!(play(&script).trace, play(&script).trace, "{script}");
    }
}
