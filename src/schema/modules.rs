//! Which modules there are, and where their text comes from.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::LoadError;

/// Where modules come from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Those that the program has with it.
    Embedded,
    /// All `.yang` files of a folder; the IETF's come from the program where the folder has none.
    Folder(&'a Path),
}

/// The texts of modules by name, and which of them are implemented; the others are only imported.
pub(super) struct Texts {
    pub(super) by_name: BTreeMap<String, String>,
    pub(super) implemented: Vec<String>,
}

impl Texts {
    pub(super) fn read(source: Source<'_>) -> Result<Self, LoadError> {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let mut by_name: BTreeMap<_, _> = IETF.iter().map(owned).collect();
        let data = match source {
            Source::Embedded => OURS.iter().map(owned).collect(),
            Source::Folder(path) => read_folder(path)?,
        };
        let mut implemented: Vec<_> = IMPLEMENTED.iter().map(|&name| name.to_owned()).collect();
        implemented.extend(
            data.keys()
                .filter(|name| !name.starts_with("ietf-"))
                .cloned(),
        );
        by_name.extend(data);
        Ok(Self {
            by_name,
            implemented,
        })
    }
}

fn read_folder(folder: &Path) -> Result<BTreeMap<String, String>, LoadError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        |source| LoadError::File { path, source }
    };
    let mut texts = BTreeMap::new();
    for file in fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = file.map_err(unreadable(folder))?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let is_module = path
            .extension()
            .is_some_and(|extension| extension == "yang");
        let (Some(stem), true) = (stem, is_module) else {
            continue;
        };
        let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
        // `name@revision.yang` and `name.yang`; the names sort so that the newest revision comes last.
        let name = stem.split('@').next().unwrap_or(stem);
        let newest: &mut (String, String) = texts.entry(name.to_owned()).or_default();
        if newest.0.as_str() <= stem {
            *newest = (stem.to_owned(), text);
        }
    }
    Ok(texts
        .into_iter()
        .map(|(name, (_, text))| (name, text))
        .collect())
}

/// What RESTCONF itself serves data of, or annotates data with.
const IMPLEMENTED: &[&str] = &[
    "ietf-datastores",
    "ietf-netconf-with-defaults",
    "ietf-origin",
    "ietf-restconf",
    "ietf-restconf-monitoring",
    "ietf-yang-library",
];

macro_rules! texts {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$((
            $name,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/proto/yang/", $folder, "/", $name, ".yang"
            )),
        )),*]
    };
}

const IETF: &[(&str, &str)] = texts!(
    "ietf":
    "ietf-datastores",
    "ietf-inet-types",
    "ietf-netconf",
    "ietf-netconf-with-defaults",
    "ietf-origin",
    "ietf-restconf",
    "ietf-restconf-monitoring",
    "ietf-yang-library",
    "ietf-yang-metadata",
    "ietf-yang-types",
);

const OURS: &[(&str, &str)] = texts!(
    "accedian":
    "Accedian-alert",
    "Accedian-alert-metric",
    "Accedian-alert-metric-baseline",
    "Accedian-alert-type",
    "Accedian-echo-capabilities",
    "Accedian-extensions",
    "Accedian-metadata",
    "Accedian-net-type",
    "Accedian-sat-capabilities",
    "Accedian-service",
    "Accedian-service-endpoint",
    "Accedian-service-endpoint-ne",
    "Accedian-service-endpoint-nid",
    "Accedian-service-endpoint-ssc",
    "Accedian-service-endpoint-type",
    "Accedian-service-endpoint-unmanaged",
    "Accedian-service-type",
    "Accedian-session",
    "Accedian-session-echo",
    "Accedian-session-rfc2544",
    "Accedian-session-throughput",
    "Accedian-session-twamp-light",
    "Accedian-session-type",
    "Accedian-session-y1564",
    "Accedian-throughput-capabilities",
    "Accedian-twamp-light-capabilities",
    "Accedian-type",
);
