//! People who log in with wrong passwords.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;

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
