//! The generated messages and clients, and the descriptors that reflection serves.

/// Package `gnmi`.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    deprecated,
    clippy::all,
    clippy::pedantic,
    clippy::use_self,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod gnmi {
    tonic::include_proto!("gnmi");
}

/// Package `gnmi_ext`.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    deprecated,
    clippy::all,
    clippy::pedantic,
    clippy::use_self,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod gnmi_ext {
    tonic::include_proto!("gnmi_ext");
}

/// An encoded FileDescriptorSet of all of the above and what they import, custom options included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The service's full name.
pub const GNMI_SERVICE: &str = "gnmi.gNMI";

/// The version that Capabilities reports: the `gnmi_service` option of the protobuf file.
pub const GNMI_VERSION: &str = "0.10.0";

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn descriptors_hold_the_service_and_its_version() {
        let set = prost_types::FileDescriptorSet::decode(DESCRIPTORS).unwrap();
        let services = set
            .file
            .iter()
            .flat_map(|file| file.service.iter().map(move |service| (file, service)))
            .map(|(file, service)| format!("{}.{}", file.package(), service.name()));
        assert!(services.into_iter().any(|service| service == GNMI_SERVICE));
        // Field 1001 of FileOptions, length-delimited; prost drops extensions, so the bytes are
        // looked at.
        let mut option = vec![0xca, 0x3e, 6];
        option.extend_from_slice(GNMI_VERSION.as_bytes());
        assert!(
            DESCRIPTORS
                .windows(option.len())
                .any(|window| window == option)
        );
    }
}
