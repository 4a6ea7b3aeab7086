//! Style sheets, scripts and icons, embedded in the binary and served from addresses that never change their content.

use std::{borrow::Cow, sync::LazyLock};

use rust_embed::RustEmbed;

use crate::domain::sha256::Sha256Stream;

/// What pages may load and where forms may go: only this origin, nothing inline. `blob:` shows a photo before it is sent.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' blob:; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// For an address with the current bundle hash: the content can never change.
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// For an address with an old bundle hash: a page from before an upgrade still gets its files, but must not keep them.
pub const NO_CACHE: &str = "no-cache";

#[derive(RustEmbed)]
#[folder = "src/web/assets/"]
struct Files;

/// First 16 hex digits of the SHA-256 over all names and contents. One hash for the bundle, so that scripts can import
/// each other by relative address.
static BUNDLE: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let mut stream = Sha256Stream::default();
    for name in names {
        if let Some(file) = Files::get(&name) {
            stream.update(name.as_bytes());
            stream.update(&[0]);
            stream.update(&file.data);
        }
    }
    stream.finish().to_string().chars().take(16).collect()
});

/// A file to send.
#[derive(Debug)]
pub struct Asset {
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// For `Content-Type`; texts are UTF-8.
    pub content_type: String,
    /// For `Cache-Control`: [`IMMUTABLE`] or [`NO_CACHE`].
    pub cache_control: &'static str,
}

/// The address of the asset `name`, e.g. `css/base.css` → `/assets/0123456789abcdef/css/base.css`.
pub fn url(name: &str) -> String {
    format!("/assets/{}/{name}", *BUNDLE)
}

/// Answers `GET /assets/{hash}/{*name}`; `None` when there is no such file. Path tricks find nothing: names are keys of
/// an embedded table.
pub fn find(hash: &str, name: &str) -> Option<Asset> {
    let file = Files::get(name)?;
    let kind = file.metadata.mimetype();
    let is_text = kind.starts_with("text/") || kind.ends_with("javascript") || kind.ends_with("json");
    Some(Asset {
        bytes: file.data,
        content_type: if is_text { format!("{kind}; charset=utf-8") } else { kind.to_owned() },
        cache_control: if hash == *BUNDLE { IMMUTABLE } else { NO_CACHE },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_immutable_under_its_hash_and_not_kept_under_an_old_one() {
        let address = url("css/base.css");
        let mut parts = address.trim_start_matches("/assets/").splitn(2, '/');
        let (hash, name) = (parts.next().unwrap(), parts.next().unwrap());
        assert_eq!(find(hash, name).unwrap().cache_control, IMMUTABLE);
        assert_eq!(find("0000000000000000", name).unwrap().cache_control, NO_CACHE);
        assert_eq!(find(hash, name).unwrap().content_type, "text/css; charset=utf-8");
    }

    #[test]
    fn nothing_outside_the_bundle_is_served() {
        for name in ["../mod.rs", "/etc/passwd", "css/../../mod.rs", "css", ""] {
            assert!(find(&BUNDLE, name).is_none(), "{name}");
        }
    }

    #[test]
    fn assets_ask_for_nothing_outside_this_origin() {
        for name in Files::iter() {
            let file = Files::get(&name).unwrap();
            let text = String::from_utf8_lossy(&file.data).replace("http://www.w3.org/", "");
            for needle in ["http://", "https://", "@import", "url(//", "eval(", "innerHTML"] {
                assert!(!text.contains(needle), "{name} contains {needle}");
            }
        }
    }
}
