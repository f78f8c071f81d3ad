//! `tollgate load`: arguments to a run, a progress line, and the report as a table or JSON.

use std::net::IpAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::ValueEnum;

use crate::clock::Clock;
use crate::load;
use crate::secret::Secret;
use crate::transport::DialError;
use crate::transport::Trust;
use crate::wire;
use crate::wire::proto::gnmi as pb;

use super::output;

/// The command's flags.
#[derive(Args, Debug)]
pub(super) struct LoadArgs {
    /// Server to connect to, host:port
    #[arg(long)]
    addr: String,
    /// Server to write to, host:port, where the other takes its data from it
    #[arg(long)]
    publish_addr: Option<String>,
    /// Certificates to trust (PEM)
    #[arg(long, required_unless_present = "skip_verify")]
    ca: Option<PathBuf>,
    /// Trust any certificate
    #[arg(long)]
    skip_verify: bool,
    /// Personal Access Token
    #[arg(long, env = "TOLLGATE_LOAD_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// File that holds the token
    #[arg(long, conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// User name, with --password-file
    #[arg(long, requires = "password_file")]
    username: Option<String>,
    /// File that holds the password
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// TLS connections of subscribers
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Bytes that may come on a stream before they are read
    #[arg(long, default_value_t = load::STREAM_WINDOW_BYTES)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(load::MAX_WINDOW_BYTES)))]
    stream_window: u32,
    /// Loopback addresses to connect from, in turn: 127.0.0.2-127.0.0.9, or one
    #[arg(long, value_parser = parse_sources)]
    source_addresses: Option<Sources>,
    /// Subscribe RPCs over all connections
    #[arg(long, default_value_t = 1)]
    subscriptions: usize,
    /// Mode of the subscriptions
    #[arg(long, value_enum, default_value_t = Mode::Stream)]
    mode: Mode,
    /// Mode within STREAM
    #[arg(long, value_enum, default_value_t = StreamMode::OnChange)]
    stream_mode: StreamMode,
    /// For --stream-mode sample
    #[arg(long, value_parser = parse_duration, default_value = "1s")]
    sample_interval: Duration,
    /// Path to subscribe to, repeatable; without it, what the publishers write
    #[arg(long = "path", value_parser = parse_path)]
    paths: Vec<pb::Path>,
    /// prefix.target of subscriptions and writes
    #[arg(long, default_value = "")]
    target: String,
    /// How values come
    #[arg(long, value_enum, default_value_t = Encoding::Proto)]
    encoding: Encoding,
    /// Subscribers that read ten times a second only, as a share of all
    #[arg(long, value_parser = parse_share, default_value = "0%")]
    slow_readers: f64,
    /// Subscribers that stop reading until the publishers have finished, as a share of all
    #[arg(long, value_parser = parse_share, default_value = "0%")]
    stalled_readers: f64,
    /// Connections that are replaced by new ones each minute, as a share of all
    #[arg(long, value_parser = parse_share, default_value = "0%")]
    reconnects: f64,
    /// Publishers that write by Set; zero where the server has data of its own
    #[arg(long, default_value_t = 1)]
    publishers: usize,
    /// Leaves that they write
    #[arg(long, default_value_t = 100)]
    leaves: usize,
    /// Updates per second in all; zero: as fast as the server takes them
    #[arg(long, default_value_t = 50)]
    rate: u64,
    /// Updates per Set; zero: as many as the rate needs
    #[arg(long, default_value_t = 0)]
    batch: usize,
    /// Stop after so many updates
    #[arg(long)]
    updates: Option<u64>,
    /// How long to measure
    #[arg(long, value_parser = parse_duration, default_value = "60s")]
    duration: Duration,
    /// How long to run before
    #[arg(long, value_parser = parse_duration, default_value = "5s")]
    warm_up: Duration,
    /// The server's process, to report its processor time and memory
    #[arg(long)]
    pid: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    Once,
    Poll,
    Stream,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StreamMode {
    OnChange,
    Sample,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Encoding {
    Json,
    #[value(name = "json_ietf")]
    JsonIetf,
    Proto,
}

/// A range of addresses. Not a `Vec`, which clap would take for a repeatable flag.
#[derive(Clone, Debug)]
struct Sources(Vec<IpAddr>);

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("cannot read {path}")]
    File {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Run(#[from] load::Error),
    #[error("cannot start")]
    Start(#[source] std::io::Error),
    #[error("cannot write the report")]
    Write(#[source] std::io::Error),
}

/// Runs the load. Exit code 1 also when something was lost or refused.
pub(super) fn run(args: &LoadArgs) -> ExitCode {
    match report(args) {
        Ok(report) if report.clean => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => output::failure(&error),
    }
}

fn report(args: &LoadArgs) -> Result<load::Report, LoadError> {
    let config = config(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(LoadError::Start)?;
    let seconds = args.duration.as_secs();
    let run = load::run(config, Clock::system(), |progress| {
        output::progress(&format!(
            "{} of {seconds} s, {} written, {} delivered",
            progress.elapsed.as_secs(),
            progress.written,
            progress.delivered
        ));
    });
    let report = runtime.block_on(run)?;
    output::progress("");
    let text = if args.json {
        serde_json::to_string_pretty(&report)
            .map_err(|error| LoadError::Write(std::io::Error::other(error)))?
    } else {
        report.to_string().trim_end().to_owned()
    };
    output::line(&text).map_err(LoadError::Write)?;
    Ok(report)
}

fn config(args: &LoadArgs) -> Result<load::Config, LoadError> {
    let trust = match &args.ca {
        Some(file) => Trust::from_pem_file(file)?,
        None => Trust::Anybody,
    };
    let writers = load::Writers {
        publishers: args.publishers,
        leaves: args.leaves,
        rate: args.rate,
        batch: args.batch,
        updates: args.updates,
    };
    Ok(load::Config {
        address: args.addr.clone(),
        publish_address: args.publish_addr.clone(),
        tls: Arc::new(trust.client_config(&[b"h2"])?),
        credential: credential(args)?,
        connections: args.connections,
        stream_window: args.stream_window,
        sources: args
            .source_addresses
            .clone()
            .map_or(Vec::new(), |sources| sources.0),
        readers: readers(args),
        writers: (args.publishers > 0).then_some(writers),
        duration: args.duration,
        warm_up: args.warm_up,
        reconnect_interval: reconnect_interval(args),
        server_process: args.pid,
    })
}

fn readers(args: &LoadArgs) -> load::Readers {
    load::Readers {
        subscriptions: args.subscriptions,
        mode: match args.mode {
            Mode::Once => load::Mode::Once,
            Mode::Poll => load::Mode::Poll,
            Mode::Stream => load::Mode::Stream,
        },
        sampling: match args.stream_mode {
            StreamMode::OnChange => load::Sampling::OnChange,
            StreamMode::Sample => load::Sampling::Every(args.sample_interval),
        },
        paths: args.paths.clone(),
        target: args.target.clone(),
        encoding: match args.encoding {
            Encoding::Json => pb::Encoding::Json,
            Encoding::JsonIetf => pb::Encoding::JsonIetf,
            Encoding::Proto => pb::Encoding::Proto,
        },
        slow: share(args.subscriptions, args.slow_readers),
        stalled: share(args.subscriptions, args.stalled_readers),
    }
}

fn reconnect_interval(args: &LoadArgs) -> Option<Duration> {
    let each_minute = u32::try_from(share(args.connections, args.reconnects)).unwrap_or(u32::MAX);
    Duration::from_mins(1).checked_div(each_minute)
}

/// A share that is not zero has one member at least.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share between 0 and 1 of a count of streams"
)]
fn share(of: usize, share: f64) -> usize {
    (of as f64 * share).ceil() as usize
}

fn credential(args: &LoadArgs) -> Result<load::Credential, LoadError> {
    if let Some(token) = &args.token {
        return Ok(load::Credential::Bearer(Secret::new(token.trim())));
    }
    if let Some(file) = &args.token_file {
        return Ok(load::Credential::Bearer(read_secret(file)?));
    }
    if let (Some(username), Some(file)) = (&args.username, &args.password_file) {
        return Ok(load::Credential::Password {
            username: username.clone(),
            password: read_secret(file)?,
        });
    }
    Ok(load::Credential::None)
}

fn read_secret(file: &Path) -> Result<Secret, LoadError> {
    let text = std::fs::read_to_string(file).map_err(|source| LoadError::File {
        path: file.display().to_string(),
        source,
    })?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r'])))
}

fn parse_path(text: &str) -> Result<pb::Path, wire::PathTextError> {
    wire::parse_path_text(text)
}

fn parse_share(text: &str) -> Result<f64, &'static str> {
    let percent: f64 = text
        .strip_suffix('%')
        .and_then(|number| number.parse().ok())
        .ok_or("a share is written like 5%")?;
    if (0.0..=100.0).contains(&percent) {
        Ok(percent / 100.0)
    } else {
        Err("a share is between 0% and 100%")
    }
}

fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    units
        .iter()
        .find_map(|(unit, millis)| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            Some(Duration::from_millis(number.checked_mul(*millis)?))
        })
        .ok_or("a duration is written like 500ms, 60s or 2m")
}

