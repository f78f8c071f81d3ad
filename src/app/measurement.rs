//! Measurement sessions of the gateway itself: their reports enter the tree like any other source's.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::Session;
use crate::measure::MonitoredObject;
use crate::measure::Reflector;
use crate::measure::ReflectorConfig;
use crate::measure::Report;
use crate::measure::Sender;
use crate::model::TenantId;
use crate::telemetry::Core;

use super::Error;

/// Binds the reflector and starts it. It ends with `stop`.
pub(super) async fn start_reflector(
    config: ReflectorConfig,
    clock: Clock,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> Result<std::net::SocketAddr, Error> {
    let reflector = Reflector::bind(config, clock)
        .await
        .map_err(Error::Measure)?;
    let address = reflector.local_addr();
    tasks.spawn(reflector.run(stop));
    Ok(address)
}

/// Starts one session, and what publishes its reports. Both end with `stop`.
pub(super) async fn start_session(
    session: Session,
    core: Core,
    clock: Clock,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> Result<(), Error> {
    let Session {
        tenant,
        sender: config,
    } = session;
    let object = config.object.clone();
    let sender = Sender::bind(config, clock).await.map_err(Error::Measure)?;
    let (reports, received) = mpsc::channel(PENDING_REPORTS);
    tasks.spawn(sender.run(reports, stop));
    tasks.spawn(publish(tenant, object, received, core));
    Ok(())
}

/// Publishes each report until the sender is gone.
async fn publish(
    tenant: TenantId,
    object: MonitoredObject,
    mut reports: mpsc::Receiver<Report>,
    core: Core,
) {
    while let Some(report) = reports.recv().await {
        for notification in object.notifications(&report) {
            if let Err(error) = core.publish(&tenant, &notification) {
                tracing::warn!(%tenant, %error, "measured values do not fit into the tree");
            }
        }
    }
}

/// Publishing takes microseconds, so a report waits for none before it; two cover a moment without processor.
const PENDING_REPORTS: usize = 2;
