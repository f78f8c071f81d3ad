//! `[iam]`: who is sent the audit trail by syslog.

use std::path::PathBuf;

use crate::syslog::Address;
use crate::syslog::Config;

use super::Fault;
use super::section::Section;
use super::webhook::SYSTEM_CAS;

/// Reads the keys of `[iam]` that begin with `syslog_`.
pub(super) fn syslog(section: &mut Section<'_, '_>) -> Option<Config> {
    let url = section.optional::<String>(
        "syslog_url",
        "Syslog server that is sent every audit event (RFC 5424): udp, tcp or tls, as in `tls://logs.example:6514`.",
    );
    let ca_file = section.get(
        "syslog_ca_file",
        PathBuf::from(SYSTEM_CAS),
        "Certificates (PEM) to one of which a tls syslog server's must lead.",
    );
    let Ok(address) = url?.parse::<Address>() else {
        let fault = Fault::Expected("udp://host[:port], tcp://host[:port] or tls://host[:port]");
        section.mistake("syslog_url", fault);
        return None;
    };
    Some(Config { address, ca_file })
}
