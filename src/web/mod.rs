//! HTTP: the JSON API, the server-rendered pages, their assets and their words. See ARCHITECTURE.md.

pub mod assets;
pub mod i18n;
pub mod pages;
