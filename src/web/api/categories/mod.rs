//! `/api/v1/categories`.

pub mod create;
pub mod list;
pub mod put;
pub mod reorder;

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::categories::Category;

/// A category of the organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryBody {
    /// Stable code; drafts and expenses refer to it.
    pub code: String,
    /// English name.
    pub name_en: String,
    /// Chinese name.
    pub name_zh: String,
    /// Whether it is offered for new drafts.
    pub active: bool,
}

impl From<Category> for CategoryBody {
    fn from(category: Category) -> Self {
        Self { code: category.code, name_en: category.name_en, name_zh: category.name_zh, active: category.is_active }
    }
}

/// Categories in the order people see them.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryListBody {
    /// In order.
    pub categories: Vec<CategoryBody>,
}

impl From<Vec<Category>> for CategoryListBody {
    fn from(list: Vec<Category>) -> Self {
        Self { categories: list.into_iter().map(CategoryBody::from).collect() }
    }
}
