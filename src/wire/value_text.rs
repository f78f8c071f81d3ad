//! Values as one line of text, for people.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::json_write::MAX_PRECISION;
use super::json_write::decimal_text;
use super::proto::gnmi as pb;
use super::proto::gnmi::typed_value::Value as Form;

/// A value as one line: text and JSON as they are, bytes as base64, a leaf-list in brackets.
/// Control characters are escaped, so that no sender can write to the reader's terminal.
pub fn value_text(value: &pb::TypedValue) -> String {
    let mut out = String::new();
    write_form(&mut out, value, true);
    out
}

/// `nests` ends the recursion: a list within a list is never valid, and a sender could nest without
/// end.
#[expect(deprecated, reason = "other servers may still send deprecated forms")]
fn write_form(out: &mut String, value: &pb::TypedValue, nests: bool) {
    let Some(form) = &value.value else { return };
    // Writing to a String does not fail.
    let _written = match form {
        Form::AnyVal(value) => write!(out, "{}", STANDARD.encode(&value.value)),
        Form::AsciiVal(text) | Form::StringVal(text) => write_plain(out, text),
        Form::BoolVal(value) => write!(out, "{value}"),
        Form::BytesVal(value) | Form::ProtoBytes(value) => {
            write!(out, "{}", STANDARD.encode(value))
        }
        Form::DecimalVal(value) => {
            let precision = u8::try_from(value.precision).unwrap_or(MAX_PRECISION);
            out.write_str(&decimal_text(value.digits, precision))
        }
        Form::DoubleVal(value) => write!(out, "{value}"),
        Form::FloatVal(value) => write!(out, "{value}"),
        Form::IntVal(value) => write!(out, "{value}"),
        Form::JsonIetfVal(text) | Form::JsonVal(text) => {
            write_plain(out, &String::from_utf8_lossy(text))
        }
        Form::LeaflistVal(_) if !nests => out.write_str("[...]"),
        Form::LeaflistVal(list) => {
            out.push('[');
            for (index, element) in list.element.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_form(out, element, false);
            }
            out.write_str("]")
        }
        Form::UintVal(value) => write!(out, "{value}"),
    };
}

fn write_plain(out: &mut String, text: &str) -> std::fmt::Result {
    for c in text.chars() {
        if c.is_control() {
            write!(out, "{}", c.escape_default())?;
        } else {
            out.push(c);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(form: Form, text: &str) {
        assert_eq!(value_text(&pb::TypedValue { value: Some(form) }), text);
    }

    #[test]
    fn value_text_is_one_line_without_control_characters() {
        check(
            Form::StringVal("a\nb\u{1b}[31m é".to_owned()),
            "a\\nb\\u{1b}[31m é",
        );
        check(Form::JsonVal("{\"a\":\n1}".into()), "{\"a\":\\n1}");
        check(Form::BytesVal(vec![0, 255].into()), "AP8=");
        check(Form::DoubleVal(1.5), "1.5");
        let element = [Form::IntVal(1), Form::BoolVal(true)];
        let element = element.map(|form| pb::TypedValue { value: Some(form) });
        let list = pb::ScalarArray {
            element: element.into(),
        };
        check(Form::LeaflistVal(list), "[1, true]");
        assert_eq!(value_text(&pb::TypedValue::default()), "");
    }
}
