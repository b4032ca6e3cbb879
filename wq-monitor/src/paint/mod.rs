//! Small things that every screen is made of: what colours mean, texts that fit, pictures inside a cell.

pub mod ascii;
pub mod bars;
pub mod cells;
pub mod style;
pub mod theme;