fn parse_sources(text: &str) -> Result<Sources, &'static str> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let wrong = "addresses are written like 127.0.0.2-127.0.0.9";
    if let (Ok(first), Ok(last)) = (first.parse(), last.parse()) {
        let (first, last) = (
            u32::from_be_bytes(octets(first)),
            u32::from_be_bytes(octets(last)),
        );
        return match last.checked_sub(first) {
            Some(count) if count <= MAX_SOURCES => Ok(Sources(
                (first..=last)
                    .map(|bits| IpAddr::from(bits.to_be_bytes()))
                    .collect(),
            )),
            _ => Err(wrong),
        };
    }
    text.parse()
        .map(|one| Sources(vec![one]))
        .map_err(|_| wrong)
}

fn octets(address: std::net::Ipv4Addr) -> [u8; 4] {
    address.octets()
}

/// A /16 of loopback.
const MAX_SOURCES: u32 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_arguments_are_read() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        assert!(parse_duration("60").is_err());
        assert_eq!(parse_share("5%"), Ok(0.05));
        assert!(parse_share("101%").is_err());
        assert_eq!(parse_sources("127.0.0.2-127.0.0.9").unwrap().0.len(), 8);
        assert!(parse_sources("127.0.0.9-127.0.0.2").is_err());
        assert_eq!(share(1_000, 0.001), 1);
    }
}
