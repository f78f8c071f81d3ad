//! Several nodes on one store: they come at once, write at once, and nobody misses anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::postgres::open;
use super::sample::NOW;
use super::sample::account;
use super::sample::apply;
use super::sample::creation;
use super::sample::pat;
use super::sample::tenant;
use super::sample::with_tenants;
use super::server;
use super::server::Database;
use crate::audit;
use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Log as _;
use crate::iam::AccountKind;
use crate::iam::Revocation;
use crate::iam::port::Mutation;
use crate::iam::port::Records as _;
use crate::store::Store;

const NODES: usize = 4;

async fn nodes(database: &Database) -> Vec<Store> {
    let mut opening = JoinSet::new();
    for _ in 0..NODES {
        let database = database.clone();
        opening.spawn(async move { open(&database).await });
    }
    opening.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_open_an_empty_database_at_once_find_one_schema() {
    let Some(database) = server::database().await else {
        return;
    };
    let nodes = nodes(&database).await;
    with_tenants(&nodes[0]).await;
    for node in &nodes {
        assert_eq!(
            node.tenants().await.unwrap(),
            [tenant("other"), tenant("pca")]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_make_a_file_at_once_find_one_schema() {
    let folder = tempfile::tempdir().unwrap();
    let mut opening = JoinSet::new();
    for _ in 0..NODES {
        let path = folder.path().join("tollgate.db");
        opening.spawn(async move { Store::open_sqlite(&path).await.unwrap() });
    }
    let stores = opening.join_all().await;
    with_tenants(&stores[0]).await;
    for store in &stores {
        assert_eq!(
            store.tenants().await.unwrap(),
            [tenant("other"), tenant("pca")]
        );
    }
}

/// Who asks for "all after the last one that I saw" sees every entry, in order, whoever wrote it (iam R3); and the audit
/// trail of all nodes is one chain.
#[tokio::test(flavor = "multi_thread")]
async fn reader_misses_nothing_while_all_nodes_write() {
    const CHANGES: usize = 25;
    let Some(database) = server::database().await else {
        return;
    };
    let nodes = nodes(&database).await;
    with_tenants(&nodes[0]).await;
    let mut writers = JoinSet::new();
    for (number, node) in nodes.iter().enumerate() {
        // Two writers on each node, which take turns with each other and with the other nodes.
        for lane in 0..2 {
            let node = node.clone();
            writers.spawn(async move {
                for change in 0..CHANGES {
                    let name = format!("a{number}-{lane}-{change}");
                    let account = account("pca", &name, AccountKind::Machine);
                    let with_pat = creation(&account, Some(pat(&account, "first")));
                    apply(&node, with_pat).await.unwrap();
                    let event = Event::new(NOW, Kind::RateLimited, audit::Actor::Unknown);
                    node.append(&[event]).await.unwrap();
                }
            });
        }
    }
    let reader = nodes[0].clone();
    let expected = NODES * 2 * CHANGES * 2;
    let reading = tokio::spawn(async move {
        let mut seen: Vec<Revocation> = Vec::new();
        while seen.len() < expected {
            let last = seen.last().map_or(0, |entry| entry.seq);
            seen.extend(reader.revocations(last, 7).await.unwrap());
        }
        seen
    });
    writers.join_all().await;
    let seen = tokio::time::timeout(Duration::from_secs(30), reading);
    let seen = seen.await.expect("an entry was missed").unwrap();
    assert!(seen.is_sorted_by(|one, next| one.seq < next.seq));
    assert_eq!(nodes[1].revocations(0, 10_000).await.unwrap(), seen);

    let links = nodes[2].links(0, 10_000).await.unwrap();
    assert_eq!(links.len(), 2 + NODES * 2 * CHANGES * 2);
    audit::verify(&links, 0, [0; 32]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn change_on_one_node_hints_at_it_on_the_other_also_after_the_connection_was_killed() {
    let Some(database) = server::database().await else {
        return;
    };
    let (one, two) = (open(&database).await, open(&database).await);
    let stop = CancellationToken::new();
    let listening = {
        let (two, stop) = (two.clone(), stop.clone());
        tokio::spawn(async move { two.listen(stop).await })
    };
    let hint = || async {
        let waiting = tokio::time::timeout(Duration::from_secs(30), two.hint());
        waiting.await.expect("no hint");
    };
    // The first says that it listens.
    hint().await;
    with_tenants(&one).await;
    let same = |name: &str| creation(&account("pca", name, AccountKind::Machine), None);
    apply(&one, same("one")).await.unwrap();
    hint().await;

    database
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND query LIKE 'LISTEN%'",
        )
        .await;
    // It listens again, and what has happened meanwhile may have been missed.
    hint().await;
    apply(&one, same("two")).await.unwrap();
    hint().await;
    stop.cancel();
    listening.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_give_one_username_once() {
    let Some(database) = server::database().await else {
        return;
    };
    let nodes = nodes(&database).await;
    with_tenants(&nodes[0]).await;
    let mut writers = JoinSet::new();
    for node in nodes.iter().cloned().map(Arc::new) {
        writers.spawn(async move {
            let same = account("pca", "same", AccountKind::Machine);
            apply(&*node, creation(&same, None)).await.is_ok()
        });
    }
    let won = writers.join_all().await;
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    let twice = Mutation::CreateTenant(tenant("pca"));
    assert!(apply(&nodes[1], twice).await.is_err());
}
