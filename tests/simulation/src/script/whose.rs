//! Of whose account a line of a script speaks.

/// An account, as the lines of a script name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// One that is there when the run begins, by its number.
    Old(u64),
    /// The account that was made for this person.
    Person(u64),
    /// One that has joined, by its number.
    Joined(u64),
    /// The management account.
    Management,
    /// An account that is not there.
    Nobody,
}
