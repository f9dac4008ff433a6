//! Names of things, parsed once at the edge and never passed on as bare strings.
//!
//! The grammars are those of the AWS API models (`CreateAccountRequest`, `AccountId`, `CreateAccountRequestId`...).

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{digest::sha256, unit_path};

/// Why a text is not what it was taken for: a sentence part that says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotValid(pub Cow<'static, str>);

impl NotValid {
    /// What would be right, as it follows "must be".
    pub const fn expected(what: &'static str) -> Self {
        Self(Cow::Borrowed(what))
    }
}

/// Declares a string newtype whose only way in is a checked parse.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What a valid value looks like.
            pub const EXPECTED: &'static str = $expected;

            /// The text as AWS expects it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotValid;

            fn from_str(text: &str) -> Result<Self, NotValid> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(NotValid::expected(Self::EXPECTED)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotValid;

            fn try_from(text: String) -> Result<Self, NotValid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// The id of an AWS account.
    AccountId,
    |t| t.len() == 12 && t.bytes().all(|b| b.is_ascii_digit()),
    "an account id of 12 digits"
);

text_id!(
    /// The name of an AWS account.
    AccountName,
    |t| (1..=50).contains(&t.len()) && t.bytes().all(|b| (0x20..=0x7e).contains(&b)) && t.trim() == t,
    "1 to 50 printable ASCII characters, without spaces at either end"
);

text_id!(
    /// The primary e-mail address of an account. Two addresses that differ only in case are one to AWS: compare
    /// [`Email::normalised`].
    Email,
    is_email,
    "an address such as name@example.com: 6 to 64 ASCII characters, none of them a space or any of \" ' ( ) < > [ ] : ; , \\ | % &"
);

text_id!(
    /// The domain of a primary e-mail address, in lower case, without its subdomains.
    EmailDomain,
    |t| t.bytes().all(|b| !b.is_ascii_uppercase()) && is_email(&format!("a@{t}")),
    "a domain in lower case, such as example.com"
);

text_id!(
    /// An address that Amazon SNS mails to: people's, and those of paging services, which are long. It is not the
    /// [`Email`] of an account, of which AWS takes less.
    MailAddress,
    is_mail_address,
    "an address such as name@example.com: at most 320 ASCII letters, digits or any of . ! # $ % & ' * + / = ? ^ _ ` { | } ~ - before the @, with no dot at either end or beside another"
);

text_id!(
    /// The name of an S3 bucket: as it is allowed now, or as it was in us-east-1 before March 2018, with capital letters,
    /// underscores and 255 characters (Amazon S3 user guide, "General purpose bucket naming rules").
    BucketName,
    is_bucket_name,
    "the name of a bucket: 3 to 63 lower-case letters, digits, hyphens or dots; in us-east-1, an old one may have capital letters, underscores and 255 characters"
);

text_id!(
    /// The ARN of a queue of Amazon SQS.
    QueueArn,
    is_queue_arn,
    "the ARN of a queue, arn:aws:sqs:<region>:<account>:<name>"
);

text_id!(
    /// The id of an event of EventBridge.
    EventId,
    |t| (1..=64).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
    "the id of an event: letters, digits and hyphens"
);

text_id!(
    /// The id of an organizational unit, or of the root that holds them all.
    OrganizationalUnitId,
    |t| is_root_id(t) || is_organizational_unit_id(t),
    "an organizational unit id such as ou-ab12-cdef3456, or a root id such as r-ab12"
);

text_id!(
    /// The name of an IAM role.
    RoleName,
    |t| (1..=64).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)),
    "1 to 64 letters, digits or any of _ + = , . @ -"
);

text_id!(
    /// The name of an IAM user whose one-time password AWS Secrets Manager can keep under that name: IAM takes commas in
    /// names, Secrets Manager takes none.
    UserName,
    |t| (1..=64).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=.@-".contains(&b)),
    "1 to 64 letters, digits or any of _ + = . @ -"
);

text_id!(
    /// The name of a group of IAM users.
    GroupName,
    |t| (1..=128).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)),
    "1 to 128 letters, digits or any of _ + = , . @ -"
);

