//! What does it cost the others when a token is revoked on which ten thousand streams hang, when unknown tokens come in
//! floods, when logins do, when requests for certificates do, when peers turn HTTP/2 against the gateway? A whole gateway
//! and its clients in this process, TLS and tokens on. Plain tables; not a statistic but a run, so compare figures of one
//! run.
//!
//! `cargo bench --bench abuse -- 20` takes twenty seconds for each flood (default 5). `cargo bench --bench abuse -- revoke` (or
//! `tokens`, `logins`, `csrs`, `http2`) runs one part.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a benchmark may fail loudly, and says what it measures"
)]

mod csrs;
#[path = "../gateway/mod.rs"]
mod gateway;
mod http2;
mod logins;
mod revoke;
mod streams;
mod times;
mod tokens;

use std::time::Duration;

use tollgate::iam::Role;

use gateway::Running;
use streams::Flood;
use streams::streams_beside;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const CONNECTIONS: usize = 20;
/// Good requests a second, and updates a second.
const PACE: u32 = 100;
/// Unknown tokens in flight at once, and people who log in at once.
const ATTACKERS: usize = 200;
/// Peers that use HTTP/2 itself. Each takes a processor for its own part, so that more would leave the others none to be
/// measured with.
const PEERS: usize = 1;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let seconds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(5);
    let parts = ["revoke", "tokens", "logins", "csrs", "http2"];
    let named = |part: &str| words.iter().any(|word| word == part);
    let chosen = |part: &str| named(part) || !parts.iter().any(|part| named(part));
    gateway::run(async {
        let time = Duration::from_secs(seconds);
        if chosen("revoke") {
            revoke::revoke(&Running::start().await).await;
        }
        if chosen("tokens") {
            tokens::unknown_tokens(&Running::start().await, time).await;
        }
        if chosen("logins") {
            let running = Running::start().await;
            let attacker = |number, flood: &Flood| logins::guesser(&running, number, flood);
            streams_beside(&running, "wrong logins", ATTACKERS, time, attacker).await;
            let running = Running::start().await;
            let computer = |_, flood: &Flood| logins::computer(flood);
            streams_beside(&running, "idle threads that compute", 1, time, computer).await;
        }
        if chosen("csrs") {
            let running = Running::start().await;
            let (_, admin) = running.create("admin", Role::TenantAdmin).await;
            let channel = running.channel().await;
            let attacker =
                |number, flood: &Flood| csrs::applicant(number, &channel, &admin.token, flood);
            streams_beside(&running, "CSRs", ATTACKERS, time, attacker).await;
        }
        if chosen("http2") {
            let running = Running::start().await;
            for (name, bytes) in http2::kinds(&running) {
                let attacker = |_, flood: &Flood| http2::peer(&running, &bytes, flood);
                streams_beside(&running, name, PEERS, time, attacker).await;
            }
        }
    });
}
