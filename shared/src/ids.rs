//! Names of things, parsed once at the edge and never passed on as bare strings.
//!
//! The grammars are those of the AWS API models (`CreateAccountRequest`, `AccountId`, `CreateAccountRequestId`...).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Why a text is not what it was taken for: a sentence part that says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotValid(pub &'static str);

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
                if check(text) { Ok(Self(text.to_owned())) } else { Err(NotValid(Self::EXPECTED)) }
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
}

impl OrganizationalUnitId {
    /// Whether this is the root rather than a unit below it.
    pub fn is_root(&self) -> bool {
        is_root_id(&self.0)
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

#[cfg(test)]
mod tests {
    use super::*;

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
