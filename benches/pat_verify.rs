//! What it costs to check a token: reading its text, its digest, and a whole authentication from the cache.
//!
//! Goal: a cache hit below one microsecond, at any number of cached tokens.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly, and says what it measures"
)]

use std::hint::black_box;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tollgate::audit::Beginning;
use tollgate::audit::Event;
use tollgate::audit::EventQuery;
use tollgate::audit::Link;
use tollgate::audit::Log;
use tollgate::audit::LogError;
use tollgate::clock::Clock;
use tollgate::iam::AccountId;
use tollgate::iam::AccountKind;
use tollgate::iam::AccountQuery;
use tollgate::iam::AccountRecord;
use tollgate::iam::AccountSummary;
use tollgate::iam::Config;
use tollgate::iam::Credential;
use tollgate::iam::HolderFacts;
use tollgate::iam::Identity;
use tollgate::iam::PatDigest;
use tollgate::iam::PatFacts;
use tollgate::iam::PatId;
use tollgate::iam::PatRecord;
use tollgate::iam::PatText;
use tollgate::iam::Pepper;
use tollgate::iam::Revocation;
use tollgate::iam::Role;
use tollgate::iam::Roles;
use tollgate::iam::State;
use tollgate::iam::Sweep;
use tollgate::iam::TenantRecord;
use tollgate::iam::TokenKind;
use tollgate::iam::Use;
use tollgate::iam::port::Applied;
use tollgate::iam::port::Ending;
use tollgate::iam::port::Login;
use tollgate::iam::port::Mutation;
use tollgate::iam::port::Page;
use tollgate::iam::port::Records;
use tollgate::iam::port::RecordsError;
use tollgate::model::Expiry;
use tollgate::model::TenantId;
use tollgate::model::Timestamp;
use tollgate::secret::Secret;

/// Cached tokens.
const SIZES: [usize; 2] = [10_000, 1_000_000];

/// Tokens asked for in turn, so that the greater cache does not answer from the processor's.
const ASKED: usize = 4_096;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn verify(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let pepper = Pepper::open_or_create(&folder.path().join("pepper")).unwrap();
    let text = token(7);
    let bytes = text.expose().len();
    let mut group = criterion.benchmark_group("pat_verify");
    group.bench_function(format!("parse_and_checksum/{bytes}_bytes"), |bencher| {
        bencher.iter(|| PatText::parse(black_box(text.expose())).is_ok());
    });
    let parsed = PatText::parse(text.expose()).unwrap();
    group.bench_function(format!("digest/{bytes}_bytes"), |bencher| {
        bencher.iter(|| pepper.digest(black_box(parsed)));
    });
    let runtime = Runtime::new().unwrap();
    for size in SIZES {
        let identity = runtime.block_on(cached(pepper.clone(), size));
        println!("cached tokens: {}", identity.authenticator.cached());
        let asked: Vec<Secret> = (0..ASKED).map(|at| token(at * (size / ASKED))).collect();
        let mut next = asked.iter().cycle();
        group.bench_function(BenchmarkId::new("cache_hit/tokens", size), |bencher| {
            bencher.iter_custom(|rounds| {
                let began = Instant::now();
                runtime.block_on(async {
                    for _ in 0..rounds {
                        let credential = Credential::Bearer(next.next().unwrap().clone());
                        let checked = identity.authenticator.authenticate(credential, HERE).await;
                        black_box(checked.unwrap());
                    }
                });
                began.elapsed()
            });
        });
    }
    group.finish();
}

/// The room with so many tokens in its cache.
async fn cached(pepper: Pepper, size: usize) -> Identity {
    let config = Config {
        cache_entries: 2 * size + 2,
        ..Config::default()
    };
    let clock = Clock::fixed(Timestamp::from_secs(1_800_000_000));
    let (records, log) = (Arc::new(Everybody), Arc::new(Everybody));
    let identity = Identity::open(records, log, pepper, config, clock)
        .await
        .unwrap();
    for number in 0..size {
        let credential = Credential::Bearer(token(number));
        identity
            .authenticator
            .authenticate(credential, HERE)
            .await
            .unwrap();
    }
    identity
}

