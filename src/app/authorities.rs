//! Whose client certificates are taken: our own authority, and the operator's files.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::parse_x509_crl;

use crate::config::Clients;
use crate::meter;
use crate::model::Timestamp;
use crate::pki;
use crate::transport::Authorities;

use super::Error;

/// Reads what the configuration names. `own` are the certificates of our own issuers.
pub(super) fn read_authorities(
    own: Vec<CertificateDer<'static>>,
    clients: &Clients,
) -> Result<Authorities, Error> {
    if !clients.ask {
        return Ok(Authorities::default());
    }
    let foreign = match &clients.ca_file {
        Some(file) => pki::read_certificates(file).map_err(Error::Pki)?,
        None => Vec::new(),
    };
    let crls = match &clients.crl_file {
        Some(file) => read_crls(file)?,
        None => Vec::new(),
    };
    Ok(Authorities {
        own,
        foreign,
        crls,
        without_crl: clients.without_crl,
        named: clients.name_authorities,
    })
}

/// When the first of the lists is out of date, for an alarm before it is. `None` where no list says so.
pub(super) fn next_update(authorities: &Authorities) -> Option<Timestamp> {
    let ends = authorities.crls.iter().filter_map(|crl| {
        let (_, parsed) = parse_x509_crl(crl).ok()?;
        Some(Timestamp::from_secs(parsed.next_update()?.timestamp()))
    });
    ends.min()
}

/// Shows to monitoring when the first of the lists is out of date.
pub(super) fn show_next_update(authorities: &Authorities) {
    if let Some(at) = next_update(authorities) {
        let help = "When the first revocation list of client_crl_file is out of date, as seconds since 1970.";
        // Seconds of this century fit a float exactly.
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        meter::gauge("tollgate_client_crl_next_update_seconds", help).set(at.secs() as f64);
    }
}

/// Revocation lists: PEM, several in one file, or one in DER.
fn read_crls(file: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, Error> {
    let content = std::fs::read(file).map_err(|source| Error::Crl {
        path: file.to_owned(),
        source: Some(source),
    })?;
    let not_a_list = || Error::Crl {
        path: file.to_owned(),
        source: None,
    };
    let lists: Vec<_> = if content.starts_with(DER_SEQUENCE) {
        vec![CertificateRevocationListDer::from(content)]
    } else {
        CertificateRevocationListDer::pem_slice_iter(&content)
            .collect::<Result<_, _>>()
            .map_err(|_| not_a_list())?
    };
    let all_parse = lists
        .iter()
        .all(|crl| parse_x509_crl(crl).is_ok_and(|(rest, _)| rest.is_empty()));
    if lists.is_empty() || !all_parse {
        return Err(not_a_list());
    }
    Ok(lists)
}

/// How a list in DER begins; no text does.
const DER_SEQUENCE: &[u8] = &[0x30];
