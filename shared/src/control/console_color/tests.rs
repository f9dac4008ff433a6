use aws_sdk_uxc::{
    Client,
    operation::{
        get_account_customizations::{GetAccountCustomizationsError, GetAccountCustomizationsOutput},
        update_account_customizations::{UpdateAccountCustomizationsError, UpdateAccountCustomizationsOutput},
    },
    types::AccountColor,
};
use aws_smithy_mocks::{Rule, mock};

use super::*;
use crate::{
    control::{
        Mode, Outcome,
        testing::{Rules, run, stopped},
    },
    error::Cause,
    gateway::testing::denied,
};

const RED: ConsoleColor = ConsoleColor { color: Color::Red };

fn shown(colors: &[&'static str]) -> Rule {
    let answer = |color| GetAccountCustomizationsOutput::builder().account_color(AccountColor::from(color)).build();
    let rule = mock!(Client::get_account_customizations).sequence();
    colors.iter().copied().fold(rule, |rule, color| rule.output(move || answer(color))).build()
}

#[test]
fn a_color_is_spelt_in_the_document_as_in_the_api() {
    for name in AccountColor::values() {
        let color: Color = serde_json::from_value((*name).into()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(color.name(), *name);
    }
    assert!(serde_json::from_str::<ConsoleColor>(r#"{"color": "dark-blue"}"#).is_err());
}

#[test]
fn a_change_shows_both_colors() {
    assert_eq!(plan(RED, "none").unwrap().to_string(), "change the color of the console: none -> red");
    // AWS may have colors that Steward does not know.
    assert_eq!(plan(RED, "magenta").unwrap().to_string(), "change the color of the console: magenta -> red");
    assert_eq!(plan(RED, "red"), None);
}

#[tokio::test]
async fn a_compliant_account_costs_one_read() {
    let scope = Rules { uxc: &[&shown(&["red"])], ..Rules::default() }.member();
    assert_eq!(run(&ConsoleColorControl, &scope, &RED, Mode::Apply).await, Outcome::Compliant);
    assert_eq!(scope.1.calls(), ["GetAccountCustomizations"]);
}

#[tokio::test]
async fn another_color_is_replaced_alone_and_read_back() {
    let update = mock!(Client::update_account_customizations)
        .match_requests(|request| {
            request.account_color() == Some(&AccountColor::Red)
                && request.visible_services.is_none()
                && request.visible_regions.is_none()
        })
        .then_output(|| UpdateAccountCustomizationsOutput::builder().build());
    let scope = Rules { uxc: &[&shown(&["green", "red"]), &update], ..Rules::default() }.member();
    let outcome = run(&ConsoleColorControl, &scope, &RED, Mode::Apply).await;
    assert_eq!(outcome, Outcome::Fixed { applied: vec!["change the color of the console: green -> red".into()] });
    assert_eq!(
        scope.1.calls(),
        ["GetAccountCustomizations", "UpdateAccountCustomizations", "GetAccountCustomizations"]
    );
}

#[tokio::test]
async fn a_denied_read_is_unknown() {
    let no = mock!(Client::get_account_customizations).then_error(|| GetAccountCustomizationsError::generic(denied()));
    let scope = Rules { uxc: &[&no], ..Rules::default() }.member();
    assert_eq!(stopped(run(&ConsoleColorControl, &scope, &RED, Mode::Apply).await), (Cause::AccessDenied, vec![]));
}

#[tokio::test]
async fn a_denied_write_has_applied_nothing() {
    let no =
        mock!(Client::update_account_customizations).then_error(|| UpdateAccountCustomizationsError::generic(denied()));
    let scope = Rules { uxc: &[&shown(&["none"]), &no], ..Rules::default() }.member();
    assert_eq!(stopped(run(&ConsoleColorControl, &scope, &RED, Mode::Apply).await), (Cause::AccessDenied, vec![]));
    assert_eq!(scope.1.calls(), ["GetAccountCustomizations", "UpdateAccountCustomizations"]);
}

#[tokio::test]
async fn an_answer_without_a_color_is_never_compliant() {
    let nothing =
        mock!(Client::get_account_customizations).then_output(|| GetAccountCustomizationsOutput::builder().build());
    let scope = Rules { uxc: &[&nothing], ..Rules::default() }.member();
    let none = ConsoleColor { color: Color::None };
    assert_eq!(stopped(run(&ConsoleColorControl, &scope, &none, Mode::Apply).await), (Cause::CallFailed, vec![]));
}
