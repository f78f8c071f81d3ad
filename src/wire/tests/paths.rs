//! Request paths, and their text.

use proptest::collection::btree_map;
use proptest::collection::vec;
use proptest::prelude::*;

use super::path;
use super::strategies::text;
use crate::model::Class;
use crate::model::Glob;
use crate::model::GlobElem;
use crate::model::Origin;
use crate::model::Pattern;
use crate::wire::MAX_ELEMS;
use crate::wire::MAX_KEYS;
use crate::wire::MAX_PATH_BYTES;
use crate::wire::Origins;
use crate::wire::Part;
use crate::wire::PathError;
use crate::wire::Place;
use crate::wire::parse_path_text;
use crate::wire::path_text;
use crate::wire::proto::gnmi as pb;
use crate::wire::read_path;
use crate::wire::read_pattern;
use crate::wire::write_path;

proptest! {
    #[test]
    fn path_text_round_trips(
        origin in "([A-Za-z_][A-Za-z0-9_.-]{0,8})?",
        elems in vec((text(1..8), btree_map(text(1..6), text(0..6), 0..3)), 0..6),
    ) {
        let elem = elems.into_iter().map(|(name, key)| pb::PathElem { name, key }).collect();
        let path = pb::Path { origin, elem, ..pb::Path::default() };
        prop_assert_eq!(parse_path_text(&path_text(None, Some(&path))), Ok(path));
    }

    #[test]
    fn path_text_parser_never_panics(given in text(0..40)) {
        if let Ok(path) = parse_path_text(&given) {
            prop_assert_eq!(parse_path_text(&path_text(None, Some(&path))), Ok(path));
        }
    }

    #[test]
    #[expect(deprecated, reason = "`element` is input too")]
    fn request_paths_never_panic(
        origin in text(0..3),
        element in vec(text(0..10), 0..3),
        elems in vec((text(0..8), btree_map(text(0..6), text(0..6), 0..3)), 0..6),
    ) {
        let elem = elems.into_iter().map(|(name, key)| pb::PathElem { name, key }).collect();
        let path = pb::Path { origin, element, elem, ..pb::Path::default() };
        let pattern = read_pattern(None, &path, &Origins::gateway());
        if let Ok(path) = read_path(None, &path, &Origins::gateway()) {
            prop_assert!(pattern.is_ok());
            prop_assert_eq!(write_path(&path).elem.len(), path.elems.len());
        }
    }
}

fn pattern(text: &str) -> Result<Pattern, PathError> {
    read_pattern(None, &parse_path_text(text).unwrap(), &Origins::gateway())
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(pattern(text).unwrap().to_string(), expected, "{text}");
}

fn at(index: usize) -> Place {
    Place {
        part: Part::Path,
        index,
    }
}

#[test]
fn pattern_finds_its_origin_and_loses_its_modules() {
    check("/accedian:session/object-type/x", "accedian:/object-type/x");
    check("/accedian/object-type", "accedian:/object-type");
    check(
        "accedian:/accedian:session/object-type",
        "accedian:/object-type",
    );
    check(
        "/oc-if:interfaces/oc-if:interface[name=a:b]",
        "/interfaces/interface[name=a:b]",
    );
    check("openconfig:/a", "/a");
    assert_eq!(pattern("/").unwrap().origin, None);
    assert_eq!(pattern("/.../x").unwrap().origin, None);
    assert_eq!(pattern("/a/*").unwrap().origin, Some(Origin::default()));
    assert_eq!(pattern("/accedian:session").unwrap().elems, []);
}

#[test]
fn pattern_keeps_wildcards_keys_and_labels_apart() {
    let labels = "[meta/data/name/b=2][meta/data/name/a=1][meta/data/name/c=*]";
    let asked = format!("/mo/monitored-object[id=*][name=n]{labels}/.../...");
    let read = pattern(&asked).unwrap();
    let expected = GlobElem {
        name: Some("monitored-object".into()),
        keys: vec![("id".into(), None), ("name".into(), Some("n".into()))],
        labels: vec![("a".into(), "1".into()), ("b".into(), "2".into())],
    };
    assert_eq!(read.elems[1..], [Glob::One(expected), Glob::AnyDepth]);
    assert_eq!(
        pattern("/*").unwrap().elems,
        [Glob::One(GlobElem {
            name: None,
            keys: vec![],
            labels: vec![]
        })]
    );
}

