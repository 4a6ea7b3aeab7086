//! `vouch user add | list | reset | disable | enable | roles | token`.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::{Global, setup};
use crate::{
    app::App,
    domain::person::{Language, format_roles, parse_roles},
    people::{self, NewPerson},
    store::people::{self as rows, Person},
};

/// Accounts listed.
const MAX_LISTED: i64 = 10_000;

/// Arguments of `vouch user`.
#[derive(Debug, Args)]
pub struct UserArguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Adds a user and prints the one-time password.
    Add {
        /// What they sign in with.
        user_name: String,
        /// What others see; the user name unless given.
        #[arg(long)]
        name: Option<String>,
        /// Comma-separated: rep, reviewer, admin, auditor.
        #[arg(long, default_value = "rep")]
        roles: String,
        /// E-mail address.
        #[arg(long)]
        email: Option<String>,
        /// Language of their pages: en or zh.
        #[arg(long, default_value_t = Language::En)]
        language: Language,
    },
    /// Lists users.
    List,
    /// Gives a user a new one-time password and ends their sessions.
    Reset {
        /// Who.
        user_name: String,
    },
    /// Lets a user no longer sign in; their receipts stay.
    Disable {
        /// Who.
        user_name: String,
    },
    /// Lets a disabled user sign in again.
    Enable {
        /// Who.
        user_name: String,
    },
    /// Replaces a user's roles.
    Roles {
        /// Who.
        user_name: String,
        /// Comma-separated.
        roles: String,
    },
    /// Makes an API token and prints it once.
    Token {
        /// Whose.
        user_name: String,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        name: String,
    },
}

/// Acts as the console of the machine: whoever runs the service may.
pub async fn run(global: Global, arguments: UserArguments) -> anyhow::Result<ExitCode> {
    let config = setup::load_config(&global)?;
    setup::start_logging(&config);
    let app = setup::open_app(&config).await?;
    match arguments.act {
        Act::Add { user_name, name, roles, email, language } => {
            let new = NewPerson {
                display_name: name.unwrap_or_else(|| user_name.clone()),
                user_name: user_name.parse()?,
                email,
                language,
                roles: parse_roles(&roles)?,
                units: std::collections::BTreeSet::new(),
            };
            let created = people::create(&app, None, new).await?;
            println!("user name: {}", created.person.user_name);
            println!("one-time password: {}", created.one_time_password.reveal());
        }
        Act::List => {
            let mut tx = app.db.read().await?;
            for person in rows::list(&mut tx, None, MAX_LISTED).await? {
                let state = if person.disabled_at.is_some() { "disabled" } else { "active" };
                println!("{}\t{}\t{}\t{state}", person.user_name, format_roles(&person.roles), person.display_name);
            }
        }
        Act::Reset { user_name } => {
            let person = find(&app, &user_name).await?;
            let reset = people::reset_password(&app, None, &person.id).await?;
            println!("one-time password: {}", reset.one_time_password.reveal());
        }
        Act::Disable { user_name } => {
            let person = find(&app, &user_name).await?;
            people::disable(&app, None, &person.id).await?;
            println!("{user_name} can no longer sign in");
        }
        Act::Enable { user_name } => {
            let person = find(&app, &user_name).await?;
            people::enable(&app, None, &person.id).await?;
            println!("{user_name} can sign in again");
        }
        Act::Roles { user_name, roles } => {
            let person = find(&app, &user_name).await?;
            let person = people::set_roles(&app, None, &person.id, &parse_roles(&roles)?).await?;
            println!("{user_name}: {}", format_roles(&person.roles));
        }
        Act::Token { user_name, name } => {
            let person = find(&app, &user_name).await?;
            let issued = people::create_token(&app, None, &person.id, &name, None).await?;
            println!("{}", issued.text.reveal());
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn find(app: &App, user_name: &str) -> anyhow::Result<Person> {
    let folded: people::UserName = user_name.parse()?;
    let mut tx = app.db.read().await?;
    rows::find_by_user_name(&mut tx, folded.as_str())
        .await?
        .with_context(|| format!("there is no user `{user_name}`: see `vouch user list`"))
}
