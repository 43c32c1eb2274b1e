//! The schema given to editors accepts what the reader accepts, and refuses
//! unknown keys as it does.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files, and may fail")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhumb_health::probe;
use rhumb_zones::serde_json::{Value as Json, json};
use rhumb_zones::{Diagnostics, Tree, Value, schema};

/// A tree as JSON, scalars as YAML's core schema has them.
fn json(tree: &Tree) -> Json {
    match &tree.value {
        Value::Null => Json::Null,
        Value::Quoted(text) => json!(**text),
        Value::Plain(text) => match text.parse::<f64>() {
            Ok(number) if number.fract() == 0.0 && text.parse::<i64>().is_ok() => {
                json!(text.parse::<i64>().unwrap())
            }
            Ok(number) => json!(number),
            Err(_) if matches!(&**text, "true" | "false") => json!(&**text == "true"),
            Err(_) => json!(**text),
        },
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(key, tree)| (key.text.to_string(), json(tree))).collect())
        }
    }
}

/// Where `value` breaks `schema`, in the words of JSON Schema that ours uses;
/// patterns are left to a real validator.
fn breaks(value: &Json, schema: &Json, root: &Json) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return breaks(value, root.pointer(&reference[1..]).unwrap(), root);
    }
    let name = match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_i64() => "integer",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    let is = |wanted: &Json| wanted == name || (wanted == "number" && name == "integer");
    match &schema["type"] {
        Json::Null => {}
        Json::Array(types) if types.iter().any(is) => {}
        one if is(one) => {}
        other => return Some(format!("{value} is no {other}")),
    }
    let out_of_range = value.as_f64().is_some_and(|number| {
        schema["minimum"].as_f64().is_some_and(|least| number < least)
            || schema["maximum"].as_f64().is_some_and(|most| number > most)
    });
    if out_of_range {
        return Some(format!("{value} is out of range"));
    }
    if schema.get("const").is_some_and(|wanted| wanted != value) {
        return Some(format!("{value} is not {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        return Some(format!("{value} is none of {}", schema["enum"]));
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(forms) = schema[word].as_array() {
            let all: Vec<_> = forms.iter().map(|form| breaks(value, form, root)).collect();
            if all.iter().all(Option::is_some) {
                return Some(all.into_iter().flatten().collect::<Vec<_>>().join("; "));
            }
        }
    }
    match value {
        Json::Array(items) => items.iter().enumerate().find_map(|(index, item)| match &schema["items"] {
            Json::Array(places) => breaks(item, &places[index], root),
            every => breaks(item, every, root),
        }),
        Json::Object(entries) => {
            let required = schema["required"].as_array().into_iter().flatten();
            let mut missing = required.filter(|key| !entries.contains_key(key.as_str().unwrap()));
            missing.next().map(|key| format!("{key} is missing")).or_else(|| {
                entries.iter().find_map(|(key, value)| match schema["properties"].get(key) {
                    Some(own) => breaks(value, own, root).map(|why| format!("{key}: {why}")),
                    None if schema["additionalProperties"] == false => Some(format!("{key} is unknown")),
                    None => breaks(value, &schema["additionalProperties"], root),
                })
            })
        }
        _ => None,
    }
}

fn policies(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/policies").join(folder);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    paths
}

/// What the schema says of each document of a file.
fn complaints(path: &Path, schema: &Json) -> Vec<Option<String>> {
    let bytes = std::fs::read(path).unwrap();
    let trees = Tree::parse(&Arc::from("f"), &bytes, &mut Diagnostics::default());
    trees.iter().map(|tree| breaks(&json(tree), schema, schema)).collect()
}

#[test]
fn the_schema_agrees_with_the_reader() {
    let schema = schema(json!({}), probe::schema(), json!({}));
    for path in policies("good").iter().chain(&policies(".")) {
        for complaint in complaints(path, &schema) {
            assert_eq!(complaint, None, "{}", path.display());
        }
    }
    let mut unknown = 0;
    for path in policies("bad") {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        if text.contains("is not a key that this place knows") {
            unknown += 1;
            let refused = complaints(&path, &schema).iter().any(Option::is_some);
            assert!(refused, "{}: an unknown key", path.display());
        }
    }
    assert!(unknown > 0, "no bad policy has an unknown key");
}

#[test]
fn every_key_is_described() {
    fn undescribed(schema: &Json, path: &str, out: &mut Vec<String>) {
        if let Some(Json::Object(keys)) = schema.get("properties") {
            for (key, value) in keys {
                let path = format!("{path}.{key}");
                if value["description"].as_str().is_none_or(str::is_empty) {
                    out.push(path.clone());
                }
            }
        }
        match schema {
            Json::Object(entries) => {
                entries.iter().for_each(|(key, value)| undescribed(value, &format!("{path}.{key}"), out))
            }
            Json::Array(items) => items.iter().for_each(|item| undescribed(item, path, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    undescribed(&schema(json!({}), probe::schema(), json!({})), "", &mut out);
    assert_eq!(out, Vec::<String>::new());
}
