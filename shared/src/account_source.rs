//! Where the accounts come from.

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::{closed_set::not_one_of, ids::NotValid};

/// Who says which accounts there are: the stack's parameter `AccountSource`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase", parse_err_ty = NotValid, parse_err_fn = not_one_of::<AccountSource>)]
pub enum AccountSource {
    /// AWS Organizations, in whose management account the stack is.
    #[default]
    Organization,
    /// The baseline document, in its part `accounts`: there is no organization, or Steward has nothing to do with it.
    Document,
}
