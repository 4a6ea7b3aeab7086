//! What people sign in with.

use std::{fmt, str::FromStr};

use unicode_normalization::UnicodeNormalization as _;

/// Fewest characters of a user name.
const MIN_CHARS: usize = 2;
/// Most characters of a user name.
const MAX_CHARS: usize = 64;

/// A user name: NFKC, lower-case, 2 to 64 letters, digits or `. _ - @ +`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserName(String);

/// Why a text is no user name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserNameError {
    /// Too short or too long.
    #[error("a user name has {MIN_CHARS} to {MAX_CHARS} characters")]
    Length,
    /// A character that is neither letter nor digit nor one of the marks.
    #[error("a user name has letters, digits and . _ - @ + only; `{}` is none of them", .0.escape_default())]
    Character(char),
    /// It begins with a mark.
    #[error("a user name begins with a letter or digit")]
    Beginning,
}

impl UserName {
    /// The folded name as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = UserNameError;

    fn from_str(text: &str) -> Result<Self, UserNameError> {
        // NFKC can lengthen a character eighteen-fold (U+FDFA); look at no more input than could still be allowed.
        let input: String = text.trim().chars().take(MAX_CHARS + 1).collect();
        // Lower-casing after NFKC can leave a form that NFKC changes again (U+0130): fold until it stands.
        let folded: String = input.nfkc().flat_map(char::to_lowercase).nfkc().collect();
        let length = folded.chars().count();
        if !(MIN_CHARS..=MAX_CHARS).contains(&length) {
            return Err(UserNameError::Length);
        }
        // A dot above left by lower-casing `İ` is no letter and is refused here like any other mark.
        if let Some(stranger) =
            folded.chars().find(|c| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-' | '@' | '+'))
        {
            return Err(UserNameError::Character(stranger));
        }
        if folded.starts_with(|c: char| !c.is_alphanumeric()) {
            return Err(UserNameError::Beginning);
        }
        Ok(Self(folded))
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name_fold_to_one_user_name() {
        for (text, folded) in [
            (" Mei.Wang ", "mei.wang"),
            ("ＭＥＩ", "mei"),
            ("王芳", "王芳"),
            ("Jörg@Example.com", "jörg@example.com"),
            ("Jo\u{308}rg", "jörg"),
        ] {
            assert_eq!(text.parse::<UserName>().unwrap().as_str(), folded, "{text}");
        }
    }

    #[test]
    fn what_is_no_user_name_says_why() {
        for (text, why) in [
            ("a", UserNameError::Length),
            ("", UserNameError::Length),
            ("mei wang", UserNameError::Character(' ')),
            ("mei\u{200b}", UserNameError::Character('\u{200b}')),
            ("a/b", UserNameError::Character('/')),
            (".hidden", UserNameError::Beginning),
        ] {
            assert_eq!(text.parse::<UserName>(), Err(why), "{text}");
        }
        assert_eq!("x".repeat(65).parse::<UserName>(), Err(UserNameError::Length));
        assert_eq!("\u{fdfa}".repeat(60).parse::<UserName>(), Err(UserNameError::Length));
    }

    proptest! {
        #[test]
        fn folding_a_folded_name_changes_nothing(text in "\\PC{2,20}") {
            if let Ok(name) = text.parse::<UserName>() {
                prop_assert_eq!(name.as_str().parse::<UserName>(), Ok(name.clone()));
            }
        }
    }
}