text_id!(
    /// The id that AWS gives to one call of `CreateAccount`.
    CreateAccountRequestId,
    |t| t.strip_prefix("car-").is_some_and(|id| (8..=32).contains(&id.len()) && is_lower_alphanumeric(id)),
    "a request id such as car-0123456789abcdef0123456789abcdef"
);

text_id!(
    /// The id of one account request. It is derived from the normalised e-mail address, because AWS has no
    /// idempotency token for `CreateAccount` and allows one account per address: the same request is the same id.
    RequestId,
    |t| t.strip_prefix("req-").is_some_and(|id| id.len() == 24 && is_lower_alphanumeric(id)),
    "a request id such as req-0123456789abcdef01234567"
);

text_id!(
    /// An AWS region.
    Region,
    |t| t.len() <= 50 && t.split('-').count() >= 3 && t.split('-').all(is_lower_alphanumeric),
    "a region such as us-east-1"
);

impl Email {
    /// The address as it is compared: AWS takes `A@example.com` and `a@example.com` for the same one.
    pub fn normalised(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }

    /// Whether the address is one of this domain, and not of one below it.
    pub fn is_of(&self, domain: &EmailDomain) -> bool {
        self.0.split_once('@').is_some_and(|(_, own)| own.eq_ignore_ascii_case(domain.as_str()))
    }
}

impl MailAddress {
    /// The address as it is compared: no mailbox is told from another by case.
    pub fn normalised(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl BucketName {
    /// Whether only an old bucket of us-east-1 can have this name.
    pub fn is_old(&self) -> bool {
        self.0.len() > 63 || self.0.bytes().any(|b| b.is_ascii_uppercase() || b == b'_')
    }
}

impl OrganizationalUnitId {
    /// Whether this is the root rather than a unit below it.
    pub fn is_root(&self) -> bool {
        is_root_id(&self.0)
    }

    /// The id that stands for the unit of these names, from the root down, where no organization gives it one.
    pub fn of_names(names: &[String]) -> Self {
        match names {
            [] => Self("r-document".to_owned()),
            names => Self(format!("ou-document-{}", &sha256(&unit_path::of(names))[..32])),
        }
    }
}

impl RoleName {
    /// The role that `CreateAccount` makes when it is told no other name.
    pub fn organization_account_access() -> Self {
        Self("OrganizationAccountAccessRole".to_owned())
    }
}

impl RequestId {
    /// The id of the request for the account with this address.
    pub fn of(email: &Email) -> Self {
        let digest = Sha256::digest(email.normalised());
        // 96 bits: two addresses of one organization never share an id.
        let short = digest.iter().take(12).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        Self(format!("req-{short:024x}"))
    }
}

impl Region {
    /// Where Organizations, Account Management, IAM and billing metrics live.
    pub fn us_east_1() -> Self {
        Self("us-east-1".to_owned())
    }
}

fn is_lower_alphanumeric(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn is_root_id(text: &str) -> bool {
    text.strip_prefix("r-").is_some_and(|id| (4..=32).contains(&id.len()) && is_lower_alphanumeric(id))
}

fn is_organizational_unit_id(text: &str) -> bool {
    let Some((root, unit)) = text.strip_prefix("ou-").and_then(|rest| rest.split_once('-')) else { return false };
    (4..=32).contains(&root.len())
        && is_lower_alphanumeric(root)
        && (8..=32).contains(&unit.len())
        && is_lower_alphanumeric(unit)
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_is_valid = !local.is_empty()
        && !local.starts_with('.')
        && local.bytes().all(|b| b.is_ascii_graphic() && !b"\"'()<>[]:;,\\|%&".contains(&b));
    let domain_is_valid = domain.contains('.')
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-'])
        && !domain.contains("..")
        && domain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    (6..=64).contains(&text.len()) && local_is_valid && domain_is_valid
}

/// The addresses of RFC 5321 that have neither quotes nor letters beyond ASCII. Amazon SNS documents no grammar of its
/// own (`Subscribe`, endpoint of the protocol `email`).
fn is_mail_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_atom = |atom: &str| {
        !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b))
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 320 && local.split('.').all(is_atom) && domain.contains('.') && domain.split('.').all(is_label)
}

fn is_bucket_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let is_end = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_end(text.bytes().next())
        && is_end(text.bytes().next_back())
        && (3..=255).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.contains("..")
}

