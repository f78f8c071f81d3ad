//! Values of requests become `model` values, and back.

use std::borrow::Cow;

use super::encoding::Encoding;
use super::error::ValueError;
use super::json_read::read_json;
use super::json_tree::MAX_LEAVES;
use super::json_write::MAX_PRECISION;
use super::json_write::json_value;
use super::json_write::write_json;
use super::proto::gnmi as pb;
use super::proto::gnmi::typed_value::Value as Form;
use super::text::Text;
use crate::model::Path;
use crate::model::Update;
use crate::model::Value;

/// Reads a value that a Set puts at `base`: an object of JSON becomes one update per leaf, anything
/// else one update.
///
/// Names of members lose their module. `null` and `{}` are no leaf, see [`is_empty_object`];
/// `[null]` is YANG's `empty`. An array of scalars is a leaf-list, any other array one leaf that
/// holds its text, written anew without white space, numbers as they would be read. Integers that
/// fit 32 bits are [`Value::Narrow`], larger ones `Int` or `Uint`, other numbers `Double`.
///
/// Members that repeat a key of the last element of `base` must agree with it; they are no leaves,
/// because keys live in the path.
///
/// # Errors
///
/// `Unsupported` for `ascii_val`, `any_val` and `proto_bytes`; otherwise what is wrong, or which
/// limit was hit.
pub fn read_updates(base: &Path, value: &pb::TypedValue) -> Result<Vec<Update>, ValueError> {
    let value = match value.value.as_ref().ok_or(ValueError::Missing)? {
        Form::JsonVal(text) | Form::JsonIetfVal(text) => return read_json(base, text),
        Form::LeaflistVal(list) => read_leaf_list(list)?,
        scalar => read_scalar(scalar)?,
    };
    if base.elems.is_empty() {
        return Err(ValueError::RootLeaf);
    }
    Ok(vec![Update {
        path: base.clone(),
        value,
    }])
}

/// The value of an update: `val`, or where that is missing the deprecated `value`, if it is JSON.
///
/// # Errors
///
/// `Missing` without either, `Unsupported` for a deprecated value of another type.
#[expect(deprecated, reason = "old clients send `value`")]
pub fn value_of(update: &pb::Update) -> Result<Cow<'_, pb::TypedValue>, ValueError> {
    match (&update.val, &update.value) {
        (Some(value), _) => Ok(Cow::Borrowed(value)),
        (None, None) => Err(ValueError::Missing),
        (None, Some(old)) => {
            let encoding = match old.r#type() {
                pb::Encoding::Json if old.r#type == pb::Encoding::Json as i32 => Encoding::Json,
                pb::Encoding::JsonIetf => Encoding::JsonIetf,
                _ => return Err(ValueError::Unsupported("value")),
            };
            Ok(Cow::Owned(json_value(old.value.clone(), encoding)))
        }
    }
}

/// Whether a value is `{}` or `null` in JSON: a replace with it empties the node, and is an error
/// for an entry of a list (gNMI spec 3.4.4).
pub fn is_empty_object(value: &pb::TypedValue) -> bool {
    let Some(Form::JsonVal(text) | Form::JsonIetfVal(text)) = &value.value else {
        return false;
    };
    match text.trim_ascii() {
        b"null" => true,
        [b'{', inner @ .., b'}'] => inner.trim_ascii().is_empty(),
        _ => false,
    }
}

/// Writes a value.
///
/// In PROTO a decimal is a `double_val`, `empty` is `bool_val: true` and JSON text stays `json_val`
/// (gNMI spec 2.2.3).
pub fn write_value(value: &Value, encoding: Encoding) -> pb::TypedValue {
    if encoding != Encoding::Proto {
        let mut text = Text::default();
        write_json(&mut text, value, encoding);
        return json_value(text.into_bytes(), encoding);
    }
    let form = match value {
        Value::Bool(value) => Form::BoolVal(*value),
        Value::Bytes(value) => Form::BytesVal(value.clone()),
        Value::Decimal { digits, precision } => {
            Form::DoubleVal(decimal_double(*digits, *precision))
        }
        Value::Double(value) => Form::DoubleVal(*value),
        Value::Empty => Form::BoolVal(true),
        Value::Int(value) | Value::Narrow(value) => Form::IntVal(*value),
        Value::Json(text) => Form::JsonVal(text.clone()),
        Value::LeafList(values) => Form::LeaflistVal(pb::ScalarArray {
            element: values
                .iter()
                .map(|value| write_value(value, encoding))
                .collect(),
        }),
        Value::String(value) => Form::StringVal(value.to_string()),
        Value::Uint(value) => Form::UintVal(*value),
    };
    pb::TypedValue { value: Some(form) }
}

/// The double nearest to a decimal: exact up to 53 bits of digits.
#[expect(
    clippy::cast_precision_loss,
    reason = "gNMI spec 2.2.3: decimals go out as doubles"
)]
pub(super) fn decimal_double(digits: i64, precision: u8) -> f64 {
    digits as f64 / 10_f64.powi(i32::from(precision))
}

#[expect(deprecated, reason = "deprecated forms are accepted on input")]
fn read_scalar(form: &Form) -> Result<Value, ValueError> {
    Ok(match form {
        Form::BoolVal(value) => Value::Bool(*value),
        Form::BytesVal(value) => Value::Bytes(value.clone()),
        Form::DecimalVal(value) => Value::Decimal {
            digits: value.digits,
            precision: u8::try_from(value.precision)
                .ok()
                .filter(|precision| *precision <= MAX_PRECISION)
                .ok_or(ValueError::Precision)?,
        },
        Form::DoubleVal(value) => Value::Double(*value),
        Form::FloatVal(value) => Value::Double(f64::from(*value)),
        Form::IntVal(value) => Value::Int(*value),
        Form::StringVal(value) => Value::string(value.as_str()),
        Form::UintVal(value) => Value::Uint(*value),
        Form::AnyVal(_) => return Err(ValueError::Unsupported("any_val")),
        Form::AsciiVal(_) => return Err(ValueError::Unsupported("ascii_val")),
        Form::ProtoBytes(_) => return Err(ValueError::Unsupported("proto_bytes")),
        Form::JsonIetfVal(_) | Form::JsonVal(_) | Form::LeaflistVal(_) => {
            return Err(ValueError::NotScalar);
        }
    })
}

fn read_leaf_list(list: &pb::ScalarArray) -> Result<Value, ValueError> {
    if list.element.len() > MAX_LEAVES {
        return Err(ValueError::TooManyLeaves);
    }
    let one = |element: &pb::TypedValue| {
        let form = element.value.as_ref().ok_or(ValueError::Missing)?;
        read_scalar(form)
    };
    let values = list.element.iter().map(one);
    Ok(Value::LeafList(values.collect::<Result<_, _>>()?))
}
