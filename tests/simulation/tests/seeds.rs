//! Runs that must go well: seeds that once found a fault, and some more.

use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use simulation::{Family, play};

use Family::{Access, Closings, Controls, Locks, LongLine, Mixed, People, Small};

/// Seeds that have found something, and what; they run for ever.
const KNOWN: &[(Family, u64, &str)] = &[
    (Mixed, 45, "of many requests at once, most are refused as throttled"),
    (Mixed, 86, "the same, while units are looked up"),
    (Mixed, 8, "rows of a person's apply are unknown, throttled by Steward itself"),
    (Mixed, 19, "the same"),
    (Mixed, 6, "a report that is published again forgets what it was compared with"),
    (Mixed, 11, "the same"),
    (Mixed, 14, "a document with a mistake, and functions that start cold"),
    (Mixed, 47, "the same, with functions that have not read a good one"),
    (Mixed, 3, "no mail for a quarter of an hour after a failure; an old copy starts an attempt"),
    (Mixed, 9, "a call that is denied in a new account's first seconds ends its baseline; READY of a closed account"),
    (Mixed, 24, "the first sweep takes accounts of the last two weeks for new"),
    (Mixed, 40, "READY of a closed account"),
    (Mixed, 4051, "an account gets the baseline of the unit that it has left a moment ago"),
    (Mixed, 224, "an account that leaves before it has its baseline leaves a dead letter that never comes to its end"),
    (Mixed, 950, "the subject of a mail holds what a member calls itself, in the place of the account's id"),
    (Mixed, 151, "a sweep puts right what is being given its baseline, since the news of the account came late"),
    (Mixed, 75, "an account that was renamed a moment ago is said to have the name that it had before"),
    (Mixed, 182, "a change of an address whose function was ended before it asked AWS stands open for ever"),
    (
        Mixed,
        948,
        "an account that is asked to be closed again seconds after it was kept is taken to belong to that unit",
    ),
    (
        Mixed,
        5028,
        "news of an account that has given its address up come late, and stay among the dead letters for ever",
    ),
    (Mixed, 158, "a change of an address ends, and whoever finds that is ended before it is told"),
    (Closings, 8, "a call that closes an account comes some milliseconds too soon, and waits for the next run"),
    (Closings, 21, "the same"),
    (Closings, 73, "that an account is closed is given up, and the letter stays for ever"),
    (Closings, 74, "an account that was called off within seconds stays in the unit for those that are to be closed"),
    (People, 2, "who looks at all accounts may not look at the regions of the management account"),
    (People, 53, "who was given another password a minute before the daily run loses it by a list of minutes ago"),
    (
        Controls,
        1,
        "a sweep may not look at the contacts of the management account, and they are unknown in every report",
    ),
    (Controls, 2, "a topic that was made a moment ago has no subscriptions that can be seen, and the alarm is unknown"),
    (Locks, 11, "a queue that was locked a moment ago is said to have no policy"),
    (Locks, 129, "a policy that was removed a moment ago is said to stand there, and is not put back"),
    (People, 3_904, "a reminder that comes twice has two next ones, and so on"),
    (Small, 4, "news of an account that come twice give it its baseline twice, and people are told twice"),
    (Small, 203, "the same, of messages of a queue"),
    (Small, 51_337, "an outage of four minutes costs a sweep its report"),
    (Mixed, 41_344, "who is kept after a person has moved it is said to be where it was"),
    (Controls, 238_432, "an account is moved by the baseline of a unit that it has left"),
    (Closings, 221_088, "what people have closed a moment ago is said to be closed by Steward"),
    (Small, 288_870, "two invocations ask at the same moment of two clocks, and both are granted"),
    (Small, 366_892, "the id of a call is lost, as a copy of the message has only put the request off meanwhile"),
    (Controls, 1_002, "an account that is taken out of a stack set does not come back on the same day"),
    (Controls, 359, "where more accounts lack a stack set than may be changed, none gets it, and nobody is told"),
    (Mixed, 177_408, "regions of accounts that are five units deep are never judged, for want of time"),
    (Small, 559_795, "an account is tagged by a run that has read its closure before another one has called it off"),
    (Small, 552_852, "an account that AWS has just made for a request is taken for one that has joined by itself"),
    (Closings, 555_680, "that a quota is used up is written down, and a run of seconds later does not see it"),
    (
        Mixed,
        659_840,
        "two processes that ask for changes of addresses in step take turns at being throttled, to the end",
    ),
    (Mixed, 870_016, "whoever gives a code that is too old is answered that there is nothing to do"),
    (Access, 16, "a group that got its policies late comes to reach an account that was closed meanwhile"),
    (Access, 386, "an account that was moved a moment ago is looked at where it was, and its people never get in"),
    (Access, 1_009, "the same of one that was moved away: they get in for ever"),
    (LongLine, 1, "a line longer than the deadline"),
];

/// More seeds, so that each run of the tests plays the same; `make simulate` plays others.
const MORE: [(Family, Range<u64>); 6] = [
    (Small, 1_000..1_020),
    (Mixed, 1_000..1_006),
    (Closings, 1_000..1_003),
    (People, 1_000..1_003),
    (Controls, 1_076..1_078),
    (Access, 1_000..1_002),
];

/// Plays them on every core; what breaks in each.
fn check(seeds: &[(Family, u64)]) {
    let next = AtomicUsize::new(0);
    let play_some = || {
        let mine = std::iter::from_fn(|| seeds.get(next.fetch_add(1, Ordering::Relaxed)));
        mine.filter_map(|(family, seed)| broken(*family, *seed)).collect::<Vec<_>>()
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let broken: Vec<String> = thread::scope(|scope| {
        let players: Vec<_> = (0..cores).map(|_| scope.spawn(play_some)).collect();
        players.into_iter().flat_map(|player| player.join().expect("no run panics")).collect()
    });
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn broken(family: Family, seed: u64) -> Option<String> {
    let script = family.script(seed);
    let broken = play(&script).broken;
    let timeline = format!("cargo run --package simulation -- --script {family} --show {seed}");
    (!broken.is_empty()).then(|| format!("{script}{broken:#?}\nThe timeline: {timeline}"))
}

#[test]
fn what_was_found_once_is_not_found_again() {
    let seeds: Vec<_> = KNOWN.iter().map(|(family, seed, _)| (*family, *seed)).collect();
    check(&seeds);
}

#[test]
fn every_invariant_holds_in_more_runs() {
    let seeds: Vec<_> = MORE.into_iter().flat_map(|(family, seeds)| seeds.map(move |seed| (family, seed))).collect();
    check(&seeds);
}

#[test]
fn the_same_seed_does_the_same() {
    for (family, seed) in [
        (Mixed, 1),
        (Mixed, 2),
        (Mixed, 3),
        (Mixed, 4),
        (Closings, 8),
        (People, 4),
        (Controls, 1_078),
        (Small, 1),
        (Small, 2),
    ] {
        let script = family.script(seed);
        assert_eq!(play(&script).trace, play(&script).trace, "{script}");
    }
}
