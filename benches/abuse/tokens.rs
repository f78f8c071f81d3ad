//! Good tokens beside unknown ones.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tollgate::wire::proto::gnmi as pb;
use tollgate::wire::proto::gnmi::g_nmi_client::GNmiClient;
use tonic::Code;
use tonic::Status;
use tonic::transport::Channel;

use crate::ATTACKERS;
use crate::CONNECTIONS;
use crate::PACE;
use crate::gateway::Running;
use crate::gateway::with_bearer;
use crate::times::Times;

/// Good tokens at a steady pace: alone, beside a flood of good ones, beside one of unknown ones.
pub async fn unknown_tokens(running: &Running, time: Duration) {
    println!("{PACE} good Capabilities a second over TLS, beside floods of {ATTACKERS} at once");
    let (stop, none) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let alone = good_requests(running, time).await;
    alone.report("alone", &none, time, None);
    for (name, is_unknown) in [("good tokens", false), ("unknown tokens", true)] {
        let sent = Arc::new(AtomicU64::new(0));
        stop.store(false, Ordering::Relaxed);
        let flood = flood(running, is_unknown, &stop, &sent).await;
        let beside = good_requests(running, time).await;
        stop.store(true, Ordering::Relaxed);
        for attacker in flood {
            attacker.await.unwrap();
        }
        beside.report(name, &sent, time, Some(&alone));
    }
    println!();
}

async fn good_requests(running: &Running, time: Duration) -> Times {
    let channel = running.channel().await;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PACE);
    let mut waiting = JoinSet::new();
    let began = Instant::now();
    while began.elapsed() < time {
        ticks.tick().await;
        let (channel, token) = (channel.clone(), running.token.clone());
        waiting.spawn(async move {
            let sent = Instant::now();
            capabilities(channel, token.expose()).await.unwrap();
            sent.elapsed()
        });
    }
    Times(waiting.join_all().await)
}

/// Clients that ask again as soon as they are answered.
async fn flood(
    running: &Running,
    is_unknown: bool,
    stop: &Arc<AtomicBool>,
    sent: &Arc<AtomicU64>,
) -> Vec<JoinHandle<()>> {
    let mut attackers = Vec::new();
    for connection in 0..CONNECTIONS {
        let channel = running.channel().await;
        for attacker in 0..ATTACKERS / CONNECTIONS {
            let (channel, stop, sent) = (channel.clone(), Arc::clone(stop), Arc::clone(sent));
            let good = running.token.clone();
            let first = ((connection * ATTACKERS + attacker) as u64) << 40;
            attackers.push(tokio::spawn(async move {
                for number in first.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let token = if is_unknown {
                        unknown(number)
                    } else {
                        good.expose().to_owned()
                    };
                    let answer = capabilities(channel.clone(), &token).await;
                    assert_eq!(answer.is_err(), is_unknown, "{answer:?}");
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
    }
    attackers
}

async fn capabilities(channel: Channel, token: &str) -> Result<(), Status> {
    let request = with_bearer(pb::CapabilityRequest::default(), token);
    let answer = GNmiClient::new(channel).capabilities(request).await;
    match answer {
        Err(status)
            if !matches!(
                status.code(),
                Code::Unauthenticated | Code::ResourceExhausted
            ) =>
        {
            panic!("{status:?}")
        }
        answer => answer.map(drop),
    }
}

/// A well-formed token that nobody has.
fn unknown(number: u64) -> String {
    let body = format!("tgpat_{number:0>43}");
    let crc = crc32fast::hash(body.as_bytes());
    format!("{body}_{}", base62(crc))
}

fn base62(mut number: u32) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; 6];
    for place in text.iter_mut().rev() {
        let at = usize::try_from(number % 62).unwrap();
        *place = DIGITS.get(at).copied().unwrap();
        number /= 62;
    }
    String::from_utf8(text.to_vec()).unwrap()
}
