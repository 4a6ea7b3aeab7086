//! Tables: rows of figures become lines with columns, layout tables become what they lay out.

use markup5ever_rcdom::Handle;

use super::{
    dom,
    flow::{self, Flow, GAP, Seen},
};
use crate::reader::paper::cells_of;

/// Rows of one table, and cells of one row.
const MAX_ROWS: usize = 5_000;
const MAX_CELLS: usize = 100;
/// Cells of text in a column that stands beside others; what is wider is laid out one below the other.
const MAX_COLUMN: usize = 60;
/// Cells of text of a whole row; the paper has 140.
const MAX_ROW: usize = 136;

/// One cell.
pub struct Cell {
    /// What is in it.
    pub lines: Vec<String>,
    /// Columns it takes.
    pub span: usize,
}

/// The rows of a table, their cells laid out.
pub fn rows(table: &Handle, seen: &mut Seen, depth: usize) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for child in table.children.borrow().iter() {
        match dom::name(child) {
            Some("tr") => rows.push(row(child, seen, depth)),
            Some("tbody" | "thead" | "tfoot") => {
                let grandchildren = child.children.borrow();
                let own = grandchildren.iter().filter(|node| dom::name(node) == Some("tr"));
                rows.extend(own.take(MAX_ROWS).map(|node| row(node, seen, depth)));
            }
            Some("caption") => rows.push(vec![cell(child, seen, depth)]),
            _ => {}
        }
        if rows.len() > MAX_ROWS {
            rows.truncate(MAX_ROWS);
            break;
        }
    }
    rows
}

fn row(row: &Handle, seen: &mut Seen, depth: usize) -> Vec<Cell> {
    if flow::hides(row) {
        return Vec::new();
    }
    let children = row.children.borrow();
    let cells = children.iter().filter(|node| matches!(dom::name(node), Some("td" | "th")) && !flow::hides(node));
    cells.take(MAX_CELLS).map(|node| cell(node, seen, depth)).collect()
}

fn cell(node: &Handle, seen: &mut Seen, depth: usize) -> Cell {
    let mut own = Flow::default();
    flow::children(node, &mut own, seen, depth + 2);
    let span = dom::attribute(node, "colspan").and_then(|span| span.trim().parse().ok()).unwrap_or(1);
    Cell { lines: own.finish(), span: span.clamp(1, MAX_CELLS) }
}

/// The lines of a table.
pub fn lay(rows: &[Vec<Cell>]) -> Vec<String> {
    let widths = widths(rows);
    let mut lines = Vec::new();
    for row in rows {
        let filled = row.iter().filter(|cell| !cell.lines.is_empty()).count();
        if filled > 1 && stands_side_by_side(row) {
            lines.extend(abreast(row, &widths));
        } else {
            lines.extend(row.iter().flat_map(|cell| cell.lines.iter().cloned()));
        }
    }
    lines
}

fn width(line: &str) -> usize {
    line.chars().map(cells_of).sum()
}

fn cell_width(cell: &Cell) -> usize {
    cell.lines.iter().map(|line| width(line)).max().unwrap_or(0)
}

fn stands_side_by_side(row: &[Cell]) -> bool {
    row.iter().all(|cell| cell_width(cell) <= MAX_COLUMN)
        && row.iter().map(|cell| cell_width(cell) + GAP.len()).sum::<usize>() <= MAX_ROW
}

/// How wide each column is over the rows that stand side by side, as far as the whole fits.
fn widths(rows: &[Vec<Cell>]) -> Vec<usize> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows.iter().filter(|row| stands_side_by_side(row)) {
        let mut column = 0;
        for cell in row {
            if widths.len() < column + cell.span {
                widths.resize(column + cell.span, 0);
            }
            if cell.span == 1 {
                widths[column] = widths[column].max(cell_width(cell));
            }
            column += cell.span;
        }
    }
    let all: usize = widths.iter().filter(|w| **w > 0).map(|w| w + GAP.len()).sum();
    if all > MAX_ROW { Vec::new() } else { widths }
}

/// A row's cells beside each other, line by line.
fn abreast(row: &[Cell], widths: &[usize]) -> Vec<String> {
    let height = row.iter().map(|cell| cell.lines.len()).max().unwrap_or(0);
    let mut lines = Vec::with_capacity(height);
    for at in 0..height {
        let (mut line, mut column, mut reached) = (String::new(), 0, 0);
        for cell in row {
            // Columns that are empty in every row take no space.
            let spanned = widths.get(column..column + cell.span).unwrap_or_default();
            let set: usize = spanned.iter().filter(|w| **w > 0).map(|w| w + GAP.len()).sum();
            let own = cell_width(cell);
            let room = if own == 0 && set == 0 { 0 } else { set.max(own + GAP.len()) };
            if let Some(text) = cell.lines.get(at) {
                let indent = reached - width(&line).min(reached);
                line.extend(std::iter::repeat_n(' ', indent));
                line.push_str(text);
            }
            column += cell.span;
            reached += room;
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}
