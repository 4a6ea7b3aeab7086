//! One declaration per key: type, default and explanation. The struct, its documentation, the check for unknown
//! keys and the commented example all come from it, so they cannot disagree.

/// A key with everything the example and the check for unknown keys need.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// Its name inside the section.
    pub name: &'static str,
    /// What it does; one line each.
    pub about: &'static [&'static str],
    /// The default, or a sample for a key that is unset by default.
    pub value: toml::Value,
    /// Whether `value` is the default.
    pub is_default: bool,
}

/// A section with its keys.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Dotted path, empty at the top.
    pub path: String,
    /// What it is for; one line each.
    pub about: &'static [&'static str],
    /// In the order of the example.
    pub keys: Vec<Key>,
}

/// What [`section!`] implements.
pub(super) trait Section {
    /// Adds this section, found at `path`, and those inside it.
    fn describe(path: &str, tables: &mut Vec<Table>);
}

impl Key {
    /// A key whose default is `value`. Options that are `None` have no TOML value and show their `sample`.
    pub(super) fn new(
        name: &'static str,
        about: &'static [&'static str],
        value: &impl serde::Serialize,
        sample: &[&'static str],
    ) -> Self {
        let default = toml::Value::try_from(value).ok();
        let is_default = default.is_some();
        let sample = || sample.first().and_then(|text| text.parse::<toml::Value>().ok());
        // The test `every_key_has_a_value_to_show` keeps the empty text from ever being seen.
        let value = default.or_else(sample).unwrap_or(toml::Value::String(String::new()));
        Self { name, about, value, is_default }
    }
}

macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident: $type:ty = $default:expr $(, such as $sample:literal)?; )*
        }
        $( inside { $( $inner:ident: $inner_type:ty, )+ } )?
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $type, )*
            $($(
                #[doc = concat!("Section `", stringify!($inner), "`.")]
                pub $inner: $inner_type,
            )+)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )* $($( $inner: <$inner_type>::default(), )+)? }
            }
        }

        impl $crate::config::section::Section for $name {
            fn describe(path: &str, tables: &mut Vec<$crate::config::section::Table>) {
                let defaults = Self::default();
                let keys = vec![$(
                    $crate::config::section::Key::new(
                        stringify!($field), &[$($doc),+], &defaults.$field, &[$($sample)?],
                    ),
                )*];
                let about = &[$($about),+];
                tables.push($crate::config::section::Table { path: path.to_owned(), about, keys });
                $($({
                    let separator = if path.is_empty() { "" } else { "." };
                    let path = format!("{path}{separator}{}", stringify!($inner));
                    <$inner_type as $crate::config::section::Section>::describe(&path, tables);
                })+)?
            }
        }
    };
}

pub(super) use section;
