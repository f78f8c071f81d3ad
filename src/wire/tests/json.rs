//! JSON into leaves, and leaves into JSON.

use proptest::prelude::*;

use super::json;
use super::leaf_list;
use super::path;
use super::strategies;
use super::typed;
use crate::model::Class;
use crate::model::Path;
use crate::model::Value;
use crate::wire::Encoding;
use crate::wire::ValueError;
use crate::wire::proto::gnmi::typed_value::Value as Form;
use crate::wire::read_updates;
use crate::wire::write_subtree;

fn read(base: &str, text: &str) -> Result<Vec<(String, Value)>, ValueError> {
    let updates = read_updates(&path(base), &json(text))?;
    Ok(updates
        .into_iter()
        .map(|update| (update.path.to_string(), update.value))
        .collect())
}

#[track_caller]
fn check(base: &str, text: &str, expected: &[(&str, Value)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(path, value)| ((*path).to_owned(), value.clone()))
        .collect();
    assert_eq!(read(base, text), Ok(expected), "{text}");
}

#[test]
fn json_objects_become_one_update_per_leaf() {
    check(
        "/s",
        r#"{"m:a": 1, "b": {"c": "x", "d": {}}, "e": null, "f": [null],
            "g": [1, "y"], "h": [{"i": 1.50}], "j": []}"#,
        &[
            ("/s/a", Value::Narrow(1)),
            ("/s/b/c", Value::string("x")),
            ("/s/f", Value::Empty),
            ("/s/g", leaf_list(&[Value::Narrow(1), Value::string("y")])),
            ("/s/h", Value::Json(r#"[{"i":1.5}]"#.into())),
            ("/s/j", leaf_list(&[])),
        ],
    );
    check("/", r#"{"a": true}"#, &[("/a", Value::Bool(true))]);
    check("/a", "{}", &[]);
    check("/a", "null", &[]);
    check("/a", " \"text\" ", &[("/a", Value::string("text"))]);
}

#[test]
fn json_numbers_keep_their_width() {
    for (text, value) in [
        ("4294967295", Value::Narrow(4_294_967_295)),
        ("4294967296", Value::Int(4_294_967_296)),
        ("-2147483648", Value::Narrow(-2_147_483_648)),
        ("-2147483649", Value::Int(-2_147_483_649)),
        (
            "9223372036854775808",
            Value::Uint(9_223_372_036_854_775_808),
        ),
        (
            "18446744073709551616",
            Value::Double(18_446_744_073_709_551_616.0),
        ),
        ("1.0", Value::Double(1.0)),
        ("1e3", Value::Double(1000.0)),
    ] {
        check("/a", text, &[("/a", value)]);
    }
}

#[test]
fn json_members_of_one_name_count_once() {
    check(
        "/a",
        r#"{"b": {"c": 1}, "m:b": 2}"#,
        &[("/a/b", Value::Narrow(2))],
    );
}

#[test]
fn json_keys_agree_with_the_path_and_are_no_leaves() {
    let name = [("/l[id=7]/name", Value::string("n"))];
    check("/l[id=7]", r#"{"id": "7", "name": "n"}"#, &name);
    check("/l[id=7]", r#"{"m:id": 7, "name": "n"}"#, &name);
    check(
        "/l[id=7]",
        r#"{"x": {"id": 8}}"#,
        &[("/l[id=7]/x/id", Value::Narrow(8))],
    );
    for text in [r#"{"id": "8"}"#, r#"{"id": null}"#, r#"{"id": {}}"#] {
        let error = read("/l[id=7]", text).unwrap_err();
        assert_eq!(error, ValueError::KeyConflict { key: "id".into() });
        assert_eq!(error.to_string(), "key `id` differs between path and val");
    }
    let key = format!("{}\n", "k".repeat(63)).into();
    assert!(
        ValueError::KeyConflict { key }
            .to_string()
            .contains(r"k\n`")
    );
}

#[test]
fn malformed_json_is_refused_with_its_place() {
    let error = read("/a", "{\n \"b\": }").unwrap_err();
    assert_eq!(error, ValueError::Json { line: 2, column: 7 });
    assert!(error.to_string().contains("JSON"));
    for text in ["", "{", "{} x", "[1,]", "nul", "1e999", "\"\\ud800\""] {
        assert!(
            matches!(read("/a", text), Err(ValueError::Json { .. })),
            "{text}"
        );
    }
    let invalid = typed(Form::JsonVal(vec![b'"', 0xff, b'"'].into()));
    assert!(matches!(
        read_updates(&path("/a"), &invalid),
        Err(ValueError::Json { .. })
    ));
    for name in ["", "*", "...", "m:*"] {
        assert_eq!(
            read("/a", &format!("{{\"{name}\": 1}}")),
            Err(ValueError::MemberName),
            "{name}"
        );
    }
    assert_eq!(read("/", "[1]"), Err(ValueError::RootLeaf));
}

#[test]
fn json_limits_hold() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert!(read("/a", &nested(64)).is_ok());
    assert_eq!(read("/a", &nested(65)), Err(ValueError::TooDeep));
    assert_eq!(read("/a", &"[".repeat(100_000)), Err(ValueError::TooDeep));
    let deep = "/a".repeat(127);
    assert!(read(&deep, &nested(1)).is_ok());
    assert_eq!(read(&deep, &nested(2)), Err(ValueError::TooManyElems));
    let long = format!("{{\"{}\": 1}}", "x".repeat(64 << 10));
    assert_eq!(read("/a", &long), Err(ValueError::PathTooLong));
    let many = |count: usize, item: &str| format!("[{}]", vec![item; count].join(","));
    assert!(read("/a", &many(100_000, "1")).is_ok());
    let members: Vec<_> = (0..10_000).map(|id| format!("\"{id}\":1")).collect();
    let members = format!("{{{}}}", members.join(","));
    assert!(read(&"/a".repeat(99), &members).is_ok());
    let error = read(&"/a".repeat(100), &members).unwrap_err();
    assert_eq!(error, ValueError::PathsTooLarge);
    for item in ["1", "null", "[]"] {
        let error = read("/a", &many(100_001, item)).unwrap_err();
        assert_eq!(error, ValueError::TooManyLeaves);
        assert_eq!(error.class(), Class::TooLarge);
    }
}

proptest! {
    #[test]
    fn json_reader_never_panics(text in strategies::text(0..60)) {
        let _updates = read("/a[k=v]", &text);
    }

    #[test]
    fn subtree_holds_every_leaf(
        values in prop::collection::btree_map("[a-c](/[a-c]){0,3}", any::<u32>(), 1..12),
    ) {
        // A leaf has nothing below it.
        let leaves: Vec<(Path, Value)> = values.iter()
            .filter(|(name, _)| !values.keys().any(|other| other.starts_with(&format!("{name}/"))))
            .map(|(name, value)| (path(&format!("/s/{name}")), Value::Narrow((*value).into())))
            .collect();
        let subtree = write_subtree(&path("/s"), &leaves, Encoding::Json);
        let back = read_updates(&path("/s"), &subtree).unwrap();
        let mut back: Vec<_> = back.into_iter().map(|update| (update.path, update.value)).collect();
        back.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut leaves = leaves;
        leaves.sort_by(|(a, _), (b, _)| a.cmp(b));
        prop_assert_eq!(back, leaves);
    }
}

#[track_caller]
fn check_subtree(base: &str, leaves: &[(&str, Value)], encoding: Encoding, expected: &str) {
    let leaves: Vec<_> = leaves
        .iter()
        .map(|(text, value)| (path(text), value.clone()))
        .collect();
    let written = write_subtree(&path(base), &leaves, encoding);
    let Some(Form::JsonVal(text) | Form::JsonIetfVal(text)) = &written.value else {
        panic!("not JSON: {written:?}")
    };
    assert_eq!(std::str::from_utf8(text).unwrap(), expected);
    assert_eq!(
        matches!(written.value, Some(Form::JsonIetfVal(_))),
        encoding == Encoding::JsonIetf
    );
}

#[test]
fn subtree_groups_entries_into_arrays_keys_first() {
    let leaves = [
        ("/a/list[id=8]/in/x", Value::Int(3)),
        ("/a/b", Value::Int(1)),
        ("/a/list[id=7]/name", Value::string("seven")),
        ("/other", Value::Int(9)),
        ("accedian:/a/b", Value::Int(9)),
        ("/a/list2[k=1][j=2]", Value::Int(4)),
    ];
    check_subtree(
        "/a",
        &leaves,
        Encoding::Json,
        concat!(
            r#"{"b":1,"list":[{"id":"7","name":"seven"},{"id":"8","in":{"x":3}}],"#,
            r#""list2":[{"j":"2","k":"1","value":4}]}"#
        ),
    );
    check_subtree(
        "/a/list[id=7]",
        &leaves,
        Encoding::Json,
        r#"{"id":"7","name":"seven"}"#,
    );
    check_subtree(
        "/a/list",
        &leaves,
        Encoding::JsonIetf,
        r#"[{"id":"7","name":"seven"},{"id":"8","in":{"x":"3"}}]"#,
    );
    check_subtree("/a/b", &leaves, Encoding::JsonIetf, r#""1""#);
    check_subtree("/a/list2[k=1][j=2]", &leaves, Encoding::Json, "4");
    check_subtree("/none", &leaves, Encoding::Json, "{}");
    check_subtree("/", &leaves[1..2], Encoding::Json, r#"{"a":{"b":1}}"#);
}

#[test]
fn subtree_qualifies_only_outermost_names_of_known_origins() {
    let leaves = [
        ("accedian:/object-type/l[id=1]/x", Value::Narrow(1)),
        ("accedian:/object-type/y", Value::Empty),
    ];
    check_subtree(
        "accedian:/object-type",
        &leaves,
        Encoding::JsonIetf,
        r#"{"accedian-session:l":[{"id":"1","x":1}],"accedian-session:y":[null]}"#,
    );
    check_subtree(
        "accedian:/object-type/l",
        &leaves,
        Encoding::JsonIetf,
        r#"[{"accedian-session:id":"1","accedian-session:x":1}]"#,
    );
    check_subtree(
        "accedian:/object-type/l",
        &leaves,
        Encoding::Json,
        r#"[{"id":"1","x":1}]"#,
    );
}

#[test]
fn subtree_of_many_entries_in_any_order_is_sorted() {
    let ids = 0..50_000_i64;
    let leaf = |id| (path(&format!("/l[id={id:05}]/x")), Value::Narrow(id));
    let leaves: Vec<_> = ids.clone().rev().map(leaf).collect();
    let entries: Vec<_> = ids
        .map(|id| format!("{{\"id\":\"{id:05}\",\"x\":{id}}}"))
        .collect();
    let expected = format!("[{}]", entries.join(","));
    let written = write_subtree(&path("/l"), &leaves, Encoding::Json);
    assert!(written == json(&expected));
}
