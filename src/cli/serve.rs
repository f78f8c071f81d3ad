//! `tollgate serve`: configuration, log, gateway, and a drain on SIGTERM or Ctrl-C.

use std::process::ExitCode;

use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::app::Error;
use crate::app::Gateway;
use crate::clock::Clock;
use crate::config::Settings;

use super::logging;
use super::output;
use super::sources::SourceArgs;

/// Serves until told to stop. Mistakes in the configuration are told before any port opens.
pub(super) fn run(args: &SourceArgs) -> ExitCode {
    let settings = match args.read(Settings::load) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    logging::start(&settings.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return output::failure(&error),
    };
    match runtime.block_on(serve(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failure(&error),
    }
}

async fn serve(settings: Settings) -> Result<(), Error> {
    let gateway = Gateway::start(settings, Clock::system()).await?;
    until_stopped(&gateway).await;
    gateway.drain().await;
    Ok(())
}

/// Returns when the process is told to stop. On SIGHUP, the gateway reads its certificates again.
pub(super) async fn until_stopped(gateway: &Gateway) {
    let reloading = async {
        // Without a handler the signal ends the process, as it does without this program's help.
        let Ok(mut hang_ups) = signal(SignalKind::hangup()) else {
            return std::future::pending().await;
        };
        while hang_ups.recv().await.is_some() {
            // It has logged what came of it.
            let _told = gateway.reloader().reload().await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = stop_signal() => {}
        () = reloading => {}
    }
}

pub(super) async fn stop_signal() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            // Without a handler the signal ends the process, which is what it asks for.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
