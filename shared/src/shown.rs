//! Values of records as they are passed on: each by its own grammar, for people read them in mails.
//!
//! Parameters of a refused call are whatever its caller has sent. What has not the form of such a value is replaced by a
//! word that says so, and nothing of it is shown.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::ids::AccountId;

/// In the place of what is not shown.
const NOT_SHOWN: &str = "(not shown: malformed)";

/// A word of ASCII letters and digits, and of what `others` allows beside them.
fn word(text: &str, others: &str, most: usize) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || others.contains(letter);
    if !text.is_empty() && text.len() <= most && text.chars().all(fits) {
        text.to_owned()
    } else {
        NOT_SHOWN.to_owned()
    }
}

/// Whether the source of an event is a service of AWS: not `aws.partner/...`, which others send by.
pub fn is_service_of_aws(source: &str) -> bool {
    let name = source.strip_prefix("aws.").unwrap_or_default();
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
}

/// A parameter of a call, by what it is called here.
pub fn target(name: &str, text: &str) -> String {
    match name {
        "account" => text.parse::<AccountId>().map_or_else(|_| NOT_SHOWN.to_owned(), |id| id.to_string()),
        "region" | "from" | "to" => word(text, "-", 68),
        "policy" => word(text, "-_", 130),
        "service" => word(text, ".-", 128),
        "bucket" => word(text, "._-", 255),
        "queue" => word(text, ":/._-", 300),
        "user" => word(text, "_+=,.@-", 64),
        "principal" | "task_policy" => arn(text),
        _ => word(text, "_", 64),
    }
}

/// A role and its session, a user, a service, or what stands for one.
pub fn actor(name: &str) -> String {
    match name {
        "root user" | "root session" | "AWS Internal" => name.to_owned(),
        other => word(other, "_+=,.@/:-", 200),
    }
}

/// An ARN, or the id of an account.
pub fn arn(text: &str) -> String {
    word(text, "_+=,.@/:*-", 300)
}

/// The name of a policy, of a role or of a rule.
pub fn name(text: &str) -> String {
    word(text, "_+=,.@-", 128)
}

/// `organizations.amazonaws.com`.
pub fn service(text: &str) -> String {
    if text.is_empty() { String::new() } else { word(text, ".-", 128) }
}

/// `MoveAccount`.
pub fn call(text: &str) -> String {
    word(text, "_", 128)
}

/// `AccessDenied`, `Client.UnauthorizedOperation`.
pub fn code(text: &str) -> String {
    word(text, "._:-", 128)
}

/// The id of an event.
pub fn id(text: &str) -> String {
    if text.is_empty() { String::new() } else { word(text, "-_", 64) }
}

/// An address, or the service that has called.
pub fn address(text: &str) -> String {
    if text.parse::<IpAddr>().is_ok() || text == "AWS Internal" || text.ends_with(".amazonaws.com") {
        if text == "AWS Internal" { text.to_owned() } else { word(text, ":.-", 128) }
    } else {
        NOT_SHOWN.to_owned()
    }
}

/// A time; nothing, where it is none.
pub fn time(text: &str) -> String {
    text.parse::<Timestamp>().map_or_else(|_| String::new(), |_| text.to_owned())
}

/// A sentence of ours in which a code of AWS may stand.
pub fn sentence(text: &str) -> String {
    text.chars().filter(|letter| matches!(letter, ' '..='~')).take(400).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_its_form_is_shown_and_nothing_else() {
        for (name, value) in [
            ("region", "eu-south-1"),
            ("from", "ou-ab12-cd34ef56"),
            ("account", "222222222222"),
            ("service", "account.amazonaws.com"),
            ("policy", "p-FullAWSAccess"),
            ("bucket", "my_Legacy.bucket"),
            ("queue", "https://sqs.us-east-1.amazonaws.com/222222222222/q"),
            ("task_policy", "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"),
            ("joined", "INVITED"),
        ] {
            assert_eq!(target(name, value), value);
            let forged = format!("{value}. Call +1 555 0100 at once");
            assert_eq!(target(name, &forged), NOT_SHOWN, "{name}");
        }
        assert_eq!(address("2001:db8::1"), "2001:db8::1");
        assert_eq!(address("organizations.amazonaws.com"), "organizations.amazonaws.com");
        assert_eq!(address("call +1 555.amazonaws.com"), NOT_SHOWN);
        assert_eq!(actor("Admin/alice@example.com"), "Admin/alice@example.com");
        assert_eq!(actor("please call"), NOT_SHOWN);
    }

    #[test]
    fn a_partner_is_no_service_of_aws() {
        for (source, is) in
            [("aws.organizations", true), ("aws.partner/example.com/1", false), ("aws.", false), ("steward", false)]
        {
            assert_eq!(is_service_of_aws(source), is, "{source}");
        }
    }
}
