//! Cutting a request down to what its credential reaches (gNMI rule 71): a path that is named and out of reach is
//! refused, of what leaves more open the part within reach is answered. Done once per request, not per update.

use std::collections::HashSet;

use crate::iam::Reach;
use crate::model::Edit;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Subscription;
use crate::model::SubscriptionList;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::telemetry::Node;

use super::error::Error;
use super::error::Shown;
use super::provisioned::Wanted;
use super::request::Change;
use super::request::GetRequest;
use super::request::SetRequest;

/// What of a Get is within reach. Each of its paths must be, at least in part.
pub(super) fn narrow_get(request: GetRequest, reach: &Reach) -> Result<GetRequest, Error> {
    if reach.is_everything() {
        return Ok(request);
    }
    let selector = select(&request.selector, reach)?;
    let mut paths = Vec::with_capacity(request.paths.len());
    for (patterns, text) in request.paths {
        let mut parts = Vec::new();
        for pattern in &patterns {
            parts.extend(narrow(pattern, reach, request.depth)?);
        }
        if parts.is_empty() && !patterns.is_empty() {
            return Err(Error::OutOfReach(Shown::new(&text)));
        }
        paths.push((parts, text));
    }
    Ok(GetRequest {
        selector,
        paths,
        ..request
    })
}

/// What of a Subscribe is within reach.
pub(super) fn narrow_list(
    list: SubscriptionList,
    reach: &Reach,
) -> Result<SubscriptionList, Error> {
    if reach.is_everything() {
        return Ok(list);
    }
    let target = select(&list.target, reach)?;
    let mut subscriptions = Vec::with_capacity(list.subscriptions.len());
    let mut out_of_reach = None;
    for Subscription { pattern, trigger } in list.subscriptions {
        let parts = narrow(&pattern, reach, list.depth)?;
        if parts.is_empty() {
            let refusal = Error::OutOfReach(Shown::new(&pattern.to_string()));
            if pattern.is_resolved() {
                return Err(refusal);
            }
            out_of_reach = Some(refusal);
        }
        let with = |pattern| Subscription { pattern, trigger };
        subscriptions.extend(parts.into_iter().map(with));
    }
    match out_of_reach {
        Some(refusal) if subscriptions.is_empty() => Err(refusal),
        _ => Ok(SubscriptionList {
            target,
            subscriptions,
            ..list
        }),
    }
}

/// A Set is all or nothing, so all that it touches must be within reach.
pub(super) fn check_set(request: &SetRequest, reach: &Reach) -> Result<(), Error> {
    if reach.is_everything() {
        return Ok(());
    }
    select(&TargetSelector::One(request.target.clone()), reach)?;
    for operation in &request.operations {
        let refused = match &operation.change {
            Change::Telemetry(Edit::Delete(pattern))
            | Change::Provisioned(Wanted::Delete(pattern)) => {
                (!reach.covers(pattern)).then(|| pattern.to_string())
            }
            Change::Telemetry(Edit::Replace(path, _))
            | Change::Provisioned(Wanted::Replace(path, _) | Wanted::Update(path, _)) => {
                (!reach.covers(&Pattern::from(path))).then(|| path.to_string())
            }
            Change::Telemetry(Edit::Update(updates)) => updates
                .iter()
                .find(|update| !reach.includes(&update.path))
                .map(|update| update.path.to_string()),
        };
        if let Some(text) = refused {
            return Err(Error::OutOfReach(Shown::new(&text)));
        }
    }
    Ok(())
}

/// Leaves each node once: parts of one request may name the same.
pub(super) fn once_each(nodes: &mut Vec<Node>) {
    let mut seen: HashSet<(Target, Path)> = HashSet::new();
    nodes.retain(|node| seen.insert((node.target.clone(), node.path.clone())));
}

fn select(asked: &TargetSelector, reach: &Reach) -> Result<TargetSelector, Error> {
    reach.select(asked).ok_or_else(|| {
        Error::OutOfReach(Shown::new(match asked {
            TargetSelector::One(target) if target.is_own() => "the gateway's own data",
            TargetSelector::One(target) => target.as_str(),
            TargetSelector::All | TargetSelector::Among(_) => "*",
        }))
    })
}

/// Levels are counted from the node that was asked for, so what lies below it has no depth of its own.
fn narrow(pattern: &Pattern, reach: &Reach, depth: Option<u32>) -> Result<Vec<Pattern>, Error> {
    let parts = reach.narrow(pattern).map_err(|_| Error::Field {
        field: "path",
        problem: "leaves too much open for a token that is narrowed to paths",
    })?;
    let is_deeper = |part: &Pattern| part.elems.len() > pattern.elems.len();
    if depth.is_some() && parts.iter().any(is_deeper) {
        return Err(Error::Field {
            field: "depth",
            problem: "cannot be counted from above what the token reaches",
        });
    }
    Ok(parts)
}
