//! HTTP: the JSON API, the server-rendered pages, their assets and their words. See ARCHITECTURE.md.

pub mod api;
pub mod assets;
pub mod auth;
pub mod i18n;
pub mod pages;
pub mod problem;
pub mod proxy;
pub mod state;
pub mod tls;
