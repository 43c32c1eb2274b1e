//! YAML text → [`Tree`]s, on the events of saphyr-parser.
//!
//! The parser yields events with positions and never recurses; what is ours
//! is what a hostile or careless file makes dangerous: aliases are expanded
//! here under one budget of values, so a bomb ends early; anchors do not
//! outlive their document; duplicate keys, which most libraries silently
//! resolve to the last, are errors naming both places.
//!
//! After a syntax error nothing that follows can be trusted: the rest of the
//! file is dropped, whole documents before it are kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::{Key, Tree, Value};
use crate::diagnostic::{Diagnostics, Location};

/// Who is wrong when a file is not even YAML.
const WHO: &str = "YAML";

impl Tree {
    /// One tree per document of `bytes`; what is wrong goes to `out`.
    ///
    /// YAML 1.2 in UTF-8, with aliases and merge keys (`<<`) resolved. Empty
    /// documents are left out.
    #[must_use]
    pub fn parse(file: &Arc<str>, bytes: &[u8], out: &mut Diagnostics) -> Vec<Self> {
        let mut builder = Builder {
            file: Arc::clone(file),
            out,
            documents: Vec::new(),
            started: 0,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
        };
        if let Some(text) = builder.decode(bytes) {
            // What stopped it is in `out`.
            let _ = builder.run(text);
        }
        builder.documents
    }
}

/// Nothing after this can be read; the reason is already reported.
struct Stop;

struct Builder<'o> {
    file: Arc<str>,
    out: &'o mut Diagnostics,
    documents: Vec<Tree>,
    /// Documents begun, empty ones included.
    started: usize,
    /// Collections around the current event, outermost first.
    open: Vec<Open>,
    /// Finished anchored values of this document and how many values each is.
    anchors: HashMap<usize, (Tree, usize)>,
    /// Values so far, aliases expanded.
    nodes: usize,
}

struct Open {
    at: Location,
    anchor: usize,
    /// [`Builder::nodes`] when it began.
    nodes_before: usize,
    body: Body,
}

enum Body {
    List(Vec<Tree>),
    Map(Mapping),
}

#[derive(Default)]
struct Mapping {
    entries: Vec<(Key, Tree)>,
    seen: HashMap<Arc<str>, Location>,
    pending: Pending,
    /// The index in `entries` of `<<`.
    merge: Option<usize>,
}

/// What the next value of a mapping is.
#[derive(Default)]
enum Pending {
    #[default]
    Key,
    ValueOf(Key),
    /// The value of a refused key.
    Dropped,
}

