//! Opening the store, and doing what the words say.

use std::process::ExitCode;

use serde_json::Value;

use crate::app::Local;
use crate::app::open_datastore;
use crate::cli::output;
use crate::clock::Clock;
use crate::config::Settings;
use crate::iam::Accounts;
use crate::iam::Caller;
use crate::iam::Role;

use super::account;
use super::args::AdminArgs;
use super::args::Noun;
use super::audit;
use super::datastore;
use super::error::AdminError;
use super::pat;
use super::show::show;
use super::tenant;

/// Runs one admin command as the local operator.
pub(in crate::cli) fn run(args: AdminArgs) -> ExitCode {
    let json = args.json;
    match try_run(args) {
        Ok(answer) => match show(&answer, json) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => output::failure(&error),
        },
        Err(error) => {
            if let AdminError::Refused { rows, .. } = &error {
                // Where nobody reads it, the exit code still says it.
                let _unread = show(rows, json);
            }
            output::failure(&error)
        }
    }
}

/// The accounts, and as whom they are changed.
pub(super) struct Desk {
    pub(super) accounts: Accounts,
    pub(super) caller: Caller,
    pub(super) clock: Clock,
}

fn try_run(args: AdminArgs) -> Result<Value, AdminError> {
    // A typing error must not make a second, empty store.
    let creates = matches!(args.noun, Noun::Tenant(super::args::Tenant::Create { .. }));
    let settings = settings(&args)?;
    if !creates && !settings.data_dir.is_dir() {
        return Err(AdminError::NoDataDir(settings.data_dir));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let clock = Clock::system();
        let (data_dir, shared) = (&settings.data_dir, settings.shared_store.as_ref());
        let local = Local::open(data_dir, shared, settings.iam, clock.clone())
            .await
            .map_err(AdminError::App)?;
        let accounts = local.identity.accounts.clone();
        let desk = Desk {
            accounts,
            caller: Caller::operator(),
            clock,
        };
        let answer = match args.noun {
            Noun::Audit(verb) => audit::run(&desk, verb).await,
            Noun::Datastore(verb) => {
                let folder = settings.yang_dir.as_deref();
                match open_datastore(folder, &local, desk.clock.clone()) {
                    Ok(datastore) => datastore::run(&desk, &datastore, verb).await,
                    Err(error) => Err(AdminError::App(error)),
                }
            }
            Noun::Pat(verb) => pat::run(&desk, verb).await,
            Noun::RecoverAdmin(args) => account::recover(&desk, &args).await,
            Noun::Role(_) => Ok(roles()),
            Noun::ServiceAccount(verb) => account::run_service_account(&desk, verb).await,
            Noun::Tenant(verb) => tenant::run(&desk, verb).await,
            Noun::User(verb) => account::run_user(&desk, verb).await,
        };
        local.store.close().await;
        answer
    })
}

/// The gateway's own settings, of which only those of store and accounts count here.
fn settings(args: &AdminArgs) -> Result<Settings, AdminError> {
    let mut sources = args.sources.sources()?;
    if let Some(data_dir) = &args.data_dir {
        sources = sources.with_flag("store.data_dir", &data_dir.display().to_string());
    }
    Ok(Settings::load(&sources)?)
}

fn roles() -> Value {
    Role::ALL
        .iter()
        .map(|role| serde_json::json!({ "role": role.as_str() }))
        .collect()
}
