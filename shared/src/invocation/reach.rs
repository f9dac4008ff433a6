//! What an invocation may do, by the name that the function was called by.
//!
//! IAM tells a function and its aliases apart by their ARNs: who may invoke `function:<name>:plan` alone gets an invocation
//! that looks. So does whoever calls by any other alias, or by a version: what is to change something is called by the name
//! of the function and nothing behind it. Pure.

/// What an invocation may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It may look, and changes nothing.
    Looks,
    /// It may change what it is asked to.
    Changes,
}

impl Reach {
    /// What is allowed to who has invoked a function by this ARN, as AWS Lambda tells it to the function.
    pub fn of(invoked_arn: &str) -> Self {
        match invoked_arn.split(':').collect::<Vec<_>>()[..] {
            ["arn", _, "lambda", _, _, "function", name] | ["arn", _, "lambda", _, _, "function", name, "$LATEST"]
                if !name.is_empty() =>
            {
                Self::Changes
            }
            _ => Self::Looks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:111111111111:function:steward-RootTaskRunner-4D";

    #[test]
    fn who_calls_the_function_itself_may_change_something() {
        for arn in [FUNCTION.to_owned(), format!("{FUNCTION}:$LATEST"), FUNCTION.replace("aws", "aws-us-gov")] {
            assert_eq!(Reach::of(&arn), Reach::Changes, "{arn}");
        }
    }

    #[test]
    fn who_calls_by_any_alias_or_version_may_look() {
        for qualifier in
            ["plan", "PLAN", "apply", "live", "1", "$latest", "", "$LATEST:plan", "plan:$LATEST", " $LATEST"]
        {
            let arn = format!("{FUNCTION}:{qualifier}");
            assert_eq!(Reach::of(&arn), Reach::Looks, "{arn}");
        }
    }

    #[test]
    fn what_is_no_arn_of_a_function_is_not_understood_and_may_look() {
        for arn in [
            "",
            "steward-RootTaskRunner-4D",
            "arn:aws:lambda:us-east-1:111111111111:function:",
            "arn:aws:lambda:us-east-1:111111111111:layer:steward-RootTaskRunner-4D",
            "arn:aws:states:us-east-1:111111111111:function:steward-RootTaskRunner-4D",
        ] {
            assert_eq!(Reach::of(arn), Reach::Looks, "{arn}");
        }
    }
}