impl Builder<'_> {
    fn error(&mut self, at: &Location, which: &str, what: impl Into<String>) {
        self.out.error(at, WHO, which, what);
    }

    fn whole(&self) -> Location {
        Location { file: Arc::clone(&self.file), line: 0, column: 0 }
    }

    fn location(&self, marker: Marker) -> Location {
        // Within MAX_BYTES both fit.
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Location {
            file: Arc::clone(&self.file),
            line: narrow(marker.line()),
            column: narrow(marker.col() + 1),
        }
    }

    /// The text of a file of tolerable size in UTF-8 without control
    /// characters: the parser takes NUL for the end, which would hide the rest.
    fn decode<'b>(&mut self, bytes: &'b [u8]) -> Option<&'b str> {
        let marks = bytes.iter().filter(|byte| b",:[]{}\"'".contains(byte)).count();
        if bytes.len() > Tree::MAX_BYTES || marks > Tree::MAX_MARKS {
            let (mib, marks) = (Tree::MAX_BYTES >> 20, Tree::MAX_MARKS);
            let what = format!("must have at most {mib} MiB and {marks} punctuation marks: split the file");
            self.error(&self.whole(), "size", what);
            return None;
        }
        let (valid, bad) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), rest.first())
            }
        };
        let control = |c: char| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r');
        let (offset, what) = match (valid.find(control), bad) {
            (Some(offset), _) => {
                (offset, "a control character must be written as an escape in double quotes".into())
            }
            (None, Some(byte)) => {
                let offset = valid.len();
                (offset, format!("must be UTF-8; the byte 0x{byte:02x} at offset {offset} is not"))
            }
            (None, None) => return Some(valid.strip_prefix('\u{feff}').unwrap_or(valid)),
        };
        let before = &valid[..offset];
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        self.error(&self.location(Marker::new(offset, line, column)), "encoding", what);
        None
    }

    fn run(&mut self, text: &str) -> Result<(), Stop> {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            match event {
                Ok((event, span)) => self.take(event, span.start)?,
                Err(error) => {
                    self.error(&self.location(*error.marker()), "syntax", error.info());
                    return Err(Stop);
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, marker: Marker) -> Result<(), Stop> {
        let at = self.location(marker);
        match event {
            Event::DocumentStart(_) => {
                self.anchors.clear();
                self.started += 1;
                self.limit(&at, "documents", self.started, Tree::MAX_DOCUMENTS)?;
            }
            Event::Alias(id) => {
                let Some((tree, nodes)) = self.anchors.get(&id).cloned() else {
                    self.error(&at, "alias", "must name a value of the same document that ends before it");
                    return Err(Stop);
                };
                self.count(&at, nodes)?;
                self.put(tree);
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.count(&at, 1)?;
                let value = self.scalar(&at, &text, style, tag.as_deref());
                self.finish(Tree { at, value }, anchor, 1)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(at, anchor, Body::List(Vec::new()), tag.as_deref())?;
            }
            Event::MappingStart(anchor, tag) => {
                self.start(at, anchor, Body::Map(Mapping::default()), tag.as_deref())?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let value = match open.body {
                        Body::List(items) => Value::List(items),
                        Body::Map(mapping) => Value::Map(self.merge(mapping)),
                    };
                    let nodes = self.nodes - open.nodes_before;
                    self.finish(Tree { at: open.at, value }, open.anchor, nodes)?;
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn limit(&mut self, at: &Location, which: &str, got: usize, most: usize) -> Result<(), Stop> {
        if got <= most {
            return Ok(());
        }
        self.error(at, which, format!("must be at most {most}"));
        Err(Stop)
    }

    fn count(&mut self, at: &Location, nodes: usize) -> Result<(), Stop> {
        self.nodes += nodes;
        self.limit(at, "values with aliases expanded", self.nodes, Tree::MAX_NODES)
    }

    fn start(&mut self, at: Location, anchor: usize, body: Body, tag: Option<&Tag>) -> Result<(), Stop> {
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && matches!(&*tag.suffix, "seq" | "map"))
        {
            self.error(&at, "tag", format!("{tag} has no meaning here"));
        }
        let nodes_before = self.nodes;
        self.count(&at, 1)?;
        self.limit(&at, "nesting", self.open.len() + 1, Tree::MAX_DEPTH)?;
        self.open.push(Open { at, anchor, nodes_before, body });
        Ok(())
    }

    fn scalar(&mut self, at: &Location, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
        let plain = match tag {
            None => style == ScalarStyle::Plain,
            Some(tag) if tag.is_yaml_core_schema() => tag.suffix != "str",
            Some(tag) => {
                self.error(at, "tag", format!("{tag} has no meaning here"));
                false
            }
        };
        match text {
            "" | "~" | "null" | "Null" | "NULL" if plain => Value::Null,
            _ if plain => Value::Plain(text.into()),
            _ => Value::Quoted(text.into()),
        }
    }

    /// Remembers an anchored value, then puts it in its place. The copy
    /// counts: anchors within anchors would multiply otherwise.
    fn finish(&mut self, tree: Tree, anchor: usize, nodes: usize) -> Result<(), Stop> {
        if anchor > 0 {
            self.count(&tree.at, nodes)?;
            self.anchors.insert(anchor, (tree.clone(), nodes));
        }
        self.put(tree);
        Ok(())
    }

    fn put(&mut self, tree: Tree) {
        match self.open.last_mut().map(|open| &mut open.body) {
            None if matches!(tree.value, Value::Null) => {}
            None => self.documents.push(tree),
            Some(Body::List(items)) => items.push(tree),
            Some(Body::Map(mapping)) => match std::mem::take(&mut mapping.pending) {
                Pending::ValueOf(key) => mapping.entries.push((key, tree)),
                Pending::Dropped => {}
                Pending::Key => {
                    let refused = mapping.key(tree);
                    if let Err((at, which, what)) = refused {
                        self.error(&at, &which, what);
                    }
                }
            },
        }
    }

    /// The entries with those of `<<` in its place, explicit keys and earlier
    /// mappings winning (<https://yaml.org/type/merge.html>).
    fn merge(&mut self, mapping: Mapping) -> Vec<(Key, Tree)> {
        let Mapping { mut entries, mut seen, merge, .. } = mapping;
        let Some(index) = merge.filter(|&index| index < entries.len()) else { return entries };
        let after = entries.split_off(index + 1);
        let sources = match entries.pop() {
            Some((_, Tree { value: Value::List(items), .. })) => items,
            Some((_, one)) => vec![one],
            None => Vec::new(),
        };
        for source in sources {
            let Value::Map(merged) = source.value else {
                self.error(&source.at, "<<", "must be a mapping or a list of mappings");
                continue;
            };
            for (key, tree) in merged {
                if let Entry::Vacant(vacant) = seen.entry(Arc::clone(&key.text)) {
                    vacant.insert(key.at.clone());
                    entries.push((key, tree));
                }
            }
        }
        entries.extend(after);
        entries
    }
}

impl Mapping {
    /// Takes `tree` as the next key, or says why it cannot be one.
    fn key(&mut self, tree: Tree) -> Result<(), (Location, String, String)> {
        self.pending = Pending::Dropped;
        let Tree { at, value } = tree;
        let (text, plain) = match value {
            Value::Plain(text) => (text, true),
            Value::Quoted(text) => (text, false),
            _ => return Err((at, "key".into(), "must be text".into())),
        };
        match self.seen.entry(Arc::clone(&text)) {
            Entry::Occupied(first) => {
                let Location { line, column, .. } = first.get();
                let what = format!("a key must stand once in a mapping; it is also at {line}:{column}");
                Err((at, text.to_string(), what))
            }
            Entry::Vacant(vacant) => {
                vacant.insert(at.clone());
                if plain && &*text == "<<" {
                    self.merge = Some(self.entries.len());
                }
                self.pending = Pending::ValueOf(Key { at, text });
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree as one line: plain text bare, quoted text in quotes.
    fn show(tree: &Tree) -> String {
        let join = |parts: Vec<String>| parts.join(", ");
        match &tree.value {
            Value::Null => "~".into(),
            Value::Plain(text) => text.to_string(),
            Value::Quoted(text) => format!("{text:?}"),
            Value::List(items) => format!("[{}]", join(items.iter().map(show).collect())),
            Value::Map(entries) => {
                let entry = |(key, tree): &(Key, Tree)| format!("{}: {}", key.text, show(tree));
                format!("{{{}}}", join(entries.iter().map(entry).collect()))
            }
        }
    }

    fn check(bytes: &[u8], want: &str, complaints: &[&str], why: &str) {
        let mut out = Diagnostics::default();
        let trees = Tree::parse(&Arc::from("f"), bytes, &mut out);
        assert_eq!(trees.iter().map(show).collect::<Vec<_>>().join(" | "), want, "{why}");
        let got: Vec<String> = out.iter().map(ToString::to_string).collect();
        assert_eq!(got, complaints, "{why}");
    }

    /// Text, its documents, complaints, why.
    type Row = (&'static str, &'static str, &'static [&'static str], &'static str);

    const TREES: &[Row] = &[
        ("a: 1\nb: [x, 'y']", r#"{a: 1, b: [x, "y"]}"#, &[], "block and flow"),
        ("a: no\nb: 1.10\nc: 0755", "{a: no, b: 1.10, c: 0755}", &[], "text is kept as written"),
        ("a:\nb: ~\nc: '~'\nd: null", r#"{a: ~, b: ~, c: "~", d: ~}"#, &[], "quoted is never nothing"),
        ("a: !!str 5\nb: !!int '5'", r#"{a: "5", b: 5}"#, &[], "core tags"),
        ("a: 1\n---\n---\nb: 2\n...\n", "{a: 1} | {b: 2}", &[], "documents; an empty one is none"),
        ("", "", &[], "nothing"),
        ("# only a comment\n", "", &[], "nothing either"),
        ("\u{feff}a: 1", "{a: 1}", &[], "a byte-order mark"),
        ("a: &x {k: 1}\nb: *x", "{a: {k: 1}, b: {k: 1}}", &[], "alias"),
        (
            "a: &x {k: 1, l: 2}\nb: {z: 0, <<: *x, l: 3}",
            "{a: {k: 1, l: 2}, b: {z: 0, k: 1, l: 3}}",
            &[],
            "an explicit key beats a merged one, also before it",
        ),
        (
            "a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: {<<: [*x, *y]}",
            "{a: {k: 1}, b: {k: 2, l: 2}, c: {k: 1, l: 2}}",
            &[],
            "the earlier of merged mappings wins",
        ),
        ("a: {'<<': 1}", "{a: {<<: 1}}", &[], "quoted, it is a key like others"),
        ("<<: 5", "{}", &["f:1:5: YAML: <<: must be a mapping or a list of mappings"], "nothing to merge"),
        (
            "a: 1\nb: 2\na: 3",
            "{a: 1, b: 2}",
            &["f:3:1: YAML: a: a key must stand once in a mapping; it is also at 1:1"],
            "duplicate",
        ),
        (
            "{a: {b: 1, b: {c: 2}}}",
            "{a: {b: 1}}",
            &["f:1:12: YAML: b: a key must stand once in a mapping; it is also at 1:6"],
            "with all below it",
        ),
        ("? [a]\n: 1\nb: 2", "{b: 2}", &["f:1:3: YAML: key: must be text"], "a list as a key"),
        ("a: !x 5", r#"{a: "5"}"#, &["f:1:4: YAML: tag: !x has no meaning here"], "a foreign tag"),
        (
            "a: &x [*x]",
            "",
            &["f:1:8: YAML: alias: must name a value of the same document that ends before it"],
            "a value within itself",
        ),
        (
            "a: &x 1\n---\nb: *x",
            "{a: 1}",
            &["f:3:4: YAML: alias: must name a value of the same document that ends before it"],
            "an anchor ends with its document",
        ),
        (
            "a: 1\n---\nb: [1",
            "{a: 1}",
            &["f:4:1: YAML: syntax: while parsing a flow sequence, expected ',' or ']'"],
            "syntax",
        ),
        (
            "a: 1\nb: *nope",
            "",
            &["f:2:4: YAML: syntax: while parsing node, found unknown anchor"],
            "no such anchor",
        ),
        (
            "a: x\0y",
            "",
            &["f:1:5: YAML: encoding: a control character must be written as an escape in double quotes"],
            "NUL would end the file early",
        ),
    ];

    #[test]
    fn trees() {
        for (text, want, complaints, why) in TREES {
            check(text.as_bytes(), want, complaints, why);
        }
        let latin = "f:2:5: YAML: encoding: must be UTF-8; the byte 0xe9 at offset 10 is not";
        check(b"a: 1\nb: \xc3\xa9\xe9", "", &[latin], "columns count characters");
    }

    #[test]
    fn places() {
        let mut out = Diagnostics::default();
        let trees = Tree::parse(&Arc::from("f"), b"a:\n  - x\n  - { k: v }\n", &mut out);
        let at = |tree: &Tree| format!("{}:{}", tree.at.line, tree.at.column);
        let Some(Tree { value: Value::List(items), .. }) = trees[0].get("a") else { panic!("a list") };
        let rows = [
            (&trees[0], "1:1", "the first key of a block"),
            (&items[0], "2:5", "a scalar after its dash"),
            (&items[1], "3:5", "the brace"),
        ];
        for (tree, want, why) in rows {
            assert_eq!(at(tree), want, "{why}");
        }
    }

    #[test]
    fn budgets() {
        let bomb: String = (1..40).fold("a0: &a0 [x, x]\n".into(), |text, n| {
            let last = n - 1;
            format!("{text}a{n}: &a{n} [*a{last}, *a{last}]\n")
        });
        let rows = [
            (bomb, "values with aliases expanded: must be at most 2000000", "aliases that double"),
            ("[".repeat(100), "nesting: must be at most 64", "flow depth"),
            ("[".repeat(100_000), "recursion limit", "flow depth beyond what the parser looks ahead"),
            ("- ".repeat(100_000), "nesting: must be at most 64", "block depth"),
            ("--- x\n".repeat(10_001), "documents: must be at most 10000", "documents"),
            ("x".repeat(Tree::MAX_BYTES + 1), "size: must have at most 16 MiB", "bytes"),
            ("[]".repeat(1_000_001), "size: must have", "marks, which the parser may hold all at once"),
        ];
        for (text, want, why) in rows {
            let mut out = Diagnostics::default();
            let _ = Tree::parse(&Arc::from("f"), text.as_bytes(), &mut out);
            assert_eq!(out.errors(), 1, "{why}");
            assert!(out.to_string().contains(want), "{why}: {out}");
        }
    }
}
