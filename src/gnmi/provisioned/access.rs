//! Who may read configuration in the tree, and which requests are about it.

use std::collections::BTreeSet;

use crate::gnmi::error::Error;
use crate::gnmi::request::GetRequest;
use crate::iam::Permit;
use crate::model::Glob;
use crate::model::GlobElem;
use crate::model::Origin;
use crate::model::Pattern;
use crate::model::Subscription;
use crate::model::SubscriptionList;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::TenantId;
use crate::telemetry::Core;
use crate::wire::RFC7951;

/// Whether an origin is that of the datastore.
pub(in crate::gnmi) fn is_provisioned(origin: &Origin) -> bool {
    origin.as_str() == RFC7951
}

/// What a request wants of the datastore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::gnmi) enum Need {
    /// Nothing: it is about other data.
    Nothing,
    /// What there is, among the data of other origins.
    Among,
    /// The datastore's data, by name.
    Named,
}

/// Whether a request reaches what the datastore holds: data of the gateway itself, of its origin or of all.
pub(in crate::gnmi) fn need<'p>(
    selector: &TargetSelector,
    patterns: impl IntoIterator<Item = &'p Pattern>,
) -> Need {
    if !is_own(selector) {
        return Need::Nothing;
    }
    let needs = patterns.into_iter().map(|pattern| match &pattern.origin {
        None => Need::Among,
        Some(origin) if is_provisioned(origin) => Need::Named,
        Some(_) => Need::Nothing,
    });
    needs.max().unwrap_or(Need::Nothing)
}

/// What of a Get is left to somebody whose role reads telemetry alone.
pub(in crate::gnmi) fn narrow(
    request: GetRequest,
    permit: &Permit,
    core: &Core,
) -> Result<GetRequest, Error> {
    if permit.covers_config() || !is_own(&request.selector) {
        return Ok(request);
    }
    let origins = telemetry_origins(core, permit.tenant());
    let mut paths = Vec::with_capacity(request.paths.len());
    for (patterns, text) in request.paths {
        let mut left = Vec::new();
        for pattern in patterns {
            left.extend(telemetry(pattern, &origins)?);
        }
        paths.push((left, text));
    }
    Ok(GetRequest { paths, ..request })
}

/// What of a Subscribe is left to them.
pub(in crate::gnmi) fn narrow_list(
    list: SubscriptionList,
    permit: &Permit,
    core: &Core,
) -> Result<SubscriptionList, Error> {
    if permit.covers_config() || !is_own(&list.target) {
        return Ok(list);
    }
    let origins = telemetry_origins(core, permit.tenant());
    let mut subscriptions = Vec::with_capacity(list.subscriptions.len());
    for Subscription { pattern, trigger } in list.subscriptions {
        let with = |pattern| Subscription { pattern, trigger };
        subscriptions.extend(telemetry(pattern, &origins)?.into_iter().map(with));
    }
    Ok(SubscriptionList {
        subscriptions,
        ..list
    })
}

/// What is named is refused; of all origins, those of telemetry are left.
fn telemetry(pattern: Pattern, origins: &BTreeSet<Origin>) -> Result<Vec<Pattern>, Error> {
    match &pattern.origin {
        Some(origin) if is_provisioned(origin) => Err(Error::ConfigDenied),
        Some(_) => Ok(vec![pattern]),
        None => {
            let of = |origin: &Origin| Pattern {
                origin: Some(origin.clone()),
                ..pattern.clone()
            };
            Ok(origins.iter().map(of).collect())
        }
    }
}

/// The origins of the gateway's own telemetry: those that there are, and those that there will be for certain. A stream
/// learns of no others that come later.
fn telemetry_origins(core: &Core, tenant: &TenantId) -> BTreeSet<Origin> {
    let any = GlobElem {
        name: None,
        keys: Vec::new(),
        labels: Vec::new(),
    };
    let tops = Pattern {
        origin: None,
        elems: vec![Glob::One(any)],
    };
    let own = TargetSelector::One(Target::own());
    let tops = core.nodes(tenant, &own, &tops, Some(0)).into_iter();
    let there = tops.map(|node| node.path.origin);
    let expected = [Origin::default(), Origin::new(MEASUREMENTS)];
    let origins = there.chain(expected);
    origins.filter(|origin| !is_provisioned(origin)).collect()
}

fn is_own(selector: &TargetSelector) -> bool {
    matches!(selector, TargetSelector::One(target) if target.is_own())
}

const MEASUREMENTS: &str = "accedian";
