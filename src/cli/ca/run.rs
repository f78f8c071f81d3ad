//! Doing what the words say, as the local operator.

use std::process::ExitCode;
use std::time::Duration;

use crate::app::Local;
use crate::audit;
use crate::audit::Event;
use crate::audit::Kind;
use crate::cli::output;
use crate::clock::Clock;
use crate::config::Settings;
use crate::iam::Caller;
use crate::iam::PatId;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::pki;
use crate::pki::Authority;
use crate::pki::port::Certificates as _;
use crate::pki::port::Revoke;
use crate::pki::port::Which;

use super::args::CaArgs;
use super::args::CrlArgs;
use super::args::RevokeArgs;
use super::args::Verb;
use super::error::CaError;

/// Runs one command about the authority.
pub(in crate::cli) fn run(args: CaArgs) -> ExitCode {
    match try_run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failure(&error),
    }
}

fn try_run(args: CaArgs) -> Result<(), CaError> {
    let clock = Clock::system();
    let settings = settings(&args)?;
    let data_dir = &settings.data_dir;
    let dir = data_dir.join(PKI);
    // A typing error must not make a second authority.
    let makes = matches!(args.verb, Verb::Init | Verb::Import(_));
    if !makes && !dir.is_dir() {
        return Err(CaError::NoDataDir(data_dir.clone()));
    }
    pki::make_secret_dir(data_dir)?;
    let authority = Authority::open_or_create(&dir, &clock)?;
    match args.verb {
        Verb::Crl(crl) => with_store(&settings, &clock, async |local| {
            sign_list(&authority, local, &crl, &clock).await
        }),
        Verb::Import(import) => {
            authority.import(&import.cert, &import.key)?;
            if !import.announce {
                authority.rotate()?;
            }
            show(&authority)
        }
        Verb::Init | Verb::Show => show(&authority),
        Verb::Prepare => {
            authority.prepare()?;
            show(&authority)
        }
        Verb::Revoke(revoke) => with_store(&settings, &clock, async |local| {
            let revoked = revoke_certificates(local, &revoke, &clock).await?;
            for serial in &revoked {
                output::line(&format!("revoked {serial}"))?;
            }
            output::line(&format!("{} certificates revoked", revoked.len()))?;
            Ok(())
        }),
        Verb::Rotate => {
            authority.rotate()?;
            show(&authority)
        }
    }
}

/// Opens the store for as long as `work` takes.
fn with_store(
    settings: &Settings,
    clock: &Clock,
    work: impl AsyncFnOnce(&Local) -> Result<(), CaError>,
) -> Result<(), CaError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let shared = settings.shared_store.as_ref();
        let iam = settings.iam.clone();
        let local = Local::open(&settings.data_dir, shared, iam, clock.clone())
            .await
            .map_err(CaError::App)?;
        let done = work(&local).await;
        local.store.close().await;
        done
    })
}

/// The gateway's own settings, of which only those of store and accounts count here.
fn settings(args: &CaArgs) -> Result<Settings, CaError> {
    let mut sources = args.sources.sources()?;
    if let Some(data_dir) = &args.data_dir {
        sources = sources.with_flag("store.data_dir", &data_dir.display().to_string());
    }
    Ok(Settings::load(&sources)?)
}

/// One paragraph for each authority.
fn show(authority: &Authority) -> Result<(), CaError> {
    for (role, view) in authority.issuers() {
        let text = format!(
            "{}\n  id           {}\n  subject      {}\n  issuer       {}\n  serial       {}\n  \
             not before   {}\n  not after    {}\n  sha256       {}",
            role.as_str(),
            view.id,
            view.subject,
            view.issuer,
            view.serial,
            view.not_before,
            view.not_after,
            pki::hex(&view.fingerprint),
        );
        output::line(&text)?;
    }
    let file = authority.certificate_file();
    output::line(&format!("certificate in {}", file.display()))?;
    Ok(())
}

async fn sign_list(
    authority: &Authority,
    local: &Local,
    args: &CrlArgs,
    clock: &Clock,
) -> Result<(), CaError> {
    let issuer = args.issuer.clone().unwrap_or_else(|| authority.issuer_id());
    let revoked = local.store.revoked(Some(&issuer), clock.now()).await?;
    let number = local.store.next_crl_number().await?;
    let lifetime = Duration::from_hours(args.hours.into());
    let crl = authority.crl(&issuer, &revoked, number, lifetime)?;
    let Some(path) = &args.out else {
        output::line(crl.to_pem().trim_end())?;
        return Ok(());
    };
    let is_der = path
        .extension()
        .is_some_and(|extension| extension == "crl" || extension == "der");
    let content = if is_der {
        crl.der.clone()
    } else {
        crl.to_pem().into_bytes()
    };
    pki::write_public(path, &content)?;
    output::line(&format!(
        "list {number} with {} certificates until {}",
        revoked.len(),
        crl.next_update
    ))?;
    Ok(())
}

async fn revoke_certificates(
    local: &Local,
    args: &RevokeArgs,
    clock: &Clock,
) -> Result<Vec<crate::model::Serial>, CaError> {
    let tenant = args.tenant.as_deref().map(TenantId::new);
    let which = match (&args.serial, &args.username, &args.token_id) {
        (Some(serial), ..) => Which::Serial(serial.parse().map_err(CaError::Serial)?),
        (None, Some(username), _) => {
            // The words' group sees to it that there is one.
            let home = tenant.clone().unwrap_or_else(|| TenantId::new(""));
            let accounts = &local.identity.accounts;
            let caller = Caller::operator();
            let account = accounts.account_named(&caller, &home, username).await?;
            Which::Account(account.id.raw())
        }
        (None, None, Some(id)) => {
            let id: PatId = id.parse().map_err(|_| CaError::TokenId)?;
            Which::Token(id.raw())
        }
        (None, None, None) => {
            let text = args.issued_before.as_deref().unwrap_or_default();
            let at = Timestamp::parse_rfc3339(text).map_err(CaError::Time)?;
            Which::IssuedBefore(at)
        }
    };
    let now = clock.now();
    let mut event = Event::new(now, Kind::CertificateRevoked, audit::Actor::Operator);
    event.tenant.clone_from(&tenant);
    event.detail = Some(format!("{which:?}, reason {}", args.reason));
    let revoke = Revoke {
        which,
        tenant,
        reason: args.reason,
    };
    Ok(local.store.revoke(&revoke, now, &event).await?)
}

const PKI: &str = "pki";
