//! Aligned tables: as wide as what stands in them, headings and all.

use crate::style::Style;
use wq_trace::model::columns::{Cell, Column};

/// A table as text.
#[derive(Debug, Default)]
pub struct Table {
    headings: Vec<(String, bool)>,
    rows: Vec<Vec<(String, Look)>>,
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Plain,
    Quiet,
    Alarm,
    Good,
}

impl Table {
    /// One more column; words stand at the left edge, numbers at the right.
    pub fn column(&mut self, title: &str, left: bool) {
        self.headings.push((title.to_owned(), left));
    }

    /// The columns of a model's table.
    pub fn columns<R>(&mut self, columns: &[&Column<R>]) {
        for column in columns {
            self.column(column.title, column.left());
        }
    }

    /// One more row.
    pub fn row(&mut self, cells: Vec<(String, Look)>) {
        self.rows.push(cells);
    }

    /// The table, each line ended; without a blank at any line's end.
    pub fn render(&self, style: Style) -> String {
        let mut widths: Vec<usize> = self
            .headings
            .iter()
            .map(|(title, _)| title.chars().count())
            .collect();
        for row in &self.rows {
            for (width, (text, _)) in widths.iter_mut().zip(row) {
                *width = (*width).max(text.chars().count());
            }
        }
        let headings = self
            .headings
            .iter()
            .map(|(title, _)| (title.as_str(), Look::Plain));
        let mut out = style.heading(&self.line(headings, &widths, Style::default()));
        out.push('\n');
        for row in &self.rows {
            out += &self.line(
                row.iter().map(|(text, look)| (text.as_str(), *look)),
                &widths,
                style,
            );
            out.push('\n');
        }
        out
    }

    fn line<'a>(
        &self,
        cells: impl Iterator<Item = (&'a str, Look)>,
        widths: &[usize],
        style: Style,
    ) -> String {
        let mut out = String::new();
        let mut owed = 0;
        for (((text, look), width), (i, (_, left))) in
            cells.zip(widths).zip(self.headings.iter().enumerate())
        {
            let gap = width - text.chars().count();
            owed += if i == 0 { 0 } else { 2 } + if *left { 0 } else { gap };
            if !text.is_empty() {
                out.extend(std::iter::repeat_n(' ', owed));
                owed = 0;
                out += &painted(text, look, style);
            }
            owed += if *left { gap } else { 0 };
        }
        out
    }
}

/// A cell of a model's table with every digit of a count, for sums must be comparable.
pub fn exact(cell: &Cell) -> (String, Look) {
    match cell {
        Cell::Count(0) | Cell::Ns(0) | Cell::Us(0) => ("0".to_owned(), Look::Quiet),
        Cell::None => (cell.text(), Look::Quiet),
        Cell::Count(n) => (n.to_string(), Look::Plain),
        _ => (cell.text(), Look::Plain),
    }
}

fn painted(text: &str, look: Look, style: Style) -> String {
    match look {
        Look::Plain => text.to_owned(),
        Look::Quiet => style.quiet(text),
        Look::Alarm => style.alarm(text),
        Look::Good => style.good(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::default();
        table.column("name", true);
        table.column("n", false);
        table.column("why", true);
        table.row(vec![
            ("ä".into(), Look::Plain),
            ("1234".into(), Look::Alarm),
            (String::new(), Look::Plain),
        ]);
        table.row(vec![
            ("longer".into(), Look::Plain),
            ("5".into(), Look::Quiet),
            ("x".into(), Look::Plain),
        ]);
        table
    }

    #[test]
    fn columns_are_aligned_and_lines_end_clean() {
        let text = table().render(Style::default());
        assert_eq!(text, "name       n  why\nä       1234\nlonger     5  x\n");
    }

    #[test]
    fn colour_does_not_move_anything() {
        let text = table().render(Style { on: true });
        let mut plain = String::new();
        let mut inside = false;
        for c in text.chars() {
            match c {
                '\u{1b}' => inside = true,
                'm' if inside => inside = false,
                _ if !inside => plain.push(c),
                _ => {}
            }
        }
        assert_eq!(plain, table().render(Style::default()));
        assert!(text.contains("\u{1b}[31m1234\u{1b}[0m"), "{text:?}");
    }
}
