//! Many streams whose token is revoked.

use tokio::task::JoinSet;
use tokio::time::Instant;
use tollgate::iam::Caller;
use tollgate::iam::NewPat;
use tollgate::model::Expiry;
use tollgate::model::TenantId;

use crate::CONNECTIONS;
use crate::gateway::Running;
use crate::gateway::TENANT;
use crate::gateway::millis;
use crate::times::Times;

const STREAMS: usize = 10_000;

/// Ten thousand streams on one token: from the call that revokes it to the status of the last.
pub async fn revoke(running: &Running) {
    println!("{STREAMS} streams of one token on {CONNECTIONS} TLS connections, revoked");
    let new = NewPat::until(Expiry::NEVER);
    let (accounts, caller) = (&running.gateway.identity().accounts, Caller::operator());
    let tenant = TenantId::new(TENANT);
    let issued = accounts.create_pat(&caller, &tenant, running.account, new);
    let issued = issued.await.unwrap();
    let mut streams = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let channel = running.channel().await;
        for _ in 0..STREAMS / CONNECTIONS {
            let mut stream = running.subscribe(&channel, &issued.token).await;
            streams.spawn(async move {
                while let Ok(Some(_)) = stream.message().await {}
                Instant::now()
            });
        }
    }
    let began = Instant::now();
    let revoked = accounts.revoke_pat(&caller, &tenant, issued.record.id);
    revoked.await.unwrap();
    let answered = began.elapsed();
    let mut times = Times::default();
    while let Some(ended) = streams.join_next().await {
        times.0.push(ended.unwrap() - began);
    }
    println!("  revoking answered     {:>9.1} ms", millis(answered));
    println!("  half of them ended    {:>9.1} ms", times.quantile(0.5));
    println!("  the last one ended    {:>9.1} ms", times.quantile(1.0));
    println!(
        "  streams left          {:>9}\n",
        running.gateway.identity().registry.len()
    );
}