/// A well-formed token.
fn token(number: usize) -> Secret {
    let covered = format!("tgpat_{number:043}");
    let mut rest = crc32fast::hash(covered.as_bytes());
    let mut checksum = [0; 6];
    for digit in checksum.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    Secret::new(format!(
        "{covered}_{}",
        std::str::from_utf8(&checksum).unwrap()
    ))
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A store that knows every token.
#[derive(Debug)]
struct Everybody;

#[async_trait]
impl Records for Everybody {
    async fn find_pat(&self, digest: &PatDigest) -> Result<Option<PatFacts>, RecordsError> {
        let (created, tenant) = (Timestamp::EPOCH, TenantId::new("pca"));
        let (head, _) = digest.as_bytes().split_first_chunk().unwrap();
        let account = AccountRecord {
            id: AccountId::from_raw(1),
            tenant: tenant.clone(),
            kind: AccountKind::Machine,
            username: "siem-export".to_owned(),
            name: String::new(),
            description: String::new(),
            roles: Role::TenantUser.into(),
            suspended: Roles::default(),
            state: State::Active,
            expires: Expiry::NEVER,
            tokens_not_before: None,
            networks: Vec::new(),
            has_secret: false,
            created,
            updated: created,
            version: 0,
        };
        let pat = PatRecord {
            id: PatId::from_raw(i64::from_be_bytes(*head)),
            account: account.id,
            tenant: tenant.clone(),
            kind: TokenKind::Pat,
            name: String::new(),
            description: String::new(),
            scopes: Vec::new(),
            networks: Vec::new(),
            hint: String::new(),
            created,
            created_by: None,
            parent: None,
            expires: Expiry::NEVER,
            revoked: None,
            last_used: None,
        };
        let tenant = TenantRecord {
            id: tenant,
            state: State::Active,
            max_pat_lifetime: None,
            tokens_not_before: None,
            max_pats: None,
            max_account_pats: None,
            created,
        };
        Ok(Some(PatFacts {
            pat,
            digest: *digest,
            account,
            tenant,
            seq: 0,
        }))
    }

    async fn apply(&self, _: &Mutation, _: Timestamp, _: &Event) -> Result<Applied, RecordsError> {
        Ok(Applied::default())
    }

    async fn swept(
        &self,
        _: &TenantId,
        _: &Sweep,
        _: Timestamp,
        _: Option<PatId>,
        _: u32,
    ) -> Result<Vec<PatRecord>, RecordsError> {
        Ok(Vec::new())
    }

    async fn tenant(&self, _: &TenantId) -> Result<Option<TenantRecord>, RecordsError> {
        Ok(None)
    }

    async fn tenants(&self) -> Result<Vec<TenantRecord>, RecordsError> {
        Ok(Vec::new())
    }

    async fn account(
        &self,
        _: &TenantId,
        _: AccountId,
    ) -> Result<Option<AccountRecord>, RecordsError> {
        Ok(None)
    }

    async fn account_named(
        &self,
        _: &TenantId,
        _: &str,
    ) -> Result<Option<AccountRecord>, RecordsError> {
        Ok(None)
    }

    async fn has_had_accounts(&self) -> Result<bool, RecordsError> {
        Ok(true)
    }

    async fn accounts(&self, _: &TenantId, _: &Page) -> Result<Vec<AccountRecord>, RecordsError> {
        Ok(Vec::new())
    }

    async fn search(
        &self,
        _: &TenantId,
        _: &AccountQuery,
        _: Timestamp,
    ) -> Result<(Vec<AccountSummary>, u64), RecordsError> {
        Ok((Vec::new(), 0))
    }

    async fn pat(&self, _: &TenantId, _: PatId) -> Result<Option<PatRecord>, RecordsError> {
        Ok(None)
    }

    async fn pats(&self, _: &TenantId, _: AccountId) -> Result<Vec<PatRecord>, RecordsError> {
        Ok(Vec::new())
    }

    async fn find_holder(
        &self,
        _: &TenantId,
        _: AccountId,
    ) -> Result<Option<HolderFacts>, RecordsError> {
        Ok(None)
    }

    async fn find_logins(&self, _: &str, _: Option<&TenantId>) -> Result<Vec<Login>, RecordsError> {
        Ok(Vec::new())
    }

    async fn revocations(&self, _: u64, _: u32) -> Result<Vec<Revocation>, RecordsError> {
        Ok(Vec::new())
    }

    async fn newest_revocation(&self) -> Result<u64, RecordsError> {
        Ok(0)
    }

    async fn raise_time_mark(&self, now: Timestamp) -> Result<Timestamp, RecordsError> {
        Ok(now)
    }

    async fn uses(&self, _: &TenantId, _: AccountId) -> Result<Vec<(PatId, Use)>, RecordsError> {
        Ok(Vec::new())
    }

    async fn ending(
        &self,
        _: Timestamp,
        _: Option<PatId>,
        _: u32,
    ) -> Result<Vec<Ending>, RecordsError> {
        Ok(Vec::new())
    }

    async fn over(&self, _: Timestamp, _: u32) -> Result<Vec<PatRecord>, RecordsError> {
        Ok(Vec::new())
    }

    async fn renew_digest(&self, _: &PatDigest, _: &PatDigest) -> Result<(), RecordsError> {
        Ok(())
    }

    async fn note_uses(&self, _: &[(PatId, Use)]) -> Result<(), RecordsError> {
        Ok(())
    }
}

#[async_trait]
impl Log for Everybody {
    async fn append(&self, _: &[Event]) -> Result<(), LogError> {
        Ok(())
    }

    async fn links(&self, _: u64, _: u32) -> Result<Vec<Link>, LogError> {
        Ok(Vec::new())
    }

    async fn find(&self, _: &EventQuery) -> Result<Vec<Link>, LogError> {
        Ok(Vec::new())
    }

    async fn beginning(&self) -> Result<Beginning, LogError> {
        Ok(Beginning::default())
    }

    async fn cut(&self, _: Timestamp, _: u32, _: Timestamp) -> Result<u64, LogError> {
        Ok(0)
    }
}

criterion_group!(benches, verify);
criterion_main!(benches);
