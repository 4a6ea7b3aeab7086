//! Categories, for admins.

use askama::Template;

use super::shell::{Problem, Shell};
use crate::domain::ids::CategoryId;

/// `GET /admin/categories`. Each row posts `name_en`, `name_zh`, `position`, `active` (when ticked), `csrf` to
/// `/admin/categories/{id}`; a new one posts `code` and the names to `/admin/categories`.
#[derive(Debug, Clone, Template)]
#[template(path = "categories.html")]
pub struct CategoriesPage {
    /// The frame.
    pub shell: Shell,
    /// All, in the order people see them.
    pub categories: Vec<CategoryRow>,
    /// Why the last act did not work.
    pub problem: Option<Problem>,
}

/// A category in the list.
#[derive(Debug, Clone)]
pub struct CategoryRow {
    /// The category.
    pub id: CategoryId,
    /// Its stable code.
    pub code: String,
    /// English name.
    pub name_en: String,
    /// Chinese name.
    pub name_zh: String,
    /// Place in the order, from 1.
    pub position: i64,
    /// Whether it is offered.
    pub active: bool,
    /// Receipts that use it.
    pub receipts: u64,
}
