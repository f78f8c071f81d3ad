//! `[gateway]`: client certificates, and the proxies that may speak for clients.

use std::path::PathBuf;

use ipnet::IpNet;

use crate::transport::Proxies;
use crate::transport::WithoutCrl;

use super::Fault;
use super::raw::Given;
use super::section::Section;
use super::setting::Setting;
use super::setting::quoted;
use super::setting::text;

/// Whose client certificates are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients {
    /// Whether a client is asked for a certificate at all. It need not have one.
    pub ask: bool,
    /// Whether the request names our authorities, so that a client with several certificates finds the right one.
    pub name_authorities: bool,
    /// Authorities of the operator's beside our own (PEM).
    pub ca_file: Option<PathBuf>,
    /// What they have revoked (PEM, or one list in DER).
    pub crl_file: Option<PathBuf>,
    /// What is done without a list that is up to date.
    pub without_crl: WithoutCrl,
}

/// Reads the keys about client certificates.
pub(super) fn clients(section: &mut Section<'_, '_>) -> Clients {
    let clients = Clients {
        ask: section.get(
            "client_certificates",
            true,
            "Whether clients are asked for a certificate. None need have one: a token does as well.",
        ),
        name_authorities: section.get(
            "client_ca_names",
            true,
            "Whether the request for a certificate names the authorities, so that clients pick the right one.",
        ),
        ca_file: section.optional(
            "client_ca_file",
            "PEM file of authorities, beside our own, whose client certificates are accepted, such as those of proxies. They name no account.",
        ),
        crl_file: section.optional(
            "client_crl_file",
            "Revocation lists of the authorities in `client_ca_file`: PEM, or one in DER.",
        ),
        without_crl: section.get(
            "client_without_crl",
            WithoutCrl::Refuse,
            "A certificate of `client_ca_file` whose list is missing or out of date: `refuse` or `accept`.",
        ),
    };
    let is_moot = clients.ca_file.is_some()
        && clients.crl_file.is_none()
        && clients.without_crl == WithoutCrl::Refuse;
    if is_moot {
        let needed = "gateway.client_crl_file, or gateway.client_without_crl = \"accept\"";
        section.mistake("client_ca_file", Fault::Needs(needed));
    }
    clients
}

/// Reads the keys about proxies.
pub(super) fn proxies(section: &mut Section<'_, '_>) -> Proxies {
    let mut networks = |name, doc| section.get(name, Vec::<IpNet>::new(), doc).into();
    Proxies {
        proxy_protocol: networks(
            "proxies_proxy_protocol",
            "Networks of load balancers that begin each connection with a PROXY protocol header, version 1 or 2. Their connections must have one.",
        ),
        forwarded_for: networks(
            "proxies_forwarded_for",
            "Networks of HTTP proxies whose X-Forwarded-For names the client's address.",
        ),
        client_cert: networks(
            "proxies_client_cert",
            "Networks of HTTP proxies, with a client certificate of their own, whose Client-Cert (RFC 9440) is the client's certificate.",
        ),
        xfcc: networks(
            "proxies_xfcc",
            "The same for Envoy's X-Forwarded-Client-Cert.",
        ),
    }
}

impl Setting for WithoutCrl {
    const KIND: &'static str = "refuse or accept";

    fn read(given: &Given) -> Result<Self, Fault> {
        match text(given) {
            Some("accept") => Ok(Self::Accept),
            Some("refuse") => Ok(Self::Refuse),
            _ => Err(Fault::Expected("\"refuse\" or \"accept\"")),
        }
    }

    fn write(&self) -> String {
        quoted(match self {
            Self::Accept => "accept",
            Self::Refuse => "refuse",
        })
    }
}
