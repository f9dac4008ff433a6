//! How the texts of a document are spelt: for editors as a schema, for the reader as a check, from one list.

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    ids::{AccountId, BucketName, MailAddress, OrganizationalUnitId, QueueArn, Region, RoleName},
    unit_reference::{PolicyTarget, UnitName},
};

/// The grammar behind one `format` of the schema.
pub(super) struct Grammar {
    /// The format's name.
    format: &'static str,
    /// What a valid text looks like.
    pub(super) expected: &'static str,
    /// A valid text, that stands in for one that is not while the rest is checked.
    pub(super) example: &'static str,
    /// Whether a text is valid.
    pub(super) is_met: fn(&str) -> bool,
}

/// Declares the schema and the grammar of types that are parsed from a text.
macro_rules! texts {
    ($($type:ident $format:literal $example:literal,)*) => {
        $(
            impl JsonSchema for $type {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($type).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({"type": "string", "format": $format, "description": $type::EXPECTED})
                }
            }
        )*

        static GRAMMARS: &[Grammar] = &[
            $(Grammar {
                format: $format,
                expected: $type::EXPECTED,
                example: $example,
                is_met: |text| text.parse::<$type>().is_ok(),
            },)*
            // The schema of a date comes from schemars. jiff reads more than a date; a day is all that is meant.
            Grammar {
                format: "date",
                expected: "a day of the calendar such as 2027-01-31",
                example: "9999-12-31",
                is_met: |text| text.len() == 10 && text.parse::<Date>().is_ok(),
            },
        ];
    };
}

texts! {
    AccountId "account-id" "000000000000",
    BucketName "bucket-name" "an-example-of-a-bucket",
    MailAddress "email" "an-example@example.invalid",
    OrganizationalUnitId "organizational-unit-id" "ou-xxxx-example0",
    PolicyTarget "policy-target" "000000000000",
    QueueArn "queue-arn" "arn:aws:sqs:xx-example-0:000000000000:example",
    Region "region" "xx-example-0",
    RoleName "role-name" "an-example-of-a-role",
    UnitName "organizational-unit-name" "ou-xxxx-example0",
}

/// The grammar of a format; None for one that is only a hint to editors.
pub(super) fn of_format(format: &str) -> Option<&'static Grammar> {
    GRAMMARS.iter().find(|grammar| grammar.format == format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_valid() {
        for grammar in GRAMMARS {
            assert!((grammar.is_met)(grammar.example), "{}: {}", grammar.format, grammar.example);
        }
    }
}
