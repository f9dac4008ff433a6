//! Closed sets: enums without data whose members have names, which AWS, inputs, answers and events spell.

use strum::VariantArray;

use crate::ids::NotValid;

/// A closed set of names. Whatever derives strum's `IntoStaticStr` and `VariantArray` is one; with `EnumString` and
/// [`not_one_of`] as its `parse_err_fn`, its members are read by their names, too.
pub trait ClosedSet: Copy + Into<&'static str> + VariantArray {
    /// Every member, in the order of their declaration.
    const ALL: &'static [Self] = Self::VARIANTS;

    /// The member's name.
    fn name(self) -> &'static str {
        self.into()
    }
}

impl<T: Copy + Into<&'static str> + VariantArray> ClosedSet for T {}

/// The refusal of a text that names no member of the set: it names them all.
pub fn not_one_of<T: ClosedSet>(_: &str) -> NotValid {
    let names: Vec<_> = T::ALL.iter().map(|member| member.name()).collect();
    NotValid(one_of(&names).into())
}

/// `a`, `a or b`, `a, b or c`.
pub fn one_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use strum::{EnumString, IntoStaticStr};

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, EnumString, IntoStaticStr, VariantArray)]
    #[strum(serialize_all = "kebab-case", parse_err_ty = NotValid, parse_err_fn = not_one_of::<Signal>)]
    enum Signal {
        FullStop,
        Caution,
        Proceed,
    }

    #[test]
    fn a_member_is_read_by_the_name_that_it_has_and_the_refusal_names_them_all() {
        for signal in Signal::ALL {
            assert_eq!(signal.name().parse(), Ok(*signal));
        }
        assert_eq!(Signal::FullStop.name(), "full-stop");
        let refused = "FullStop".parse::<Signal>().unwrap_err();
        assert_eq!(refused.to_string(), "full-stop, caution or proceed");
    }

    #[test]
    fn names_are_joined_as_a_sentence_has_them() {
        assert_eq!([one_of(&[]), one_of(&["a"]), one_of(&["a", "b"])], ["", "a", "a or b"]);
    }
}