fn is_queue_arn(text: &str) -> bool {
    let ["arn", partition, "sqs", region, account, name] = text.split(':').collect::<Vec<_>>()[..] else {
        return false;
    };
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    partition.starts_with("aws")
        && region.parse::<Region>().is_ok()
        && account.parse::<AccountId>().is_ok()
        && (1..=80).contains(&name.len())
        && !stem.is_empty()
        && stem.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_notified_has_an_address_that_sns_mails_to_and_not_one_that_create_account_takes() {
        let integration = format!("{}@team.pagerduty.example", "a1b2c3d4".repeat(8));
        assert!(integration.len() > 80);
        for good in ["o'neill@example.com", "a&b@example.com", "x@sub.example.co", &integration] {
            assert!(good.parse::<MailAddress>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "nobody",
            "a@b",
            "@example.com",
            ".a@example.com",
            "a..b@example.com",
            "a b@example.com",
            "a@-example.com",
            "a@example..com",
            "a@b@example.com",
            "\"a\"@example.com",
            "ä@example.com",
        ] {
            assert!(bad.parse::<MailAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn old_names_of_buckets_are_names_as_well() {
        for (name, is_old) in [("my-bucket.logs", false), ("My_Legacy.Bucket", true), (&"x".repeat(64), true)] {
            assert_eq!(name.parse::<BucketName>().map(|name| name.is_old()), Ok(is_old), "{name}");
        }
        for bad in ["ab", "a..b", "a/b", "a b", &"x".repeat(256)] {
            assert!(bad.parse::<BucketName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_queue_is_named_by_its_whole_arn() {
        for good in ["arn:aws:sqs:eu-west-1:222222222222:orders", "arn:aws-cn:sqs:cn-north-1:222222222222:o.fifo"] {
            assert!(good.parse::<QueueArn>().is_ok(), "{good}");
        }
        for bad in ["orders", "arn:aws:sns:eu-west-1:222222222222:orders", "arn:aws:sqs:eu-west-1:2:orders"] {
            assert!(bad.parse::<QueueArn>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_email_is_judged_by_the_grammar_of_create_account() {
        for good in ["aws+sandbox@example.com", "A.B@sub.example.co", "a@b.co"] {
            assert!(good.parse::<Email>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "a@b",
            "a b@example.com",
            "@example.com",
            "a@",
            ".a@example.com",
            "a@example..com",
            "a@.example.com",
            "a@example.com-",
            "a,b@example.com",
            "a@b@example.com",
            "a%b@example.com",
            "ä@example.com",
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
        let long = format!("{}@example.com", "a".repeat(53));
        assert_eq!(long.len(), 65);
        assert!(long.parse::<Email>().is_err());
    }

    #[test]
    fn an_address_is_of_its_domain_in_any_case_and_of_none_above_it() {
        let email: Email = "Team@Sub.Example.com".parse().unwrap();
        let is_of = |domain: &str| email.is_of(&domain.parse().unwrap());
        assert_eq!((email.local(), is_of("sub.example.com"), is_of("example.com")), ("Team", true, false));
        for bad in ["", "example", "Example.com", "a@example.com", ".example.com", "example..com"] {
            assert!(bad.parse::<EmailDomain>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_same_address_in_another_case_is_the_same_request() {
        let one: Email = "Team@Example.com".parse().unwrap();
        let other: Email = "team@example.com".parse().unwrap();
        assert_eq!(RequestId::of(&one), RequestId::of(&other));
        assert!(RequestId::of(&one).as_str().parse::<RequestId>().is_ok());
    }

    #[test]
    fn roots_and_units_are_told_apart() {
        assert!("r-ab12".parse::<OrganizationalUnitId>().unwrap().is_root());
        assert!(!"ou-ab12-cdef3456".parse::<OrganizationalUnitId>().unwrap().is_root());
        for bad in ["ou-ab12", "ou-ab12-short", "ou-AB12-cdef3456", "Workloads", "/Workloads"] {
            assert!(bad.parse::<OrganizationalUnitId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn deserialising_checks_the_grammar_as_well() {
        assert!(serde_json::from_str::<AccountId>("\"12345678901\"").is_err());
        assert_eq!(serde_json::from_str::<AccountId>("\"123456789012\"").unwrap().as_str(), "123456789012");
    }
}