#[test]
fn prefix_stands_before_the_path() {
    let prefix = pb::Path {
        target: "t".to_owned(),
        ..parse_path_text("/accedian:session/object-type").unwrap()
    };
    let path = parse_path_text("/x").unwrap();
    let read = read_path(Some(&prefix), &path, &Origins::gateway()).unwrap();
    assert_eq!(read.to_string(), "accedian:/object-type/x");
    let twice = read_pattern(
        Some(&write_path(&read)),
        &write_path(&read),
        &Origins::gateway(),
    );
    assert_eq!(twice, Err(PathError::OriginTwice));
}

#[test]
#[expect(deprecated, reason = "`element` is input too")]
fn deprecated_elements_count_only_alone() {
    let mut both = parse_path_text("/a").unwrap();
    both.element = vec!["b".to_owned()];
    assert_eq!(
        read_path(None, &both, &Origins::gateway()).unwrap(),
        path("/a")
    );
    both.elem.clear();
    both.element = vec!["b".to_owned(), "c/d[k=v]".to_owned()];
    assert_eq!(
        read_path(None, &both, &Origins::gateway()).unwrap(),
        path(r"/b/c\/d[k=v]")
    );
    both.element = vec!["b[".to_owned()];
    let error = read_path(None, &both, &Origins::gateway()).unwrap_err();
    assert_eq!(error.to_string(), "elem[0] of path: element is malformed");
    both.element = vec![String::new()];
    assert_eq!(
        read_path(None, &both, &Origins::gateway()),
        Err(PathError::ElemName(at(0)))
    );
}

#[test]
fn resolved_path_allows_nothing_open() {
    for (text, error) in [
        ("/a/*", PathError::Wildcard(at(1))),
        ("/...", PathError::Wildcard(at(0))),
        ("/a[k=*]", PathError::Wildcard(at(0))),
        ("/a[meta/data/name/x=y]", PathError::Label(at(0))),
        ("/accedian[k=v]/object-type", PathError::KeysOnOrigin(at(0))),
    ] {
        let path = parse_path_text(text).unwrap();
        assert_eq!(
            read_path(None, &path, &Origins::gateway()),
            Err(error),
            "{text}"
        );
    }
    assert_eq!(path("/").origin, Origin::default());
}

#[test]
fn malformed_paths_name_the_part() {
    let elem = |name: &str, key: &str| pb::Path {
        elem: vec![
            pb::PathElem {
                name: "a".to_owned(),
                ..Default::default()
            },
            pb::PathElem {
                name: name.to_owned(),
                key: [(key.to_owned(), "v".to_owned())].into(),
            },
        ],
        ..pb::Path::default()
    };
    for (path, message) in [
        (elem("", "k"), "elem[1] of path: name is empty"),
        (elem("a", ""), "elem[1] of path: key name is empty"),
        (elem("...", "k"), "elem[1] of path: `...` has a key"),
        (
            elem("a", "meta/data/name/"),
            "elem[1] of path: label name in key is empty",
        ),
        (
            pb::Path {
                target: "t".to_owned(),
                ..Default::default()
            },
            "target is set in a path; it belongs in the prefix",
        ),
    ] {
        let error = read_pattern(None, &path, &Origins::gateway()).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(error.class(), Class::Malformed);
    }
}

#[test]
fn path_limits_hold_exactly() {
    let read =
        |path: &pb::Path| read_pattern(Some(&pb::Path::default()), path, &Origins::gateway());
    let named = |name: String| pb::Path {
        elem: vec![pb::PathElem {
            name,
            ..Default::default()
        }],
        ..Default::default()
    };
    assert!(read(&named("x".repeat(MAX_PATH_BYTES))).is_ok());
    assert_eq!(
        read(&named("x".repeat(MAX_PATH_BYTES + 1))),
        Err(PathError::TooLong)
    );
    let many = |count: usize| parse_path_text(&"/a".repeat(count)).unwrap();
    assert!(read(&many(MAX_ELEMS)).is_ok());
    assert_eq!(read(&many(MAX_ELEMS + 1)), Err(PathError::TooManyElems));
    let split = read_pattern(Some(&many(1)), &many(MAX_ELEMS), &Origins::gateway());
    assert_eq!(split, Err(PathError::TooManyElems));
    let keyed = |count: usize| {
        let mut path = named("a".to_owned());
        path.elem[0].key = (0..count)
            .map(|key| (key.to_string(), String::new()))
            .collect();
        path
    };
    assert!(read(&keyed(MAX_KEYS)).is_ok());
    assert_eq!(
        read(&keyed(MAX_KEYS + 1)),
        Err(PathError::TooManyKeys(at(0)))
    );
}
