//! Streams at a steady pace, alone and beside a flood.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tollgate::clock::Clock;
use tollgate::wire::proto::gnmi as pb;
use tonic::Streaming;

use crate::PACE;
use crate::gateway::Running;
use crate::times::Times;

/// Streams whose delay is watched.
const WATCHED: usize = 100;

/// Many who ask at once.
#[derive(Clone, Default)]
pub struct Flood {
    pub stop: Arc<AtomicBool>,
    /// Answers that they got.
    pub sent: Arc<AtomicU64>,
}

/// Streams at a steady pace: alone, and beside a flood.
pub async fn streams_beside(
    running: &Running,
    name: &str,
    attackers: usize,
    time: Duration,
    attacker: impl Fn(usize, &Flood) -> JoinHandle<()>,
) {
    println!("{WATCHED} streams, {PACE} updates a second each, beside {attackers} {name} at once");
    let channel = running.channel().await;
    running.publish(0, 0);
    let mut streams = Vec::new();
    for _ in 0..WATCHED {
        streams.push(running.subscribe(&channel, &running.token).await);
    }
    let delays = Arc::new(parking_lot::Mutex::new(Times::default()));
    for stream in streams {
        tokio::spawn(watch(stream, running.clock.clone(), Arc::clone(&delays)));
    }
    let flood = Flood::default();
    updates(running, time).await;
    let alone = std::mem::take(&mut *delays.lock());
    alone.report("alone", &flood.sent, time, None);
    let attackers: Vec<_> = (0..attackers)
        .map(|number| attacker(number, &flood))
        .collect();
    updates(running, time).await;
    flood.stop.store(true, Ordering::Relaxed);
    let beside = std::mem::take(&mut *delays.lock());
    beside.report(name, &flood.sent, time, Some(&alone));
    for attacker in attackers {
        attacker.await.unwrap();
    }
    println!();
}

async fn updates(running: &Running, time: Duration) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PACE);
    let began = Instant::now();
    let mut number = 0;
    while began.elapsed() < time {
        ticks.tick().await;
        number += 1;
        running.publish(0, number);
    }
}

/// Notes how late each update comes.
async fn watch(
    mut stream: Streaming<pb::SubscribeResponse>,
    clock: Clock,
    delays: Arc<parking_lot::Mutex<Times>>,
) {
    while let Ok(Some(message)) = stream.message().await {
        if let Some(pb::subscribe_response::Response::Update(notification)) = message.response {
            let late = clock.now().nanos() - notification.timestamp;
            let late = Duration::from_nanos(u64::try_from(late).unwrap_or(0));
            delays.lock().0.push(late);
        }
    }
}
