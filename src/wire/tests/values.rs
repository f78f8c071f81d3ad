//! Values of requests, and values of responses.

use proptest::prelude::*;

use super::json;
use super::leaf_list;
use super::path;
use super::strategies;
use super::typed;
use crate::model::Class;
use crate::model::Value;
use crate::wire::Encoding;
use crate::wire::ValueError;
use crate::wire::is_empty_object;
use crate::wire::proto::gnmi as pb;
use crate::wire::proto::gnmi::typed_value::Value as Form;
use crate::wire::read_updates;
use crate::wire::value_of;
use crate::wire::value_text;
use crate::wire::write_value;

fn read(form: Form) -> Result<Value, ValueError> {
    let updates = read_updates(&path("/a"), &typed(form))?;
    let [update] = updates.as_slice() else {
        panic!("not one leaf: {updates:?}")
    };
    assert_eq!(update.path, path("/a"));
    Ok(update.value.clone())
}

proptest! {
    #[test]
    fn proto_values_come_back(value in strategies::value()) {
        let Some(form) = write_value(&value, Encoding::Proto).value else { panic!("no value") };
        let expected = match value {
            Value::Empty => Value::Bool(true),
            Value::Narrow(value) => Value::Int(value),
            Value::Decimal { .. } | Value::Json(_) | Value::LeafList(_) => return Ok(()),
            other => other,
        };
        prop_assert_eq!(read(form), Ok(expected));
    }

    #[test]
    fn json_values_are_json_of_one_kind(value in strategies::value(), is_ietf in any::<bool>()) {
        let encoding = if is_ietf { Encoding::JsonIetf } else { Encoding::Json };
        let written = write_value(&value, encoding);
        let text = match &written.value {
            Some(Form::JsonIetfVal(text)) if is_ietf => text.clone(),
            Some(Form::JsonVal(text)) if !is_ietf => text.clone(),
            other => panic!("{other:?}"),
        };
        serde_json::from_slice::<serde_json::Value>(&text).unwrap();
        prop_assert!(!value_text(&written).contains(char::is_control));
    }
}

#[test]
#[expect(deprecated, reason = "deprecated forms are accepted on input")]
fn scalars_of_every_form_are_read() {
    let decimal = |precision| {
        Form::DecimalVal(pb::Decimal64 {
            digits: -5,
            precision,
        })
    };
    for (form, value) in [
        (Form::StringVal("s".to_owned()), Value::string("s")),
        (Form::IntVal(i64::MIN), Value::Int(i64::MIN)),
        (Form::UintVal(u64::MAX), Value::Uint(u64::MAX)),
        (Form::BoolVal(true), Value::Bool(true)),
        (Form::BytesVal("\0".into()), Value::Bytes("\0".into())),
        (Form::FloatVal(2.5), Value::Double(2.5)),
        (Form::DoubleVal(1.5), Value::Double(1.5)),
        (
            decimal(18),
            Value::Decimal {
                digits: -5,
                precision: 18,
            },
        ),
    ] {
        assert_eq!(read(form), Ok(value));
    }
    assert_eq!(read(decimal(19)), Err(ValueError::Precision));
    let list = |forms: Vec<Form>| {
        let element = forms.into_iter().map(typed).collect();
        Form::LeaflistVal(pb::ScalarArray { element })
    };
    let two = list(vec![Form::IntVal(1), Form::BoolVal(false)]);
    assert_eq!(
        read(two),
        Ok(leaf_list(&[Value::Int(1), Value::Bool(false)]))
    );
    let nested = list(vec![Form::IntVal(1), list(vec![])]);
    assert_eq!(read(nested), Err(ValueError::NotScalar));
    let unset = Form::LeaflistVal(pb::ScalarArray {
        element: vec![pb::TypedValue::default()],
    });
    assert_eq!(read(unset), Err(ValueError::Missing));
}

