//! A post office over a test application.

use std::sync::Arc;

use vouch::{
    capture::mail::{MailSettings, PostOffice, authenticate::Authenticator, links::LinkPolicy, webhook::Keys},
    domain::mail::SenderPolicy,
};

use super::TestApp;

/// Takes mail for `in.example`; nobody's DNS is asked, so every sender is unchecked.
pub fn office(world: &TestApp) -> PostOffice {
    let settings = MailSettings {
        domains: vec!["in.example".to_owned()],
        host_name: "mx.in.example".to_owned(),
        policy: SenderPolicy::Proved,
        links: LinkPolicy::default(),
    };
    PostOffice { app: world.app.clone(), settings: Arc::new(settings), authenticator: Authenticator::without_dns() }
}

/// Keys of the providers in tests.
pub fn hook_keys() -> Keys {
    Keys {
        mailgun: Some("mailgun-key".to_owned()),
        postmark: Some("postmark:0123456789abcdef".to_owned()),
        ..Keys::default()
    }
}
