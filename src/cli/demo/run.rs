//! Running the demo: start, accounts, measurements, commands, and a drain at the end.

use std::io;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::app;
use crate::app::Gateway;
use crate::cli::logging;
use crate::cli::output;
use crate::cli::serve::until_stopped;
use crate::clock::Clock;
use crate::config::Mistakes;
use crate::config::Settings;
use crate::config::Sources;
use crate::iam::AccountsError;

use super::accounts::prepare;
use super::banner::banner;
use super::facts::Facts;
use super::sessions::sessions;

/// The demo's flags.
#[derive(Args, Debug)]
pub(in crate::cli) struct DemoArgs {
    /// Where the demo keeps store, certificates and demo.json
    #[arg(long, default_value = "demo-data")]
    data_dir: PathBuf,
    /// Address of the gateway; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8443")]
    gateway: SocketAddr,
    /// Address of the IAM API; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:3443")]
    iam: SocketAddr,
    /// Address of metrics and health; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:9464")]
    admin: SocketAddr,
}

/// Why the demo does not run.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("cannot prepare the demo's accounts")]
    Accounts(#[from] AccountsError),
    #[error("{0}")]
    App(#[from] app::Error),
    #[error("cannot write demo.json")]
    Facts(#[source] io::Error),
    #[error("cannot measure")]
    Measure(#[from] crate::measure::SettingError),
    #[error("the demo's settings are wrong: {0}")]
    Settings(#[from] Mistakes),
    #[error("cannot start")]
    Io(#[from] io::Error),
}

/// Runs the demo until told to stop.
pub(in crate::cli) fn run(args: &DemoArgs) -> ExitCode {
    match try_run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failure(&error),
    }
}

fn try_run(args: &DemoArgs) -> Result<(), DemoError> {
    let settings = settings(args)?;
    logging::start(&settings.log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let clock = Clock::system();
        let gateway = Gateway::start(settings, clock.clone()).await?;
        let started = introduce(args, &gateway, &clock).await;
        if started.is_ok() {
            until_stopped(&gateway).await;
        }
        gateway.drain().await;
        started
    })
}

/// Everything after the start: accounts, measurements, and what the visitor is told.
async fn introduce(args: &DemoArgs, gateway: &Gateway, clock: &Clock) -> Result<(), DemoError> {
    let earlier = Facts::load(&args.data_dir);
    let visitor = prepare(&gateway.identity().accounts, earlier.as_ref(), clock).await?;
    if let Some(reflector) = gateway.reflector_address() {
        for session in sessions(&visitor.tenant, reflector)? {
            gateway.measure(session).await?;
        }
    }
    let facts = Facts {
        gateway: gateway.address().to_string(),
        iam: gateway.iam_address().to_string(),
        admin: gateway.admin_address().to_string(),
        ca_file: absolute(gateway.ca_file()),
        data_dir: absolute(&args.data_dir),
        tenant: visitor.tenant.as_str().to_owned(),
        token: visitor.token.expose().to_owned(),
        admin_username: visitor.admin_username,
        admin_password: visitor.admin_password.expose().to_owned(),
        machine_user_id: visitor.machine_user.to_string(),
        credential_id: visitor.credential.to_string(),
    };
    facts.save(&args.data_dir).map_err(DemoError::Facts)?;
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("tollgate"));
    // The demo goes on when nobody reads its words.
    let _printed = output::line(&banner(&facts, &program.display().to_string()));
    Ok(())
}

fn settings(args: &DemoArgs) -> Result<Settings, Mistakes> {
    let reflector = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let sources = Sources::new()
        .with_flag("gateway.listen", &args.gateway.to_string())
        .with_flag("gateway.iam_listen", &args.iam.to_string())
        .with_flag("gateway.drain_grace", "0s")
        .with_flag("admin.listen", &args.admin.to_string())
        .with_flag("store.data_dir", &args.data_dir.display().to_string())
        .with_flag("log.level", "warn")
        // Visitors try wrong credentials, all from this one address.
        .with_flag("iam.failure_burst", "200")
        .with_flag("measure.clock_synchronized", "true")
        .with_flag("measure.reflector_listen", &reflector.to_string());
    Settings::load(&sources)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
