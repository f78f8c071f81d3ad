//! The header that a load balancer puts before everything else (HAProxy's PROXY protocol, versions 1 and 2).

use std::net::SocketAddr;

use proxy_header::ParseConfig;
use proxy_header::ProxyHeader;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt as _;

/// The header is missing, broken, too long, or came in pieces until the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoHeader;

/// Reads exactly the header, not one byte of what comes after. `None` when the balancer speaks for itself, as in a
/// health check. The caller bounds the time.
pub(super) async fn read_header<S>(stream: &mut S) -> Result<Option<SocketAddr>, NoHeader>
where
    S: AsyncRead + Unpin,
{
    let mut header = vec![0; SIGNATURE.len()];
    stream.read_exact(&mut header).await.map_err(|_| NoHeader)?;
    if header == SIGNATURE {
        read_binary(stream, &mut header).await?;
    } else if header.starts_with(b"PROXY ") {
        read_line(stream, &mut header).await?;
    } else {
        return Err(NoHeader);
    }
    let (parsed, len) =
        ProxyHeader::parse(&header, ParseConfig::default()).map_err(|_| NoHeader)?;
    if len != header.len() {
        return Err(NoHeader);
    }
    Ok(parsed.proxied_address().map(|address| address.source))
}

/// Version 2: the rest of the fixed part, then as much as it says.
async fn read_binary<S: AsyncRead + Unpin>(
    stream: &mut S,
    header: &mut Vec<u8>,
) -> Result<(), NoHeader> {
    let mut fixed = [0; 4];
    stream.read_exact(&mut fixed).await.map_err(|_| NoHeader)?;
    let [_, _, high, low] = fixed;
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len > MAX_BINARY {
        return Err(NoHeader);
    }
    header.extend(fixed);
    let begun = header.len();
    header.resize(begun + len, 0);
    let rest = header.get_mut(begun..).ok_or(NoHeader)?;
    stream.read_exact(rest).await.map_err(|_| NoHeader)?;
    Ok(())
}

/// Version 1: byte by byte to the end of the line, because what follows is not ours to read.
async fn read_line<S: AsyncRead + Unpin>(
    stream: &mut S,
    header: &mut Vec<u8>,
) -> Result<(), NoHeader> {
    while !header.ends_with(b"\r\n") {
        if header.len() >= MAX_LINE {
            return Err(NoHeader);
        }
        header.push(stream.read_u8().await.map_err(|_| NoHeader)?);
    }
    Ok(())
}

/// How version 2 begins (PROXY protocol 2.2).
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The longest line with its end (PROXY protocol 2.1).
const MAX_LINE: usize = 107;

/// Addresses and the additions (TLV) of clouds: a few hundred bytes in the field.
const MAX_BINARY: usize = 2_048;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn read(bytes: &[u8]) -> (Result<Option<SocketAddr>, NoHeader>, Vec<u8>) {
        let mut rest = bytes;
        let read = read_header(&mut rest).await;
        (read, rest.to_vec())
    }

    fn binary(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let len = u16::try_from(body.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family], &len, body].concat()
    }

    #[tokio::test]
    async fn address_is_the_clients_and_what_follows_is_left() {
        let v4 = "192.0.2.7:1234".parse().ok();
        let v6 = "[2001:db8::7]:1234".parse().ok();
        let four = [192, 0, 2, 7, 10, 0, 0, 1, 4, 210, 1, 187];
        let client: [u8; 16] = "2001:db8::7"
            .parse::<std::net::Ipv6Addr>()
            .unwrap()
            .octets();
        let six = [&client[..], &[0; 16], &[4, 210, 1, 187]].concat();
        let tlv = [&four[..], &[4, 0, 1, 0]].concat();
        for (header, address) in [
            (b"PROXY TCP4 192.0.2.7 10.0.0.1 1234 443\r\n".to_vec(), v4),
            (b"PROXY TCP6 2001:db8::7 ::1 1234 443\r\n".to_vec(), v6),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (binary(0x21, 0x11, &four), v4),
            (binary(0x21, 0x11, &tlv), v4),
            (binary(0x21, 0x21, &six), v6),
            (binary(0x20, 0x00, &[]), None),
            (binary(0x20, 0x11, &four), None),
            // A client on the balancer's own machine.
            (binary(0x21, 0x31, &[0; 216]), None),
        ] {
            let (read, rest) = read(&[&header[..], b"\x16\x03\x01"].concat()).await;
            assert_eq!(read, Ok(address), "{header:?}");
            assert_eq!(rest, b"\x16\x03\x01");
        }
    }

    #[tokio::test]
    async fn header_of_another_form_is_none() {
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200], b"\r\n"].concat();
        let huge = [SIGNATURE, &[0x21, 0x11, 0xff, 0xff], &vec![0; 70_000]].concat();
        for header in [
            b"".to_vec(),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 10.0.0.1 1234\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 10.0.0.1 1234 443\n".to_vec(),
            b"PROXY TCP4 300.0.2.7 10.0.0.1 1234 443\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 10.0.0.1 1234 443".to_vec(),
            long,
            huge,
            binary(0x31, 0x11, &[0; 12]),
            binary(0x21, 0x11, &[0; 4]),
        ] {
            assert_eq!(read(&header).await.0, Err(NoHeader), "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(begin in 0..3_usize, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let begin: &[u8] = [b"".as_slice(), b"PROXY TCP4 ", SIGNATURE][begin];
            let bytes = [begin, &bytes].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _read = runtime.block_on(read(&bytes));
        }
    }
}
