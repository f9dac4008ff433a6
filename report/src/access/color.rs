//! The colors that the console can give an account, as the numbers that a link and the extension take.

/// A color of the console.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Color {
    /// As AWS User Experience Customization spells it.
    pub(super) name: &'static str,
    /// Red, green and blue, without the sign before.
    pub(super) rgb: &'static str,
}

/// All of them. The page's style has a class for each.
pub(super) const ALL: [Color; 9] = [
    Color { name: "pink", rgb: "d6336c" },
    Color { name: "purple", rgb: "7048b6" },
    Color { name: "darkBlue", rgb: "1f4e9c" },
    Color { name: "lightBlue", rgb: "4a9fdc" },
    Color { name: "teal", rgb: "0f8b8d" },
    Color { name: "green", rgb: "2f8f46" },
    Color { name: "yellow", rgb: "e0b400" },
    Color { name: "orange", rgb: "e07b1a" },
    Color { name: "red", rgb: "c92a2a" },
];

/// The color of this name; None when there is none, or none that this version knows.
pub(super) fn named(name: &str) -> Option<&'static Color> {
    ALL.iter().find(|color| color.name == name)
}
