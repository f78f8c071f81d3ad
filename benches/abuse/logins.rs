//! People who log in with wrong passwords; and what a thread costs the others that only computes.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;

use thread_priority::NormalThreadSchedulePolicy;
use thread_priority::ThreadPriority;
use thread_priority::ThreadSchedulePolicy;
use thread_priority::set_thread_priority_and_policy;
use thread_priority::thread_native_id;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tollgate::iam::Credential;
use tollgate::secret::Secret;

use crate::gateway::Running;
use crate::streams::Flood;

/// Somebody who guesses, each time from another address, so that nothing but the number of computations holds it off.
pub fn guesser(running: &Running, number: usize, flood: &Flood) -> JoinHandle<()> {
    let authenticator = running.gateway.identity().authenticator.clone();
    let flood = flood.clone();
    tokio::spawn(async move {
        let first = u32::try_from(number << 16).unwrap() | 0x0a00_0000;
        for address in first.. {
            if flood.stop.load(Ordering::Relaxed) {
                return;
            }
            let credential = Credential::Password {
                username: format!("user-{address}"),
                password: Secret::new("wrong password"),
            };
            let from = IpAddr::V4(Ipv4Addr::from_bits(address));
            let refused = authenticator.authenticate(credential, from).await;
            assert!(refused.is_err());
            flood.sent.fetch_add(1, Ordering::Relaxed);
        }
    })
}

/// What it costs when anything at all computes at the priority at which hashes are computed: what no gateway can do better.
pub fn computer(flood: &Flood) -> JoinHandle<()> {
    let flood = flood.clone();
    let (done, ended) = oneshot::channel();
    std::thread::spawn(move || {
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle).unwrap();
        while !flood.stop.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        done.send(()).unwrap();
    });
    tokio::spawn(async move { ended.await.unwrap() })
}
