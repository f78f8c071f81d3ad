//! `tollgate gnmicli`: a small gNMI client that takes exactly the flags of the vendor's documentation.
//!
//! It streams one query and prints a line per value. For everything else there are gnmic and its kin.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::ValueEnum;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;
use tonic::Streaming;
use tonic::metadata::MetadataValue;

use crate::cli::output;
use crate::transport::DialError;
use crate::transport::Trust;
use crate::transport::dial;
use crate::wire;
use crate::wire::proto::gnmi as pb;
use crate::wire::proto::gnmi::g_nmi_client::GNmiClient;

/// The command's flags. The first four are the documented ones.
#[derive(Args, Debug)]
pub(super) struct GnmicliArgs {
    /// Gateway to connect to, host:port
    #[arg(long)]
    addr: String,
    /// Path to subscribe to, such as /accedian:session/object-type/twamp-sf/monitored-objects/...
    #[arg(long)]
    query: String,
    /// What authenticates: `token` sends --authToken, `password` sends --username and --password-file
    #[arg(long, value_enum, default_value_t = Auth::Token)]
    auth: Auth,
    /// Sent verbatim as the authorization metadata: 'Bearer PAT'
    #[arg(long = "authToken", env = "GNMICLI_AUTH_TOKEN", hide_env_values = true)]
    auth_token: Option<String>,
    /// User name for --auth password
    #[arg(long)]
    username: Option<String>,
    /// File that holds the password for --auth password
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// Certificates to trust (PEM); without it the system's, and any certificate of a loopback address
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Trust any certificate, also of a remote gateway
    #[arg(long)]
    skip_verify: bool,
    /// Whose data: prefix.target of the subscription
    #[arg(long, default_value = "")]
    target: String,
    /// How to subscribe
    #[arg(long, value_enum, default_value_t = Mode::Stream)]
    mode: Mode,
    /// Stop after so many values
    #[arg(long)]
    count: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Auth {
    Password,
    Token,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    Once,
    Stream,
}

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
enum GnmicliError {
    #[error("--auth {0} needs {1}")]
    Credential(&'static str, &'static str),
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("cannot read {path}")]
    Password {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("--query is not a path")]
    Query(#[source] wire::PathTextError),
    #[error("{code:?}: {message}")]
    Refused { code: tonic::Code, message: String },
    #[error("the credential holds characters that metadata cannot carry")]
    Unsendable,
}

/// Streams the query until it ends, the count is reached, or the user interrupts.
pub(super) fn run(args: &GnmicliArgs) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return output::failure(&error),
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = stream(args) => outcome,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failure(&error),
    }
}

async fn stream(args: &GnmicliArgs) -> Result<(), GnmicliError> {
    let path = wire::parse_path_text(&args.query).map_err(GnmicliError::Query)?;
    let channel = dial(&args.addr, &trust(args)?).await?;
    let (tx, rx) = mpsc::channel(1);
    let mut request = Request::new(ReceiverStream::new(rx));
    authenticate(args, &mut request)?;
    // The channel holds one message, so this cannot wait; its other end lives in `request`.
    let _sent = tx.send(subscribe_request(args, path)).await;
    let responses = GNmiClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .subscribe(request)
        .await
        .map_err(|status| refused(&status))?
        .into_inner();
    print_values(responses, args.count.unwrap_or(u64::MAX)).await
}

/// Loopback is this machine: there is nobody in between whose certificate would need checking.
fn trust(args: &GnmicliArgs) -> Result<Trust, GnmicliError> {
    if let Some(file) = &args.ca {
        return Ok(Trust::from_pem_file(file)?);
    }
    let host = args
        .addr
        .rsplit_once(':')
        .map_or(args.addr.as_str(), |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    if loopback || args.skip_verify {
        return Ok(Trust::Anybody);
    }
    Ok(Trust::from_pem_file(std::path::Path::new(SYSTEM_ROOTS))?)
}

fn authenticate<T>(args: &GnmicliArgs, request: &mut Request<T>) -> Result<(), GnmicliError> {
    let metadata = request.metadata_mut();
    let value = |text: &str| MetadataValue::try_from(text).map_err(|_| GnmicliError::Unsendable);
    match args.auth {
        Auth::Token => {
            let token = args
                .auth_token
                .as_deref()
                .ok_or(GnmicliError::Credential("token", "--authToken"))?;
            metadata.insert("authorization", value(token)?);
        }
        Auth::Password => {
            let missing = GnmicliError::Credential("password", "--username and --password-file");
            let (Some(username), Some(file)) = (&args.username, &args.password_file) else {
                return Err(missing);
            };
            let password =
                std::fs::read_to_string(file).map_err(|source| GnmicliError::Password {
                    path: file.display().to_string(),
                    source,
                })?;
            metadata.insert("username", value(username)?);
            metadata.insert("password", value(password.trim_end_matches(['\n', '\r']))?);
        }
    }
    Ok(())
}

fn subscribe_request(args: &GnmicliArgs, path: pb::Path) -> pb::SubscribeRequest {
    let mode = match args.mode {
        Mode::Once => pb::subscription_list::Mode::Once,
        Mode::Stream => pb::subscription_list::Mode::Stream,
    };
    let list = pb::SubscriptionList {
        prefix: Some(pb::Path {
            target: args.target.clone(),
            ..Default::default()
        }),
        subscription: vec![pb::Subscription {
            path: Some(path),
            ..Default::default()
        }],
        mode: mode.into(),
        encoding: pb::Encoding::Json.into(),
        ..Default::default()
    };
    pb::SubscribeRequest {
        request: Some(pb::subscribe_request::Request::Subscribe(list)),
        extension: Vec::new(),
    }
}

async fn print_values(
    mut responses: Streaming<pb::SubscribeResponse>,
    count: u64,
) -> Result<(), GnmicliError> {
    let mut printed = 0;
    while let Some(response) = responses
        .message()
        .await
        .map_err(|status| refused(&status))?
    {
        let Some(pb::subscribe_response::Response::Update(notification)) = response.response else {
            continue;
        };
        for line in lines(&notification) {
            if printed == count || output::line(&line).is_err() {
                return Ok(());
            }
            printed += 1;
        }
        if printed == count {
            return Ok(());
        }
    }
    Ok(())
}

/// One line per update and delete: time, path, value.
fn lines(notification: &pb::Notification) -> Vec<String> {
    let time = crate::model::Timestamp::from_nanos(notification.timestamp);
    let prefix = notification.prefix.as_ref();
    let updates = notification.update.iter().map(|update| {
        let path = wire::path_text(prefix, update.path.as_ref());
        let value = update
            .val
            .as_ref()
            .map(wire::value_text)
            .unwrap_or_default();
        format!("{time} {path} {value}")
    });
    let deletes = notification
        .delete
        .iter()
        .map(|path| format!("{time} {} (deleted)", wire::path_text(prefix, Some(path))));
    deletes.chain(updates).collect()
}

fn refused(status: &tonic::Status) -> GnmicliError {
    GnmicliError::Refused {
        code: status.code(),
        message: status.message().to_owned(),
    }
}

/// Large subtrees come as one message.
const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// Where Debian and its kin keep the roots.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
