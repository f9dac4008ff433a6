//! Tables as CSV that people open in a spreadsheet. Names, tags and messages are anybody's: no cell is taken for a formula.

use std::borrow::Cow;

use csv::WriterBuilder;
pub use csv::{Error, Terminator};

/// A table with its head, each line ended by `terminator`. An error says that a row is not as long as the head.
pub fn table<Row, Cell>(
    terminator: Terminator,
    head: impl IntoIterator<Item: AsRef<[u8]>>,
    rows: impl IntoIterator<Item = Row>,
) -> Result<String, Error>
where
    Row: IntoIterator<Item = Cell>,
    Cell: AsRef<str>,
{
    let mut table = WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
    table.write_record(head)?;
    for row in rows {
        for cell in row {
            table.write_field(inert(cell.as_ref()).as_ref())?;
        }
        // What ends a record of single fields.
        table.write_record(None::<&[u8]>)?;
    }
    let bytes = table.into_inner().map_err(csv::IntoInnerError::into_error)?;
    // Taken over, not copied: of a large organization it is tens of megabytes.
    String::from_utf8(bytes).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error).into())
}

/// The text so that no spreadsheet takes it for a formula (OWASP, "CSV Injection").
pub fn inert(text: &str) -> Cow<'_, str> {
    // Some spreadsheets take the wide forms of the signs for the signs themselves.
    const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(STARTS) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_head_and_no_cell_that_is_a_formula() {
        let rows = [["222222222222", "=cmd, \"x\""], ["333333333333", "＋1 206"], ["", ""]];
        let text = table(Terminator::Any(b'\n'), ["account_id", "name"], rows).unwrap();
        assert_eq!(text, "account_id,name\n222222222222,\"'=cmd, \"\"x\"\"\"\n333333333333,'＋1 206\n,\n");
    }

    #[test]
    fn a_row_of_another_length_than_the_head_is_an_error() {
        assert!(table(Terminator::CRLF, ["a", "b"], [["1"]]).is_err());
    }
}