#[test]
fn unsupported_forms_are_named() {
    for (form, name) in [
        (Form::AsciiVal("show".to_owned()), "ascii_val"),
        (Form::AnyVal(prost_types::Any::default()), "any_val"),
        (Form::ProtoBytes("x".into()), "proto_bytes"),
    ] {
        let error = read(form).unwrap_err();
        assert_eq!(error, ValueError::Unsupported(name));
        assert_eq!(error.class(), Class::Unsupported);
    }
    let missing = read_updates(&path("/a"), &pb::TypedValue::default());
    assert_eq!(missing, Err(ValueError::Missing));
    let root = read_updates(&path("/"), &typed(Form::IntVal(1)));
    assert_eq!(root, Err(ValueError::RootLeaf));
}

#[test]
#[expect(deprecated, reason = "old clients send `value`")]
fn deprecated_value_is_read_where_it_is_json() {
    let old = |kind: i32| pb::Update {
        value: Some(pb::Value {
            value: "1".into(),
            r#type: kind,
        }),
        ..pb::Update::default()
    };
    assert_eq!(*value_of(&old(0)).unwrap(), json("1"));
    assert_eq!(
        *value_of(&old(4)).unwrap(),
        typed(Form::JsonIetfVal("1".into()))
    );
    for kind in [1, 2, 3, 99] {
        assert_eq!(
            value_of(&old(kind)),
            Err(ValueError::Unsupported("value")),
            "{kind}"
        );
    }
    assert_eq!(value_of(&pb::Update::default()), Err(ValueError::Missing));
    let new = pb::Update {
        val: Some(json("2")),
        ..old(1)
    };
    assert_eq!(*value_of(&new).unwrap(), json("2"));
}

#[test]
fn empty_objects_are_told() {
    for text in ["{}", " { \n}\t", "null", " null "] {
        assert!(is_empty_object(&json(text)), "{text}");
    }
    for text in ["", "{", "{}{}", "{\"a\":1}", "[]", "[null]", "nul l", "0"] {
        assert!(!is_empty_object(&json(text)), "{text}");
    }
    assert!(!is_empty_object(&typed(Form::StringVal("{}".to_owned()))));
}

#[track_caller]
fn check_json(value: &Value, plain: &str, ietf: &str) {
    assert_eq!(write_value(value, Encoding::Json), json(plain));
    let expected = typed(Form::JsonIetfVal(ietf.to_owned().into()));
    assert_eq!(
        write_value(value, Encoding::JsonIetf),
        expected,
        "{value:?}"
    );
}

#[test]
fn json_and_json_ietf_write_each_type_their_own_way() {
    check_json(&Value::Int(-7), "-7", r#""-7""#);
    check_json(
        &Value::Uint(u64::MAX),
        "18446744073709551615",
        r#""18446744073709551615""#,
    );
    check_json(&Value::Narrow(-7), "-7", "-7");
    check_json(&Value::Bool(true), "true", "true");
    check_json(&Value::Double(1.0), "1.0", "1.0");
    check_json(&Value::Double(f64::NAN), r#""NaN""#, r#""NaN""#);
    check_json(
        &Value::Double(f64::NEG_INFINITY),
        r#""-Infinity""#,
        r#""-Infinity""#,
    );
    check_json(
        &Value::Double(f64::INFINITY),
        r#""Infinity""#,
        r#""Infinity""#,
    );
    check_json(&Value::Empty, "[null]", "[null]");
    check_json(&Value::Bytes(vec![0, 255].into()), r#""AP8=""#, r#""AP8=""#);
    check_json(&Value::string("a\"\n"), r#""a\"\n""#, r#""a\"\n""#);
    let decimal = |digits, precision| Value::Decimal { digits, precision };
    check_json(&decimal(12_345, 2), "123.45", r#""123.45""#);
    check_json(&decimal(-5, 3), "-0.005", r#""-0.005""#);
    check_json(&decimal(100, 2), "1.0", r#""1.0""#);
    check_json(
        &decimal(i64::MIN, 18),
        "-9.223372036854775808",
        r#""-9.223372036854775808""#,
    );
    check_json(
        &decimal(1, 200),
        "0.000000000000000001",
        r#""0.000000000000000001""#,
    );
    check_json(
        &leaf_list(&[Value::Uint(1), Value::string("x")]),
        r#"[1,"x"]"#,
        r#"["1","x"]"#,
    );
    check_json(&leaf_list(&[]), "[]", "[]");
}
